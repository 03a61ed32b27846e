"""Lists of people: a page of one, a person of one, and what a walk through them needs of a site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from personax.sources.records import Record
from personax.sources.web.pages import Page, Request

__all__ = ["Listed", "Ref", "Site", "Step"]


@dataclass(frozen=True, slots=True)
class Ref:
    """A person of a list.

    Parameters
    ----------
    id
        The source's own, as text.
    listed
        What the list says of them.
    detail
        What the request for more needs beside the id: a team, a slug, the ids of a batch; empty for none.
    """

    id: str
    listed: Record
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a list.

    Parameters
    ----------
    request
        That fetches it.
    kind
        Which list, where a league has several.
    start
        Place of its first person, where a list is counted.
    follows
        It is the next page of one before, so that it must list somebody new.
    """

    request: Request
    kind: str = ""
    start: int = 0
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """What a page of a list holds.

    Parameters
    ----------
    people
        In the order of the page; for a row that is no person, the reason why.
    then
        Pages to read after it.
    """

    people: Sequence[Ref | str]
    then: Sequence[Step] = field(default_factory=tuple)


class Site(Protocol):
    """What a walk needs of a site; `personax.sources.leagues.league.League` says what each is."""

    name: ClassVar[str]
    promises: ClassVar[tuple[str, ...]]

    @property
    def most_pages(self) -> int:
        """A list that has more pages is taken for an endless one."""

    def start(self) -> Sequence[Step]:
        """Return the first pages of the list."""

    def listed(self, page: Page, step: Step) -> Listed:
        """Read a page of the list."""

    def detail(self, ref: Ref) -> Request | None:
        """Return the request for more on a person."""

    def parse(self, page: Page, ref: Ref) -> Record:
        """Read the page that `detail` asked for."""
