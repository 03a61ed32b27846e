"""One column of text as values, where nobody has said what it is: by its cells, and asked about where few decide."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from personax.data.answer_scales import ordered_words, scale_of
from personax.data.cell_numbers import (
    MISSING_WORDS,
    NEARLY,
    Mark,
    NumberCells,
    likely_codes,
    missing_code,
    missing_word,
    read_numbers,
)
from personax.data.date_order import DateCells, read_dates
from personax.data.naming import says
from personax.data.values import yes_or_no
from personax.sources._ledger import ColumnReading
from personax.sources._people_table import BAD_CELLS
from personax.sources._units import FACTORS, named_size, parse_quantity, plausible_limits, said_unit, written_unit

__all__ = [
    "FreeColumn",
    "ask_codes",
    "bad_rows",
    "counted",
    "file_decimal",
    "read_free",
    "read_scale",
    "shown_by",
    "silent_cells",
]

SCALE_WORDS: Final = 15
"""Distinct words at most that can be the answers of one scale, with those for no answer."""
FEW_WORDS: Final = 100
"""Distinct texts at most that are looked at one by one for those that say that there is no answer."""
SIZES: Final = 0.8
"""A column is sizes with their units where so many of its distinct cells are."""


@dataclass(frozen=True)
class FreeColumn:
    """A column that nobody has described.

    Parameters
    ----------
    values
        What its cells mean.
    bad
        Cells that cannot be read so; see `BAD_CELLS`.
    reading
        The line of the ledger.
    unit
        Of sizes: cm or kg.
    decimal
        The decimal mark that its cells prove.
    ambiguous
        The decimal mark of the file would tell what its commas are.
    """

    values: pl.Series
    bad: pl.DataFrame
    reading: ColumnReading
    unit: str | None = None
    decimal: Mark | None = None
    ambiguous: bool = False


def bad_rows(text: pl.Series, wrong: pl.Series, reason: str) -> pl.DataFrame:
    """Return the cells of a column where ``wrong`` is true, as rows of bad_cells.parquet."""
    if not bool(wrong.any()):
        return pl.DataFrame(schema=BAD_CELLS)
    cells = pl.DataFrame({"row": pl.int_range(1, len(text) + 1, eager=True), "value": text})
    found = cells.filter(wrong.fill_null(False))
    return found.select("row", pl.lit(text.name).alias("column"), "value", pl.lit(reason).alias("reason"))


def file_decimal(texts: Sequence[pl.Series], read: Mapping[str, FreeColumn]) -> Mark | None:
    """Return the decimal mark that the columns prove, where one needs it; None where none or two are proved."""
    proved = {column.decimal for column in read.values()} - {None}
    if not proved and not any(column.ambiguous for column in read.values()):
        return None
    numbers = [text for text in texts if text.name in read and read[text.name].values.dtype.is_float()]
    if any(bool(text.str.contains(r"^[+-]?\d+\.(?:\d{1,2}|\d{4,})$").any()) for text in numbers):
        proved.add(".")
    return proved.pop() if len(proved) == 1 else None


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number of things, ``1 cell is`` or ``3 cells are``.

    Examples
    --------
    >>> counted(1, "cell is", "cells are"), counted(1200, "cell")
    ('1 cell is', '1,200 cells')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def silent_cells(missing: Mapping[str, int]) -> str:
    """Say how many cells hold which words for missing.

    Examples
    --------
    >>> silent_cells({"NA": 5, "-": 1})
    '6 cells say NA or -'
    """
    shown = " or ".join(word or "nothing" for word in list(missing)[:3]) + (" ..." if len(missing) > 3 else "")
    return f"{counted(sum(missing.values()), 'cell says', 'cells say')} {shown}"


def shown_by(order: str, deciding: int) -> str:
    """Say which order dates are in, and how many cells prove it."""
    return f"{order}, as {counted(deciding, 'cell shows', 'cells show')}"


def read_free(text: pl.Series, header: str, *, decimal: Mark | None = None, missing_given: bool = False) -> FreeColumn:
    """Read a column that nobody has described.

    Parameters
    ----------
    text
        Its cells, null where missing; the series has our name.
    header
        In the file.
    decimal
        The decimal mark of the file, where it is known.
    missing_given
        Somebody has said what means missing in this very column: no number is taken for a code then.
    """
    filled = len(text) - text.null_count()
    plain = ColumnReading(text.name, header, filled=filled)
    if not filled:
        return _free(text, replace(plain, why="it is empty"))
    return (
        _numbers(text, plain, decimal, missing_given)
        or _dates(text, plain)
        or _sizes(text, plain)
        or read_scale(text, plain)
        or _words(text, plain)
    )


def _free(
    values: pl.Series, reading: ColumnReading, bad: pl.DataFrame | None = None, unit: str | None = None
) -> FreeColumn:
    return FreeColumn(values, pl.DataFrame(schema=BAD_CELLS) if bad is None else bad, reading, unit)


def _lost(number: int, held: int, one: str, many: str, where: pl.Series) -> str:
    verbs = ("is", one, "is") if number == 1 else ("are", many, "are")
    return f"{number} of {held} cells {verbs[0]} {verbs[1]} ({_rows(where)}) and {verbs[2]} missing now"


def _rows(where: pl.Series) -> str:
    """Name the first rows where something holds."""
    rows = [str(row + 1) for row in where.arg_true()[:3].to_list()]
    more = ", ..." if int(where.sum()) > len(rows) else ""
    return f"row{'s' if len(rows) > 1 else ''} {', '.join(rows)}{more}"


def _numbers(text: pl.Series, plain: ColumnReading, decimal: Mark | None, missing_given: bool) -> FreeColumn | None:
    cells = read_numbers(text, decimal)
    if cells is None:
        return None
    count, held = int(cells.odd.sum()), plain.filled - sum(cells.missing.values())
    if cells.share < NEARLY:
        asked = (
            f"{held - count} of {held} cells are numbers and {count} {'is' if count == 1 else 'are'} not "
            f"({_rows(cells.odd)}); it is read as text, "
            "and is no quantity in any analysis"
        )
        return _free(text, replace(plain, status="question", question=asked, answer={"kind": "continuous"}))
    reading = replace(plain, read_as="numbers", missing=cells.missing, bad=count, filled=held - count)
    why = [silent_cells(cells.missing)] if cells.missing else []
    why += cells.marks
    if why:
        guessed = bool(cells.missing) and not missing_given
        reading = replace(reading, status="guess" if guessed else "evidence", why=", ".join(why))
        if guessed:
            reading = replace(reading, answer={"missing": ["", *cells.missing]})
    asked_too = _asked_of_numbers(cells, reading, held, count, missing_given)
    if asked_too:
        codes = [] if missing_given else _codes(cells.values)
        answer = {**reading.answer, **({"missing": ["", *cells.missing, *codes]} if codes else {})}
        reading = replace(reading, status="question", question="; ".join(asked_too), answer=answer)
    bad = bad_rows(text, cells.odd, "not a number, in a column of numbers")
    unit = "%" if cells.percent and "per cent signs" in cells.marks else None
    return FreeColumn(cells.values, bad, reading, unit, cells.decimal, cells.ambiguous)


def _codes(values: pl.Series) -> list[str]:
    return [f"{code:g}" for code in likely_codes(values)]


def ask_codes(values: pl.Series) -> str:
    """Return the question whether some numbers are codes for missing; empty where none looks like one."""
    codes = likely_codes(values)
    named = ", ".join(f"{code:g} ({counted(times, 'cell')})" for code, times in codes.items())
    one, many = "looks like a code for missing, and is a number", "look like codes for missing, and are numbers"
    return f"{named} {one if len(codes) == 1 else many} now" if codes else ""


def _asked_of_numbers(
    cells: NumberCells, reading: ColumnReading, held: int, odd: int, missing_given: bool
) -> list[str]:
    asked = []
    if odd:
        asked.append(_lost(odd, held, "no number", "no numbers", cells.odd))
    if cells.guessed:
        asked.append(cells.guessed)
    codes = "" if missing_given else ask_codes(cells.values)
    asked += [codes] if codes else []
    if named_size(reading.column) == "cm" and _feet(cells.values):
        asked.append("heights from 4 to 8: are they feet, or feet and inches (5.11 for 5 ft 11)?")
    if says(reading.column).topic == "birth year" and (cells.values.max() or 100) < 100:  # type: ignore[operator]
        asked.append("years of birth below 100: of which century?")
    bounds = _bounds(reading.column)
    if bounds is not None:
        outside = ~cells.values.is_between(bounds[0], bounds[1]).fill_null(True)
        if bool(outside.any()) and not codes:
            size = f"{bounds[0]:g} to {bounds[1]:g} {bounds[2]}"
            cells_are = counted(int(outside.sum()), "cell is", "cells are")
            asked.append(f"{cells_are} not within {size} ({_rows(outside)}): which unit is it?")
    return asked


def _feet(numbers: pl.Series) -> bool:
    held = numbers.drop_nulls()
    return bool(held.is_between(4, 8, closed="left").all()) and bool((held % 1 != 0).any())


def _bounds(column: str) -> tuple[float, float, str] | None:
    """Return what a column whose name says its unit may hold, in that unit."""
    for unit in ("cm", "kg", "lb", "mm"):
        if column.lower().endswith((f"_{unit}", f"({unit})")) and (limits := plausible_limits(column, unit)):
            factor = {"cm": 1.0, "kg": 1.0, "lb": 0.45359237, "mm": 0.1}[unit]
            return limits[0] / factor, limits[1] / factor, unit
    return None


def _dates(text: pl.Series, plain: ColumnReading) -> FreeColumn | None:
    cells = read_dates(_without_missing_words(text))
    if cells is None:
        return None
    if cells.values is None:
        return _free(text, replace(plain, read_as="text", status="question", question=_asked_of_dates(cells),
                                   answer={"format": cells.pattern or "%d/%m/%Y"}))  # fmt: skip
    count = int(cells.odd.sum())
    why = shown_by(cells.order, cells.deciding)
    reading = replace(plain, read_as="dates", status="evidence", why=why, bad=count, filled=plain.filled - count)
    if count:
        asked = _lost(count, plain.filled, "no date", "no dates", cells.odd)
        reading = replace(reading, status="question", question=asked)
    if cells.pattern:
        reading = replace(reading, answer={"format": cells.pattern})
    return _free(cells.values.alias(text.name), reading, bad_rows(text, cells.odd, f"no date written as {cells.order}"))


def _without_missing_words(text: pl.Series) -> pl.Series:
    small = text.str.strip_chars().str.to_lowercase()
    return pl.select(pl.when(~small.is_in(list(MISSING_WORDS))).then(text)).to_series().alias(text.name)


def _asked_of_dates(cells: DateCells) -> str:
    several = "s" if len(cells.contradicting) > 1 else ""
    rows = f" (row{several} {', '.join(map(str, cells.contradicting))})" if cells.contradicting else ""
    return f"dates whose order is not known: {cells.question}{rows}; they are text until their format is said"


def _sizes(text: pl.Series, plain: ColumnReading) -> FreeColumn | None:
    """Read sizes that say their unit, such as 5'11" or 80 kg; numbers alone beside them are inches or pounds."""
    distinct = text.drop_nulls().unique(maintain_order=True)
    some = distinct.head(50).to_list()
    named = named_size(text.name)
    said = [written_unit(cell) for cell in some if not missing_word(cell)]
    units = {unit for unit in said if unit is not None}
    if len(units) != 1 or (named is not None and named not in units):
        return None
    unit = units.pop()
    marked = [
        cell
        for cell in some
        if written_unit(cell) == unit and any(mark.isalpha() or mark in "'\"′″’”" for mark in cell)
    ]
    if named is None and len(marked) < SIZES * len(said):
        return None
    limits = plausible_limits("height" if unit == "cm" else "weight", unit)
    bare, only = _unit_of_numbers(unit, distinct, limits if named else None)
    return _as_sizes(text, plain, (unit, bare), limits if named else None, proved=only)


