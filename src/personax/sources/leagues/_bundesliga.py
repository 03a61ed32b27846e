"""Bundesliga: the state that bundesliga.com's pages carry, or the app's interface with a key of your own.

Both hold the same objects of a person, which are found by their shape: the keys around them change with every build.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from personax.errors import SourceError
from personax.files import Json
from personax.http import Page, Request
from personax.registry import register
from personax.sources._records import Record
from personax.sources._units import FACTORS
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest
from personax.sources.leagues._league import League
from personax.sources.leagues._parsing import (
    Object,
    decode_text,
    embedded_state,
    find_objects,
    get_path,
    identifier,
    parse_json,
    schema_changed,
)
from personax.sources.leagues._record_builder import RecordBuilder, merge_records
from personax.strict import Host, Url

__all__ = ["Bundesliga"]

_PERSON = re.compile(r"DFL-OBJ-[0-9A-Z]+")
_CLUB = re.compile(r"DFL-CLU-[0-9A-Z]+")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_POSITIONS = ("GOALKEEPER", "DEFENSE", "MIDFIELD", "ATTACK")
"""Of players; coaches and referees have another one, or none."""

_HTML = ("text/html",)


@register(
    "sources", "bundesliga", title="Bundesliga", order=90, sport="football",
    terms={"attribution": "DFL", "reference": "https://www.bundesliga.com"},
)  # fmt: skip
class Bundesliga(League):
    """The Bundesliga, men.

    Parameters
    ----------
    key
        Without one the site's pages are read.
    api_url
        Of the interface that wants the key.
    season
        The interface's id of a season: ``DFL-SEA-...``; needed with a key.
    """

    name: ClassVar[str] = "bundesliga"
    label: ClassVar[str] = "Bundesliga"
    expected_columns: ClassVar[tuple[str, ...]] = ("name",)

    base_url: Url = "https://www.bundesliga.com"
    picture_hosts: list[Host] = ["www.bundesliga.com", "img.bundesliga.com", "assets.bundesliga.com"]
    api_url: Url = "https://wapp.bapi.bundesliga.com"
    season: str | None = Field(default=None, pattern=r"^DFL-SEA-[0-9A-Z]+$")

    @model_validator(mode="after")
    def _season_with_key(self) -> Bundesliga:
        if self.key is not None and self.season is None:
            raise PydanticCustomError("season", "with a key, season names what to read, as in DFL-SEA-0001K9")
        return self

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the page of all squads, or the clubs of the season."""
        if self.key is None:
            return [PageRequest(self.request("/en/bundesliga/player", accepts=_HTML), "people")]
        return [PageRequest(self._api(f"/club?seasonId={self.season}"), "clubs")]

    def _api(self, path: str) -> Request:
        return self.model_copy(update={"base_url": self.api_url}).request(path)

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read squads, or the clubs that have them."""
        document = self._document(page)
        if page_request.kind == "clubs":
            clubs = dict.fromkeys(each["id"] for each in find_objects(document, _is_club))
            if not clubs:
                schema_changed("a club with an id DFL-CLU-...")
            return ListPage((), [PageRequest(self._api(f"/person/personsbyclub/{club}"), "people") for club in clubs])
        people = [person for person in find_objects(document, _is_person) if person.get("position") in _POSITIONS]
        if not people:
            schema_changed("a person with an id DFL-OBJ-..., a name and a position on the field")
        return ListPage([self._row(person, page) for person in people])

    def _document(self, page: Page) -> Json:
        if self.key is None:
            return embedded_state(page.body, "ng-state", "serverApp-state")
        return parse_json(decode_text(page.body), "the interface's answer")

    def _row(self, person: Object, page: Page) -> ListedPerson | str:
        slug = get_path(person, "name", "slugifiedFull")
        if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
            return "a person without name.slugifiedFull"
        return ListedPerson(person["id"], self._filled(person, page).record(), slug)

    def detail_request(self, ref: ListedPerson) -> Request:
        """Return the request for a player's own page."""
        if self.key is None:
            return self.request(f"/en/bundesliga/player/{ref.detail}", accepts=_HTML)
        return self._api(f"/person/personbyslug/{ref.detail}")

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read a player's own page; whether the pages hold birth and bio is not known, so both may be absent."""
        people = list(find_objects(self._document(page), _is_person))
        if not people:
            schema_changed("a person with an id DFL-OBJ-... and a name")
        own = [person for person in people if person["id"] == ref.id]
        if not own:
            raise SourceError("the page has no such player")
        best = max(own, key=lambda person: sum(person.get(part) is not None for part in ("birth", "bio")))
        return merge_records(ref.list_record, self._filled(best, page).record())

    def _filled(self, person: Object, page: Page) -> RecordBuilder:
        builder = self.builder(identifier(person["id"]), page)
        builder.text("name", get_path(person, "name", "full"))
        builder.birth_date(get_path(person, "birth", "date"), "iso", "%d.%m.%Y")
        builder.text("birthplace", get_path(person, "birth", "place"))
        builder.country("birth_country", get_path(person, "birth", "country"), "name")
        builder.country("nationality", get_path(person, "nationality", "firstNationality"), "name")
        builder.text("position", get_path(person, "position"))
        builder.text("team", get_path(person, "club", "name", "full"))
        for column, word, unit in (("height_cm", "height", "cm"), ("weight_kg", "weight", "kg")):
            self._measure(builder, column, get_path(person, "bio", word), word, unit)
        sex = get_path(person, "bio", "sex")
        builder.text("gender", sex.lower() if isinstance(sex, str) else sex)
        builder.headshot(_portrait(get_path(person, "playerImages")), self.picture_hosts)
        return builder

    def _measure(self, builder: RecordBuilder, column: str, measure: object, word: str, unit: str) -> None:
        written = get_path(measure, "unit")
        known = written.lower() if isinstance(written, str) else unit
        same_kind = known in FACTORS and FACTORS[known][0] == FACTORS[unit][0]
        if same_kind:
            builder.quantity(column, get_path(measure, word), known)
        else:
            builder.reject(column, (get_path(measure, word), written), "in an unknown unit")


def _is_person(found: Object) -> bool:
    ref = found.get("id")
    return isinstance(ref, str) and _PERSON.fullmatch(ref) is not None and isinstance(found.get("name"), dict)


def _is_club(found: Object) -> bool:
    ref = found.get("id")
    return isinstance(ref, str) and _CLUB.fullmatch(ref) is not None


def _portrait(images: object) -> object:
    """Return the largest picture; the round one has its whole picture beside it, without -circle."""
    for size in ("PORTRAIT_L", "PORTRAIT_S", "FACE_CIRCLE"):
        address = get_path(images, size)
        if address:
            return address.replace("-circle.png", ".png") if isinstance(address, str) else address
    return None
