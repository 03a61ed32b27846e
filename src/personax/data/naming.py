"""Names of columns: the only splitter of them into words, and what the words say of the values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from personax.data.text import fold, visible
from personax.data.vocabulary import DIRECT, QUASI, SENSITIVE, TEXTUAL, WORDS, Topic

__all__ = ["Said", "beside_a_surname", "is_code", "says", "snake", "split", "tells_the_day", "topics"]

RUN = 5
"""Most words of a column name that are looked up as one entry."""

_SHORT = "id dob ssn tel fax url zip bio nom fio uid pid plz dni cpf mrn yob lat lng gps pic img"
SHORT = frozenset(_SHORT.split())
"""Entries of up to three letters that mean nothing else."""

_CHUNK = re.compile(r"[^\W\d_]+|\d+")
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# given alone, or beside a person, these are parts of a name
_PARTS = frozenset({"first", "last", "middle", "given"})
_FIRST: Final[tuple[Topic, ...]] = (
    "day", "birth date", "birth place", "birth year", "national id", "bank", "e-mail", "phone", "postcode",
    "web address", "handle", "device", "address", "picture or file", "text",
)  # fmt: skip
_OF_MANY: Final[tuple[Topic, ...]] = ("group", "country", "place", "occupation", "position", "education", "language")
_THEN: Final[tuple[Topic, ...]] = ("coordinate", "name", "id")
_ENDS: Final[Mapping[str, Topic]] = {
    "name": "name", "naam": "name", "mail": "e-mail", "phone": "phone", "telefon": "phone", "address": "address",
    "adresse": "address", "birth": "birth date", "nummer": "id",
}  # fmt: skip


_ONLY_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    "ad": frozenset({"soyad", "soyadi", "soyisim"}), "ten": frozenset({"ho"}), "ho": frozenset({"ten"}),
    "성": frozenset({"이름", "명"}),
}  # fmt: skip
"""Words for a part of a name that mean other things where no word for the other part stands beside them."""


_OFTEN_MISSPELT_TEXT = """
    religion religious ethnicity nationality disability diagnosis disease health orientation sexuality salary income
    politics criminal conviction pregnancy pregnant medication depression diabetes surname address birthdate birthday
    passport telephone gender occupation profession religione gehalt geburtsdatum geburtstag vorname nachname krankheit
