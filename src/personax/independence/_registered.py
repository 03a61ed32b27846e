"""The registered tests of independence: what each needs, and how it runs on arrays and on a pair of columns.

A test is a function ``(x, y, z=None, *, rng=None, **options) -> TestResult`` under
``@register("tests", name, ...)``, in this package or in another one; `personax.testing.check_test` says whether it
keeps the contract. `RegisteredTest` lists what else the decorator may say. Plans, the grid, calibration, searches for
causal graphs, the report and the figures know a test by its name alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from personax import registry
from personax.errors import InputError, UntestableError
from personax.independence._counts import MAX_CATEGORIES
from personax.independence._intervals import Interval
from personax.independence._pair import ColumnPair, Sample, few_levels
from personax.independence._result import TestResult
from personax.strict import nearest, no_option

__all__ = [
    "BatteryTest",
    "RegisteredTest",
    "battery",
    "check_categories",
    "find_test",
    "fitting",
    "known",
    "option_faults",
    "run_test",
]

Given = Literal["with", "without", "either"]

Outcome = tuple[TestResult, Interval | None]
"""A result and the 95 % interval of its effect size."""

ArrayTest = Callable[[NDArray[Any], NDArray[Any], NDArray[Any] | None, np.random.Generator], TestResult]
"""(x, y, z, random numbers) -> result."""


@dataclass(frozen=True)
class RegisteredTest:
    """A test by its name.

    Parameters
    ----------
    name, package
        As registered; the package is ``personax`` for ours.
    function
        Arrays -> result.
    given
        Whether it runs with z, without, or either way.
    categories
        Whether it needs categories: text, or numbers of few distinct values.
    symmetric
        Whether exchanging x and y changes nothing.
    invariant
        What else changes nothing: ``"affine"`` maps of a column of numbers, other ``"labels"`` of the categories.
    on_pair
        ``(Pair, rng, **options) -> TestResult``: the same test on counted columns, where it is faster there.
    interval
        ``(Pair, TestResult) -> interval`` of the effect size, or None where there is none.
    search
        Options under which a search for causal graphs runs it.
    permutes, draws
        Whether it takes ``null="permutation", permutations=...`` and ``draws=...``, as the command line offers them.
    with_given, without_given
        Options that mean something only with given columns, only without.
    variants
        Suffix -> (with what z, options) of a variant that can be calibrated.
    """

    name: str
    package: str
    function: Callable[..., TestResult]
    given: Given = "either"
    categories: bool = False
    symmetric: bool = True
    invariant: tuple[str, ...] = ()
    on_pair: Callable[..., TestResult] | None = None
    interval: Callable[[ColumnPair, TestResult], Interval | None] | None = None
    search: Mapping[str, Any] = field(default_factory=dict)
    permutes: bool = False
    draws: bool = False
    with_given: tuple[str, ...] = ()
    without_given: tuple[str, ...] = ()
    variants: Mapping[str, tuple[Given, Mapping[str, Any]]] = field(default_factory=dict)

    def options(self) -> list[str] | None:
        """Return the names of its options; None where its signature does not tell."""
        parameters = inspect.signature(self.function).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return None
        arrays = 2 if self.given == "without" else 3
        return [name for name in list(parameters)[arrays:] if name not in ("rng", "nominal", "with_effect")]

    def __call__(
        self,
        x: NDArray[Any],
        y: NDArray[Any],
        z: NDArray[Any] | None,
        rng: np.random.Generator,
        **options: Any,
    ) -> TestResult:
        """Run the test on arrays, leaving out what its function does not take."""
        arrays = (x, y) if self.given == "without" else (x, y, z)
        if "rng" in inspect.signature(self.function).parameters:
            options = {"rng": rng, **options}
        return self.function(*arrays, **options)

    def run(self, pair: ColumnPair, rng: np.random.Generator, **options: Any) -> TestResult:
        """Run the test on a pair of columns; a part of another package that fails has no p-value there."""
        if self.on_pair is not None:
            return self.on_pair(pair, rng, **options)
        arrays = [None if sample is None else _rows(sample) for sample in (pair.x, pair.y, pair.z)]
        try:
            result = self(*arrays, rng, **options)  # type: ignore[arg-type, call-arg]
            p_value = float(result.p_value)
        except UntestableError:
            raise
        except Exception as error:
            if self.package == "personax":
                raise
            raise UntestableError(f"{self.name} of {self.package} failed ({type(error).__name__}: {error})") from error
        if not 0 <= p_value <= 1:
            raise UntestableError(f"{self.name} of {self.package} returned {p_value}, which is no p-value")
        return result

    def fits(self, *, given: bool, categories: bool = True) -> bool:
        """Say whether the test runs with or without z, on categories or on numbers."""
        return self.given in ("with" if given else "without", "either") and (categories or not self.categories)


def find_test(name: str) -> RegisteredTest:
    """Return a test by its name.

    Raises
    ------
    InputError
        When there is none; the nearest name is in the message.

    Examples
    --------
    >>> find_test("gcm").given
    'with'
    >>> find_test("kcii")
    Traceback (most recent call last):
        ...
    personax.errors.InputError: there is no test kcii; did you mean kci?
    """
    try:
        function = registry.get("tests", name)
    except registry.RegistryError as error:
        raise InputError(str(error)) from None
    part = registry.describe("tests", name)
    facts = [one.name for one in fields(RegisteredTest)][3:]
    faults = [no_option("@register", word, facts) for word in part.facts if word not in facts]
    given = part.facts.get("given", "either")
    if given not in get_args(Given):
        faults.append(f"given={given!r} is not known; {nearest(str(given), list(get_args(Given)))}")
    if faults:
        raise InputError(f"the test {name} of {part.package} is registered with an unknown word: {'; '.join(faults)}")
    return RegisteredTest(name, part.package, function, **part.facts)


def check_options(name: str, options: Mapping[str, Any], *, given: bool | None = None) -> None:
    """Refuse what a test does not take, in one sentence for all of it: some tests would compute with it nevertheless.

    Raises
    ------
    InputError
        As `option_faults` tells.

    Examples
    --------
    >>> check_options("kci", {"regression": "rigde"})
    Traceback (most recent call last):
        ...
    personax.errors.InputError: kci: regression cannot be 'rigde'; choose from cv, ridge
    """
    if told := [text for _, text in option_faults(name, options, given=given)]:
        raise InputError("; ".join(told))


def option_faults(name: str, options: Mapping[str, Any], *, given: bool | None = None) -> Iterator[tuple[str, str]]:
    """Yield (option, sentence) for what a test does not take: options, and values that its signature rules out.

    Parameters
    ----------
    name, options
        The test, and its options in a grid, where kinds of columns and random numbers are no options.
    given
        Whether there are given columns; None where that is not known yet.
    """
    test = find_test(name)
    taken = test.options()
    try:
        types = get_type_hints(test.function)
    except (NameError, TypeError):
        types = {}  # a test of another package that names types which are not there
    for option, value in options.items():
        if taken is not None and option not in taken:
            yield option, no_option(name, option, taken)
        elif given is not None and option in (test.without_given if given else test.with_given):
            yield option, f"{name}: {option} is for tests {'without' if given else 'with'} given columns; leave it out"
        elif text := _value_fault(types.get(option), value):
            yield option, f"{name}: {option} {text}"


def _value_fault(hint: Any, value: object) -> str:  # noqa: ANN401 - a type
    kinds = [hint, *get_args(hint)]
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    others = [kind for kind in kinds[1:] if isinstance(kind, type) and _is_a(value, kind)]
    if choices and value not in choices and not others:
        return f"cannot be {value!r}; choose from {', '.join(map(str, choices))}"
    if hint in (int, float) and not _is_a(value, hint):
        return f"must be {'a whole number' if hint is int else 'a number'}, not {value!r}"
    return ""


def _is_a(value: object, kind: type[Any]) -> bool:
    """Say whether a value is of a type; a whole number is a number, and yes is none."""
    return isinstance(value, kind | int if kind is float else kind) and isinstance(value, bool) <= (kind is bool)


def run_test(
    name: str, pair: ColumnPair, options: Mapping[str, Any], columns: tuple[str, str], rng: np.random.Generator
) -> Outcome:
    """Run a test on a pair of columns of these names, or say why it cannot mean anything there."""
    test = find_test(name)
    if not test.fits(given=pair.z is not None):
        raise UntestableError(f"{name} {'knows no given columns' if pair.z is not None else 'needs given columns'}")
    check_categories(name, pair, columns)
    result = test.run(pair, rng, **options)
    known = test.interval is not None and result.effect_size == result.effect_size  # NaN where it is refused
    return result, test.interval(pair, result) if known and test.interval is not None else None


def check_categories(test: str, pair: ColumnPair, columns: tuple[str, str]) -> None:
    """Refuse what is no set of categories for a test that needs them."""
    if find_test(test).categories:
        for column, sample in zip(columns, (pair.x, pair.y), strict=True):
            _check_categories(column, sample)


def _check_categories(name: str, sample: Sample) -> None:
    if not few_levels(sample):
        raise UntestableError(f"{name} is continuous; this test needs categories")
    if sample.counted.size > MAX_CATEGORIES:
        text = f"{name} has {sample.counted.size:,} categories; more than {MAX_CATEGORIES:,} are names"
        raise UntestableError(text)


def _rows(sample: Sample) -> NDArray[Any]:
    """Return the values of every person, shape (n,) or (n, d); categories as text, beside numbers as indicators."""
    counted = sample.counted
    if counted.values is None:
        # no text of a category is a number, or a test of numbers would compute with their order
        distinct: NDArray[Any] = np.char.add("category ", np.arange(counted.size).astype(str))
    elif counted.labels is not None:
        distinct = np.hstack([counted.values, np.eye(counted.labels.max() + 1)[counted.labels][:, 1:]])
    else:
        distinct = counted.values[:, 0] if counted.values.shape[1] == 1 else counted.values
    codes = counted.codes if counted.weights is None else np.repeat(counted.codes, counted.weights)
    return distinct[codes]


@dataclass(frozen=True)
class BatteryTest:
    """A test or a variant of one that can be calibrated.

    Parameters
    ----------
    run
        The test on arrays.
    given, categories
        As for `RegisteredTest`.
    """

    run: ArrayTest
    given: Given = "either"
    categories: bool = False

    def fits(self, *, given: bool, categories: bool = True) -> bool:
        """Say whether the test runs with or without z, on categories or on numbers."""
        return self.given in ("with" if given else "without", "either") and (categories or not self.categories)


def battery() -> dict[str, BatteryTest]:
    """Return every test that can be calibrated by name: each default, and the variants it was chosen against.

    Examples
    --------
    >>> [name for name in battery() if name.startswith("rcit")]
    ['rcit', 'rcit-fourier']
    """
    found: dict[str, BatteryTest] = {}
    for part in registry.parts("tests"):
        if not part.fault:
            found |= _with_variants(find_test(part.name))
    return found


def _with_variants(test: RegisteredTest) -> dict[str, BatteryTest]:
    found = {test.name: BatteryTest(test, test.given, test.categories)}
    for suffix, (given, options) in test.variants.items():
        found[f"{test.name}-{suffix}"] = BatteryTest(_with_options(test, options), given, test.categories)
    return found


def _with_options(test: RegisteredTest, options: Mapping[str, Any]) -> ArrayTest:
    return lambda x, y, z, rng: test(x, y, z, rng, **options)


def known(names: Sequence[str]) -> list[str]:
    """Return the names without repetitions, or name the one that `battery` lacks."""
    tests = battery()
    if unknown := [name for name in names if name not in tests]:
        raise InputError(f"there is no test {unknown[0]}; choose from {', '.join(tests)}")
    return list(dict.fromkeys(names))


def fitting(*, given: bool, categories: bool = True) -> list[str]:
    """Return the names in `battery` of the tests that run on such data.

    Examples
    --------
    >>> "gcm" in fitting(given=True), "gcm" in fitting(given=False), "chisq" in fitting(given=False, categories=False)
    (True, False, False)
    """
    return [name for name, entry in battery().items() if entry.fits(given=given, categories=categories)]
