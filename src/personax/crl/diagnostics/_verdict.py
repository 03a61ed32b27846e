"""The verdict of a diagnostic: whether an assumption holds on the data, by how much, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.statistics import holm

__all__ = [
    "ConditionalTest",
    "Diagnosis",
    "IndependenceTest",
    "Verdict",
    "add_verdicts",
    "judge",
    "run_test",
    "summarise",
    "worst",
]

Verdict = Literal["holds", "doubtful", "violated", "not testable"]

IndependenceTest = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
"""Takes two arrays of shape (n, d) and returns the p-value of their independence."""

ConditionalTest = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], float]
"""Takes three arrays of shape (n, d) and returns the p-value of the independence of the first two given the third."""

LEVEL: Final = 0.05
"""Of Holm's p-values over all tests of one assumption: at most one family in twenty raises a false alarm."""

SMALL: Final = 0.05
"""A correlation below which nothing of use changes, however sure a test of ten thousand people is of it."""

LARGE: Final = 0.15
"""A correlation from which a dependence shows in what is learned; as for learned noise, in `noise_report`."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict on one assumption.

    Parameters
    ----------
    assumption
        In words.
    verdict
        ``holds`` means that the data do not contradict it, no more.
    number
        What the verdict rests on; None where nothing could be computed.
    sentence
        What it means.
    rows
        The parts it is gathered from, for a table; each with its own ``verdict``.
    """

    assumption: str
    verdict: Verdict
    number: float | None
    sentence: str
    rows: list[dict[str, Any]] = field(default_factory=list)


def judge(effect: float, p: float | None, small: float = SMALL, large: float = LARGE) -> Verdict:
    """Return the verdict on an assumption by the size of an effect and Holm's p-value of its absence.

    It holds below the small effect, or below the large one where the test sees nothing; it is violated from the large
    one on where the test sees it too; it is doubtful otherwise. Without a p-value it is not testable.

    Parameters
    ----------
    effect
        By default a correlation.
    p
        Of the hypothesis that there is no effect, corrected for all tests of the assumption.
    small, large
        Effects below which nothing of use changes, and from which it does.

    Examples
    --------
    >>> judge(0.02, 1e-9), judge(0.4, 1e-9), judge(0.4, 0.5), judge(0.1, 1e-9), judge(0.4, None)
    ('holds', 'violated', 'doubtful', 'doubtful', 'not testable')
    """
    if p is None:
        return "not testable"
    if effect < small or (effect < large and p > LEVEL):
        return "holds"
    return "violated" if effect >= large and p <= LEVEL else "doubtful"


def run_test(test: Callable[[], float]) -> tuple[float | None, str]:
    """Return a test's p-value, or None and why there is none."""
    try:
        p = float(test())
    except UntestableError as error:
        return None, str(error)
    return (p, "") if np.isfinite(p) else (None, "the test returned no number")


def add_verdicts(rows: Sequence[dict[str, Any]]) -> None:
    """Give rows with ``p`` and ``effect`` their ``p_holm`` and ``verdict``."""
    for row, corrected in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = corrected
        row["verdict"] = judge(row["effect"], corrected)


def worst(verdicts: Sequence[str]) -> Verdict:
    """Return the worst verdict; what is not testable counts only where nothing else is known.

    Examples
    --------
    >>> worst(["holds", "not testable"]), worst(["holds", "doubtful"]), worst([])
    ('holds', 'doubtful', 'not testable')
    """
    ranked: tuple[Verdict, ...] = ("violated", "doubtful", "holds")
    return next((verdict for verdict in ranked if verdict in verdicts), "not testable")


def summarise(assumption: str, rows: list[dict[str, Any]], where: str, parts: tuple[str, str, str]) -> Diagnosis:
    """Return the diagnosis of rows; the sentences are for when all hold, one does not (named), none could be tested."""
    fine, broken, untested = parts
    verdict = worst([row["verdict"] for row in rows])
    if verdict == "not testable":
        return Diagnosis(assumption, verdict, None, untested, rows)
    number = max(row["effect"] for row in rows if row["verdict"] != "not testable")
    if verdict == "holds":
        return Diagnosis(assumption, verdict, number, fine, rows)
    at = max((row for row in rows if row["verdict"] == verdict), key=lambda row: row["effect"])
    hedge = "" if verdict == "violated" else " This is slight, or the test does not see it."
    return Diagnosis(assumption, verdict, number, broken.format(where.format(**at)) + hedge, rows)
