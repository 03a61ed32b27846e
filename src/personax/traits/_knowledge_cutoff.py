"""Knowledge cut-off dates: which texts were written after a model had learned, and what the model knows of either.

A model cannot have learned a text of after its cut-off. What it knows by name of people whose texts are later it knows
from elsewhere; where it knows more of those whose texts are earlier, it may repeat what it has read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from personax.traits._ratings import Floats
from personax.traits.reliability._rating_array import Bootstrap, Indices

__all__ = ["Period", "by_cutoff", "later_than"]

FEWEST: Final = 2
"""People on either side of a cut-off below whom nothing is compared."""

NO_CUTOFF: Final = "its knowledge cut-off is not known; set cutoff of the model, such as cutoff: 2023-10"
NO_DATES: Final = "it is not known when texts are from; name a column of dates or years under annotate.audit.dated"


@dataclass(frozen=True)
class Period:
    """The first and the last day of a year, a month or a day."""

    first: date
    last: date

    @classmethod
    def of(cls, value: object) -> Period | None:
        """Read a date, a year as a number, or text that begins with an ISO date; None for what is none.

        Examples
        --------
        >>> Period.of("2023-10"), Period.of(2021.0) == Period.of("2021"), Period.of("last week")
        (Period(first=datetime.date(2023, 10, 1), last=datetime.date(2023, 10, 31)), True, None)
        """
        number = isinstance(value, int | float) and not isinstance(value, bool)
        text = f"{value:.0f}" if number and value == value else str(value).strip()
        found = re.match(r"([12]\d{3})(?:-(\d{2})(?:-(\d{2}))?)?(?=$|[T ])", text)
        if found is None:
            return None
        year, month, day = (None if part is None else int(part) for part in found.groups())
        try:
            first = date(int(year or 0), month or 1, day or 1)
        except ValueError:
            return None
        if day is not None:
            return cls(first, first)
        after = date(first.year + (month in (None, 12)), 1 if month in (None, 12) else first.month + 1, 1)
        return cls(first, after - timedelta(days=1))


def later_than(dates: Sequence[object], cutoff: str) -> Floats:
    """Return 1 for a date after the cut-off, 0 for one before, NaN where that cannot be told, shape (people,).

    A date in the very month or year of a cut-off that is known to the month or year is neither.

    Examples
    --------
    >>> later_than(["2024-01-05", 2023, "2019", None], "2023-10")
    array([ 1., nan,  0., nan])
    """
    last = Period.of(cutoff)
    if last is None:
        return np.full(len(dates), np.nan)
    found = [Period.of(value) for value in dates]
    return np.array([
        np.nan if one is None else 1.0 if one.first > last.last else 0.0 if one.last < last.first else np.nan
        for one in found
    ])  # fmt: skip


def by_cutoff(
    cutoff: str | None,
    dates: Sequence[object] | None,
    measures: dict[str, Callable[[Indices], float]],
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """Return measures of a model over people whose texts are from before its cut-off, from after, and the difference.

    Parameters
    ----------
    cutoff
        The model's, None where it is not known.
    dates
        Of everybody's text, None where no column tells.
    measures
        Name -> number over the people of given indices.
    bootstrap
        Of intervals over people.

    Returns
    -------
    dict
        ``cutoff``, ``reason`` (why nothing is compared); ``before``, ``after``, ``unknown``: numbers of people; and
        each measure as ``{before, after, more_before}``, each with an interval.
    """
    reason = NO_CUTOFF if cutoff is None else NO_DATES if dates is None else None
    if reason is not None:
        return {"cutoff": cutoff, "reason": reason, "before": None, "after": None, "unknown": None, "measures": {}}
    later = later_than(dates or (), str(cutoff))
    counts = {"before": int((later == 0).sum()), "after": int((later == 1).sum()),
              "unknown": int(np.isnan(later).sum())}  # fmt: skip
    few = min(counts["before"], counts["after"]) < FEWEST
    text = f"fewer than {FEWEST} people have texts of before the cut-off, or of after it"
    return {
        "cutoff": cutoff, "reason": text if few else None, **counts,
        "measures": {} if few else {name: _compared(measure, later, bootstrap) for name, measure in measures.items()},
    }  # fmt: skip


def _compared(measure: Callable[[Indices], float], later: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    def both(index: Indices) -> list[float]:
        before, after = (_of_some(measure, index[later[index] == side]) for side in (0, 1))
        return [before, after, before - after]

    names = ("before", "after", "more_before")
    return dict(zip(names, bootstrap.intervals(both, len(later)), strict=True))


def _of_some(measure: Callable[[Indices], float], index: Indices) -> float:
    return measure(index) if len(index) else float("nan")
