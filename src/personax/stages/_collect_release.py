"""A published release as the source of a study: its people, their scores, their vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.config import AnnotateRelease, CollectRelease
from personax.data.table import Table
from personax.errors import InputError, PlanError, StudyError
from personax.files import sha256
from personax.release import Released, load_release
from personax.release.reading import open_release
from personax.schema import Notice, Provenance, TraitFramework
from personax.sources import BAD_CELLS, PeopleTable, table_notices
from personax.stages._base import Context, Reader, framework_of
from personax.stages._encode_models import write_vectors
from personax.traits import aggregate

__all__ = ["RECORD", "collect_release", "write_release_vectors", "write_scores"]

RECORD = ("people", "release.json")
"""What was read: the release's name, layout, licence, verdict, and the hash of each of its files."""


def collect_release(context: Context, section: CollectRelease) -> PeopleTable:
    """Read the people of a release and note what it is made of; columns that are left out are not read.

    Raises
    ------
    InputError
        No release, columns that nobody has placed, files that do not join.
    """
    read = _load(context, section)
    people = _named_scores(replace(read.table, frame=_plain(read.people)), framework_of(context.plan).letters)
    hashes = _hashes(context, section)
    record = {
        "name": read.name, "layout": read.layout, "licence": read.licence, "verdict": read.verdict,
        "vectors": {modality: list(read.embeddings.measurements(modality)) for modality in read.embeddings},
        "files": hashes,
    }  # fmt: skip
    context.write_text(json.dumps(record, indent=1, ensure_ascii=False), *RECORD)
    listed = "".join(f"{name} {digest}\n" for name, digest in hashes.items())
    bad = pl.DataFrame(schema=BAD_CELLS)
    where = Provenance("release", section.place, hashlib.sha256(listed.encode()).hexdigest(), people.height)
    notices = [*read.notices, *table_notices(people.frame, bad)]
    return PeopleTable(replace(people, provenance=where), bad, notices)


def _load(reader: Reader, section: CollectRelease) -> Released:
    path = reader.external_path(section.place)
    where = path if path.exists() else section.place
    return load_release(where, mapping=section.mapping or None, revision=section.revision)


def _hashes(reader: Reader, section: CollectRelease) -> dict[str, str]:
    path = reader.external_path(section.place)
    folder = open_release(path if path.exists() else section.place, revision=section.revision)[0]
    return {name: sha256(file) for name, file in folder.files.items()}


def _plain(people: pl.DataFrame) -> pl.DataFrame:
    """Return cells of the types that a study holds; a number that is none is missing."""
    wanted = {pl.Float16: pl.Float32, pl.Decimal: pl.Float64, pl.Null: pl.String}
    texts = pl.selectors.categorical() | pl.selectors.enum() | pl.selectors.time() | pl.selectors.duration()
    cast = [pl.col(s.name).cast(wanted[s.dtype.base_type()]) for s in people if s.dtype.base_type() in wanted]
    return (
        people.with_columns(cast).with_columns(texts.cast(pl.String)).with_columns(pl.selectors.float().fill_nan(None))
    )


def _named_scores(people: Table, letters: Mapping[str, str]) -> Table:
    """Call a target ``openness`` ``final_o``, and so on, where no column is called so already."""
    taken = set(people.names)
    renamed = {
        column.name: f"final_{letters[trait]}"
        for column in people.targets()
        if (trait := column.name.lower()) in letters and f"final_{letters[trait]}" not in taken
    }
    if len(set(renamed.values())) < len(renamed):
        return people
    columns = [replace(column, name=renamed.get(column.name, column.name)) for column in people.columns]
    return replace(people, frame=people.frame.rename(renamed), columns=columns)


def write_scores(context: Context, section: AnnotateRelease) -> pl.DataFrame:
    """Write and return the trait scores that a release holds, one row a person; of models, also a score over them.

    Raises
    ------
    PlanError
        The people do not come from a release.
    """
    if not isinstance(context.plan.collect, CollectRelease):
        raise PlanError("annotate.source: release needs people of a release (collect.source: release)")
    people = context.people()
    numbers = [column.name for column in people.targets() if people.frame[column.name].dtype.is_numeric()]
    framework = framework_of(context.plan)
    endings = tuple(f"_{letter}" for letter in framework.letters.values())
    names = [name for name in numbers if name.endswith(endings)]
    scores = people.frame.select("id", *(pl.col(name).cast(pl.Float64) for name in names))
    if not names:
        context.notices.append(Notice("The release has no trait scores."))
    elif not any(name.startswith("final_") for name in names):
        scores = scores.join(_over_models(scores, section, framework), on="id", how="left", maintain_order="left")
        text = f"The release has no score over models; it is the {section.rule} of its models, made here."
        context.notices.append(Notice(text, len(names)))
    context.write_frame(scores, "traits", "traits.parquet")
    return scores


def _over_models(scores: pl.DataFrame, section: AnnotateRelease, framework: TraitFramework) -> pl.DataFrame:
    long = scores.unpivot(index="id", variable_name="column", value_name="score").drop_nulls("score")
    traits = {letter: trait for trait, letter in framework.letters.items()}
    cut = pl.col("column").str.extract_groups(rf"^(.+)_([{''.join(traits)}])$")
    rows = long.select(
        person="id",
        model=cut.struct[0],
        trait=cut.struct[1].replace_strict(traits),
        score="score",
        status=pl.lit("ok"),
    )
    found = aggregate(rows, people=scores["id"].to_list(), rule=section.rule, framework=framework)
    return found.select("id", pl.selectors.starts_with("final_"))


def write_release_vectors(context: Context) -> None:
    """Write the vectors that a release holds, in the order of the people; null where somebody has none.

    Raises
    ------
    PlanError
        The people do not come from a release.
    StudyError
        The release is not the one that the people were collected from.
    InputError
        Vectors that cannot be read, or a measurement of which nobody has one.
    """
    section = context.plan.collect
    if not isinstance(section, CollectRelease):
        raise PlanError("embed.source: release needs people of a release (collect.source: release)")
    record = context.json(*RECORD) or {}
    if record.get("files") != _hashes(context, section):
        raise StudyError(f"{section.place} has changed since the people were collected; run the stage collect again")
    read = _load(context, section)
    if not len(read.embeddings):
        context.notices.append(Notice("The release has no vectors."))
    people = read.people["id"].to_list()
    for modality in read.embeddings:
        found, lacking = {}, {}
        for name in read.embeddings.measurements(modality):
            rows = read.vectors(modality, name)
            without: NDArray[np.bool_] = np.logical_not(np.isfinite(rows).all(axis=1))
            if without.all():
                raise InputError(f"{section.place}: nobody has a vector of {modality}/{name}; leave it out by mapping")
            if without.any():
                text = f"{modality}/{name}: people whose vector is missing or not finite; it is not used."
                context.notices.append(Notice(text, int(without.sum())))
            found[name], lacking[name] = np.where(without[:, None], np.float32(0), rows), without
        write_vectors(context, modality, people, found, lacking)