def _unit_of_numbers(unit: str, cells: pl.Series, bounds: tuple[float, float] | None) -> tuple[str, bool]:
    """Return the unit of numbers alone beside sizes with theirs, what most of these say, and if it can be no other."""
    told = Counter(word for cell in cells.to_list() if (word := said_unit(cell)) is not None)
    most = told.most_common(1)[0][0] if told else unit
    alone = cells.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).drop_nulls()
    if bounds is None or not len(alone):
        return most, False
    low, high = bounds
    can = [
        one
        for one, (becomes, factor) in FACTORS.items()
        if becomes == unit and bool((alone * factor).is_between(low, high).all()) and one not in ("mm", "g")
    ]
    measured = {"ft-in": "in"}.get(most, most)
    fits = most if measured in can or not can else can[0]
    return fits, can == [measured]


def _as_sizes(
    text: pl.Series, plain: ColumnReading, units: tuple[str, str], bounds: tuple[float, float] | None, *, proved: bool
) -> FreeColumn | None:
    unit, bare = units
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    missing: dict[str, int] = {}
    alone = 0
    for cell, times in text.drop_nulls().value_counts(sort=True).iter_rows():
        if missing_word(cell):
            missing[cell] = times
            continue
        try:
            values[cell] = parse_quantity(cell, bare, bounds=bounds)
            alone += times if written_unit(cell) is None else 0
        except ValueError as error:
            reasons[cell] = str(error)
    if len(values) < SIZES * (len(values) + len(reasons)):
        return None
    wrong = text.is_in(list(reasons)).fill_null(False)
    count = int(wrong.sum())
    held = plain.filled - sum(missing.values())
    reading = replace(plain, read_as="sizes", status="evidence", why=f"{unit}, by the units in the cells",
                      missing=missing, bad=count, filled=held - count, answer={"unit": bare})  # fmt: skip
    asked = []
    if alone and not proved:
        inches = "inches" if bare == "ft-in" else bare
        asked.append(
            f"{alone} of {held} cells are numbers without a unit, beside others that say one; taken as {inches}"
        )
    if count:
        asked.append(_lost(count, held, "no size", "no sizes", wrong))
    if asked:
        reading = replace(reading, status="question", question="; ".join(asked))
    read = text.replace_strict(values, default=None, return_dtype=pl.Float64)
    return _free(read, reading, bad_rows(text, wrong, "no size that can be read"), unit)


