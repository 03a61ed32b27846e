"""Columns of a release, described: from a frame and the study's columns to facts, and to columns.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

import polars as pl

from personax.data.labels import split_trait
from personax.errors import InputError
from personax.release.packaging._facts import PEOPLE, ColumnFacts, ReleaseFacts
from personax.release.packaging._markdown import clean
from personax.schema import Column, Kind, Role

if TYPE_CHECKING:
    from polars._typing import TimeUnit

__all__ = ["AS_TEXT", "FORMAT", "columns_json", "describe", "dtype_of", "schema_of"]

FORMAT: Final = 2

_DTYPES: Final[Mapping[pl.DataType, str]] = {
    pl.String(): "string", pl.Boolean(): "bool", pl.Date(): "date32", pl.Float32(): "float32", pl.Float64(): "float64",
    pl.Int8(): "int8", pl.Int16(): "int16", pl.Int32(): "int32", pl.Int64(): "int64",
    pl.UInt8(): "uint8", pl.UInt16(): "uint16", pl.UInt32(): "uint32", pl.UInt64(): "uint64",
}  # fmt: skip

AS_TEXT: Final = (pl.Categorical, pl.Enum, pl.Null)
"""Leave as text."""

_TYPES: Final[Mapping[str, pl.DataType]] = {word: dtype for dtype, word in _DTYPES.items()}

_MEANS: Final[Mapping[str, str]] = {
    "birth_year": "year of birth",
    "height_cm": "height",
    "weight_kg": "weight",
    "latitude": "latitude of a place, as the source states it",
    "longitude": "longitude of a place, as the source states it",
    "gender": "gender, as the source states it",
    "nationality": "country, as the source states it",
    "occupation": "occupation, as the source states it",
    "league": "league",
}


def describe(
    config: str,
    frame: pl.DataFrame | pl.LazyFrame,
    columns: Sequence[Column] = (),
    *,
    descriptions: Mapping[str, str] | None = None,
    protections: Mapping[str, str] | None = None,
) -> tuple[ColumnFacts, ...]:
    """Return the facts of each column of a table that leaves, in its order.

    Parameters
    ----------
    config
        ``people`` or a modality.
    frame
        The table; only its schema is looked at.
    columns
        What the study says of them. ``id``, trait scores (``<rater>_<letter>``) and vectors are known without.
    descriptions, protections
        Column -> phrase; else a phrase is made of what is known.

    Raises
    ------
    InputError
        A column that nobody describes, or with values that no release holds.

    Examples
    --------
    >>> frame = pl.DataFrame({"id": ["a"], "height_cm": [180.0]})
    >>> [one.description for one in describe("people", frame, [Column("height_cm", "feature", "continuous", "cm")])]
    ['pseudonym of the person; joins the files', 'height']
    """
    known = {column.name: column for column in columns}
    texts, done = descriptions or {}, protections or {}
    schema = frame.lazy().collect_schema()
    facts = []
    for name, dtype in schema.items():
        role, kind, unit = _roles(name, dtype, known.get(name))
        word, length = dtype_of(name, dtype)
        facts.append(
            ColumnFacts(
                config=config,
                name=name,
                role=role,
                kind=kind,
                unit=unit,
                dtype=word,
                length=length,
                period=known[name].period if name in known else None,
                description=texts.get(name) or _means(name, role, kind),
                protection=done.get(name) or _done(role),
            )
        )
    return tuple(facts)


def dtype_of(name: str, dtype: pl.DataType) -> tuple[str, int | None]:
    """Return what `datasets` calls this type of values, and the length of a vector.

    Raises
    ------
    InputError
        For values that no release holds, such as lists of any length.
    """
    if isinstance(dtype, pl.Array) and dtype.inner == pl.Float32 and len(dtype.shape) == 1:
        return "float32", dtype.shape[0]
    if isinstance(dtype, AS_TEXT):
        return "string", None
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
        return f"timestamp[{dtype.time_unit}]", None
    if dtype not in _DTYPES:
        raise InputError(f"column {name} holds {dtype}, which no release holds; make it numbers, text or vectors")
    return _DTYPES[dtype], None


def schema_of(columns: Sequence[ColumnFacts]) -> pl.Schema:
    """Return the schema of a file with these columns.

    Examples
    --------
    >>> schema_of([ColumnFacts("text", "a", "embedding", "continuous", "float32", "", length=3)])["a"]
    Array(Float32, shape=(3,))
    """
    schema: dict[str, pl.DataType] = {}
    for column in columns:
        if column.length is not None:
            schema[column.name] = pl.Array(pl.Float32, column.length)
        elif column.dtype.startswith("timestamp"):
            schema[column.name] = pl.Datetime(cast("TimeUnit", column.dtype[len("timestamp[") : -1]))
        else:
            schema[column.name] = _TYPES[column.dtype]
    return pl.Schema(schema)


def _roles(name: str, dtype: pl.DataType, column: Column | None) -> tuple[Role, Kind, str]:
    if name == "id":
        return "id", "nominal", ""
    if column is not None:
        if column.role == "private":
            raise InputError(f"column {name} is private and must not leave; take it out of the table")
        return column.role, column.kind, column.unit or ""
    if isinstance(dtype, pl.Array):
        return "embedding", "continuous", ""
    if split_trait(name):
        return "target", "ordinal", ""
    raise InputError(f"the role and kind of column {name} are unknown; state them")


def _means(name: str, role: Role, kind: Kind) -> str:
    if role == "id":
        return "pseudonym of the person; joins the files"
    if role == "embedding":
        return f"vector of the measurement {name}"
    score = split_trait(name)
    if role == "target" and score:
        rater, trait = score
        return f"{trait}, over all raters" if rater == "final" else f"{trait}, as {rater} states it"
    return _MEANS.get(name) or f"{kind} {role}; the publisher describes it no further"


def _done(role: Role) -> str:
    return "pseudonym under a secret key" if role == "id" else "as it is"


def columns_json(facts: ReleaseFacts) -> str:
    """Return what columns.json holds: every column with its file, role, kind, unit, meaning and protection."""
    described = [
        {
            "file": f"data/{column.config}/",
            "name": column.name,
            "role": column.role,
            "kind": column.kind,
            "unit": clean(column.unit) or None,
            "period": column.period,
            "type": column.dtype,
            "length": column.length,
            "description": clean(column.description),
            "protection": clean(column.protection),
        }
        for config in facts.configs
        for column in facts.columns_of(config)
    ]
    return json.dumps(
        {"format": FORMAT, "key": "id", "table": PEOPLE, "columns": described}, indent=1, ensure_ascii=False
    )
