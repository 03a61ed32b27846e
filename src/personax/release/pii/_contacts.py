"""Contacts in any text: e-mail and web addresses, file paths, telephone numbers, handles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

from personax.data import fold
from personax.data.text import has_inner_dot, visible

__all__ = ["contacts"]

_DIGEST = re.compile(r"\d{16}")
_EVERYWHERE = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
    "a path of a file": re.compile(
        r"(?i:\bfile:/)"
        r"|(?<![\w/:.#<)\]~-])/(?:[\w.@+ -]*[\w.@+-]/)+[\w.@+-]+"  # /home/somebody/people.csv
        r"|(?<![\w])[A-Za-z]:(?:\\{1,2}\w|/\w+[/.])"  # C:\Users, C:/Users/
        r"|(?<![\w\\])\\{2,4}[\w.-]+\\{1,2}[\w$]"  # \\server\share
        r"|(?<![\w~/])~[\w-]*[/\\]\w"  # ~/people, ~somebody/people
        r"|(?<![\w.])\.\.[/\\]"
    ),
    "a telephone number": re.compile(r"(?<![\w.+])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){7,14}(?!\w|\.\d)"),
}
_ENDINGS = (
    "com|org|net|edu|gov|int|info|biz|eu|de|uk|fr|es|it|nl|be|ch|at|pl|pt|se|no|dk|fi|ie|gr|cz|hu|ro|ru|ua|tr|jp|cn|kr|"
    "in|au|nz|ca|br|mx|ar|za|us|io|me|tv|co|ai|app|dev|blog|wiki|club|online|site|shop|xyz"
)
_WEB = "a web address"
_VALUES = {
    _WEB: re.compile(
        rf"(?:(?:https?|ftp)://|www\.)\S+|(?<![\w@.-])(?:[a-z0-9-]+\.)*[a-z0-9-]{{3,}}\.(?:{_ENDINGS})(?![\w-])(?!\.\w)",
        re.IGNORECASE,
    ),
    "a handle": re.compile(r"(?<![\w.@])@[A-Za-z_]\w{2,}"),
}
"""Of people's values only: a document may link to its licence."""

_SIGNS = {
    "an e-mail address": "@",
    "a path of a file": "/\\",
    "a telephone number": ("+", "00"),
    _WEB: ("://", "www."),
    "a handle": "@",
}
"""A prefilter: texts with none of these, nor a dot within a word, need no pattern."""


def contacts(text: str, *, document: bool = False, allowed: Collection[str] = ()) -> Counter[str]:
    r"""Count ways to reach somebody, by kind.

    Parameters
    ----------
    text
        Anything. It is read as it stands, and as `personax.data.text.visible` shows it.
    document
        Web addresses and handles are then not looked for: cards and metadata have those of licences and formats.
    allowed
        Addresses that may leave, folded.

    Notes
    -----
    Sixteen digits and letters a to f without a sign between them are a pseudonym of a release, not a telephone number,
    also where they are all digits: telephone numbers have at most fifteen.

    Examples
    --------
    >>> sorted(contacts("C:\\Users\\zoe, zoe.nemo@club.org, nemo-fans.com, +49 170 1234567"))
    ['a path of a file', 'a telephone number', 'a web address', 'an e-mail address']
    >>> contacts("AC Milan / Serie A, 1.90 m, St. Louis, w/o, 3/4"), contacts("0041070872cfe465")
    (Counter(), Counter())
    """
    found = _counted(text, document, allowed)
    if not text.isascii() or "&" in text or "%" in text:
        found |= _counted(visible(text), document, allowed)
    return found


def _counted(text: str, document: bool, allowed: Collection[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for kind, pattern in (_EVERYWHERE if document else _EVERYWHERE | _VALUES).items():
        if not (any(sign in text for sign in _SIGNS[kind]) or (kind == _WEB and has_inner_dot(text))):
            continue
        count = sum(
            _DIGEST.fullmatch(match[0]) is None and fold(match[0]) not in allowed for match in pattern.finditer(text)
        )
        if count:
            found[kind] = count
    return found
