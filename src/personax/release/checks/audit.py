"""The audit: it is there, the card quotes it, and no attack exceeds the gate that it states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from personax.errors import InputError
from personax.release.audit import Attack, Gate
from personax.release.checks.check import Check, Release, entries, mapping

__all__ = ["audited"]

FILE = "audit.json"


def audited(release: Release) -> Iterable[Check]:
    """Check what the publisher's own attacks have found."""
    if FILE not in release.folder.files:
        if release.format == 2:
            yield Check("audit", "fails", f"there is no {FILE}: the release was not attacked, or hides what was found")
        else:
            yield Check("audit", "cannot tell", f"there is no {FILE}; nobody has attacked this release")
        return
    try:
        said = mapping(release.folder.json(FILE))
        card = release.folder.text("README.md") if "README.md" in release.folder.files else ""
    except InputError as error:
        yield Check("audit", "fails", str(error))
        return
    verdict = said.get("verdict")
    if not isinstance(verdict, str) or not verdict.strip():
        yield Check("audit", "fails", f"{FILE} has no verdict")
    elif verdict not in card:
        yield Check("audit", "fails", f"the card does not quote the verdict of {FILE} word for word: {verdict}")
    else:
        yield Check("audit", "holds", verdict)
    yield _gate(said)


def _gate(said: dict[str, object]) -> Check:
    limits = mapping(said.get("gate"))
    known = {field.name for field in fields(Gate)}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    numbers = {name: limit for name, limit in given.items() if isinstance(limit, int | float) and name in known}
    if len(numbers) < len(given) or not isinstance(said.get("gate"), dict | None):
        return Check("gate", "fails", f"{FILE} states a gate with limits that are not known")
    if not numbers:
        return Check("gate", "cannot tell", f"{FILE} states no limits, so no attack can exceed them")
    try:
        for where, attacks in _attacks(said):
            Gate(**numbers).check(where, attacks)  # type: ignore[arg-type]
    except InputError as error:
        return Check("gate", "fails", str(error))
    return Check(
        "gate", "holds", f"no attack exceeds {', '.join(f'{name} {limit:g}' for name, limit in numbers.items())}"
    )


def _attacks(said: dict[str, object]) -> Iterator[tuple[str, list[Attack]]]:
    yield "the table", _read(said.get("table"))
    for name, its in mapping(said.get("measurements")).items():
        yield name, _read(mapping(its).get("attacks"))


def _read(attacks: object) -> list[Attack]:
    """Return attacks with what a gate looks at; values that are no numbers count as attacks that did not run."""
    read = []
    for its in map(mapping, entries(attacks)):
        value = its.get("value")
        number = float(value) if isinstance(value, int | float) else None
        detail = {
            name: its_own
            for name, its_own in mapping(its.get("detail")).items()
            if isinstance(its_own, int | float) and not isinstance(its_own, bool)
        }
        name, knows, measure = (str(its.get(key)) for key in ("name", "knows", "measure"))
        read.append(Attack(name, knows, measure, number, detail=detail))
    return read
