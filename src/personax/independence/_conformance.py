"""`check_test`: whether a test of independence keeps the contract, on data whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from personax.conformance import ConformanceError, Demand, described, kit, raised, registered
from personax.errors import InputError, UntestableError
from personax.independence._registered import Given, RegisteredTest, find_test
from personax.independence._result import TestResult

__all__ = ["check_test"]

Values = NDArray[Any]

ROWS: Final = 120

UNLIKELY: Final = 1e-4
"""A count of rejections that a test of the right level reaches less often than this is no chance."""


@kit
def check_test(name: str, *, times: int = 100, seed: int = 1) -> None:
    """Check that a registered test does what the grid, calibration and searches rely on.

    Checked are: the registration; the result's fields and ranges; that inputs are left as they are; that the same
    generator gives the same result and global random state is left alone; the order of rows, symmetry and the
    invariances that the registration claims; the level on true nulls and power on an obvious dependence, without and
    with z as it says it runs; ties; and that a constant, missing values, different lengths and four rows raise an
    `UntestableError` with a reason, never give a number.

    Parameters
    ----------
    name
        As registered under ``tests``.
    times
        True nulls drawn for the level.
    seed
        Of the data.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.

    Examples
    --------
    >>> check_test("chisq")
    """
    demand, _, _ = registered("tests", name)
    try:
        test = find_test(name)
    except InputError as error:
        raise demand.error(str(error)) from None
    demand.hold(_RULES, _Checked(test, times, seed, demand))


@dataclass
class _Checked:
    """A test and data for it."""

    test: RegisteredTest
    times: int
    seed: int
    demand: Demand

    def run(self, x: Values, y: Values, z: Values | None, seed: int = 0) -> TestResult:
        result = self.test(x.copy(), y.copy(), None if z is None else z.copy(), np.random.default_rng(seed))
        self.demand(isinstance(result, TestResult), f"it returns {type(result).__name__}; return a TestResult")
        return result

    def values(self, rng: np.random.Generator, from_z: Values | None = None) -> Values:
        """Draw a variable that the test can be run on; it follows z where there is one."""
        numbers = rng.normal(size=ROWS) + (0.0 if from_z is None else from_z)
        return np.array(list("abc"))[np.digitize(numbers, [-0.5, 0.5])] if self.test.categories else numbers

    def given(self, rng: np.random.Generator) -> Values | None:
        """Draw z where the test needs one."""
        return rng.integers(0, 2, ROWS).astype(float) if self.test.given == "with" else None

    @cached_property
    def sample(self) -> tuple[Values, Values, Values | None]:
        """Two dependent variables, and z where the test needs one."""
        rng = np.random.default_rng([self.seed, 0])
        x, z = self.values(rng), self.given(rng)
        y = np.where(rng.random(ROWS) < 0.3, x, self.values(rng))
        return x, y, z

    @cached_property
    def first(self) -> TestResult:
        try:
            return self.run(*self.sample)
        except ConformanceError:
            raise
        except Exception as error:
            text = f"on {ROWS} rows of ordinary values it raises {raised(error)}; return a TestResult"
            raise self.demand.error(text) from error

    @cached_property
    def random(self) -> bool:
        """Whether the result depends on the random numbers."""
        return len({self.run(*self.sample, seed=seed).p_value for seed in range(3)}) > 1


def _registration(of: _Checked) -> None:
    test, givens = of.test, get_args(Given)
    of.demand(callable(test.function), f"it is {described(test.function)}; register a function (x, y, z, rng)")
    of.demand(test.given in givens, f"given={test.given!r} is not known; choose from {', '.join(givens)}")
    plain = isinstance(test.invariant, tuple | list) and all(isinstance(one, str) for one in test.invariant)
    of.demand(plain, f"invariant={test.invariant!r} is no list of claims; give texts in brackets")
    for fact in ("categories", "symmetric"):
        value = getattr(test, fact)
        of.demand(isinstance(value, bool), f"{fact}={value!r} is neither true nor false; say which")


def _result(of: _Checked) -> None:
    result = of.first
    of.demand(0 <= result.p_value <= 1, f"p_value is {result.p_value}; return a probability, from a survival function")
    of.demand(np.isfinite(result.statistic), f"statistic is {result.statistic}; return a finite number")
    of.demand(0 <= result.effect_size <= 1, f"effect_size is {result.effect_size}; scale it to 0 .. 1")
    of.demand(result.n == ROWS, f"n is {result.n} for {ROWS} rows; count the rows that were used")
    of.demand(isinstance(result.method, str) and result.method, "method is empty; name the null distribution")
    of.demand("effect_name" in result.details, 'details lacks "effect_name"; name the measure of effect_size')


def _inputs(of: _Checked) -> None:
    x, y, z = (one if one is None else one.copy() for one in of.sample)
    assert x is not None
    assert y is not None
    of.test(x, y, z, np.random.default_rng(0))  # not `run`, which hands out copies
    same = all(one is None or np.array_equal(one, old) for one, old in zip((x, y, z), of.sample, strict=True))  # type: ignore[arg-type]
    of.demand(same, "it changes its inputs; work on copies")


def _repeatable(of: _Checked) -> None:
    before = repr(np.random.get_state())  # noqa: NPY002 - that it stays is what is checked
    again = of.run(*of.sample)
    same = (again.p_value, again.statistic) == (of.first.p_value, of.first.statistic)
    of.demand(same, "the same generator gives another result; draw from rng only, anew in every call")
    untouched = before == repr(np.random.get_state())  # noqa: NPY002 - that it stays is what is checked
    of.demand(untouched, "it draws from numpy's global state; draw from rng")


def _close(of: _Checked, other: TestResult) -> bool:
    """Say whether a result is the first one but for rounding, and for chance where the test draws."""
    statistic = bool(np.isclose(other.statistic, of.first.statistic, rtol=1e-6, atol=1e-9))
    return statistic and (of.random or bool(np.isclose(other.p_value, of.first.p_value, rtol=1e-5, atol=1e-12)))


def _rows(of: _Checked) -> None:
    order = np.random.default_rng([of.seed, 1]).permutation(ROWS)
    moved = [None if one is None else one[order] for one in of.sample]
    same = _close(of, of.run(*moved))  # type: ignore[arg-type]  # only z can be None
    of.demand(same, "the order of people changes the statistic; rows are exchangeable")


def _symmetry(of: _Checked) -> None:
    if of.test.symmetric:
        x, y, z = of.sample
        text = "exchanging x and y changes the result; make it symmetric, or register it with symmetric=False"
        of.demand(_close(of, of.run(y, x, z)), text)


def _invariances(of: _Checked) -> None:
    x, y, z = of.sample
    known: dict[str, Callable[[], Values]] = {
        "affine": lambda: 3 * x.astype(float) - 7,
        "labels": lambda: np.array(["".join(chr(ord(c) + 5) for c in str(one)) for one in x]),
    }
    for claim in of.test.invariant:
        of.demand(claim in known, f"invariant={claim!r} is not known; claim from {', '.join(known)}")
        if (claim == "affine") == of.test.categories:
            continue
        text = f"it claims invariant={claim!r}, and its statistic changes; standardise, or take the claim back"
        of.demand(_close(of, of.run(known[claim](), y, z)), text)


def _level(of: _Checked) -> None:
    if of.test.given != "with":
        _rejects(of, "x and y are independent", _independent)
    if of.test.given != "without":
        _rejects(of, "x and y are independent given z", _independent_given)


def _independent(of: _Checked, rng: np.random.Generator) -> tuple[Values, Values, None]:
    return of.values(rng), of.values(rng), None


def _independent_given(of: _Checked, rng: np.random.Generator) -> tuple[Values, Values, Values]:
    z = rng.integers(0, 2, ROWS).astype(float)
    return of.values(rng, z), of.values(rng, z), z


Null = Callable[[_Checked, np.random.Generator], tuple[Values, Values, Values | None]]


def _rejects(of: _Checked, truth: str, null: Null) -> None:
    drawn = [null(of, np.random.default_rng([of.seed, 2, k])) for k in range(of.times)]
    p = np.array([of.run(*one, seed=k).p_value for k, one in enumerate(drawn)])
    for level in (0.01, 0.05, 0.2):
        hits = int((p <= level).sum())
        likely = bdtrc(hits - 1, of.times, level) if hits else 1.0
        text = f"{truth}, and it rejects {hits} of {of.times} at {level:g}; its null distribution is not that"
        of.demand(likely > UNLIKELY, f"{text} of its statistic")
    of.demand(len(np.unique(p)) > 4, f"{truth}, and its p-values are {sorted(set(p))}; they must vary from 0 to 1")


def _power(of: _Checked) -> None:
    rng = np.random.default_rng([of.seed, 3])
    x = of.values(rng)
    y = np.where(rng.random(ROWS) < 0.9, x, of.values(rng))
    z = rng.integers(0, 2, ROWS).astype(float)
    for given in [None] * (of.test.given != "with") + [z] * (of.test.given != "without"):
        p = of.run(x, y, given).p_value
        where = "" if given is None else " given an independent z"
        of.demand(p <= 0.01, f"y is x for nine people in ten{where}, and p is {p:.2g}; the test has no power")


def _ties(of: _Checked) -> None:
    rng = np.random.default_rng([of.seed, 4])
    x, y = (rng.integers(0, 2, ROWS) for _ in range(2))
    p = of.run(x.astype(float), y.astype(float), of.given(rng)).p_value
    of.demand(0 <= p <= 1, f"on two columns of zeros and ones p is {p}; numbers may repeat")


def _refusals(of: _Checked) -> None:
    x, y, z = of.sample
    missing = x.astype(object) if of.test.categories else x.copy()
    missing[3] = None if of.test.categories else np.nan
    cases: dict[str, Callable[[], TestResult]] = {
        "x is constant": lambda: of.run(np.repeat(x[:1], ROWS), y, z),
        "y is constant": lambda: of.run(x, np.repeat(y[:1], ROWS), z),
        "a value of x is missing": lambda: of.run(missing, y, z),
        "x and y have different lengths": lambda: of.run(x, y[:-1], z),
        "there are four rows": lambda: of.run(*(one if one is None else one[:4] for one in (x, y, z))),  # type: ignore[arg-type]
        "there are no rows": lambda: of.run(*(one if one is None else one[:0] for one in (x, y, z))),  # type: ignore[arg-type]
    }
    for case, call in cases.items():
        try:
            p = call().p_value
        except ConformanceError:
            raise
        except UntestableError as error:
            of.demand(str(error), f"{case}: the UntestableError is empty; say why there is no p-value")
            continue
        except Exception as error:
            text = f"{case}, and it raises {type(error).__name__}; raise an UntestableError with a reason"
            raise of.demand.error(text) from error
        of.demand(False, f"{case}, and p is {p:.2g}; raise an UntestableError: a failed test has no p-value")


_RULES: Final = {
    "the registration says how the test is run": _registration,
    "ordinary values give a TestResult": _result,
    "inputs are left as they are": _inputs,
    "the same generator gives the same result": _repeatable,
    "the order of rows changes nothing": _rows,
    "x and y can be exchanged": _symmetry,
    "the registered invariances hold": _invariances,
    "numbers may repeat": _ties,
    "what cannot be tested is refused": _refusals,
    "an obvious dependence is found": _power,
    "the level holds where nothing depends": _level,
}
