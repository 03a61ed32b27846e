"""Protection of the table of a release: what single columns, and several together, give away.

A map, each line using the ones above it:

- one column: ``rare`` categories, ``dates`` of birth, ``indices`` instead of names; ``statement`` of differential
  privacy, ``noise`` that keeps it
- several together: ``anonymity`` measures, ``hierarchy`` says how values become coarser, ``lattice`` searches the least
  loss, ``generalise`` recodes
"""

from personax.release.disclosure.anonymity import Anonymity, Diversity, measure
from personax.release.disclosure.dates import birth_year
from personax.release.disclosure.generalise import Generalised, Step, generalise
from personax.release.disclosure.hierarchy import Hierarchy, hierarchies
from personax.release.disclosure.indices import names_of, shuffle_categories, with_names
from personax.release.disclosure.noise import add_noise, state
from personax.release.disclosure.rare import OTHER, Merged, merge_rare
from personax.release.disclosure.statement import Bounds, Categories, Mechanism, Sphere, Statement, expected_cosine

__all__ = [
    "OTHER",
    "Anonymity",
    "Bounds",
    "Categories",
    "Diversity",
    "Generalised",
    "Hierarchy",
    "Mechanism",
    "Merged",
    "Sphere",
    "Statement",
    "Step",
    "add_noise",
    "birth_year",
    "expected_cosine",
    "generalise",
    "hierarchies",
    "measure",
    "merge_rare",
    "names_of",
    "shuffle_categories",
    "state",
    "with_names",
]
