"""A mapping of a table that somebody sees for the first time, as a study file: with counts, examples and questions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from personax.data.hub_files import hub_name
from personax.data.labels import number
from personax.data.naming import beside_a_surname, says, snake
from personax.schema import Column
from personax.sources._birth_dates import year_format
from personax.sources._column_spec import ColumnSpec
from personax.sources._known_tables import known_columns, known_table, recognised
from personax.sources._ledger import ColumnReading, FileReading
from personax.sources._raw_table import RawTable
from personax.sources._read_file import read_raw_table
from personax.sources._table import read_table
from personax.sources._units import named_size

__all__ = ["ColumnProposal", "TableProposal", "private_headers", "propose_table"]

EXAMPLES: Final = 3
_FIRST_TEXT: Final = """
    first given vorname rufname prenom prénom nombre nome imię fname firstname forename forenames fornavn fornamn
    förnamn voornaam ad adı isim jméno meno keresztnév utónév etunimi prenume ime имя ім'я 名 名字 이름 tên vardas
    vārds eesnimi שם_פרטי الاسم όνομα
"""
_LAST_TEXT: Final = """
    last family surname nachname familienname zuname nom apellido apellidos cognome nazwisko lname lastname achternaam
    efternamn etternavn sobrenome apelido soyad soyadı soyisim příjmení priezvisko vezetéknév családnév sukunimi nume
    prezime фамилия прізвище 姓 姓氏 苗字 성 họ pavardė uzvārds perekonnanimi שם_משפחה اللقب επώνυμο
"""
_FIRST, _LAST = (frozenset(snake(word) for word in text.split()) for text in (_FIRST_TEXT, _LAST_TEXT))
_HEIGHT_UNITS: Final = (("m", 1.2, 2.5), ("in", 50.0, 96.0), ("cm", 120.0, 250.0))
"""Units in which the median of people's heights lies within these bounds."""
_SIGN: Final = {
    **{unit: unit for unit in ("cm", "mm", "m", "in", "kg", "lb")},
    "inch": "in",
    "inches": "in",
    "lbs": "lb",
}


