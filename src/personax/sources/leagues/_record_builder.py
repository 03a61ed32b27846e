"""A record being written: every value is read by what it is, has its origin, or is listed as bad."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from urllib.parse import urlsplit

from personax.data import tidy
from personax.http import Page
from personax.sources._dates import PartialDate, parse_partial_date
from personax.sources._records import BadValue, Origin, Record
from personax.sources._units import parse_quantity, plausible_limits

__all__ = ["RecordBuilder", "clean_text", "merge_records"]

UNKNOWN = ("", "-", "--", "–", "—")
"""What pages write for nothing. NA is Namibia, NaN and None are surnames: these are text."""

MAX_LETTERS = 200
"""No value of a person has more letters; one that has is another thing."""


def clean_text(value: object) -> str | None:
    """Return a text with single blanks, NFC and without invisible marks; None for nothing.

    Raises
    ------
    ValueError
        With the reason, when it is no text or cannot be read.

    Examples
    --------
    >>> clean_text("  Ada   NaN "), clean_text("-"), clean_text(None)
    ('Ada NaN', None, None)
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("not a text")
    text = tidy(value)
    if text in UNKNOWN:
        return None
    if len(text) > MAX_LETTERS:
        raise ValueError(f"longer than {MAX_LETTERS} letters")
    if "\ufffd" in text or not text.isprintable():
        raise ValueError("not readable in the encoding of its page")
    return text


class RecordBuilder:
    """A `Record` of one person on one page.

    Parameters
    ----------
    source, ref
        See `Record`.
    page
        Where all the values come from.
    """

    def __init__(self, source: str, ref: str, page: Page) -> None:
        self._source, self._ref = source, ref
        self._origin = Origin(source, page.url, page.time, page.sha256)
        self._values: dict[str, object] = {}
        self._bad: list[BadValue] = []

    def text(self, column: str, *values: object) -> None:
        """Write a text; of several, those that are there, with a blank between."""
        try:
            parts = [part for part in map(clean_text, values) if part is not None]
        except ValueError as error:
            self.reject(column, values, str(error))
            return
        if parts:
            self._values[column] = " ".join(parts)

    def place(self, column: str, *values: object) -> None:
        """Write a place: city, state, country, as far as they are there."""
        try:
            parts = [part for part in map(clean_text, values) if part is not None]
        except ValueError as error:
            self.reject(column, values, str(error))
            return
        if parts:
            self._values[column] = ", ".join(parts)

    def country(self, column: str, value: object, space: str) -> None:
        """Write a country as the source does, and its code space: ``iso2``, ``iso3``, ``ioc``, ``fifa`` or ``name``."""
        self.text(column, value)
        if column in self._values:
            self._values[f"{column}_code_space"] = space

    def quantity(self, column: str, value: object, unit: str) -> None:
        """Write a height or a weight in cm or kg, unless a better one stands there already."""
        if column in self._values or value is None or (isinstance(value, str) and value.strip() in UNKNOWN):
            return
        try:
            self._values[column] = _quantity(value, unit, plausible_limits(column, unit))
        except ValueError as error:
            self.reject(column, (value,), str(error))

    def birth_date(self, value: object, *formats: str) -> None:
        """Write a birth date, or the year of one that says no more, with its precision."""
        try:
            text = clean_text(value)
            parts = None if text is None else parse_partial_date(text, formats, today=date.today())
        except ValueError as error:
            self.reject("birth_date", (value,), str(error))
            return
        if parts is not None:
            self._born(parts)

    def _born(self, parts: PartialDate) -> None:
        if parts.month is not None and parts.day is not None:
            self._values |= {"birth_date": date(parts.year, parts.month, parts.day), "birth_precision": "day"}
        else:
            precision = "year" if parts.month is None else "month"
            self._values |= {"birth_year": parts.year, "birth_precision": precision}

    def headshot(self, value: object, hosts: Collection[str]) -> None:
        """Write the address of a picture, which is fetched later: only https, only on hosts that are known."""
        try:
            text = None if value is None or value == "" else _address(value, hosts)
        except ValueError as error:
            self.reject("headshot_url", (value,), str(error))
            return
        if text is not None:
            self._values["headshot_url"] = text

    def record(self) -> Record:
        """Return what was written."""
        origins = dict.fromkeys(self._values, self._origin)
        bad = tuple(cell for cell in self._bad if cell.column not in self._values)
        return Record(self._source, self._ref, dict(self._values), origins, bad)

    def reject(self, column: str, values: Sequence[object], reason: str) -> None:
        """List what the page says as bad."""
        shown = " ".join(_shown(value) for value in values if value is not None)
        readable = shown.encode("utf-8", errors="replace").decode("utf-8")[:MAX_LETTERS]
        self._bad.append(BadValue(column, readable, reason))


def _shown(value: object) -> str:
    """Return a value as text; of lists and objects, which may be endless, only what they are."""
    return str(value) if isinstance(value, (str, int, float)) else type(value).__name__


def _quantity(value: object, unit: str, bounds: tuple[float, float] | None) -> float:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("neither a number nor a text")
    text = value if isinstance(value, str) else repr(value)
    if len(text) > MAX_LETTERS:
        raise ValueError(f"longer than {MAX_LETTERS} letters")
    return parse_quantity(text, unit, bounds=bounds)


def _address(value: object, hosts: Collection[str]) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("not an address")
    parts = urlsplit(value)
    if parts.scheme != "https" or parts.netloc not in hosts or len(value) > 2000 or "\\" in value:
        raise ValueError("not an https address on a host of this league")
    return value


def merge_records(listed: Record, detail: Record) -> Record:
    """Return one record of what a list and a person's own page say; the page is the better one where they differ."""
    values = {**listed.values, **detail.values}
    if "birth_date" in values:
        values.pop("birth_year", None)
        values["birth_precision"] = "day"
    origins = {**listed.origins, **detail.origins}
    bad = {cell: None for cell in (*listed.bad, *detail.bad) if cell.column not in values}
    return Record(listed.source, listed.ref, values, {column: origins[column] for column in values}, tuple(bad))
