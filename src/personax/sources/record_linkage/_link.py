"""Record linkage: candidate pairs, which of them are one person, and groups of records that are.

Sources of fewer than `LEAST` records are linked by fixed points, see ``_comparison``; from larger ones the weights are
learned, see ``_fellegi_sunter``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from personax.errors import InputError
from personax.sources._records import Record
from personax.sources.record_linkage._candidates import Side, candidates
from personax.sources.record_linkage._comparison import MARGIN, THRESHOLD, LinkageFields, linkage_fields, points
from personax.sources.record_linkage._fellegi_sunter import fit, link_threshold
from personax.sources.record_linkage._names import tokens

__all__ = [
    "LEAST",
    "MAX_BLOCK_SIZE",
    "REVIEW",
    "WRONG",
    "CandidatePair",
    "Decisions",
    "Linkage",
    "RecordKey",
    "check_refs",
    "link",
]

LEAST = 100
"""Records of each of two sources from which weights can be learned."""

WRONG = 0.0005
"""Share of the links that is expected to be wrong."""

REVIEW = 0.1
"""A pair as probable that is not linked is ambiguous."""

MAX_BLOCK_SIZE = 2000
"""Records with a key in common are not compared when there are more of them."""

RecordKey = tuple[str, str]
"""A record's source and ref."""


