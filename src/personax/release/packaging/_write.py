"""Write every text of a release whose data are in place, and the checksums last."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from personax.errors import InputError
from personax.files import write_text
from personax.release.packaging._checksums import write_checksums
from personax.release.packaging._citation import citation_cff
from personax.release.packaging._column_facts import columns_json, schema_of
from personax.release.packaging._croissant import croissant
from personax.release.packaging._documents import card, datasheet, usage_page
from personax.release.packaging._facts import PEOPLE, ColumnFacts, ReleaseFacts
from personax.release.packaging._licences import licence_page
from personax.release.packaging._shards import Shard, list_shards

__all__ = ["boilerplate_texts", "texts", "write_all"]


def write_all(folder: Path, facts: ReleaseFacts) -> list[Path]:
    """Write the texts beside ``data/``, then SHA256SUMS over everything in the folder.

    Same facts and data, same bytes: neither the clock nor a path of the machine is in any of them. What others wrote
    before (protection.json, transforms.json, audit.json) is kept and summed.

    Parameters
    ----------
    folder
        Of the release, with ``data/`` written by `write_shards`.
    facts
        What the texts say.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        The data are not what the facts say; the publisher's licence contradicts what is inherited.
    """
    shards = {config: list_shards(folder, config) for config in facts.configs}
    _check(folder, facts, shards)
    # all are made before one is written, so that a contradiction leaves no half of them
    made = texts(facts, shards)
    for name, text in made.items():
        write_text(folder / name, text)
    return [*(folder / name for name in made), write_checksums(folder)]


def boilerplate_texts() -> list[str]:
    """Return what the texts of every release say, whoever is in it."""
    bare = ReleaseFacts("release", "1.0.0", 1, (ColumnFacts(PEOPLE, "id", "id", "nominal", "string", "the id"),))
    return list(texts(bare, {PEOPLE: [Shard("data/people/train-00000-of-00001.parquet", 1, 1, "")]}).values())


def texts(facts: ReleaseFacts, shards: Mapping[str, Sequence[Shard]]) -> dict[str, str]:
    """Return file name -> text."""
    return {
        "README.md": card(facts, shards),
        "DATASHEET.md": datasheet(facts),
        "USAGE.md": usage_page(facts),
        "LICENSES.md": licence_page(facts),
        "CITATION.cff": citation_cff(facts),
        "croissant.json": json.dumps(croissant(facts, shards), indent=1, ensure_ascii=False),
        "columns.json": columns_json(facts),
    }


def _check(folder: Path, facts: ReleaseFacts, shards: Mapping[str, Sequence[Shard]]) -> None:
    for config, files in shards.items():
        wanted = schema_of(facts.columns_of(config))
        for shard in files:
            if pl.read_parquet_schema(folder / shard.path) != wanted:
                raise InputError(f"{folder / shard.path} has other columns than the facts say; describe this table")
    rows = sum(shard.rows for shard in shards[PEOPLE])
    if rows != facts.people:
        raise InputError(f"the table in {folder} has {rows} people and the facts say {facts.people}; count again")
    strange = sorted({path.name for path in (folder / "data").iterdir()} - set(shards))
    if strange:
        raise InputError(f"{folder / 'data' / strange[0]} is in no fact, so nothing would describe it; take it out")
