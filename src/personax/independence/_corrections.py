"""Multiple testing: corrected p-values over a family; a missing p-value is no member of it."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import InputError
from personax.statistics import holm

__all__ = ["Correction", "check_correction", "correct", "first_level", "largest_rejected"]

Correction = Literal["fdr_bh", "fdr_by", "holm", "bonferroni", "none"]


def check_correction(method: str) -> None:
    """Say which corrections there are.

    Raises
    ------
    InputError
        When this is none.
    """
    if method not in get_args(Correction):
        raise InputError(f"there is no correction {method!r}; choose from {', '.join(get_args(Correction))}")


def correct(p_values: ArrayLike, method: Correction) -> NDArray[np.float64]:
    """Return corrected p-values; NaN stays NaN and does not count.

    Parameters
    ----------
    p_values
        Shape (m,).
    method
        Benjamini-Hochberg, Benjamini-Yekutieli, Holm, Bonferroni, or none.

    Raises
    ------
    InputError
        Another method, or numbers that are no probabilities.

    References
    ----------
    Benjamini, Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x; Benjamini, Yekutieli 2001,
    doi:10.1214/aos/1013699998; Holm 1979, jstor 4615733.

    Examples
    --------
    >>> correct([0.01, float("nan"), 0.04], "holm").tolist()
    [0.02, nan, 0.04]
    """
    check_correction(method)
    p = np.asarray(p_values, dtype=float)
    known = ~np.isnan(p)
    if wrong := p[known & ~((p >= 0) & (p <= 1))].tolist():
        raise InputError(f"{wrong[0]:g} is no p-value; give numbers from 0 to 1, NaN where there is none")
    corrected = p.copy()
    if known.any():
        corrected[known] = _correct(p[known], method)
    return corrected


def first_level(alpha: float, tests: int, method: Correction) -> float:
    """Return the level with which a correction compares the smallest of so many p-values.

    Examples
    --------
    >>> first_level(0.05, 100, "holm"), first_level(0.05, 100, "none")
    (0.0005, 0.05)
    """
    if method == "none":
        return alpha
    harmonic = float((1 / np.arange(1, tests + 1)).sum()) if method == "fdr_by" else 1.0
    return alpha / max(1, tests) / harmonic


def largest_rejected(
    p_values: NDArray[np.float64], tests: int, alpha: float, method: Correction
) -> tuple[float | None, int]:
    """Return the largest p-value that is rejected, and how many are, of a family too large to hold.

    Parameters
    ----------
    p_values
        Those below ``alpha``; no correction rejects another.
    tests
        Size of the family.

    Examples
    --------
    >>> largest_rejected(np.array([0.001, 0.02, 0.03]), 4, 0.05, "fdr_bh")
    (0.03, 3)
    >>> largest_rejected(np.array([0.001, 0.02, 0.03]), 4, 0.05, "holm")
    (0.001, 1)
    """
    p, ranks = np.sort(p_values), np.arange(1, len(p_values) + 1)
    level = first_level(alpha, tests, method)
    levels = {"holm": alpha / np.maximum(1, tests - ranks + 1)}.get(
        method, level * ranks if method.startswith("fdr") else np.full(len(p), level)
    )
    below = p < levels if not method.startswith("fdr") else p <= levels
    if method.startswith("fdr"):
        many = int(ranks[below].max(initial=0))
    else:
        many = len(p) if below.all() else int(below.argmin())
    return (float(p[many - 1]), many) if many else (None, 0)


def _correct(p: NDArray[np.float64], method: Correction) -> NDArray[np.float64]:
    if method == "none":
        return p
    if method == "bonferroni":
        return np.minimum(1.0, len(p) * p)
    if method == "holm":
        return np.array(holm(p.tolist()), dtype=float)
    # scipy.stats takes half a second to import, which --help should not pay
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p, method=method.removeprefix("fdr_")))  # type: ignore[arg-type]
