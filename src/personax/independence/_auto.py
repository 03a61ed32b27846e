"""Which test fits a pair, and why: by the kind of the columns, the size of the sample and how sparse its table is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from personax.independence._counts import Counted, read
from personax.independence._inputs import Rng, needed
from personax.independence._intervals import Interval
from personax.independence._pair import MAX_LEVELS, ColumnPair, Sample, few_levels
from personax.independence._registered import find_test
from personax.independence._result import TestResult
from personax.registry import register

__all__ = ["auto", "route"]

DENSE = 5.0
"""Smallest expected count at which the chi-square distribution is trusted, as Cochran advised."""

SMALL = 30
"""Fewer people than this are permuted."""

Route = tuple[str, Mapping[str, Any], str]
"""Name of the test, its options, and why."""


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
    columns = "one column" if z.counted.columns == 1 else f"{z.counted.columns} columns"
    return "kci", {}, f"given {columns}: numbers or ordered levels, and any form of dependence"


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
        return "kci", {"null": "sequential"}, f"only {n} people, so rows are permuted"
    return "kci", {}, "numbers or ordered levels, and any form of dependence"


def _is_table(x: Sample, y: Sample) -> bool:
    """Say whether two columns are best seen as a table: categories, or two levels, which have no order to lose."""
    plain = [s.counted.values is None or s.counted.size == 2 for s in (x, y)]
    return all(plain) or (any(s.counted.values is None for s in (x, y)) and few_levels(x) and few_levels(y))


def _on_pair(pair: ColumnPair, rng: np.random.Generator) -> TestResult:
    name, options, why = route(pair.x, pair.y, pair.z)
    result = find_test(name).run(pair, rng, **options)
    return replace(result, method=f"{name}, {result.method}", details={**result.details, "why": why})


def _interval(pair: ColumnPair, result: TestResult) -> Interval | None:
    interval = find_test(result.method.partition(",")[0]).interval
    return None if interval is None else interval(pair, result)


@register(
    "tests",
    "auto",
    title="Automatic",
    help="the test that fits each pair: its kinds, the number of people, how sparse its table is",
    order=0,
    invariant=("affine",),
    on_pair=_on_pair,
    interval=_interval,
)
def auto(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike | None = None,
    *,
    nominal: Collection[str] = (),
    rng: Rng,
) -> TestResult:
    """Test whether x and y are independent (given z) by the test that fits them.

    Parameters
    ----------
    x, y, z
        Shape (n,) or (n, d); text, and numbers of at most 20 distinct values, are taken as levels.
    nominal
        Which of x, y, z hold numbers that are only names.
    rng
        For the tests that draw random numbers.

    Returns
    -------
    TestResult
        ``method`` begins with the name of the test, ``details["why"]`` says why it was chosen.

    Raises
    ------
    UntestableError
        As the chosen test says.

    Examples
    --------
    >>> result = auto(["a", "b"] * 30, ["u", "v", "v"] * 20, rng=np.random.default_rng(0))
    >>> result.method, result.details["why"]
    ('chisq, asymptotic', 'categories, and every expected count is 5 or more')
    """
    rng = needed(rng, "auto")
    vx, vy, vz = read(x, y, z, nominal)
    return _on_pair(ColumnPair(_sample(vx), _sample(vy), None if vz is None else _sample(vz)), rng)


def _sample(counted: Counted) -> Sample:
    if counted.values is None:
        return Sample(counted, "nominal")
    return Sample(counted, "ordinal" if counted.size <= MAX_LEVELS else "continuous")
