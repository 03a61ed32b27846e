"""Two attacks on released embeddings, with guessing as the baseline: what a rotation does not protect from.

The attacker holds the original embeddings of the same people, made with the same encoder from public pictures or texts,
and wants to know which released row is whom.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import ndtri

__all__ = ["attack_by_distances", "attack_by_pairs", "audit", "wilson"]

PEOPLE = 500
"""At most so many people are attacked; more only sharpen the interval."""

Vectors = NDArray[np.float32]


def audit(original: Vectors, released: Vectors, *, rng: np.random.Generator) -> dict[str, Any]:
    """Attack one measurement and return what audit.json holds.

    Parameters
    ----------
    original, released
        Shape (n, d), the same people in the same order; the attacks see the released rows shuffled.
    rng
        Draws the people attacked and the shuffling.
    """
    chosen = rng.permutation(len(original))[:PEOPLE]
    x, y = original[chosen].astype(float), released[chosen].astype(float)
    n = len(x)
    pairs = [
        {"pairs": m, **_rate(attack_by_pairs(x, y, m, rng=rng), n - m)}
        for m in sorted({min(m, n // 2) for m in (1, 10, 50, 100, 250)})
    ]
    return {
        "people": n,
        "guessing": round(1 / n, 6),
        "without_key_or_pairs": _rate(attack_by_distances(x, y, rng=rng), n),
        "with_known_pairs": pairs,
    }


def attack_by_distances(x: NDArray[np.float64], y: NDArray[np.float64], *, rng: np.random.Generator) -> int:
    """Return how many people are found by comparing each row's sorted distances to all others."""
    order = rng.permutation(len(y))
    profiles_x, profiles_y = (np.sort(cdist(rows, rows), axis=1) for rows in (x, y[order]))
    return int((order[cdist(profiles_x, profiles_y).argmin(axis=1)] == np.arange(len(x))).sum())


def attack_by_pairs(x: NDArray[np.float64], y: NDArray[np.float64], m: int, *, rng: np.random.Generator) -> int:
    """Return how many of the others are found from m known pairs, by a least-squares map and the nearest row."""
    order = rng.permutation(len(x))
    known, rest = order[:m], order[m:]
    mapping, *_ = np.linalg.lstsq(x[known], y[known], rcond=None)
    return int((cdist(x[rest] @ mapping, y[rest]).argmin(axis=1) == np.arange(len(rest))).sum())


def _rate(hits: int, tries: int) -> dict[str, Any]:
    low, high = wilson(hits, tries)
    return {"rank_1": round(hits / tries, 6), "low": round(low, 6), "high": round(high, 6), "tries": tries}


def wilson(hits: int, tries: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson interval of a proportion.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    z = float(ndtri(0.5 + level / 2))
    share = hits / tries
    middle = share + z**2 / (2 * tries)
    spread = z * float(np.sqrt(share * (1 - share) / tries + z**2 / (4 * tries**2)))
    return max(0.0, (middle - spread) / (1 + z**2 / tries)), min(1.0, (middle + spread) / (1 + z**2 / tries))
