"""A study folder that is looked at: people a page at a time, one person with the origin of every value, latents.

Nothing is written, and nothing is read but what a manifest names (verified) and the journal of replies. Files are
asked for at every request, so that a stage that ends meanwhile is seen whole. Without ``private`` neither private
columns, nor addresses, nor free text of or about people are shown: each of them may name a person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from personax.data.frames import parquet_schema, scan_parquet
from personax.data.labels import number
from personax.errors import InputError, StudyError
from personax.explorer._people_filter import PeopleCondition
from personax.schema import Column, TraitFramework
from personax.store import StudyFolder
from personax.traits import BIG_FIVE
from personax.traits.llms import JournalEntry, read_replies

__all__ = ["ExploredStudy", "PeoplePage", "PersonRecord"]

ROWS = 50
"""People on a page."""

FILTERS_KEPT = 32
"""Filters whose rows are remembered: four bytes a person at most."""

_ROW = "\0row"
"""The number of a row; no column that a person reads is called so."""

STRETCH = 50_000
"""Rows of a file that are read at once where a page's people lie within them."""

SHOWN = 12
"""Columns of the table of people, beside the ids; a person's page has all."""


@dataclass(frozen=True)
class PeoplePage:
    """Some people: names of columns, their rows as text, how many there are in all, and which page this is."""

    names: list[str]
    rows: list[list[str]]
    count: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are; one at least."""
        return max(1, -(-self.count // ROWS))


@dataclass(frozen=True)
class PersonRecord:
    """One person.

    Parameters
    ----------
    values
        Column, role, value, and where the value comes from.
    scores
        Rater's score, value.
    ratings
        Of annotations.parquet: model, prompt, repeat, trait, score, status, text.
    replies
        Of the journal.
    texts
        Kind of text, the text.
    """

    values: list[tuple[str, str, str, str]]
    scores: list[tuple[str, str]]
    ratings: list[dict[str, Any]]
    replies: list[JournalEntry]
    texts: list[tuple[str, str]]


class ExploredStudy:
    """What the pages show of a study.

    Parameters
    ----------
    folder
        The study folder.
    title
        The study's name.
    journal
        Where its journal of replies is, if it has one.
    private
        Whether names, addresses and texts are shown.
    seed
        Of the study; tests that draw random numbers take it.
    """

    def __init__(
        self, folder: StudyFolder, *, title: str, journal: Path | None = None, private: bool = False, seed: int = 0
    ) -> None:
        self.folder, self.title, self.journal, self.private, self.seed = folder, title, journal, private, seed
        self._matches: dict[tuple[object, ...], int | pl.Series] = {}

    def framework(self) -> TraitFramework:
        """Return the traits that the study's people are rated on; the Big Five by default."""
        path = self.folder.output("traits", "framework.json")
        return BIG_FIVE if path is None else TraitFramework.from_json(path.read_text(encoding="utf-8"))

    def versions(self) -> tuple[str | None, ...]:
        """Return the hashes of the files of people and of scores, which another run changes."""
        claims = self.folder.claims()
        return tuple(claims.get(name) for name in ("people/people.parquet", "traits/traits.parquet"))

    def stages(self) -> list[dict[str, Any]]:
        """Return name, day, counts and notices of every stage that is done."""
        found = [(stage, self.folder.manifest(stage)) for stage in self.folder.stages()]
        return [
            {"name": stage, "day": str(one.started or "")[:10], "counts": one.counts, "notices": one.notices}
            for stage, one in found
            if one is not None
        ]

    def people_columns(self) -> list[Column]:
        """Return the columns of people that may be shown.

        Raises
        ------
        StudyError
            Nobody was collected yet, or the file is none.
        """
        names = list(parquet_schema(self._people()))
        told = self.folder.output("people", "columns.json")
        try:
            raw = json.loads(told.read_text(encoding="utf-8")) if told is not None else []
            known = {column.name: column for column in (Column(**one) for one in raw)}
        except (OSError, ValueError, TypeError) as error:
            raise StudyError(f"{told} is not a list of columns; personax collect --force makes it again") from error
        found = [known.get(name, Column(name, "private", "nominal")) for name in names if name != "id"]
        return [column for column in found if self.private or column.role in ("feature", "target")]

    def score_columns(self) -> list[Column]:
        """Return the aggregated trait scores of every rater; none where nobody was rated."""
        path = self.folder.output("traits", "traits.parquet")
        taken = {column.name for column in self.people_columns()}
        names = [] if path is None else [name for name in parquet_schema(path) if name != "id" and name not in taken]
        return [Column(name, "target", "ordinal") for name in names]

    def types(self) -> dict[str, pl.DataType]:
        """Return the columns that may be filtered by, and their types."""
        shown = {"id", *(column.name for column in (*self.people_columns(), *self.score_columns()))}
        return {name: kind for name, kind in self._joined().collect_schema().items() if name in shown}

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """Return some columns of all people, in the order of the file."""
        return self._joined(names).select(*names).collect()

    def people(self, asked: Sequence[PeopleCondition], page: int = 0) -> PeoplePage:
        """Return one page of the people for whom all conditions hold."""
        found = self._found(tuple(asked))
        count = found if isinstance(found, int) else len(found)
        page = min(max(0, page), max(0, -(-count // ROWS) - 1))
        shown = self._shown()
        people = scan_parquet(self._people())
        wanted = [name for name in shown if name in people.collect_schema()]
        rows = self._rows_at(people.select("id", *wanted), found, page)
        rows = self._with_scores(rows, [name for name in shown if name not in wanted])
        texts = [[_text(value) for value in row] for row in rows.select("id", *shown).iter_rows()]
        return PeoplePage(["id", *shown], texts, count, page)

    def person(self, person: str) -> PersonRecord | None:
        """Return one person, or None where there is nobody of this id."""
        people = scan_parquet(self._people()).filter(pl.col("id") == person).head(1).collect()
        if people.is_empty():
            return None
        row = people.row(0, named=True)
        origins = self._origins(person)
        values: list[tuple[str, str, str, str]] = [
            (column.name, column.role, _text(row[column.name]), origins.get(column.name, origins[""]))
            for column in self.people_columns()
        ]
        scores = self._rows("traits", "traits.parquet", "id", person)
        ratings = self._rows("traits", "annotations.parquet", "person", person)
        return PersonRecord(
            values,
            [(name, _text(value)) for one in scores for name, value in one.items() if name != "id"],
            [one if self.private else one | {"text": ""} for one in ratings],
            self._replies(person),
            self._texts(person),
        )

    def latents(self) -> pl.DataFrame | None:
        """Return what moves along each latent (analysis/crl/traversals.parquet), or None."""
        path = self.folder.output("analysis", "crl", "traversals.parquet")
        return None if path is None else scan_parquet(path).collect()

    def audit(self) -> Mapping[str, Any] | None:
        """Return the audit of the release, or None where nothing was attacked."""
        path = self.folder.output("release", "audit.json")
        try:
            return None if path is None else dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise StudyError(f"{path} is no audit; personax release build makes it again") from error

    def _people(self) -> Path:
        path = self.folder.output("people", "people.parquet")
        if path is None:
            raise StudyError(f"there are no people in {self.folder.root} yet; personax run collects them")
        return path

    def _joined(self, names: Sequence[str] | None = None) -> pl.LazyFrame:
        """Return people, with their scores where one of these columns is a score, or where all are asked for."""
        people = scan_parquet(self._people())
        own = set(people.collect_schema())
        path = self.folder.output("traits", "traits.parquet")
        if path is None or (names is not None and set(names) <= own):
            return people
        scores = scan_parquet(path)
        wanted = [one for one in scores.collect_schema() if one not in own and (names is None or one in names)]
        return people.join(scores.select("id", *wanted), on="id", how="left", maintain_order="left")

    def _shown(self) -> list[str]:
        finals = [column.name for column in self.score_columns() if column.name.startswith("final_")][:5]
        return [column.name for column in self.people_columns()][: SHOWN - len(finals)] + finals

    def _with_scores(self, rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        """Return the rows of a page with scores, which are read for these people alone."""
        path = self.folder.output("traits", "traits.parquet")
        if not names or path is None:
            return rows
        scores = scan_parquet(path).select("id", *names).filter(pl.col("id").is_in(rows["id"].to_list())).collect()
        return rows.join(scores, on="id", how="left", maintain_order="left")

    def _found(self, asked: tuple[PeopleCondition, ...]) -> int | pl.Series:
        """Return how many people there are, or the rows of those for whom all conditions hold, looked for once."""
        key = (self.versions(), asked)
        if key not in self._matches:
            if len(self._matches) >= FILTERS_KEPT:
                self._matches.pop(next(iter(self._matches)))
            types = self.types() if asked else {}
            lazy = self._joined([one.column for one in asked]).with_row_index(_ROW)
            for condition in asked:
                lazy = lazy.filter(condition.expression(types[condition.column]))
            if asked:
                self._matches[key] = _collected(lazy.select(_ROW)).to_series()
            else:
                self._matches[key] = int(_collected(lazy.select(pl.len())).item())
        return self._matches[key]

    @staticmethod
    def _rows_at(people: pl.LazyFrame, found: int | pl.Series, page: int) -> pl.DataFrame:
        """Return a page of people; of a condition, a stretch of the file is read where one holds them all."""
        if isinstance(found, int):
            return _collected(people.slice(page * ROWS, ROWS))
        places = found.slice(page * ROWS, ROWS).to_list()
        if not places:
            return _collected(people.head(0))
        first, span = places[0], places[-1] - places[0] + 1
        if span <= STRETCH:
            return _collected(people.slice(first, span))[[place - first for place in places]]
        return _collected(people.with_row_index(_ROW).filter(pl.col(_ROW).is_in(places))).drop(_ROW)

    def _rows(self, folder: str, file: str, key: str, person: str) -> list[dict[str, Any]]:
        path = self.folder.output(folder, file)
        return [] if path is None else scan_parquet(path).filter(pl.col(key) == person).collect().to_dicts()

    def _origins(self, person: str) -> dict[str, str]:
        """Return column -> where its value comes from; under no name, what holds for all others."""
        told = self.folder.output("people", "provenance.json")
        whole = json.loads(told.read_text(encoding="utf-8")) if told is not None else {}
        place = f"{whole.get('location', '')}, SHA-256 {str(whole.get('sha256', ''))[:16]}"
        everywhere = "the stage collect" if not whole else place if self.private else "the file of people"
        found = {"": everywhere}
        for one in self._rows("people", "origins.parquet", "id", person):
            # an address may name the person
            where = f" {one['url']} ({one['time']})" if self.private else ""
            found[one["column"]] = f"{one['source']}{where}"
        return found

    def _replies(self, person: str) -> list[JournalEntry]:
        return read_replies(self.journal, person) if self.journal is not None and self.journal.is_file() else []

    def _texts(self, person: str) -> list[tuple[str, str]]:
        if not self.private:
            return []
        rows = self._rows("people", "texts.parquet", "id", person)
        return [(name, value) for row in rows for name, value in row.items() if name != "id" and value]


def _collected(lazy: pl.LazyFrame) -> pl.DataFrame:
    """Return the rows; a condition that polars cannot apply is wrong usage, whose plan nobody wants to read."""
    try:
        return lazy.collect()
    except pl.exceptions.PolarsError as error:
        why = str(error).splitlines()[0]
        raise InputError(f"the people cannot be filtered so ({why}); change the conditions") from None


def _text(value: object) -> str:
    """Return a value as a page shows it; what is missing is an empty text."""
    if value is None or value != value:
        return ""
    return number(value, 6) if isinstance(value, float) else str(value)
