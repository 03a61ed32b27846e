"""NHL: the bios of api.nhle.com, skaters and goalies by pages; pictures from the teams' rosters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from pydantic import Field

from personax.http import Page, Request
from personax.registry import register
from personax.sources._records import Record
from personax.sources.leagues._league import League
from personax.sources.leagues._pagination import Listed, Ref, Step
from personax.sources.leagues._parsing import (
    as_list,
    as_object,
    at,
    changed,
    get,
    identifier,
    parse_json,
    text_of,
)
from personax.sources.leagues._record_builder import merged

__all__ = ["Nhl"]

_KEYS = ("playerId", "birthDate", "birthCity", "birthCountryCode", "nationalityCode", "height", "weight")
_NAMES = {"skater": "skaterFullName", "goalie": "goalieFullName"}


@register("sources", "nhl", title="NHL", order=50)
class Nhl(League):
    """The NHL, the regular games of one season.

    Parameters
    ----------
    season
        As the site writes it: ``20252026``.
    rosters_url
        Where the rosters are; None leaves them, and with them the pictures, out.
    page_size
        People a page of the list; the site has been seen to give no more than 100.
    """

    name: ClassVar[str] = "nhl"
    label: ClassVar[str] = "NHL"

    base_url: str = "https://api.nhle.com"
    picture_hosts: list[str] = ["assets.nhle.com"]
    rosters_url: str | None = "https://api-web.nhle.com"
    season: str = Field(pattern=r"^\d{8}$")
    page_size: int = Field(default=100, gt=0)

    def start(self) -> Sequence[Step]:
        """Return the first page of the skaters and of the goalies."""
        return [self._step(kind, 0) for kind in _NAMES]

    def _step(self, kind: str, start: int) -> Step:
        games = f"seasonId={self.season} and gameTypeId=2"
        asked = urlencode({"limit": self.page_size, "start": start, "cayenneExp": games}, quote_via=quote)
        return Step(self.request(f"/stats/rest/en/{kind}/bios?{asked}"), kind, start, start > 0)

    def listed(self, page: Page, step: Step) -> Listed:
        """Read a page of bios."""
        answer = as_object(parse_json(text_of(page.body), "bios"), "bios")
        rows = as_list(at(answer, "data"), "bios")
        total = at(answer, "total")
        if isinstance(total, bool) or not isinstance(total, int):
            changed("a whole number of bios in total")
        end = step.start + len(rows)
        then = [self._step(step.kind, end)] if rows and end < total else []
        return Listed([self._row(row, step.kind, page) for row in rows], then)

    def _row(self, row: Any, kind: str, page: Page) -> Ref | str:  # noqa: ANN401 - whatever JSON held
        missing = [key for key in (*_KEYS, _NAMES[kind]) if not isinstance(row, dict) or key not in row]
        ref = identifier(get(row, "playerId"))
        if missing or not re.fullmatch(r"[0-9]+", ref):
            return f"a row of the {kind}s' bios without {', '.join(missing) or 'an id'}"
        draft = self.draft(ref, page)
        draft.text("name", row[_NAMES[kind]])
        draft.born(row["birthDate"])
        draft.quantity("height_cm", row["height"], "in")
        draft.quantity("weight_kg", row["weight"], "lb")
        draft.country("nationality", row["nationalityCode"], "iso3")
        draft.country("birth_country", row["birthCountryCode"], "iso3")
        draft.place("birthplace", row["birthCity"], row.get("birthStateProvinceCode"))
        draft.text("position", "G" if kind == "goalie" else row.get("positionCode"))
        team = row.get("currentTeamAbbrev")
        draft.text("team", row.get("currentTeamName") or team)
        return Ref(ref, draft.record(), team if isinstance(team, str) and re.fullmatch(r"[A-Z]{3}", team) else "")

    def detail(self, ref: Ref) -> Request | None:
        """Return the request for the roster of the player's team; a team is asked for once."""
        if self.rosters_url is None or not ref.detail:
            return None
        return self.plain_request(f"{self.rosters_url}/v1/roster/{ref.detail}/{self.season}")

    def parse(self, page: Page, ref: Ref) -> Record:
        """Read a player's picture from the roster; who has left the team since has none."""
        roster = as_object(parse_json(text_of(page.body), "a roster"), "a roster")
        groups = [as_list(at(roster, group), group) for group in ("forwards", "defensemen", "goalies")]
        draft = self.draft(ref.id, page)
        for player in (player for group in groups for player in group):
            if identifier(get(player, "id")) == ref.id:
                draft.headshot(get(player, "headshot"), self.picture_hosts)
        return merged(ref.listed, draft.record())
