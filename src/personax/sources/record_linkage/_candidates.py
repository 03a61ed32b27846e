"""Candidate pairs of two sources: records that share a key, and how they agree in every field."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personax.sources._records import Record
from personax.sources.record_linkage._comparison import LinkageFields, birth_date_points, linkage_fields
from personax.sources.record_linkage._fellegi_sunter import CandidateLevels, FieldModel, Floats
from personax.sources.record_linkage._names import (
    SLIP,
    NameFrequencies,
    are_alike,
    name_agreement,
    skeleton,
    slips,
    tokens,
)

__all__ = ["Side", "candidates", "shared_columns"]

MOST_PAIRS = 20_000
"""Pairs that a key may make; a key that is too common compares nobody."""

SAMPLE = 200_000
"""Random pairs from which the agreement of strangers is counted."""

SAME_ID = 40.0
OTHER_ID = -5.0
"""Log evidence of one id and of two in a column of ids: an id is wrong once in 150 records."""

PART, ALIKE = 1, 2
"""Levels of names: some words agree and others are two names; no word is whole, and none is another name."""

SIBLINGS = 0.005
"""Twins and siblings a record that are expected before a source is looked at."""

_ID = re.compile(r"(?:.*_)?(?:id|qid|orcid|viaf|isni)|wikidata|imdb")
_COMPARED = frozenset((
    *("name", "birth_date", "birth_year", "birth_month", "birth_day", "birth_precision", "height_cm", "weight_kg"),
    *("gender", "league", "sport", "occupation", "occupations", "nationality", "country", "birth_country"),
    *("headshot_url", "position", "team", "image", "birthplace"),
))  # fmt: skip
"""Columns that have a comparison of their own, or none."""

LEAST_FILLED = 0.2
LEAST_DISTINCT = 20
LONGEST = 100


@dataclass(frozen=True)
class Side:
    """The records of one source, and their fields."""

    records: Sequence[Record]
    facts: Sequence[LinkageFields]

    @classmethod
    def of(cls, records: Sequence[Record]) -> Side:
        """Return the side of these records."""
        return cls(records, [linkage_fields(record) for record in records])

    def texts(self, column: str) -> list[str | None]:
        """Return the values of a column as they are compared: text, without blanks around it, in lower case."""
        values = (record.values.get(column) for record in self.records)
        return [str(value).strip().lower() or None if isinstance(value, str | int) else None for value in values]


def shared_columns(left: Side, right: Side) -> tuple[list[str], list[str]]:
    """Return the columns of ids, and the other columns of text, that both sources have and that tell people apart.

    An id has another value in every record of its source; a text is short, and no number, which may be a score.
    """
    columns = [_columns(side) for side in (left, right)]
    words = {column for column, kind in columns[0] & columns[1] if kind is str}
    ids, texts = [], []
    for column in sorted({column for held in columns for column, _ in held} - _COMPARED):
        sides = [[text for text in side.texts(column) if text] for side in (left, right)]
        if _ID.fullmatch(column) and all(held and len(set(held)) == len(held) for held in sides):
            ids.append(column)
        elif column in words and all(
            len(held) >= LEAST_FILLED * len(side.records)
            and len(set(held)) >= LEAST_DISTINCT
            and max(map(len, held)) <= LONGEST
            for held, side in zip(sides, (left, right), strict=True)
        ):
            texts.append(column)
    return ids, texts


def _columns(side: Side) -> set[tuple[str, type]]:
    held = {(column, type(value)) for record in side.records for column, value in record.values.items()}
    return {pair for pair in held if pair[1] in (str, int) and not pair[0].endswith(("_code_space", "_all"))}


def candidates(left: Side, right: Side, rng: np.random.Generator) -> tuple[CandidateLevels, dict[str, FieldModel], int]:
    """Return the candidate pairs, what is expected of every field, and how many keys were too common.

    Parameters
    ----------
    left, right
        Two sources; a record of one is nobody else of it.
    rng
        Draws the random pairs.
    """
    ids, texts = shared_columns(left, right)
    columns = {column: (left.texts(column), right.texts(column)) for column in (*ids, *texts)}
    pairs, skipped = _pairs(left, right, columns)
    one, other, levels, chance = _names(left, right, pairs, keep_others=bool(columns))
    fields = {"name": FieldModel(np.array([0.01, 0.01, 0.02, 0.05, 0.03, 0.03, 0.85]), np.full(7, 0.5))}
    all_levels, log_u = {"name": levels}, {"name": chance}
    strangers = (levels >= ALIKE) & (_born(left.facts, right.facts, one, other) == 0)
    i, j = rng.integers(0, len(left.records), SAMPLE), rng.integers(0, len(right.records), SAMPLE)
    for name, compare in _COMPARISONS.items():
        all_levels[name] = compare(left.facts, right.facts, one, other)
        sampled = compare(left.facts, right.facts, i, j)
        expected, strength, learned = _EXPECTED[name]
        u = _shares(sampled, len(expected))
        fields[name] = FieldModel(np.array(expected), u, strength, learned, strangers)
    for column in texts:
        mine, theirs = columns[column]
        all_levels[column] = _text_levels(mine, theirs, one, other)
        u = _shares(_text_levels(mine, theirs, i[: SAMPLE // 10], j[: SAMPLE // 10]), 3)
        fields[column] = FieldModel(np.array([0.1, 0.1, 0.8]), u)
        log_u[column] = _text_chance(all_levels[column], theirs, other, u)
    # siblings share country, sport and build as well: of them these tell nothing more
    siblings = (levels == PART) & (all_levels["born"] == 2)
    for name in ("country", "sport", "gender", "height"):
        all_levels[name] = np.where(siblings & (all_levels[name] > 0), -1, all_levels[name]).astype(np.int8)
    log_u["name"] = _with_siblings(chance, siblings, [left, right], fields["born"].u[2])
    base = np.zeros(len(one))
    for column in ids:
        mine, theirs = columns[column]
        base += [_id_evidence(mine[a], theirs[b]) for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    made = CandidateLevels(one, other, all_levels, len(left.records), len(right.records), log_u, base)
    return made, fields, skipped


def _id_evidence(a: str | None, b: str | None) -> float:
    return 0.0 if a is None or b is None else SAME_ID if a == b else OTHER_ID


def _pairs(
    left: Side, right: Side, columns: Mapping[str, tuple[list[str | None], list[str | None]]]
) -> tuple[list[tuple[int, int]], int]:
    """Return the pairs that share a key and can be one person, in order, and how many keys were too common."""
    blocks: dict[object, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    others: dict[object, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, side in enumerate((left, right)):
        for key, index in _keys(side):
            blocks[key][place].append(index)
        for column, texts in columns.items():
            for index, text in enumerate(texts[place]):
                if text:
                    others[column, text][place].append(index)
    found: set[tuple[int, int]] = set()
    for mine, theirs in (*blocks.values(), *others.values()):
        if len(mine) * len(theirs) <= MOST_PAIRS:
            found.update((i, j) for i in mine for j in theirs)
    skipped = sum(len(mine) * len(theirs) > MOST_PAIRS for mine, theirs in blocks.values())
    sports = [[fact.sport for fact in side.facts] for side in (left, right)]
    kept = ((i, j) for i, j in found if _not_two(sports[0][i], sports[1][j]))
    return sorted(kept), skipped


def _not_two(a: str | None, b: str | None) -> bool:
    return a is None or b is None or a == b


def _keys(side: Side) -> Iterator[tuple[object, int]]:
    """Yield the keys of every record: its day of birth, its name, its year or first letter with each word."""
    for index, fact in enumerate(side.facts):
        words = tokens(fact.name)
        if fact.born.day is not None and fact.born.month is not None:
            yield fact.born, index
        if words:
            yield words, index
        for place, word in enumerate(words):
            if len(word) > 1 and fact.born.year is not None:
                yield (fact.born.year, skeleton(word)[:4]), index
            for start in {other[0] for other in words[:place] + words[place + 1 :]} if len(word) > 1 else "":
                yield (skeleton(word), start), index


def _names(
    left: Side, right: Side, pairs: Sequence[tuple[int, int]], *, keep_others: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int8], Floats]:
    """Return the pairs whose names can be of one person, how they agree, and the log chance that strangers do.

    Levels: 0 no word agrees, `PART`, `ALIKE`, shorter, slip, spelling, same. Without ``keep_others``, names of the
    first two are two people for certain; those of part are not where the day of birth is the same.
    """
    mine, theirs = ([tokens(fact.name) for fact in side.facts] for side in (left, right))
    frequencies = NameFrequencies(theirs)
    memory: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[int, float]] = {}
    kept: list[tuple[int, int, int, float]] = []
    for i, j in pairs:
        key = mine[i], theirs[j]
        if key not in memory:
            memory[key] = _agreement(*key, frequencies)
        level, chance = memory[key]
        born = left.facts[i].born
        one_day = born.day is not None and born.month is not None and born == right.facts[j].born
        if level >= ALIKE or level < 0 or keep_others or (level == PART and one_day):
            kept.append((i, j, level, chance))
    columns = list(zip(*kept, strict=True)) if kept else [(), (), (), ()]
    return (
        np.array(columns[0], dtype=np.intp), np.array(columns[1], dtype=np.intp),
        np.array(columns[2], dtype=np.int8), np.log(np.array(columns[3], dtype=np.float64)),
    )  # fmt: skip


def _agreement(a: tuple[str, ...], b: tuple[str, ...], frequencies: NameFrequencies) -> tuple[int, float]:
    if not a or not b:
        return -1, 1.0
    agreement, words, of_words = name_agreement(a, b)
    if agreement:
        return agreement + ALIKE, frequencies.chance(words, of_words)
    if all(of_words) or are_alike(a, b):
        return ALIKE, frequencies.chance(words, [SLIP] * len(words))
    return (PART, frequencies.chance(words, of_words)) if any(of_words) else (0, 1.0)


def _with_siblings(chance: Floats, siblings: NDArray[np.bool_], sides: Sequence[Side], one_day: float) -> Floats:
    """Return the log chance of names, raised where both were born on one day and share a word only.

    A stranger of the source has both by chance, f(word) times the chance of the day, or is a sibling, of whom there are
    ``_siblings`` a record among N. The factor of the day is in the evidence of the day already.
    """
    rate = _siblings(sides, one_day) / len(sides[1].facts)
    return np.where(siblings, np.log(np.exp(chance) + rate / one_day), chance)


def _siblings(sides: Sequence[Side], one_day: float) -> float:
    """Return how many siblings of one birth a record has in its source: people of a word in common born on one day.

    Counted among the pairs of each source, which are two people, beyond those that chance lets expect.
    """
    observed, expected = 0.0, 0.0
    for side in sides:
        by_word: dict[str, list[int]] = defaultdict(list)
        for index, fact in enumerate(side.facts):
            for word in set(tokens(fact.name)):
                by_word[word].append(index)
        days = _days(side.facts)
        for members in by_word.values():
            born = days[members]
            times = np.unique(born[born > 0], return_counts=True)[1]
            observed += float((times * (times - 1)).sum())
            expected += one_day * float(times.sum() * (times.sum() - 1))
    return SIBLINGS + max(0.0, observed - expected) / sum(len(side.facts) for side in sides)


def _shares(levels: NDArray[np.int8], size: int) -> Floats:
    """Return the share of each level among random pairs, each at least once in ten times as many."""
    counts = np.bincount(levels[levels >= 0], minlength=size) + 0.1
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _born(a: Sequence[LinkageFields], b: Sequence[LinkageFields], i: NDArray[np.intp], j: NDArray[np.intp]
          ) -> NDArray[np.int8]:  # fmt: skip
    """Return 2 for one day of birth, 1 for one typing error, 0 for two days; -1 where one is not known to the day."""
    here, there = _days(a), _days(b)
    known = (here[i] > 0) & (there[j] > 0)
    levels = np.where(known, np.where(here[i] == there[j], 2, 0), -1).astype(np.int8)
    for place in np.flatnonzero(known & (levels == 0) & _close(here[i], there[j])):
        levels[place] = int(birth_date_points(a[i[place]].born, b[j[place]].born) is not None)
    return levels


def _days(facts: Sequence[LinkageFields]) -> NDArray[np.int64]:
    """Return yyyymmdd, 0 where a part is not known."""
    born = [fact.born for fact in facts]
    return np.array([(b.year or 0) * 10_000 + (b.month or 0) * 100 + (b.day or 0) if b.day and b.month and b.year else 0
                     for b in born], dtype=np.int64)  # fmt: skip


def _close(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which days may be a typing error apart: they share the year, or month and day."""
    close: NDArray[np.bool_] = np.equal(a // 10_000, b // 10_000) | np.equal(a % 10_000, b % 10_000)
    return close


def _year(a: Sequence[LinkageFields], b: Sequence[LinkageFields], i: NDArray[np.intp], j: NDArray[np.intp]
          ) -> NDArray[np.int8]:  # fmt: skip
    """Return 1 for one year of birth and 0 for two, where one of the records knows no more; else -1."""
    mine, theirs = (np.array([fact.born.year or 0 for fact in facts]) for facts in (a, b))
    whole = (_days(a)[i] > 0) & (_days(b)[j] > 0)
    return np.where((mine[i] == 0) | (theirs[j] == 0) | whole, -1, mine[i] == theirs[j]).astype(np.int8)


def _words(field: str, a: Sequence[LinkageFields], b: Sequence[LinkageFields], i: NDArray[np.intp],
           j: NDArray[np.intp]) -> NDArray[np.int8]:  # fmt: skip
    """Return 1 for the same word, 0 for another, -1 where one is unknown."""
    numbers: dict[object, int] = {None: 0}
    mine, theirs = (
        np.array([numbers.setdefault(getattr(fact, field), len(numbers)) for fact in facts]) for facts in (a, b)
    )
    return np.where((mine[i] == 0) | (theirs[j] == 0), -1, mine[i] == theirs[j]).astype(np.int8)


def _height(a: Sequence[LinkageFields], b: Sequence[LinkageFields], i: NDArray[np.intp], j: NDArray[np.intp]
            ) -> NDArray[np.int8]:  # fmt: skip
    """Return 2 for heights within 2 cm, 1 within 8 cm, 0 further apart."""
    mine, theirs = (np.array([np.nan if f.height is None else f.height for f in facts]) for facts in (a, b))
    apart = np.abs(mine[i] - theirs[j])
    return np.select([np.isnan(apart), apart <= 2, apart <= 8], [-1, 2, 1], 0).astype(np.int8)


_COMPARISONS = {
    "born": _born,
    "birth_year": _year,
    "country": lambda *sides: _words("country", *sides),
    "sport": lambda *sides: _words("sport", *sides),
    "gender": lambda *sides: _words("gender", *sides),
    "height": _height,
}
_EXPECTED: Mapping[str, tuple[Sequence[float], float, float | None]] = {
    "born": ((0.02, 0.03, 0.95), 20.0, None),
    "birth_year": ((0.03, 0.97), 20.0, None),
    "country": ((0.1, 0.9), 20.0, 50.0),
    "sport": ((0.001, 0.999), 1000.0, None),
    "gender": ((0.003, 0.997), 300.0, 20.0),
    "height": ((0.02, 0.18, 0.8), 20.0, 50.0),
}
"""Field -> what is expected of one person, of how many pairs' worth, and the random pairs that u counts for."""


def _text_levels(
    a: Sequence[str | None], b: Sequence[str | None], i: NDArray[np.intp], j: NDArray[np.intp]
) -> NDArray[np.int8]:
    """Return 2 for the same text, 1 for typing errors, 0 for two texts, -1 where one is missing."""
    memory: dict[tuple[str | None, str | None], int] = {}
    found = np.empty(len(i), dtype=np.int8)
    for place, (one, other) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        key = a[one], b[other]
        if key not in memory:
            memory[key] = _text_level(*key)
        found[place] = memory[key]
    return found


def _text_level(a: str | None, b: str | None) -> int:
    if a is None or b is None:
        return -1
    return 2 if a == b else int(slips(a, b))


def _text_chance(levels: NDArray[np.int8], texts: Sequence[str | None], j: NDArray[np.intp], u: Floats) -> Floats:
    """Return the log chance of each level: of the same text its share in the source."""
    times = Counter(text for text in texts if text)
    shares = np.array([(times[text] + 0.5) / (len(texts) + 1) if text else 1.0 for text in texts])
    return np.log(np.where(levels == 2, shares[j], u[np.maximum(levels, 0)]))
