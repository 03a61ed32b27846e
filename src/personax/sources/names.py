"""Names as they can be compared: letters of the Latin alphabet without marks, small, apart by single spaces."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

__all__ = ["fold"]

_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ŋ": "n", "ħ": "h",
    "ə": "a",
}  # fmt: skip
_CYRILLIC = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґўјљњћџђ",
        "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch  y  e yu ya i yi ye g u j lj nj c dz d".split(" "),
        strict=True,
    )
)
_GREEK = dict(
    zip("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split(), strict=True)
)
_LETTERS = str.maketrans(_LATIN | _CYRILLIC | _GREEK)
_SILENT = str.maketrans("", "", "'’‘`´ʻʼʿʾ.·")


@lru_cache(maxsize=2**17)
def fold(text: str) -> str:
    """Return a text for comparing: no case, no marks, no punctuation; Cyrillic and Greek in Latin letters.

    Examples
    --------
    >>> [fold(name) for name in ("Łukasz  Piszczek", "O’Neal, J.R.", "Côte d'Ivoire", "Лев Яшин")]
    ['lukasz piszczek', 'oneal jr', 'cote divoire', 'lev yashin']
    """
    plain = _unmarked(_unmarked(text).translate(_LETTERS)).translate(_SILENT)
    return " ".join("".join(letter if letter.isalnum() else " " for letter in plain).split())


def _unmarked(text: str) -> str:
    """Take the marks off; some letters show their small form, and some small forms their marks, only then."""
    small = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(letter for letter in small if not unicodedata.combining(letter))