@dataclass(frozen=True)
class ColumnProposal:
    """What a column is proposed to be.

    Parameters
    ----------
    name
        Ours.
    keys
        Of ``collect.columns.<name>``.
    reading
        How it was read.
    column
        What it means then.
    summary
        How many values, and of numbers their range.
    examples
        Some values, for whoever has the file.
    """

    name: str
    keys: Mapping[str, Any]
    reading: ColumnReading
    column: Column
    summary: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class TableProposal:
    """A mapping of a table to start from.

    Parameters
    ----------
    path
        The file.
    file
        Keys of ``collect`` for the file.
    reading
        How it was read by this mapping.
    columns
        In the order of the study file.
    preset
        The known table that was recognised.
    """

    path: Path
    file: Mapping[str, Any]
    reading: FileReading
    columns: tuple[ColumnProposal, ...]
    preset: str | None = None

    def text(self, folder: Path) -> str:
        """Return study.yaml for a study in a folder: what is open stands as a comment above its column."""
        where = self.path.absolute()
        inside = where.is_relative_to(folder.absolute())
        path = hub_name(self.path) or (str(where.relative_to(folder.absolute())) if inside else str(where))
        lines = [
            f"# Made by personax look {_flat(self.path.name)}; edit it, then: personax run study.yaml",
            "version: 1", f"name: {_yaml(self.path.name.partition('.')[0] or 'people')}", "seed: 1", "collect:",
            "  source: table", f"  path: {_yaml(path)}",
        ]  # fmt: skip
        for what, status, sentence, answer in self.reading.open_points():
            if what not in {column.name for column in self.columns}:
                lines.append(f"  # {status.capitalize()}: {_flat(sentence)}{f'; {answer}' if answer else ''}")
        lines += [f"  {key}: {_yaml(value)}" for key, value in self.file.items()]
        lines += ["  columns:", *(line for column in self.columns for line in _lines(column))]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return the proposal as JSON can hold it."""
        columns = [
            {"name": one.name, "keys": dict(one.keys), "role": one.column.role, "kind": one.column.kind,
             "identity": one.column.identity, "summary": one.summary, "examples": list(one.examples),
             "read_as": one.reading.read_as, "status": one.reading.status, "why": one.reading.why,
             "question": one.reading.question, "answer": dict(one.reading.answer)}
            for one in self.columns
        ]  # fmt: skip
        facts = [asdict(fact) for fact in self.reading.facts]
        about = {"file": str(self.path), "format": self.reading.format, "rows": self.reading.rows}
        return {**about, "preset": self.preset, "facts": facts, "collect": dict(self.file), "columns": columns}


def _lines(one: ColumnProposal) -> Iterator[str]:
    asked = one.reading
    if asked.question:
        settled = f"; to say so: {_yaml(dict(asked.answer))}" if asked.answer else ""
        yield f"    # Question: {_flat(asked.question)}{settled}"
    label = f", {_flat(asked.label)[:60]!r}" if asked.label else ""
    yield f"    {_yaml(one.name)}: {_yaml(dict(one.keys))}  # {one.column.role}, {one.summary}{label}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _yaml(value: object) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False).strip()
    return text.removesuffix("\n...").removesuffix("...").strip()


def propose_table(
    path: Path,
    *,
    preset: str | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    table: str | None = None,
    header_rows: int | None = None,
) -> TableProposal:
    r"""Propose what the columns of a table are: by known tables, by names in many languages, and by the cells.

    Parameters
    ----------
    path
        The file.
    preset
        A known table by its name; recognised by its headers where it is not given.
    encoding, separator, table, header_rows
        Of `read_table`.

    Raises
    ------
    InputError
        The file is no table, or there is no preset of this name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "people.csv"
    ...     _ = file.write_text("Kennung;Vorname;Nachname;Größe\na;Ana;Ruiz;1,70\nb;Bo;Lee;1,81\n")
    ...     found = propose_table(file)
    >>> {column.name: dict(column.keys) for column in found.columns}
    {'id': {'from': 'Kennung'}, 'name': {'join': ['Vorname', 'Nachname']}, 'height_cm': {'from': 'Größe', 'unit': 'm'}}
    """
    options: dict[str, Any] = {
        "encoding": encoding, "separator": separator, "table": table, "header_rows": header_rows
    }  # fmt: skip
    raw = read_raw_table(path, **options)
    known = known_table(preset) if preset else recognised(raw.frame.columns)
    keys = dict(known_columns(known, raw.frame.columns)) if known is not None else _by_names(raw)
    missing = ("", *(known.missing if known is not None else ()))
    first = read_table(path, _specs(keys), missing=missing, max_bad_share=1.0, **options)
    for reading in first.ledger.files[0].columns:
        own = dict(keys.get(reading.column, {}))
        settled = dict(reading.answer) if reading.status in ("evidence", "guess") else {}
        column = first.table.column(reading.column)
        said = {key: value for key, value in {**own, **settled}.items() if (key, value) != ("from", reading.column)}
        keys[reading.column] = {**said, **_kind(column, said, reading)}
    read = read_table(path, _specs(keys), missing=missing, max_bad_share=1.0, **options)
    file = read.ledger.files[0]
    proposals = tuple(
        ColumnProposal(
            one.column, keys[one.column], one, read.table.column(one.column), *_shown(read.people[one.column])
        )
        for one in file.columns
    )
    return TableProposal(path, _file_keys(file, missing, options), file, proposals, known.name if known else None)


def private_headers(headers: Sequence[str]) -> list[str]:
    """Return the headers that are private in the known table which these headers tell; none for another one.

    Examples
    --------
    >>> private_headers(["ResponseId", "StartDate", "IPAddress", "Q1"])
    ['StartDate', 'IPAddress']
    """
    known = recognised(headers)
    found = {} if known is None else known_columns(known, headers)
    return [keys["from"] for keys in found.values() if keys.get("role") == "private"]


def _specs(keys: Mapping[str, Mapping[str, Any]]) -> dict[str, ColumnSpec]:
    return {name: ColumnSpec.model_validate(dict(one)) for name, one in keys.items()}


def _file_keys(file: FileReading, missing: Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of ``collect`` that settle how the file is read."""
    found: dict[str, Any] = {}
    for fact in file.facts:
        if fact.answer and fact.status != "question":
            found |= yaml.safe_load(fact.answer)
    found |= {key: value for key, value in options.items() if value is not None}
    return found | ({"missing": list(missing)} if list(missing) != [""] else {})


def _kind(column: Column, keys: Mapping[str, Any], reading: ColumnReading) -> dict[str, Any]:
    """Return the role and the kind, where they are not plain from the other keys."""
    if reading.read_as == "id" or reading.status == "question":
        return {}
    if column.role == "private" and column.name not in ("name", "birth_date"):
        return {"role": "private"}
    said = {"unit", "format", "levels", "values", "parts", "kind"} & set(keys)
    if column.role == "private" or said or reading.read_as == "labels":
        return {}
    return {"kind": column.kind, **({"period": column.period} if column.period else {})}


