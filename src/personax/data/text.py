"""Text as it can be compared: one fold for the whole house, further spellings, transliteration.

Two tables of others do most of it: anyascii writes the letters of every script in ASCII, and the confusables of
Unicode (UTS 39; ``confusables.txt`` beside this file) say which letters of other scripts look like Latin ones. The
table is kept as the few hundred lines that are used, with its notice, because packages that carry it bring a megabyte
to be read for them. Unicode normalization (NFKC) takes care of bold, fullwidth, circled and ligated letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from html import unescape
from importlib.resources import files

from anyascii import anyascii

__all__ = ["decode", "fold", "has_inner_dot", "looks", "spellings", "tidy", "transliterate", "visible", "words"]

ROUNDS = 4
"""How often a text may be escaped within an escape before it is taken as it stands."""

SHORT = 80
"""Letters of a text that is a name, and is remembered: names come again, and biographies would fill the memory."""

_SILENT = dict.fromkeys(map(ord, "'’‘‛`´ʻʼʽʾʿˈʹ′‵՚׳ꞌ＇·"))
_BLANKS = "\u2800"
"""Characters that are letters or signs by their category, and show nothing."""
_HIDDEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
_ENTITY = re.compile(r"&(?:#\d{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z]\w{1,30};)")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_BACKSLASH = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\x[0-9a-fA-F]{2}")
# J.R. is JR: a dot between two letters that stand alone
_INITIALS = re.compile(r"(?<![^\W\d_])([^\W\d_])\.(?=[^\W\d_](?![^\W\d_]))")
_WORD = re.compile(r"[^\W_]+")
_BY_SOUND = {
    "ə": "a", "Ə": "a", "ŋ": "n", "Ŋ": "n", "є": "ye", "Є": "ye", "џ": "dz", "Џ": "dz", "ђ": "d", "Ђ": "d",
    "ا": "a",
}  # fmt: skip
"""Where a language's own Latin letters are others than the package's: Đorđe and Ђорђе."""
_LIKE = dict(zip(map(ord, "ƅᴎʙᴛʜĸʍꞓƐßƩɅᴙɢʟʀᴅᴀᴇᴊᴘẟȷ"), "bnbthkmeebEArglrdaejpdj", strict=True))
"""Latin letters that the table of look-alikes leads to, as the plain letters that they look like."""
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue",
                            "Ø": "Oe", "Å": "Aa"})  # fmt: skip
"""How names are written where there are no dots and rings: Müller, Mueller."""
_AS_GERMAN = {"shch": "schtsch", "ch": "tsch", "sh": "sch", "kh": "ch", "yu": "ju", "ya": "ja", "zh": "sch", "ts": "z",
              "v": "w", "z": "s"}  # fmt: skip
_GERMAN = re.compile("|".join(_AS_GERMAN))
_SKIY = re.compile(r"[iy]y\b")


def fold(text: str) -> str:
    """Return what two spellings of one name share: small ASCII letters and digits, words apart by single blanks.

    Notes
    -----
    Escapes are read (HTML, percent, backslash), what cannot be seen is left out, and so are marks, apostrophes and the
    dots of initials; every other sign parts words. A word that mixes Latin letters with those of scripts that look like
    them is read as it looks; a word wholly of another script is transliterated. A letter of no known
    transliteration stays. Folding twice is folding once.

    Examples
    --------
    >>> [fold(name) for name in ("Łukasz  Piszczek", "O’Neal, J.R.", "Côte d'Ivoire", "Лев Яшин")]
    ['lukasz piszczek', 'oneal jr', 'cote divoire', 'lev yashin']
    >>> [fold(name) for name in ("Zоe\u200b N\u0435mo", "𝐙𝐨𝐞 Ｎｅｍｏ", "Zo&amp;euml; N%C3%A9mo")]
    ['zoe nemo', 'zoe nemo', 'zoe nemo']
    """
    return _name(text) if len(text) <= SHORT else _text(text)


def _text(text: str) -> str:
    return _ascii(text) if _is_plain(text) else _folded(visible(text))


_name = lru_cache(maxsize=2**17)(_text)


def words(text: str) -> list[str]:
    """Return the words of a folded text.

    Examples
    --------
    >>> words("FC St. Pauli, 1910")
    ['fc', 'st', 'pauli', '1910']
    """
    return fold(text).split()


def spellings(text: str) -> tuple[str, ...]:
    """Return the folded text first, then other ways to write it in plain letters, each once.

    Umlauts spelt out; letters of other scripts by their look, where they all have one; Cyrillic with ``й`` as y, with
    ``ё`` as yo, with ``-ий`` as y, and as German does it; names of syllables (Chinese, Korean) syllable by syllable.

    Examples
    --------
    >>> spellings("Jürgen Nemo"), spellings("Ann Nemo")
    (('jurgen nemo', 'juergen nemo'), ('ann nemo',))
    >>> spellings("姚明"), spellings("Лев Яшин")
    (('yaoming', 'yao ming'), ('lev yashin', 'lew jaschin'))
    """
    if _is_plain(text):
        return (fold(text),) if fold(text) else ()
    seen = unicodedata.normalize("NFC", visible(text))
    found = [fold(text), _folded(seen.translate(_SPELT_OUT)), _folded(looks(seen))]
    if any("\u0400" <= letter <= "\u04ff" for letter in seen):
        spoken = [_spoken(seen), _spoken(seen.replace("ё", "йо"))]
        found += [*spoken, *(_SKIY.sub("y", each) for each in spoken), _spoken(seen, german=True)]
    if any(_is_syllable(letter) for letter in seen):
        apart = "".join(f" {letter} " if _is_syllable(letter) else letter for letter in seen)
        found.append(_folded(apart))
    return tuple(dict.fromkeys(each for each in found if each))


def transliterate(text: str) -> str:
    """Return a text in ASCII, with its case and its signs.

    Examples
    --------
    >>> transliterate("Лев Яшин, 姚明, Łódź")
    'Lev Yashin, YaoMing, Lodz'
    """
    return anyascii(text)


def tidy(text: str) -> str:
    """Return a text as it should be kept: composed (NFC), nothing invisible, single blanks.

    Examples
    --------
    >>> tidy("Zoe\u0308 \u200b  Nemo ")
    'Zoë Nemo'
    """
    shown = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFC", " ".join(shown.split()))


def decode(text: str) -> str:
    r"""Return a text with the escapes of HTML, of addresses and of JSON read, also those within one another.

    Examples
    --------
    >>> decode("Zo&amp;#235; %4Eemo \\u0416")
    'Zoë Nemo Ж'
    """
    for _ in range(ROUNDS):
        before = text
        if "&" in text:
            text = _ENTITY.sub(lambda match: unescape(match[0]), text)
        if "%" in text:
            text = _PERCENT.sub(lambda match: _of_bytes(bytes.fromhex(match[0].replace("%", ""))), text)
        if "\\" in text:
            text = _BACKSLASH.sub(_of_backslash, text)
        if text == before:
            break
    return text


def visible(text: str) -> str:
    """Return a text as a reader sees it, in compatibility form (NFKC): escapes read, invisible signs left out.

    Examples
    --------
    >>> visible("a\u00adda＠n\u200demo.org")
    'ada@nemo.org'
    """
    text = decode(text)
    if text.isascii():
        return text
    text = _HIDDEN.sub("", text.translate(_SILENT)).replace(_BLANKS, " ")
    shown = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return _HIDDEN.sub("", unicodedata.normalize("NFKC", shown))


def looks(text: str) -> str:
    """Return a text in which letters of other scripts that look like Latin letters are these.

    Examples
    --------
    >>> looks("Соре"), looks("Ян")
    ('Cope', 'Ян')
    """
    return _WORD.sub(lambda match: _look_of(match[0]) or match[0], text)


def has_inner_dot(text: str) -> bool:
    """Say whether there is a dot that ends no sentence; most texts are told by counting, which is fast.

    Examples
    --------
    >>> has_inner_dot("One. Two."), has_inner_dot("nemo.org")
    (False, True)
    """
    return "." in text and text.count(".") > text.count(". ") + text.endswith(".")


def _is_plain(text: str) -> bool:
    return text.isascii() and "&" not in text and "%" not in text and "\\" not in text


def _ascii(text: str) -> str:
    if "'" in text or "`" in text:
        text = text.replace("'", "").replace("`", "")
    if has_inner_dot(text):
        text = _INITIALS.sub(r"\1", text)
    return " ".join(_WORD.findall(text.lower()))


def _folded(text: str) -> str:
    """Fold what is visible."""
    text = text.translate(_SILENT)
    if not text.isascii():
        text = _WORD.sub(lambda match: _read(match[0]), text).translate(_LETTERS)
    return _ascii(text)


@lru_cache(maxsize=2**14)
def _read(word: str) -> str:
    """Return a word as it looks where it mixes scripts that look alike, else as it is."""
    if word.isascii() or not _has_latin(word):
        return word
    return word.translate(_alike())


def _look_of(word: str) -> str | None:
    """Return a word as it looks; None where a letter of another script looks like none of the Latin alphabet."""
    seen = word.translate(_confusables())
    return seen if seen.isascii() and _has_latin(seen) else None


def _has_latin(word: str) -> bool:
    return any("a" <= letter <= "z" for letter in unicodedata.normalize("NFKD", word).lower())


def _is_syllable(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3" or "\U00020000" <= letter <= "\U000323af"


def _spoken(text: str, *, german: bool = False) -> str:
    """Fold with the short i of Cyrillic kept apart from the long one, Andrey beside Andrei; or as German writes it."""
    return _folded(_WORD.sub(lambda match: _sound_of(match[0], german), text))


def _sound_of(word: str, german: bool) -> str:
    if not all("\u0400" <= letter <= "\u04ff" for letter in word):
        return word
    sound = "".join(_BY_SOUND.get(letter) or anyascii(letter) for letter in word).lower()
    return _GERMAN.sub(lambda match: _AS_GERMAN[match[0]], sound) if german else sound


def _of_bytes(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _of_backslash(match: re.Match[str]) -> str:
    if match[0].startswith("\\x"):
        return chr(int(match[0][2:], 16))
    return bytes.fromhex(match[0].replace("\\u", "")).decode("utf-16-be", "replace")


@cache
def _confusables() -> Mapping[int, str]:
    """Return letter -> what it looks like."""
    lines = (files("personax.data") / "confusables.txt").read_text(encoding="ascii").splitlines()
    pairs = (line.split(" ; ") for line in lines if not line.startswith("#"))
    return {int(letter, 16): "".join(chr(int(each, 16)) for each in look.split()) for letter, look in pairs}


@cache
def _alike() -> Mapping[int, str]:
    """Return letter -> the plain letters that it looks like beside Latin ones."""
    return {letter: look.translate(_LIKE) for letter, look in _confusables().items()}


class _Letters(dict[int, str]):
    """One letter -> small ASCII letters; filled as letters are met, for ``str.translate``."""

    def __missing__(self, code: int) -> str:
        self[code] = _letter(chr(code))
        return self[code]


_LETTERS = _Letters()


def _letter(letter: str) -> str:
    """Return what a letter is written as in ASCII; a blank for a sign, nothing for a mark."""
    if letter.isascii():
        return letter
    if unicodedata.combining(letter) or unicodedata.category(letter) == "Me":
        return ""
    if not (letter.isalnum() or unicodedata.category(letter) in ("Mn", "Mc") or "\U0001f100" <= letter <= "\U0001f1ff"):
        return " "
    bare = letter if _is_composed(letter) else _bare(letter)
    sound = _BY_SOUND.get(bare) or anyascii(bare)
    plain = "".join(each for each in sound if each.isalnum()).lower()
    return plain or ("" if sound or not letter.isalpha() or unicodedata.category(letter) == "Lm" else letter.casefold())


def _bare(letter: str) -> str:
    apart = unicodedata.normalize("NFKD", letter.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each))


def _is_composed(letter: str) -> bool:
    """Say whether the marks of a letter are part of its sound: kana and Hangul."""
    return "\u3040" <= letter <= "\u30ff" or "\uac00" <= letter <= "\ud7a3"
