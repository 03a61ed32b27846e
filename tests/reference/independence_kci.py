"""What causal-learn says of inputs that are too large to ask it in every test run; writes independence_kci.json.

Run from the root of the repository: python tests/reference/independence_kci.py (about a minute, 1 GB).
The inputs are arithmetic, so that they do not depend on a random generator's version.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]
ANSWERS = Path(__file__).with_suffix(".json")


def normal(n: int, root: int) -> Array:
    """Return n numbers that look normal: quantiles of the fractional parts of i sqrt(root), squared i apart."""
    i = np.arange(1, n + 1, dtype=float)
    return np.asarray(ndtri((i * i * np.sqrt(root)) % 1))


def marginal_inputs() -> dict[str, tuple[Array, Array]]:
    """Return the inputs of the marginal test: heights, a score of three levels, and values that are all distinct."""
    inputs = {}
    for n in (2000, 4181):
        height = np.round(180 + 7 * normal(n, 2))
        score = np.clip(np.round(2 + 0.005 * (height - 180) + 0.7 * normal(n, 3)), 1, 3)
        inputs[f"heights x three levels, {n}"] = height, score
    inputs["all distinct, 2000"] = normal(2000, 2), normal(2000, 3) + 0.1 * np.square(normal(2000, 2))
    inputs["two columns, 500"] = np.column_stack([normal(500, 2), normal(500, 3)]), normal(500, 5)
    return inputs


def conditional_inputs() -> dict[str, tuple[Array, Array, Array]]:
    """Return the inputs of the conditional test."""
    z, x, y = normal(1000, 2), normal(1000, 3), normal(1000, 5)
    two = np.column_stack([z, normal(1000, 7)])
    levels = np.round(z)
    return {
        "null, 1000": (z + x, np.square(z) + y, z),
        "dependent, 1000": (z + x, z + y + 0.08 * x, z),
        "two columns of z, 1000": (z + x, two[:, 1] + y, two),
        "levels, 1000": (np.round(levels + x), np.round(levels + y), levels),
    }


def main() -> None:
    from causallearn.utils.KCI.KCI import KCI_CInd, KCI_UInd  # late, so that the inputs need numpy and scipy only

    def column(values: Array) -> Array:
        return values.reshape(len(values), -1)

    answers: dict[str, dict[str, float]] = {}
    for name, (x, y) in marginal_inputs().items():
        p_value, statistic = KCI_UInd().compute_pvalue(column(x), column(y))
        answers[name] = {"p_value": float(p_value), "statistic": float(statistic)}
    for name, (x, y, z) in conditional_inputs().items():
        p_value, statistic = KCI_CInd().compute_pvalue(column(x), column(y), column(z))
        answers[name] = {"p_value": float(p_value), "statistic": float(statistic)}
    made_with = {package: version(package) for package in ("causal-learn", "numpy", "scipy")}
    ANSWERS.write_text(json.dumps({"made_with": made_with, "answers": answers}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
