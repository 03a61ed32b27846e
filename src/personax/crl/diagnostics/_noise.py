"""Tests of the learned noise: standard, normal, independent, as the model assumes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.crl._split import Array, check_latents, standardise
from personax.crl.diagnostics._verdict import Diagnosis, IndependenceTest, Verdict, judge, run_test, summarise, worst
from personax.errors import InputError
from personax.statistics import holm

__all__ = ["NoiseReport", "distance_correlation", "exogenous_noise", "noise_report"]

LIMITS: Mapping[str, tuple[float, float]] = {
    "standard": (0.1, 0.3),
    "normal": (0.2, 0.5),
    "independent": (0.05, 0.15),
}
"""Effect sizes below which an assumption holds whatever the p-value, and from which it does not, whatever it is."""

NOISE_PEOPLE: Final = 1000
"""People that learned noise is tested on: kernel tests of all pairs of more take minutes."""

DISTANCE_PEOPLE = 2000
"""People that distance correlation is computed on; it costs their square."""


@dataclass(frozen=True, slots=True)
class NoiseReport:
    """What the learned noise looks like.

    Parameters
    ----------
    columns
        One row a noise variable: ``name``, ``n``, ``mean``, ``sd``, ``skew``, ``excess_kurtosis``, ``normal_p``
        (Jarque-Bera), ``normal_p_holm``, ``standardise``, ``normal`` (verdicts).
    pairs
        One row a pair: ``x``, ``y``, ``p``, ``p_holm``, ``spearman``, ``spearman_squares``, ``distance_correlation``,
        ``effect``, ``independent`` (verdict), ``reason`` (why p is None).
    verdicts
        ``standardise``, ``normal``, ``independent`` -> the worst verdict of its rows.
    """

    columns: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    verdicts: dict[str, Verdict]


def noise_report(
    eps: ArrayLike,
    names: Sequence[str],
    *,
    independence: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
) -> NoiseReport:
    """Test the learned noise against the model's assumptions, by p-values and by effect sizes.

    With ten thousand people a test rejects what makes no difference, so that an assumption

    - *holds* where the effect is below the smaller limit, or below the larger one with Holm's p above .05,
    - is *violated* where the effect reaches the larger limit with Holm's p at most .05,
    - is *doubtful* otherwise: a moderate effect that is no chance, or a large one that the test does not see, be it for
      too few people or because it is blind to it (HSIC of the usual width to a fast wave, say),
    - is *not testable* where the test gave no answer.

    ============= ============================================================================ ======= ========
    assumption    effect                                                                       smaller larger
    ============= ============================================================================ ======= ========
    standard      max(abs mean, abs log sd); no test                                            .1      .3
    normal        max(abs skew, abs excess kurtosis / 2); test: Jarque-Bera                     .2      .5
    independent   largest of abs Spearman of values, of squares, of a value with a square, and
                  the bias-corrected distance correlation; test: the one passed in              .05     .15
    ============= ============================================================================ ======= ========

    That an assumption holds says that the data do not contradict it: with few people little can.

    Parameters
    ----------
    eps
        Shape (n, d).
    names
        Of the columns.
    independence
        Takes two columns, shape (n,), and returns a p-value. What it refuses with `UntestableError` stands in
        ``reason``.

    Raises
    ------
    InputError
        Missing or infinite numbers, too few people, other than one name a column.

    References
    ----------
    Jarque, Bera 1987, doi:10.2307/1403192; Székely, Rizzo 2014, arXiv:1310.2926 (bias-corrected distance
    correlation); Holm 1979, jstor 4615733.

    Examples
    --------
    >>> from scipy.stats import spearmanr
    >>> eps = np.random.default_rng(0).normal(size=(500, 2))
    >>> noise_report(eps, ["a", "b"], independence=lambda x, y: spearmanr(x, y).pvalue).verdicts
    {'standard': 'holds', 'normal': 'holds', 'independent': 'holds'}
    """
    x, _ = check_latents(eps, eps)
    if len(names) != x.shape[1]:
        raise InputError(f"{len(names)} names are given for {x.shape[1]} noise variables; give one for each")
    columns = _columns(x, names)
    pairs = [_pair(x[:, i], x[:, j], names[i], names[j], independence) for i, j in combinations(range(x.shape[1]), 2)]
    for row, corrected in zip(pairs, holm([row["p"] for row in pairs]), strict=True):
        row["p_holm"] = corrected
        row["independent"] = judge(row["effect"], corrected, *LIMITS["independent"])
    verdicts: dict[str, Verdict] = {
        "standard": worst([row["standard"] for row in columns]),
        "normal": worst([row["normal"] for row in columns]),
        "independent": worst([row["independent"] for row in pairs]),
    }
    return NoiseReport(columns, pairs, verdicts)


def exogenous_noise(noise: ArrayLike, names: Sequence[str], *, test: IndependenceTest) -> Diagnosis:
    """Test whether the latents' learned noise is independent, by `noise_report`, on 1,000 people at most.

    Where it is not, an edge is missing or wrong, or something not measured causes two latents.

    Parameters
    ----------
    noise
        Shape (n, d).
    names
        Of the latents.
    test
        Takes two columns, shape (n,), and returns a p-value.

    Raises
    ------
    InputError
        As `personax.crl.noise_report`.
    """
    x, _ = check_latents(noise, noise)
    report = noise_report(x[:NOISE_PEOPLE], names, independence=test)
    rows = [row | {"verdict": row["independent"]} for row in report.pairs]
    parts = (
        "The learned noise of the latents is independent, as far as these people show.",
        "The noise of {} is dependent: an edge is missing or wrong, or something not measured causes both.",
        "There is one latent, or the test refused.",
    )
    return summarise("the latents' noise is independent", rows, "{x} and {y}", parts)


def _columns(x: Array, names: Sequence[str]) -> list[dict[str, Any]]:
    from scipy.stats import jarque_bera, kurtosis, skew

    rows: list[dict[str, Any]] = []
    for name, column in zip(names, x.T, strict=True):
        mean, sd = float(column.mean()), float(column.std())
        row: dict[str, Any] = {"name": name, "n": len(column), "mean": mean, "sd": sd}
        if sd > 1e-12:
            row |= {"skew": float(skew(column)), "excess_kurtosis": float(kurtosis(column))}
            row |= {"normal_p": float(jarque_bera(column).pvalue)}
            row["standard"] = judge(max(abs(mean), abs(math.log(sd))), 0.0, *LIMITS["standard"])
        else:
            row |= {"skew": None, "excess_kurtosis": None, "normal_p": None, "standard": "violated"}
        rows.append(row)
    for row, corrected in zip(rows, holm([row["normal_p"] for row in rows]), strict=True):
        row["normal_p_holm"] = corrected
        known = row["skew"] is not None
        effect = max(abs(row["skew"]), abs(row["excess_kurtosis"]) / 2) if known else math.inf
        row["normal"] = judge(effect, corrected, *LIMITS["normal"])
    return rows


def _pair(x: Array, y: Array, first: str, second: str, independence: Callable[[Array, Array], float]) -> dict[str, Any]:
    p, reason = run_test(lambda: independence(x, y))
    ranks = _ranks(np.column_stack([x, y, np.square(x - x.mean()), np.square(y - y.mean())]))
    crossed = ranks.T @ ranks / len(x)
    distance = distance_correlation(x[:DISTANCE_PEOPLE], y[:DISTANCE_PEOPLE])
    effect = max(abs(crossed[0, 1]), abs(crossed[2, 3]), abs(crossed[0, 3]), abs(crossed[2, 1]), distance)
    return {
        "x": first,
        "y": second,
        "p": p,
        "spearman": float(crossed[0, 1]),
        "spearman_squares": float(crossed[2, 3]),
        "distance_correlation": distance,
        "effect": float(effect),
        "reason": reason,
    }


def _ranks(x: Array) -> Array:
    from scipy.stats import rankdata

    return standardise(rankdata(x, axis=0))


def distance_correlation(x: Array, y: Array) -> float:
    """Return the bias-corrected distance correlation, 0 where its square is estimated below 0."""
    a, b = _centred(x), _centred(y)
    scale = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float(np.sqrt(max(0.0, float((a * b).sum()) / scale))) if scale > 0 else 0.0


def _centred(x: Array) -> Array:
    """Return U-centred distances: rows and columns sum to 0 although the diagonal is left out."""
    n = len(x)
    distance = np.abs(x[:, None] - x[None, :])
    sums = distance.sum(axis=0)
    centred: Array = distance - sums[:, None] / (n - 2) - sums[None, :] / (n - 2) + sums.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0.0)
    return centred
