"""Digits of every script as 0 to 9: the one normalisation before a text is judged to be a number or a date."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from typing import Final

import polars as pl

__all__ = ["ascii_digits", "has_other_digits", "with_ascii_digits"]

_OTHER: Final = r"[\p{Nd}--0-9]"
"""For polars: a decimal digit of any script but the Latin one."""


@cache
def _table() -> dict[int, str]:
    """Return every decimal digit beyond ASCII -> 0 to 9, and the marks of Arabic numbers."""
    digits = re.findall(r"\d", "".join(map(chr, range(128, sys.maxunicode + 1))))
    return {ord(digit): str(unicodedata.digit(digit)) for digit in digits} | {ord("٫"): ".", ord("٬"): ""}


def ascii_digits(text: str) -> str:
    """Return a text with the decimal digits of every script as 0 to 9.

    Examples
    --------
    >>> [ascii_digits(text) for text in ("۲۰۰۲/۰۴/۲۵", "٣٫٥", "१९५०", "１９５０年")]
    ['2002/04/25', '3.5', '1950', '1950年']
    """
    return text if text.isascii() else text.translate(_table())


def has_other_digits(texts: pl.Series) -> bool:
    """Say whether a text has decimal digits that are not 0 to 9."""
    if texts.str.len_bytes().sum() == texts.str.len_chars().sum():  # ASCII alone, which is quicker to see
        return False
    return bool(texts.str.contains(_OTHER).any())


def with_ascii_digits(texts: pl.Series) -> pl.Series:
    """Return a column of text with the decimal digits of every script as 0 to 9; other columns as they are.

    Examples
    --------
    >>> with_ascii_digits(pl.Series(["۱۹۵۰/۰۱/۰۱", None, "12"])).to_list()
    ['1950/01/01', None, '12']
    """
    if texts.dtype != pl.String or not has_other_digits(texts):
        return texts
    table = _table()
    return texts.str.replace_many([chr(code) for code in table], list(table.values()))
