"""Record linkage: blocking, scoring of candidate pairs, and groups of records that are one person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from personax.errors import InputError
from personax.sources._records import Record
from personax.sources.record_linkage._comparison import MARGIN, THRESHOLD, LinkageFields, linkage_fields, points, tokens

__all__ = ["MAX_BLOCK_SIZE", "CandidatePair", "Linkage", "RecordKey", "check_refs", "link"]

MAX_BLOCK_SIZE = 2000
"""Records with a key in common are not compared when there are more of them."""

RecordKey = tuple[str, str]
"""A record's source and ref."""


@dataclass(frozen=True, slots=True)
class CandidatePair:
    """Two records that were compared and could be one person.

    ``outcome`` is linked, ambiguous (a rival is as good) or possible (fewer points than needed).
    """

    a: RecordKey
    b: RecordKey
    points: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Linkage:
    """The linkage of a set of records.

    Parameters
    ----------
    groups
        Every record once; the records of a group are one person, at most one of a source.
    pairs
        Pairs with points, linked or not, in the order of their keys.
    compared, skipped_blocks
        How many pairs were compared, and how many keys were too common to compare by.
    """

    groups: list[list[RecordKey]]
    pairs: list[CandidatePair]
    compared: int
    skipped_blocks: int


def check_refs(records: Sequence[Record]) -> None:
    """Refuse two records of a source with one id.

    Raises
    ------
    InputError
        With the source and the first ids.
    """
    twice = sorted(key for key, times in Counter((r.source, r.ref) for r in records).items() if times > 1)
    if twice:
        shown = ", ".join(ref for source, ref in twice[:3] if source == twice[0][0])
        raise InputError(
            f"source {twice[0][0]} gives one id to two people ({shown}; {len(twice)} such ids); an id must be unique"
        )


def link(records: Sequence[Record]) -> Linkage:
    """Say which records of several sources are one person; see `personax.sources.record_linkage._comparison.points`.

    Parameters
    ----------
    records
        Of any number of sources; two records of one source are two people, as the source says.

    Raises
    ------
    InputError
        When a source gives one id to two people.

    Notes
    -----
    Two records are linked when they have at least 9 points, each is the other's best in its source, and no other record
    of either source comes within 3 points. Groups grow by their best pairs first; a pair that would put two records
    of a source into one group, or two that are two people for certain, is ambiguous. The order of the records does
    not matter.
    """
    check_refs(records)
    ordered = sorted(records, key=lambda record: (record.source, record.ref))
    facts = [linkage_fields(record) for record in ordered]
    sources = [record.source for record in ordered]
    scored, compared, skipped = _scored(facts, sources)
    clear = _without_rivals(scored, sources)
    linked, groups = _joined_groups(clear, scored, facts, sources)
    keys: list[RecordKey] = [(record.source, record.ref) for record in ordered]
    pairs = []
    for (i, j), value in sorted(scored.items()):
        outcome = "linked" if (i, j) in linked else "ambiguous" if value >= THRESHOLD else "possible"
        pairs.append(CandidatePair(keys[i], keys[j], value, outcome))
    return Linkage([[keys[i] for i in group] for group in groups], pairs, compared, skipped)


def _blocks(facts: Sequence[LinkageFields]) -> Iterator[tuple[object, int]]:
    """Yield the keys of every record: its day of birth, its whole name, its year with the start of each word."""
    for index, fact in enumerate(facts):
        words = tokens(fact.name)
        if fact.born.day is not None and fact.born.month is not None:
            yield fact.born, index
        yield words, index
        if fact.born.year is not None:
            for start in {word[:4] for word in words if len(word) > 1}:
                yield (fact.born.year, start), index


def _scored(facts: Sequence[LinkageFields], sources: Sequence[str]) -> tuple[dict[tuple[int, int], int], int, int]:
    """Return the pairs that have points, how many were compared, how many blocks were too large."""
    blocks: dict[object, list[int]] = defaultdict(list)
    for key, index in _blocks(facts):
        blocks[key].append(index)
    seen: set[tuple[int, int]] = set()
    scored: dict[tuple[int, int], int] = {}
    skipped = 0
    for members in blocks.values():
        if len(members) > MAX_BLOCK_SIZE:
            skipped += 1
            continue
        for place, i in enumerate(members):
            for j in members[place + 1 :]:
                if sources[i] == sources[j] or (i, j) in seen:
                    continue
                seen.add((i, j))
                value = points(facts[i], facts[j])
                if value > 0:
                    scored[i, j] = value
    return scored, len(seen), skipped


def _without_rivals(scored: dict[tuple[int, int], int], sources: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs over the threshold with no rival on either side, best first."""
    candidates: dict[tuple[int, str], list[int]] = defaultdict(list)
    for (i, j), value in scored.items():
        candidates[i, sources[j]].append(value)
        candidates[j, sources[i]].append(value)

    def alone(index: int, source: str, value: int) -> bool:
        return sum(other > value - MARGIN for other in candidates[index, source]) == 1

    clear = [
        (i, j)
        for (i, j), value in scored.items()
        if value >= THRESHOLD and alone(i, sources[j], value) and alone(j, sources[i], value)
    ]
    return sorted(clear, key=lambda pair: (-scored[pair], pair))


def _joined_groups(
    clear: Sequence[tuple[int, int]],
    scored: dict[tuple[int, int], int],
    facts: Sequence[LinkageFields],
    sources: Sequence[str],
) -> tuple[set[tuple[int, int]], list[list[int]]]:
    """Join groups, best pairs first, while no two records of a group are of one source or surely two people."""
    group = {index: [index] for index in range(len(facts))}
    linked = set()
    for i, j in clear:
        left, right = group[i], group[j]
        if left is not right:
            if not all(_can_join(a, b, scored, facts, sources) for a in left for b in right):
                continue
            joined = sorted(left + right)
            group.update(dict.fromkeys(joined, joined))
        linked.add((i, j))
    return linked, [members for index, members in sorted(group.items()) if members[0] == index]


def _can_join(
    a: int, b: int, scored: dict[tuple[int, int], int], facts: Sequence[LinkageFields], sources: Sequence[str]
) -> bool:
    pair = (min(a, b), max(a, b))
    return sources[a] != sources[b] and (pair in scored or points(facts[a], facts[b]) > 0)
