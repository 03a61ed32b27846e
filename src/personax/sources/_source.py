"""What a source of people is, of files and of the web, and which ones are registered.

Both are blocks of study.yaml that know how to give people. A package adds one by `personax.registry.register` under the
kind ``sources``, with ``reads="file"`` or ``reads="web"`` (the default), and an entry point ``personax.sources``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from pydantic import Field

from personax import registry
from personax.http import Fetch
from personax.sources._people_table import PeopleTable
from personax.sources._records import Failure, Record
from personax.strict import OutsidePath, SafeName, Strict

__all__ = ["FileSource", "PeopleSource", "source_classes", "source_names"]


class FileSource(Strict, ABC):
    """A file with people: the settings that may stand in study.yaml, and how it is read.

    Parameters
    ----------
    source
        The registered name; a subclass says ``source: Literal["its-name"]``.
    path
        The file or folder; relative ones start from the folder that the study file is in.
    called
        ``as`` in study.yaml: what tables call it among several sources; the stem of its path by default.

    Examples
    --------
    >>> from personax.sources import CollectTable
    >>> CollectTable(source="table", path="people.csv").source
    'table'
    """

    record_columns: ClassVar[Mapping[str, str]] = {}
    """Column of the table -> column of a `Record`, where they differ; for people from several sources."""

    source: str
    path: OutsidePath
    called: SafeName | None = Field(default=None, alias="as")

    @abstractmethod
    def read(self, root: Path) -> PeopleTable:
        """Read the people.

        Parameters
        ----------
        root
            Folder that relative paths start from.

        Raises
        ------
        InputError
            What is wrong with the file, in one sentence.
        """


class PeopleSource(Protocol):
    """A source of the web: a `personax.strict.Strict` class with these parts; check it by `check_source`."""

    @property
    def name(self) -> str:
        """In study.yaml and in tables."""

    @property
    def hosts(self) -> Iterable[str]:
        """That may get requests, with a port where it is not the default one."""

    def collect(self, fetch: Fetch, limit: int | None = None) -> AsyncGenerator[Record | Failure]:
        """Yield its people, at most ``limit``; a `Failure` for each person or page that cannot be read."""


Reads = Literal["file", "web", "sources"]
"""What a registered source reads: a file, sites, or several other sources."""


def source_names(*reads: Reads) -> list[str]:
    """Return the names of the registered sources that read any of these; none of ours is imported.

    Those of other packages that cannot be imported are left out; `personax.registry.faults` names them.
    """
    parts = [part for part in registry.parts("sources") if not part.fault]
    return [part.name for part in parts if part.facts.get("reads", "web") in reads]


def source_classes(*reads: Reads) -> Mapping[str, type[Strict]]:
    """Return name -> class of the registered sources that read any of these; see `source_names`.

    Examples
    --------
    >>> "table" in source_classes("file"), "table" in source_classes("web"), "nba" in source_classes("web")
    (True, False, True)
    """
    return {name: registry.get("sources", name) for name in source_names(*reads)}
