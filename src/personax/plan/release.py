"""What may leave the study folder, and what no attack on it may reach."""

from __future__ import annotations

from personax.plan.amounts import Count, Share
from personax.release.transforms import Preset
from personax.strict import Strict


class ReleaseGate(Strict):
    """Limits that no attack may exceed, or nothing is released; see `personax.release.Gate`."""

    max_rank_1: Share | None = None
    min_pairs: Count | None = None
    max_attribute_gain: Share | None = None
    max_d_sys: Share | None = None
    max_singling_out: Share | None = None
    max_linkability: Share | None = None


class Release(Strict):
    """What may leave the study folder."""

    rare_below: Count = 5
    transform: Preset = "rotation"
    audit: bool = True
    gate: ReleaseGate = ReleaseGate()
