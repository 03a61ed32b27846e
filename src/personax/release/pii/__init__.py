"""Personally identifying information: known private values in any spelling, and contacts of anybody.

- ``_name_variants``: spellings of a name; ``_match_rules`` and ``_matcher``: one wrong letter, many values at once
- ``_dates``, ``_numbers``, ``_tokens``: days, numbers held as such, words in a row
- ``_known_values``: all of these over the private values of a study; ``_contacts``: addresses and telephone numbers
- ``_table_scan`` and ``_folder_scan``: both looked for in a table, and in all files of a folder
"""

from personax.release.pii._contacts import contacts
from personax.release.pii._folder_scan import refuse_folder
from personax.release.pii._known_values import MIN_COMMON, MIN_LENGTH, KnownValues
from personax.release.pii._table_scan import scan

__all__ = ["MIN_COMMON", "MIN_LENGTH", "KnownValues", "contacts", "refuse_folder", "scan"]
