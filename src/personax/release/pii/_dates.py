"""Days in a text, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

from personax.data import fold
from personax.data.text import visible

__all__ = ["days", "whole_day"]

_MONTHS = """
january february march april may june july august september october november december
jan feb mar apr may jun jul aug sep oct nov dec
januar februar marz april mai juni juli august september oktober november dezember
janner feber maerz april mai juni juli august sept okt nov dez
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
janv fevr mars avr mai juin juil aout sept oct nov dec
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
ene feb mar abr may jun jul ago sept oct nov dic
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
gen febb mar apr mag giu lug ago sett ott nov dic
janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
januari februari maart april mei juni juli augustus september oktober november december
januari februari mars april maj juni juli augusti september oktober november december
stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia
ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik
yanvarya fevralya marta aprelya maya iyunya iyulya avgusta sentyabrya oktyabrya noyabrya dekabrya
"""
_MONTH = {
    name: number for line in _MONTHS.split("\n") if line.strip() for number, name in enumerate(line.split(), start=1)
}
_DASHES = str.maketrans("‐‑‒–—−", "------")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4}) ?([-./ ]) ?(\d{1,2}) ?\2 ?(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<![\d.])(\d{1,2}) ?([-./ ]) ?(\d{1,2}) ?\2 ?(\d{4}|\d{2})(?!\d)")
_SIGNS = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2})")
_NUMBER = re.compile(r"(?<![\d.])\d{8,19}(?![\d]|\.\d*[1-9])")
_OF = r" (?:(?:of|de|del|d) )?"
_DAY_MONTH = re.compile(rf"(?<!\w)(\d{{1,2}})(?:st|nd|rd|th|er|o|a)?{_OF}([a-z]{{3,12}}){_OF}(\d{{4}}|\d{{2}})(?!\w)")
_MONTH_DAY = re.compile(r"(?<!\w)([a-z]{3,12}) (\d{1,2})(?:st|nd|rd|th)? (\d{4}|\d{2})(?!\w)")
_YEAR_MONTH = re.compile(r"(?<!\w)(\d{4}) ([a-z]{3,12}) (\d{1,2})(?:st|nd|rd|th)?(?!\w)")
_DIGEST = re.compile(r"(?<![^\W_])(?=\d*[a-f])[0-9a-f]{16,}(?![^\W_])", re.IGNORECASE)
"""Pseudonyms and checksums, which hold any short run of digits by chance."""
_DIGITS = re.compile(r"\d\D{0,14}\d")
DAY = 86_400
"""Seconds."""
FIRST, LAST = 1850, 2100
"""Years that a person can be born in, and that a number is read as."""
PIVOT = 30
"""A year of two digits up to this one may also be of this century."""


def days(text: str, *, strict: bool = False) -> set[date]:
    """Return every day that a text may mean.

    Parameters
    ----------
    text
        Anything. Numbers of eight digits are read as days in every order; longer ones that are midnight in seconds,
        milli-, micro- or nanoseconds since 1970, UTC, too.
    strict
        Only years of four digits count, because versions and sections have two points as well.

    Examples
    --------
    >>> [days(text) == {date(1995, 6, 15)} for text in ("1995-06-15T00:00", "15.6.95", "June 15th, 1995", "803174400")]
    [True, True, True, True]
    >>> sorted(map(str, days("5/6/1995"))), days("of 1995")
    (['1995-05-06', '1995-06-05'], set())
    """
    if not _DIGITS.search(text):
        return set()
    shown = _DIGEST.sub(" ", visible(text).translate(_DASHES))
    found = {*_numeric(shown, strict), *_running(shown)}
    found.update(_named(fold(shown), strict))
    return found


def whole_day(text: str) -> set[date]:
    """Return the days that a text is, with nothing else but a time of day.

    Examples
    --------
    >>> [whole_day(text) == {date(1995, 6, 15)} for text in ("1995-06-15 00:00:00.000", "19950615", "born 1995-06-15")]
    [True, True, False]
    """
    if not _DIGITS.search(text):
        return set()
    rest = re.sub(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$", "", visible(text).strip())
    if rest.isdigit():
        return set(_day(rest[:4], rest[4:6], rest[6:])) if len(rest) == 8 else set()
    if len(rest) > 40:
        return set()
    rest = re.sub(r"[年년月월]", "-", rest).rstrip("日일 ")
    left = [word for word in re.findall(r"[^\W\d_]+", fold(rest)) if word not in _MONTH]
    return days(rest) if all(word in ("of", "de", "del", "st", "nd", "rd", "th", "er") for word in left) else set()


def _numeric(text: str, strict: bool) -> Iterator[date]:
    for match in _YEAR_FIRST.finditer(text):
        yield from _day(match[1], match[3], match[4])
        yield from _day(match[1], match[4], match[3])
    for match in _YEAR_LAST.finditer(text):
        if not strict or len(match[4]) == 4:
            yield from _day(match[4], match[3], match[1])
            yield from _day(match[4], match[1], match[3])
    for match in _SIGNS.finditer(text):
        yield from _day(match[1], match[2], match[3])


def _running(text: str) -> Iterator[date]:
    """Yield the days that numbers without signs may mean."""
    for match in _NUMBER.finditer(text):
        digits = match[0]
        if len(digits) == 8:
            for year, month, day in (
                (digits[:4], digits[4:6], digits[6:]),
                (digits[4:], digits[2:4], digits[:2]),
                (digits[4:], digits[:2], digits[2:4]),
            ):
                yield from _day(year, month, day)
        for unit in (1, 10**3, 10**6, 10**9):
            seconds, rest = divmod(int(digits), unit * DAY)
            if rest == 0 and 0 < seconds * DAY < 4_102_444_800:
                yield datetime.fromtimestamp(seconds * DAY, UTC).date()


def _named(text: str, strict: bool) -> Iterator[date]:
    for pattern, (year, month, day) in ((_DAY_MONTH, (3, 2, 1)), (_MONTH_DAY, (3, 1, 2)), (_YEAR_MONTH, (1, 2, 3))):
        for match in pattern.finditer(text):
            if match[month] in _MONTH and (not strict or len(match[year]) == 4):
                yield from _day(match[year], str(_MONTH[match[month]]), match[day])


def _day(year: str, month: str, day: str) -> Iterator[date]:
    """Yield the day, of both centuries for a year of two digits; nothing for an invalid one."""
    number = int(year)
    years = [number] if len(year) == 4 else [1900 + number] + ([2000 + number] if number <= PIVOT else [])
    for each in years:
        if FIRST <= each <= LAST:
            try:
                yield date(each, int(month), int(day))
            except ValueError:
                continue
