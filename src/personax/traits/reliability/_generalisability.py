"""How many LLMs, asked how often, are enough: variance components of people, raters and repeats, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from personax.traits._ratings import Floats
from personax.traits.reliability._rating_array import rounded

__all__ = ["VarianceComponents", "decision_study", "generalisability_coefficient", "variance_components"]

TARGET_RELIABILITY: Final = 0.8
MAX_RATERS: Final = 50
"""Raters beyond which nobody goes."""

REPEATS: Final = (1, 2, 3, 5, 10)


@dataclass(frozen=True)
class VarianceComponents:
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


def variance_components(scores: Floats) -> VarianceComponents | None:
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
    # x_kir = mu + person_i + rater_k + interaction_ki + e_kir. Expected mean squares (Brennan, table 3.2), with k
    # raters, n people, r repeats: E[error] = s_e, E[both] = s_e + r s_pr, E[people] = s_e + r s_pr + k r s_p,
    # E[raters] = s_e + r s_pr + n r s_r. Solved for the four variances below.
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
    return VarianceComponents(**kept, error=error, negative=negative)


def generalisability_coefficient(
    variances: VarianceComponents, raters: int, repeats: int = 1, *, absolute: bool = False
) -> float:
    """Return the reliability of the mean over so many raters and repeats; NaN where people do not differ.

    Relative, the ranking of people; absolute, the score itself, so that raters' severity counts as error.
    """
    noise = variances.interaction / raters + (variances.error or 0.0) / (raters * repeats)
    noise += variances.rater / raters if absolute else 0.0
    whole = variances.person + noise
    return variances.person / whole if whole > 0 and variances.person > 0 else float("nan")


def decision_study(scores: Floats) -> dict[str, Any]:
    """Return components, reliabilities as asked, and how many raters reach .8 by repeats, as reliability.json has them.

    Parameters
    ----------
    scores
        Shape (raters, people, repeats), NaN where there is none; people with all scores are used.
    """
    kept = scores[:, ~np.isnan(scores).any(axis=(0, 2))]
    variances = variance_components(kept)
    n = kept.shape[1]
    if variances is None:
        return {"n": n, "reason": "fewer than two raters, or fewer than two people whom all raters scored each time"}
    design = kept.shape[0], kept.shape[2]
    repeats = REPEATS if variances.error is not None else (1,)
    return {
        "n": n,
        "reason": None,
        "raters": design[0],
        "repeats": design[1],
        "variance": {
            "person": rounded(variances.person),
            "rater": rounded(variances.rater),
            "interaction": rounded(variances.interaction),
            "error": rounded(variances.error),
        },
        "negative": list(variances.negative),
        "relative": rounded(generalisability_coefficient(variances, *design)),
        "absolute": rounded(generalisability_coefficient(variances, *design, absolute=True)),
        "needed": {str(r): _needed(variances, r) for r in repeats},
    }


def _needed(variances: VarianceComponents, repeats: int) -> int | None:
    """Return the fewest raters whose mean ranks people with reliability .8; None beyond `MAX_RATERS`."""
    return next(
        (
            k
            for k in range(1, MAX_RATERS + 1)
            if generalisability_coefficient(variances, k, repeats) >= TARGET_RELIABILITY
        ),
        None,
    )
