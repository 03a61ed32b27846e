"""Files of players: NFL players from one JSON file, footballers from the openfootball files.

An NFL file is an object: gsis id -> name, birth date (month/day/year), height (inches), weight (pounds). openfootball
has one text file a country and one line a player, ``Name, position, height m, b. day month year @ birthplace``; a dash
or nothing stands for what is unknown.
"""

from __future__ import annotations

import json
import re
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Final, Literal

import polars as pl
from pydantic import Field

from personax.data.table import Table
from personax.errors import InputError, TooManyBadCells
from personax.files import sha256
from personax.registry import register
from personax.schema import Column, Notice, Provenance
from personax.sources._dates import parse_date
from personax.sources._people_table import (
    BAD_CELLS,
    PeopleTable,
    check_bad_share,
    check_ids,
    derive_birth_parts,
    table_notices,
)
from personax.sources._source import FileSource
from personax.sources._units import parse_quantity, plausible_limits

__all__ = ["CollectNflPlayers", "CollectOpenfootball", "read_nfl_players", "read_openfootball"]

MAX_FILE_BYTES = 16 * 2**20
"""No openfootball file has more bytes; one that claims to is not read into memory."""
MAX_UNPACKED = 2 * 2**30
"""Bytes of an archive, unpacked; that of all countries has 15 million."""

UNKNOWN: Final = ("", "-", "?")
"""What openfootball writes for nothing."""
NO_DATE: Final = ("", "//")
"""What the NFL file writes for no birth date: two slashes without their numbers."""

_COLUMNS: Final[Mapping[str, Column]] = {
    column.name: column
    for column in (
        Column("id", "id", "nominal"),
        Column("name", "private", "nominal"),
        Column("league", "feature", "nominal"),
        Column("team", "feature", "nominal"),
        Column("position", "feature", "nominal"),
        Column("college", "feature", "nominal"),
        Column("birth_date", "private", "continuous"),
        Column("height_cm", "feature", "continuous", "cm"),
        Column("weight_kg", "feature", "continuous", "kg"),
        Column("birthplace", "private", "nominal"),
        Column("country", "feature", "nominal"),
        Column("continent", "feature", "nominal"),
    )
}


@dataclass
class _Players:
    """What has been read of a file: one row a player, and cells that could not be read."""

    columns: Sequence[str]
    unknown: Sequence[str] = ("",)
    """What means that a cell is empty."""
    rows: list[dict[str, object]] = field(default_factory=list)
    bad: list[dict[str, object]] = field(default_factory=list)

    def refuse(self, row: int, column: str, value: object, reason: str) -> None:
        """Note a bad cell."""
        self.bad.append({"row": row, "column": column, "value": str(value)[:200], "reason": reason})

    def parsed(self, row: int, column: str, value: object, parse: Callable[[Any], object]) -> object:
        """Return what a cell means; None where it is unknown or cannot be read."""
        if value is None or value in self.unknown:
            return None
        try:
            return parse(value)
        except ValueError as error:
            self.refuse(row, column, value, str(error))
            return None

    def table(self, source: str, path: Path, notices: Collection[Notice] = ()) -> PeopleTable:
        """Return the people table of a file."""
        columns = [_COLUMNS[name] for name in self.columns]
        schema = {column.name: _type(column) for column in columns}
        table = derive_birth_parts(Table(pl.DataFrame(self.rows, schema=schema), columns))
        people = table.frame
        check_ids(people["id"].to_list())
        bad_cells = pl.DataFrame(self.bad, schema=BAD_CELLS)
        provenance = Provenance(source, path.name, sha256(path), people.height)
        every = [*notices, *table_notices(people, bad_cells)]
        return PeopleTable(replace(table, provenance=provenance), bad_cells, every)


def _type(column: Column) -> type[pl.DataType]:
    if column.kind == "nominal":
        return pl.String
    return pl.Date if column.name == "birth_date" else pl.Float64


