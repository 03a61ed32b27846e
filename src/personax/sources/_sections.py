"""Sections of study.yaml that name where people come from: files, the web, several of both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from personax.errors import PlanError
from personax.http import FetchSettings, user_agent
from personax.sources._table import ColumnSpec
from personax.sources._web_sources import web_sources
from personax.sources.celeba._table import CollectCelebA
from personax.strict import Strict, nearest

__all__ = [
    "CollectCelebA",
    "CollectNflPlayers",
    "CollectOpenfootball",
    "CollectSeveral",
    "CollectTable",
    "FileSection",
    "Pictures",
    "Section",
    "WebSource",
]


class CollectTable(Strict):
    """People from a CSV, TSV, Parquet, JSON or JSONL file."""

    source: Literal["table"]
    path: str
    columns: dict[str, ColumnSpec] = {}
    missing: list[str] = [""]
    max_bad_share: float = Field(default=0.05, ge=0, le=1)
    keep_others: bool = True
    encoding: str = "utf-8"


class CollectOpenfootball(Strict):
    """Footballers from the openfootball players files."""

    source: Literal["openfootball"]
    path: str
    max_bad_share: float = Field(default=0.05, ge=0, le=1)


class CollectNflPlayers(Strict):
    """NFL players from one JSON file."""

    source: Literal["nfl_players"]
    path: str
    max_bad_share: float = Field(default=0.05, ge=0, le=1)


class WebSource(Strict):
    """A source of the web by its name, and its own settings; see docs/collecting.md."""

    name: str
    settings: Strict

    def told(self) -> dict[str, Any]:
        """Return what the study file says."""
        return {"source": self.name, **self.settings.model_dump(mode="json")}


FileSection = CollectTable | CollectOpenfootball | CollectNflPlayers | CollectCelebA
Section = FileSection | WebSource

_FILES: dict[str, type[FileSection]] = {
    "celeba": CollectCelebA,
    "table": CollectTable,
    "openfootball": CollectOpenfootball,
    "nfl_players": CollectNflPlayers,
}


def _one_source(raw: object) -> Section:
    if isinstance(raw, Section):
        return raw
    if not isinstance(raw, dict) or "source" not in raw:
        raise PydanticCustomError(
            "no_source", "each of sources names its source, such as {{source: table, path: a.csv}}"
        )
    name = raw["source"]
    if name in _FILES:
        return _FILES[name].model_validate(raw)
    known = web_sources()
    if name not in known:
        hint = nearest(str(name), [*_FILES, *known])
        raise PydanticCustomError("no_source", "source {name} is not known; {hint}", {"name": repr(name), "hint": hint})
    settings = known[name].model_validate({key: value for key, value in raw.items() if key != "source"})
    return WebSource(name=name, settings=settings)


def _told(section: Section) -> dict[str, Any]:
    return section.told() if isinstance(section, WebSource) else section.model_dump(mode="json")


OneSource = Annotated[Section, PlainValidator(_one_source), PlainSerializer(_told)]


class Pictures(Strict):
    """Pictures of the people: where they come from, and what is made of them.

    Parameters
    ----------
    of
        ``headshots``, the addresses that sites give, or a folder with one ``<id>.jpg``, ``.png`` or ``.webp`` a person.
    size
        Width and height of what is kept, in pixels.
    face
        Cut to the largest face that is found.
    """

    of: str = "headshots"
    size: int = Field(default=224, ge=16, le=2048)
    face: bool = False


class CollectSeveral(Strict):
    """People from several sources at once, of the web and of files.

    What is excluded changes no value that is found, so that the stage is not stale when it changes.

    Parameters
    ----------
    contact
        E-mail address or web page that sites are told; nothing of the web is fetched without it.
    sources
        In the order of their people.
    fetch
        Limits for every host; see `personax.http.FetchSettings`.
    link
        One person in several sources becomes one row.
    complete
        Add latitude, longitude and the variables of the birthday, and flag what is implausible.
    pictures
        Keep a picture a person in the private ``people/images``.
    only, limit
        Names of the sources to collect, and how many people of each; all by default.
    refresh, offline
        Ask again for pages that are there, on condition that they changed; ask for nothing.
    """

    source: Literal["several"]
    contact: str | None = Field(default=None, exclude=True)
    sources: Annotated[list[OneSource], Field(min_length=1)]
    fetch: FetchSettings = Field(default=FetchSettings(), exclude=True)
    link: bool = False
    complete: bool = False
    pictures: Pictures | None = None
    only: list[str] | None = None
    limit: int | None = Field(default=None, ge=1)
    refresh: bool = Field(default=False, exclude=True)
    offline: bool = Field(default=False, exclude=True)

    @model_validator(mode="after")
    def _can_be_told_apart_and_asked(self) -> Self:
        names = list(self.named())
        twice = sorted({name for name, _ in names if [other for other, _ in names].count(name) > 1})
        if twice:
            raise PydanticCustomError("twice", "two sources are called {name}", {"name": twice[0]})
        nameless = [name for name, s in names if isinstance(s, CollectCelebA) and s.wikidata and s.names is None]
        if nameless:
            text = "{name}: wikidata is asked about names; give the file of names that you have (names: ...)"
            raise PydanticCustomError("no_names", text, {"name": nameless[0]})
        if any(isinstance(s, WebSource) or (isinstance(s, CollectCelebA) and s.wikidata) for _, s in names):
            try:
                user_agent(self.contact)
            except PlanError as error:
                raise PydanticCustomError("no_contact", "{why}", {"why": str(error)}) from None
        for name in self.only or ():
            if name not in dict(names):
                hint = nearest(name, [other for other, _ in names])
                text = "no source of this study is called {name}; {hint}"
                raise PydanticCustomError("no_source", text, {"name": name, "hint": hint})
        return self

    def named(self) -> list[tuple[str, Section]]:
        """Return the sources with the names that tables call them: a file's is the stem of its path."""
        return [(s.name if isinstance(s, WebSource) else Path(s.path).name.partition(".")[0], s) for s in self.sources]

    def asked(self) -> list[tuple[str, Section]]:
        """Return the sources to collect now."""
        return [(name, section) for name, section in self.named() if self.only is None or name in self.only]
