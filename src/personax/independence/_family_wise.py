"""How often a whole grid of true nulls finds something after correction: what a reader of a grid is promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError
from personax.independence._calibration import binomial_interval
from personax.independence._corrections import Correction
from personax.independence._data_nulls import grid_nulls
from personax.independence._grid import DEFAULT_TESTS, screen
from personax.independence._registered import check_options
from personax.schema import Kind

__all__ = ["FAMILIES", "family_wise"]

FAMILIES = {
    "test": pl.String, "correction": pl.String, "pairs": pl.Int64, "grids": pl.Int64, "errors": pl.Int64,
    "rate": pl.Float64, "low": pl.Float64, "high": pl.Float64, "smallest": pl.Float64, "verdict": pl.String,
}  # fmt: skip


def family_wise(
    frame: pl.DataFrame,
    features: Sequence[str],
    targets: Sequence[str],
    kinds: Mapping[str, Kind],
    *,
    given: Sequence[str] = (),
    tests: Sequence[str] = DEFAULT_TESTS,
    grids: int = 100,
    rng: np.random.Generator,
    alpha: float = 0.05,
    correction: Correction = "fdr_bh",
    periods: Mapping[str, float] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Run the grid of a table on true nulls made of the table, and count the grids in which a test finds something.

    Without given columns the targets are shuffled together, so that features hang together as they do, and targets too;
    given columns, each target is renewed by itself as `personax.independence.calibrate_like` does. Where all nulls are
    true every finding is false, so that Benjamini-Hochberg promises the same as Holm: an error in at most alpha of the
    grids.

    Parameters
    ----------
    frame, features, targets, kinds, given, periods
        As for `personax.independence.calibrate_like`.
    tests
        Names of registered tests.
    grids
        How many.
    rng, alpha, correction
        Where the seeds come from; the level; the correction that the grid will have.
    progress
        Called with (grids done, grids, what).

    Returns
    -------
    polars.DataFrame
        One row a test: test, correction, pairs that could be run, grids, errors (grids with a corrected p-value below
        alpha), their rate with its exact 95 % interval low to high, the smallest corrected p-value seen, and a verdict:
        ``too many errors`` where the interval is above alpha, ``level kept``, or ``not run``.

    Raises
    ------
    InputError
        No grids, a test, a column or a correction that there is not, a column that is feature and target.

    Examples
    --------
    >>> frame = pl.DataFrame({"team": ["a", "b", "c"] * 20, "trait": [1, 2, 3] * 20})
    >>> kinds = {"team": "nominal", "trait": "ordinal"}
    >>> found = family_wise(frame, ["team"], ["trait"], kinds, tests=["chisq"], rng=np.random.default_rng(0))
    >>> found.select("pairs", "grids", "verdict").row(0)
    (1, 100, 'level kept')
    """
    if grids < 1:
        raise InputError(f"grids is {grids}; at least one grid of nulls must be drawn")
    if both := sorted(set(features) & set(targets)):
        raise InputError(f"{both[0]} is a feature and a target; its nulls would not be true, so name it once")
    for test in tests:
        check_options(test, {}, given=bool(given))
    seeds = rng.spawn(grids)
    draw = grid_nulls(frame, targets, kinds, given, periods or {})
    least: dict[str, list[float]] = {test: [] for test in tests}
    pairs: dict[str, int] = dict.fromkeys(tests, 0)
    for done, of_grid in enumerate(seeds):
        if progress is not None:
            progress(done, grids, "whole grids")
        seed = int(of_grid.integers(2**31))
        found = screen(
            draw(of_grid), features, targets, kinds=kinds, tests=tests, given=given, periods=periods, alpha=alpha,
            correction=correction, seed=seed, jobs=1,
        )  # fmt: skip
        for test in least:
            corrected = found.filter(pl.col("test") == test)["p_corrected"].drop_nulls()
            pairs[test] = max(pairs[test], len(corrected))
            least[test].append(float(corrected.to_numpy().min()) if len(corrected) else float("nan"))
    if progress is not None:
        progress(grids, grids, "")
    rows = [
        _row(test, np.array(p), alpha) | {"pairs": pairs[test], "correction": correction} for test, p in least.items()
    ]
    return pl.DataFrame(rows, schema=FAMILIES)


def _row(test: str, smallest: NDArray[np.float64], alpha: float) -> dict[str, Any]:
    """Return what the smallest corrected p-values of the grids say; NaN where no pair could be run."""
    ran = smallest[~np.isnan(smallest)]
    if not len(ran):
        return {"test": test, "grids": 0, "errors": 0, "verdict": "not run"}
    errors = int((ran < alpha).sum())
    low, high = binomial_interval(errors, len(ran))
    known = {"rate": errors / len(ran), "low": low, "high": high, "smallest": float(ran.min())}
    verdict = "too many errors" if low > alpha else "level kept"
    return {"test": test, "grids": len(ran), "errors": errors, "verdict": verdict} | known
