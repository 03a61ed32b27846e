"""Records that are one person -> one record; every value of every source is kept beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from personax.data import fold
from personax.sources.geocode import find_country
from personax.sources.linking.link import Key, Links
from personax.sources.linking.similarity import born_of
from personax.sources.records import Origin, Record

__all__ = ["TOLERANCES", "Said", "merge"]

TOLERANCES: Mapping[str, float] = {"height_cm": 2.0, "weight_kg": 5.0, "latitude": 0.1, "longitude": 0.1}
"""Numbers that differ by no more do not contradict each other; other numbers must be equal."""

_BORN = ("birth_date", "birth_precision", "birth_year", "birth_month", "birth_day")
_COUNTRIES = {"nationality", "country", "birth_country"}
_OWN = {"headshot_url", "position", "team", "league", "birth_precision"}
"""Every source has its own; two of them do not contradict each other."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says of one person: whether it was taken, and whether it contradicts what was."""

    person: Key
    column: str
    source: str
    ref: str
    value: object
    origin: Origin
    chosen: bool
    conflict: bool


def merge(
    records: Sequence[Record], links: Links, *, precedence: Sequence[str] = ()
) -> tuple[list[Record], list[Said]]:
    """Make one record of every group.

    Parameters
    ----------
    records
        Those that were linked.
    links
        Who is who.
    precedence
        Sources, the most trusted first; others follow by name. The first source that has a value gives it, but the
        date of birth comes as a whole from the first that knows most of it.

    Returns
    -------
    people, said
        One record a person, under the source and ref of its most trusted record, in the order of these; and of people
        with several records, what each source says.
    """
    rank = {
        source: place for place, source in enumerate(dict.fromkeys([*precedence, *sorted({r.source for r in records})]))
    }
    by_key = {(record.source, record.ref): record for record in records}
    people, said = [], []
    for keys in links.groups:
        group = sorted((by_key[key] for key in keys), key=lambda record: (rank[record.source], record.ref))
        chosen = _chosen(group)
        first = group[0]
        values = {column: record.values[column] for column, record in chosen.items()}
        origins = {column: record.origins[column] for column, record in chosen.items() if column in record.origins}
        bad = tuple(cell for record in group for cell in record.bad if cell.column not in values)
        people.append(Record(first.source, first.ref, values, origins, bad))
        if len(group) > 1:
            said += _said(group, chosen)
    return sorted(people, key=lambda record: (rank[record.source], record.ref)), said


def _chosen(group: Sequence[Record]) -> dict[str, Record]:
    """Return column -> the record that gives its value."""
    chosen: dict[str, Record] = {}
    known = [sum(part is not None for part in born_of(record.values)) for record in group]
    best = group[known.index(max(known))]
    for record in group:
        for column, value in record.values.items():
            if value is not None and (column not in _BORN or record is best):
                chosen.setdefault(column, record)
    return chosen


def _said(group: Sequence[Record], chosen: Mapping[str, Record]) -> list[Said]:
    person = group[0].source, group[0].ref
    found = []
    for record in group:
        for column, value in record.values.items():
            if value is None:
                continue
            taken = chosen.get(column)
            origin = record.origins.get(column, Origin(record.source, "", "", ""))
            conflict = taken is not None and column not in _OWN and _contradict(column, value, taken.values[column])
            found.append(Said(person, column, record.source, record.ref, value, origin, taken is record, conflict))
    return found


def _contradict(column: str, a: object, b: object) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) > TOLERANCES.get(column, 0.0)
    if isinstance(a, date) or isinstance(b, date):
        return a != b
    if column in _COUNTRIES:
        here, there = find_country(str(a)), find_country(str(b))
        return here is None or there is None or (here.iso2, here.policy) != (there.iso2, there.policy)
    return sorted(fold(str(a)).split()) != sorted(fold(str(b)).split())
