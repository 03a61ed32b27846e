r"""The chi-square test of tables of counts that carry noise for privacy.

A table of counts N leaves as Y = N + e, with independent noise e of the discrete Gaussian of scale s. Under
independence E[N] = n p q' has rank one, and what is left of Y when its rank-one part is taken out is noise of the
people and noise of the mechanism together. Cells are scaled by their rows and columns first,

    z_ij = sqrt(n) y_ij / sqrt((r_i + s sqrt(n)) (c_j + s sqrt(n))),

with row and column totals r and c. Without noise Z has the largest singular value sqrt(n), and the squares of all
others sum to Pearson's X^2; with much noise all cells weigh alike. The statistic is that sum, T = |Z|^2 - sigma_1^2(Z):
the least distance to a table of rank one, as of Kifer and Rogers (2017), which takes no product of two noisy margins.

Its null distribution is drawn: tables of independent people with the fitted margins, noise added, T computed anew
(Gaboardi et al. 2016). Where the noise is nearly as large as the counts the margins cannot be fitted, and nothing is
said.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError, UntestableError
from personax.independence._contingency import share_as_extreme
from personax.independence._corrections import Correction
from personax.independence._effects import CRAMERS_V
from personax.independence._grid import SCHEMA, judged
from personax.independence._result import TestResult
from personax.schema import Kind

__all__ = ["NoisyTable", "discrete_gaussian", "noisy_chisq", "screen_noisy", "shrunk_totals"]

Floats = NDArray[np.float64]

LEAST_SIGNAL = 3.0
"""People over s sqrt(cells): below, type I error was seen above the level; see benchmarks/results/statistics.md."""

BATCH = 500_000
"""Cells drawn at a time."""


@dataclass(frozen=True)
class NoisyTable:
    """Counts of a feature against a target, with noise.

    Parameters
    ----------
    feature, target
        Names.
    counts
        Noisy counts, shape (a, b); negative ones are no error.
    feature_kind, target_kind
        What the columns were before they were put into bins.
    """

    feature: str
    target: str
    counts: NDArray[np.int64]
    feature_kind: Kind = "nominal"
    target_kind: Kind = "ordinal"


def discrete_gaussian(scale: float, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return whole numbers with P(x) proportional to exp(-x^2 / (2 scale^2)), for simulations only.

    Noise that protects people comes from OpenDP: these are floating-point draws from a seed.

    Examples
    --------
    >>> draws = discrete_gaussian(3.0, (20_000,), np.random.default_rng(0))
    >>> round(float(draws.std()), 1)
    3.0
    """
    if scale == 0:
        return np.zeros(shape)
    if scale > 20:  # rounding a normal number is this distribution, up to exp(-2 pi^2 scale^2)
        return np.rint(rng.normal(0, scale, shape))
    reach = math.ceil(12 * scale) + 1
    x = np.arange(-reach, reach + 1)
    mass = np.exp(-np.square(x) / (2 * scale**2))
    return x[np.searchsorted(np.cumsum(mass) / mass.sum(), rng.uniform(size=shape))].astype(float)


def noisy_chisq(
    counts: NDArray[Any], scale: float, *, n: float | None = None, draws: int = 9_999, rng: np.random.Generator
) -> TestResult:
    """Test independence from a table with noise.

    Parameters
    ----------
    counts
        Noisy counts, shape (a, b), a and b at least 2.
    scale
        s of the discrete Gaussian noise of every cell; 0 for none.
    n
        How many people the table is about, where that is known better than by the sum of its cells.
    draws, rng
        Tables drawn from the null; the smallest p-value is 1 / (1 + draws).

    Returns
    -------
    TestResult
        The effect size is Cramér's V with the noise taken off; where cells have more noise than people it is rough.
        ``details`` holds ``scale``, ``draws`` and ``signal``: n / (s sqrt(cells)).

    Raises
    ------
    UntestableError
        One row or column, or noise nearly as large as the counts.

    References
    ----------
    Gaboardi, Lim, Rogers, Vadhan 2016, arXiv:1602.03090; Kifer, Rogers 2017, arXiv:1610.07662.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy_chisq(np.array([[250, 260], [260, 250]]), 3.0, rng=rng).p_value > 0.1
    True
    >>> noisy_chisq(np.array([[350, 160], [160, 350]]), 3.0, draws=999, rng=rng).p_value
    0.001
    """
    y = np.asarray(counts, dtype=float)
    a, b = y.shape
    if min(a, b) < 2:
        raise UntestableError("a table with one row or one column says nothing of dependence")
    if not np.isfinite(y).all() or not 0 <= scale < math.inf:
        raise UntestableError("the counts or the scale of their noise are not finite")
    people = max(float(y.sum()) if n is None else n, 1.0)
    signal = people / (scale * math.sqrt(a * b)) if scale else math.inf
    if signal < LEAST_SIGNAL:
        raise UntestableError(
            "the noise of the table is nearly as large as its counts; ask for fewer tables or bins, or a larger epsilon"
        )
    rows, columns = _fitted(y, scale, people)
    statistic = float(_statistic(y[None], scale, people)[0])
    null = np.concatenate(list(_null(rows, columns, people, scale, draws, rng)))
    p_value = share_as_extreme(statistic, null)
    effect = _effect(statistic - float(null.mean()), rows, columns, scale, people)
    details = {"effect_name": f"{CRAMERS_V}, noise taken off", "scale": scale, "draws": draws}
    return TestResult(statistic, p_value, effect, round(people), "noise and sampling, drawn", details | _told(signal))


def _told(signal: float) -> dict[str, float]:
    return {"signal": signal} if math.isfinite(signal) else {}


