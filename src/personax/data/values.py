"""What the values of one column look like: names, addresses, dates in any form, ids, coordinates, free text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.digits import ascii_digits, with_ascii_digits
from personax.data.gazetteer import CHINESE_FAMILY, FAMILY, GIVEN, JAPANESE_FAMILY, KOREAN_FAMILY
from personax.data.naming import split
from personax.data.text import fold

__all__ = ["FEW", "MANY", "MONTHS", "Numbers", "in_numbers", "in_texts", "is_free_text", "numbers_of", "yes_or_no"]

FEW = 12
"""So many distinct values at most are a scale or a few categories, which many people share."""
MANY = 20
"""That values differ for nearly everybody says something in a table of at least so many rows."""
SAMPLE = 1000
"""Distinct texts that are looked at."""
DIGEST = 32
"""Characters of a digest: shorter ones, in few values, are codes."""
SOME = 0.3
"""A column is of a kind where this share of its distinct texts is."""

Floats = NDArray[np.float64]

MONTHS = (
    "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|abr|ago|set|out|dic|fev|fév|avr|aoû|déc|gen|mag|"
    "giu|lug|ott|lut|kwi|maj|cze|lip|sie|wrz|paź|lis|gru|oca|şub|nis|haz|tem|ağu|eyl|eki|kas|ara|янв|фев|мар|апр|мая|"
    "май|июн|июл|авг|сен|окт|ноя|дек|maa|mei|mrt|sty"
)
"""How names of months begin."""
_NUMERIC_DATE = re.compile(
    r"\+?(?P<y>\d{4})[-./年\s]\s?(?P<m>\d{1,2})(?:[-./月\s]\s?(?P<d>\d{1,2})日?)?(?:[T \-,].*)?|"
    r"(?P<a>\d{1,2})[-./\s](?P<b>\d{1,2})[-./\s](?P<z>\d{4}|\d{2})(?:[T ,].*)?|"
    r"(?P<y2>(?:18|19|20)\d\d)(?P<m2>[01]\d)(?P<d2>[0-3]\d)"
)
_KOREAN_DATE = re.compile(r"(\d{4})년\s?(\d{1,2})월(\s?(\d{1,2})일)?")
_WORDED_DATE = re.compile(
    rf"(?:\w+,?\s)?(?:\d{{1,2}}(?:st|nd|rd|th|\.|er|º)?[\s\-]?(?:de\s|of\s)?(?:{MONTHS})[^\W\d]*\.?,?[\s\-]?(?:de\s)?"
    rf"'?\d{{2,4}}|(?:{MONTHS})[^\W\d]*\.?\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}|(?:{MONTHS})[^\W\d]*\.?,?[\s\-]\d{{4}})"
    r"(?:[T ,].*)?",
    re.IGNORECASE,
)
_HEX = re.compile(r"(?:0x)?(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12,128}|[0-9A-F]{16,128}", re.IGNORECASE)
_UUID = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)
_CODED = re.compile(r"[^\W\d_]{1,5}[-_ /]?\d{3,}[\w/-]*|\d{3,}[-_][\w-]+|(?=\w*\d)(?=\w*[a-zA-Z])[\w-]{6,}")
_PHONE = re.compile(r"(?:\+|00|\()?[\d(][\d\s()./-]{6,22}\d")
_TELLING: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("e-mail addresses", re.compile(r"[^\s@]+@[\w-]+\.\w+")),
    ("Wikidata ids", re.compile(r"(?:^|/(?:entity|wiki)/)[QL]\d+$")),
    ("web addresses", re.compile(r"(?:https?|ftp)://|^www\.\w|^[\w.-]+\.(?:com|org|net|edu|gov|de|fr|io|uk|jp|ru|cn)(?:/|$)")),
    ("handles", re.compile(r"^@\w{2,}$")),
    ("IP addresses", re.compile(r"^(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?$|^[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){4,7}$", re.I)),
    ("account numbers", re.compile(r"^[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}$|^(?:\d{4}[ -]){3}\d{4}$")),
    ("social security numbers", re.compile(r"^\d{3}-\d{2}-\d{4}$|^\d{3}\.\d{3}\.\d{3}-\d{2}$")),
    ("paths of files", re.compile(
        r"(?:^|\s)(?:~?/[\w.-]+){2,}|^[A-Za-z]:\\|\.(?:jpe?g|png|gif|webp|txt|pdf|docx?|mp[34]|wav)$", re.I)),
    ("coordinates", re.compile(r"-?\d{1,3}\.\d{3,}\s*[,; ]\s*-?\d{1,3}\.\d{3,}|^POINT\s?\(|\d{1,3}°")),
    ("street addresses", re.compile(
        r"^\d+[a-z]?,?\s.*\b(?:st|street|ave|avenue|rd|road|blvd|lane|ln|drive|dr|way|court|ct|rue|square)\b|"
        r"(?:stra(?:ß|ss)e|str\.|weg|gasse|platz|allee|straat|laan|gata)\s*\d+|"
        r"^(?:rue|calle|via|rua|avenida|av\.|ul\.|ulica|ул\.?|улица)\s.*\d", re.I)),
)  # fmt: skip
_NAME_TOKEN = re.compile(r"[^\W\d_]+(?:[-'’`.][^\W\d_]*)*\.?,?")
_PARTICLES_TEXT = """
    de da do dos del della di van von der den la le el al bin ibn ben y e zu af av ter st mr mrs ms dr
