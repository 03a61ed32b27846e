"""How far humans agree with one another, and each LLM with them: a long table, every number with an interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl

from personax.traits.ratings import Floats
from personax.traits.reliability.agreement import weighted_kappa
from personax.traits.reliability.alpha import alpha_interval
from personax.traits.reliability.icc import icc
from personax.traits.reliability.resampling import Resampler
from personax.traits.validity.judged import AGGREGATE, Judged, Pairs, mean_reliability
from personax.traits.validity.partial import partial_r

__all__ = ["COLUMNS", "HUMANS", "LLMS", "NOT_VALIDITY", "compared"]

NOT_VALIDITY: Final = (
    "High agreement among LLMs is not validity: they learnt from the same texts and can be wrong together. "
    "Agreement with humans is agreement about an impression, not a diagnosis."
)

HUMANS, LLMS = "humans", "LLMs together"

COLUMNS: Final = {
    "trait": pl.String, "rater": pl.String, "measure": pl.String, "value": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "n": pl.Int64, "reason": pl.String,
}  # fmt: skip

FEWEST: Final = 3
"""Pairs of scores below which there is no correlation."""

Statistic = Callable[[Judged], float]


def compared(
    judged: Judged, resampler: Resampler, *, same_scale: bool, controls: Floats | None = None,
    reliability: float | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Compare humans with each other, and each LLM and the score over LLMs with them, in one trait.

    Parameters
    ----------
    judged
        The scores.
    resampler
        Draws people; intervals are the central 95 %.
    same_scale
        Whether humans and LLMs used one scale; otherwise kappa and differences are missing.
    controls
        Shape (people, columns), for partial correlations.
    reliability
        Of the humans' mean, where it is known from elsewhere; estimated from them where not.

    Returns
    -------
    polars.DataFrame
        ``trait rater measure value low high n reason``; see docs/validity.md for every measure.
    """
    rows = _humans(judged, resampler, reliability)
    for name in judged.raters:
        rows += _rater(judged, name, resampler, same_scale, controls, reliability)
    rows.append(_row(judged, LLMS, "alpha", _alpha(_llms(judged), resampler)))
    return pl.DataFrame(rows, schema=COLUMNS)


def _llms(judged: Judged) -> Floats:
    own = [scores for name, scores in judged.raters.items() if name != AGGREGATE]
    return np.stack(own) if own else np.full((1, judged.n), np.nan)


def _row(judged: Judged, rater: str, measure: str, found: dict[str, Any]) -> dict[str, Any]:
    return {"trait": judged.trait, "rater": rater, "measure": measure, **found}


def _alpha(scores: Floats, resampler: Resampler) -> dict[str, Any]:
    found = alpha_interval(scores, resampler.rng, resampler.draws)
    ends = {"value": found["alpha"], "low": found["alpha_low"], "high": found["alpha_high"]}
    return ends | {"n": found["n_people"], "reason": found["reason"]}


def _interval(judged: Judged, resampler: Resampler, statistic: Statistic, n: int, why: str) -> dict[str, Any]:
    found = resampler.interval(lambda kept: statistic(judged.of_people(kept)), judged.n, why=why)
    return found | {"n": n}


def _humans(judged: Judged, resampler: Resampler, reliability: float | None) -> list[dict[str, Any]]:
    complete = judged.humans[:, ~np.isnan(judged.humans).any(axis=0)]
    two = int(((~np.isnan(judged.humans)).sum(axis=0) >= 2).sum())
    why = "fewer than two humans rated the same people, or all alike"
    known = {"value": reliability, "low": None, "high": None, "n": judged.n, "reason": None}
    statistics: dict[str, tuple[Statistic, int]] = {
        "kappa": (lambda drawn: _kappa(drawn.among_humans()), two),
        "left_out": (lambda drawn: pearson(*drawn.left_out()), two),
    }
    found = {"alpha": _alpha(judged.humans, resampler)}
    for measure, kind in (("icc_single", "single"), ("icc_average", "average")):
        found[measure] = resampler.interval(
            lambda kept, kind=kind: float(getattr(icc(complete[:, kept]), kind)),  # type: ignore[misc]
            complete.shape[1],
            why="fewer than two humans, or too few people whom all of them rated differently",
        )
    found |= {name: _interval(judged, resampler, do, n, why) for name, (do, n) in statistics.items()}
    found["reliability"] = (
        known if reliability else _interval(judged, resampler, lambda drawn: mean_reliability(drawn.humans), two, why)
    )
    return [_row(judged, HUMANS, measure, values) for measure, values in found.items()]


