"""What a release inherits from its sources and encoders, and whether the publisher's licence keeps to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from personax.errors import InputError
from personax.release.packaging.facts import Facts
from personax.release.packaging.markdown import render
from personax.release.packaging.terms import BINDING, ENCODERS, LICENCES, SOURCES, Clause, Licence, Terms
from personax.strict import nearest

__all__ = ["Inherited", "Item", "inherited", "licence_of", "licence_page"]

UNKNOWN = "not known; ask"


@dataclass(frozen=True)
class Item:
    """Something that the release is made of, and its terms.

    Parameters
    ----------
    what
        ``encoder`` or ``source``.
    name
        As its maker calls it.
    used
        For what in the release.
    terms
        What it asks for.
    """

    what: str
    name: str
    used: str
    terms: Terms


@dataclass(frozen=True)
class Inherited:
    """What the release must obey, the clause that binds most first."""

    items: Sequence[Item]

    @property
    def clauses(self) -> Sequence[Clause]:
        """Of all items, each once."""
        return [clause for clause in BINDING if self.of(clause)]

    def of(self, clause: Clause) -> Sequence[Item]:
        """Return the items that ask for this."""
        return [item for item in self.items if clause in item.terms.clauses]

    @property
    def attributions(self) -> Sequence[str]:
        """Who is to be named, each once."""
        return list(dict.fromkeys(item.terms.attribution for item in self.items if item.terms.attribution))


def inherited(facts: Facts) -> Inherited:
    """Return what a release inherits.

    Raises
    ------
    InputError
        The publisher's licence is none that is known, or gives away what an encoder or a source keeps back.

    Examples
    --------
    >>> from personax.release.packaging.facts import ColumnFacts, SourceFacts
    >>> who = ColumnFacts("people", "id", "id", "nominal", "string", "pseudonym")
    >>> facts = Facts("A study", "1.0.0", 10, (who,), sources=(SourceFacts("geonames", "dataset"),))
    >>> inherited(facts).clauses
    ['attribution']
    """
    found = Inherited([*_encoders(facts), *_sources(facts)])
    licence = licence_of(facts)
    if licence is not None:
        for clause, item in _broken(found, licence):
            raise InputError(
                f"release.publisher.licence {facts.publisher.licence} does not keep what the {item.what} {item.name} "
                f"({item.terms.licence}) asks for: {BINDING[clause]}; choose {_advice(found)}"
            )
    return found


def licence_of(facts: Facts) -> Licence | None:
    """Return the licence that the publisher chose; None for ``other``, the terms of LICENSES.md and USAGE.md.

    Raises
    ------
    InputError
        For one that is not known.
    """
    name = facts.publisher.licence
    if name == "other":
        return None
    if name not in LICENCES:
        text = f"release.publisher.licence {name!r} is none that is known; {nearest(name, ['other', *LICENCES])}"
        raise InputError(f"{text} (other: the terms of LICENSES.md and USAGE.md)")
    return LICENCES[name]


def _broken(found: Inherited, licence: Licence) -> Sequence[tuple[Clause, Item]]:
    kept = set(licence.clauses)
    weighed: tuple[Clause, ...] = ("non-commercial", "share-alike", "attribution")
    return [(clause, item) for clause in weighed if clause not in kept for item in found.of(clause)]


def _advice(found: Inherited) -> str:
    fitting = [name for name, licence in LICENCES.items() if not _broken(found, licence)]
    return " or ".join([*fitting, "other"])


def _encoders(facts: Facts) -> Sequence[Item]:
    used: dict[tuple[str, str], list[str]] = {}
    for one in facts.measurements:
        used.setdefault((one.encoder, one.licence), []).append(f"{one.modality}/{one.name}")
    return [
        Item("encoder", name or "not stated", ", ".join(places), ENCODERS.get(name) or _stated(licence))
        for (name, licence), places in used.items()
    ]


def _sources(facts: Facts) -> Sequence[Item]:
    return [
        Item("source", source.name, "people", SOURCES.get(source.name) or _stated(source.licence))
        for source in facts.sources
    ]


def _stated(licence: str) -> Terms:
    """Return the terms of something that is not in the table, as far as its licence is a known one."""
    known = LICENCES.get(licence.lower())
    if known is None:
        return Terms(licence or UNKNOWN, ("unknown",), "")
    return Terms(known.name, known.clauses, known.url, note="So it was stated to us; personax has not looked it up.")


def licence_page(facts: Facts) -> str:
    """Return LICENSES.md: the licence of the release, what it inherits, and which clause binds most.

    Raises
    ------
    InputError
        As `inherited` does.
    """
    found = inherited(facts)
    return render(
        "licences.md.j2",
        title=facts.title,
        licence=licence_of(facts),
        found=found,
        binding={clause: BINDING[clause] for clause in found.clauses},
        permissive=not found.clauses,
        names={clause: [item.name for item in found.of(clause)] for clause in found.clauses},
        unknown=UNKNOWN,
    )
