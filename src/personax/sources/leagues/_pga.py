"""PGA Tour: GraphQL with a key of your own, or the state that the site's pages carry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from personax.errors import SourceError
from personax.http import Page, Request
from personax.registry import register
from personax.sources._records import Record
from personax.sources.leagues._league import League
from personax.sources.leagues._pagination import Listed, Ref, Step
from personax.sources.leagues._parsing import (
    Object,
    as_list,
    at,
    changed,
    embedded_state,
    get,
    identifier,
    objects,
    parse_json,
    text_of,
)
from personax.sources.leagues._record_builder import clean, merged

__all__ = ["Pga"]

_DIRECTORY = (
    "query Directory($tour: TourCode!, $active: Boolean) { playerDirectory(tourCode: $tour, active: $active) "
    "{ players { id firstName lastName displayName country headshot } } }"
)
_PLAYERS = (
    "query Players($ids: [ID!]!) { players(ids: $ids) { id firstName lastName displayName country playerBio "
    "{ heightImperial heightMeters weightImperial weightKilograms born birthplace { city state country } } } }"
)
_DATES = ("iso", "%b %d, %Y", "%B %d, %Y", "%b. %d, %Y", "%m/%d/%Y", "%d %b %Y", "%d %B %Y")
"""The site's own form was not seen: all that name the day without doubt, and the American one."""


@register("sources", "pga", title="PGA Tour", order=70)
class Pga(League):
    """The PGA Tour.

    Parameters
    ----------
    via
        ``graphql`` wants a key in the environment variable that ``key`` names; ``pages`` reads the site's pages.
    site_url
        Of those pages.
    tour
        Code of the tour: R, H, M, S, C, I, Y, U or E.
    active
        Only active players.
    batch
        Players a request.
    headshots
        Address of a picture; ``{id}`` is the player's.
    """

    name: ClassVar[str] = "pga"
    label: ClassVar[str] = "PGA Tour"

    base_url: str = "https://orchestrator.pgatour.com"
    picture_hosts: list[str] = ["pga-tour-res.cloudinary.com"]
    site_url: str = "https://www.pgatour.com"
    via: Literal["graphql", "pages"] = "graphql"
    key: str | None = "PERSONAX_PGA_KEY"
    tour: Literal["R", "H", "M", "S", "C", "I", "Y", "U", "E"] = "R"
    active: bool = True
    batch: int = Field(default=50, gt=0)
    headshots: str = (
        "https://pga-tour-res.cloudinary.com/image/upload/c_fill,g_face:center,h_350,q_auto,w_280/headshots_{id}.png"
    )

    def _own_headers(self) -> dict[str, str]:
        return {"x-pgat-platform": "web"}

    def start(self) -> Sequence[Step]:
        """Return the directory of players, which is one page."""
        if self.via == "pages":
            return [Step(self._page("/players"))]
        return [Step(self._ask(_DIRECTORY, {"tour": self.tour, "active": self.active}))]

    def _ask(self, query: str, variables: dict[str, Any]) -> Request:
        return self.request("/graphql", body={"query": query, "variables": variables})

    def _page(self, path: str) -> Request:
        return self.plain_request(self.site_url + path, accepts=("text/html",))

    def listed(self, page: Page, step: Step) -> Listed:
        """Read the directory."""
        if self.via == "pages":
            players = list(objects(embedded_state(page.body, "__NEXT_DATA__"), _is_player))
            if not players:
                changed("a player with id, firstName and lastName in __NEXT_DATA__")
        else:
            players = as_list(at(_answer(page), "playerDirectory", "players"), "players")
        rows = [self._row(player, page) for player in players]
        refs = [row.id for row in rows if isinstance(row, Ref)]
        batches = {ref: refs[n - n % self.batch : n - n % self.batch + self.batch] for n, ref in enumerate(refs)}
        people = [Ref(row.id, row.listed, " ".join(batches[row.id])) if isinstance(row, Ref) else row for row in rows]
        return Listed(people)

    def _row(self, player: Any, page: Page) -> Ref | str:  # noqa: ANN401 - whatever JSON held
        ref = identifier(get(player, "id"))
        if not re.fullmatch(r"[0-9]+", ref) or not _is_player(player):
            return "a player without id, firstName or lastName"
        draft = self.draft(ref, page)
        draft.text("name", _name(player))
        draft.country("nationality", player.get("country"), "name")
        draft.headshot(self.headshots.replace("{id}", ref), self.picture_hosts)
        return Ref(ref, draft.record())

    def detail(self, ref: Ref) -> Request:
        """Return the request for the bios of the player's batch, or for their own page."""
        if self.via == "pages":
            return self._page(f"/player/{ref.id}")
        return self._ask(_PLAYERS, {"ids": ref.detail.split() or [ref.id]})

    def parse(self, page: Page, ref: Ref) -> Record:
        """Read a player's bio."""
        if self.via == "pages":
            found: Any = list(objects(embedded_state(page.body, "__NEXT_DATA__"), lambda each: "playerBio" in each))
            if not found:
                changed("a player with playerBio in __NEXT_DATA__")
        else:
            found = as_list(at(_answer(page), "players"), "players")
        player = next((each for each in found if identifier(get(each, "id")) == ref.id), None)
        if player is None:
            raise SourceError("the page has no such player")
        draft = self.draft(ref.id, page)
        draft.text("name", _name(player))
        draft.country("nationality", player.get("country"), "name")
        bio = at(player, "playerBio")
        if bio is not None:
            draft.born(at(bio, "born"), *_DATES)
            draft.quantity("height_cm", at(bio, "heightImperial"), "ft-in")
            draft.quantity("height_cm", get(bio, "heightMeters"), "m")
            draft.quantity("weight_kg", at(bio, "weightImperial"), "lb")
            draft.quantity("weight_kg", get(bio, "weightKilograms"), "kg")
            draft.place("birthplace", get(bio, "birthplace", "city"), get(bio, "birthplace", "state"))
            draft.country("birth_country", get(bio, "birthplace", "country"), "name")
        return merged(ref.listed, draft.record())


def _is_player(found: Object) -> bool:
    return isinstance(found, dict) and {"id", "firstName", "lastName"} <= found.keys()


def _name(player: Object) -> object:
    """Return the name as it is displayed, or else first and last name."""
    if player.get("displayName"):
        return player["displayName"]
    first, last = player.get("firstName"), player.get("lastName")
    return " ".join(part for part in (first, last) if isinstance(part, str)) or None


def _answer(page: Page) -> Any:  # noqa: ANN401 - whatever JSON held
    """Return the data of a GraphQL answer; its errors come with status 200."""
    answer = parse_json(text_of(page.body), "a GraphQL answer")
    data, errors = get(answer, "data"), get(answer, "errors")
    if data is None and isinstance(errors, list) and errors:
        raise SourceError(f"the site answers with an error: {_said(errors[0])}")
    return at(answer, "data")


def _said(error: object) -> str:
    try:
        return (clean(get(error, "message")) or clean(get(error, "errorType")) or "without a word")[:120]
    except ValueError:
        return "unreadable"