def read_scale(text: pl.Series, plain: ColumnReading) -> FreeColumn | None:
    """Read answers in words that have an order as numbers from 1; None where they are none."""
    counts = text.str.strip_chars().value_counts(sort=True).drop_nulls()
    if counts.height > SCALE_WORDS:
        return None
    times = {str(word): int(number) for word, number in counts.iter_rows()}
    missing = {word: number for word, number in times.items() if missing_word(word)}
    words = [word for word in times if word not in missing]
    levels, names = _levels(words)
    bare = [word for word in words if missing_code(word)] if levels is None else []
    if bare:
        words = [word for word in words if word not in bare]
        levels, names = _levels(words)
    few = _rare(times, words) if levels is None else []
    if few:
        words = [word for word in words if word not in few]
        levels, names = _levels(words)
    if levels is None:
        return None
    held = sum(times[word] for word in words)
    why = f"{len(levels)} answers in order, " + (" < ".join(names) if names else "by the numbers in them")
    answer: dict[str, Any] = {"levels": list(names)} if names else {"kind": "ordinal"}
    if bare or (missing and not names):
        answer["missing"] = ["", *missing, *bare]
    reading = replace(
        plain, read_as="ordered words", status="guess", why=why, missing=missing, filled=held, answer=answer
    )
    values = text.str.strip_chars().replace_strict(levels, default=None, return_dtype=pl.Int64)
    wrong = text.str.strip_chars().is_in(few).fill_null(False)
    codes = "" if names else ask_codes(values)
    if codes:
        reading = replace(reading, status="question", question=codes)
    if few:
        asked = _lost(int(wrong.sum()), held + int(wrong.sum()), "no answer of this scale", "no answers of it", wrong)
        reading = replace(reading, status="question", question=asked, bad=int(wrong.sum()))
    if bare:
        asked = f"{_coded(times, bare)} like a code for missing among answers in words, and missing now"
        reading = replace(reading, status="question", question="; ".join(filter(None, (asked, reading.question))),
                          missing={**missing, **{word: times[word] for word in bare}})  # fmt: skip
    return _free(values.alias(text.name), reading, bad_rows(text, wrong, "no answer of the scale"))


