"""Names as they can be compared: letters of the Latin alphabet without marks, small, apart by single spaces."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

__all__ = ["fold"]

_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ŋ": "n", "ħ": "h",
    "ə": "a",
}  # fmt: skip
_CYRILLIC = (
    "аa бb вv гg дd еe жzh зz иi йy кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъ ыy ь эe юyu яya іi їyi "
    "єye ґg ўu јj љlj њnj ћc џdz ђd"
)
_GREEK = "αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo"
_LETTERS = str.maketrans(_LATIN | {pair[0]: pair[1:] for pair in f"{_CYRILLIC} {_GREEK}".split()})
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
