"""Known private values, indexed for matching in any spelling."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property

from personax.data import fold, spellings
from personax.release.pii._dates import days, whole_day
from personax.release.pii._matcher import (
    MIN_GLUED_ID,
    MIN_LENGTH,
    MIN_TYPO_LENGTH,
    Form,
    KeyIndex,
    TypoMatcher,
    WordIndex,
    can_be_glued,
    can_be_parted,
    is_long,
    nested,
    tells_name,
    tells_part,
    tells_word,
)
from personax.release.pii._name_variants import Strength, bare, variants, written
from personax.release.pii._numbers import KnownNumbers, phone_keys, whole_phone
from personax.release.pii._tokens import PASSAGE_WORDS, Passages, Written, in_own_script, is_digest, readings, tokens

__all__ = ["DATE", "INITIALS", "INSIDE", "MIN_COMMON", "MIN_LENGTH", "PHONE", "TYPO", "VALUE", "KnownValues"]

MIN_COMMON = 5
"""People who must share a category before it may be called like a private value of one word."""

MAX_RUN_WORDS = 6
"""Words of a text that together may be a name."""
MAX_CELL_WORDS = 8
"""A text of at most so many words is a value, in which the words of a name may be anywhere."""
MAX_GAP_WORDS = 3
"""In a longer text the two words of a name have less than so many others between them."""
MAX_NUMBER_LENGTH = 40
"""Signs of a text that may be a number."""
MAX_TYPO_WORDS = 4
"""At most so many words of a name are matched with a wrong letter."""

VALUE = "a private value"
INSIDE = "a private value inside a word"
INITIALS = "a private value with initials"
TYPO = "a private value with a letter wrong"
DATE = "a private date"
PHONE = "a private telephone number"

_APART = (
    "and or of the in at with vs for to by on as is was from a an und oder mit im am bei et ou avec dans e o ed con og "
    "och plays sings likes met saw"
)
_BETWEEN = frozenset(_APART.split())
"""Words between two people or things, not within a name."""


class KnownValues:
    """Values that must not leave, and how they are distinguished from lookalikes.

    Parameters
    ----------
    values
        Names, ids, dates and texts of the private side, one a person; how often a value occurs matters.
    allowed
        What may leave although it is a private value, such as a country that is also somebody's name.
    common
        See the notes.

    Notes
    -----
    Everything is compared as `personax.data.fold` and `personax.data.spellings` write it. A value counts

    - as a run of words: "the club of ZOE NEMO", in any order of up to four words, with titles, without middle names,
      with a middle name more, with initials where a point or a comma shows that they are, hyphened or joined. A value
      shorter than four characters must be the whole cell;
    - with one letter wrong, left out, doubled or exchanged, where the name has ten letters;
    - inside a word: "fc-zoenemo", "zoenemo1987". Only names of several words with seven letters, and ids with letters
      and digits, are looked for so: "Lin" is in "Berlin", and "Martin" in "Martinique";
    - in its own script inside a text without blanks;
    - as a date, however it is written, or a telephone number, however it is parted;
    - as a passage: eight words in a row that a private text has too.

    A value of *one* word, or a part of a name, may be a category by chance: a player called Jordan, the country Jordan.
    Such a cell passes where at least ``common`` people have the category, and at least twice as many as have the
    private value: a column that leaks names has each as often as the people have it. Every other clash stops the
    release, and ``allowed`` is the way out. In documents (``document=True``), which are made of plain words and
    numbers, values of one plain word, and numbers of fewer than six digits, are not looked for.

    What is not found: a name of Chinese signs by its Japanese or Korean reading, Thai and Indian scripts in Latin
    letters (their vowels are not written as they are heard), two letters wrong, nicknames.
    """

    def __init__(self, values: Iterable[str], allowed: Collection[str] = (), *, common: int = MIN_COMMON) -> None:
        self.allowed = frozenset(each for text in allowed for each in spellings(text))
        self._let = frozenset(each.replace(" ", "") for each in self.allowed)
        self.common = common
        self._forms: defaultdict[str, list[Form]] = defaultdict(list)
        self._own: Counter[str] = Counter()
        self._dates: Counter[date] = Counter()
        self._phones: set[str] = set()
        texts: list[str] = []
        counted = Counter(value for value in values if value)
        for value, times in counted.items():
            if not self.allowed or self.allowed.isdisjoint(spellings(value)):
                self._add(value, times, texts)
        self._passages = Passages(texts)
        numbers = [value for value in counted if len(value) < MAX_NUMBER_LENGTH and fold(value) not in self.allowed]
        self.numbers = KnownNumbers(numbers, self._dates, self._phones)

    def _add(self, value: str, times: int, texts: list[str]) -> None:
        if value.count(" ") >= PASSAGE_WORDS and len(fold(value).split()) >= PASSAGE_WORDS:
            texts.append(value)
            return
        dates, phones = whole_day(value), whole_phone(value)
        self._dates.update(dict.fromkeys(dates, times))
        self._phones |= phones
        if (dates or phones) and not value.isdigit():
            return
        ways = list(written(value))
        if ways and len(ways[0]) >= PASSAGE_WORDS:
            texts.append(value)
            return
        own = in_own_script(value)
        if len(own) > 1:
            self._own[own] += times
        found: dict[tuple[str, ...], Strength] = {}
        for words in dict.fromkeys(each for way in ways for each in (way, bare(way))):
            for form, strength in variants(words):
                found[form] = max(strength, found.get(form, strength))
        for form, strength in found.items():
            key = "".join(form)
            if key not in self._let:
                self._forms[key].append(Form(form, strength, times))

    @cached_property
    def _keys(self) -> KeyIndex:
        return KeyIndex(self._forms)

    @cached_property
    def _pairs(self) -> KeyIndex:
        return KeyIndex([key for key, every in self._forms.items() if any(map(can_be_parted, every))])

    @cached_property
    def _long(self) -> KeyIndex:
        return KeyIndex(
            [key for key, every in self._forms.items() if len(key) >= MIN_TYPO_LENGTH and any(map(is_long, every))]
        )

    @cached_property
    def _slips(self) -> TypoMatcher:
        return TypoMatcher(
            word for every in self._forms.values() for form in every if is_long(form) for word in form.words
        )

    @cached_property
    def _glued(self) -> Mapping[str, Sequence[str]]:
        glued: defaultdict[str, list[str]] = defaultdict(list)
        for key, every in self._forms.items():
            if any(map(can_be_glued, every)):
                glued[key[:MIN_GLUED_ID]].append(key)
        return glued

    @cached_property
    def _own_starts(self) -> Mapping[str, Sequence[str]]:
        starts: defaultdict[str, list[str]] = defaultdict(list)
        for own in self._own:
            starts[own[:2]].append(own)
        return starts

    def find(self, text: str, *, rows: int = 1, document: bool = False) -> Counter[str]:
        """Count private values in a text, by kind.

        Parameters
        ----------
        rows
            How many people have this text as their value.
        document
            The text is a document or a name of something, not a value of a person.

        Examples
        --------
        >>> known = KnownValues(["Zoë Nemo", "1995-06-15"])
        >>> [dict(known.find(text)) for text in ("NEMO, Z.", "15 June 1995", "a nemo")]
        [{'a private value with initials': 1}, {'a private date': 1}, {}]
        """
        return self.find_each([text], [rows], document=document)[0]

    def find_each(self, texts: Sequence[str], rows: Sequence[int], *, document: bool = False) -> list[Counter[str]]:
        """Count private values in each of many texts; see `find`."""
        read = [each for number, text in enumerate(texts) for each in readings(text, number)]
        words = WordIndex([each.words for each in read])
        hits: defaultdict[int, set[tuple[int, str]]] = defaultdict(set)
        for place, start, length in words.runs(self._keys, MAX_RUN_WORDS):
            if not (read[place].apart and length == 1):
                number = read[place].number
                kind = self._kind(read[place].words, start, length, texts[number], rows[number], document)
                hits[place] |= {(start, kind)} if kind else set()
        for place, start, kind in [*self._parted(words, read, rows, document), *self._slipped(words, read, rows)]:
            hits[place].add((start, kind))
        glued = self._holding(words.vocabulary)
        found = [Counter[str]() for _ in texts]
        for place, every in hits.items():
            found[read[place].number] |= Counter(kind for _, kind in every)
        for place, each in enumerate(read if glued else ()):
            if not hits.get(place) and not glued.isdisjoint(each.words):
                found[each.number] |= Counter({INSIDE: sum(word in glued for word in each.words)})
        for number, text in enumerate(texts):
            if other := self._other(text, rows[number], document, found[number]):
                found[number] |= Counter(other)
            if VALUE in found[number]:
                del found[number][TYPO]
        return found

    def _other(self, text: str, rows: int, document: bool, found: Counter[str]) -> dict[str, int]:
        """Count what is no run of words: dates, telephone numbers, names within signs, names in their own script."""
        other = {
            DATE: sum(day in self._dates for day in days(text, strict=document)) if self._dates else 0,
            PHONE: len(self._phones & phone_keys(text)) if self._phones else 0,
            INSIDE: 0 if found else len(self._holding(tokens(text))),
            VALUE: self._in_own_script(text, rows, document) if self._own and not text.isascii() else 0,
        }
        return {kind: count for kind, count in other.items() if count}

    def _kind(self, run: Sequence[str], start: int, length: int, text: str, rows: int, document: bool) -> str | None:
        """Return what a run of words is; None where it is nothing."""
        words = run[start : start + length]
        whole = length == len(run)
        for form in self._forms.get("".join(words), ()):
            rare = document or rows < max(self.common, 2 * form.times)
            if not nested(form.words, words):
                continue
            if form.strength is Strength.FULL:
                # so few syllables of another script may be a word of it by chance
                sure = rare or length > 2 or not in_own_script(text)
                if sure and tells_name(form, words, whole=whole, document=document):
                    return INSIDE if length == 1 and text.isascii() else VALUE
            elif form.strength is Strength.WORD:
                if rare and tells_word(form.words[0], length, whole=whole, document=document):
                    return VALUE
            elif rare and tells_part(form, words, whole=whole, text=text):
                return VALUE if form.strength is Strength.PARTIAL else INITIALS
        return None

    def _parted(
        self, words: WordIndex, read: Sequence[Written], rows: Sequence[int], document: bool
    ) -> Iterator[tuple[int, int, str]]:
        """Yield names with other words between theirs; in a short text in any order."""
        for apart in (*range(2, MAX_CELL_WORDS), *range(-MAX_CELL_WORDS + 1, -1)):
            near = 0 < apart <= MAX_GAP_WORDS
            if document and not near:
                continue
            for place, start in words.pairs(self._pairs, apart, most=None if near else MAX_CELL_WORDS):
                number, run, _ = read[place]
                first, *between, last = run[start : start + abs(apart) + 1]
                if any(word in _BETWEEN or word.isdigit() for word in between):
                    continue
                pair = (first, last) if apart > 0 else (last, first)
                every = [form for form in self._forms["".join(pair)] if form.words == pair and can_be_parted(form)]
                if self._are_rare(every, 1 if document else rows[number]):
                    yield place, start, VALUE

    def _slipped(
        self, words: WordIndex, read: Sequence[Written], rows: Sequence[int]
    ) -> Iterator[tuple[int, int, str]]:
        """Yield names of which one word has a letter wrong."""
        meant = {number: found for number, word in enumerate(words.vocabulary) if (found := self._slips.meant(word))}
        for place, start, length in words.slips(self._long, meant, MAX_TYPO_WORDS):
            number, run, _ = read[place]
            corrected = self._slips.corrected(run[start : start + length])
            if self._are_rare([form for each in corrected for form in self._meant(each)], rows[number]):
                yield place, start, TYPO

    def _meant(self, words: Sequence[str]) -> Iterator[Form]:
        yield from (form for form in self._forms.get("".join(words), ()) if is_long(form) and nested(form.words, words))

    def _are_rare(self, forms: Sequence[Form], rows: int) -> bool:
        """Say whether there are forms, and fewer people with a text than would make it a category."""
        return bool(forms) and rows < max(self.common, 2 * max(form.times for form in forms))

    def _holding(self, words: Iterable[str]) -> set[str]:
        """Return the words that hold a name or an id, and more."""
        return {word for word in words if len(word) >= MIN_GLUED_ID and not is_digest(word) and self._holds(word)}

    def _holds(self, word: str) -> bool:
        return any(
            word.startswith(value, place)
            for place in range(len(word) - MIN_GLUED_ID + 1)
            for value in self._glued.get(word[place : place + MIN_GLUED_ID], ())
            if value != word
        )

    def _in_own_script(self, text: str, rows: int, document: bool) -> int:
        """Count names in a script without blanks."""
        seen = in_own_script(text)
        found = {
            value
            for place in range(len(seen) - 1)
            for value in self._own_starts.get(seen[place : place + 2], ())
            if seen.startswith(value, place)
        }
        return sum(self._tells_itself(value, seen, rows, document) for value in found)

    def _tells_itself(self, value: str, seen: str, rows: int, document: bool) -> bool:
        """Say whether so many letters of a script are a name; two Chinese ones are many, two of Thai are a syllable."""
        least = 4 if value[0] < "\u1800" else 3 if document or "\uac00" <= value[0] <= "\ud7a3" else 2
        rare = document or len(value) > least or rows < max(self.common, 2 * self._own[value])
        return rare and (len(value) >= least or value == seen)

    def passages(self, texts: Collection[str]) -> set[str]:
        """Return those of the texts that share a passage with a private text."""
        return self._passages.shared(texts)
