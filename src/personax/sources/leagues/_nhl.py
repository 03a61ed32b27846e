"""NHL: the bios of api.nhle.com, skaters and goalies by pages; pictures from the teams' rosters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote, urlencode

from pydantic import Field

from personax.files import Json
from personax.http import Page, Request
from personax.registry import register
from personax.sources._records import Record
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest
from personax.sources.leagues._league import League
from personax.sources.leagues._parsing import (
    as_list,
    as_object,
    decode_text,
    get_path,
    identifier,
    parse_json,
    require_key,
    schema_changed,
)
from personax.sources.leagues._record_builder import merge_records
from personax.strict import Host, Url

__all__ = ["Nhl"]

_KEYS = ("playerId", "birthDate", "birthCity", "birthCountryCode", "nationalityCode", "height", "weight")
_NAMES = {"skater": "skaterFullName", "goalie": "goalieFullName"}


@register(
    "sources", "nhl", title="NHL", order=50, sport="ice hockey",
    terms={"attribution": "NHL", "reference": "https://www.nhl.com"},
)  # fmt: skip
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

    base_url: Url = "https://api.nhle.com"
    picture_hosts: list[Host] = ["assets.nhle.com"]
    rosters_url: Url | None = "https://api-web.nhle.com"
    season: str = Field(pattern=r"^\d{8}$")
    page_size: int = Field(default=100, gt=0)

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the first page of the skaters and of the goalies."""
        return [self._step(kind, 0) for kind in _NAMES]

    def _step(self, kind: str, start: int) -> PageRequest:
        games = f"seasonId={self.season} and gameTypeId=2"
        parameters = urlencode({"limit": self.page_size, "start": start, "cayenneExp": games}, quote_via=quote)
        return PageRequest(self.request(f"/stats/rest/en/{kind}/bios?{parameters}"), kind, start, start > 0)

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read a page of bios."""
        answer = as_object(parse_json(decode_text(page.body), "bios"), "bios")
        rows = as_list(require_key(answer, "data"), "bios")
        total = require_key(answer, "total")
        if isinstance(total, bool) or not isinstance(total, int):
            schema_changed("a whole number of bios in total")
        end = page_request.offset + len(rows)
        next_pages = [self._step(page_request.kind, end)] if rows and end < total else []
        return ListPage([self._row(row, page_request.kind, page) for row in rows], next_pages)

    def _row(self, row: Json, kind: str, page: Page) -> ListedPerson | str:
        missing = [key for key in (*_KEYS, _NAMES[kind]) if not isinstance(row, dict) or key not in row]
        ref = identifier(get_path(row, "playerId"))
        if missing or not re.fullmatch(r"[0-9]+", ref):
            return f"a row of the {kind}s' bios without {', '.join(missing) or 'an id'}"
        builder = self.builder(ref, page)
        builder.text("name", row[_NAMES[kind]])
        builder.birth_date(row["birthDate"])
        builder.quantity("height_cm", row["height"], "in")
        builder.quantity("weight_kg", row["weight"], "lb")
        builder.country("nationality", row["nationalityCode"], "iso3")
        builder.country("birth_country", row["birthCountryCode"], "iso3")
        builder.place("birthplace", row["birthCity"], row.get("birthStateProvinceCode"))
        builder.text("position", "G" if kind == "goalie" else row.get("positionCode"))
        team = row.get("currentTeamAbbrev")
        builder.text("team", row.get("currentTeamName") or team)
        return ListedPerson(
            ref, builder.record(), team if isinstance(team, str) and re.fullmatch(r"[A-Z]{3}", team) else ""
        )

    def detail_request(self, ref: ListedPerson) -> Request | None:
        """Return the request for the roster of the player's team; a team is requested once."""
        if self.rosters_url is None or not ref.detail:
            return None
        return self.request_without_key(f"{self.rosters_url}/v1/roster/{ref.detail}/{self.season}")

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read a player's picture from the roster; who has left the team since has none."""
        roster = as_object(parse_json(decode_text(page.body), "a roster"), "a roster")
        groups = [as_list(require_key(roster, group), group) for group in ("forwards", "defensemen", "goalies")]
        builder = self.builder(ref.id, page)
        for player in (player for group in groups for player in group):
            if identifier(get_path(player, "id")) == ref.id:
                builder.headshot(get_path(player, "headshot"), self.picture_hosts)
        return merge_records(ref.list_record, builder.record())
