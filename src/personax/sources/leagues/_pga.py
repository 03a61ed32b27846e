"""PGA Tour: GraphQL with a key of your own, or the state that the site's pages carry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from personax.errors import SourceError
from personax.files import Json
from personax.http import Page, Request
from personax.registry import register
from personax.sources._records import Record
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest
from personax.sources.leagues._league import League
from personax.sources.leagues._parsing import (
    Object,
    as_list,
    decode_text,
    embedded_state,
    find_objects,
    get_path,
    identifier,
    parse_json,
    require_key,
    schema_changed,
)
from personax.sources.leagues._record_builder import clean_text, merge_records
from personax.strict import EnvName, Host, Url

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


@register(
    "sources", "pga", title="PGA Tour", order=70, sport="golf", aliases=("PGA Tour",),
    terms={"attribution": "PGA TOUR", "reference": "https://www.pgatour.com"},
)  # fmt: skip
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

    base_url: Url = "https://orchestrator.pgatour.com"
    picture_hosts: list[Host] = ["pga-tour-res.cloudinary.com"]
    site_url: Url = "https://www.pgatour.com"
    via: Literal["graphql", "pages"] = "graphql"
    key: EnvName | None = "PERSONAX_PGA_KEY"
    tour: Literal["R", "H", "M", "S", "C", "I", "Y", "U", "E"] = "R"
    active: bool = True
    batch: int = Field(default=50, gt=0)
    headshots: Host = (
        "https://pga-tour-res.cloudinary.com/image/upload/c_fill,g_face:center,h_350,q_auto,w_280/headshots_{id}.png"
    )

    def _own_headers(self) -> dict[str, str]:
        return {"x-pgat-platform": "web"}

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the directory of players, which is one page."""
        if self.via == "pages":
            return [PageRequest(self._page("/players"))]
        return [PageRequest(self._ask(_DIRECTORY, {"tour": self.tour, "active": self.active}))]

    def _ask(self, query: str, variables: dict[str, Any]) -> Request:
        return self.request("/graphql", body={"query": query, "variables": variables})

    def _page(self, path: str) -> Request:
        return self.request_without_key(self.site_url + path, accepts=("text/html",))

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read the directory."""
        if self.via == "pages":
            players = list(find_objects(embedded_state(page.body, "__NEXT_DATA__"), _is_player))
            if not players:
                schema_changed("a player with id, firstName and lastName in __NEXT_DATA__")
        else:
            players = as_list(require_key(_answer(page), "playerDirectory", "players"), "players")
        rows = [self._row(player, page) for player in players]
        refs = [row.id for row in rows if isinstance(row, ListedPerson)]
        batches = {ref: refs[n - n % self.batch : n - n % self.batch + self.batch] for n, ref in enumerate(refs)}
        people = [
            ListedPerson(row.id, row.list_record, " ".join(batches[row.id])) if isinstance(row, ListedPerson) else row
            for row in rows
        ]
        return ListPage(people)

    def _row(self, player: Json, page: Page) -> ListedPerson | str:
        ref = identifier(get_path(player, "id"))
        if not re.fullmatch(r"[0-9]+", ref) or not _is_player(player):
            return "a player without id, firstName or lastName"
        builder = self.builder(ref, page)
        builder.text("name", _name(player))
        builder.country("nationality", player.get("country"), "name")
        builder.headshot(self.headshots.replace("{id}", ref), self.picture_hosts)
        return ListedPerson(ref, builder.record())

    def detail_request(self, ref: ListedPerson) -> Request:
        """Return the request for the bios of the player's batch, or for their own page."""
        if self.via == "pages":
            return self._page(f"/player/{ref.id}")
        return self._ask(_PLAYERS, {"ids": ref.detail.split() or [ref.id]})

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read a player's bio."""
        if self.via == "pages":
            found: Any = list(
                find_objects(embedded_state(page.body, "__NEXT_DATA__"), lambda each: "playerBio" in each)
            )
            if not found:
                schema_changed("a player with playerBio in __NEXT_DATA__")
        else:
            found = as_list(require_key(_answer(page), "players"), "players")
        player = next((each for each in found if identifier(get_path(each, "id")) == ref.id), None)
        if player is None:
            raise SourceError("the page has no such player")
        builder = self.builder(ref.id, page)
        builder.text("name", _name(player))
        builder.country("nationality", player.get("country"), "name")
        bio = require_key(player, "playerBio")
        if bio is not None:
            builder.birth_date(require_key(bio, "born"), *_DATES)
            builder.quantity("height_cm", require_key(bio, "heightImperial"), "ft-in")
            builder.quantity("height_cm", get_path(bio, "heightMeters"), "m")
            builder.quantity("weight_kg", require_key(bio, "weightImperial"), "lb")
            builder.quantity("weight_kg", get_path(bio, "weightKilograms"), "kg")
            builder.place("birthplace", get_path(bio, "birthplace", "city"), get_path(bio, "birthplace", "state"))
            builder.country("birth_country", get_path(bio, "birthplace", "country"), "name")
        return merge_records(ref.list_record, builder.record())


def _is_player(found: Object) -> bool:
    return isinstance(found, dict) and {"id", "firstName", "lastName"} <= found.keys()


def _name(player: Object) -> object:
    """Return the name as it is displayed, or else first and last name."""
    if player.get("displayName"):
        return player["displayName"]
    first, last = player.get("firstName"), player.get("lastName")
    return " ".join(part for part in (first, last) if isinstance(part, str)) or None


def _answer(page: Page) -> Json:
    """Return the data of a GraphQL answer; its errors come with status 200."""
    answer = parse_json(decode_text(page.body), "a GraphQL answer")
    data, errors = get_path(answer, "data"), get_path(answer, "errors")
    if data is None and isinstance(errors, list) and errors:
        raise SourceError(f"the site answers with an error: {_message_of(errors[0])}")
    return require_key(answer, "data")


def _message_of(error: object) -> str:
    try:
        return (clean_text(get_path(error, "message")) or clean_text(get_path(error, "errorType")) or "without a word")[
            :120
        ]
    except ValueError:
        return "unreadable"
