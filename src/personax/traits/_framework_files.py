"""A trait framework as a file: its traits, facets, items, anchors, language, reference and licence, in YAML."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from itertools import chain, zip_longest
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from personax.data.bounded_yaml import read_yaml
from personax.errors import InputError
from personax.schema import ANCHORS, Item, Trait, TraitFramework
from personax.strict import Strict, fault_text

__all__ = ["FrameworkDescription", "packaged_framework", "read_framework"]

MAX_BYTES = 2**20
"""Of a file; the longest inventories have 300 items, 40 kB."""

Text = Annotated[str, Field(min_length=1, max_length=2000)]


class ItemDescription(Strict):
    """A statement under its trait; ``reversed`` where agreeing speaks for the low end."""

    id: str
    text: Text
    reversed: bool = False


class TraitDescription(Strict):
    """A trait; see `personax.schema.Trait`. ``low`` and ``high`` are adjective markers."""

    name: str
    letter: str
    meaning: Text
    part_of: str = ""
    low: Sequence[str] = ()
    high: Sequence[str] = ()
    items: Sequence[ItemDescription] = ()


class DomainDescription(Strict):
    """A broader trait that facets are ``part_of``: the letter of its score columns, and what it means."""

    name: str
    letter: str
    meaning: Text


class FrameworkDescription(Strict):
    """A framework as a file or the study file describes it; see `personax.schema.TraitFramework`."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    traits: Annotated[Sequence[TraitDescription], Field(min_length=1, max_length=26)]
    title: str = ""
    language: str = "en"
    reference: str = ""
    licence: str = ""
    anchors: Annotated[Sequence[Text], Field(max_length=11)] = ANCHORS
    domains: Annotated[Sequence[DomainDescription], Field(max_length=26)] = ()

    def framework(self) -> TraitFramework:
        """Return the framework; items are asked in turns, the first of every trait, then the second.

        Raises
        ------
        InputError
            For traits or items that cannot be together.
        """
        traits = [
            Trait(one.name, one.letter, one.meaning, tuple(one.low), tuple(one.high), one.part_of)
            for one in self.traits
        ]
        turns = zip_longest(*([Item(i.id, i.text, one.name, i.reversed) for i in one.items] for one in self.traits))
        items = [item for item in chain.from_iterable(turns) if item is not None]
        domains = [Trait(one.name, one.letter, one.meaning) for one in self.domains]
        return TraitFramework(
            self.name, traits, self.title, items, self.anchors, self.language, self.reference, self.licence, domains
        )


def read_framework(path: Path) -> TraitFramework:
    """Read a framework from a YAML file.

    Raises
    ------
    InputError
        There is no such file, it is no YAML, or it describes no framework.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "own.yaml"
    >>> _ = file.write_text("{name: own, traits: [{name: zeal, letter: z, meaning: 'keen, rather than idle'}]}")
    >>> read_framework(file).names
    ('zeal',)
    """
    if not path.is_file():
        raise InputError(f"there is no file {path} of a trait framework; write one as docs/traits.md shows")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} has more than {MAX_BYTES:,} bytes; a trait framework is shorter")
    try:
        return _described(path.read_text(encoding="utf-8")).framework()
    except (ValueError, yaml.YAMLError, RecursionError, InputError) as error:
        raise InputError(f"{path}: {_reason(error)}; see docs/traits.md, Frameworks") from None


def packaged_framework(name: str) -> TraitFramework:
    """Return one of the frameworks that come with personax, by the name of its file."""
    text = files("personax.traits").joinpath("frameworks", f"{name}.yaml").read_text(encoding="utf-8")
    return _described(text).framework()


def _described(text: str) -> FrameworkDescription:
    settings: Any = read_yaml(text)[1]
    return FrameworkDescription.model_validate(settings)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        told = [f"{'.'.join(map(str, one['loc']))}: {fault_text(dict(one))}" for one in error.errors()[:5]]
        return "; ".join(told)
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return " ".join(str(error).split())
