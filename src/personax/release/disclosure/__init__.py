"""Protection of the table of a release: what single columns, and several together, give away.

A map, each line using the ones above it:

- one column: ``rare`` categories, ``dates`` of birth, ``indices`` instead of names, ``noise`` with differential privacy
- several together: ``anonymity`` measures, ``hierarchy`` says how values become coarser, ``lattice`` searches the least
  loss, ``generalise`` recodes
"""

from personax.release.disclosure.anonymity import Anonymity, Diversity, measure
from personax.release.disclosure.dates import birth_year, tells_the_day
from personax.release.disclosure.generalise import Generalised, Step, generalise
from personax.release.disclosure.hierarchy import Hierarchy, hierarchies
from personax.release.disclosure.indices import names_of, shuffle_categories, with_names
from personax.release.disclosure.rare import OTHER, Merged, merge_rare

__all__ = [
    "OTHER",
    "Anonymity",
    "Diversity",
    "Generalised",
    "Hierarchy",
    "Merged",
    "Step",
    "birth_year",
    "generalise",
    "hierarchies",
    "measure",
    "merge_rare",
    "names_of",
    "shuffle_categories",
    "tells_the_day",
    "with_names",
]
