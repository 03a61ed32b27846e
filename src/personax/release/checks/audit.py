"""The audit: it is there, the card quotes it, and no attack exceeds the gate that it states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from personax.errors import InputError
from personax.release.audit import CAMPAIGNS, Attack, Gate
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
    numbers = {name: limit for name, limit in given.items() if name in known and _is_limit(name, limit)}
    if len(numbers) < len(given) or not isinstance(said.get("gate"), dict | None):
        return Check("gate", "fails", f"{FILE} states a gate with limits that are not known")
    if not numbers:
        return Check("gate", "cannot tell", f"{FILE} states no limits, so no attack can exceed them")
    try:
        for where, campaign, attacks in _attacks(said):
            Gate(**numbers).check(where, attacks, campaign=campaign)  # type: ignore[arg-type]
    except InputError as error:
        return Check("gate", "fails", str(error))
    stated = [f"{name} {limit:g}" if isinstance(limit, int | float) else name for name, limit in numbers.items()]
    return Check("gate", "holds", f"no attack exceeds {', '.join(stated)}")


def _is_limit(name: str, limit: object) -> bool:
    """Say whether it is a number, or a number for each of some campaigns."""
    if name == "max_rank_1" and isinstance(limit, dict):
        return all(campaign in CAMPAIGNS and isinstance(its, int | float) for campaign, its in limit.items())
    return isinstance(limit, int | float)


def _attacks(said: dict[str, object]) -> Iterator[tuple[str, str, list[Attack]]]:
    """Yield where, campaign and attacks; format 1 had one list and no campaigns."""
    for attack in _read(said.get("table")):
        yield "the table", "public_facts" if attack.measure == "rank-1" else "table", [attack]
    for name, its in mapping(said.get("measurements")).items():
        yield name, "", _read(mapping(its).get("attacks"))
        for campaign in map(mapping, entries(mapping(its).get("campaigns"))):
            yield name, str(campaign.get("name")), _read(campaign.get("attacks"))


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
