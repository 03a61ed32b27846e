"""The alternative annotator test: whether an LLM may take the place of a human rater."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.results import DrawableResult
from personax.traits._ratings import Floats
from personax.traits.reliability._rating_array import rounded

__all__ = ["AltTestResult", "alt_test"]

MIN_HUMANS: Final = 3
MIN_PEOPLE: Final = 30
"""Fewer are too few for the test."""

HUMANS: Final = {
    "human": pl.Int64,
    "n": pl.Int64,
    "llm_wins": pl.Float64,
    "human_wins": pl.Float64,
    "p_value": pl.Float64,
    "p_corrected": pl.Float64,
    "replaced": pl.Boolean,
}

TOLERANCE: Final = 1e-9
"""Errors that differ by less are equal."""


class AltTestResult(dict[str, Any], DrawableResult):
    """What the alternative annotator test found, by its keys; a table of one row a human."""

    plot_kind = "alt_test"

    def to_frame(self) -> pl.DataFrame:
        """Return one row a human: both probabilities to be nearer, p-values, whether the LLM may take the place."""
        return pl.DataFrame(self["humans"], schema=HUMANS)


def alt_test(humans: Floats, rater: Floats, *, epsilon: float = 0.2, q: float = 0.05) -> AltTestResult:
    """Compare a rater with each human by who is nearer to the other humans.

    Parameters
    ----------
    humans
        Shape (raters, people), NaN where there is none.
    rater
        The LLM's scores on the same scale, shape (people,).
    epsilon
        What a human costs more than the LLM, as a probability; .2 for experts, .15 for trained raters, .1 for crowds.
    q
        False discovery rate over humans.

    Returns
    -------
    AltTestResult
        ``winning_rate`` (share of humans whom the LLM may replace; ``passes`` from a half on), ``advantage`` (mean
        probability to be as near to the other humans as a human is), ``humans`` (both probabilities, p-values, people).
        With fewer than three humans who rated thirty people with another one: null, and the ``reason``.

    Notes
    -----
    A score's distance from the other humans is the root of the mean squared difference; of two equally near both win.
    For each human a paired one-sided t-test of ``P(human wins) - P(LLM wins) < epsilon``, corrected by Benjamini and
    Yekutieli.

    References
    ----------
    Calderon, Reichart, Dror 2025, arXiv:2501.10970; Benjamini and Yekutieli 2001, doi:10.1214/aos/1013699998.
    """
    from scipy.stats import false_discovery_control

    if not 0 <= epsilon < 1 or not 0 < q < 1:
        raise InputError(f"epsilon is from 0 to below 1 and q between 0 and 1, here {epsilon:g} and {q:g}")
    rows = [
        row for place in range(len(humans)) if (row := _compare_with_human(humans, rater, place, epsilon)) is not None
    ]
    empty: dict[str, Any] = {"winning_rate": None, "passes": None, "advantage": None, "epsilon": epsilon, "q": q}
    if len(rows) < MIN_HUMANS:
        shared = f"{len(rows)} humans share {MIN_PEOPLE} people or more with another human and the LLM"
        reason = f"{shared}; {MIN_HUMANS} are needed"
        return AltTestResult(empty | {"humans": [], "reason": reason})
    corrected = false_discovery_control([row["p_value"] for row in rows], method="by")
    wins = corrected <= q
    listed = [
        row | {"p_value": rounded(row["p_value"]), "p_corrected": rounded(p), "replaced": bool(won)}
        for row, p, won in zip(rows, corrected, wins, strict=True)
    ]
    rate = float(wins.mean())
    advantage = rounded(float(np.mean([row["llm_wins"] for row in rows])))
    summary = {"winning_rate": rounded(rate), "passes": rate >= 0.5, "advantage": advantage}
    return AltTestResult(empty | summary | {"humans": listed, "reason": None})


def _compare_with_human(humans: Floats, rater: Floats, place: int, epsilon: float) -> dict[str, Any] | None:
    """Return how a rater does beside one human; None where too few people were rated by both and by another."""
    others = np.delete(humans, place, axis=0)
    rated = ~np.isnan(humans[place]) & ~np.isnan(rater) & (~np.isnan(others)).any(axis=0)
    n = int(rated.sum())
    if n < MIN_PEOPLE:
        return None
    llm, human = (_distance(scores[rated], others[:, rated]) for scores in (rater, humans[place]))
    llm_wins, human_wins = llm <= human + TOLERANCE, human <= llm + TOLERANCE
    p = _p_value(human_wins.astype(float) - llm_wins, epsilon)
    shares = {"llm_wins": rounded(float(llm_wins.mean())), "human_wins": rounded(float(human_wins.mean()))}
    return {"human": place + 1, "n": n, **shares, "p_value": p}


def _distance(scores: Floats, others: Floats) -> Floats:
    return np.asarray(np.sqrt(np.nanmean(np.square(others - scores), axis=0)))


def _p_value(gap: Floats, epsilon: float) -> float:
    """Return the p-value of a mean of at least epsilon against a smaller one."""
    from scipy.stats import ttest_1samp

    if np.ptp(gap) == 0:
        return 0.0 if gap[0] < epsilon else 1.0
    return float(ttest_1samp(gap, epsilon, alternative="less").pvalue)
