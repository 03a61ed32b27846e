"""Tests with survey weights, each row standing for as many people as its weight says, by linearised variances."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError, UntestableError
from personax.independence._null import exact
from personax.independence._pair import ColumnPair, Sample
from personax.independence._result import TestResult
from personax.independence._trend import middle_ranks

__all__ = ["survey_test", "survey_weights"]

WAVES = 4
"""Cosines of the ranks, fewer where units are few: the first tells a rise, the second a turn; the k-th counts 1 / k."""

SHARE = 0.2
"""Products of features that are looked at, at most, as a share of the units."""

TESTS = ("kci", "hsic", "chisq", "gsq", "auto")


def survey_weights(weights: pl.Series) -> NDArray[np.float64]:
    """Return the weight of each row.

    Raises
    ------
    InputError
        When one is missing, infinite or negative.
    """
    numbers = weights.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    if not (weights.dtype.is_numeric() and np.isfinite(numbers).all() and (numbers >= 0).all() and numbers.any()):
        raise InputError(f"{weights.name} holds weights that are no numbers of 0 or more; drop or mend those rows")
    return np.asarray(numbers / numbers.max(), dtype=np.float64)


def survey_test(
    test: str,
    pair: ColumnPair,
    weights: NDArray[np.float64],
    clusters: NDArray[np.intp],
    strata: NDArray[np.intp],
) -> TestResult:
    """Test independence in the population from which rows were drawn with unequal probabilities.

    With features f of x and g of y (cosines of ranks; indicators of groups, over the root of their shares), the
    statistic is ``|sum_i w_i f_i g_i|^2``, both less their weighted means within strata. Under independence it is a
    weighted sum of chi-square variables, whose weights are the eigenvalues of the covariance of the sums of clusters.
    For two groups this is Rao and Scott's test, first order and second order in one.

    Parameters
    ----------
    test
        Its name; all of them mean this one here, those of tables for categories only.
    pair
        The columns over the rows looked at.
    weights, clusters, strata
        Of these rows; each row is a cluster of its own where there are none.

    Raises
    ------
    UntestableError
        Another test, given columns, vectors, too many levels for the number of clusters.

    References
    ----------
    Rao, Scott 1984, doi:10.1214/aos/1176346391; Binder 1983, doi:10.2307/1402588; Kallenberg, Ledwina 1999,
    doi:10.1080/01621459.1999.10473844 (features of ranks).
    """
    if test not in TESTS:
        raise UntestableError(f"{test} knows no survey weights; use {', '.join(TESTS)}")
    if pair.z is not None:
        raise UntestableError("survey weights do not go with given columns; name strata instead")
    units = np.unique(clusters, return_inverse=True)[1]
    number = int(units.max()) + 1
    waves = int(np.clip(np.sqrt(SHARE * number), 2, WAVES))
    sides = [_features(sample, weights, waves) for sample in (pair.x, pair.y)]
    size = sides[0].shape[1] * sides[1].shape[1]
    if size > max(SHARE * number, 4):
        raise UntestableError(f"{size} pairs of features are too many for {number} rows or clusters; join levels")
    f, g = (side - _means(side, weights, strata)[strata] for side in sides)
    products = (f[:, :, None] * g[:, None, :]).reshape(len(f), -1) * weights[:, None]
    sums = np.stack([np.bincount(units, column, minlength=number) for column in products.T], axis=1)
    total = sums.sum(axis=0)
    covariance = sums.T @ sums * number / max(number - 1, 1)
    spread = np.linalg.eigvalsh(covariance).clip(0)
    statistic = float(total @ total)
    if not spread.max(initial=0.0) > 0:
        raise UntestableError("nothing varies under these weights")
    scale = float(weights.sum()) ** 2
    effective = scale / float(np.square(weights).sum())
    details = {"effect_name": "", "effective_n": round(effective, 1), "clusters": number}
    return TestResult(statistic / scale, exact(statistic, spread), float("nan"), len(f), "survey weights", details)


def _features(sample: Sample, weights: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return features of every row, of numbers so many waves."""
    counted = sample.counted
    shares = np.bincount(counted.codes, weights, minlength=counted.size) / weights.sum()
    if counted.values is None:
        return (np.eye(counted.size) / np.sqrt(np.where(shares > 0, shares, 1)))[counted.codes]
    if counted.circle:
        return counted.values[counted.codes]
    if counted.columns > 1:
        raise UntestableError("survey weights are for columns of one number; vectors are not tested")
    k = np.arange(1, most + 1) if counted.size > 2 else np.ones(1)
    waves = np.sqrt(2) * np.cos(np.pi * np.outer(middle_ranks(shares) + 0.5, k)) / k
    return np.asarray(waves[counted.codes])


def _means(side: NDArray[np.float64], weights: NDArray[np.float64], strata: NDArray[np.intp]) -> NDArray[np.float64]:
    people = np.bincount(strata, weights)
    sums = [np.bincount(strata, weights * column) for column in side.T]
    return np.stack(sums, axis=1) / np.where(people > 0, people, 1)[:, None]
