"""Chi-square or G-square of every pair of two long lists of columns with few levels, streamed to a Parquet file.

Columns are encoded in one pass over the table, a byte a value. The tables of a block of features against a block of
targets are one product of matrices of zeros and ones, ``H_x' H_y``: a missing value is a row of zeros, so that each
pair has the rows that both columns have. Statistics and p-values of the block are computed together, written, and
forgotten. Memory holds the codes (in a file, where they are large) and one block.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtrc, gammaincc

from personax.data.frames import scan_parquet, stream_parquet
from personax.errors import InputError
from personax.files import written_aside
from personax.independence._contingency import pearson
from personax.independence._corrections import Correction, check_correction, largest_rejected
from personax.independence._effects import cramers_v_each
from personax.independence._frames import as_frame
from personax.independence._gsq import likelihood_ratio
from personax.independence._margins import pearson_moments
from personax.independence._parts import DataSet
from personax.independence._state import BATCH
from personax.independence._strata import Strata
from personax.independence._table_tests import SPARSE
from personax.independence._variable import present_rows
from personax.strict import check_alpha, nearest

__all__ = ["AllPairs", "screen_tables"]

TableTest = Literal["chisq", "gsq"]

LEVELS: Final = 50
"""A column with more different values has no small tables; it is left out."""

WIDTH: Final = 1024
"""Levels, of several columns, that are one side of a block."""

IN_MEMORY: Final = 1_000_000_000
"""Bytes of codes above which they lie in a file that goes with the run."""

ROWS: Final = 100_000
"""Rows of which a matrix of zeros and ones is made at a time."""

SCHEMA: Final = {
    "feature": pl.String,
    "target": pl.String,
    "n": pl.Int64,
    "statistic": pl.Float64,
    "dof": pl.Int32,
    "p_value": pl.Float64,
    "effect_size": pl.Float64,
    "method": pl.String,
}


@dataclass(frozen=True)
class AllPairs:
    """What came of `screen_tables`.

    Parameters
    ----------
    path
        The Parquet file: feature, target, n, statistic, dof, p_value, effect_size (bias-corrected Cramér's V), method
        (``asymptotic``, or ``moments`` of sparse tables). A pair in which one column has a single value among the rows
        of both, and a column against itself, have no numbers.
    pairs, tested
        Rows of the file, and those that have a p-value.
    threshold
        Pairs with a p-value up to this are rejected after the correction; None where none is.
    rejected
        How many these are.
    left_out
        Column -> why it was not tested.
    """

    path: Path
    pairs: int
    tested: int
    threshold: float | None
    rejected: int
    left_out: Mapping[str, str] = field(default_factory=dict)

    def found(self) -> pl.LazyFrame:
        """Return the rejected pairs, to be collected."""
        rows = scan_parquet(self.path)
        return rows.filter(pl.lit(False) if self.threshold is None else pl.col("p_value") <= self.threshold)


def screen_tables(
    frame: Any,  # noqa: ANN401 - any table
    features: Sequence[str],
    targets: Sequence[str],
    out: Path | str,
    *,
    test: TableTest = "chisq",
    alpha: float = 0.05,
    correction: Correction = "fdr_bh",
    progress: Callable[[int, int], None] | None = None,
) -> AllPairs:
    """Test every feature against every target, all columns of few levels, and write the results as they come.

    Parameters
    ----------
    frame
        Any table of `screen`, read once.
    features, targets
        Names of columns; every different value is a level. Those with one level, or more than 50, are left out.
    out
        The Parquet file, which is there when all of it is. Its rows come in blocks of features and targets.
    test
        ``chisq`` (of sparse tables with exact moments, as in `screen`) or ``gsq`` (asymptotic).
    alpha, correction
        Which p-values are rejected, of all pairs together.
    progress
        Called with (pairs done, pairs).

    Returns
    -------
    AllPairs
        The numbers are those of ``screen(..., tests=["chisq"])``.

    Raises
    ------
    InputError
        A table, a column, a test or a correction that is not there.

    Examples
    --------
    >>> import tempfile
    >>> frame = pl.DataFrame({"a": [0, 1] * 50, "b": ["u", "v", "w", "w"] * 25, "c": [0, 0, 1, 1] * 25})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = screen_tables(frame, ["a", "b"], ["c"], f"{folder}/p.parquet")
    ...     result.tested, result.found().select("feature", "target").collect().rows()
    (2, [('b', 'c')])
    """
    if test not in get_args(TableTest):
        raise InputError(f"there is no test {test!r} of tables; {nearest(str(test), list(get_args(TableTest)))}")
    check_alpha(alpha)
    for what, names in (("features", features), ("targets", targets)):
        if isinstance(names, str):
            raise InputError(f"{what} is a list of names; write {what}=[{names!r}]")
    check_correction(correction)
    below: list[NDArray[np.float64]] = []
    out, counted = Path(out), [0, 0]
    if out.is_dir():
        raise InputError(f"{out} is a folder; name the Parquet file to write")
    with tempfile.TemporaryDirectory(prefix="personax-") as folder:
        codes = _Codes(as_frame(frame), list(dict.fromkeys([*features, *targets])), Path(folder))
        sides = [codes.blocks(list(dict.fromkeys(names))) for names in (features, targets)]
        total = int(np.prod([sum(len(block) for block in side) for side in sides]))

        def results() -> Iterator[pl.DataFrame]:
            for block in sides[0]:
                for other in sides[1]:
                    rows = _tested(codes, block, other, test)
                    p = rows["p_value"].drop_nulls().to_numpy()
                    below.append(p[p < alpha])
                    counted[0] += rows.height
                    counted[1] += len(p)
                    if progress is not None:
                        progress(counted[0], total)
                    yield rows

        with written_aside(out) as aside:
            stream_parquet(results(), SCHEMA, aside)
    threshold, rejected = largest_rejected(np.concatenate([*below, []]), counted[1], alpha, correction)
    return AllPairs(out, counted[0], counted[1], threshold, rejected, codes.left_out)


class _Codes:
    """Columns as the places of their values among their levels, a byte each; 255 where a value is missing."""

    def __init__(self, table: pl.DataFrame | pl.LazyFrame | DataSet, names: Sequence[str], folder: Path) -> None:
        known = table.collect_schema().names()
        if absent := [name for name in names if name not in known]:
            raise InputError(f"the table has no column {absent[0]}, {nearest(absent[0], known)}")
        self.names = list(names)
        self.left_out: dict[str, str] = {}
        self._seen: list[dict[Any, int]] = [{} for _ in names]
        parts = [self._encoded(batch) for batch in _batches(table, names)] or [np.zeros((len(names), 0), np.uint8)]
        self.codes = _joined(parts, folder)
        self._sort()

    def _encoded(self, batch: pl.DataFrame) -> NDArray[np.uint8]:
        codes = np.full((len(self.names), batch.height), MISSING, dtype=np.uint8)
        for place, (name, seen) in enumerate(zip(self.names, self._seen, strict=True)):
            if name in self.left_out:
                continue
            series = batch[name]
            if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
                self.left_out[name] = f"{name} holds {series.dtype} values"
                continue
            present = present_rows(series)
            values = series.filter(present)
            values = values.cast(pl.String) if values.dtype in (pl.Categorical, pl.Enum) else values
            for value in values.unique(maintain_order=False).head(LEVELS + 1).to_list():
                seen.setdefault(value, len(seen))
            if len(seen) > LEVELS:
                self.left_out[name] = f"{name} has more than {LEVELS} levels"
                continue
            mapped = values.replace_strict(list(seen), list(seen.values()), return_dtype=pl.UInt8)
            codes[place, present] = mapped.to_numpy()
        return codes

    def _sort(self) -> None:
        """Put the levels in order, so that no sum depends on which came first."""
        for place, (name, seen) in enumerate(zip(self.names, self._seen, strict=True)):
            if name not in self.left_out and len(seen) < 2:
                self.left_out[name] = f"{name} is constant"
            if name not in self.left_out:
                ranks = np.full(256, MISSING, dtype=np.uint8)
                ranks[[seen[value] for value in sorted(seen)]] = np.arange(len(seen))
                if (np.diff(ranks[: len(seen)].astype(int)) != 1).any():
                    self.codes[place] = ranks[self.codes[place]]

    def levels(self, place: int) -> int:
        """Return how many levels a column has."""
        return len(self._seen[place])

    def blocks(self, names: Sequence[str]) -> list[list[int]]:
        """Return columns in blocks of about `WIDTH` levels; those of as many levels stand together."""
        places = [self.names.index(name) for name in names if name not in self.left_out]
        found: list[list[int]] = []
        for place in sorted(places, key=self.levels):
            if not found or (len(found[-1]) + 1) * self.levels(place) > WIDTH:
                found.append([])
            found[-1].append(place)
        return found

    def indicators(self, block: Sequence[int], rows: slice, levels: int) -> NDArray[np.float32]:
        """Return zeros and ones, shape (columns x levels, rows): which level each row has."""
        part = self.codes[block, rows]
        is_level = part[:, None, :] == np.arange(levels, dtype=np.uint8)[:, None]
        return np.asarray(is_level.reshape(-1, part.shape[1]), dtype=np.float32)

    def tables(self, block: Sequence[int], other: Sequence[int]) -> NDArray[np.float64]:
        """Return the contingency tables of two blocks, shape (pairs, levels, levels)."""
        a, b = max(map(self.levels, block)), max(map(self.levels, other))
        counts = np.zeros((len(block) * a, len(other) * b))
        for start in range(0, self.codes.shape[1], ROWS):
            rows = slice(start, start + ROWS)
            counts += self.indicators(block, rows, a) @ self.indicators(other, rows, b).T
        return counts.reshape(len(block), a, len(other), b).swapaxes(1, 2).reshape(-1, a, b)


MISSING: Final = 255


def _batches(table: pl.DataFrame | pl.LazyFrame | DataSet, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    if isinstance(table, pl.DataFrame):
        yield table
    elif isinstance(table, DataSet):
        for part in table.parts:
            yield from table.chunks(part, names)
    else:
        step = max(1_000, BATCH * 10 // len(names))
        yield from table.select(names).collect_batches(chunk_size=step, maintain_order=True)


def _joined(parts: Sequence[NDArray[np.uint8]], folder: Path) -> NDArray[np.uint8]:
    shape = len(parts[0]), sum(part.shape[1] for part in parts)
    if len(parts) == 1:
        return parts[0]
    if shape[0] * shape[1] < IN_MEMORY:
        return np.concatenate(parts, axis=1)
    whole = np.memmap(folder / "codes", dtype=np.uint8, mode="w+", shape=shape)
    start = 0
    for part in parts:
        whole[:, start : start + part.shape[1]] = part
        start += part.shape[1]
    return whole


def _tested(codes: _Codes, block: Sequence[int], other: Sequence[int], test: TableTest) -> pl.DataFrame:
    """Return the results of all pairs of two blocks."""
    counts = codes.tables(block, other)
    same = (np.array(block)[:, None] == np.array(other)).ravel()
    usable = (counts.any(axis=2).sum(axis=1) > 1) & (counts.any(axis=1).sum(axis=1) > 1) & ~same
    found = {name: np.full(len(counts), np.nan) for name in ("statistic", "dof", "p_value", "effect_size")}
    moments = np.zeros(len(counts), dtype=bool)
    if usable.any():
        numbers = _numbers(counts[usable], test)
        moments[usable] = numbers.pop("moments")
        for name, values in numbers.items():
            found[name][usable] = values
    labels = pl.Series(codes.names, dtype=pl.String)
    rows = pl.DataFrame({
        "feature": labels.gather(np.repeat(block, len(other))), "target": labels.gather(np.tile(other, len(block))),
        "n": counts.sum(axis=(1, 2)).astype(np.int64), **found, "moments": moments,
    })  # fmt: skip
    method = pl.when("moments").then(pl.lit("moments")).otherwise(pl.lit("asymptotic"))
    rows = rows.with_columns(pl.selectors.float().fill_nan(None))
    rows = rows.with_columns(pl.when(pl.col("p_value").is_not_null()).then(method).alias("method"))
    return rows.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _numbers(counts: NDArray[np.float64], test: TableTest) -> dict[str, NDArray[Any]]:
    """Return the numbers of many tables; see `personax.independence._table_tests.table_test`."""
    tables = Strata(counts, pearson if test == "chisq" else likelihood_ratio, None)
    chi = tables.statistics if test == "chisq" else Strata(counts, pearson, None).statistics
    mean, variance = pearson_moments(counts)
    p = chdtrc(tables.dof, tables.statistics)
    small = (tables.occurs & (tables.expected < 5)).sum(axis=(1, 2)) / tables.occurs.sum(axis=(1, 2))
    moments = (small > SPARSE) & (test == "chisq")
    with np.errstate(divide="ignore", invalid="ignore"):
        by_moments = gammaincc(mean**2 / variance, np.maximum(0.0, chi) * mean / variance)
    p = np.where(moments, np.where(variance > 0, by_moments, 1.0), p)
    effect = cramers_v_each(counts, chi, mean, variance)
    return {"statistic": tables.statistics, "dof": tables.dof, "p_value": p, "effect_size": effect, "moments": moments}
