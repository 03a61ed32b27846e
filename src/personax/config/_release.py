"""What may leave the study folder, in which form, and what no attack on it may reach."""

from __future__ import annotations

from typing import Literal

from personax.release import ReleaseOptions
from personax.release.statistics import PrivacyBudget, StatisticsRequest
from personax.release.vectors import Reduction
from personax.strict import OutsidePath


class ReleaseSection(ReleaseOptions):
    """What may leave the study folder.

    Parameters
    ----------
    removed
        The removal list: a file with one id a line.
    vectors
        A few numbers in place of the embeddings.
    statistics
        Contingency tables under central differential privacy.
    budget
        What all releases of the study may spend together.
    rekey
        When the key is renewed.
    """

    removed: OutsidePath | None = None
    vectors: Reduction | None = None
    statistics: StatisticsRequest | None = None
    budget: PrivacyBudget | None = None
    rekey: Literal["after_removals", "always", "never"] = "after_removals"
