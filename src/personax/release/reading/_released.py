"""A release that was read: the people at once, the vectors on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.table import Table
from personax.errors import InputError
from personax.release._file_formats import format_of
from personax.release._untrusted_tables import as_ids, read_arrays, read_frame, read_parts, to_fixed_length
from personax.release.statistics._read import NoisyStatistics
from personax.schema import Column, Notice, select

__all__ = ["Embeddings", "Released", "VectorSource"]


@dataclass(frozen=True)
class VectorSource:
    """Where the vectors of a measurement lie.

    Parameters
    ----------
    paths
        Parts of one table, or one file of arrays.
    column
        Of the table, or the name of the array.
    id
        The column of the ids; None where rows are in the order of the people.
    people
        The ids of the people, for rows that are in their order.
    dim
        Length of a vector, where the file says it.
    strict
        Whether a part that lacks a column is an error, and not one of people without a vector.
    spread
        The columns that hold one number of each vector, where it does not stand in one column.
    """

    paths: tuple[Path, ...]
    column: str
    id: str | None
    people: pl.Series = field(repr=False)
    dim: int | None = None
    spread: tuple[str, ...] = ()
    strict: bool = False

    def read(self) -> pl.DataFrame:
        """Return ``id`` and the vectors, ``float32`` of one length."""
        if self.column == "id":
            raise InputError(f"{self.paths[0].name}: vectors cannot be called id, as the ids are; rename the column")
        if format_of(self.paths[0].name) in ("npy", "npz"):
            found = read_arrays(self.paths[0], [self.column] if self.id is None else [self.id, self.column])
            ids = self.people if self.id is None else as_ids(pl.Series("id", found[self.id]))
            vectors = pl.Series(self.column, np.ascontiguousarray(found[self.column], dtype=np.float32))
        else:
            wanted = list(self.spread or [self.column])
            read = read_frame if self.strict else read_parts
            table = read(self.paths, wanted if self.id is None else [self.id, *wanted])
            ids = self.people if self.id is None else as_ids(table[self.id])
            if self.spread:
                numbers = table.select(self.spread).cast(pl.Float32).to_numpy()
                vectors = pl.Series(self.column, np.ascontiguousarray(numbers))
            else:
                vectors = to_fixed_length(table[self.column], self.paths[0])
        if len(ids) != len(vectors):
            raise InputError(f"{self.paths[0].name} has {len(vectors)} vectors for {len(ids)} people; get it again")
        if ids.n_unique() < len(ids) or ids.null_count():
            raise InputError(f"{self.paths[0].name} has ids that are missing or stand more than once; get it again")
        return pl.DataFrame([ids.alias("id"), vectors])


class Embeddings(Mapping[str, pl.DataFrame]):
    """Modality -> ``id`` and one vector column a measurement; frames are read on demand."""

    def __init__(self, sources: Mapping[str, Mapping[str, VectorSource]]) -> None:
        self._sources = sources

    def __getitem__(self, modality: str) -> pl.DataFrame:
        frames = [self.read(modality, measurement) for measurement in self.measurements(modality)]
        table = frames[0]
        for other in frames[1:]:
            same = table["id"].equals(other["id"])
            table = table.hstack(other.drop("id")) if same else table.join(other, on="id", how="full", coalesce=True)
        return table

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def __repr__(self) -> str:
        return f"Embeddings({self.summary()})"

    def measurements(self, modality: str) -> Mapping[str, VectorSource]:
        """Return measurement -> where it lies; nothing is read."""
        if modality not in self._sources:
            raise InputError(f"there is no modality {modality!r}; there are {', '.join(self) or 'none'}")
        return self._sources[modality]

    def read(self, modality: str, measurement: str) -> pl.DataFrame:
        """Return ``id`` and the vectors of one measurement."""
        found = self.measurements(modality)
        if measurement not in found:
            raise InputError(f"{modality} has no measurement {measurement!r}; it has {', '.join(found)}")
        return found[measurement].read()

    def summary(self) -> str:
        """Return one line: modalities, measurements, lengths."""
        parts = []
        for modality, found in self._sources.items():
            each = (f"{name} ({source.dim:,})" if source.dim else name for name, source in found.items())
            parts.append(f"{modality}: {', '.join(each)}")
        return "; ".join(parts) or "no vectors"


@dataclass(frozen=True, repr=False)
class Released:
    """A release that was read.

    Parameters
    ----------
    name, layout
        Of the release, and which layout it has.
    table
        One row a person: ``id``, features, targets; and what the columns mean.
    embeddings
        Modality -> ``id`` and vector columns, read when asked for.
    card, licence, verdict
        The text of its card, its licence, what its own audit says; empty or None where it has none.
    notices
        What was assumed in reading it.
    statistics
        Noisy tables of counts, where the release holds these and no people.
    """

    name: str
    layout: str
    table: Table
    embeddings: Embeddings
    card: str = ""
    licence: str | None = None
    verdict: str | None = None
    notices: Sequence[Notice] = ()
    statistics: NoisyStatistics | None = None

    @property
    def people(self) -> pl.DataFrame:
        """The people, one row each; empty where the release holds noisy statistics."""
        return self.table.frame

    @property
    def columns(self) -> Sequence[Column]:
        """What the columns of ``people`` mean, or those that noisy statistics are about."""
        return self.table.columns if self.statistics is None else self.statistics.columns

    @property
    def features(self) -> list[str]:
        """Names of the features."""
        return [column.name for column in select(self.columns, "feature")]

    @property
    def traits(self) -> list[str]:
        """Names of the trait scores."""
        return [column.name for column in select(self.columns, "target")]

    def vectors(self, modality: str, measurement: str | None = None) -> NDArray[np.float32]:
        """Return the vectors of a measurement in the order of the people.

        Parameters
        ----------
        modality, measurement
            Which; without a measurement the modality must have one only.

        Returns
        -------
        numpy.ndarray
            Shape (people, d), ``float32``; NaN in the rows of people who have no vector.
        """
        found = list(self.embeddings.measurements(modality))
        if measurement is None and len(found) > 1:
            raise InputError(f"{modality} has several measurements; say which of {', '.join(found)}")
        table = self.embeddings.read(modality, measurement or found[0])
        made: NDArray[np.float32] = table.to_series(1).to_numpy()
        if table["id"].equals(self.people["id"]):
            return made
        rows = self.people.select("id").join(
            table.select("id").with_row_index("row"), on="id", how="left", maintain_order="left"
        )["row"]
        vectors = np.full((len(rows), made.shape[1]), np.nan, dtype=np.float32)
        vectors[rows.is_not_null().to_numpy()] = made[rows.drop_nulls().to_numpy()]
        return vectors

    def joined(self, modalities: Sequence[str] | None = None) -> pl.DataFrame:
        """Return one table: the people and the vectors of these modalities, of all if None.

        A measurement that two modalities name alike is called ``modality/measurement``.
        """
        table = self.people
        for modality in self.embeddings if modalities is None else modalities:
            vectors = self.embeddings[modality]
            doubled = {name: f"{modality}/{name}" for name in vectors.columns[1:] if name in table.columns}
            table = table.join(vectors.rename(doubled), on="id", how="left", maintain_order="left")
        return table

    def __repr__(self) -> str:
        lines = [
            f"{self.name} ({self.layout}): {self.people.height:,} people",
            f"  features: {', '.join(self.features) or 'none'}",
            f"  traits: {', '.join(self.traits) or 'none'}",
            f"  vectors: {self.embeddings.summary()}",
            f"  licence: {self.licence or 'not stated'}",
            f"  its audit: {self.verdict or 'none'}",
        ]
        if self.statistics is not None:
            lines[4:] = [f"  {self.statistics.sentence}"]
        return "\n".join([*lines, *(f"  note: {notice.text}" for notice in self.notices)])
