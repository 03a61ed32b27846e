"""Statistical disclosure control of the table of a release: single columns, and several together.

A map, each line using the ones above it:

- one column: rare categories (``_hierarchy``), ``_dates`` of birth,
  ``_category_codes`` instead of names; ``_privacy_statement`` of
  differential privacy, ``_local_privacy`` adds the noise
- several together: ``_anonymity`` measures, ``_hierarchy`` says how values become coarser, ``_lattice`` searches the
  least loss, ``_generalisation`` recodes
"""

from personax.release.disclosure._anonymity import Anonymity, Diversity, measure
from personax.release.disclosure._category_codes import names_of, shuffle_categories, with_names
from personax.release.disclosure._dates import birth_year
from personax.release.disclosure._generalisation import AppliedLevel, Generalised, generalise
from personax.release.disclosure._hierarchy import OTHER, Hierarchy, Merged, hierarchies, merge_rare
from personax.release.disclosure._local_privacy import add_noise, calibrate_noise
from personax.release.disclosure._privacy_statement import (
    Bounds,
    Categories,
    Mechanism,
    PrivacyStatement,
    Sphere,
    expected_cosine,
)

__all__ = [
    "OTHER",
    "Anonymity",
    "AppliedLevel",
    "Bounds",
    "Categories",
    "Diversity",
    "Generalised",
    "Hierarchy",
    "Mechanism",
    "Merged",
    "PrivacyStatement",
    "Sphere",
    "add_noise",
    "birth_year",
    "calibrate_noise",
    "expected_cosine",
    "generalise",
    "hierarchies",
    "measure",
    "merge_rare",
    "names_of",
    "shuffle_categories",
    "with_names",
]
