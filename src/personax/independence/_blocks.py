"""Rows that belong together: p-values over exchanges of whole clusters, within strata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln

from personax.errors import InputError, UntestableError
from personax.independence._contingency import pearson
from personax.independence._gsq import likelihood_ratio
from personax.independence._kernels import Factor
from personax.independence._margins import expected_counts
from personax.independence._pair import ColumnPair
from personax.independence._permutations import sequential_p_value
from personax.independence._result import TestResult
from personax.independence._strata import Divergence
from personax.independence._survey import survey_weights

__all__ = ["Design", "RowBlocks", "blocks_of", "exchanged"]

Design = tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]
"""Weight, cluster and stratum of each row."""

TABLES: dict[str, Divergence] = {"chisq": pearson, "gsq": likelihood_ratio}
KERNELS = ("kci", "hsic")


@dataclass(frozen=True)
class RowBlocks:
    """Which rows belong together, and within what clusters are exchanged.

    Parameters
    ----------
    clusters
        Code of each row's cluster, -1 where it is missing.
    strata
        Code of each row's stratum; one for all where there are none.
    weights
        Survey weights; None where there are none.
    """

    clusters: NDArray[np.intp]
    strata: NDArray[np.intp]
    weights: NDArray[np.float64] | None = None

    def design(self, rows: NDArray[np.bool_]) -> Design:
        """Return weights, clusters and strata of some rows."""
        weights = np.ones(len(self.clusters)) if self.weights is None else self.weights
        return weights[rows], self.clusters[rows], self.strata[rows]

    @property
    def present(self) -> NDArray[np.bool_]:
        """Rows that have a cluster and a stratum."""
        present = (self.clusters >= 0) & (self.strata >= 0)
        return present if self.weights is None else present & (self.weights > 0)

    def classes(self, rows: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
        """Return the places of rows (among those kept), one array a class, shape (clusters, size).

        Clusters of one size and stratum can be exchanged. One without a partner stays as it is.
        """
        clusters, strata = self.clusters[rows], self.strata[rows]
        order = np.argsort(clusters, kind="stable")
        _, first, sizes = np.unique(clusters[order], return_index=True, return_counts=True)
        kinds = np.column_stack([sizes, strata[order[first]]])
        found = []
        for kind in np.unique(kinds, axis=0):
            starts = first[(kinds == kind).all(axis=1)]
            if len(starts) > 1:
                found.append(order[starts[:, None] + np.arange(kind[0])])
        return found

    def least_p(self, rows: NDArray[np.bool_]) -> float:
        """Return one in as many orders as there are."""
        return float(np.exp(-sum(gammaln(len(one) + 1.0) for one in self.classes(rows))))

    def orders(self, rows: NDArray[np.bool_], times: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
        """Yield orders of the rows in which clusters have changed places."""
        classes = self.classes(rows)
        if sum(len(one) for one in classes) < 5:
            raise UntestableError("fewer than five clusters of equal size can be exchanged; give more of them")
        for _ in range(times):
            order = np.arange(int(rows.sum()))
            for places in classes:
                order[places] = places[rng.permutation(len(places))]
            yield order


def blocks_of(
    frame: pl.DataFrame, cluster: str | None, strata: str | None, weight: str | None = None
) -> RowBlocks | None:
    """Return the blocks that columns tell; without ``cluster`` each row is one.

    Raises
    ------
    InputError
        A cluster that lies in two strata.
    """
    if cluster is None and strata is None and weight is None:
        return None
    clusters = np.arange(frame.height, dtype=np.intp) if cluster is None else _codes(frame[cluster])
    within = np.zeros(frame.height, dtype=np.intp) if strata is None else _codes(frame[strata])
    if cluster is not None and strata is not None:
        both = frame.select(cluster, strata).drop_nulls().unique()
        if both[cluster].n_unique() < both.height:
            twice = both.filter(both[cluster].is_duplicated())[cluster][0]
            raise InputError(f"{cluster} {twice} lies in two values of {strata}; strata hold whole clusters")
    return RowBlocks(clusters, within, None if weight is None else survey_weights(frame[weight]))


def _codes(series: pl.Series) -> NDArray[np.intp]:
    ranks = series.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
    return np.asarray(ranks, dtype=np.intp) - 1


def exchanged(
    test: str,
    pair: ColumnPair,
    result: TestResult,
    blocks: RowBlocks,
    rows: NDArray[np.bool_],
    rng: np.random.Generator,
    permutations: int,
) -> TestResult:
    """Return a result with the p-value over exchanges of clusters.

    Under independence of x and y between clusters that are alike (whatever the dependence within) all exchanges of the
    clusters' blocks of x are equally probable: the p-value is exact. Drawing ends when twenty exchanges are as extreme
    as the data (Besag, Clifford 1991): ``20 / draws``, else ``(1 + as extreme) / (1 + permutations)``; where none is,
    the tail is continued as `personax.independence._permutations.sequential_p_value` does, down to one in as many
    exchanges as there are, or no correction over many pairs could ever reject.

    Raises
    ------
    UntestableError
        A test without such a null, given columns, too few clusters of a size.

    Notes
    -----
    Of ``auto`` the test that it chose for the pair.

    References
    ----------
    Besag, Clifford 1991, doi:10.1093/biomet/78.2.301; Winkler et al. 2015, doi:10.1016/j.neuroimage.2015.05.092.
    """
    chosen = ""
    if test == "auto":
        test = result.method.partition(",")[0]
        chosen = f"{test}, "
    if test not in (*TABLES, *KERNELS):
        raise UntestableError(f"{test} knows no clusters or strata; use kci, hsic, chisq or gsq")
    if pair.z is not None:
        raise UntestableError("clusters and strata do not go with given columns; name strata instead")
    statistic: _TableStatistic | _KernelStatistic = (
        _TableStatistic(pair, TABLES[test]) if test in TABLES else _KernelStatistic(test, pair)
    )
    drawn, orders = [0], blocks.orders(rows, permutations, rng)

    def draw(times: int) -> NDArray[np.float64]:
        found = [statistic(order) for order in islice(orders, times)]
        drawn[0] += len(found)
        return np.sqrt(np.maximum(found, 0))

    own = float(np.sqrt(max(0.0, statistic(np.arange(int(rows.sum()))))))
    p = max(sequential_p_value(draw, own, permutations), blocks.least_p(rows))
    details = {**result.details, "exchanges": drawn[0]}
    details.pop("dof", None)
    return replace(result, p_value=float(p), method=f"{chosen}exchange of clusters", details=details)


class _TableStatistic:
    """A divergence of the table after an exchange."""

    def __init__(self, pair: ColumnPair, divergence: Divergence) -> None:
        self.x, self.y, self.divergence = pair.x.counted, pair.y.counted, divergence
        self.expected = expected_counts(self.table(np.arange(len(self.x.codes))))

    def table(self, order: NDArray[np.intp]) -> NDArray[np.float64]:
        key = self.x.codes[order] * self.y.size + self.y.codes
        return np.bincount(key, minlength=self.x.size * self.y.size).reshape(self.x.size, self.y.size).astype(float)

    def __call__(self, order: NDArray[np.intp]) -> float:
        return float(self.divergence(self.table(order), self.expected))


class _KernelStatistic:
    """sum Kx Ky after an exchange."""

    def __init__(self, test: str, pair: ColumnPair) -> None:
        # any statistic is exact over exchanges; of several widths the middle one stands for all
        x, y = (_middle(one.kernels.factors) if test == "kci" else one.median for one in (pair.x, pair.y))
        self.fx, self.fy = _rows(x), _rows(y)

    def __call__(self, order: NDArray[np.intp]) -> float:
        return float(np.square(self.fx[order].T @ self.fy).sum())


def _middle(factors: Sequence[Factor]) -> Factor:
    return factors[len(factors) // 2]


def _rows(factor: Factor) -> NDArray[np.float64]:
    return np.asarray(factor.rows[factor.of.codes])