def _coded(times: Mapping[str, int], bare: Sequence[str]) -> str:
    named = ", ".join(f"{word} ({counted(times[word], 'cell')})" for word in bare)
    return f"{named} {'looks' if len(bare) == 1 else 'look'}"


def _levels(words: Sequence[str]) -> tuple[dict[str, int] | None, tuple[str, ...]]:
    numbered = ordered_words(words)
    return (numbered, ()) if numbered is not None else scale_of(words) or (None, ())


def _rare(times: Mapping[str, int], words: Sequence[str]) -> list[str]:
    """Return the rarest words, which few cells hold: misspelt answers of a scale, perhaps."""
    total, few = sum(times[word] for word in words), list[str]()
    for word in sorted(words, key=lambda word: times[word]):
        if sum(times[one] for one in (*few, word)) > (1 - NEARLY) * total:
            break
        few.append(word)
    return few


def _words(text: pl.Series, plain: ColumnReading) -> FreeColumn:
    """Read a column of text; a word such as NA is missing beside yes and no, and asked about beside other words."""
    small = text.str.strip_chars().str.to_lowercase()
    coded = [cell for cell in _few(text) if cell[:1].isdigit() and missing_word(cell)] + _bare_codes(text)
    silent = small.is_in([word for word in MISSING_WORDS if word]).fill_null(False) | text.is_in(coded).fill_null(False)
    answers = [cell for cell in _few(text) if missing_word(cell)]
    if answers and not bool(silent.any()) and yes_or_no(rest := text.filter(~text.is_in(answers))) and len(rest):
        silent = text.is_in(answers).fill_null(False)
    if not bool(silent.any()):
        asked = _nearly_numbers(text)
        return _free(
            text, replace(plain, status="question", question=asked, answer={"kind": "nominal"}) if asked else plain
        )
    words = {str(word): int(times) for word, times in text.filter(silent).value_counts(sort=True).iter_rows()}
    rest = text.filter(~silent)
    if yes_or_no(rest) and len(rest.drop_nulls()):
        gone = pl.select(pl.when(~silent).then(text)).to_series().alias(text.name)
        why = f"{silent_cells(words)}, beside yes and no"
        answer = {"kind": "nominal", "missing": ["", *words]}
        return _free(gone, replace(plain, status="guess", why=why, missing=words, answer=answer))
    why = f"{silent_cells(words)}, which stays a text here"
    marks = {word.strip().lower() for word in words} - {"none", "unknown", "missing", "nil", "."}
    codes = bool(rest.drop_nulls().str.contains(r"^[A-Z]{2,3}$").all())
    if not marks or codes or _differs(text):
        return _free(text, replace(plain, why=why))
    asked = f"{silent_cells(words)}: is that missing, or a category of its own? It is a category now"
    answer = {"kind": "nominal", "missing": ["", *words]}
    return _free(text, replace(plain, status="question", question=asked, answer=answer))


