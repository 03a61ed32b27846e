"""Packaging: a protected table and transformed embeddings become a folder that explains itself.

`write_shards` writes the data, `write_all` every text around them; the texts are functions of `ReleaseFacts` alone.
"""

from personax.release.packaging._checksums import Checked, check_checksums, write_checksums
from personax.release.packaging._column_facts import describe
from personax.release.packaging._croissant import check_croissant
from personax.release.packaging._documents import boilerplate_texts, write_all
from personax.release.packaging._facts import (
    AnnotatorFacts,
    ColumnFacts,
    EncoderFacts,
    MeasurementFacts,
    PublisherFacts,
    ReleaseFacts,
    SourceFacts,
)
from personax.release.packaging._licences import InheritedObligations, inherited
from personax.release.packaging._shards import SHARD_BYTES, Shard, list_shards, write_shards

__all__ = [
    "SHARD_BYTES",
    "AnnotatorFacts",
    "Checked",
    "ColumnFacts",
    "EncoderFacts",
    "InheritedObligations",
    "MeasurementFacts",
    "PublisherFacts",
    "ReleaseFacts",
    "Shard",
    "SourceFacts",
    "boilerplate_texts",
    "check_checksums",
    "check_croissant",
    "describe",
    "inherited",
    "list_shards",
    "write_all",
    "write_checksums",
    "write_shards",
]
