"""Whom people are asked about: at random by strata or by expected information, each person's probability known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.traits._ratings import Floats
from personax.traits.reliability._group_differences import group_labels

__all__ = ["Allocation", "assign_strata", "expected_information", "informative_sample", "stratified_sample"]

Allocation = Literal["proportional", "equal", "information"]

LEAST_SHARE = 0.2
"""Share of the sample that is drawn without regard to information, so that nobody's probability is 0."""

MISSING_STRATUM = "(none)"
"""Stratum of those whose value is missing."""


def assign_strata(columns: Sequence[pl.Series], n: int) -> list[str]:
    """Return everybody's stratum: the values of the columns together; numbers of many values become quarters.

    Examples
    --------
    >>> assign_strata([pl.Series("league", ["A", None])], 2)
    ['A', '(none)']
    """
    groups = [group_labels(column) for column in columns]
    if not groups:
        return ["all"] * n
    return [
        " | ".join(MISSING_STRATUM if value is None else value for value in row) for row in zip(*groups, strict=True)
    ]


def stratified_sample(
    strata: Sequence[str], number: int, allocation: Allocation = "proportional", *, rng: np.random.Generator
) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Floats]:
    """Draw people without replacement.

    Parameters
    ----------
    strata
        Everybody's.
    number
        How many; everybody where there are no more.
    allocation
        ``proportional``: systematically through the strata, so that every person has the same probability, and every
        stratum its share to within one person. ``equal``: as many of each stratum; what a small one cannot give goes
        to the others.

    Returns
    -------
    tuple of arrays
        Who, in random order; the probability of everybody, shape (people,).

    Raises
    ------
    InputError
        Nobody to draw from, or fewer people than strata under ``equal``.

    References
    ----------
    Särndal, Swensson, Wretman 1992, Model assisted survey sampling, sections 3.4 and 3.7.

    Examples
    --------
    >>> who, probability = stratified_sample(["a"] * 90 + ["b"] * 10, 10, "equal", rng=np.random.default_rng(0))
    >>> int((who >= 90).sum()), float(probability[-1])
    (5, 0.5)
    """
    n = len(strata)
    if n == 0 or number < 1:
        raise InputError("there is nobody to draw from; collect people, and ask for one or more")
    number = min(number, n)
    if allocation == "proportional":
        shuffled = rng.permutation(n)
        ordered = shuffled[np.argsort(np.asarray(strata, dtype=object)[shuffled].astype(str), kind="stable")]
        positions = np.floor((np.arange(number) + rng.random()) * n / number).astype(np.intp)
        drawn, probability = ordered[np.minimum(positions, n - 1)], np.full(n, number / n)
    else:
        drawn, probability = _equal(np.asarray(strata), number, rng)
    return np.asarray(rng.permutation(drawn), dtype=np.intp), probability


def expected_information(sd: Floats, error: float) -> Floats:
    """Return by how much one more rating is expected to lower the variance of each person's scores.

    Parameters
    ----------
    sd
        Standard deviations of scores, shape (people, traits); NaN where nobody scored, which is as uncertain as can be.
    error
        Variance of one rating given the person.

    Returns
    -------
    array, shape (people,)
        Over traits: of a normal posterior of variance v, a rating leaves v e / (v + e), and takes v^2 / (v + e).

    Examples
    --------
    >>> expected_information(np.array([[1.0], [0.5], [np.nan]]), error=1.0).round(2)
    array([0.5 , 0.05, 0.5 ])
    """
    largest = np.nanmax(sd, axis=0)
    variance = np.square(np.where(np.isnan(sd), largest, sd))
    return np.asarray((np.square(variance) / (variance + error)).sum(axis=1))


def informative_sample(
    information: Floats, number: int, *, rng: np.random.Generator
) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Floats]:
    """Draw people with probabilities that rise with the information expected of them; return who, and all of these.

    A fifth of the sample is spread evenly, so that estimates for everybody stay possible: weights are at most five
    times those of a random sample.

    Raises
    ------
    InputError
        Nobody to draw from, or nobody of whom anything is to be learned.

    References
    ----------
    Särndal, Swensson, Wretman 1992, Model assisted survey sampling, section 3.6.
    """
    n = len(information)
    if n == 0 or number < 1 or not (information.sum() > 0 and np.isfinite(information).all()):
        raise InputError("there is nobody of whom a rating is expected to tell anything; draw by strata instead")
    number = min(number, n)
    size = LEAST_SHARE / n + (1 - LEAST_SHARE) * information / information.sum()
    probability = np.minimum(number * size, 1.0)
    while probability.sum() < number - 1e-9:  # what those who are certain leave over goes to the others
        free = probability < 1
        probability[free] = np.minimum(size[free] * (number - (~free).sum()) / size[free].sum(), 1.0)
    order = rng.permutation(n)
    ends = np.cumsum(probability[order])
    drawn = order[np.minimum(np.searchsorted(ends, np.arange(number) + rng.random() * (1 - 1e-9)), n - 1)]
    return np.asarray(rng.permutation(drawn), dtype=np.intp), probability


def _equal(
    strata: np.ndarray[tuple[int], np.dtype[np.str_]], number: int, rng: np.random.Generator
) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Floats]:
    names, place = np.unique(strata, return_inverse=True)
    sizes = np.bincount(place)
    if number < len(names):
        raise InputError(f"{number} people are fewer than the {len(names)} strata; ask for more, or use fewer columns")
    quota = _quota(sizes, number)
    who = [rng.choice(np.flatnonzero(place == at), quota[at], replace=False) for at in range(len(names))]
    return np.concatenate(who), (quota / sizes)[place]


def _quota(sizes: np.ndarray[tuple[int], np.dtype[np.intp]], number: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return as many from each stratum as there are to be had, the largest strata first where there is a rest."""
    quota = np.zeros_like(sizes)
    while quota.sum() < number:
        open_ = np.argsort(-sizes, kind="stable")
        open_ = open_[quota[open_] < sizes[open_]]
        quota[open_[: number - quota.sum()]] += 1
    return quota
