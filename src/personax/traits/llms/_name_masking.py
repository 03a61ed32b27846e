"""Hiding a person's name in texts about them: in any script, with case endings, accents and initials.

Words of the text are compared with the parts of the name as `personax.data.fold` has both, so that Ковальский stands
for Kovalskiy and José for Jose however it is composed. Endings are those of languages that decline names. What is
hidden too much costs a word; what is not hidden tells who is meant, on which the stereotype audit rests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from personax.data import fold, spellings

__all__ = ["HIDDEN_NAME", "mask_name"]

HIDDEN_NAME: Final = "[name hidden]"

_MARKS: Final = "".join(chr(at) for at in range(0x300, 0xAC00) if unicodedata.category(chr(at)) in {"Mn", "Mc"})
"""Accents, vowel signs and tones of all scripts: what is written on a letter ends no word."""

_WORD: Final = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}])*")
_IDEOGRAPH: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af]"
)
"""Scripts whose words are not parted by blanks, or that add particles to a name without one."""

_TEXT_PARTICLES: Final = (
    "al bin ben da das de degli dei del della den der di do dos du e el ibn la las le lo los ter und van von "
    "vom y zu zum zur jr sr ii iii iv "
)
_PARTICLES: Final = frozenset(_TEXT_PARTICLES.split())
"""Words of names that tell nothing by themselves, and are words of their languages too."""

_TEXT_LATIN_ENDINGS: Final = (
    "s es n en ns e a u i y o em om am ov ova ove ovi ovu ovou ou uv ovy in ina ej iej ego iego eho iho emu "
    "iemu imu iem owi owa ie ia is im ich ech ach ym ymi imi ami ssa sta lla lta lle ksi na aan aa ta at it on "
    "an ne nek nak t ot al ul sen sesta selle sella selta sessa seen seksi sena un yn alle alla alta assa asta "
    "elle ella elta essa esta ille illa ilta issa ista olle olla olta ossa osta ulle ulla ulta ussa usta "
)
_LATIN_ENDINGS: Final = frozenset(_TEXT_LATIN_ENDINGS.split())
"""Case endings, and the s of a genitive, of languages in Latin script."""

_SOFTENED: Final = {"r": ("rz",), "d": ("dz",), "t": ("c",), "k": ("c",), "g": ("dz", "z"), "h": ("s", "z")}
"""What last consonants of Slavic names in -a become before an e."""

_VOWELS: Final = "aeiouy"
_HONORIFICS: Final = "先生|女士|小姐|夫人|某|氏|さん|君|様|씨|님"
_INITIALS: Final = re.compile(
    rf"(?:\b[^\W\d_]\.[ \-]?)+(?={re.escape(HIDDEN_NAME)})|(?<={re.escape(HIDDEN_NAME)})(?:,? [^\W\d_]\.)+"
)
_ELIDED: Final = re.compile(rf"\b[^\W\d_]['’ʼ](?={re.escape(HIDDEN_NAME)})")
"""O' and D' before the rest of a name."""

_AGAIN: Final = re.compile(rf"{re.escape(HIDDEN_NAME)}(?:[ \-·]*{re.escape(HIDDEN_NAME)})+")


@dataclass(frozen=True)
class _Parts:
    """A name as it is looked for.

    Parameters
    ----------
    keys
        Folded parts of three letters or more, and their spellings.
    short
        Folded parts of two letters; they count where a word begins with a capital, or its script has none.
    runs
        Texts of scripts without blanks that are looked for as they are, the longest first.
    surname
        A single ideograph that counts before a form of address.
    """

    keys: frozenset[str]
    short: frozenset[str]
    runs: tuple[str, ...]
    surname: str


def mask_name(text: str, name: str) -> str:
    """Return a text without a name.

    Parameters
    ----------
    text
        About the person; it comes back composed (NFC).
    name
        In any script, in any order.

    Examples
    --------
    >>> mask_name("J. R. Nemo was born in Lublin; Nemo's sister too.", "Ann Nemo")
    "[name hidden] was born in Lublin; [name hidden]'s sister too."
    >>> mask_name("Романа Ковальского знают все", "Роман Ковальский"), mask_name("王小明出生于北京。", "王小明")
    ('[name hidden] знают все', '[name hidden]出生于北京。')
    """
    text = unicodedata.normalize("NFC", text)
    parts = _parts(unicodedata.normalize("NFC", name).strip())
    for run in parts.runs:
        text = text.replace(run, HIDDEN_NAME)
    if parts.surname:
        text = re.sub(rf"{parts.surname}(?={_HONORIFICS})", HIDDEN_NAME, text)
    pieces, end = [], 0
    for found in _WORD.finditer(text):
        if _is_name(found.group(), parts) and not _within_mark(text, found):
            pieces += [text[end : found.start()], HIDDEN_NAME]
            end = found.end()
    masked = "".join([*pieces, text[end:]])
    if any("'" in one or "’" in one for one in name):
        masked = _ELIDED.sub("", masked)
    return _AGAIN.sub(HIDDEN_NAME, _INITIALS.sub("", _AGAIN.sub(HIDDEN_NAME, masked)))


def _within_mark(text: str, found: re.Match[str]) -> bool:
    start = text.rfind("[", 0, found.start() + 1)
    return start >= 0 and text.startswith(HIDDEN_NAME, start) and found.end() <= start + len(HIDDEN_NAME)


@lru_cache(maxsize=512)  # a person has several fields
def _parts(name: str) -> _Parts:
    words = [found.group() for found in _WORD.finditer(name)]
    # O'Neal is one word in ONeal, and two in O'Neal
    joined = [one for one in name.split() if re.search(r"\w['’ʼ]\w", one)]
    folded = {key for word in [*words, *joined] for key in _keys(word)} - _PARTICLES
    runs, surname = set[str](), ""
    for word in words:
        if _UNSPACED.search(word) and len(word) > 1:
            runs.add(word)
    if words and all(_IDEOGRAPH.match(word) for word in words):
        whole = "".join(words)
        runs.add(whole)
        family, given = (words[0], "".join(words[1:])) if len(words) > 1 else _family(whole)
        if len(given) > 1:
            runs.add(given)
        surname = family if len(family) == 1 else ""
        # romanised, the parts stand apart: Wang Xiaoming, Xiaoming Wang
        folded |= {fold(family).replace(" ", ""), fold(given).replace(" ", "")} - {""}
    return _Parts(
        frozenset(key for key in folded if len(key) > 2),
        frozenset(key for key in folded if len(key) == 2),
        tuple(sorted((run for run in runs if len(run) > 1), key=len, reverse=True)),
        surname,
    )


_TEXT_TWO_SYLLABLES: Final = "欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 东方 東方 皇甫 尉迟 公孙 公孫 慕容 司徒 夏侯 "
_TWO_SYLLABLES: Final = frozenset(_TEXT_TWO_SYLLABLES.split())


def _family(whole: str) -> tuple[str, str]:
    """Part a Chinese name; one of four ideographs is Japanese as a rule, or has a family name of two."""
    cut = 2 if whole[:2] in _TWO_SYLLABLES or len(whole) > 3 else 1
    return whole[:cut], whole[cut:]


def _keys(word: str) -> Iterator[str]:
    for spelling in (word, *spellings(word)):
        key = fold(spelling).replace(" ", "")
        if key:
            yield key


def _is_name(word: str, parts: _Parts) -> bool:
    """Say whether a word is a part of the name, as it stands or with an ending."""
    key = fold(word).replace(" ", "")
    if key in parts.keys:
        return True
    caseless = not (word[0].isupper() or word[0].islower())
    if key in parts.short:
        return word[0].isupper() or caseless
    latin = "LATIN" in unicodedata.name(word[0], "")
    return any(_is_declined(key, part, latin=latin, capital=word[0].isupper() or caseless) for part in parts.keys)


def _is_declined(key: str, part: str, *, latin: bool, capital: bool) -> bool:
    if not capital:
        return False
    return any(
        key.startswith(stem) and (key[len(stem) :] in _LATIN_ENDINGS if latin else len(key) - len(stem) <= 4)
        for stem in _stems(part, latin=latin)
    )


@lru_cache(maxsize=4096)
def _stems(part: str, *, latin: bool) -> tuple[str, ...]:
    """Return what stays of a name in other cases: all of it, without last vowels, without one that falls out."""
    ended = part.rstrip("s") if not latin else part  # Kostas, Kosta
    bare = ended.rstrip(_VOWELS)
    found = [(part, 3), (bare, 3)]
    if len(part) > 4 and part[-2] in "eo" and part[-1] not in _VOWELS:
        found.append((part[:-2] + part[-1], 4))  # Marek, Marka
    if latin and part.endswith("nen"):
        found.append((part[:-3], 3))  # Virtanen, Virtasen
    if latin and bare[-2:] in {"kk", "pp", "tt"}:
        found.append((bare[:-1], 3))  # Pekka, Pekan
    if latin and part.endswith("a"):
        found += [(bare[:-1] + other, 3) for other in _SOFTENED.get(bare[-1:], ())]  # Marta, Marcie; Olga, Olze
    return tuple(dict.fromkeys(stem for stem, least in found if len(stem) >= least))