def _shown(values: pl.Series) -> tuple[str, tuple[str, ...]]:
    held = values.drop_nulls()
    some = tuple(str(value)[:40] for value in held.unique(maintain_order=True).head(EXAMPLES).to_list())
    gone = f", {values.null_count():,} missing" if values.null_count() else ""
    if held.dtype.is_numeric() and len(held):
        return f"{len(held):,} numbers from {number(held.min())} to {number(held.max())}{gone}", some  # type: ignore[arg-type]
    return f"{len(held):,} values, {held.n_unique():,} different{gone}", some


def _by_names(raw: RawTable) -> dict[str, dict[str, Any]]:
    """Return what the names of columns say: an id, a name, a date of birth, sizes, gender and nationality."""
    headers = raw.frame.columns
    topics = {header: says(header).topic for header in headers}
    found: dict[str, dict[str, Any]] = {}
    ids = [header for header in headers if topics[header] == "id" and _is_key(raw.frame[header])]
    ids = ids or [header for header in headers if topics[header] == "person" and _is_code(raw.frame[header])]
    sure = (
        [header for header in ids if header.lower() == "id"] or [header for header in ids if says(header).sure] or ids
    )
    if sure:
        found["id"] = _from("id", sure[0])
    found |= _name([header for header in headers if topics[header] == "name" or beside_a_surname(header, headers)])
    found |= _birth([header for header in headers if topics[header] in ("birth date", "birth year", "day")], topics)
    if (born := found.get("birth_date")) is not None and "parts" not in born:
        pattern = year_format(raw.frame[born.get("from", "birth_date")])
        found["birth_date"] = born | ({"format": pattern} if pattern else {})
    found |= _sizes(raw)
    for ours, topic in (("gender", "gender"), ("nationality", "country")):
        its = [header for header in headers if topics[header] == topic]
        if len(its) == 1:
            found[ours] = _from(ours, its[0])
    return found


def _from(ours: str, header: str) -> dict[str, Any]:
    return {} if ours == header else {"from": header}


def _is_key(cells: pl.Series) -> bool:
    return cells.null_count() == 0 and cells.n_unique() == len(cells) and not bool((cells == "").any())


def _is_code(cells: pl.Series) -> bool:
    """Say whether every person has a code of their own: one word with a digit in it."""
    return _is_key(cells) and bool(cells.str.contains(r"^\S*\d\S*$").all())


def _words(header: str) -> set[str]:
    return {*snake(header).split("_"), snake(header).replace("_", "")}


def _name(headers: Sequence[str]) -> dict[str, dict[str, Any]]:
    first = [header for header in headers if _words(header) & _FIRST]
    last = [header for header in headers if _words(header) & _LAST and header not in first]
    whole = [header for header in headers if header not in first + last]
    if len(whole) >= 1:
        return {"name": _from("name", whole[0])}
    return {"name": {"join": [first[0], last[0]]}} if first and last else {}


def _birth(headers: Sequence[str], topics: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    dates = [
        header for header in headers if topics[header] == "birth date" and not _words(header) & {"month", "day", "year"}
    ]
    if dates:
        return {"birth_date": _from("birth_date", dates[0])}
    parts = [
        next((header for header in headers if {"birth", part} <= _words(header)), None)
        for part in ("year", "month", "day")
    ]
    known = [part for part in parts if part is not None]
    return {"birth_date": {"parts": known}} if len(known) == len(parts) else {}


def _sizes(raw: RawTable) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for ours, unit in (("height_cm", "cm"), ("weight_kg", "kg")):
        headers = [header for header in raw.frame.columns if named_size(header) == unit]
        if len(headers) == 1:
            written = _unit(headers[0], raw.frame[headers[0]], ours)
            found |= {ours: {**_from(ours, headers[0]), "unit": written}} if written else {}
    return found


def _unit(header: str, cells: pl.Series, ours: str) -> str | None:
    """Return the unit of a size: as its header says, or for heights as their median can be in one unit only."""
    said = [_SIGN[word] for word in re.findall(r"[a-z]+", header.lower()) if word in _SIGN]
    if said:
        return said[0]
    if ours == "weight_kg":
        return None
    numbers = cells.str.strip_chars().str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).drop_nulls()
    if 2 * len(numbers) < len(cells.drop_nulls()):
        return "ft-in" if bool(cells.str.contains(r"^\d\s*(?:['’′-]|ft)\s*\d{1,2}").any()) else None
    middle = float(numbers.median())  # type: ignore[arg-type]
    return next((unit for unit, low, high in _HEIGHT_UNITS if low <= middle <= high), None)
