"""Checks of the tables: readable, of the same people, nothing that names them, as many alike as is claimed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from personax.data.calendar_parts import calendar_parts
from personax.data.columns import infer_columns
from personax.data.identity import classify
from personax.data.labels import split_trait
from personax.data.naming import split
from personax.errors import InputError
from personax.release._layout import column_entries, described_columns
from personax.release._untrusted_tables import read_frame
from personax.release.checks._check import Check, CheckedRelease, check_result, mapping
from personax.release.disclosure import can_be_known, singling_out
from personax.release.pii._table_scan import scan

__all__ = ["people", "smallest_group", "tables"]


_KEYED = re.compile(r"[0-9a-f]{12,64}")
_NAMES = re.compile(r"[A-Za-zÀ-ž]{2,}([ _.-][A-Za-zÀ-ž]{2,})*")


def tables(release: CheckedRelease) -> Iterable[Check]:
    """Check what can be read, and the ids."""
    found = len(release.folder.under("")) + len(release.folder.under("", ".csv"))
    if not found:
        yield Check("tables", "fails", "there is no Parquet file; the data are missing")
    else:
        yield check_result("tables", release.unread, f"{found} tables of numbers, texts and vectors")
    people = release.people
    if people is None or "id" not in people.columns:
        yield Check(
            "ids", "fails" if release.format else "cannot tell", "no table of people with a column id was found"
        )
        return
    ids = people["id"].cast(pl.String)
    yield _ids(release, ids)
    yield _pseudonyms(ids)
    if ids.is_sorted():
        yield Check("order", "holds", "rows are in the order of the ids, so their order says nothing else")
    else:
        yield Check("order", "fails", "rows are not in the order of the ids; their order may be that of the source")


def _ids(release: CheckedRelease, ids: pl.Series) -> Check:
    faults = []
    if ids.null_count() or ids.n_unique() < len(ids):
        faults.append("ids of people are missing or doubled")
    for modality, names in release.vectors.items():
        try:
            other = read_frame([release.folder.files[name] for name in names], ["id"])["id"].cast(pl.String)
        except InputError as error:
            faults.append(str(error))
            continue
        if other.null_count() or other.n_unique() < len(other):
            faults.append(f"{modality} has ids that are missing or doubled")
        elif set(other) - set(ids):
            faults.append(f"{modality} has {len(set(other) - set(ids))} ids that the people have not")
        elif not other.is_sorted() and ids.is_sorted():
            faults.append(f"{modality} is not in the order of the ids")
    return check_result("ids", faults, f"{len(ids):,} ids, each once, and the files join")


def _pseudonyms(ids: pl.Series) -> Check:
    name = "pseudonyms"
    values = ids.drop_nulls().to_list()
    numbers = {int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 10}
    if values and len(numbers) == len(values) and max(numbers) - min(numbers) < 2 * len(values):
        return Check(name, "fails", "ids are row numbers; whoever has the source has the people. Use a keyed pseudonym")
    if any(_NAMES.fullmatch(value) and not _KEYED.fullmatch(value) for value in values):
        return Check(name, "fails", "ids look like names; use a keyed pseudonym")
    if not values or not all(_KEYED.fullmatch(value) for value in values):
        return Check(name, "cannot tell", "ids are no row numbers and no hashes; what they are made of cannot be seen")
    if _hashes_of_rows(values):
        return Check(name, "fails", "ids are plain hashes of row numbers; anybody can make them. Use a keyed pseudonym")
    return Check(name, "holds", "ids look like keyed hashes; that a key made them cannot be seen from outside")


def _hashes_of_rows(values: list[str]) -> bool:
    """Say whether an id is a plain hash of a small number."""
    wanted, length = set(values), len(values[0])
    for row in range(len(values) + 1):
        for kind in (hashlib.md5, hashlib.sha1, hashlib.sha256):
            if kind(str(row).encode(), usedforsecurity=False).hexdigest()[:length] in wanted:
                return True
    return False


CLAIMED = "protection.json"
MIN_PEOPLE = 20
"""From so many people on, an unclassified text column counts as a fault."""
MAX_CELL_LETTERS, MAX_CELL_WORDS = 80, 12
"""A text of more is no category."""
_PATH = re.compile(r"(^|\s)(~?/[\w.-]+){2,}|[A-Za-z]:\\|\.(jpe?g|png|txt|pdf|html?)$")
_PARTS: Mapping[str, frozenset[str]] = {
    "year": frozenset({"year", "birthyear", "yob", "yrbrn"}),
    "month": frozenset({"month", "birthmonth"}),
    "day": frozenset({"day", "birthday"}),
}
_AROUND = frozenset({"birth", "of", "index", "sin", "cos"})
"""Words that may accompany parts of a birth date: ``day_of_year`` and ``month_of_birth`` are, ``career_month`` not."""


def people(release: CheckedRelease) -> Iterable[Check]:
    """Check the table of the people."""
    frame = release.people
    if frame is None:
        for name in ("columns", "dates of birth", "cells", "singling out", "k-anonymity"):
            yield Check(name, "cannot tell", "no table of people could be read")
        return
    yield _columns(release, frame)
    yield _births(frame)
    yield _cells(frame)
    yield _singled_out(release, frame)
    yield _alike(release, frame)


def _columns(release: CheckedRelease, frame: pl.DataFrame) -> Check:
    private, meant = _naming(release, frame)
    try:
        roles = {str(entry.get("name")): entry.get("role") for entry in column_entries(release.folder, "people")}
        private += [f"columns.json calls {name} private" for name, role in roles.items() if role == "private"]
        if "columns.json" in release.folder.files:
            private += [f"columns.json says nothing of {name}" for name in sorted(set(frame.columns) - set(roles))]
            gone = sorted(set(roles) - set(frame.columns))
            private += [f"columns.json tells of {name}, which is not there" for name in gone]
        elif release.format == 2:
            private.append("there is no columns.json, so nobody says what columns mean")
    except InputError as error:
        private.append(str(error))
    if meant and not private:
        text = "; ".join(meant)
        return Check("columns", "cannot tell", f"{text}; {CLAIMED} says that this is meant: read the risk it names")
    return check_result(
        "columns", private, f"{frame.width} columns, none tells whom a row is by its name or its values"
    )


def _naming(release: CheckedRelease, frame: pl.DataFrame) -> tuple[list[str], list[str]]:
    """Return identifying or unclassified columns, and those of them that leave on purpose, with a stated risk."""
    columns = infer_columns(frame)
    roles = {column.name: column for column in columns if column.role == "target"}
    named: list[str] = []
    meant: list[str] = []
    risks = _risks(release)
    for name, (identity, why) in classify(frame.drop("id", strict=False), list(roles.values())).items():
        if identity == "direct" or (identity == "unknown" and frame.height >= MIN_PEOPLE):
            (meant if name in risks else named).append(f"{name} is {identity}: {why}")
    return named, meant


def _risks(release: CheckedRelease) -> set[str]:
    """Return the columns that protection.json lets leave as they are, with a risk in words."""
    try:
        claimed = mapping(release.folder.json(CLAIMED)) if CLAIMED in release.folder.files else {}
    except InputError:
        return set()
    columns = mapping(claimed.get("columns"))
    return {name for name, one in columns.items() if mapping(one).get("leaves") == "exact" and mapping(one).get("risk")}


def _births(frame: pl.DataFrame) -> Check:
    # a year as text is a range, such as 1980-1989
    tells = {name: _tells(name) for name in frame.columns}
    years = [name for name in frame.columns if tells[name] == {"year"} and frame[name].dtype.is_numeric()]
    months = [name for name in frame.columns if "month" in tells[name]]
    days = [name for name in frame.columns if tells[name] == {"day"}]
    of_year = [name for name in days if {"index", "sin", "cos"} & set(split(name))]
    of_year += [name for name in frame.columns if tells[name] == {"day", "year"}]
    if years and ((months and days) or of_year):
        listed = ", ".join([*years, *(of_year or months + days)])
        return Check("dates of birth", "fails", f"{listed} together are full dates of birth; leave the day out")
    parts = calendar_parts(frame.select(name for name in frame.columns if name != "id" and not split_trait(name)))
    if {"month", "day"} <= set(parts.values()):
        listed = ", ".join(parts)
        return Check(
            "dates of birth", "fails", f"{listed} can together be days of birth by their values; leave one out"
        )
    return Check("dates of birth", "holds", "no columns that together are a full date of birth")


def _tells(name: str) -> set[str]:
    """Return the parts of a date of birth that a column's name indicates; none where it has other words."""
    words = set(split(name))
    found = {part for part, own in _PARTS.items() if words & own}
    known = frozenset().union(*_PARTS.values()) | _AROUND
    return found if words <= known else set()


