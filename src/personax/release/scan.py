"""A scan of everything that leaves for what must not: names, ids, texts of the private side, e-mails, addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import polars as pl

from personax.errors import InputError

__all__ = ["MIN_LENGTH", "refuse_private", "scan"]

MIN_LENGTH = 4
"""Shorter private values count only when they are the whole cell."""

_PATTERNS = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
    "a web address": re.compile(r"(https?://|www\.)\S+", re.IGNORECASE),
}


_WORD = re.compile(r"\w+")


def _words(text: str) -> list[str]:
    """Return a text's words as a person would compare them: without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


def scan(frame: pl.DataFrame, private: Iterable[str]) -> dict[str, int]:
    """Return column -> number of cells that hold a private value or an address.

    Parameters
    ----------
    frame
        What would leave; only text columns can hold names.
    private
        Values of the private columns and the ids.

    Examples
    --------
    >>> scan(pl.DataFrame({"club": ["FC Zoe Nemo", "none"]}), ["Zoë Nemo"])
    {'club': 1}
    """
    secrets = {" ".join(_words(value)) for value in private if value} - {""}
    found = {}
    for series in frame.select(pl.col(pl.String)):
        values = series.drop_nulls().value_counts()
        hits = sum(times for value, times in values.iter_rows() if _leaks(value, secrets))
        if hits:
            found[series.name] = hits
    return found


def _leaks(value: str, secrets: set[str]) -> bool:
    """Say whether a run of words of the value is a private value, or the value holds an address."""
    words = _words(value)
    runs = (" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1))
    whole = " ".join(words)
    if any(run in secrets and (len(run) >= MIN_LENGTH or run == whole) for run in runs):
        return True
    return any(pattern.search(value) for pattern in _PATTERNS.values())


def refuse_private(frame: pl.DataFrame, private: Iterable[str]) -> None:
    """Refuse a table that would leave with something private in it.

    Raises
    ------
    InputError
        Names the column and the number of cells, not what is in them.
    """
    for column, hits in scan(frame, private).items():
        text = f"the release stops: {hits} cells of {column} hold a name, an id or an address; make {column} private"
        raise InputError(text)
