"""The input of a release: people, traits, embeddings and facts, before any protection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from personax.data.identity import identified
from personax.data.table import Table
from personax.errors import InputError
from personax.release.packaging import AnnotatorFacts, EncoderFacts, SourceFacts
from personax.release.pii import MIN_LENGTH
from personax.schema import Column

__all__ = ["ReleaseInput"]


MIN_FRACTION_LENGTH = 8
"""Fewest characters of a private number with a fraction that the scan searches for."""


@dataclass(frozen=True)
class ReleaseInput:
    """The input of a release.

    Parameters
    ----------
    name
        Of the study.
    table
        The people and what their columns mean; only features and targets leave.
    traits
        ``id`` and scores, or None.
    embeddings
        Modality -> ``id`` and vector columns; a null is a vector that somebody lacks, who is left out of that modality.
    private_texts
        Further texts that must not leave, such as biographies.
    encoders
        ``<modality>/<measurement>`` -> who made it.
    sources, annotators
        Where people come from, and who stated their traits.
    seed, software
        Of the study, and what it was made with.
    """

    name: str
    table: Table
    traits: pl.DataFrame | None = None
    embeddings: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    private_texts: Sequence[str] = ()
    encoders: Mapping[str, EncoderFacts] = field(default_factory=dict)
    sources: Sequence[SourceFacts] = ()
    annotators: AnnotatorFacts | None = None
    seed: int | None = None
    software: Mapping[str, str] = field(default_factory=dict)

    @property
    def people(self) -> pl.DataFrame:
        """The people, one row each."""
        return self.table.frame

    @property
    def columns(self) -> Sequence[Column]:
        """What the columns of ``people`` mean."""
        return self.table.columns

    def classified(self) -> ReleaseInput:
        """Return it with uniform types of texts and fractions, and identity classes inferred again.

        A publisher lets a column leave by a word on its risk, never by a class that somebody wrote. Classes are those
        of all people; `drop_people` keeps them.

        Examples
        --------
        >>> people = pl.DataFrame({"id": ["a", "b"], "club": pl.Series(["x", "y"], dtype=pl.Categorical)})
        >>> columns = [Column("id", "id", "nominal"), Column("club", "feature", "nominal")]
        >>> found = ReleaseInput("a study", Table(people, columns)).classified()
        >>> found.people["club"].dtype, found.columns[1].identity
        (String, 'quasi-identifying')
        """
        texts = pl.selectors.by_dtype(pl.Categorical, pl.Enum, pl.Time, pl.Duration)
        people = self.people.with_columns(texts.cast(pl.String), pl.selectors.decimal().cast(pl.Float64))
        bare = [replace(column, identity="", identity_why="") for column in self.columns]
        return replace(self, table=identified(replace(self.table, frame=people, columns=bare)))

    def private_values(self, leaving: Collection[str] = ()) -> list[str]:
        """Return names, ids and texts that must not leave, also those of people on the removal list.

        Parameters
        ----------
        leaving
            Columns that the publisher lets leave as they are.
        """
        names = [column.name for column in self.columns if self._names_people(column) and column.name not in leaving]
        texts = [self._texts(self.people[name]) for name in names]
        # a short id such as 7 is also a number that means something else
        ids = [identifier for identifier in self.people["id"] if len(identifier) >= MIN_LENGTH]
        return [*ids, *(value for column in texts for value in column), *self.private_texts]

    def locate(self, value: str) -> str:
        """Return where a private value is, for its owner to look up; never the value itself."""
        for series in self.people:
            texts = series.cast(pl.String, strict=False) if not series.dtype.is_nested() else pl.Series([None])
            rows = (texts == value).fill_null(False).arg_true()
            if len(rows):
                return f"row {rows[0] + 1} of {series.name} in people/people.parquet"
        return "a private text"

    def _names_people(self, column: Column) -> bool:
        """Say whether the scan searches for the values of a column."""
        if column.role == "private":
            return True
        held = self.people.schema.get(column.name)
        return column.role != "id" and column.identity == "direct" and (held == pl.String or held in (pl.Date,))

    @staticmethod
    def _texts(values: pl.Series) -> list[str]:
        texts = values.cast(pl.String, strict=False).drop_nulls().to_list() if not values.dtype.is_nested() else []
        # a short fraction is also a number that means something else
        return [text for text in texts if len(text) >= MIN_FRACTION_LENGTH] if values.dtype.is_float() else texts

    def drop_people(self, removed: Collection[str]) -> ReleaseInput:
        """Return the input without some people.

        Raises
        ------
        InputError
            Nobody is left, or vectors are of other people than the table.
        """
        people = self._kept(self.people, removed)
        if people.is_empty():
            raise InputError("nobody is left to release; the removal list names everybody")
        embeddings = {modality: self._kept(frame, removed) for modality, frame in self.embeddings.items()}
        for modality, frame in embeddings.items():
            if set(frame["id"]) != set(people["id"]) or frame["id"].n_unique() < frame.height:
                raise InputError(f"the vectors of {modality} are not those of the people; run the stage embed again")
            if frame.select(pl.all_horizontal(pl.all().is_not_null()).any()).item() is not True:
                raise InputError(f"nobody has all vectors of {modality}; leave out a measurement of it that most lack")
        embeddings = {
            modality: frame.drop_nulls() if any(column.null_count() for column in frame) else frame  # no second copy
            for modality, frame in embeddings.items()
        }
        traits = None if self.traits is None else self._kept(self.traits, removed)
        return replace(self, table=replace(self.table, frame=people), traits=traits, embeddings=embeddings)

    @staticmethod
    def _kept(frame: pl.DataFrame, removed: Collection[str]) -> pl.DataFrame:
        return frame.filter(~pl.col("id").is_in(sorted(removed))) if removed else frame