def _cells(frame: pl.DataFrame) -> Check:
    faults = []
    texts = frame.drop("id", strict=False).select(pl.col(pl.String))
    for series in texts:
        values = series.drop_nulls().unique()
        free = [value for value in values if len(value) > MAX_CELL_LETTERS or len(value.split()) > MAX_CELL_WORDS]
        if free:
            faults.append(f"{series.name} holds free text")
        short = values.filter(values.str.len_chars() <= MAX_CELL_LETTERS)
        if scan(short.to_frame(), []):
            faults.append(f"{series.name} holds e-mail or web addresses")
        if any(_PATH.search(value) for value in short):
            faults.append(f"{series.name} holds paths or names of files")
    return check_result(
        "cells", faults, f"{texts.width} text columns without addresses, paths or free text; names cannot be seen"
    )


def _singled_out(release: CheckedRelease, frame: pl.DataFrame) -> Check:
    """Count over the values that left who stands alone, whatever the columns are called."""
    name = "singling out"
    columns = {column.name: column for column in infer_columns(frame)}
    try:
        columns |= described_columns(release.folder)
        report = mapping(release.folder.json(CLAIMED)) if CLAIMED in release.folder.files else {}
    except InputError as error:
        return Check(name, "fails", str(error))
    meant = {column for column, one in mapping(report.get("columns")).items()
             if mapping(one).get("risk") or mapping(one).get("because") == "with noise"}  # fmt: skip
    over = [column for column in frame.columns if can_be_known(columns[column])
            and column not in meant and not frame[column].dtype.is_nested()]  # fmt: skip
    found = singling_out(frame, over)
    alone = [column for column, size in found.smallest.items() if size == 1]
    counted = f"of {len(over)} columns, {found.counts}"
    if alone:
        return Check(name, "fails", f"{counted}; one person has a value of {', '.join(alone)} alone: make it coarser")
    return Check(name, "holds", counted)


