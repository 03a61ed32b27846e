"""ATP: the ranking list of the site's app, then each player's own page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field

from personax.errors import SourceError
from personax.http import Page, Request
from personax.registry import register
from personax.sources._records import Record
from personax.sources.leagues._league import League
from personax.sources.leagues._pagination import Listed, Ref, Step
from personax.sources.leagues._parsing import as_list, as_object, at, get, identifier, parse_json, text_of
from personax.sources.leagues._record_builder import merged

__all__ = ["Atp"]


@register("sources", "atp", title="ATP Tour", order=60)
class Atp(League):
    """The ATP tour, men, by singles ranking.

    Parameters
    ----------
    site_url
        Where the players' own pages are; the list has another host.
    ranks
        So many from the top.
    page_size
        Ranks a page of the list.
    headshots
        Address of a picture; ``{id}`` is the player's, in lower case.
    """

    name: ClassVar[str] = "atp"
    label: ClassVar[str] = "ATP"

    base_url: str = "https://app.atptour.com"
    picture_hosts: list[str] = ["www.atptour.com"]
    site_url: str = "https://www.atptour.com"
    gender: str | None = "male"
    ranks: int = Field(default=500, gt=0)
    page_size: int = Field(default=100, gt=0)
    headshots: str = "https://www.atptour.com/-/media/alias/player-headshot/{id}"

    def start(self) -> Sequence[Step]:
        """Return the first page of the ranking."""
        return [self._step(1)]

    def _step(self, first: int) -> Step:
        asked = urlencode({"fromRank": first, "toRank": min(first + self.page_size - 1, self.ranks)})
        return Step(self.request(f"/api/gateway/rankings.ranksglrollrange?{asked}"), start=first, follows=first > 1)

    def listed(self, page: Page, step: Step) -> Listed:
        """Read a page of the ranking."""
        answer = parse_json(text_of(page.body), "the ranking")
        players = as_list(at(answer, "Data", "Rankings", "Players"), "ranked players")
        first = step.start + self.page_size
        then = [self._step(first)] if players and first <= self.ranks else []
        return Listed([self._row(player, page) for player in players], then)

    def _row(self, player: Any, page: Page) -> Ref | str:  # noqa: ANN401 - whatever JSON held
        ref = identifier(get(player, "PlayerId")).upper()
        if not re.fullmatch(r"[A-Z0-9]{4}", ref) or "LastName" not in player:
            return "a ranked player without PlayerId or LastName"
        draft = self.draft(ref, page)
        draft.text("name", player.get("FirstName"), player["LastName"])
        draft.country("nationality", player.get("NatlId"), "ioc")
        draft.headshot(self.headshots.replace("{id}", ref.lower()), self.picture_hosts)
        return Ref(ref, draft.record())

    def detail(self, ref: Ref) -> Request:
        """Return the request for a player's own page."""
        return self.plain_request(f"{self.site_url}/en/-/www/players/hero/{ref.id}?v=1")

    def parse(self, page: Page, ref: Ref) -> Record:
        """Read a player's own page; it does not repeat the id, so who it is follows from the request."""
        answer = parse_json(text_of(page.body), "a player")
        if answer is None:
            raise SourceError("the site knows no such player")
        player = as_object(answer, "a player")
        draft = self.draft(ref.id, page)
        draft.text("name", at(player, "FirstName"), at(player, "LastName"))
        draft.born(at(player, "BirthDate"))
        draft.quantity("height_cm", at(player, "HeightCm"), "cm")
        draft.quantity("height_cm", player.get("HeightIn"), "in")
        draft.quantity("weight_kg", at(player, "WeightKg"), "kg")
        draft.quantity("weight_kg", player.get("WeightLb"), "lb")
        draft.country("nationality", at(player, "NatlId"), "ioc")
        draft.text("birthplace", player.get("BirthCity"))
        return merged(ref.listed, draft.record())
