"""Packaging: a protected table and transformed embeddings become a folder that explains itself.

`write_shards` writes the data, `write_all` every text around them; the texts are functions of `Facts` alone.
"""

from personax.release.packaging._checksums import Checked, check_checksums, write_checksums
from personax.release.packaging._column_facts import describe
from personax.release.packaging._croissant import check_croissant
from personax.release.packaging._facts import (
    AnnotatorFacts,
    ColumnFacts,
    Facts,
    MeasurementFacts,
    PublisherFacts,
    SourceFacts,
)
from personax.release.packaging._licences import Inherited, inherited
from personax.release.packaging._shards import SHARD_BYTES, Shard, list_shards, write_shards
from personax.release.packaging._write import house_texts, write_all

__all__ = [
    "SHARD_BYTES",
    "AnnotatorFacts",
    "Checked",
    "ColumnFacts",
    "Facts",
    "Inherited",
    "MeasurementFacts",
    "PublisherFacts",
    "Shard",
    "SourceFacts",
    "check_checksums",
    "check_croissant",
    "describe",
    "house_texts",
    "inherited",
    "list_shards",
    "write_all",
    "write_checksums",
    "write_shards",
]