def read_nfl_players(path: Path, *, max_bad_share: float = 0.05) -> PeopleTable:
    """Read the players of one file.

    Parameters
    ----------
    path
        An object of gsis id -> object with ``full_name``, and perhaps ``birthdate``, ``height``, ``weight``, ``team``,
        ``position`` and ``college``.
    max_bad_share
        Largest share of a column's cells that may be unreadable.

    Raises
    ------
    InputError
        When the file is another one; `TooManyBadCells` when too many cells of a column cannot be read.
    """
    players = _Players(("id", "name", "league", "team", "position", "college", "birth_date", "height_cm", "weight_kg"))
    for number, (ref, player) in enumerate(_json_players(path).items(), 1):
        if not isinstance(player, dict) or not isinstance(player.get("full_name"), str):
            raise InputError(f"{path}: person {number} has no full_name; this source reads gsis id -> player")
        players.rows.append({"id": ref, "league": "NFL"} | _nfl_player(player, number, players))
    read = players.table("nfl_players", path)
    for name in ("birth_date", "height_cm", "weight_kg"):
        bad = read.bad_cells.filter(pl.col("column") == name)
        check_bad_share(str(path), read.people[name], bad, max_bad_share)
    return read


def _json_players(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({type(error).__name__}); check the file") from None
    if not isinstance(found, dict) or not found:
        raise InputError(f"{path} is no object of players; this source reads gsis id -> player")
    return found


def _nfl_player(player: dict[str, Any], row: int, players: _Players) -> dict[str, object]:
    def parsed(column: str, key: str, parse: Callable[[Any], object]) -> object:
        return players.parsed(row, column, player.get(key), parse)

    def measured(column: str, key: str, unit: str) -> object:
        limits = plausible_limits(column, unit)
        return parsed(column, key, lambda value: parse_quantity(_number(value), unit, bounds=limits))

    today = date.today()
    return {
        **{name: parsed(name, name, _words) for name in ("team", "position", "college")},
        "name": parsed("name", "full_name", _words),
        "birth_date": parsed(
            "birth_date",
            "birthdate",
            lambda value: None if value in NO_DATE else parse_date(_text(value), ["%m/%d/%Y"], today=today),
        ),
        "height_cm": measured("height_cm", "height", "in"),
        "weight_kg": measured("weight_kg", "weight", "lb"),
    }


def _words(value: object) -> str | None:
    return " ".join(_text(value).split()) or None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _number(value: object) -> str:
    """Return a number as its text; what JSON holds as a text must look like one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("not a number")
    shown = str(value)
    if not re.fullmatch(r"[0-9.]{1,10}", shown):
        raise ValueError("not a number")
    return shown


@register(
    "sources", "nfl_players", title="NFL players", reads="file", order=3, sport="american football",
    terms={
        "licence": "public domain, as docs/leagues.md records", "clauses": (), "reference": "",
        "attribution": "the NFL players file (by courtesy)",
    },
)  # fmt: skip
class CollectNflPlayers(FileSource):
    """NFL players from one JSON file."""

    source: Literal["nfl_players"]
    max_bad_share: float = Field(default=0.05, ge=0, le=1)

    def read(self, root: Path) -> PeopleTable:
        """Read the people; see `read_nfl_players`."""
        return read_nfl_players(root / self.path, max_bad_share=self.max_bad_share)


_PLAYER = re.compile(
    r"^(?P<name>[^,]+),\s*(?P<position>[A-Z|]+)\s*,\s*(?P<height>[^,]*?)\s*,\s*"
    r"b\.\s*(?P<born>[^@]*?)\s*(?:@\s*(?P<birthplace>.+))?$"
)
_POSITIONS = {"G": "goalkeeper", "D": "defender", "M": "midfielder", "F": "forward"}
_HEIGHTS = plausible_limits("height_cm", "m")
_DATES = ("%d %b %Y", "%d %B %Y")


def read_openfootball(path: Path, *, max_bad_share: float = 0.05) -> PeopleTable:
    """Read footballers from the players folder, or from a tar file of it; nothing is unpacked to disk.

    Parameters
    ----------
    path
        A ``tar.gz`` or a folder with ``<continent>/<country>/*.players.txt``.
    max_bad_share
        Largest share of lines that are neither a player nor a heading, a comment or blank.

    Raises
    ------
    InputError
        When there is no players file in it; `TooManyBadCells` when too many lines cannot be read.
    """
    players = _Players(
        ("id", "name", "position", "height_cm", "birth_date", "birthplace", "country", "continent"), UNKNOWN
    )
    try:
        for name, text in _texts(path):
            _read_file(PurePosixPath(name), text, players)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check the path") from None
    except (tarfile.TarError, UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise InputError(f"{path} cannot be read as a tar file or folder of players ({reason})") from None
    if not players.rows:
        raise InputError(f"{path} holds no player; it needs files called <country>.players.txt")
    unread = sum(cell["column"] == "line" for cell in players.bad)
    if unread > max_bad_share * (unread + len(players.rows)):
        text = f"{path}: {unread} of {unread + len(players.rows)} lines are no player in the form this source reads"
        raise TooManyBadCells(text)
    return players.table(
        "openfootball", path, [Notice("A player of several positions counts by the first one listed.")]
    )


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every players file, in the order of their names."""
    if path.is_dir():
        for file in sorted(path.rglob("*.players.txt")):
            yield file.relative_to(path).as_posix(), file.read_text(encoding="utf-8")
        return
    with tarfile.open(path) as archive:
        members, total = [], 0
        for member in archive:  # one by one: reading on is unpacking
            total += member.size
            if total > MAX_UNPACKED:
                raise InputError(f"{path} unpacks to more than {MAX_UNPACKED:,} bytes; that is no archive of players")
            if member.isfile() and member.name.endswith(".players.txt"):
                members.append(member)
        for member in sorted(members, key=lambda m: m.name):
            if member.size > MAX_FILE_BYTES:
                raise InputError(f"{path}: {member.name} is larger than any players file ({member.size} bytes)")
            stream = archive.extractfile(member)
            if stream is not None:
                yield member.name, stream.read().decode("utf-8")


def _read_file(name: PurePosixPath, text: str, players: _Players) -> None:
    """Append the players of one file; its heading names the country, its folders the continent."""
    country = name.parent.name.replace("-", " ").title()
    continent = name.parent.parent.name.replace("-", " ")
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.split("##")[0].strip()
        if stripped.startswith("=") and stripped.strip("= "):
            country = stripped.strip("= ")
        if not stripped or stripped[0] in "=#":
            continue
        match = _PLAYER.match(stripped)
        if match is None:
            players.refuse(number, "line", f"{name}:{number}: {stripped}", "another form of line")
            continue
        player = {"id": f"{name.name.split('.')[0]}-{number}", "country": country, "continent": continent}
        players.rows.append(player | _football_player(match, len(players.rows) + 1, players))


def _football_player(match: re.Match[str], row: int, players: _Players) -> dict[str, object]:
    def parsed(column: str, text: str, parse: Callable[[str], object]) -> object:
        return players.parsed(row, column, text, parse)

    today = date.today()
    return {
        "name": match["name"].strip(),
        "position": parsed("position", match["position"].split("|")[0], _position),
        "height_cm": parsed("height_cm", match["height"], lambda text: parse_quantity(text, "m", bounds=_HEIGHTS)),
        "birth_date": parsed("birth_date", match["born"], lambda text: parse_date(text, _DATES, today=today)),
        "birthplace": (match["birthplace"] or "").strip() or None,
    }


def _position(letter: str) -> str:
    if letter not in _POSITIONS:
        raise ValueError("not one of G, D, M, F")
    return _POSITIONS[letter]


@register(
    "sources", "openfootball", title="openfootball", reads="file", order=2, sport="football",
    terms={
        "licence": "CC0 1.0", "clauses": (), "attribution": "openfootball (by courtesy)",
        "reference": "https://github.com/openfootball/players",
    },
)  # fmt: skip
class CollectOpenfootball(FileSource):
    """Footballers from the openfootball players files."""

    record_columns: ClassVar[Mapping[str, str]] = {"country": "nationality"}

    source: Literal["openfootball"]
    max_bad_share: float = Field(default=0.05, ge=0, le=1)

    def read(self, root: Path) -> PeopleTable:
        """Read the people; see `read_openfootball`."""
        return read_openfootball(root / self.path, max_bad_share=self.max_bad_share)
