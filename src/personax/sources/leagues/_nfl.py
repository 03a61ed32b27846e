"""NFL: the pages of nfl.com: teams' rosters, then each player's own page, read by its words and its JSON-LD."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from personax.errors import SourceError
from personax.http import Page, Request
from personax.registry import register
from personax.sources._records import Record
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest
from personax.sources.leagues._league import League
from personax.sources.leagues._parsing import Object, get_path, json_ld, node_text, parse_html, schema_changed
from personax.sources.leagues._record_builder import merge_records
from personax.strict import Host, Url

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

__all__ = ["TEAMS", "Nfl"]

_CITIES = (
    "arizona-cardinals atlanta-falcons baltimore-ravens buffalo-bills carolina-panthers chicago-bears "
    "cincinnati-bengals cleveland-browns dallas-cowboys denver-broncos detroit-lions green-bay-packers "
    "houston-texans indianapolis-colts jacksonville-jaguars kansas-city-chiefs las-vegas-raiders "
    "los-angeles-chargers los-angeles-rams miami-dolphins minnesota-vikings new-england-patriots "
    "new-orleans-saints new-york-giants new-york-jets philadelphia-eagles pittsburgh-steelers "
    "san-francisco-49ers seattle-seahawks tampa-bay-buccaneers tennessee-titans washington-commanders"
)
TEAMS = _CITIES.split()
"""The 32 teams as nfl.com writes them."""

_PLAYER = re.compile(r"/players/([a-z0-9][a-z0-9.'-]*)/?")
_HTML = ("text/html",)
_INFO = "nfl-c-player-info"
_HEADER = "nfl-c-player-header"


@register(
    "sources", "nfl", title="NFL", order=20, sport="american football",
    terms={"attribution": "NFL", "reference": "https://www.nfl.com"},
)  # fmt: skip
class Nfl(League):
    """The NFL, the teams' rosters of today.

    Parameters
    ----------
    teams
        Their names in the site's addresses.
    """

    name: ClassVar[str] = "nfl"
    label: ClassVar[str] = "NFL"

    base_url: Url = "https://www.nfl.com"
    picture_hosts: list[Host] = ["static.www.nfl.com"]
    teams: list[str] = Field(default=TEAMS, min_length=1)

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the rosters of the teams."""
        paths = [f"/teams/{team}/roster" for team in self.teams if re.fullmatch(r"[a-z0-9-]+", team)]
        return [PageRequest(self.request(path, accepts=_HTML)) for path in paths]

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read the links to players on a roster; their names are on their own pages."""
        links = [link.attributes.get("href") or "" for link in parse_html(page.body).css("a")]
        found = [_PLAYER.fullmatch(_path(link)) for link in links]
        slugs = dict.fromkeys(each[1] for each in found if each is not None)
        if not slugs:
            schema_changed("a link to /players/<name>/ on a roster")
        return ListPage([ListedPerson(slug, self.builder(slug, page).record()) for slug in slugs])

    def detail_request(self, ref: ListedPerson) -> Request:
        """Return the request for a player's own page."""
        return self.request(f"/players/{ref.id}/", accepts=_HTML)

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read a player's own page."""
        tree = parse_html(page.body)
        title = node_text(tree.css_first("title")) or ""
        if title.startswith("player."):
            raise SourceError("the site knows no such player")
        info, person = _info(tree), _person(tree)
        if not info and person is None:
            schema_changed(f"the words of .{_INFO}__key and a JSON-LD of a member")
        builder = self.builder(ref.id, page)
        builder.text("name", node_text(tree.css_first(f"h1.{_HEADER}__title")) or get_path(person, "name"))
        builder.birth_date(get_path(person, "birthDate"), "iso", "%m/%d/%Y")
        builder.quantity("height_cm", info.get("height"), "ft-in")
        builder.quantity("height_cm", get_path(person, "height", "value"), "ft-in")
        builder.quantity("weight_kg", info.get("weight"), "lb")
        builder.quantity("weight_kg", get_path(person, "weight", "value"), "lb")
        builder.text("position", node_text(tree.css_first(f".{_HEADER}__position")))
        builder.text("team", node_text(tree.css_first(f".{_HEADER}__team a")))
        builder.headshot(_picture(tree), self.picture_hosts)
        return merge_records(ref.list_record, builder.record())


def _path(link: str) -> str:
    try:
        return urlsplit(link).path
    except ValueError:
        return ""


def _info(tree: LexborHTMLParser) -> dict[str, str]:
    """Return the pairs of word and value, by the word; some players lack some of them."""
    pairs: dict[str, str] = {}
    word: str | None = None
    for node in tree.css(f".{_INFO}__key, .{_INFO}__value"):
        text = node_text(node) or ""
        if f"{_INFO}__key" in (node.attributes.get("class") or "").split():
            word = text.rstrip(":").lower()
        elif word is not None:
            pairs.setdefault(word, text)
            word = None
    return pairs


def _person(tree: LexborHTMLParser) -> Object | None:
    """Return the member of the team in the page's JSON-LD, who alone has a birth date."""
    team = json_ld(tree, lambda found: found.get("@type") == "SportsTeam" and "member" in found)
    inner = get_path(team, "member", "member")
    person = inner if isinstance(inner, dict) else get_path(team, "member")
    return person if isinstance(person, dict) else None


def _picture(tree: LexborHTMLParser) -> str | None:
    """Return the picture's address without the mark by which the site loads it late."""
    image = tree.css_first(f".{_HEADER}__headshot img")
    address = None if image is None else image.attributes.get("src") or image.attributes.get("data-src")
    return None if address is None else address.replace("/t_lazy", "")