"""
_TITLED = re.compile(
    r"(?:(?:Dr|Prof|Mr|Mrs|Miss|Herr|Frau|Mme|Mlle|Sra|Srta|Dott|Schw|Bapak|นาย|นาง|นางสาว|श्री|श्रीमती|डॉ|Ông|Bà|Д-р|Проф|Г-н|Г-жа|"
    r"Κος|Κα)\.?|(?:Ms|Hr|Fr|M|Sr|Sig|Ing|Mgr|MUDr|Dott\.ssa|Sig\.ra|κ|ΚΑ)\.)\s*(?P<name>[^\W\d_][^\d_,;:/()]*)"
)
"""A title before a name; those that mean other things too have a point."""
_OF_THINGS_TEXT = """
    park city river high school college university institute fc united bay island islands beach hall street road
    tower tech state county club arena stadium field house hotel hospital center centre team north south east west
    lake creek hills valley springs heights square court gardens bridge airport station academy
"""
_OF_THINGS = frozenset(_OF_THINGS_TEXT.split())
"""Words beside which a given name is that of a place or a house."""
_PARTICLES = frozenset(_PARTICLES_TEXT.split())
_CYRILLIC_END = re.compile(r"(?:ов|ев|ёв|ин|ын|ский|цкий|енко|ова|ева|ина|ская|ович|евич|овна|евна)$")
_YES_OR_NO_TEXT = """
    yes no y n true false t f ja nein oui non si sim nao da net tak nie evet hayir 0 1 是 否 有 无 無 はい
    いいえ 예 아니오 아니요 네 نعم لا да нет
