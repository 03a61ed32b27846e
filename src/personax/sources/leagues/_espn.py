"""ESPN: team rosters with all that is known of a player, no key; for the NFL, and in one pattern for other leagues."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

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
    find_objects,
    get_path,
    identifier,
    parse_json,
    require_key,
    schema_changed,
)
from personax.sources.leagues._record_builder import RecordBuilder, merge_records
from personax.strict import Host, Url

__all__ = ["Espn"]

_KEYS = ("id", "fullName")
_ATHLETE = re.compile(r"/athletes/(\d+)(?:[?/]|$)")
"""The id in a link of the list of athletes; the link itself is not followed."""


@register(
    "sources", "espn", title="ESPN", order=30,
    terms={"attribution": "ESPN", "reference": "https://www.espn.com"},
)  # fmt: skip
class Espn(League):
    """A league at ESPN.

    Parameters
    ----------
    sport, competition
        As ESPN writes them: ``football`` and ``nfl``, ``soccer`` and ``eng.1``, ``golf`` and ``pga`` ...
    called
        Name of the league in the people table.
    listing
        ``rosters`` reads the teams and their rosters; ``athletes`` the list of active athletes and a page of each, for
        sports without teams.
    core_url
        Where the list of athletes is.
    page_size
        Athletes a page of that list.
    """

    name: ClassVar[str] = "espn"
    label: ClassVar[str] = "NFL"

    base_url: Url = "https://site.api.espn.com"
    picture_hosts: list[Host] = ["a.espncdn.com"]
    core_url: Url = "https://sports.core.api.espn.com"
    sport: str = Field(default="football", pattern=r"^[a-z-]+$")
    competition: str = Field(default="nfl", pattern=r"^[a-z0-9.-]+$")
    called: str = "NFL"
    listing: Literal["rosters", "athletes"] = "rosters"
    page_size: int = Field(default=500, gt=0)

    def builder(self, ref: str, page: Page) -> RecordBuilder:
        """Return an empty record of the competition."""
        builder = super().builder(ref, page)
        builder.text("league", self.called)
        return builder

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the page of the teams, or the first page of the athletes."""
        if self.listing == "athletes":
            return [self._athletes(1)]
        return [PageRequest(self.request(f"/apis/site/v2/sports/{self.sport}/{self.competition}/teams"), "teams")]

    def _athletes(self, number: int) -> PageRequest:
        parameters = f"athletes?limit={self.page_size}&active=true&page={number}"
        return PageRequest(self.request_without_key(f"{self._core}/{parameters}"), "athletes", number, number > 1)

    @property
    def _core(self) -> str:
        return f"{self.core_url}/v2/sports/{self.sport}/leagues/{self.competition}"

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read the teams, a roster, or a page of the list of athletes."""
        answer = as_object(parse_json(decode_text(page.body), page_request.kind), page_request.kind)
        if page_request.kind == "teams":
            return ListPage((), self._teams(answer))
        return (
            self._links(answer, page, page_request) if page_request.kind == "athletes" else self._roster(answer, page)
        )

    def _teams(self, answer: dict[str, Any]) -> list[PageRequest]:
        found = [each["team"] for each in find_objects(answer, lambda each: isinstance(each.get("team"), dict))]
        ids = dict.fromkeys(identifier(team.get("id")) for team in found)
        paths = [f"teams/{team}/roster" for team in ids if re.fullmatch(r"[0-9]+", team)]
        if not paths:
            schema_changed("a team with an id")
        site = f"/apis/site/v2/sports/{self.sport}/{self.competition}"
        return [PageRequest(self.request(f"{site}/{path}"), "roster") for path in paths]

    def _roster(self, answer: dict[str, Any], page: Page) -> ListPage:
        """Read a roster, in groups (offense, defense ...) or flat."""
        people: list[Any] = []
        for each in as_list(require_key(answer, "athletes"), "athletes"):
            if isinstance(each, dict) and "items" in each:
                people += as_list(each["items"], "athletes of a group")
            else:
                people.append(each)
        team = get_path(answer, "team", "displayName")
        return ListPage([self._row(player, team, page) for player in people])

    def _row(self, player: Json, team: object, page: Page) -> ListedPerson | str:
        ref = identifier(get_path(player, "id"))
        missing = [key for key in _KEYS if not isinstance(player, dict) or key not in player]
        if missing or not re.fullmatch(r"[0-9]+", ref):
            return f"an athlete without {', '.join(missing) or 'an id'}"
        builder = self.builder(ref, page)
        self._fill(builder, player)
        builder.text("team", team)
        return ListedPerson(ref, builder.record())

    def _links(self, answer: dict[str, Any], page: Page, page_request: PageRequest) -> ListPage:
        links = [get_path(item, "$ref") for item in as_list(require_key(answer, "items"), "links to athletes")]
        found = [_ATHLETE.search(link) if isinstance(link, str) else None for link in links]
        people = [
            "a link that names no athlete"
            if each is None
            else ListedPerson(each[1], self.builder(each[1], page).record())
            for each in found
        ]
        pages = require_key(answer, "pageCount")
        more = isinstance(pages, int) and page_request.offset < pages
        return ListPage(people, [self._athletes(page_request.offset + 1)] if more else [])

    def detail_request(self, ref: ListedPerson) -> Request | None:
        """Return the request for an athlete's own page, where the list has names only as links."""
        if self.listing == "rosters":
            return None
        return self.request_without_key(f"{self._core}/athletes/{ref.id}")

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read an athlete's own page."""
        player = as_object(parse_json(decode_text(page.body), "an athlete"), "an athlete")
        if identifier(require_key(player, "id")) != ref.id:
            schema_changed("the athlete that was requested")
        require_key(player, "fullName")
        builder = self.builder(ref.id, page)
        self._fill(builder, player)
        return merge_records(ref.list_record, builder.record())

    def _fill(self, builder: RecordBuilder, player: dict[str, Any]) -> None:
        """Write what an athlete's object says; what ESPN does not know it leaves out."""
        builder.text("name", player["fullName"])
        builder.text("gender", self.gender if self.gender is not None else _gender(player.get("gender")))
        builder.birth_date(
            player.get("dateOfBirth"), "iso"
        )  # local midnight written in UTC: the day is right, the hour is not
        builder.quantity("height_cm", player.get("height"), "in")
        builder.quantity("height_cm", player.get("displayHeight"), "ft-in")  # clubs of football often have this alone
        builder.quantity("weight_kg", player.get("weight"), "lb")
        builder.text("position", get_path(player, "position", "name") or get_path(player, "position", "displayName"))
        builder.country("nationality", player.get("citizenship"), "name")
        builder.country("birth_country", get_path(player, "birthPlace", "country"), "name")
        builder.place("birthplace", get_path(player, "birthPlace", "city"), get_path(player, "birthPlace", "state"))
        builder.headshot(get_path(player, "headshot", "href"), self.picture_hosts)


def _gender(written: object) -> object:
    return written.lower() if isinstance(written, str) else written
