"""Prompt formats side by side: which of them moves least when nothing about the person has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any, Final

import numpy as np
import polars as pl

from personax.traits._ratings import Floats, nan_mean
from personax.traits.llms._prompt import Prompt
from personax.traits.reliability._rating_array import Bootstrap

__all__ = ["FORMATS", "compare_formats", "format_name", "prompt_variants"]

FORMATS: Final = tuple(product(("number", "text"), (3, 5), ("increasing", "decreasing")))
"""Answered in numbers or words, levels, order in which they are listed."""

KINDS: Final = ("repeats", "orders", "scales")


def format_name(prompt: Prompt) -> str:
    """Return a format's short name.

    Examples
    --------
    >>> format_name(Prompt())
    'number-3-increasing'
    """
    return f"{prompt.format}-{prompt.levels}-{prompt.order}"


def prompt_variants(prompt: Prompt) -> list[Prompt]:
    """Return the prompt in all eight formats."""
    return [prompt.replaced(format=f, levels=n, order=o) for f, n, o in FORMATS]


def compare_formats(tables: Mapping[str, pl.DataFrame], bootstrap: Bootstrap) -> pl.DataFrame:
    """Return how much the scores of each format vary, with intervals over people, the steadiest first.

    Parameters
    ----------
    tables
        Format, such as ``number-3-increasing`` -> its annotations, of the same people and models.

    Returns
    -------
    polars.DataFrame
        ``format``; ``variability`` with ``low`` and ``high``: the mean of the three that follow; ``repeats``,
        ``orders`` and ``scales``: mean absolute difference of scores on [0, 1] between repeats, between the two orders
        of listing, between 3 and 5 levels; ``scored``: share of answers with a score; ``behind`` with ``behind_low``
        and ``behind_high``: its variability less that of the steadiest, in the same people; ``told_apart``: whether
        that interval leaves 0 out; ``n`` people.

    Notes
    -----
    Between 3 and 5 levels some difference is rounding: a level of one scale lies up to 0.125 from the nearest of the
    other. That is the same for all formats.
    """
    cells = {name: _cells(table) for name, table in tables.items()}
    people = sorted({person for own in cells.values() for _, person, _ in own})
    each = {name: _varied(name, cells, people) for name in tables}
    stack = np.stack(list(each.values()))  # format, kind, person
    names = list(each)

    def variability(index: np.ndarray) -> Floats:
        return nan_mean(nan_mean(stack[:, :, index], axis=2), axis=1)

    overall = variability(np.arange(len(people))) if people else np.full(len(names), np.nan)
    order = sorted(range(len(names)), key=lambda i: (np.isnan(overall[i]), overall[i]))
    best = order[0]
    intervals = bootstrap.intervals(
        lambda index: [*variability(index), *(variability(index) - variability(index)[best])], len(people)
    )
    kinds = nan_mean(stack, axis=2)
    rows = [
        _row(names[i], kinds[i], intervals[i], intervals[len(names) + i], _scored(tables[names[i]]), len(people))
        for i in order
    ] if len(intervals) == 2 * len(names) else []  # fmt: skip
    schema = {
        "format": pl.String, "variability": pl.Float64, "low": pl.Float64, "high": pl.Float64, "repeats": pl.Float64,
        "orders": pl.Float64, "scales": pl.Float64, "scored": pl.Float64, "behind": pl.Float64,
        "behind_low": pl.Float64, "behind_high": pl.Float64, "told_apart": pl.Boolean, "n": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _row(
    name: str, kinds: Floats, own: dict[str, Any], behind: dict[str, Any], scored: float | None, n: int
) -> dict[str, Any]:
    low, high = behind["low"], behind["high"]
    apart = None if low is None or high is None else bool(low > 0 or high < 0)
    return {
        "format": name, "variability": own["value"], "low": own["low"], "high": own["high"],
        **{kind: None if np.isnan(value) else float(value) for kind, value in zip(KINDS, kinds, strict=True)},
        "scored": scored, "behind": behind["value"], "behind_low": low, "behind_high": high, "told_apart": apart,
        "n": n,
    }  # fmt: skip


Cells = dict[tuple[str, str, str], list[float]]
"""(model, person, trait) -> scores on [0, 1], repeat by repeat."""


def _cells(table: pl.DataFrame) -> Cells:
    cells: Cells = {}
    levels = int(table["prompt"][0].split("-")[1]) if table.height else 3
    rows = table.filter(pl.col("status") == "ok").sort("repeat")
    for model, person, trait, score in rows.select("model", "person", "trait", "score").iter_rows():
        cells.setdefault((model, person, trait), []).append((score - 1) / (levels - 1))
    return cells


def _varied(name: str, cells: Mapping[str, Cells], people: Sequence[str]) -> Floats:
    """Return a format's variability of each kind for each person, shape (kinds, people), NaN where there is none."""
    answer, levels, order = name.split("-")
    turned = f"{answer}-{levels}-{'decreasing' if order == 'increasing' else 'increasing'}"
    rescaled = f"{answer}-{8 - int(levels)}-{order}"
    place = {person: index for index, person in enumerate(people)}
    sums, number = np.zeros((3, len(people))), np.zeros((3, len(people)))
    for key, own in cells[name].items():
        at = place[key[1]]
        gaps = [[abs(a - b) for a, b in combinations(own, 2)]]
        for other in (turned, rescaled):
            theirs = cells.get(other, {}).get(key)
            gaps.append([abs(float(np.mean(own)) - float(np.mean(theirs)))] if theirs else [])
        for kind, some in enumerate(gaps):
            sums[kind, at] += sum(some)
            number[kind, at] += len(some)
    return np.where(number > 0, sums / np.maximum(number, 1), np.nan)


def _scored(table: pl.DataFrame) -> float | None:
    return float((table["status"] == "ok").sum() / table.height) if table.height else None
