"""The identity class of every column: whom its values tell, decided by name, by content and by function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from personax.data.calendar_parts import calendar_parts
from personax.data.categories import told_by_values
from personax.data.following import LEAST, PARTS, Ranked, by_rows, dates_of, digits_of, follows, part_of, ranked
from personax.data.naming import Said, says
from personax.data.table import Table
from personax.data.values import (
    FEW,
    MANY,
    SAMPLE,
    Numbers,
    in_numbers,
    in_texts,
    is_free_text,
    numbers_of,
    yes_or_no,
)
from personax.schema import Column, Identity

__all__ = ["ALONE", "PART", "SORTED", "classify", "identified"]

ALONE: Final = 5
"""A value that at least so many people share on average is a category; see also ``rare_below`` of a release."""

LONG: Final = 10_000
"""Whole numbers about as large, of which nearly everybody has another, may be ids."""

TELEPHONE: Final = 1e9
"""Numbers as large are those of a telephone, an account or a person, however few they are."""

ODD: Final = 0.1
"""Share of ages or years with a fraction, from which the column tells birthdays."""

MEASURED: Final = frozenset(
    {"body", "age", "birth year", "year", "coordinate", "income", "day", "education", "position"}
)
"""Topics of measurements: that all values differ, or that the table is sorted by them, makes them no ids."""

CALENDAR: Final = frozenset({"year", "day", "birth", "birth date", "birth year", "date", "age"})
"""Topics of names under which parts of a date stand."""

PART: Final = "a part of a date: "
"""How the reason begins of a column that is the month or the day of a private date."""

SORTED: Final = "the rows are in its order"

Verdict = tuple[Identity, str]


def identified(table: Table) -> Table:
    """Return the table, each column with its identity class and the reason; those that have a class keep it.

    Parameters
    ----------
    table
        People and what their columns mean; private ones are what others may follow.

    Examples
    --------
    >>> frame = pl.DataFrame({"player": ["Ada Nemo", "Bo Fictor"], "height_cm": [180.5, 171.0]})
    >>> columns = [Column("player", "feature", "nominal"), Column("height_cm", "feature", "continuous")]
    >>> [(column.identity, column.identity_why) for column in identified(Table(frame, columns)).columns]
    [('direct', 'its name says so (player)'), ('quasi-identifying', 'its name says so (height)')]
    """
    if all(column.identity for column in table.columns):
        return table
    found = classify(table.frame, table.columns)
    columns = [
        column if column.identity else
        replace(column, identity=found[column.name][0], identity_why=found[column.name][1])
        for column in table.columns
    ]  # fmt: skip
    return replace(table, columns=columns)


def classify(frame: pl.DataFrame, columns: Sequence[Column] = ()) -> Mapping[str, Verdict]:
    """Return for every column its identity class and the reason.

    Parameters
    ----------
    frame
        The table, one row a person.
    columns
        What is known of its columns; those that nobody describes are taken as features.

    Returns
    -------
    mapping
        Column -> class, reason. ``direct`` names a person, or follows what does; ``quasi-identifying`` may be known
        from elsewhere, or singles people out; ``sensitive`` nobody should learn; ``free`` is a scale or a category
        that many share; ``unknown`` cannot be told, such as free text.

    Notes
    -----
    Texts are looked at in a sample of their distinct values. Whether a column follows a private one, the digits of an
    id or the order of the rows is looked at in all rows.
    """
    roles = {column.name: column for column in columns}
    found = {series.name: _alone(series, roles.get(series.name)) for series in frame}
    _coordinates(frame, found)
    _function(frame, roles, found)
    _parts(frame, found)
    _birthdays(frame, roles, found)
    return found


def _alone(series: pl.Series, column: Column | None) -> Verdict:
    """Return the class of a column by its name and its values."""
    if column is not None and column.role == "id":
        return "direct", "the id"
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        private = column is not None and column.role == "private"
        return ("direct", "described as private") if private else ("unknown", f"its values are {series.dtype}")
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    identity, why = _told(series, says(series.name), target=column is not None and column.role == "target")
    if column is not None and column.role == "private" and identity != "direct":
        return "direct", "described as private" if not column.inferred else f"private ({why})"
    return identity, why


def _told(series: pl.Series, said: Said, *, target: bool) -> Verdict:
    if series.dtype.is_temporal():
        return "direct", "it holds dates or times"
    known = series.drop_nulls()
    if not len(known):
        return ("direct", f"its name says so ({said.word})") if said.direct and said.sure else ("free", "it is empty")
    numbers = numbers_of(known)
    if target:
        held = in_numbers(numbers, measured=not _long(numbers)) if numbers else ""
        return ("direct", held) if held else ("sensitive", "a target, the point of the data set")
    if yes_or_no(known) and not _plain(said):
        return "free", f"yes or no, whatever its name says ({said.word})" if said.direct else "yes or no"
    if numbers is not None:
        return _of_numbers(numbers, said, texts=series.dtype == pl.String)
    return _of_texts(known.cast(pl.String), said)


def _of_numbers(numbers: Numbers, said: Said, *, texts: bool) -> Verdict:
    few = len(numbers.distinct) <= FEW
    held = in_numbers(numbers, measured=said.topic in MEASURED)
    if not held and few and len(numbers.distinct) and float(np.median(np.abs(numbers.distinct))) >= TELEPHONE:
        held = "numbers as long as those of telephones, accounts or persons"
    if held:
        return "direct", f"it holds {held}"
    if said.topic == "coordinate" and not few:
        return _place(numbers)
    if said.topic in ("age", "birth year", "birth date", "year") and _tells_the_day(numbers, said):
        return "direct", "years with a fraction, which tells the day"
    if said.topic == "birth date" and _years(numbers) and "date" not in said.word:
        return "quasi-identifying", "years of birth"
    if said.direct and not said.counted:
        denied = _denied(numbers, said)
        if not denied or (texts and said.sure and (not few or said.topic == "birth date")):
            return "direct", f"its name says so ({said.word})"
        where = said.topic in ("postcode", "birth place")
        return ("free" if few and not where else "quasi-identifying"), f"its name says {said.word}, and {denied}"
    if said.topic is None and numbers.unique and _long(numbers):
        return "unknown", "whole numbers, another for nearly everybody: ids, or a measurement"
    return _plain(said) or (("free", f"{len(numbers.distinct)} different numbers") if few else
                            ("quasi-identifying", "numbers of many values single people out"))  # fmt: skip


def _long(numbers: Numbers) -> bool:
    """Say whether numbers are too long to be scores."""
    return numbers.whole and float(np.median(np.abs(numbers.distinct))) >= LONG


def _plain(said: Said) -> Verdict | None:
    """Return the class that a name gives a column whose values tell nothing by themselves."""
    if said.sensitive:
        return "sensitive", f"its name says so ({said.word})"
    return ("quasi-identifying", f"its name says so ({said.word})") if said.quasi else None


def _place(numbers: Numbers) -> Verdict:
    alike = len(numbers.values) / len(numbers.distinct)
    if numbers.decimals >= 3 and alike < ALONE:
        return "direct", f"coordinates of {'many' if numbers.decimals > 8 else numbers.decimals} decimals"
    return "quasi-identifying", "coordinates of places that several people share" if alike >= ALONE else "coordinates"


def _tells_the_day(numbers: Numbers, said: Said) -> bool:
    """Say whether years or ages have fractions that are no halves: infants and estimates have a few of these."""
    low, high = float(numbers.distinct[0]), float(numbers.distinct[-1])
    if len(numbers.distinct) <= FEW or not ((low >= 0 and high <= 125 and said.topic == "age") or low >= 1850):
        return False
    return bool(high <= 2100 and np.mean(numbers.values * 2 % 1 != 0) >= ODD)


def _years(numbers: Numbers) -> bool:
    return numbers.whole and bool(numbers.distinct[0] >= 1800 and numbers.distinct[-1] <= 2100)


def _denied(numbers: Numbers, said: Said) -> str:
    """Return why numbers are not what the name says; empty where they can be."""
    distinct = len(numbers.distinct)
    if said.textual and not (numbers.unique and numbers.whole):
        return "numbers are none"
    if said.topic == "person" and not numbers.whole:
        return "numbers with a fraction are nobody"
    if distinct <= FEW and len(numbers.values) >= ALONE * distinct:
        return f"many people share each of its {distinct} numbers"
    if said.topic == "phone" and np.median(numbers.distinct) < 1e5:
        return "its numbers are too short"
    if not said.sure and said.topic in ("person", "id") and len(numbers.values) >= ALONE * distinct:
        return f"many people share each of its {distinct} numbers"
    return ""


def _of_texts(texts: pl.Series, said: Said) -> Verdict:
    distinct = texts.unique(maintain_order=True)
    many, rows = len(distinct), len(texts)
    unique = rows >= MANY and many > 0.9 * rows
    sample = distinct.gather_every(max(1, many // SAMPLE)).head(SAMPLE).to_list()
    if said.direct and not said.counted:
        if said.sure or many > FEW or rows < ALONE * many:
            return "direct", f"its name says so ({said.word})"
        return "unknown", f"its name may say so ({said.word}), and many people share each of its {many} values"
    if said.topic == "day" and "birth" in said.word and "month" not in said.word:
        return "direct", f"its name says so ({said.word})"
    held = in_texts(sample, unique=unique)
    if held and not (held == "names of people" and _plain(said) and not unique and said.topic != "occupation"):
        return "direct", f"it holds {held}"
    if is_free_text(sample) and many > FEW:
        return "unknown", "free text"
    if unique:
        return "unknown", f"text that differs for nearly everybody{f', called {said.word}' if said.word else ''}"
    plain = _plain(said)
    about = told_by_values(sample) if many <= MANY and not said.sensitive else ""
    if about:
        return "sensitive", f"its values are {about}"
    if plain:
        return plain
    if (many > FEW and rows < ALONE * many) or (many > rows / 2 and many > 3):
        return "unknown", f"text of {many} values that few people share"
    return ("free", f"{many} categories") if many <= FEW else ("quasi-identifying", f"{many} categories")


def _coordinates(frame: pl.DataFrame, found: dict[str, Verdict]) -> None:
    """Call two neighbouring columns that can be latitude and longitude unknown, whatever their names."""
    names = [series.name for series in frame if series.dtype.is_float()]
    for one, two in pairwise(names):
        if {found[one][0], found[two][0]} == {"quasi-identifying"} and _can_be_places(frame[one], frame[two]):
            for name in (one, two):
                if says(name).topic is None:
                    found[name] = "unknown", "with its neighbour it may be a place to the metre"


def _can_be_places(one: pl.Series, two: pl.Series) -> bool:
    for series, limit in ((one, 90), (two, 180)):
        numbers = numbers_of(series.head(5000))
        if numbers is None or not len(numbers.distinct) or not 4 <= numbers.decimals <= 8:
            return False
        if not 10 < np.abs(numbers.distinct).max() <= limit:
            return False
    return True


def _function(frame: pl.DataFrame, roles: Mapping[str, Column], found: dict[str, Verdict]) -> None:
    """Call direct what follows a direct column, the digits of an id or the order of the rows."""
    height = frame.height
    if height < LEAST:
        return
    sources = [name for name, (identity, _) in found.items() if identity == "direct"]
    others = {name: its for name in found if name not in sources and (its := _candidate(frame[name]))}
    if not others:
        return
    private = _sources(frame, sources)
    again = _repeated(frame, sources)
    for name, its in others.items():
        said, column = says(name), roles.get(name)
        measured = said.topic in MEASURED or (column is not None and column.role == "target")
        if _said_years(said, its):
            continue
        # a table may be sorted by a measurement, and its ids numbered so: that is a question, no finding
        how = _followed(its, [pair for pair in private if not (measured and by_rows(pair[1].codes))], again)
        identity, why = found[name]
        if how:
            found[name] = "direct", how
        elif by_rows(its.codes):
            found[name] = (identity, f"{why}; {SORTED}") if measured else ("direct", SORTED)


def _parts(frame: pl.DataFrame, found: dict[str, Verdict]) -> None:
    """Say of numbers that they are the month or the day of a private date: beside a year they tell it."""
    days = {
        name: dates
        for name, (identity, _) in found.items()
        if identity == "direct" and (dates := dates_of(frame[name])) is not None
    }
    for series in frame:
        numbers = series.dtype.is_numeric() or series.dtype == pl.String
        if not days or found[series.name][0] == "direct" or not numbers or not 3 < series.n_unique() <= PARTS:
            continue
        for name, dates in days.items():
            part = part_of(dates, series)
            if part:
                found[series.name] = "quasi-identifying", f"{PART}{part} of {name}"


def _birthdays(frame: pl.DataFrame, roles: Mapping[str, Column], found: dict[str, Verdict]) -> None:
    """Say of a month and a day beside each other that they may be a birthday, whatever their names.

    A month beside a year is one that somebody may know. Columns whose names are of something else are left as they are.
    """
    own = [name for name, (identity, why) in found.items() if identity in ("free", "quasi-identifying", "unknown") and
           not why.startswith(PART) and (says(name).topic in CALENDAR or not says(name).known)
           and not frame[name].dtype.is_nested() and (name not in roles or roles[name].role != "target")]  # fmt: skip
    parts = calendar_parts(frame.select(own)) if frame.height >= LEAST else {}
    months = [name for name, part in parts.items() if part == "month"]
    days = [name for name, part in parts.items() if part == "day"]
    for these, others in ((months, days), (days, months)):
        for name in these:
            if others:
                found[name] = "quasi-identifying", f"{PART}with {', '.join(others)} it can be a day of birth"
            elif these is months and "year" in parts.values() and found[name][0] == "free":
                found[name] = "quasi-identifying", "beside a year it can be a month of birth"


def _followed(its: Ranked, private: Sequence[tuple[str, Ranked]], first: pl.Series | None) -> str:
    """Return which private column a column follows, and how; empty where it follows none."""
    for label, one in private:
        how = follows(_without(one, first), _without(its, first))
        if how:
            return f"{how} {label}"
    return ""


def _candidate(series: pl.Series) -> Ranked | None:
    """Return a column as ranks where it tells more people apart than a scale does."""
    its = ranked(series)
    return its if its is not None and its.count > FEW else None


def _sources(frame: pl.DataFrame, names: Sequence[str]) -> list[tuple[str, Ranked]]:
    private = []
    for name in names:
        its = ranked(frame[name])
        if its is not None and its.count > FEW:
            private.append((name, its))
        dtype = frame[name].dtype
        digits = digits_of(frame[name]) if dtype == pl.String and says(name).topic in ("id", None) else None
        held = ranked(digits) if digits is not None else None
        if held is not None and held.count > FEW:
            private.append((f"the digits of {name}", held))
    return private


def _repeated(frame: pl.DataFrame, sources: Sequence[str]) -> pl.Series | None:
    """Return which rows are the same as an earlier one in all that is no id: they would make all columns one-to-one."""
    rest = [name for name in frame.columns if says(name).topic != "id" and not frame[name].dtype.is_nested()]
    if not rest:
        return None
    first = frame.select(rest).hash_rows(seed=0).is_first_distinct()
    return None if first.all() else first


def _without(its: Ranked, first: pl.Series | None) -> Ranked:
    return its if first is None else replace(its, codes=its.codes[first.to_numpy()])


def _said_years(said: Said, its: Ranked) -> bool:
    """Say whether a column is one of whole years, by its name and its values: it says less than a date."""
    if said.topic not in ("age", "birth year", "year", "birth date") or its.numbers is None:
        return False
    low, high = float(its.numbers[0]), float(its.numbers[-1])
    return (low >= 0 and high <= 130) or (low >= 1800 and high <= 2100)