def _scaled(y: Floats, scale: float, n: float) -> Floats:
    """Return Z of tables, shape (k, a, b)."""
    # totals of the null are those of the table: clipped, then made to sum to n
    weights = [np.maximum(y.sum(axis=axis), 0) for axis in (2, 1)]
    extra = scale * math.sqrt(n)
    sides = []
    for weight in weights:
        total = n * weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300) + extra
        sides.append(np.divide(1, np.sqrt(total), out=np.zeros_like(total), where=total > 0))
    return np.asarray(math.sqrt(n) * y * sides[0][:, :, None] * sides[1][:, None, :])


def _statistic(y: Floats, scale: float, n: float) -> Floats:
    """Return |Z|^2 less the square of its largest singular value, shape (k,)."""
    z = _scaled(y, scale, n)
    z = z if z.shape[1] >= z.shape[2] else z.transpose(0, 2, 1)
    return np.asarray(np.linalg.eigvalsh(z.transpose(0, 2, 1) @ z)[:, :-1].sum(axis=1))


def _fitted(y: Floats, scale: float, n: float) -> tuple[Floats, Floats]:
    """Return the shares of rows and columns of the rank-one table that is nearest in the scale of Z."""
    z = _scaled(y[None], scale, n)[0]
    u, _, v = np.linalg.svd(z)
    shares = []
    for axis, vector in ((1, u[:, 0]), (0, v[0])):
        weight = np.maximum(y.sum(axis=axis), 0)
        side = np.sqrt(n * weight / max(weight.sum(), 1e-300) + scale * math.sqrt(n))
        part = np.maximum(vector * np.sign(vector.sum() or 1.0) * side, 0)
        shares.append(part / part.sum() if part.sum() > 0 else np.full(len(part), 1 / len(part)))
    return shares[0], shares[1]


def _null(
    rows: Floats, columns: Floats, n: float, scale: float, draws: int, rng: np.random.Generator
) -> Iterator[Floats]:
    shape = len(rows), len(columns)
    chances = np.outer(rows, columns).ravel()
    batch = max(1, BATCH // chances.size)
    for start in range(0, draws, batch):
        size = min(batch, draws - start)
        people = rng.multinomial(round(n), chances, size=size).reshape(size, *shape)
        yield _statistic(people + discrete_gaussian(scale, (size, *shape), rng), scale, n)


def _effect(excess: float, rows: Floats, columns: Floats, scale: float, n: float) -> float:
    """Return Cramér's V from what T has above its null mean.

    A cell's deviation enters T divided by (r + s sqrt(n)) (c + s sqrt(n)) / n in place of its expected count; the mean
    of that ratio over the people is taken off again.
    """
    extra = scale / math.sqrt(n)
    share = float(np.outer(rows**2 / (rows + extra + 1e-300), columns**2 / (columns + extra + 1e-300)).sum())
    most = n * (min(len(rows), len(columns)) - 1) * share
    return float(min(1.0, math.sqrt(max(0.0, excess) / most))) if most > 0 else 0.0


def shrunk_totals(totals: Floats, variances: Floats) -> Floats:
    """Return the numbers of people of several tables, drawn to their mean as far as noise alone explains their spread.

    Parameters
    ----------
    totals, variances
        Sum of the cells of each table, and the variance of its noise, shape (tables,).

    Examples
    --------
    >>> shrunk_totals(np.array([990.0, 1010.0, 1000.0]), np.full(3, 400.0)).tolist()
    [1000.0, 1000.0, 1000.0]
    >>> shrunk_totals(np.array([500.0, 1000.0]), np.full(2, 1.0)).round().tolist()
    [500.0, 1000.0]
    """
    if len(totals) < 2 or not variances.any():
        return totals
    mean = float(np.average(totals, weights=1 / np.maximum(variances, 1e-12)))
    between = max(0.0, float((np.square(totals - mean) - variances).mean()))
    own = between / (between + variances)
    return np.asarray(own * totals + (1 - own) * mean)


def screen_noisy(
    tables: Sequence[NoisyTable],
    scale: float,
    *,
    alpha: float = 0.05,
    correction: Correction = "fdr_bh",
    draws: int = 9_999,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Test every table of noisy counts; the result has the columns of `personax.independence.screen`.

    Parameters
    ----------
    tables, scale
        Noisy counts, and s of their noise.
    alpha, correction, seed
        As for `screen`.
    draws
        Of the null of each table.

    Raises
    ------
    InputError
        No tables.
    """
    if not tables:
        raise InputError("there are no tables of counts to test; name some under release.statistics")
    totals = np.array([float(table.counts.sum()) for table in tables])
    n = shrunk_totals(totals, np.array([scale**2 * table.counts.size for table in tables]))
    rows = []
    for place, table in enumerate(tables):
        if progress is not None:
            progress(place, len(tables))
        rng = np.random.default_rng([seed, *(zlib.crc32(one.encode()) for one in (table.feature, table.target))])
        rows.append(_row(table, scale, float(n[place]), draws, rng))
    return judged(pl.DataFrame(rows, schema=SCHEMA), alpha, correction)


def _row(table: NoisyTable, scale: float, n: float, draws: int, rng: np.random.Generator) -> Mapping[str, Any]:
    about = {"feature": table.feature, "target": table.target, "feature_kind": table.feature_kind,
             "target_kind": table.target_kind, "test": "chisq", "n": round(max(n, 0.0))}  # fmt: skip
    try:
        found = noisy_chisq(table.counts, scale, n=n, draws=draws, rng=rng)
    except UntestableError as error:
        return about | {"reason": str(error), "details": "{}"}
    details = dict(found.details)
    return about | {"method": found.method, "statistic": found.statistic, "p_value": found.p_value,
                    "effect_size": found.effect_size, "effect_name": details.pop("effect_name"),
                    "details": json.dumps(details)}  # fmt: skip
