"""Tables: an empty sheet to fill in, and filled sheets, ratings or questionnaire scores read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from personax.errors import InputError
from personax.schema import TraitFramework
from personax.traits._frameworks import BIG_FIVE
from personax.traits.validity._human_ratings import HumanAnswer, RatingForm, RatingTask

__all__ = ["escape_formula", "rating_form_table", "read_rating_table", "unescape_formula"]

PERSON_COLUMNS = ("task", "person", "id")
RATER_COLUMNS = ("rater", "annotator", "annotator_id")

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be computed by a spreadsheet, and its text was written by strangers."""


def rating_form_table(listed: Sequence[RatingTask], sheet: RatingForm) -> pl.DataFrame:
    """Return a row a person to fill in; each rater takes a copy and writes a name or number in ``rater``."""
    columns = {"task": [task.code for task in listed], "about": [escape_formula(task.about) for task in listed]}
    empty = [""] * len(listed)
    return pl.DataFrame(columns | dict.fromkeys(["rater", *sheet.questions], empty))


def escape_formula(text: str) -> str:
    """Return a cell that a spreadsheet takes for text."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def unescape_formula(text: str) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from computing it."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def read_rating_table(
    table: pl.DataFrame,
    where: str,
    *,
    id_column: str | None = None,
    extra: Sequence[str] = (),
    framework: TraitFramework = BIG_FIVE,
) -> list[HumanAnswer]:
    """Read a table of text, long (person, rater, trait, score) or wide (person, rater, a column a trait).

    Parameters
    ----------
    table
        All columns as text.
    where
        What errors call it.
    id_column
        Name of the column of people; task, person or id where it is not named.
    extra
        Names of other questions to read.
    framework
        Whose traits were rated.

    Raises
    ------
    InputError
        Without people, without a trait, or with a trait that is none.
    """
    names = {column.strip().lower(): column for column in table.columns}
    person = id_column if id_column is not None else _first(names, PERSON_COLUMNS)
    if person is None or person not in table.columns:
        raise InputError(f"{where} has no column {id_column or 'task, person or id'}; name it with --id")
    rater = _first(names, RATER_COLUMNS)
    letters = framework.letters
    known = {trait: trait for trait in letters} | {f"final_{letter}": trait for trait, letter in letters.items()}
    known |= {name: name for name in extra}
    raters = table[rater].fill_null("").str.strip_chars().to_list() if rater else [""] * table.height
    people = [unescape_formula((value or "").strip()) for value in table[person]]
    if "trait" in names and "score" in names:
        answers = list(_long(people, raters, table[names["trait"]], table[names["score"]], known, where))
    else:
        columns = {known[name]: column for name, column in names.items() if name in known}
        if not columns:
            raise InputError(
                f"{where} has neither the columns trait and score nor one a trait, such as {framework.names[0]}"
            )
        answers = [
            HumanAnswer(who, by, trait, value.strip())
            for trait, column in columns.items()
            for who, by, value in zip(people, raters, table[column], strict=True)
            if who and value and value.strip()
        ]
    if not answers:
        raise InputError(f"{where} holds no answer; fill its columns in")
    return answers


def _long(
    people: Sequence[str], raters: Sequence[str], traits: pl.Series, scores: pl.Series, known: Mapping[str, str],
    where: str,
) -> Iterator[HumanAnswer]:  # fmt: skip
    for who, by, trait, score in zip(people, raters, traits, scores, strict=True):
        name = (trait or "").strip().lower()
        if who and score and score.strip():
            if name not in known:
                listed = ", ".join(dict.fromkeys(known.values()))
                raise InputError(f"{where}: {name[:40] or 'an empty cell'} is no trait; use {listed}")
            yield HumanAnswer(who, by, known[name], score.strip())


def _first(names: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)
