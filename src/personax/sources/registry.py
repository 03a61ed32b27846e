"""The sources of the web by the name that study.yaml calls them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Protocol

from personax import registry
from personax.sources.records import Record
from personax.sources.web.pages import Fetch
from personax.strict import Strict

__all__ = ["Adapter", "Failed", "adapters"]


class Failed(Protocol):
    """Somebody, or a page, that a source could not read; the source goes on."""

    @property
    def ref(self) -> str | None:
        """The person's id in the source; None for a page or a row of a list."""

    @property
    def url(self) -> str:
        """Of the page."""

    @property
    def reason(self) -> str:
        """One sentence."""

    @property
    def changed(self) -> bool:
        """The page came, in another shape than this version reads."""

    @property
    def sample(self) -> bytes | None:
        """Its bytes then."""

    @property
    def listed(self) -> Record | None:
        """What a list said of the person."""


class Adapter(Protocol):
    """A source of the web: settings of study.yaml, and a walk through its people."""

    @property
    def name(self) -> str:
        """In study.yaml and in tables."""

    @property
    def hosts(self) -> Iterable[str]:
        """That may be asked, with a port where it is not the usual one."""

    def collect(self, fetch: Fetch, limit: int | None = None) -> AsyncGenerator[Record | Failed]:
        """Go through its people, so many at most."""


def adapters() -> Mapping[str, type[Strict]]:
    """Return every source of the web by its name; their fields are what may stand in study.yaml.

    A source is a `personax.strict.Strict` class with the parts of `Adapter` under ``@register("sources", name)``, in
    this package or in another one; one that cannot be imported is left out.
    """
    return {part.name: registry.get("sources", part.name) for part in registry.parts("sources") if not part.fault}
