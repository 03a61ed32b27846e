"""Differential functioning: whether a rater scores a group differently than the others do about people who are alike.

People are matched on their place on the latent line of the many-facet model, whose groups may differ: a true difference
between groups is no bias. A bias that all raters share is not seen by it; the stereotype audit (`counterfactual_audit`)
looks for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from personax.traits._ratings import MAX_LEVELS, Floats, Indices, Ratings
from personax.traits.rating_models import ManyFacetFit, fit_many_facet
from personax.traits.reliability._group_differences import MIN_GROUP_SIZE
from personax.traits.reliability._rating_array import rounded

__all__ = ["differential_functioning"]

CLEARLY: Final = 0.05
"""p-value, times the number of raters, below which a rater is set apart."""

SHIFT_PRIOR: Final = 1.0
"""Standard deviation of the prior of a shift, in standard deviations of people: a few dozen answers outweigh it."""

BANDS: Final = 5
"""Levels into which scores of more than `MAX_LEVELS` values are cut, at their quantiles; each is worth its mean."""


def differential_functioning(
    scores: Floats, raters: Sequence[str], groups: Sequence[str | None], *, families: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return for each rater whether it scores groups differently than the other raters do.

    The many-facet model is fitted with each group's own mean and spread of people and the same raters in all of them;
    a score (Lagrange multiplier) test then asks of each rater whether its severity should differ between groups. Where
    there are three raters or more and one clearly does, it is given places of its own in every group, and the others
    are tested again without its help, or each of them would seem to shift the other way.

    Parameters
    ----------
    scores
        One trait, shape (raters, people) or (raters, people, repeats), NaN where there is none.
    raters, groups
        Names; everybody's group, None where it is not known. Groups of fewer than ten people are left out.
    families
        Of each rater; see `Ratings`.

    Returns
    -------
    list of dict
        ``p_value``; ``effect``, the largest shift less the smallest in standard deviations of people; ``shifts``, in
        points of the score, how much higher the rater scores people of a group than it scores like people of all
        groups on average; ``n``; ``reason`` where there is no p-value.

    References
    ----------
    Holland and Wainer 1993, Differential item functioning; Glas 1998, doi:10.1111/j.1745-3984.1998.tb00531.x (the
    Lagrange multiplier test); Muthén and Christoffersson 1981, doi:10.1007/BF02293798 (impact apart from functioning).
    """
    labels = np.array([name or "" for name in groups])
    ratings = _ratings(np.atleast_3d(scores), raters, families)
    several = (~np.isnan(ratings.matrix)).sum(axis=0) > 1
    names, number = np.unique(labels[several & (labels != "")], return_counts=True)
    names = names[number >= MIN_GROUP_SIZE][np.argsort(-number[number >= MIN_GROUP_SIZE], kind="stable")]
    if len(names) < 2 or len(ratings.levels) < 2:
        vary = len(ratings.levels) >= 2
        reason = f"fewer than two groups have {MIN_GROUP_SIZE} people scored by it and by another"
        none = _untested(0, reason if vary else "its scores do not vary")
        return [{"rater": rater, **none} for rater in raters]
    at = np.flatnonzero(np.isin(labels, names))
    place = np.argsort(names)[np.searchsorted(names, labels[at], sorter=np.argsort(names))]
    kept = _of_people(ratings, at)
    found = _purified(kept, place, names)
    return [{"rater": rater, **one} for rater, one in zip(raters, found, strict=True)]


def _purified(
    ratings: Ratings, place: Indices, names: np.ndarray[tuple[int], np.dtype[np.str_]]
) -> list[dict[str, Any]]:
    """Test every rater; set the one that differs most clearly apart and test the others again, while two are left."""
    alike, split = list(range(len(ratings.raters))), ratings
    found: list[dict[str, Any]] = [{}] * len(alike)
    while True:
        fit = fit_many_facet(split, group=place, n_groups=len(names))
        for rater in alike:
            found[rater] = _test(fit, ratings, rater, place, names)
        known = [rater for rater in alike if found[rater]["p_value"] is not None]
        if len(known) < 3:
            return found
        worst = min(known, key=lambda rater: float(found[rater]["p_value"]))
        if found[worst]["p_value"] * len(known) >= CLEARLY:
            return found
        alike.remove(worst)
        split = _split(split, worst, place)


