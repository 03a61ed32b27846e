"""People from CelebA: its label files, one row an identity; nothing of CelebA is part of personax.

``_label_files`` reads its files, ``_table`` makes the people, ``_best_pictures`` selects a picture of each,
``_linkage`` adds what Wikidata says of identities with names, ``_identify`` says who each of them is.
"""

from personax.sources.celeba._identify import identify
from personax.sources.celeba._label_files import read_attributes
from personax.sources.celeba._linkage import MatchReport, decisions_of, with_wikidata
from personax.sources.celeba._table import CollectCelebA, read_celeba

__all__ = [
    "CollectCelebA",
    "MatchReport",
    "decisions_of",
    "identify",
    "read_attributes",
    "read_celeba",
    "with_wikidata",
]
