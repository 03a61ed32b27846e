"""A folder that personax has built, of format 1 or 2."""

from __future__ import annotations

import polars as pl

from personax.columns import infer_columns
from personax.data.table import Table
from personax.errors import InputError
from personax.release.folder import Folder
from personax.release.layout import described, modalities, parts
from personax.release.plain import frame, schema
from personax.release.reading.released import Source

__all__ = ["read_ours"]


def read_ours(folder: Folder) -> tuple[Table, dict[str, dict[str, Source]]]:
    """Return the people, what their columns mean, and where the vectors lie.

    Raises
    ------
    InputError
        A part is missing or is not what the layout says.
    """
    people = frame([folder.files[name] for name in parts(folder, "people")])
    if "id" not in people.columns or people["id"].null_count() or people["id"].n_unique() < people.height:
        raise InputError(f"{folder.root}: the people need one id each; get the release again")
    people = people.with_columns(pl.col("id").cast(pl.String))
    given = described(folder)
    columns = infer_columns(people, {name: given[name] for name in people.columns if name in given})
    sources: dict[str, dict[str, Source]] = {}
    for modality, names in modalities(folder).items():
        paths = tuple(folder.files[name] for name in names)
        types = schema(paths[0])
        if "id" not in types:
            raise InputError(f"{names[0]} has no column id; get the release again")
        sources[modality] = {
            name: Source(
                paths, name, "id", people["id"], kind.size if isinstance(kind, pl.Array) else None, strict=True
            )
            for name, kind in types.items()
            if kind.is_nested()
        }
    return Table(people, columns).open(), sources