def _split(ratings: Ratings, rater: int, place: Indices) -> Ratings:
    """Make a rater one of its own in every group but the first."""
    own = (ratings.rater == rater) & (place[ratings.person] > 0)
    new = ratings.rater.copy()
    new[own] = len(ratings.raters) + place[ratings.person[own]] - 1
    copies = range(1, int(place.max()) + 1)
    families = ratings.families or ratings.raters
    raters = (*ratings.raters, *(f"{ratings.raters[rater]} {g}" for g in copies))
    return Ratings(new, ratings.person, ratings.value, raters, ratings.n_people,
                   families=(*families, *(families[rater] for _ in copies)))  # fmt: skip


def _ratings(scores: Floats, raters: Sequence[str], families: Sequence[str]) -> Ratings:
    rater, person, repeat = np.nonzero(~np.isnan(scores))
    value = scores[rater, person, repeat]
    if len(np.unique(value)) > MAX_LEVELS:
        band = np.searchsorted(np.quantile(value, np.arange(1, BANDS) / BANDS), value, side="right")
        value = (np.bincount(band, value) / np.maximum(np.bincount(band), 1))[band]
    return Ratings(rater, person, value, tuple(raters), scores.shape[1], families=tuple(families))


def _of_people(ratings: Ratings, at: Indices) -> Ratings:
    new = np.full(ratings.n_people, -1)
    new[at] = np.arange(len(at))
    kept = new[ratings.person] >= 0
    return Ratings(ratings.rater[kept], new[ratings.person[kept]], ratings.value[kept], ratings.raters, len(at),
                   families=ratings.families)  # fmt: skip


def _untested(n: int, reason: str) -> dict[str, Any]:
    return {"p_value": None, "effect": None, "shifts": {}, "n": n, "reason": reason}


def _test(
    fit: ManyFacetFit, ratings: Ratings, rater: int, place: Indices, names: np.ndarray[tuple[int], np.dtype[np.str_]]
) -> dict[str, Any]:
    known = ~np.isnan(ratings.matrix)
    compared = known[rater] & (known.sum(axis=0) > 1)
    large = np.flatnonzero(np.bincount(place[compared], minlength=len(names)) >= MIN_GROUP_SIZE)
    n = int(np.isin(place[compared], large).sum())
    if len(large) < 2:
        return _untested(n, f"fewer than two groups have {MIN_GROUP_SIZE} people scored by it and by another")
    if len(np.unique(ratings.matrix[rater, known[rater]])) < 2:
        return _untested(n, "its scores do not vary")
    shift, statistic = _score_test(fit, rater, large)
    from scipy.special import fdtrc

    # the information is itself estimated, from n people less as many parameters
    dof, left = len(large) - 1, max(n - fit.evaluation.gradient.shape[1] - len(large) + 1, 1)
    p = float(fdtrc(dof, left, statistic / dof * left / n))
    points = shift * _points_per_sd(fit, ratings, rater)
    return {
        "p_value": p,
        "effect": rounded(float(np.ptp(shift)) / fit.unit),
        "shifts": {str(names[g]): rounded(value) for g, value in zip(large, points, strict=True)},
        "n": n,
        "reason": None,
    }


def _score_test(fit: ManyFacetFit, rater: int, groups: Indices) -> tuple[Floats, float]:
    """Return the shifts to first order, their mean 0, and the statistic: chi-square with one less than the groups."""
    # With s_i the gradient of person i by the shifts d of all but the first group (0 at the fit) and g_i by the other
    # parameters, V = sum s s' - (sum s g')(sum g g')^-1 (sum g s') is the information on d that the others leave:
    # S' V^-1 S is chi-square, V^-1 S one step of scoring from 0, S = sum s (less what the rest of sum g would move).
    weight, found = fit.patterns.weight, fit.evaluation
    inside = fit.patterns.group[:, None] == groups[None, 1:]
    own = found.shifts[:, rater, None] * inside
    weighted = own * weight[:, None]
    across = weighted.T @ found.gradient
    solved = np.linalg.solve(fit.information, np.column_stack([across.T, fit.slope]))
    left = weighted.T @ own - across @ solved[:, :-1]
    # a weak prior of the shifts, as of all parameters: where raters agree throughout, next to nothing is known of them
    left += np.eye(len(left)) / SHIFT_PRIOR**2
    score = weighted.sum(axis=0) - across @ solved[:, -1]
    step = np.linalg.lstsq(left, score, rcond=1e-10)[0]
    shift = np.concatenate([[0.0], step])
    return shift - shift.mean(), float(max(score @ step, 0.0))


def _points_per_sd(fit: ManyFacetFit, ratings: Ratings, rater: int) -> float:
    """Return by how many points of the score a shift of one standard deviation moves the rater, on average."""
    slope = fit.expected_slope(rater, ratings.levels)
    return float(np.average(fit.posterior @ slope))
