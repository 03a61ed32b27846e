"""nflverse: one table of all NFL players of all times, published on GitHub; no country, no birthplace."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from personax.http import Page
from personax.registry import register
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest
from personax.sources.leagues._league import League
from personax.sources.leagues._parsing import decode_text, schema_changed
from personax.strict import Host, Url

__all__ = ["Nflverse"]

_NEEDS = (
    "gsis_id",
    "display_name",
    "birth_date",
    "height",
    "weight",
    "position",
    "latest_team",
    "headshot",
    "last_season",
)
_CSV = ("text/csv", "text/plain", "application/octet-stream", "application/csv")


@register(
    "sources", "nflverse", title="nflverse", order=40,
    terms={
        "licence": "code MIT; data of their owners", "attribution": "nflverse",
        "reference": "https://github.com/nflverse/nflreadr",
        "note": "The project says that NFL data belong to their respective owners.",
    },
)  # fmt: skip
class Nflverse(League):
    """The nflverse table of NFL players.

    Parameters
    ----------
    since
        Only who played in this season or later; None for everybody.
    """

    name: ClassVar[str] = "nflverse"
    label: ClassVar[str] = "NFL"
    redirects: ClassVar[tuple[str, ...]] = ("release-assets.githubusercontent.com", "objects.githubusercontent.com")

    base_url: Url = "https://github.com"
    picture_hosts: list[Host] = ["static.www.nfl.com", "a.espncdn.com"]
    since: int | None = Field(default=None, ge=1920)

    def first_pages(self) -> Sequence[PageRequest]:
        """Return the table."""
        path = "/nflverse/nflverse-data/releases/download/players/players.csv"
        return [PageRequest(self.request(path, accepts=_CSV))]

    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read the table by the names of its columns."""
        reader = csv.reader(io.StringIO(decode_text(page.body), newline=""), strict=True)
        people: list[ListedPerson | str] = []
        try:
            header = next(reader, [])
            missing = [column for column in _NEEDS if column not in header]
            if missing:
                schema_changed(f"the column {', '.join(missing)}")
            for cells in reader:
                row = dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
                if row is None or not self.since or _season(row["last_season"]) >= self.since:
                    people.append(self._row(row, page))
        except csv.Error:
            schema_changed("a whole table with closed quotes")
        return ListPage(people)

    def _row(self, row: dict[str, str] | None, page: Page) -> ListedPerson | str:
        if row is None or not re.fullmatch(r"[A-Za-z0-9-]+", row["gsis_id"]):
            return "a row without gsis_id or with another number of cells"
        builder = self.builder(row["gsis_id"], page)
        builder.text("name", row["display_name"])
        builder.birth_date(row["birth_date"], "iso")
        builder.quantity("height_cm", row["height"], "in")
        builder.quantity("weight_kg", row["weight"], "lb")
        builder.text("position", row["position"])
        builder.text("team", row["latest_team"])
        builder.headshot(row["headshot"], self.picture_hosts)
        return ListedPerson(row["gsis_id"], builder.record())


def _season(text: str) -> int:
    """Return a season; 0 where none is written, who are then not taken."""
    return int(text) if re.fullmatch(r"[0-9]{4}", text) else 0
