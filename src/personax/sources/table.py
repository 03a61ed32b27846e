"""A table -> people: units, dates and codes by the study's column mapping; what cannot be read is listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from personax.columns import infer_columns
from personax.data.table import Table
from personax.errors import InputError
from personax.files import sha256
from personax.schema import Notice, Provenance
from personax.sources.cells import blank, read_cells, read_parts
from personax.sources.dates import is_partial
from personax.sources.people import PeopleTable, check_bad_share, check_ids, derive_birth, plain_notices
from personax.sources.read import read_text_table
from personax.sources.spec import ColumnSpec
from personax.sources.units import FACTORS
from personax.strict import nearest

__all__ = ["read_table"]

DEFAULT = ColumnSpec()

_BECOMES = {unit: becomes for unit, (becomes, _) in FACTORS.items()} | {"ft-in": "cm"}

Plan = Mapping[str, tuple[str, ColumnSpec]]
"""Our column name -> (header in the file, how to read it)."""


def read_table(
    path: Path,
    columns: Mapping[str, ColumnSpec] | None = None,
    *,
    missing: Sequence[str] = ("",),
    max_bad_share: float = 0.05,
    keep_others: bool = True,
    encoding: str = "utf-8",
) -> PeopleTable:
    r"""Read people from a CSV, TSV, Parquet, JSON or JSONL file.

    Parameters
    ----------
    path
        The file; its ending tells the format.
    columns
        Our column name -> how to read it.
    missing
        Texts that mean missing; nothing else does, so that ``NA`` stays Namibia.
    max_bad_share
        Largest share of bad cells among the cells of a column that hold something.
    keep_others
        Keep columns of the file that ``columns`` does not name, under their own names.
    encoding
        Of a text file.

    Raises
    ------
    InputError
        What is wrong with the file, in one sentence; `TooManyBadCells` when a column is mostly unreadable.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "people.csv"
    ...     _ = file.write_text("who,Height,Country\na,6-5,NA\nb,5-11,FR\n")
    ...     height = ColumnSpec.model_validate({"from": "Height", "unit": "ft-in"})
    ...     table = read_table(file, {"id": ColumnSpec.model_validate({"from": "who"}), "height_cm": height})
    >>> table.people.rows()
    [('a', 195.58, 'NA'), ('b', 180.34, 'FR')]
    """
    raw = read_text_table(path, encoding=encoding)
    plan = _plan(path, raw, columns or {}, keep_others=keep_others)
    texts = raw.select(
        blank(header, missing if spec.missing is None else spec.missing).alias(name)
        for name, (header, spec) in plan.items()
    )
    series, bad = [], []
    for name, (_, spec) in plan.items():
        values, wrong = read_cells(texts[name], spec)
        check_bad_share(str(path), values, wrong, max_bad_share)
        series.append(values)
        bad.append(wrong)
    described = _codes_as_text(_described(path, _with_ids(pl.DataFrame(series)), plan), texts)
    parts = read_parts(texts["birth_date"], plan["birth_date"][1]) if _born_in_part(plan) else None
    described = derive_birth(described, parts)
    bad_cells = pl.concat(bad)
    notices = [*_partial(described.frame, parts), *plain_notices(described.frame, bad_cells)]
    origin = Provenance("table", path.name, sha256(path), described.height)
    return PeopleTable(replace(described, provenance=origin), bad_cells, notices)


def _plan(path: Path, raw: pl.DataFrame, columns: Mapping[str, ColumnSpec], *, keep_others: bool) -> Plan:
    """Return how to read every column, described ones first."""
    headers = set(raw.columns)
    plan = {}
    for name, spec in columns.items():
        header = spec.source or name
        if header not in headers:
            raise InputError(f"{path} has no column {header} (for {name}); {nearest(header, raw.columns)}")
        fault = _contradiction(name, spec)
        if fault:
            raise InputError(f"columns.{name}: {fault}")
        plan[name] = (header, spec)
    if keep_others:
        taken = {header for header, _ in plan.values()}
        plan |= {header: (header, DEFAULT) for header in raw.columns if header not in taken and header not in plan}
    if not plan:
        raise InputError(f"{path}: no column is asked for; name some under columns, or set keep_others: true")
    return plan


def _contradiction(name: str, spec: ColumnSpec) -> str | None:
    """Say what in a description cannot be."""
    if spec.role == "id" and name != "id":
        return f"the id column is called id; write id: {{from: {spec.source or name}}}"
    if name != "birth_date" and any(map(is_partial, spec.formats)):
        return "only birth_date may be a year or a month alone; for years use kind: continuous and no format"
    if spec.values is not None and spec.kind not in (None, "nominal"):
        return f"labels are nominal, not {spec.kind}; drop values to keep the numbers, or drop kind"
    return None


def _with_ids(people: pl.DataFrame) -> pl.DataFrame:
    """Put the ids first; rows are numbered where there are none."""
    if "id" not in people.columns:
        people = people.with_columns(pl.int_range(1, people.height + 1).cast(pl.String).alias("id"))
    check_ids(people["id"].to_list())
    return people.select("id", pl.exclude("id"))


def _described(path: Path, people: pl.DataFrame, plan: Plan) -> Table:
    """Return the people and what their columns mean: as described, the rest inferred."""
    columns = []
    roles = {name: spec.role for name, (_, spec) in plan.items() if spec.role is not None}
    told = {c.name: replace(c, role=roles[c.name], identity="") for c in infer_columns(people) if c.name in roles}
    # what follows a column that somebody calls private is private too
    for column in infer_columns(people, told):
        spec = plan[column.name][1] if column.name in plan else DEFAULT
        if spec.kind is not None:
            column = replace(column, kind=spec.kind, inferred=False, why="")
        unit = _BECOMES.get(spec.unit, spec.unit) if spec.unit else column.unit
        period = (spec.period or column.period) if column.kind == "cyclic" else None
        if column.kind == "cyclic" and period is None:
            text = f"{path}, column {column.name}: a cyclic column needs its period, such as period: 12 for months"
            raise InputError(text)
        columns.append(replace(column, unit=unit, period=period))
    return Table(people, columns)


def _codes_as_text(table: Table, texts: pl.DataFrame) -> Table:
    """Give nominal columns that read as numbers their text back, so that nobody computes with codes."""
    people = table.frame.with_columns(
        texts[column.name]
        for column in table.columns
        if column.kind == "nominal" and column.name in texts.columns and table.frame[column.name].dtype.is_numeric()
    )
    return replace(table, frame=people)


def _born_in_part(plan: Plan) -> bool:
    return "birth_date" in plan and any(map(is_partial, plan["birth_date"][1].formats))


def _partial(people: pl.DataFrame, parts: pl.DataFrame | None) -> list[Notice]:
    if parts is None:
        return []
    open_dates = int((parts["birth_year"].is_not_null() & people["birth_date"].is_null()).sum())
    text = "Birth dates that give no day are missing; their year, and month if given, is kept."
    return [Notice(text, open_dates)] if open_dates else []