def _bare_codes(text: pl.Series) -> list[str]:
    """Return the cells of a column of words that are codes for missing; none where other cells have digits, too."""
    few = _few(text)
    codes = [cell for cell in few if missing_code(cell)]
    return [] if any(re.search(r"\d", cell) for cell in few if cell not in codes) else codes


_UNREAD: Final = r"^\W{0,2}\d[\d.,'’ \u00a0]*\s?(\pL{0,6})\W{0,2}$"
"""One number in no form that is known, or with a word behind."""


def _nearly_numbers(text: pl.Series) -> str:
    """Return the question why cells that each hold one number are text; empty where they are not so."""
    held = text.drop_nulls()
    if not bool(held.head(50).str.contains(_UNREAD).all()) or held.str.contains(r"^0\d").any():
        return ""
    words = held.str.extract(_UNREAD)
    if words.null_count() or words.n_unique() > 1 or not _marked(held, words[0]):
        return ""
    behind = f"a number and {words[0]!r}" if words[0] else "digits and marks in no form of a number that is known"
    return f"all cells are {behind}, such as {held[0]!r}; they are text now: are they categories?"


def _marked(held: pl.Series, word: str) -> bool:
    """Say whether numbers stand for amounts: a unit behind them, or marks between digits that no code has."""
    return len(word) > 1 or word in ("k", "K") or bool(held.str.contains(r"\d[,'’\u00a0]\d|^[^\pL\d\s]\d").all())


def _few(text: pl.Series) -> list[str]:
    """Return the distinct texts of a column of categories; none where there are many."""
    if text.head(2000).n_unique() > FEW_WORDS:
        return []
    distinct = text.drop_nulls().unique()
    return distinct.to_list() if len(distinct) <= FEW_WORDS else []


def _differs(text: pl.Series) -> bool:
    """Say whether most people have another text: names and sentences, of which no category is made."""
    return 2 * text.n_unique() > len(text) - text.null_count()
