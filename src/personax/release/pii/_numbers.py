"""Private numbers: ids, telephone numbers and days held as numbers, distinguished from chance matches.

A column with m different numbers of d digits meets n private numbers of d digits by chance about
``m n / (9 * 10^(d-1))`` times. More hits than such a Poisson number has in one of a thousand columns are no chance.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammainc

from personax.data.text import visible
from personax.release.pii._dates import DAY

__all__ = ["NUMBER", "KnownNumbers", "phone_keys", "whole_phone"]

NUMBER = "private numbers"
DAYS = "private dates as numbers"
MAX_CHANCE = 1e-3
"""A column that meets so many private numbers by chance only so often is a finding."""

PHONE_KEY_DIGITS = 9
"""Last digits of a telephone number that are compared: the rest is how it is dialled."""
MIN_DIGITS = 5
"""Fewest digits of a number that is searched for in numeric columns."""
MIN_EXACT_DIGITS = 8
"""Fewest digits of a number with decimals that is searched for."""

_PHONE = re.compile(r"(?<!\w)[+(]{0,2}\d(?:[ ()./\-‐‑–]{0,3}\d){7,24}(?!\w)")
_GROUP = re.compile(r"\d+")
_WHOLE = re.compile(r"[+-]?(\d{1,18})(?:\.0+)?")
_UNITS = (1, 10**3, 10**6, 10**9)
_EPOCH = date(1970, 1, 1)


def whole_phone(text: str) -> set[str]:
    """Return the key of a telephone number where a text is one.

    Examples
    --------
    >>> whole_phone("+49 (170) 123-4567"), whole_phone("0170 1234567 at home")
    ({'701234567'}, set())
    """
    match = _PHONE.fullmatch(visible(text).strip()) if _GROUP.search(text) else None
    digits = "".join(_GROUP.findall(match[0])) if match else ""
    return {digits[-PHONE_KEY_DIGITS:]} if PHONE_KEY_DIGITS <= len(digits) <= 16 else set()


def phone_keys(text: str) -> set[str]:
    """Return the keys of all telephone numbers that a text may hold.

    Examples
    --------
    >>> sorted(phone_keys("call 0170/1234567 or 00 49 171 7654321"))
    ['701234567', '717654321']
    """
    found = set()
    for match in _PHONE.finditer(visible(text)):
        digits = ""
        for group in _GROUP.findall(match[0]):
            digits += group
            if len(digits) >= PHONE_KEY_DIGITS:
                found.add(digits[-PHONE_KEY_DIGITS:])
    return found


class KnownNumbers:
    """Private values that are numbers, ready to be met by columns of numbers.

    Parameters
    ----------
    values
        As text.
    dates, phones
        Private days; keys of private telephone numbers.
    """

    def __init__(self, values: Iterable[str], dates: Collection[date], phones: Collection[str]) -> None:
        values = list(values)
        whole = (_WHOLE.fullmatch(value) for value in values)
        self._whole = _sorted(int(match[1]) for match in whole if match and len(match[1].lstrip("0")) >= MIN_DIGITS)
        self._real = np.array(sorted({float(value) for value in values if _is_exact(value)}), dtype=np.float64)
        self._phones = _sorted(int(key) for key in phones)
        self._days = _sorted((day - _EPOCH).days for day in dates)
        self._written = _sorted(number for day in dates for number in _forms(day))

    def match(self, series: pl.Series) -> dict[str, NDArray[np.bool_]]:
        """Return kind -> which rows of a column of numbers are private, for the kinds that are no chance.

        Examples
        --------
        >>> known = KnownNumbers([], [date(1995, 6, 15), date(1990, 5, 17)], [])
        >>> {kind: rows.tolist() for kind, rows in known.match(pl.Series([19950615, 19900517, 7])).items()}
        {'private dates as numbers': [True, True, False]}
        """
        real = series.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
        held = series.dtype.is_integer()
        exact = series.cast(pl.Int64, strict=False).fill_null(0).to_numpy() if held else _as_whole(real)
        found = {NUMBER: self._numbers(exact), DAYS: self._dates(exact)}
        if not held and len(self._real):
            precise = real if series.dtype == pl.Float64 else real.astype(np.float32).astype(np.float64)
            known = self._real if series.dtype == pl.Float64 else self._real.astype(np.float32).astype(np.float64)
            found[NUMBER] = found[NUMBER] | np.isin(precise, known)
        return {kind: rows for kind, rows in found.items() if rows.any()}

    def _numbers(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        ids = _beyond_chance(numbers, self._whole)
        tail = np.where(np.abs(numbers) >= 10 ** (PHONE_KEY_DIGITS - 1), np.abs(numbers) % 10**PHONE_KEY_DIGITS, -1)
        return ids | _beyond_chance(tail, self._phones)

    def _dates(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = _beyond_chance(numbers, self._written)
        for unit in _UNITS:
            days, rest = np.divmod(numbers, unit * DAY)
            midnight = (rest == 0) & (numbers != 0)
            found |= _more_than(midnight & np.isin(days, self._days), len(self._days) * _different(numbers) / 1e9)
        return found


def _forms(day: date) -> Iterator[int]:
    """Yield a day as one number: year, month and day in the orders that are written."""
    yield day.year * 10_000 + day.month * 100 + day.day
    yield day.day * 1_000_000 + day.month * 10_000 + day.year
    yield day.month * 1_000_000 + day.day * 10_000 + day.year


def _beyond_chance(numbers: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which numbers are known; none where as many matches are expected by chance."""
    if not len(known):
        return np.zeros(len(numbers), dtype=bool)
    ours, theirs = _digits(np.unique(numbers)), _digits(known)
    expected = sum(count * theirs[digits] / (9 * 10 ** (digits - 1)) for digits, count in ours.items() if digits)
    return _more_than(np.isin(numbers, known), expected, numbers)


def _more_than(hits: NDArray[np.bool_], expected: float, numbers: NDArray[np.int64] | None = None) -> NDArray[np.bool_]:
    seen = int(hits.sum()) if numbers is None else len(np.unique(numbers[hits]))
    # P(X >= seen) of a Poisson number is the regularized lower incomplete gamma function of seen
    chance = float(gammainc(seen, expected)) if seen and expected > 0 else 0.0
    return hits if seen and chance < MAX_CHANCE else np.zeros_like(hits)


def _digits(numbers: NDArray[np.int64]) -> Counter[int]:
    positive = np.abs(numbers[numbers != 0]).astype(np.float64)
    return Counter((np.floor(np.log10(positive)) + 1).astype(int).tolist())


def _different(numbers: NDArray[np.int64]) -> int:
    return len(np.unique(numbers))


def _as_whole(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return whole numbers as such, all others as 0."""
    whole = np.isfinite(numbers) & (np.abs(numbers) < 2**53)
    whole[whole] &= numbers[whole] == np.floor(numbers[whole])
    made = np.zeros(len(numbers), dtype=np.int64)
    made[whole] = numbers[whole].astype(np.int64)
    return made


def _is_exact(value: str) -> bool:
    return (
        re.fullmatch(r"-?\d+\.\d*[1-9]0*", value) is not None
        and len(value.strip("-0").replace(".", "")) >= MIN_EXACT_DIGITS
    )


def _sorted(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.array(sorted(set(numbers)), dtype=np.int64)
