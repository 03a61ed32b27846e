"""Premier League: the players of a season, who bring all that is known; the next page has a cursor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlencode

from pydantic import Field

from personax.http import Page
from personax.registry import register
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest
from personax.sources.leagues._league import League
from personax.sources.leagues._parsing import (
    as_list,
    decode_text,
    get_path,
    identifier,
    parse_json,
    require_key,
    schema_changed,
)
from personax.sources.leagues._record_builder import RecordBuilder
from personax.strict import Host, Url

__all__ = ["PremierLeague"]


@register(
    "sources", "premier_league", title="Premier League", order=80, sport="football",
    terms={
        "attribution": "Premier League", "reference": "https://www.premierleague.com", "note": "The data are Opta's.",
    },
)  # fmt: skip
class PremierLeague(League):
    """The Premier League, men, one season.

    Parameters
    ----------
    season
        The year it begins: ``2025``.
    competition
        The site's number of the league.
    page_size
        People a page of the list.
    headshots
        Address of a picture; ``{id}`` is the player's, ``{yy}`` the season's last two digits.
    """

    name: ClassVar[str] = "premier_league"
    label: ClassVar[str] = "Premier League"

    base_url: Url = "https://sdp-prem-prod.premier-league-prod.pulselive.com"
    picture_hosts: list[Host] = ["resources.premierleague.com"]
    gender: str | None = "male"
    season: str = Field(pattern=r"^\d{4}$")
    competition: str = Field(default="8", pattern=r"^\d+$")
    page_size: int = Field(default=100, gt=0)
    headshots: Host = "https://resources.premierleague.com/premierleague{yy}/photos/players/250x250/{id}.png"

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the first page of the season's players."""
        return [self._step(None)]

    def _step(self, cursor: str | None) -> PageRequest:
        parameters = {"_limit": self.page_size} | ({} if cursor is None else {"_next": cursor})
        path = f"/api/v1/competitions/{self.competition}/seasons/{self.season}/players?{urlencode(parameters)}"
        return PageRequest(self.request(path), is_next=cursor is not None)

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read a page of players."""
        answer = parse_json(decode_text(page.body), "players of a season")
        players = as_list(require_key(answer, "data"), "players of a season")
        cursor = require_key(answer, "pagination", "_next")
        if cursor is not None and not (isinstance(cursor, str) and cursor.isascii() and cursor.isprintable()):
            schema_changed("a text in pagination._next")
        return ListPage([self._row(player, page) for player in players], [self._step(cursor)] if cursor else [])

    def _row(self, player: object, page: Page) -> ListedPerson | str:
        ref = identifier(get_path(player, "id", "playerId"))
        if not re.fullmatch(r"[0-9]+", ref):
            return "a player without id.playerId"
        builder = self.builder(ref, page)
        self._name(builder, get_path(player, "name"))
        builder.birth_date(get_path(player, "dates", "birth"), "iso", "%d/%m/%Y", "%d %B %Y")
        builder.quantity("height_cm", get_path(player, "height"), "cm")
        builder.quantity("weight_kg", get_path(player, "weight"), "kg")
        builder.text("position", get_path(player, "position"))
        builder.text("team", get_path(player, "currentTeam", "name"))
        self._country(builder, get_path(player, "country"))
        builder.headshot(self.headshots.replace("{id}", ref).replace("{yy}", self.season[2:]), self.picture_hosts)
        return ListedPerson(ref, builder.record())

    def _name(self, builder: RecordBuilder, name: object) -> None:
        if get_path(name, "display"):
            builder.text("name", get_path(name, "display"))
        else:
            builder.text("name", get_path(name, "firstName"), get_path(name, "lastName"))

    def _country(self, builder: RecordBuilder, country: object) -> None:
        """Write the nationality: by name where there is one, for the case of the codes differs."""
        if get_path(country, "country"):
            builder.country("nationality", get_path(country, "country"), "name")
        else:
            code = get_path(country, "isoCode")
            builder.country("nationality", code.upper() if isinstance(code, str) else code, "iso2")
