"""ATP: the ranking list of the site's app, then each player's own page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlencode

from pydantic import Field

from personax.errors import SourceError
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
)
from personax.sources.leagues._record_builder import merge_records
from personax.strict import Host, Url

__all__ = ["Atp"]


@register(
    "sources", "atp", title="ATP Tour", order=60, sport="tennis",
    terms={"attribution": "ATP Tour", "reference": "https://www.atptour.com"},
)  # fmt: skip
class Atp(League):
    """The ATP tour, men, by singles ranking.

    Parameters
    ----------
    site_url
        Where the players' own pages are; the list has another host.
    ranks
        Number of ranks, from the top.
    page_size
        Ranks a page of the list.
    headshots
        Address of a picture; ``{id}`` is the player's, in lower case.
    """

    name: ClassVar[str] = "atp"
    label: ClassVar[str] = "ATP"

    base_url: Url = "https://app.atptour.com"
    picture_hosts: list[Host] = ["www.atptour.com"]
    site_url: Url = "https://www.atptour.com"
    gender: str | None = "male"
    ranks: int = Field(default=500, gt=0)
    page_size: int = Field(default=100, gt=0)
    headshots: Host = "https://www.atptour.com/-/media/alias/player-headshot/{id}"

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the first page of the ranking."""
        return [self._step(1)]

    def _step(self, first: int) -> PageRequest:
        parameters = urlencode({"fromRank": first, "toRank": min(first + self.page_size - 1, self.ranks)})
        return PageRequest(
            self.request(f"/api/gateway/rankings.ranksglrollrange?{parameters}"), offset=first, is_next=first > 1
        )

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read a page of the ranking."""
        answer = parse_json(decode_text(page.body), "the ranking")
        players = as_list(require_key(answer, "Data", "Rankings", "Players"), "ranked players")
        first = page_request.offset + self.page_size
        next_pages = [self._step(first)] if players and first <= self.ranks else []
        return ListPage([self._row(player, page) for player in players], next_pages)

    def _row(self, player: Json, page: Page) -> ListedPerson | str:
        ref = identifier(get_path(player, "PlayerId")).upper()
        if not re.fullmatch(r"[A-Z0-9]{4}", ref) or "LastName" not in player:
            return "a ranked player without PlayerId or LastName"
        builder = self.builder(ref, page)
        builder.text("name", player.get("FirstName"), player["LastName"])
        builder.country("nationality", player.get("NatlId"), "ioc")
        builder.headshot(self.headshots.replace("{id}", ref.lower()), self.picture_hosts)
        return ListedPerson(ref, builder.record())

    def detail_request(self, ref: ListedPerson) -> Request:
        """Return the request for a player's own page."""
        return self.request_without_key(f"{self.site_url}/en/-/www/players/hero/{ref.id}?v=1")

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read a player's own page; it does not repeat the id, so who it is follows from the request."""
        answer = parse_json(decode_text(page.body), "a player")
        if answer is None:
            raise SourceError("the site knows no such player")
        player = as_object(answer, "a player")
        builder = self.builder(ref.id, page)
        builder.text("name", require_key(player, "FirstName"), require_key(player, "LastName"))
        builder.birth_date(require_key(player, "BirthDate"))
        builder.quantity("height_cm", require_key(player, "HeightCm"), "cm")
        builder.quantity("height_cm", player.get("HeightIn"), "in")
        builder.quantity("weight_kg", require_key(player, "WeightKg"), "kg")
        builder.quantity("weight_kg", player.get("WeightLb"), "lb")
        builder.country("nationality", require_key(player, "NatlId"), "ioc")
        builder.text("birthplace", player.get("BirthCity"))
        return merge_records(ref.list_record, builder.record())