def smallest_group(frame: pl.DataFrame, columns: Sequence[str]) -> int:
    """Return k: the size of the smallest group of people who agree in all these columns.

    Examples
    --------
    >>> smallest_group(pl.DataFrame({"a": [1, 1, 2, 2], "b": ["x", "x", "x", "x"]}), ["a", "b"])
    2
    """
    if not columns or not frame.height:
        return frame.height
    alike = frame.select(columns).with_columns(pl.selectors.float().fill_nan(None)).group_by(list(columns)).len()
    return int(alike["len"].to_numpy().min())


def _alike(release: CheckedRelease, frame: pl.DataFrame) -> Check:
    name = "k-anonymity"
    roles = {column.name: column.role for column in infer_columns(frame)}
    try:
        roles |= {column.name: column.role for column in described_columns(release.folder).values()}
        claimed = mapping(release.folder.json(CLAIMED)) if CLAIMED in release.folder.files else {}
    except InputError as error:
        return Check(name, "fails", str(error))
    k, columns = _claim(claimed)
    unknown = [column for column in columns or () if column not in frame.columns]
    if unknown:
        return Check(name, "fails", f"{CLAIMED} counts over {', '.join(unknown)}, which the table has not")
    features = [column for column in frame.columns if roles.get(column) == "feature"]
    over = features if columns is None else columns
    found = smallest_group(frame, over)
    if k is None and not features:
        return Check(name, "holds", "no column besides the traits leaves, so none identifies people")
    measured = f"the smallest group of people alike in {len(over)} columns has {found}"
    if k is None:
        return Check(
            name, "fails" if release.format == 2 else "cannot tell", f"{measured}, and nothing is claimed in {CLAIMED}"
        )
    if k != found:
        return Check(name, "fails", f"{measured}, and {CLAIMED} claims {k}")
    return Check(name, "holds", f"{measured}, as {CLAIMED} claims")


def _claim(report: dict[str, object]) -> tuple[int | None, list[str] | None]:
    """Return the k that is claimed after protection and the columns that it is counted over."""
    about = mapping(report.get("k_anonymity")) or report
    after = about.get("after", about)
    k = mapping(after).get("k", after)
    columns = mapping(after).get("quasi_identifiers", mapping(after).get("columns"))
    named = [str(column) for column in columns] if isinstance(columns, list) else None
    return (k if isinstance(k, int) and not isinstance(k, bool) else None), named
