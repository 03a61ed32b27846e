"""The tests of the grid by name: what each needs, how it runs on a pair, which interval its effect size has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from personax.errors import InputError, UntestableError
from personax.independence._auto import few_levels, route
from personax.independence._conditional import conditional_kci
from personax.independence._contingency import Divergence, TableNull, of_tables, pearson, tables_of
from personax.independence._counts import MAX_CATEGORIES
from personax.independence._gcm import gcm_of
from personax.independence._gsq import likelihood_ratio
from personax.independence._hsic import hsic_of
from personax.independence._intervals import Interval, correlation_interval, cramers_v_interval, kernel_interval
from personax.independence._kci import kci_of
from personax.independence._pair import Pair, Sample
from personax.independence._rcit import rcit_of
from personax.independence._result import TestResult
from personax.independence._usp import usp_of

__all__ = ["TESTS", "Outcome", "run_test"]

Options = Mapping[str, Any]
Rng = np.random.Generator

Outcome = tuple[TestResult, Interval | None]
"""A result and the 95 % interval of its effect size."""


@dataclass(frozen=True, slots=True)
class Test:
    """One test of the grid.

    Parameters
    ----------
    run
        Runs it on a pair, with random numbers; further arguments are its own options.
    interval
        The interval of its effect size, None where there is none.
    given
        Whether it can be run without z, and with z.
    categories
        Whether it needs categories.
    """

    __test__ = False  # pytest: not a test class

    run: Callable[..., TestResult]
    interval: Callable[[Pair, TestResult], Interval | None]
    given: tuple[bool, bool] = (True, True)
    categories: bool = False


def _kci(pair: Pair, rng: Rng, **options: Any) -> TestResult:  # noqa: ANN401 - the options of the test
    if pair.z is None:
        return kci_of(pair.x.factor, pair.y.factor, pair.effect, **{"null": "moments", "rng": rng, **options})
    x, y, z = pair.x.counted, pair.y.counted, pair.z
    return conditional_kci(x, y, z.counted, validated=z.regression, effect=pair.effect, **options)


def _rcit(pair: Pair, rng: Rng, **options: Any) -> TestResult:  # noqa: ANN401
    z = None if pair.z is None else pair.z.counted
    shared = {"rng": rng, "effect": pair.effect}
    if pair.z is not None and options.get("given", "ridge") == "ridge":
        shared["regression"] = pair.z.regression
    return rcit_of(pair.x.counted, pair.y.counted, z, **{**shared, **options})


def _hsic(pair: Pair, rng: Rng, **options: Any) -> TestResult:  # noqa: ANN401
    return hsic_of(pair.x.median, pair.y.median, **{"null": "moments", "rng": rng, **options})


def _gcm(pair: Pair, rng: Rng) -> TestResult:
    assert pair.z is not None
    return gcm_of(pair.x.counted, pair.y.counted, pair.z.counted, pair.z.regression)


SPARSE = 0.2
"""More than this share of expected counts under 5, and the chi-square distribution is not trusted (Cochran 1954)."""


def _contingency(divergence: Divergence, sparse: TableNull) -> Callable[..., TestResult]:
    """Return a test of tables that takes the null ``sparse`` where the table is, unless the options name one."""

    def run(pair: Pair, rng: Rng, **options: Any) -> TestResult:  # noqa: ANN401
        z = None if pair.z is None else pair.z.counted
        tables = list(tables_of(pair.x.counted, pair.y.counted, z))
        result = of_tables(tables, divergence, **{"rng": rng, **options})
        if "null" in options or "correction" in options or result.details["share_expected_below_5"] <= SPARSE:
            return result
        return of_tables(tables, divergence, **{"rng": rng, "null": sparse, **options})

    return run


def _usp(pair: Pair, rng: Rng, **options: Any) -> TestResult:  # noqa: ANN401
    (counts,) = tables_of(pair.x.counted, pair.y.counted)
    return usp_of(counts, **{"rng": rng, **options})


def _auto(pair: Pair, rng: Rng) -> TestResult:
    name, options, why = route(pair.x, pair.y, pair.z)
    result = TESTS[name].run(pair, rng, **options)
    return replace(result, method=f"{name}, {result.method}", details={**result.details, "why": why})


def _kernel_interval(pair: Pair, _: TestResult) -> Interval:
    return pair.effect_interval


def _hsic_interval(pair: Pair, _: TestResult) -> Interval:
    return kernel_interval(pair.x.median, pair.y.median, adjusted=False)


def _v_interval(pair: Pair, result: TestResult) -> Interval | None:
    if pair.z is not None:
        return None
    x, y = pair.x.counted, pair.y.counted
    # of Pearson's statistic, whichever divergence was tested and however it was corrected: V is defined by it
    plain = of_tables(tables_of(x, y), pearson)
    dof = (x.size - 1) * (y.size - 1)
    return cramers_v_interval(plain.statistic, dof, result.n, min(x.size, y.size), result.effect_size)


def _correlation_interval(_: Pair, result: TestResult) -> Interval | None:
    return correlation_interval(result.effect_size, result.n) if result.details["dof"] == 1 else None


def _auto_interval(pair: Pair, result: TestResult) -> Interval | None:
    return TESTS[result.method.partition(",")[0]].interval(pair, result)


TESTS: Mapping[str, Test] = {
    "auto": Test(_auto, _auto_interval),
    "kci": Test(_kci, _kernel_interval),
    "rcit": Test(_rcit, _kernel_interval),
    "hsic": Test(_hsic, _hsic_interval, given=(True, False)),
    "chisq": Test(_contingency(pearson, "moments"), _v_interval, categories=True),
    "gsq": Test(_contingency(likelihood_ratio, "permutation"), _v_interval, categories=True),
    "usp": Test(_usp, _v_interval, given=(True, False), categories=True),
    "gcm": Test(_gcm, _correlation_interval, given=(False, True)),
}
"""In the order in which messages name them."""


def run_test(name: str, pair: Pair, options: Options, columns: tuple[str, str], rng: Rng) -> Outcome:
    """Run a test on a pair of columns of these names, or say why it cannot mean anything there."""
    test = TESTS[name]
    if not test.given[pair.z is not None]:
        raise UntestableError(f"{name} {'knows no given columns' if pair.z is not None else 'needs given columns'}")
    if test.categories:
        for column, sample in zip(columns, (pair.x, pair.y), strict=True):
            _check_categories(column, sample)
    try:
        result = test.run(pair, rng, **options)
    except TypeError as error:
        raise InputError(f"{name} has no such option: {error}") from None
    return result, test.interval(pair, result)


def _check_categories(name: str, sample: Sample) -> None:
    if not few_levels(sample):
        raise UntestableError(f"{name} is continuous; this test needs categories")
    if sample.counted.size > MAX_CATEGORIES:
        text = f"{name} has {sample.counted.size:,} categories; more than {MAX_CATEGORIES:,} are names"
        raise UntestableError(text)