def _rater(
    judged: Judged, name: str, resampler: Resampler, same_scale: bool, controls: Floats | None,
    reliability: float | None,
) -> list[dict[str, Any]]:  # fmt: skip
    both = int((~np.isnan(judged.mean) & ~np.isnan(judged.raters[name])).sum())
    few = f"fewer than {FEWEST} people have both scores, or all have the same"
    scale = "humans and LLMs did not use the same scale"
    plain: dict[str, tuple[Statistic, str]] = {
        "pearson": (lambda drawn: pearson(drawn.raters[name], drawn.mean), few),
        "spearman": (lambda drawn: spearman(drawn.raters[name], drawn.mean), few),
        "left_out": (
            lambda drawn: pearson(*drawn.with_others(drawn.raters[name])),
            "no two humans rated the same people, or all alike",
        ),
        "corrected": (
            lambda drawn: _corrected(drawn, name, reliability),
            "the reliability of the humans' mean is not known; see the row humans, reliability",
        ),
        "slope": (lambda drawn: _line(drawn, name)[0], few),
        "intercept": (lambda drawn: _line(drawn, name)[1], few),
    }
    numbers: dict[str, tuple[Statistic, str]] = {
        "kappa": (lambda drawn: _kappa(drawn.with_humans(drawn.raters[name])), few),
        "difference": (lambda drawn: _difference(drawn, name), few),
    }
    found = {}
    for measure, (statistic, why) in (plain | numbers).items():
        if measure in numbers and not same_scale:
            found[measure] = {"value": None, "low": None, "high": None, "n": both, "reason": scale}
        else:
            found[measure] = _interval(judged, resampler, statistic, both, why)
    if controls is not None:
        found["partial"] = resampler.interval(
            lambda kept: partial_r(judged.raters[name][kept], judged.mean[kept], controls[kept]),
            judged.n,
            why="too few people have both scores and all controls",
        ) | {"n": int((~np.isnan(judged.mean + judged.raters[name]) & ~np.isnan(controls).any(axis=1)).sum())}
    return [_row(judged, name, measure, values) for measure, values in found.items()]


def pearson(a: Floats, b: Floats) -> float:
    """Return Pearson's correlation of what is known of both; NaN for fewer than three pairs or no variance.

    Examples
    --------
    >>> round(pearson(np.array([1.0, 2, 3, np.nan]), np.array([2.0, 4, 6, 1])), 6)
    1.0
    """
    kept = ~np.isnan(a) & ~np.isnan(b)
    if kept.sum() < FEWEST:
        return float("nan")
    x, y = a[kept] - a[kept].mean(), b[kept] - b[kept].mean()
    size = float(np.sqrt(np.square(x).sum() * np.square(y).sum()))
    return float(x @ y / size) if size > 1e-12 else float("nan")


def spearman(a: Floats, b: Floats) -> float:
    """Return Spearman's rank correlation, ties sharing their mean rank; NaN as in `pearson`."""
    from scipy.stats import rankdata

    kept = ~np.isnan(a) & ~np.isnan(b)
    return pearson(rankdata(a[kept]), rankdata(b[kept]))


def _kappa(pairs: Pairs) -> float:
    return weighted_kappa(*pairs) if len(pairs.first) >= FEWEST else float("nan")


def _difference(judged: Judged, name: str) -> float:
    gap = judged.raters[name] - judged.mean
    known = gap[~np.isnan(gap)]
    return float(known.mean()) if len(known) else float("nan")


def _line(judged: Judged, name: str) -> tuple[float, float]:
    """Return slope and intercept of the humans' mean on a rater's score."""
    x, y = judged.raters[name], judged.mean
    kept = ~np.isnan(x) & ~np.isnan(y)
    if kept.sum() < FEWEST or np.ptp(x[kept]) == 0:
        return float("nan"), float("nan")
    slope = float(np.cov(x[kept], y[kept])[0, 1] / x[kept].var(ddof=1))
    return slope, float(y[kept].mean() - slope * x[kept].mean())


def _corrected(judged: Judged, name: str, reliability: float | None) -> float:
    """Return the correlation with the humans' mean over the root of that mean's reliability (Spearman 1904)."""
    known = reliability if reliability is not None else mean_reliability(judged.humans)
    return pearson(judged.raters[name], judged.mean) / float(np.sqrt(known)) if known > 0 else float("nan")
