"""Blocks of study.yaml for people from several sources: files, sites, or both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from personax.errors import PlanError
from personax.http import FetchSettings, user_agent
from personax.registry import register
from personax.sources._source import FileSource, source_classes
from personax.sources.celeba._table import CollectCelebA
from personax.strict import Access, OutsidePath, SafeName, Strict, check_names, nearest, source_fault

__all__ = ["CollectSeveral", "Pictures", "Section", "WebSource", "read_section"]


class WebSource(Strict):
    """A source of the web by its name, and its own settings; see docs/collecting.md.

    Parameters
    ----------
    name
        As it is registered.
    settings
        Its own.
    called
        ``as`` in study.yaml: what tables call it, where it is not by its own name.
    """

    name: str
    settings: Strict
    called: SafeName | None = None

    def study_keys(self) -> dict[str, Any]:
        """Return the block of study.yaml."""
        named = {"as": self.called} if self.called else {}
        return {"source": self.name, **named, **self.settings.model_dump(mode="json")}


Section = FileSource | WebSource


def read_section(raw: object) -> Section:
    """Return the settings of a registered source; the validator of each of ``sources``.

    Raises
    ------
    pydantic.ValidationError, pydantic_core.PydanticCustomError
        For a source that is not registered, or settings that it does not take.
    """
    if isinstance(raw, FileSource | WebSource):
        return raw
    if not isinstance(raw, dict) or "source" not in raw:
        raise PydanticCustomError("no_source", "each of sources names its source, such as {source: table, path: a.csv}")
    name, known = raw["source"], source_classes("file", "web")
    if not isinstance(name, str) or name not in known:
        raise source_fault(raw, known)
    kind = known[name]
    if issubclass(kind, FileSource):
        return kind.model_validate(raw)
    settings = kind.model_validate({key: value for key, value in raw.items() if key not in ("source", "as")})
    return WebSource.model_validate({"name": name, "settings": settings, "called": raw.get("as")})


def _own_name(section: Section) -> str:
    return section.name if isinstance(section, WebSource) else Path(section.path).name.partition(".")[0]


def _study_keys(section: Section) -> dict[str, Any]:
    return section.study_keys() if isinstance(section, WebSource) else section.model_dump(mode="json")


OneSource = Annotated[Section, PlainValidator(read_section), PlainSerializer(_study_keys)]


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

    of: Annotated[str, Access("path", ("headshots",))] = "headshots"
    size: int = Field(default=224, ge=16, le=2048)
    face: bool = False


def _asks_sites(section: Section) -> bool:
    if isinstance(section, WebSource):
        return all(getattr(section.settings, saved, None) is None for saved in ("extract", "pages"))
    return isinstance(section, CollectCelebA) and section.wikidata and section.extract is None


@register("sources", "several", title="Several sources", reads="sources", order=9)
class CollectSeveral(Strict):
    """People from several sources at once, of the web and of files.

    What is excluded changes no value that is found, so that the stage is not stale when it changes.

    Parameters
    ----------
    contact
        E-mail address or web page, sent to every site; nothing of the web is fetched without it.
    sources
        In the order of their people.
    fetch
        Limits for every host; see `personax.http.FetchSettings`.
    link
        One person in several sources becomes one row.
    review
        ``people/review.csv`` of an earlier run, with decisions filled in, or Label Studio's export of its tasks.
    complete
        Add latitude, longitude and the variables of the birthday, and flag what is implausible.
    pictures
        Keep a picture a person in the private ``people/images``.
    only, limit
        Names of the sources to collect, and how many people of each; all by default.
    waves
        What the study is about: the ``latest`` wave, ``all`` (a row a person and wave), or the number of one.
    refresh, offline
        Ask again for pages that are there, on condition that they changed; ask for nothing.
    """

    source: Literal["several"]
    contact: str | None = Field(default=None, exclude=True)
    sources: Annotated[list[OneSource], Field(min_length=1)]
    fetch: FetchSettings = Field(default=FetchSettings(), exclude=True)
    link: bool = False
    review: OutsidePath | None = None
    complete: bool = False
    pictures: Pictures | None = None
    only: list[str] | None = None
    limit: int | None = Field(default=None, ge=1)
    waves: Literal["latest", "all"] | Annotated[int, Field(ge=1)] = "latest"
    refresh: bool = Field(default=False, exclude=True)
    offline: bool = Field(default=False, exclude=True)

    @model_validator(mode="after")
    def _can_be_told_apart_and_asked(self) -> Self:
        names = list(self.named())
        twice = sorted({name for name, _ in names if [other for other, _ in names].count(name) > 1})
        if twice:
            text = "two sources are called {name}; give one of them another name, such as as: {name}_2"
            raise PydanticCustomError("twice", text, {"name": twice[0]})
        check_names(name for name, _ in names)
        nameless = [name for name, s in names if isinstance(s, CollectCelebA) and s.wikidata and s.names is None]
        if nameless:
            text = "{name}: wikidata is asked about names; give the file of names that you have (names: ...)"
            raise PydanticCustomError("no_names", text, {"name": nameless[0]})
        if self.asks_sites() or (self.pictures is not None and self.pictures.of == "headshots" and self._has_web()):
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

    def asks_sites(self) -> bool:
        """Say whether people are asked of any site; a source that has an extract of its own asks nobody."""
        return any(_asks_sites(section) for _, section in self.selected())

    def _has_web(self) -> bool:
        return any(isinstance(section, WebSource) for section in self.sources)

    def named(self) -> list[tuple[str, Section]]:
        """Return the sources with the names that tables call them: as said, or a file's by the stem of its path."""
        return [(s.called or _own_name(s), s) for s in self.sources]

    def selected(self) -> list[tuple[str, Section]]:
        """Return the sources to collect: all, or those of ``only``."""
        return [(name, section) for name, section in self.named() if self.only is None or name in self.only]
