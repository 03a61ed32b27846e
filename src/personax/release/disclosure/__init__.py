"""Statistical disclosure control of the table of a release: single columns, and several together.

A map, each line using the ones above it:

- one column: ``_rare_values``, ``_dates`` of birth,
  ``_category_codes`` instead of names; ``_privacy_statement`` of
  differential privacy, ``_local_privacy`` adds the noise
- several together: ``_anonymity`` measures, ``_hierarchy`` says how values become coarser, ``_lattice`` searches the
  least loss, ``_generalisation`` recodes
"""

from personax.release.disclosure._anonymity import Anonymity, Diversity, measure
from personax.release.disclosure._category_codes import names_of, shuffle_categories, with_names
from personax.release.disclosure._column_pairs import join_alone_in_pairs
from personax.release.disclosure._dates import birth_year
from personax.release.disclosure._generalisation import AppliedLevel, Generalised, generalise
from personax.release.disclosure._hierarchy import Hierarchy, hierarchies
from personax.release.disclosure._local_privacy import add_noise, calibrate_noise
from personax.release.disclosure._privacy_statement import (
    Bounds,
    Categories,
    Mechanism,
    PrivacyStatement,
    Sphere,
    expected_cosine,
)
from personax.release.disclosure._rare_values import OTHER, Merged, blank_more, join_rare_levels, merge_rare
from personax.release.disclosure._singling_out import SinglingOut, can_be_known, singling_out

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
    "SinglingOut",
    "Sphere",
    "add_noise",
    "birth_year",
    "blank_more",
    "calibrate_noise",
    "can_be_known",
    "expected_cosine",
    "generalise",
    "hierarchies",
    "join_alone_in_pairs",
    "join_rare_levels",
    "measure",
    "merge_rare",
    "names_of",
    "shuffle_categories",
    "singling_out",
    "with_names",
]
