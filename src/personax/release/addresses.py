"""What looks like an address, in any text: e-mail, web, file paths, telephone numbers, handles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

from personax.release.private import words_of

__all__ = ["addresses"]

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
    "a telephone number": re.compile(r"(?<![\w.+])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){7,14}(?![\w.]?\d)"),
}
_ENDINGS = (
    "com|org|net|edu|gov|int|info|biz|eu|de|uk|fr|es|it|nl|be|ch|at|pl|pt|se|no|dk|fi|ie|gr|cz|hu|ro|ru|ua|tr|jp|cn|kr|"
    "in|au|nz|ca|br|mx|ar|za|us|io|me|tv|co|ai|app|dev|blog|wiki|club|online|site|shop|xyz"
)
_VALUES = {
    "a web address": re.compile(
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
    "a web address": ".:",
    "a handle": "@",
}
"""Of which one must be there; most texts have none, and need no pattern."""


def addresses(text: str, *, document: bool = False, allowed: Collection[str] = ()) -> Counter[str]:
    r"""Count what looks like an address, by kind.

    Parameters
    ----------
    text
        Anything.
    document
        Web addresses and handles are then not looked for: cards and metadata have those of licences and formats.
    allowed
        Addresses that may leave, as `personax.release.private.words_of` parts them, joined by spaces.

    Examples
    --------
    >>> sorted(addresses("C:\\Users\\zoe, zoe.nemo@club.org, nemo-fans.com, +49 170 1234567"))
    ['a path of a file', 'a telephone number', 'a web address', 'an e-mail address']
    >>> addresses("AC Milan / Serie A, 1.90 m, St. Louis, w/o, 3/4")
    Counter()
    """
    found: Counter[str] = Counter()
    for kind, pattern in (_EVERYWHERE if document else _EVERYWHERE | _VALUES).items():
        if not any(sign in text for sign in _SIGNS[kind]):
            continue
        count = sum(" ".join(words_of(match[0])) not in allowed for match in pattern.finditer(text))
        if count:
            found[kind] = count
    return found
