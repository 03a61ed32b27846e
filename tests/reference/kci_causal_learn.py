"""Make kci_causal_learn.json: marginal KCI by causal-learn 0.1.4.8 at sizes too slow for the test suite.

    python tests/reference/kci_causal_learn.py

About 20 seconds and 4 GB. The data are drawn here, from the seed in each row, so that the test can draw them again.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personax.errors import require

CASES = [(4181, 41), (9444, 94)]


def draw(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rounded heights and a three-level score that depends on them a little."""
    rng = np.random.default_rng(seed)
    height = np.round(rng.normal(180, 9, n))
    score = np.digitize(0.008 * (height - 180) + rng.normal(size=n), [-0.6, 0.6])
    return height, score.astype(float)


def main() -> None:
    """Ask causal-learn and write the numbers."""
    peer = require("causallearn.utils.KCI.KCI", extra="discovery")
    rows = []
    for n, seed in CASES:
        x, y = draw(n, seed)
        p, statistic = peer.KCI_UInd(est_width="empirical").compute_pvalue(x[:, None], y[:, None])
        rows.append({"n": n, "seed": seed, "statistic": float(statistic), "p_value": float(p)})
    Path(__file__).with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
