"""What several rooms need of multiple testing: Holm's correction, in one place."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["holm"]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return Holm's corrected p-values; a missing one stays missing and is no member of the family.

    Of m p-values in ascending order, the i-th (from 0) is multiplied by m - i, made no smaller than those before it,
    and cut at 1: the chance of any false alarm in the family is then at most the level, whatever the dependence.

    References
    ----------
    Holm 1979, jstor 4615733.

    Examples
    --------
    >>> holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(known):
        largest = min(1.0, max(largest, p * (len(known) - rank)))
        corrected[place] = largest
    return corrected
