"""How many LLMs, asked how often, are enough: variance components of people, raters and repeats, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from personax.traits._ratings import Floats
from personax.traits.reliability._panel import rounded

__all__ = ["Components", "components", "dependability", "design"]

ENOUGH: Final = 0.8
MOST: Final = 50
"""Raters beyond which nobody goes."""

REPEATS: Final = (1, 2, 3, 5, 10)


@dataclass(frozen=True)
class Components:
    """Variances of a score; those that came out below 0 are 0 and named in ``negative``.

    Parameters
    ----------
    person, rater
        Of people, the thing measured; of raters' severity.
    interaction
        Of raters who see a person differently; with one repeat it holds the error too, and ``error`` is None.
    error
        Of repeats of one rater about one person.
    """

    person: float
    rater: float
    interaction: float
    error: float | None
    negative: tuple[str, ...] = ()


def components(scores: Floats) -> Components | None:
    """Estimate by analysis of variance of complete scores, shape (raters, people, repeats); None without two of each.

    Raters and people cross; repeats are nested in both.

    References
    ----------
    Cronbach, Gleser, Nanda, Rajaratnam 1972, The dependability of behavioral measurements; Brennan 2001,
    doi:10.1007/978-1-4757-3456-0, table 3.2.
    """
    k, n, r = scores.shape
    if k < 2 or n < 2:
        return None
    cells = scores.mean(axis=2)
    grand = cells.mean()
    people = k * r * np.square(cells.mean(axis=0) - grand).sum() / (n - 1)
    raters = n * r * np.square(cells.mean(axis=1) - grand).sum() / (k - 1)
    left = cells - cells.mean(axis=0) - cells.mean(axis=1, keepdims=True) + grand
    both = r * np.square(left).sum() / ((n - 1) * (k - 1))
    error = float(np.square(scores - cells[..., None]).sum() / (k * n * (r - 1))) if r > 1 else None
    raw = {
        "person": (people - both) / (k * r),
        "rater": (raters - both) / (n * r),
        "interaction": (both - (error or 0.0)) / r,
    }
    negative = tuple(name for name, value in raw.items() if value < -1e-12)
    kept = {name: max(float(value), 0.0) for name, value in raw.items()}
    return Components(**kept, error=error, negative=negative)


def dependability(found: Components, raters: int, repeats: int = 1, *, absolute: bool = False) -> float:
    """Return the reliability of the mean over so many raters and repeats; NaN where people do not differ.

    Relative, the ranking of people; absolute, the score itself, so that raters' severity counts as error.
    """
    noise = found.interaction / raters + (found.error or 0.0) / (raters * repeats)
    noise += found.rater / raters if absolute else 0.0
    whole = found.person + noise
    return found.person / whole if whole > 0 and found.person > 0 else float("nan")


def design(scores: Floats) -> dict[str, Any]:
    """Return components, reliabilities as asked, and how many raters reach .8 by repeats, as reliability.json has them.

    Parameters
    ----------
    scores
        Shape (raters, people, repeats), NaN where there is none; people with all scores are used.
    """
    kept = scores[:, ~np.isnan(scores).any(axis=(0, 2))]
    found = components(kept)
    n = kept.shape[1]
    if found is None:
        return {"n": n, "reason": "fewer than two raters, or fewer than two people whom all raters scored each time"}
    asked = kept.shape[0], kept.shape[2]
    repeats = REPEATS if found.error is not None else (1,)
    return {
        "n": n,
        "reason": None,
        "raters": asked[0],
        "repeats": asked[1],
        "variance": {
            "person": rounded(found.person),
            "rater": rounded(found.rater),
            "interaction": rounded(found.interaction),
            "error": rounded(found.error),
        },
        "negative": list(found.negative),
        "relative": rounded(dependability(found, *asked)),
        "absolute": rounded(dependability(found, *asked, absolute=True)),
        "needed": {str(r): _needed(found, r) for r in repeats},
    }


def _needed(found: Components, repeats: int) -> int | None:
    """Return the fewest raters whose mean ranks people with reliability .8; None beyond `MOST`."""
    return next((k for k in range(1, MOST + 1) if dependability(found, k, repeats) >= ENOUGH), None)
