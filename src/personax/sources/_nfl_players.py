"""NFL players from one JSON file: gsis id -> name, birth date (month/day/year), height (inches), weight (pounds)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import Field

from personax.data.table import Table
from personax.errors import InputError
from personax.files import sha256
from personax.registry import register
from personax.schema import Column, Provenance
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

__all__ = ["CollectNflPlayers", "read_nfl_players"]

_UNKNOWN = ("", "//")
"""What the file writes for nothing; two slashes are a date without its numbers."""

_SCHEMA = {
    "id": pl.String,
    "name": pl.String,
    "league": pl.String,
    "team": pl.String,
    "position": pl.String,
    "college": pl.String,
    "birth_date": pl.Date,
    "height_cm": pl.Float64,
    "weight_kg": pl.Float64,
}
_COLUMNS = [
    Column("id", "id", "nominal"),
    Column("name", "private", "nominal"),
    Column("league", "feature", "nominal"),
    Column("team", "feature", "nominal"),
    Column("position", "feature", "nominal"),
    Column("college", "feature", "nominal"),
    Column("birth_date", "private", "continuous"),
    Column("height_cm", "feature", "continuous", "cm"),
    Column("weight_kg", "feature", "continuous", "kg"),
]


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
    rows: list[dict[str, object]] = []
    bad: list[dict[str, object]] = []
    for number, (ref, player) in enumerate(_players(path).items(), 1):
        if not isinstance(player, dict) or not isinstance(player.get("full_name"), str):
            raise InputError(f"{path}: person {number} has no full_name; this source reads gsis id -> player")
        rows.append({"id": ref, "league": "NFL"} | _player(player, number, bad))
    table = derive_birth_parts(Table(pl.DataFrame(rows, schema=_SCHEMA), _COLUMNS))
    people = table.frame
    check_ids(people["id"].to_list())
    bad_cells = pl.DataFrame(bad, schema=BAD_CELLS)
    for name in ("birth_date", "height_cm", "weight_kg"):
        check_bad_share(str(path), people[name], bad_cells.filter(pl.col("column") == name), max_bad_share)
    provenance = Provenance("nfl_players", path.name, sha256(path), people.height)
    return PeopleTable(replace(table, provenance=provenance), bad_cells, table_notices(people, bad_cells))


def _players(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({type(error).__name__}); check the file") from None
    if not isinstance(found, dict) or not found:
        raise InputError(f"{path} is no object of players; this source reads gsis id -> player")
    return found


def _player(player: dict[str, Any], row: int, bad: list[dict[str, object]]) -> dict[str, object]:
    def refuse(column: str, value: object, reason: str) -> None:
        bad.append({"row": row, "column": column, "value": str(value)[:200], "reason": reason})

    def text(column: str, key: str) -> str | None:
        value = player.get(key)
        if value is not None and not isinstance(value, str):
            refuse(column, value, "not a text")
            return None
        return " ".join((value or "").split()) or None

    def measured(column: str, key: str, unit: str) -> float | None:
        value = player.get(key)
        try:
            return (
                None
                if value in (None, "")
                else parse_quantity(_number(value), unit, bounds=plausible_limits(column, unit))
            )
        except ValueError as error:
            refuse(column, value, str(error))
            return None

    born = player.get("birthdate")
    try:
        birth_date = None if born in (None, *_UNKNOWN) else parse_date(_text(born), ["%m/%d/%Y"], today=date.today())
    except ValueError as error:
        refuse("birth_date", born, str(error))
        birth_date = None
    return {
        "name": text("name", "full_name"),
        "team": text("team", "team"),
        "position": text("position", "position"),
        "college": text("college", "college"),
        "birth_date": birth_date,
        "height_cm": measured("height_cm", "height", "in"),
        "weight_kg": measured("weight_kg", "weight", "lb"),
    }


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