"""
_OFTEN_MISSPELT = frozenset(_OFTEN_MISSPELT_TEXT.split())
"""Entries that are known with one letter wrong, left out, doubled or exchanged, behind the right first letter."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a column's name says of its values.

    Parameters
    ----------
    topic
        What it is about; None where no word is known.
    word
        The words of the name that say so.
    sure
        Nothing else in the name speaks against it: ``player_name`` is sure, ``event_name`` is not.
    counted
        The name is of a measure of it, such as ``has_stage_name`` or ``name_length``: the values decide.
    """

    topic: Topic | None = None
    word: str = ""
    sure: bool = False
    counted: bool = False

    @property
    def direct(self) -> bool:
        """The topic names a person."""
        return self.topic in DIRECT

    @property
    def quasi(self) -> bool:
        """The topic is what somebody may know from elsewhere."""
        return self.topic in QUASI

    @property
    def sensitive(self) -> bool:
        """The topic is what nobody should learn."""
        return self.topic in SENSITIVE

    @property
    def known(self) -> bool:
        """The topic is one that a class goes by."""
        return self.direct or self.quasi or self.sensitive

    @property
    def textual(self) -> bool:
        """Values of this topic are texts, never numbers."""
        return self.topic in TEXTUAL


@lru_cache(maxsize=65536)
def split(name: str) -> tuple[str, ...]:
    """Return the words of a column's name, folded, in order.

    Parameters
    ----------
    name
        In snake, camel or Pascal case, with acronyms, digits, spaces or brackets, in any script.

    Returns
    -------
    tuple of str
        Lower-case words without accents; numbers are words of their own. Where an acronym meets a word the split that
        gives known words is taken, and glued words are parted where all parts are known.

    Examples
    --------
    >>> split("playerDOB"), split("DOBplayer"), split("IDNumber"), split("Height(cm)")
    (('player', 'dob'), ('dob', 'player'), ('id', 'number'), ('height', 'cm'))
    >>> split("XMLHttpRequest"), split("contactphone"), split("biology")
    (('xml', 'http', 'request'), ('contact', 'phone'), ('biology',))
    """
    words: list[str] = []
    for chunk in _CHUNK.findall(_composed(name)):
        for piece in _cased(chunk):
            words += _parted(_fold(piece))
    return tuple(words)


@lru_cache(maxsize=65536)
def snake(name: str) -> str:
    """Return a column's name as lower-case words with underscores; digits stay where they are.

    Examples
    --------
    >>> snake("Height(cm)"), snake("birthDate"), snake("4o_o")
    ('height_cm', 'birth_date', '4o_o')
    """
    pieces = [
        "_".join(_fold(part) for chunk in _CHUNK.findall(run) for part in _cased(chunk))
        for run in re.findall(r"[^\W_]+", _composed(name))
    ]
    return "_".join(re.sub(r"(?<=\d)_|_(?=\d)", "", piece) for piece in pieces)


def _composed(name: str) -> str:
    """Return a name as it is seen, without marks upon letters, with one form of every letter.

    Vowels of Indian scripts and of Thai that are marks go too: a word would fall apart at them.
    """
    if name.isascii():
        return name
    plain = unicodedata.normalize("NFKD", visible(name)).replace("ß", "ss")
    return unicodedata.normalize("NFC", "".join(letter for letter in plain if unicodedata.category(letter)[0] != "M"))


def _fold(word: str) -> str:
    """Return a word as the vocabulary has it: folded, but that scripts without spaces stay, to be parted.

    Two letters of a script without vowels mean anything once they are transliterated, and stay as well.
    """
    if word.isascii():
        return word.lower()
    folded = "" if _UNSPACED.search(word) else fold(word).replace(" ", "")
    return folded if len(folded) > 2 else _composed(word).lower()


def _cased(chunk: str) -> list[str]:
    """Part letters where case changes; ``XMLHttp`` before the last capital, ``DOBplayer`` after it."""
    pieces: list[str] = []
    for part in _scripts(chunk):
        start = 0
        for run in re.findall(r"[A-Z]+[a-z]*|[^A-Z]+", _ascii_case(part)):
            pieces += _acronym(part[start : start + len(run)])
            start += len(run)
    return pieces


def _scripts(chunk: str) -> list[str]:
    """Part letters where ASCII meets another script; single letters among others are look-alikes, and stay."""
    if chunk.isascii():
        return [chunk]
    runs = re.findall(r"[\x00-\x7f]+|[^\x00-\x7f]+", chunk)
    other = all(letter > "\u0370" for run in runs if not run.isascii() for letter in run)
    return runs if other and min(map(len, runs)) > 1 else [chunk]


def _ascii_case(chunk: str) -> str:
    """Return A for each capital and a for each other letter, so that one pattern does for all scripts."""
    return "".join("A" if letter.isupper() else "a" for letter in chunk)


def _acronym(run: str) -> list[str]:
    capitals = next((place for place, letter in enumerate(run) if not letter.isupper()), len(run))
    if capitals < 2 or capitals == len(run):
        return [run]
    before, after = [run[: capitals - 1], run[capitals - 1 :]], [run[:capitals], run[capitals:]]
    known = _vocabulary()
    telling = [sum(known.get(_fold(part), "neutral") != "neutral" for part in parts) for parts in (before, after)]
    return after if telling[1] > telling[0] else before


@cache
def _vocabulary() -> dict[str, Topic]:
    """Return entry without spaces -> topic; the first topic that names an entry keeps it."""
    found: dict[str, Topic] = {}
    for topic, entries in WORDS.items():
        for entry in " ".join(entries.split()).split(","):
            for written in {entry, entry.translate(_SPELT_OUT)}:
                words = _CHUNK.findall(_composed(written))
                for key in {"".join(map(_fold, words)), _fold("".join(words))} - {""}:
                    found.setdefault(key, topic)
    return found


def _parted(word: str) -> list[str]:
    """Part a glued word where all its parts are known."""
    known = _vocabulary()
    if word in known or word.isdigit():
        return [word]
    if _UNSPACED.search(word):
        return _unspaced(word)
    if word.endswith("s") and word[:-1] in known and len(word) > 4:
        return [word]
    parts = _glued(word)
    return parts if parts else [word]


def _glued(word: str) -> list[str] | None:
    """Return the fewest known words that make a word, or None; two letters are only taken as ``id`` or ``ip``."""
    known = _vocabulary()
    best: list[list[str] | None] = [[]] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 24), end):
            part, before = word[start:end], best[start]
            fits = part in known and known[part] != "ordinary" and (len(part) > 2 or part in ("id", "ip"))
            shorter = before is not None and (best[end] is None or len(before) + 1 < len(best[end] or ()))
            if fits and before is not None and shorter:
                best[end] = [*before, part]
    return best[-1]


def _unspaced(word: str) -> list[str]:
    """Part a word of a script without spaces by the longest entries that are in it."""
    known, parts, rest, place = _vocabulary(), [], "", 0
    while place < len(word):
        size = next((size for size in range(len(word) - place, 0, -1) if word[place : place + size] in known), 0)
        if size:
            parts += [rest] * bool(rest) + [word[place : place + size]]
            rest, place = "", place + size
        else:
            rest, place = rest + word[place], place + 1
    return parts + [rest] * bool(rest)


@lru_cache(maxsize=65536)
def topics(name: str) -> tuple[tuple[str, Topic | None], ...]:
    """Return the runs of words of a name with what each is about; None where nobody knows.

    Examples
    --------
    >>> topics("teamName")
    (('team', 'group'), ('name', 'name'))
    """
    words, known, found, place = split(name), _vocabulary(), [], 0
    while place < len(words):
        ends = range(min(len(words), place + RUN), place, -1)
        end = next((end for end in ends if "".join(words[place:end]) in known), place + 1)
        key = "".join(words[place:end])
        found.append((" ".join(words[place:end]), _topic(key)))
        place = end
    return tuple(found)


def _topic(key: str) -> Topic | None:
    known = _vocabulary()
    if key.isdigit():
        return "number"
    if key in known:
        return None if known[key] == "ordinary" else known[key]
    if key.endswith("s") and len(key) > 4 and key[:-1] in known:
        return known[key[:-1]]
    return None


@lru_cache(maxsize=65536)
def says(name: str) -> Said:
    """Return what a column's name says of its values.

    Examples
    --------
    >>> says("nameFirst").topic, says("team_name").topic, says("has_stage_name").counted, says("biology").topic
    ('name', 'group', True, None)
    """
    runs = topics(name)
    by = {topic: word for word, topic in reversed(runs) if topic is not None}
    unknown = [word for word, topic in runs if topic is None]
    parts = [word for word, topic in runs if topic == "neutral" and word in _PARTS]
    for topic in SENSITIVE:
        if topic in by:
            return Said(topic, by[topic], sure=True)
    counted = "measure" in by or runs[:1] == (("n", None),)
    if parts and not unknown and not counted and {topic for _, topic in runs} <= {"neutral", "person", "number"}:
        return Said("name", parts[0], sure=True)
    found = _chosen(by)
    if found is None:
        return _by_its_end(unknown, counted=counted)
    word = by.get(found) or by.get("birth", "")
    short = len(word.replace(" ", "")) <= 3 and word not in SHORT and word.isascii()
    return Said(found, word, sure=not (unknown or short), counted=counted and found in DIRECT)


def _chosen(by: Mapping[Topic, str]) -> Topic | None:
    """Return the topic that decides among those of a name."""
    group = next((topic for topic in _OF_MANY if topic in by), None)
    if "birth" in by:
        return _of_birth(by)
    plain = next((topic for topic in _FIRST if topic in by), None)
    if plain:
        return plain
    if group and ("name" in by or "id" in by or "person" not in by):
        # the name or the number of a club is that of a club, and who plays there is somebody
        return group
    if "name" in by and by.get("coordinate") == "long":
        return "name"
    told = next((topic for topic in _THEN if topic in by), None)
    return told or next((topic for topic in by if topic in QUASI), "person" if "person" in by else None)


def _of_birth(by: Mapping[Topic, str]) -> Topic:
    """Say what of a birth a name tells: ``birth_year`` is an entry, ``year_of_his_birth`` comes here."""
    if "country" in by:
        return "country"
    if "place" in by or "address" in by:
        return "birth place"
    if "year" in by:
        return "birth year"
    return "name" if "name" in by else "birth date"


def _by_its_end(unknown: Sequence[str], *, counted: bool) -> Said:
    """Take a word that nobody knows for what its ending says: ``eventname`` may be a name."""
    known = _vocabulary()
    for word in unknown:
        ending = next((end for end in _ENDS if word.endswith(end) and len(word) > len(end) + 2), None)
        if ending and known.get(word) != "ordinary":
            return Said(_ENDS[ending], word, sure=False, counted=counted)
        meant = _meant(word)
        if meant and known.get(word) != "ordinary":
            return Said(known[meant], word, sure=False, counted=counted and known[meant] in DIRECT)
    return Said()


def _meant(word: str) -> str | None:
    """Return the entry that a word is but for one letter: ``religon``, ``salry``, ``gendre``."""
    if not 5 <= len(word) <= max(map(len, _OFTEN_MISSPELT)) + 1:
        return None
    ways = _without_a_letter(word)
    for entry in sorted(_OFTEN_MISSPELT):
        if entry[0] == word[0] and abs(len(entry) - len(word)) <= 1:
            others = _without_a_letter(entry)
            if entry in ways or word in others or (len(entry) == len(word) and _one_slip(word, entry)):
                return entry
    return None


def _without_a_letter(word: str) -> frozenset[str]:
    return frozenset(word[:place] + word[place + 1 :] for place in range(len(word)))


def _one_slip(word: str, entry: str) -> bool:
    """Say whether words of one length differ in one letter, or in two neighbours that changed places."""
    off = [place for place, pair in enumerate(zip(word, entry, strict=True)) if pair[0] != pair[1]]
    swapped = len(off) == 2 and off[1] == off[0] + 1 and word[off[0]] == entry[off[1]] and word[off[1]] == entry[off[0]]
    return len(off) == 1 or swapped


def beside_a_surname(name: str, others: Sequence[str]) -> bool:
    """Say whether a column that alone could be anything is a part of a name, as another column is one.

    Examples
    --------
    >>> beside_a_surname("Ad", ["Ad", "Soyad"]), beside_a_surname("Ad", ["Ad", "clicks"])
    (True, False)
    """
    beside = _ONLY_BESIDE.get(snake(name), frozenset())
    return bool(beside) and any(snake(other) in beside for other in others)


def tells_the_day(name: str) -> bool:
    """Say whether a column, by its name, tells more of a date of birth than the year.

    Examples
    --------
    >>> [name for name in ("birth_year", "birth_month", "Birth Day", "month_sin") if tells_the_day(name)]
    ['birth_month', 'Birth Day']
    """
    return says(name).topic in ("birth date", "day")


def is_code(name: str) -> bool:
    """Say whether the numbers of a column are codes of categories, by its name.

    Examples
    --------
    >>> [name for name in ("Gender_idx", "league", "team_id", "height", "type") if is_code(name)]
    ['Gender_idx', 'league', 'team_id', 'type']
    """
    words = split(name)
    if words and words[-1] in ("idx", "index", "code", "id") and len(words) > 1:
        return True
    coded = ("gender", "country", "occupation", "position")
    return words in {("type",), ("league",), ("sport",)} or (len(words) == 1 and _topic(words[0]) in coded)
