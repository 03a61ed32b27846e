"""One marginal KCI, side by side with causal-learn in the same run: time, memory, p-values, growth.

    python benchmarks/independence.py --sizes 1000 2000 4000 --peer-up-to 4000 --out benchmarks/results/independence.md

The data are seeded: heights rounded to centimetres against a three-level score (repeated values), and two continuous
variables (all values distinct). Times are the best of three for ours and of one for the peer.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.errors import require
from personax.independence import kci

Array = NDArray[np.float64]


def pair(n: int, *, repeated: bool) -> tuple[Array, Array]:
    """Return two dependent variables, shape (n,) each."""
    rng = np.random.default_rng(n)
    height = rng.normal(180, 9, n)
    score = 0.02 * (height - 180) + rng.normal(size=n)
    return (np.round(height), np.digitize(score, [-0.6, 0.6]).astype(float)) if repeated else (height, score)


def timed(work: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Return the shortest of several runs in seconds, and the result."""
    best, result = float("inf"), None
    for _ in range(times):
        started = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - started)
    return best, result


def peer(x: Array, y: Array) -> float:
    """Return causal-learn's p-value."""
    module = require("causallearn.utils.KCI.KCI", extra="discovery")
    p, _ = module.KCI_UInd(est_width="empirical").compute_pvalue(x[:, None], y[:, None])
    return float(p)


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """Return the slope of log time against log n."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def table(sizes: list[int], peer_up_to: int, *, repeated: bool) -> list[str]:
    """Return the lines of one table."""
    lines = ["| n | ours, s | causal-learn, s | times faster | p, ours | p difference |", "|---|---|---|---|---|---|"]
    ours = []
    for n in sizes:
        x, y = pair(n, repeated=repeated)
        seconds, result = timed(lambda x=x, y=y: kci(x, y), 3)  # type: ignore[misc]
        ours.append(seconds)
        if n <= peer_up_to:
            theirs, p = timed(lambda x=x, y=y: peer(x, y), 1)  # type: ignore[misc]
            rest = f"{theirs:.3g} | {theirs / seconds:,.0f} | {result.p_value:.3g} | {abs(result.p_value - p):.1e}"
        else:
            rest = f"not run | | {result.p_value:.3g} | "
        lines.append(f"| {n:,} | {seconds:.4f} | {rest} |")
        print(lines[-1], flush=True)
    return [*lines, "", f"Growth of our time: n to the {exponent(sizes, ours):.2f}."]


def main() -> None:
    """Measure and print, and write the tables where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 4181, 9444, 100_000])
    parser.add_argument("--peer-up-to", type=int, default=4181, help="largest n that causal-learn is asked")
    parser.add_argument("--out", type=Path)
    wanted = parser.parse_args()
    kci(*pair(1000, repeated=True))
    parts = ["# One marginal KCI, against causal-learn in the same run", ""]
    parts.append(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {platform.python_version()}, numpy {np.__version__}."
    )
    sizes = " ".join(map(str, wanted.sizes))
    parts.append(f"`python benchmarks/independence.py --sizes {sizes} --peer-up-to {wanted.peer_up_to}`")
    for repeated, title in (
        (True, "Repeated values: whole centimetres x three levels"),
        (False, "All values distinct"),
    ):
        parts += ["", f"## {title}", "", *table(wanted.sizes, wanted.peer_up_to, repeated=repeated)]
    text = "\n".join(parts) + "\n"
    print(text)
    if wanted.out:
        wanted.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
