"""ESPN: team rosters with all that is known of a player, no key; for the NFL, and in one pattern for other leagues."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

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
    objects,
    parse_json,
    text_of,
)
from personax.sources.leagues._record_builder import Draft, merged

__all__ = ["Espn"]

_KEYS = ("id", "fullName")
_ATHLETE = re.compile(r"/athletes/(\d+)(?:[?/]|$)")
"""The id in a link of the list of athletes; the link itself is not followed."""


@register("sources", "espn", title="ESPN", order=30)
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

    base_url: str = "https://site.api.espn.com"
    picture_hosts: list[str] = ["a.espncdn.com"]
    core_url: str = "https://sports.core.api.espn.com"
    sport: str = Field(default="football", pattern=r"^[a-z-]+$")
    competition: str = Field(default="nfl", pattern=r"^[a-z0-9.-]+$")
    called: str = "NFL"
    listing: Literal["rosters", "athletes"] = "rosters"
    page_size: int = Field(default=500, gt=0)

    def draft(self, ref: str, page: Page) -> Draft:
        """Return an empty record of the league that is asked for."""
        draft = super().draft(ref, page)
        draft.text("league", self.called)
        return draft

    def start(self) -> Sequence[Step]:
        """Return the page of the teams, or the first page of the athletes."""
        if self.listing == "athletes":
            return [self._athletes(1)]
        return [Step(self.request(f"/apis/site/v2/sports/{self.sport}/{self.competition}/teams"), "teams")]

    def _athletes(self, number: int) -> Step:
        asked = f"athletes?limit={self.page_size}&active=true&page={number}"
        return Step(self.plain_request(f"{self._core}/{asked}"), "athletes", number, number > 1)

    @property
    def _core(self) -> str:
        return f"{self.core_url}/v2/sports/{self.sport}/leagues/{self.competition}"

    def listed(self, page: Page, step: Step) -> Listed:
        """Read the teams, a roster, or a page of the list of athletes."""
        answer = as_object(parse_json(text_of(page.body), step.kind), step.kind)
        if step.kind == "teams":
            return Listed((), self._teams(answer))
        return self._links(answer, page, step) if step.kind == "athletes" else self._roster(answer, page)

    def _teams(self, answer: dict[str, Any]) -> list[Step]:
        found = [each["team"] for each in objects(answer, lambda each: isinstance(each.get("team"), dict))]
        ids = dict.fromkeys(identifier(team.get("id")) for team in found)
        paths = [f"teams/{team}/roster" for team in ids if re.fullmatch(r"[0-9]+", team)]
        if not paths:
            changed("a team with an id")
        site = f"/apis/site/v2/sports/{self.sport}/{self.competition}"
        return [Step(self.request(f"{site}/{path}"), "roster") for path in paths]

    def _roster(self, answer: dict[str, Any], page: Page) -> Listed:
        """Read a roster, in groups (offense, defense ...) or flat."""
        people: list[Any] = []
        for each in as_list(at(answer, "athletes"), "athletes"):
            if isinstance(each, dict) and "items" in each:
                people += as_list(each["items"], "athletes of a group")
            else:
                people.append(each)
        team = get(answer, "team", "displayName")
        return Listed([self._row(player, team, page) for player in people])

    def _row(self, player: Any, team: object, page: Page) -> Ref | str:  # noqa: ANN401 - whatever JSON held
        ref = identifier(get(player, "id"))
        missing = [key for key in _KEYS if not isinstance(player, dict) or key not in player]
        if missing or not re.fullmatch(r"[0-9]+", ref):
            return f"an athlete without {', '.join(missing) or 'an id'}"
        draft = self.draft(ref, page)
        self._fill(draft, player)
        draft.text("team", team)
        return Ref(ref, draft.record())

    def _links(self, answer: dict[str, Any], page: Page, step: Step) -> Listed:
        links = [get(item, "$ref") for item in as_list(at(answer, "items"), "links to athletes")]
        found = [_ATHLETE.search(link) if isinstance(link, str) else None for link in links]
        people = [
            "a link that names no athlete" if each is None else Ref(each[1], self.draft(each[1], page).record())
            for each in found
        ]
        pages = at(answer, "pageCount")
        more = isinstance(pages, int) and step.start < pages
        return Listed(people, [self._athletes(step.start + 1)] if more else [])

    def detail(self, ref: Ref) -> Request | None:
        """Return the request for an athlete's own page, where the list has names only as links."""
        if self.listing == "rosters":
            return None
        return self.plain_request(f"{self._core}/athletes/{ref.id}")

    def parse(self, page: Page, ref: Ref) -> Record:
        """Read an athlete's own page."""
        player = as_object(parse_json(text_of(page.body), "an athlete"), "an athlete")
        if identifier(at(player, "id")) != ref.id:
            changed("the athlete that was asked for")
        at(player, "fullName")
        draft = self.draft(ref.id, page)
        self._fill(draft, player)
        return merged(ref.listed, draft.record())

    def _fill(self, draft: Draft, player: dict[str, Any]) -> None:
        """Write what an athlete's object says; what ESPN does not know it leaves out."""
        draft.text("name", player["fullName"])
        draft.text("gender", self.gender if self.gender is not None else _gender(player.get("gender")))
        draft.born(player.get("dateOfBirth"), "iso")  # local midnight written in UTC: the day is right, the hour is not
        draft.quantity("height_cm", player.get("height"), "in")
        draft.quantity("weight_kg", player.get("weight"), "lb")
        draft.text("position", get(player, "position", "name"))
        draft.country("nationality", player.get("citizenship"), "name")
        draft.country("birth_country", get(player, "birthPlace", "country"), "name")
        draft.place("birthplace", get(player, "birthPlace", "city"), get(player, "birthPlace", "state"))
        draft.headshot(get(player, "headshot", "href"), self.picture_hosts)


def _gender(written: object) -> object:
    return written.lower() if isinstance(written, str) else written