"""
_YES_OR_NO = frozenset(_YES_OR_NO_TEXT.split()) | {"", "unknown", "none", "na"}


@dataclass(frozen=True)
class Numbers:
    """The numbers of a column.

    Parameters
    ----------
    values
        Finite ones, in the order of the rows.
    distinct
        Different ones, in order.
    whole
        None has a fraction.
    decimals
        Least number of decimals that tells them apart, at most 9.
    """

    values: Floats
    distinct: Floats
    whole: bool
    decimals: int

    @property
    def unique(self) -> bool:
        """Nearly everybody has another one."""
        return len(self.values) >= MANY and len(self.distinct) > 0.9 * len(self.values)


def numbers_of(series: pl.Series) -> Numbers | None:
    """Return the numbers that a column holds, as numbers or as texts; None where it holds other things."""
    if series.dtype == pl.Boolean:
        return None
    if not series.dtype.is_numeric():
        if series.dtype != pl.String:
            return None
        texts = with_ascii_digits(series.drop_nulls()).str.strip_chars()
        head = texts.head(200).cast(pl.Float64, strict=False)
        if not len(head) or head.null_count() > 0.05 * len(head):
            return None
        read = texts.cast(pl.Float64, strict=False)
        if read.null_count() > 0.05 * len(read):
            return None
        series = read
    values = series.drop_nulls().cast(pl.Float64).to_numpy()
    values = values[np.isfinite(values)]
    distinct = np.unique(values)
    return Numbers(values, distinct, bool((distinct == np.floor(distinct)).all()), _decimals(distinct))


def _decimals(distinct: Floats) -> int:
    few, least = distinct[:: max(1, len(distinct) // 500)], 0
    for values in (few, distinct):
        while least < 9 and np.abs(np.round(values, least) - values).max(initial=0.0) > 10.0 ** -(least + 4):
            least += 1
    return least


@cache
def _yes_and_no() -> frozenset[str]:
    return frozenset(map(fold, _YES_OR_NO))


def yes_or_no(series: pl.Series) -> bool:
    """Say whether a column only says yes or no, 0 or 1."""
    if series.dtype == pl.Boolean:
        return True
    known = series.drop_nulls().unique()
    if len(known) > 4:
        return False
    if series.dtype.is_numeric():
        return len(known) <= 2 and set(known.cast(pl.Float64).to_list()) <= {0.0, 1.0, 2.0}
    return len(known) > 0 and all(fold(str(value)) in _yes_and_no() for value in known)


def in_numbers(numbers: Numbers, *, measured: bool) -> str:
    """Return what in numbers tells a person: dates, times, ids, numbers of rows; empty where nothing does.

    Parameters
    ----------
    numbers
        Of the column.
    measured
        The column is known to hold a measurement, such as a height: numbers that all differ are no ids then.

    Notes
    -----
    Dates as YYYYMMDD are whole numbers of which 95 % are days of the calendar. Times in seconds or milliseconds are
    whole days of them. Decimal years are days as parts of a year of 365, 365.25 or 366 days; ages of days likewise.
    """
    v = numbers.distinct
    if len(v) <= FEW:
        return ""
    if numbers.whole:
        return _dates_as_numbers(v) or ("" if measured else _ids(numbers))
    return _days_as_years(numbers)


def _dates_as_numbers(v: Floats) -> str:
    if _share(_is_date, v, year=(v // 10000), month=(v // 100) % 100, day=v % 100):
        return "dates as numbers, YYYYMMDD"
    for month, day, says in (
        ((v // 10000) % 100, v // 1000000, "DDMMYYYY"),
        (v // 1000000, (v // 10000) % 100, "MMDDYYYY"),
    ):
        if _share(_is_date, v, year=v % 10000, month=month, day=day):
            return f"dates as numbers, {says}"
    if np.median(np.abs(v)) > 1e6:
        for size, says in (
            (86400, "seconds"),
            (86400e3, "milliseconds"),
            (86400e6, "microseconds"),
            (86400e9, "nanoseconds"),
        ):
            whole_days = np.mean(v % size == 0) > 0.9 or len(np.unique(v % size)) <= 2
            if whole_days and np.abs(v / size).max() < 60000:
                return f"days in {says}"
    return ""


def _is_date(year: Floats, month: Floats, day: Floats) -> NDArray[np.bool_]:
    return (year >= 1850) & (year <= 2035) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)


def _share(test: Callable[..., NDArray[np.bool_]], v: Floats, **parts: Floats) -> bool:
    return bool(np.mean(test(**parts)) >= 0.95)


def _ids(numbers: Numbers) -> str:
    """Tell numbers that nearly everybody has another of, and that are too long or too dense to be measured."""
    v = numbers.distinct
    if not numbers.unique or v[0] < 0:
        return ""
    if v[-1] - v[0] + 1 <= 1.25 * len(numbers.values):
        return "numbers of rows: nearly every whole number once"
    digits = np.floor(np.log10(np.maximum(v, 1))) + 1
    if digits[0] == digits[-1] >= 6 or np.median(v) >= 1e8:
        return "long numbers, another for nearly everybody"
    return ""


def _days_as_years(numbers: Numbers) -> str:
    v = numbers.distinct
    parts = v[v % 1 != 0]
    if numbers.decimals < 3 or len(parts) < 0.5 * len(v):
        return ""
    room = max(240 * 10.0**-numbers.decimals, 1e-3)
    if v[0] > 1850 and v[-1] < 2035:
        days = [_near(parts % 1 * year, room) for year in (365.0, 365.25, 366.0)]
        if max(float(near.mean()) for near in days) >= 0.95 or float((days[0] | days[2]).mean()) >= 0.95:
            return "years with a fraction, which tells the day"
    if v[0] >= 0 and v[-1] < 125:
        days = [_near(parts * year, room) for year in (365.0, 365.2425, 365.25)]
        if max(float(near.mean()) for near in days) >= 0.95:
            return "years with a fraction, which are whole days"
    return ""


def _near(x: Floats, room: float) -> NDArray[np.bool_]:
    return np.abs(x - np.round(x)) <= min(room, 0.3)


def in_texts(texts: Sequence[str], *, unique: bool) -> str:
    """Return what in texts tells a person; empty where nothing does.

    Parameters
    ----------
    texts
        Distinct ones, at most a sample of them.
    unique
        Nearly everybody has another one.

    Examples
    --------
    >>> in_texts(["Jun 15, 1995", "Jul 3, 1996"], unique=True), in_texts(["red", "green"], unique=False)
    ('dates', '')
    """
    values = [ascii_digits(text).strip() for text in texts if text and text.strip()]
    if not values:
        return ""
    for says, pattern in _TELLING:
        if _part(values, lambda text, pattern=pattern: pattern.search(text) is not None) >= SOME:  # type: ignore[misc]
            return says
    if _part(values, _dated) >= 0.5:
        return "dates"
    # seasons, such as 1996-97 and 2000-01, are months now and then
    if _part(values, lambda text: _dated(text) or _is_month(text)) >= 0.95:
        return "months of years"
    if _part(values, lambda text: _UUID.fullmatch(text) or _HEX.fullmatch(text)) >= 0.8 and (
        unique or len(values) > FEW or min(map(len, values)) >= DIGEST
    ):
        return "hashes or ids of digits and letters"
    if _part(values, _dialled) >= 0.6:
        return "telephone numbers"
    if unique and _part(values, lambda text: _CODED.fullmatch(text) is not None) >= 0.8:
        return "ids of letters and digits"
    return _named(values, unique=unique)


def _part(values: Sequence[str], test: Callable[[str], object]) -> float:
    return sum(bool(test(value)) for value in values) / len(values)


def _dialled(text: str) -> bool:
    digits = sum(letter.isdigit() for letter in text)
    marked = text[0] in "+(0" or sum(letter in " -./()" for letter in text) >= 2
    return _PHONE.fullmatch(text) is not None and 7 <= digits <= 15 and marked and _dated(text) is False


def _dated(text: str) -> bool:
    if len(text) > 40:
        return False
    found = _NUMERIC_DATE.fullmatch(text)
    if found:
        part = found.groupdict()
        if part["a"]:
            return _can_be(part["z"], part["b"], part["a"]) or _can_be(part["z"], part["a"], part["b"])
        day = part["d"] or part["d2"]
        return day is not None and _can_be(part["y"] or part["y2"], part["m"] or part["m2"], day)
    return _WORDED_DATE.fullmatch(text) is not None or _KOREAN_DATE.fullmatch(text) is not None


def _is_month(text: str) -> bool:
    found = _NUMERIC_DATE.fullmatch(text)
    return bool(found and found["y"] and not found["d"] and _can_be(found["y"], found["m"], "1"))


@cache
def _can_be(year: str, month: str, day: str) -> bool:
    try:
        # 00 says unknown, as Wikidata writes it
        date(int(year) if len(year) == 4 else 2000 + int(year), int(month) or 1, int(day) or 1)
    except ValueError:
        return False
    return True


def _named(values: Sequence[str], *, unique: bool) -> str:
    """Tell names of people by a gazetteer, by the family names of scripts without spaces, by capitals."""
    says = "names of people"
    known = _part(values, _given)
    if len(values) >= 5 and _part(values, lambda text: _plain(text) in _family_names()) >= 0.4:
        return says
    if _part(values, _titled) >= 0.6 or _part(values, _in_full) >= 0.6:
        return says
    if len(values) >= 5 and (known >= 0.35 or _part(values, _by_script) >= 0.6):
        return says
    capital = _part(values, _capitalised)
    if capital >= 0.7 and len(values) >= 5 and (unique or known >= 0.15):
        return says
    return ""


@cache
def _given_names() -> frozenset[str]:
    return frozenset(_plain(name) for name in GIVEN.split())


@cache
def _family_names() -> frozenset[str]:
    return frozenset(_plain(name) for name in FAMILY.split())


@lru_cache(maxsize=65536)
def _plain(word: str) -> str:
    """Return a word folded, but a short one of a script without vowels as it is: two letters of it mean anything."""
    folded = fold(word).replace(" ", "")
    return folded if len(folded) > 3 or word[:1] < "\u0370" else word.lower()


def _given(text: str) -> bool:
    words = [word for word in split(text) if word not in _PARTICLES]
    if not text.isascii() and any(_plain(word.strip(",.")) in _given_names() for word in text.split()[:3]):
        return len(text.split()) <= 5 and not any(letter.isdigit() for letter in text)
    return (
        0 < len(words) <= 5
        and not any(word.isdigit() for word in words)
        and any(word in _given_names() for word in words[:2])
    )


def _titled(text: str) -> bool:
    found = _TITLED.fullmatch(text)
    return found is not None and not found["name"][0].islower() and len(found["name"].split()) <= 4


def _in_full(text: str) -> bool:
    """Say whether a text is a frequent given name beside a family name: a few of these are people too."""
    words = text.replace(",", " ").split()
    if not 2 <= len(words) <= 4 or any(not _NAME_TOKEN.fullmatch(word) or word[0].islower() for word in words):
        return False
    plain = [_plain(word) for word in words]
    if not _OF_THINGS.isdisjoint(plain):
        return False
    given = [word in _given_names() for word in plain]
    # Nagy Béla and Nguyễn Minh have the family name first
    return given[1 if "," in text else 0] or (plain[0] in _family_names() and any(given[1:]))


def _by_script(text: str) -> bool:
    plain = re.sub(r"[\s・·]", "", text)
    if re.fullmatch("[\u4e00-\u9fff々]{2,6}", plain):
        return (plain[0] in CHINESE_FAMILY and len(plain) <= 4) or plain.startswith(JAPANESE_FAMILY)
    if re.fullmatch("[가-힣]{2,4}", plain):
        return plain[0] in KOREAN_FAMILY and len(plain) == 3
    words = text.split()
    return 2 <= len(words) <= 3 and any(_CYRILLIC_END.search(word) for word in words)


def _capitalised(text: str) -> bool:
    words = text.split()
    fits = all(_NAME_TOKEN.fullmatch(word) for word in words)
    return fits and 2 <= len(words) <= 5 and all(word[0].isupper() or word.lower() in _PARTICLES for word in words)


def is_free_text(texts: Sequence[str]) -> bool:
    """Say whether texts are sentences: half of them of seven words, or of sixty letters, or more."""
    return bool(texts) and float(np.median([len(text.split()) >= 7 or len(text) >= 60 for text in texts])) >= 0.5
