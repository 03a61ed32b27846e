"""What tells of a person: known private values in any spelling, and ways to reach anybody.

- ``variants``: how a name can be written; ``slips``: one letter wrong; ``runs``: many texts against many values at once
- ``dates``, ``numbers``, ``passages``: days, numbers held as such, words in a row
- ``known``: all of these over the private values of a study; ``contacts``: addresses and telephone numbers of anybody
"""

from personax.release.pii._contacts import contacts
from personax.release.pii._folder_scan import refuse_folder
from personax.release.pii._known_values import COMMON, MIN_LENGTH, KnownValues
from personax.release.pii._table_scan import scan

__all__ = ["COMMON", "MIN_LENGTH", "KnownValues", "contacts", "refuse_folder", "scan"]
