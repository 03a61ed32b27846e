"""Premier League: the players of a season, who bring all that is known; the next page has a cursor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field

from personax.http import Page
from personax.registry import register
from personax.sources.leagues._league import League
from personax.sources.leagues._pagination import Listed, Ref, Step
from personax.sources.leagues._parsing import as_list, at, changed, get, identifier, parse_json, text_of
from personax.sources.leagues._record_builder import Draft

__all__ = ["PremierLeague"]


@register("sources", "premier_league", title="Premier League", order=80)
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

    base_url: str = "https://sdp-prem-prod.premier-league-prod.pulselive.com"
    picture_hosts: list[str] = ["resources.premierleague.com"]
    gender: str | None = "male"
    season: str = Field(pattern=r"^\d{4}$")
    competition: str = Field(default="8", pattern=r"^\d+$")
    page_size: int = Field(default=100, gt=0)
    headshots: str = "https://resources.premierleague.com/premierleague{yy}/photos/players/250x250/{id}.png"

    def start(self) -> Sequence[Step]:
        """Return the first page of the season's players."""
        return [self._step(None)]

    def _step(self, cursor: str | None) -> Step:
        asked = {"_limit": self.page_size} | ({} if cursor is None else {"_next": cursor})
        path = f"/api/v1/competitions/{self.competition}/seasons/{self.season}/players?{urlencode(asked)}"
        return Step(self.request(path), follows=cursor is not None)

    def listed(self, page: Page, step: Step) -> Listed:
        """Read a page of players."""
        answer = parse_json(text_of(page.body), "players of a season")
        players = as_list(at(answer, "data"), "players of a season")
        cursor = at(answer, "pagination", "_next")
        if cursor is not None and not (isinstance(cursor, str) and cursor.isascii() and cursor.isprintable()):
            changed("a text in pagination._next")
        return Listed([self._row(player, page) for player in players], [self._step(cursor)] if cursor else [])

    def _row(self, player: Any, page: Page) -> Ref | str:  # noqa: ANN401 - whatever JSON held
        ref = identifier(get(player, "id", "playerId"))
        if not re.fullmatch(r"[0-9]+", ref):
            return "a player without id.playerId"
        draft = self.draft(ref, page)
        self._name(draft, get(player, "name"))
        draft.born(get(player, "dates", "birth"), "iso", "%d/%m/%Y", "%d %B %Y")
        draft.quantity("height_cm", get(player, "height"), "cm")
        draft.quantity("weight_kg", get(player, "weight"), "kg")
        draft.text("position", get(player, "position"))
        draft.text("team", get(player, "currentTeam", "name"))
        self._country(draft, get(player, "country"))
        draft.headshot(self.headshots.replace("{id}", ref).replace("{yy}", self.season[2:]), self.picture_hosts)
        return Ref(ref, draft.record())

    def _name(self, draft: Draft, name: object) -> None:
        if get(name, "display"):
            draft.text("name", get(name, "display"))
        else:
            draft.text("name", get(name, "firstName"), get(name, "lastName"))

    def _country(self, draft: Draft, country: object) -> None:
        """Write the nationality: by name where there is one, for the case of the codes differs."""
        if get(country, "country"):
            draft.country("nationality", get(country, "country"), "name")
        else:
            code = get(country, "isoCode")
            draft.country("nationality", code.upper() if isinstance(code, str) else code, "iso2")
