"""What tells of a person: known private values in any spelling, and ways to reach anybody.

- ``variants``: how a name can be written; ``slips``: one letter wrong; ``runs``: many texts against many values at once
- ``dates``, ``numbers``, ``passages``: days, numbers held as such, words in a row
- ``known``: all of these over the private values of a study; ``contacts``: addresses and telephone numbers of anybody
"""

from personax.release.pii.contacts import contacts
from personax.release.pii.known import COMMON, MIN_LENGTH, KnownValues

__all__ = ["COMMON", "MIN_LENGTH", "KnownValues", "contacts"]
