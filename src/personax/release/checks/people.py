"""The people: no column and no cell that names them, and as many alike as is claimed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import polars as pl

from personax.columns import infer_columns
from personax.errors import InputError
from personax.release.checks.check import Check, Release, mapping, settle
from personax.release.layout import described
from personax.release.scan import scan

__all__ = ["people", "smallest_group"]

CLAIMED = "protection.json"
LONG, MANY_WORDS = 80, 12
"""A text of more is no category."""
_PATH = re.compile(r"(^|\s)(~?/[\w.-]+){2,}|[A-Za-z]:\\|\.(jpe?g|png|txt|pdf|html?)$")
_YEAR = re.compile(r"(^|_)(birth_?)?year(_of_birth)?$")
_MONTH = re.compile(r"(^|_)(birth_?)?month(_of_birth)?$")
_DAY = re.compile(r"(^|_)(birth_?)?day(_of_birth)?$")
_DAY_OF_YEAR = re.compile(r"(^|_)day_?(index|of_year|sin|cos)$")


def people(release: Release) -> Iterable[Check]:
    """Check the table of the people."""
    frame = release.people
    if frame is None:
        for name in ("columns", "dates of birth", "cells", "k-anonymity"):
            yield Check(name, "cannot tell", "no table of people could be read")
        return
    yield _columns(release, frame)
    yield _births(frame)
    yield _cells(frame)
    yield _alike(release, frame)


def _columns(release: Release, frame: pl.DataFrame) -> Check:
    private = [
        f"{column.name} is {column.why.rpartition('; ')[2]}"
        for column in infer_columns(frame.drop("id", strict=False))
        if column.role == "private"
    ]
    try:
        said = described(release.folder)
        private += [f"columns.json calls {column.name} private" for column in said.values() if column.role == "private"]
        if "columns.json" in release.folder.files:
            untold = sorted(set(frame.columns) - set(said) - {"id"} - _cyclic(release))
            gone = sorted(set(said) - set(frame.columns))
            private += [f"columns.json says nothing of {name}" for name in untold]
            private += [f"columns.json tells of {name}, which is not there" for name in gone]
        elif release.format == 2:
            private.append("there is no columns.json, so nobody says what columns mean")
    except InputError as error:
        private.append(str(error))
    return settle("columns", private, f"{frame.width} columns, none private by its name or its values")


def _cyclic(release: Release) -> set[str]:
    """Return columns whose description lacks only the length of a turn."""
    said = release.folder.json("columns.json")
    entries = [mapping(entry) for entry in said] if isinstance(said, list) else []
    return {str(entry.get("name")) for entry in entries if entry.get("kind") == "cyclic"}


def _words(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()).strip("_")


def _births(frame: pl.DataFrame) -> Check:
    # a year as text is a range, such as 1980-1989
    names = {name: _words(name) for name in frame.columns}
    years = [name for name in frame.columns if _YEAR.search(names[name]) and frame[name].dtype.is_numeric()]
    months = [name for name in names if _MONTH.search(names[name])]
    days = [name for name in names if _DAY.search(names[name])]
    of_year = [name for name in names if _DAY_OF_YEAR.search(names[name])]
    if years and ((months and days) or of_year):
        told = ", ".join([*years, *(of_year or months + days)])
        return Check("dates of birth", "fails", f"{told} together are full dates of birth; leave the day out")
    return Check("dates of birth", "holds", "no columns that together are a full date of birth")


def _cells(frame: pl.DataFrame) -> Check:
    faults = []
    texts = frame.drop("id", strict=False).select(pl.col(pl.String))
    for series in texts:
        values = series.drop_nulls().unique()
        free = [value for value in values if len(value) > LONG or len(value.split()) > MANY_WORDS]
        if free:
            faults.append(f"{series.name} holds free text")
        short = values.filter(values.str.len_chars() <= LONG)
        if scan(short.to_frame(), []):
            faults.append(f"{series.name} holds e-mail or web addresses")
        if any(_PATH.search(value) for value in short):
            faults.append(f"{series.name} holds paths or names of files")
    return settle(
        "cells", faults, f"{texts.width} text columns without addresses, paths or free text; names cannot be seen"
    )


def smallest_group(frame: pl.DataFrame, columns: Sequence[str]) -> int:
    """Return k: the size of the smallest group of people who agree in all these columns.

    Examples
    --------
    >>> smallest_group(pl.DataFrame({"a": [1, 1, 2, 2], "b": ["x", "x", "x", "x"]}), ["a", "b"])
    2
    """
    return int(frame.group_by(list(columns)).len()["len"].min() or 0) if columns and frame.height else frame.height  # type: ignore[arg-type]


def _alike(release: Release, frame: pl.DataFrame) -> Check:
    name = "k-anonymity"
    roles = {column.name: column.role for column in infer_columns(frame)}
    try:
        roles |= {column.name: column.role for column in described(release.folder).values()}
        claimed = mapping(release.folder.json(CLAIMED)) if CLAIMED in release.folder.files else {}
    except InputError as error:
        return Check(name, "fails", str(error))
    k, columns = _claim(claimed)
    unknown = [column for column in columns or () if column not in frame.columns]
    if unknown:
        return Check(name, "fails", f"{CLAIMED} counts over {', '.join(unknown)}, which the table has not")
    over = columns or [column for column in frame.columns if roles.get(column) == "feature"]
    found = smallest_group(frame, over)
    measured = f"the smallest group of people alike in {len(over)} columns has {found}"
    if k is None:
        return Check(
            name, "fails" if release.format == 2 else "cannot tell", f"{measured}, and nothing is claimed in {CLAIMED}"
        )
    if k != found:
        return Check(name, "fails", f"{measured}, and {CLAIMED} claims {k}")
    return Check(name, "holds", f"{measured}, as {CLAIMED} claims")


def _claim(said: dict[str, object]) -> tuple[int | None, list[str] | None]:
    """Return the k that is claimed after protection and the columns that it is counted over."""
    about = mapping(said.get("k_anonymity"))
    after = about.get("after", about.get("k", said.get("k_anonymity")))
    k = mapping(after).get("k", after)
    columns = mapping(after).get("columns", about.get("columns", said.get("quasi_identifiers")))
    named = [str(column) for column in columns] if isinstance(columns, list) and columns else None
    return (k if isinstance(k, int) and not isinstance(k, bool) else None), named
