"""Footballers from the openfootball players files: one text file a country, one line a player, CC0.

A line reads ``Name, position, height m, b. day month year @ birthplace``; a dash or nothing stands for what is unknown.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from personax.data.table import Table
from personax.errors import InputError, TooManyBadCells
from personax.files import sha256
from personax.registry import register
from personax.schema import Column, Notice, Provenance
from personax.sources._dates import parse_date
from personax.sources._people_table import BAD_CELLS, PeopleTable, check_ids, derive_birth_parts, table_notices
from personax.sources._source import FileSource
from personax.sources._units import parse_quantity, plausible_limits

__all__ = ["CollectOpenfootball", "read_openfootball"]

_PLAYER = re.compile(
    r"^(?P<name>[^,]+),\s*(?P<position>[A-Z|]+)\s*,\s*(?P<height>[^,]*?)\s*,\s*"
    r"b\.\s*(?P<born>[^@]*?)\s*(?:@\s*(?P<birthplace>.+))?$"
)
MAX_FILE_BYTES = 16 * 2**20
"""No players file has more bytes; one that claims to is not read into memory."""
MAX_UNPACKED = 2 * 2**30
"""Bytes of an archive, unpacked; that of all countries has 15 million."""

_POSITIONS = {"G": "goalkeeper", "D": "defender", "M": "midfielder", "F": "forward"}
_HEIGHTS = plausible_limits("height_cm", "m")
_UNKNOWN = ("", "-", "?")
_DATES = ("%d %b %Y", "%d %B %Y")
_SCHEMA = {
    "id": pl.String,
    "name": pl.String,
    "position": pl.String,
    "height_cm": pl.Float64,
    "birth_date": pl.Date,
    "birthplace": pl.String,
    "country": pl.String,
    "continent": pl.String,
}

_COLUMNS = [
    Column("id", "id", "nominal"),
    Column("name", "private", "nominal"),
    Column("position", "feature", "nominal"),
    Column("height_cm", "feature", "continuous", "cm"),
    Column("birth_date", "private", "continuous"),
    Column("birthplace", "private", "nominal"),
    Column("country", "feature", "nominal"),
    Column("continent", "feature", "nominal"),
]


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
    players: list[dict[str, object]] = []
    bad: list[dict[str, object]] = []
    try:
        for name, text in _texts(path):
            _read_file(PurePosixPath(name), text, players, bad)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check the path") from None
    except (tarfile.TarError, UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise InputError(f"{path} cannot be read as a tar file or folder of players ({reason})") from None
    if not players:
        raise InputError(f"{path} holds no player; it needs files called <country>.players.txt")
    unread = sum(cell["column"] == "line" for cell in bad)
    if unread > max_bad_share * (unread + len(players)):
        text = f"{path}: {unread} of {unread + len(players)} lines are no player in the form this source reads"
        raise TooManyBadCells(text)
    table = derive_birth_parts(Table(pl.DataFrame(players, schema=_SCHEMA), _COLUMNS))
    people = table.frame
    check_ids(people["id"].to_list())
    bad_cells = pl.DataFrame(bad, schema=BAD_CELLS)
    provenance = Provenance("openfootball", path.name, sha256(path), people.height)
    notice = Notice("A player of several positions counts by the first one listed.")
    notices = [notice, *table_notices(people, bad_cells)]
    return PeopleTable(replace(table, provenance=provenance), bad_cells, notices)


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


def _read_file(name: PurePosixPath, text: str, players: list[dict[str, object]], bad: list[dict[str, object]]) -> None:
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
            where = f"{name}:{number}: {stripped}"
            bad.append({"row": number, "column": "line", "value": where, "reason": "another form of line"})
            continue
        player = {"id": f"{name.name.split('.')[0]}-{number}", "country": country, "continent": continent}
        players.append(player | _player(match, len(players) + 1, bad))


def _player(match: re.Match[str], row: int, bad: list[dict[str, object]]) -> dict[str, object]:
    def read(column: str, text: str, parse: Callable[[str], object]) -> object:
        if text in _UNKNOWN:
            return None
        try:
            return parse(text)
        except ValueError as error:
            bad.append({"row": row, "column": column, "value": text, "reason": str(error)})
            return None

    today = date.today()
    return {
        "name": match["name"].strip(),
        "position": read("position", match["position"].split("|")[0], _position),
        "height_cm": read("height_cm", match["height"], lambda text: parse_quantity(text, "m", bounds=_HEIGHTS)),
        "birth_date": read("birth_date", match["born"], lambda text: parse_date(text, _DATES, today=today)),
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
