"""NBA: the player index of stats.nba.com, then each player's own page, which alone has the birth date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field

from personax.errors import SourceError
from personax.http import Page, Request
from personax.registry import register
from personax.sources._records import Record
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest
from personax.sources.leagues._league import League
from personax.sources.leagues._parsing import (
    as_list,
    as_object,
    decode_text,
    identifier,
    parse_json,
    require_key,
    schema_changed,
)
from personax.sources.leagues._record_builder import RecordBuilder, merge_records
from personax.strict import Host, Url

__all__ = ["Nba"]

_INDEX = (
    "LeagueID Season Historical Active AllStar College Country DraftPick DraftYear Height PlayerPosition TeamID Weight"
)
"""The site requires each of these parameters, empty where it is not used."""

_LISTED = (
    "PERSON_ID",
    "PLAYER_FIRST_NAME",
    "PLAYER_LAST_NAME",
    "TEAM_CITY",
    "TEAM_NAME",
    "POSITION",
    "HEIGHT",
    "WEIGHT",
)
_OWN = ("PERSON_ID", "FIRST_NAME", "LAST_NAME", "BIRTHDATE", "COUNTRY", "HEIGHT", "WEIGHT", "POSITION", "TEAM_CITY")


@register(
    "sources", "nba", title="NBA", order=10, sport="basketball",
    terms={
        "attribution": "NBA", "reference": "https://global.nba.com/terms-of-use",
        "note": "The terms cover statistics as NBA content.",
    },
)  # fmt: skip
class Nba(League):
    """The NBA, one season.

    Parameters
    ----------
    season
        As the site writes it: ``2025-26``.
    league_id
        ``00`` is the NBA, ``10`` the WNBA (with ``base_url: https://stats.wnba.com``), ``20`` the G League.
    called
        Name of the league in the people table.
    headshots
        Address of a picture; ``{id}`` is the player's.
    """

    name: ClassVar[str] = "nba"
    label: ClassVar[str] = "NBA"

    base_url: Url = "https://stats.nba.com"
    picture_hosts: list[Host] = ["cdn.nba.com"]
    season: str = Field(pattern=r"^\d{4}-\d{2}$")
    league_id: str = Field(default="00", pattern=r"^\d{2}$")
    called: str = "NBA"
    headshots: Host = "https://cdn.nba.com/headshots/nba/latest/1040x760/{id}.png"

    def builder(self, ref: str, page: Page) -> RecordBuilder:
        """Return an empty record of the league."""
        builder = super().builder(ref, page)
        builder.text("league", self.called)
        return builder

    def _own_headers(self) -> dict[str, str]:
        accepts = "application/json, text/plain, */*"
        return {"Accept": accepts, "Accept-Language": "en-US,en;q=0.9", "Referer": "https://www.nba.com/"}

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the one page of the index."""
        parameters = dict.fromkeys(_INDEX.split(), "") | {"LeagueID": self.league_id, "Season": self.season}
        return [PageRequest(self.request("/stats/playerindex?" + urlencode(parameters)))]

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read the index."""
        return ListPage([self._row(row, page) for row in _table(page, "PlayerIndex", (*_LISTED, "COUNTRY"))])

    def _row(self, row: dict[str, Any] | None, page: Page) -> ListedPerson | str:
        ref = "" if row is None else identifier(row["PERSON_ID"])
        if row is None or not ref.isascii() or not ref.isdigit():
            return "a row of the player index without an id or with another number of cells"
        builder = self.builder(ref, page)
        builder.text("name", row["PLAYER_FIRST_NAME"], row["PLAYER_LAST_NAME"])
        self._fill(builder, row, ref)
        return ListedPerson(ref, builder.record())

    def detail_request(self, ref: ListedPerson) -> Request:
        """Return the request for a player's own page."""
        return self.request("/stats/commonplayerinfo?" + urlencode({"PlayerID": ref.id, "LeagueID": self.league_id}))

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read a player's own page."""
        rows = _table(page, "CommonPlayerInfo", (*_OWN, "TEAM_NAME"))
        own = [row for row in rows if row is not None and identifier(row["PERSON_ID"]) == ref.id]
        if not own:
            raise SourceError("the page has no row of this person")
        builder = self.builder(ref.id, page)
        builder.text("name", own[0]["FIRST_NAME"], own[0]["LAST_NAME"])
        builder.birth_date(own[0]["BIRTHDATE"])
        self._fill(builder, own[0], ref.id)
        return merge_records(ref.list_record, builder.record())

    def _fill(self, builder: RecordBuilder, row: dict[str, Any], ref: str) -> None:
        builder.text("team", row["TEAM_CITY"], row["TEAM_NAME"])
        builder.text("position", row["POSITION"])
        builder.quantity("height_cm", row["HEIGHT"], "ft-in")
        builder.quantity("weight_kg", row["WEIGHT"], "lb")
        builder.country("nationality", row["COUNTRY"], "name")
        builder.headshot(self.headshots.replace("{id}", ref), self.picture_hosts)


def _table(page: Page, name: str, needs: Sequence[str]) -> list[dict[str, Any] | None]:
    """Return the rows of a result set by the names of its headers; None for a row of another length."""
    answer = as_object(parse_json(decode_text(page.body), f"the result set {name}"), f"the result set {name}")
    sets = answer.get("resultSets", answer.get("resultSet"))
    found = [each for each in (sets if isinstance(sets, list) else [sets]) if isinstance(each, dict)]
    table = next((each for each in found if each.get("name") == name), None)
    if table is None:
        schema_changed(f"the result set {name}")
    headers = as_list(require_key(table, "headers"), f"headers of {name}")
    missing = [header for header in needs if header not in headers]
    if missing:
        schema_changed(f"the header {', '.join(missing)} in {name}")
    rows = as_list(require_key(table, "rowSet"), f"rows of {name}")
    fits = (isinstance(row, list) and len(row) == len(headers) for row in rows)
    return [
        dict(zip(map(str, headers), row, strict=True)) if fit else None for row, fit in zip(rows, fits, strict=True)
    ]