@dataclass(frozen=True, slots=True)
class CandidatePair:
    """Two records that were compared and could be one person.

    Parameters
    ----------
    a, b
        The records.
    points
        By the fixed rule; 0 where it takes them for two people.
    outcome
        linked, ambiguous (a rival is as good, or the evidence is not enough) or possible.
    weight, probability
        Log2 of the learned evidence, and the probability given all candidates of both; None where nothing was learned.
    """

    a: RecordKey
    b: RecordKey
    points: int
    outcome: str
    weight: float | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class LearnedLinkage:
    """What two sources tell of how they are linked.

    Parameters
    ----------
    in_both
        Expected number of people in both.
    weights
        Field -> log2 m / u of each level, the least agreement first; of names u depends on the name.
    threshold
        Probability from which pairs were linked, so that `WRONG` of them are expected wrong; None where no pair was.
    expected_wrong
        Number of wrong links that the probabilities let expect.
    """

    in_both: float
    weights: Mapping[str, Sequence[float]]
    threshold: float | None
    expected_wrong: float


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
    learned
        Two sources -> what was learned of them, see `LearnedLinkage`.
    """

    groups: list[list[RecordKey]]
    pairs: list[CandidatePair]
    compared: int
    skipped_blocks: int
    learned: Mapping[tuple[str, str], LearnedLinkage] = field(default_factory=dict)


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


Decisions = Mapping[tuple[RecordKey, RecordKey], bool]
"""Pairs that a person decided, in the order of their keys: one person, or two."""


def link(records: Sequence[Record], *, wrong: float = WRONG, decided: Decisions | None = None) -> Linkage:
    """Say which records of several sources are one person.

    Parameters
    ----------
    records
        Of any number of sources; two records of one source are two people, as the source says.
    wrong
        Share of the learned links that may be expected wrong.
    decided
        What a person said of pairs; it goes before everything else. Pairs whose records are not there are passed over.

    Raises
    ------
    InputError
        When a source gives one id to two people.

    Notes
    -----
    Of two sources with at least 100 records each the weights of Fellegi and Sunter are learned, and with them the
    share of people who are in one of them only; pairs are linked while no more than ``wrong`` of the links are expected
    wrong. Of smaller ones, two records are linked when they have at least 9 points (see
    `personax.sources.record_linkage._comparison.points`), each is the other's best in its source, and no other record
    of either source comes within 3 points. Groups grow by their best pairs first; a pair that would put two records
    of a source into one group, or two that are two people for certain, is ambiguous. The order of the records does
    not matter.
    """
    check_refs(records)
    ordered = sorted(records, key=lambda record: (record.source, record.ref))
    sides: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(ordered):
        sides[record.source].append(index)
    large = {name for name, members in sides.items() if len(members) >= LEAST}
    facts = [linkage_fields(record) for record in ordered]
    sources = [record.source for record in ordered]
    scored, compared, skipped = _scored(facts, sources, large)
    clear = [(pair, float(scored[pair])) for pair in _without_rivals(scored, sources)]
    keys: list[RecordKey] = [(record.source, record.ref) for record in ordered]
    found, learned = _learned(ordered, facts, {name: sides[name] for name in sorted(large)}, wrong)
    compared += sum(each.compared for each in found)
    skipped += sum(each.skipped for each in found)
    places = {key: place for place, key in enumerate(keys)}
    said = {(places[a], places[b]): same for (a, b), same in (decided or {}).items() if a in places and b in places}
    certain = sorted((pair for each in found for pair in each.linked), key=lambda pair: (-pair[1], pair[0]))
    ordered_pairs = [pair for pair, same in said.items() if same]
    ordered_pairs += [pair for pair, _ in certain + clear if pair not in said]
    apart = {pair for pair, same in said.items() if not same}
    linked, groups = _joined_groups(
        ordered_pairs, scored, facts, sources, {*dict(certain), *ordered_pairs} - apart, apart
    )
    pairs = [
        CandidatePair(
            keys[i], keys[j], value,
            "linked" if (i, j) in linked else "ambiguous" if value >= THRESHOLD and (i, j) not in said else "possible",
        )
        for (i, j), value in scored.items()
    ]  # fmt: skip
    for each in found:
        pairs += [
            CandidatePair(
                keys[i], keys[j], points(facts[i], facts[j]),
                "linked" if (i, j) in linked
                else "ambiguous" if probability >= REVIEW and (i, j) not in said else "possible",
                round(weight, 6), round(probability, 6),
            )
            for (i, j), weight, probability in each.seen
        ]  # fmt: skip
    pairs.sort(key=lambda pair: (pair.a, pair.b))
    return Linkage([[keys[i] for i in group] for group in groups], pairs, compared, skipped, learned)


_Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Learned:
    """Pairs of two sources: those to link with their weights, and all that are not hopeless."""

    linked: list[tuple[_Pair, float]]
    seen: list[tuple[_Pair, float, float]]
    compared: int
    skipped: int


SEEN = 0.001
"""A pair less probable is not kept."""


def _learned(
    records: Sequence[Record], facts: Sequence[LinkageFields], sides: Mapping[str, Sequence[int]], wrong: float
) -> tuple[list[_Learned], dict[tuple[str, str], LearnedLinkage]]:
    """Return the pairs of every two large sources, and what was learned of them."""
    made = {name: Side([records[i] for i in members], [facts[i] for i in members]) for name, members in sides.items()}
    found, learned = [], {}
    for one, other in combinations(sides, 2):
        levels, fields, skipped = candidates(made[one], made[other], np.random.default_rng(0))
        fitted = fit(levels, fields)
        best = fitted.probability > 0.5
        threshold = link_threshold(fitted.probability[best], wrong)
        taken = fitted.probability >= threshold
        pairs = [(sides[one][i], sides[other][j]) for i, j in zip(levels.left, levels.right, strict=True)]
        rows = list(zip(pairs, fitted.weight.tolist(), fitted.probability.tolist(), strict=True))
        linked = [(pair, weight) for (pair, weight, _), one_ in zip(rows, taken, strict=True) if one_]
        found.append(_Learned(linked, [row for row in rows if row[2] >= SEEN], len(rows), skipped))
        learned[one, other] = LearnedLinkage(
            round(fitted.matches, 1),
            {name: np.log2(model.m / model.u).round(2).tolist() for name, model in fitted.fields.items()},
            float(threshold) if taken.any() else None, float((1 - fitted.probability[taken]).sum()),
        )  # fmt: skip
    return found, learned


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


def _scored(
    facts: Sequence[LinkageFields], sources: Sequence[str], large: set[str]
) -> tuple[dict[tuple[int, int], int], int, int]:
    """Return the pairs that have points, how many were compared, how many blocks were too large.

    Pairs of two ``large`` sources are left out.
    """
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
                if sources[i] == sources[j] or (i, j) in seen or {sources[i], sources[j]} <= large:
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
    learned: Collection[tuple[int, int]],
    apart: Collection[tuple[int, int]],
) -> tuple[set[tuple[int, int]], list[list[int]]]:
    """Join groups, best pairs first, while no two records of a group are of one source or surely two people."""
    group = {index: [index] for index in range(len(facts))}
    linked = set()
    for i, j in clear:
        left, right = group[i], group[j]
        if left is not right:
            if not all(
                (min(a, b), max(a, b)) not in apart and _can_join(a, b, scored, facts, sources, learned)
                for a in left
                for b in right
            ):
                continue
            joined = sorted(left + right)
            group.update(dict.fromkeys(joined, joined))
        linked.add((i, j))
    return linked, [members for index, members in sorted(group.items()) if members[0] == index]


def _can_join(
    a: int,
    b: int,
    scored: Mapping[tuple[int, int], int],
    facts: Sequence[LinkageFields],
    sources: Sequence[str],
    learned: Collection[tuple[int, int]],
) -> bool:
    pair = (min(a, b), max(a, b))
    return sources[a] != sources[b] and (pair in scored or pair in learned or points(facts[a], facts[b]) > 0)
