"""Which test fits a pair, and why: by the kind of the columns, the size of the sample and how sparse its table is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from personax.independence._pair import Sample

__all__ = ["MAX_LEVELS", "few_levels", "route"]

MAX_LEVELS = 20
"""A continuous column with more distinct values is no set of categories."""

DENSE = 5.0
"""Smallest expected count at which the chi-square distribution is trusted, as Cochran advised."""

SMALL = 30
"""Fewer people than this are permuted."""

Route = tuple[str, Mapping[str, Any], str]
"""Name of the test, its options, and why."""


def few_levels(sample: Sample) -> bool:
    """Say whether a sample can be taken as categories."""
    return sample.kind != "continuous" or sample.counted.size <= MAX_LEVELS


def route(x: Sample, y: Sample, z: Sample | None = None) -> Route:
    """Choose a test.

    Two columns of which one at least is nominal, or both have two levels, are a contingency table; numbers and levels
    with an order keep it in a kernel. docs/independence.md has the measured levels behind each choice.
    """
    if z is None:
        return _marginal(x, y)
    if _is_table(x, y) and z.counted.values is None:
        cells = x.counted.size * y.counted.size
        stratum = z.counted.n / z.counted.size
        null = "asymptotic" if stratum >= DENSE * cells else "moments"
        return "chisq", {"null": null}, f"categories within strata of {stratum:.0f} people on average"
    if z.counted.columns == 1:
        return "kci", {}, "given one column, kernel ridge regression keeps the level"
    return (
        "rcit",
        {"draws": 5},
        f"given {z.counted.columns} columns, few waves keep the level better than whole kernels",
    )


def _marginal(x: Sample, y: Sample) -> Route:
    n = x.counted.n
    if _is_table(x, y):
        smallest = float(x.counted.counts.min() * y.counted.counts.min() / n)
        if smallest >= DENSE:
            return "chisq", {}, "categories, and every expected count is 5 or more"
        return (
            "chisq",
            {"null": "moments"},
            f"categories, and an expected count is {smallest:.2g}: exact moments instead",
        )
    if n < SMALL:
        return "kci", {"null": "permutation"}, f"only {n} people, so rows are permuted"
    return "kci", {}, "numbers or ordered levels, and any form of dependence"


def _is_table(x: Sample, y: Sample) -> bool:
    """Say whether two columns are best seen as a table: categories, or two levels, which have no order to lose."""
    plain = [s.counted.values is None or s.counted.size == 2 for s in (x, y)]
    return all(plain) or (any(s.counted.values is None for s in (x, y)) and few_levels(x) and few_levels(y))
