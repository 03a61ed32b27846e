"""An entity as Wikidata sends it: its label, and the statements that hold by their ranks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from personax.data import tidy
from personax.errors import SourceChanged
from personax.files import Json

__all__ = ["END", "LANGUAGES", "Entity", "EntityStatement", "is_qid", "parse_json", "qid_of"]

LANGUAGES = ("en", "mul", "en-gb", "en-us", "de", "fr", "es", "it", "pt", "nl", "sv", "ja", "ko", "zh", "ru")
"""Order in which a label is looked for; ``mul`` is the label that holds in every language."""

_QID = re.compile(r"Q[1-9]\d{0,11}")
_ITEM = re.compile(r"https?://www\.wikidata\.org/entity/(Q[1-9]\d{0,11})")
_KINDS = ("value", "somevalue", "novalue")
_RANKS = ("preferred", "normal", "deprecated")
END = "P582"
MAX_LETTERS = 250
"""Letters of a label; Wikidata allows no more."""


def is_qid(text: object) -> bool:
    """Say whether a text is the id of an item.

    Examples
    --------
    >>> is_qid("Q42"), is_qid("Q042"), is_qid("Q42|Q43"), is_qid("P31")
    (True, False, False, False)
    """
    return isinstance(text, str) and _QID.fullmatch(text) is not None


def qid_of(address: object) -> str | None:
    """Return the item that a concept address names, None for anything else.

    Examples
    --------
    >>> qid_of("http://www.wikidata.org/entity/Q11573"), qid_of("1")
    ('Q11573', None)
    """
    match = _ITEM.fullmatch(address) if isinstance(address, str) else None
    return match[1] if match else None


def parse_json(body: bytes, where: str) -> Json:
    """Read JSON.

    Raises
    ------
    SourceChanged
        When it is none: cut off, nested without end, or with NaN, which JSON does not know.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise SourceChanged(f"{where} is no whole JSON; fetch it again, or look for a newer personax") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


@dataclass(frozen=True, slots=True)
class EntityStatement:
    """What an item says of one property.

    Parameters
    ----------
    kind
        ``value``; ``somevalue`` where there is one that nobody knows; ``novalue`` where there is none.
    value
        As Wikidata writes it; None unless there is a value.
    qualifiers
        Property -> values of its qualifiers, None for one without a value.
    preferred
        It has the rank above the others.
    """

    kind: str
    value: Any
    qualifiers: Mapping[str, Sequence[Any]]
    preferred: bool = False

    @property
    def item(self) -> str | None:
        """The item that is the value, None for anything else."""
        return _item(self.value)


def _readable(text: str) -> str:
    """Return a text with single blanks and without invisible marks; empty for what is no name."""
    plain = tidy(text)
    return plain if plain.isprintable() and len(plain) <= MAX_LETTERS else ""


def _item(value: object) -> str | None:
    found = value.get("id") if isinstance(value, dict) else None
    return found if is_qid(found) else None


class Entity:
    """An item of Wikidata.

    Parameters
    ----------
    raw
        As an entity stands in the JSON of the API and of Special:EntityData.

    Raises
    ------
    SourceChanged
        When it is no entity of a known shape.
    """

    def __init__(self, raw: object) -> None:
        if not isinstance(raw, dict) or not is_qid(raw.get("id")):
            raise SourceChanged("Wikidata sent something that is no item; looked for an object with an id such as Q42")
        self.id: str = raw["id"]
        self._raw = raw

    def _part(self, name: str) -> Mapping[str, Any]:
        part = self._raw.get(name, {})
        if part == []:  # PHP writes an empty object so
            return {}
        if not isinstance(part, dict):
            raise SourceChanged(f"{self.id}: looked for an object of {name} and did not find it")
        return part

    def label(self, languages: Sequence[str] = LANGUAGES) -> str | None:
        """Return the label in the first of the languages that has one, else in the first one by name; None for none."""
        labels = {language: text for language, text in self._texts("labels")}
        order = [*languages, *sorted(labels)]
        return next((labels[language] for language in order if language in labels), None)

    def names(self) -> tuple[list[str], list[str]]:
        """Return all labels and all aliases, each once."""
        labels = [text for _, text in self._texts("labels")]
        return list(dict.fromkeys(labels)), list(dict.fromkeys(text for _, text in self._texts("aliases")))

    def _texts(self, part: str) -> list[tuple[str, str]]:
        found = []
        for language, entries in self._part(part).items():
            for entry in entries if isinstance(entries, list) else [entries]:
                text = entry.get("value") if isinstance(entry, dict) else None
                readable = _readable(text) if isinstance(text, str) else ""
                if readable:
                    found.append((language, readable))
        return found

    def best(self, prop: str) -> list[EntityStatement]:
        """Return the statements of the best rank: preferred ones alone if there are any, deprecated ones never."""
        statements = self._statements(prop)
        if not statements:
            return []
        ranked = [(self._rank(raw), raw) for raw in statements]
        top = next((rank for rank in _RANKS[:2] if any(rank == other for other, _ in ranked)), None)
        return [_statement(self.id, prop, raw) for rank, raw in ranked if rank == top]

    def stated(self, prop: str) -> list[EntityStatement]:
        """Return all statements that are not deprecated, ended ones too."""
        return [_statement(self.id, prop, raw) for raw in self._statements(prop) if self._rank(raw) != _RANKS[2]]

    def current(self, prop: str) -> list[EntityStatement]:
        """Return the best statements without those that have ended, unless all have."""
        best = self.best(prop)
        return [statement for statement in best if END not in statement.qualifiers] or best

    def items(self, prop: str) -> list[str]:
        """Return the items that the current statements name, in order, each once."""
        return list(dict.fromkeys(found.item for found in self.current(prop) if found.item is not None))

    def _statements(self, prop: str) -> list[Any]:
        statements = self._part("claims").get(prop, [])
        if not isinstance(statements, list):
            raise SourceChanged(f"{self.id}: looked for a list of statements of {prop} and did not find it")
        return statements

    def _rank(self, raw: object) -> str:
        rank = raw.get("rank") if isinstance(raw, dict) else None
        if rank not in _RANKS:
            raise SourceChanged(f"{self.id}: looked for a statement with a rank and did not find it")
        return str(rank)


def _statement(where: str, prop: str, raw: Mapping[str, Any]) -> EntityStatement:
    snak = raw.get("mainsnak")
    kind = snak.get("snaktype") if isinstance(snak, dict) else None
    if kind not in _KINDS:
        raise SourceChanged(f"{where}: looked for the snaktype of a statement of {prop} and did not find it")
    qualifiers = raw.get("qualifiers") or {}
    if not isinstance(qualifiers, dict):
        raise SourceChanged(f"{where}: looked for the qualifiers of a statement of {prop} and did not find them")
    read = {name: [_value(each) for each in snaks] for name, snaks in qualifiers.items() if isinstance(snaks, list)}
    return EntityStatement(kind, _value(snak) if kind == "value" else None, read, raw["rank"] == "preferred")


def _value(snak: object) -> Json:
    held = snak.get("datavalue") if isinstance(snak, dict) else None
    return held.get("value") if isinstance(held, dict) else None
