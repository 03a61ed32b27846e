"""Whom people are asked about: a random sample by strata, each person's probability known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.traits._ratings import Floats
from personax.traits.reliability._group_differences import group_labels

__all__ = ["Allocation", "assign_strata", "stratified_sample"]

Allocation = Literal["proportional", "equal"]

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
