"""The tests that can be calibrated, by name: each default of this package, and what it was chosen against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from personax.errors import InputError
from personax.independence._chisq import chisq
from personax.independence._gcm import gcm
from personax.independence._gsq import gsq
from personax.independence._hsic import hsic
from personax.independence._kci import kci
from personax.independence._rcit import rcit
from personax.independence._result import TestResult
from personax.independence._usp import usp

__all__ = ["BATTERY", "Entry", "Test", "fitting", "known"]

Test = Callable[[NDArray[Any], NDArray[Any], NDArray[Any] | None, np.random.Generator], TestResult]
"""(x, y, z, random numbers) -> result."""

PERMUTATIONS = 199
"""Enough for the level to be exact at .05 and at .01 - (1 + 199) alpha is whole - and not more."""


@dataclass(frozen=True)
class Entry:
    """A test, and what it can be run on.

    Parameters
    ----------
    run
        The test.
    given
        Whether it runs with z, without, or either way.
    categories
        Whether it needs categories.
    """

    run: Test
    given: Literal["with", "without", "either"] = "either"
    categories: bool = False

    def fits(self, *, given: bool, categories: bool = True) -> bool:
        """Say whether the test runs with or without z, on categories or on numbers."""
        wanted = ("with" if given else "without", "either")
        return self.given in wanted and (categories or not self.categories)


def _gcm(x: NDArray[Any], y: NDArray[Any], z: NDArray[Any] | None, rng: np.random.Generator) -> TestResult:
    assert z is not None
    return gcm(x, y, z)


BATTERY: Mapping[str, Entry] = {
    "kci": Entry(lambda x, y, z, rng: kci(x, y, z)),
    "kci-gamma": Entry(lambda x, y, z, rng: kci(x, y, null="gamma"), "without"),
    "kci-spectral": Entry(lambda x, y, z, rng: kci(x, y, z, null="spectral"), "with"),
    "kci-permutation": Entry(
        lambda x, y, z, rng: kci(x, y, null="permutation", permutations=PERMUTATIONS, rng=rng), "without"
    ),
    "kci-ridge": Entry(lambda x, y, z, rng: kci(x, y, z, regression="ridge"), "with"),
    "hsic": Entry(lambda x, y, z, rng: hsic(x, y), "without"),
    "rcit": Entry(lambda x, y, z, rng: rcit(x, y, z, rng=rng)),
    "rcit-fourier": Entry(lambda x, y, z, rng: rcit(x, y, z, rng=rng, given="fourier"), "with"),
    "gcm": Entry(_gcm, "with"),
    "chisq": Entry(lambda x, y, z, rng: chisq(x, y, z), categories=True),
    "chisq-moments": Entry(lambda x, y, z, rng: chisq(x, y, z, null="moments"), categories=True),
    "gsq": Entry(lambda x, y, z, rng: gsq(x, y, z), categories=True),
    "usp": Entry(lambda x, y, z, rng: usp(x, y, rng=rng), "without", categories=True),
}
"""By name. To add a test: one line here."""


def known(names: Sequence[str]) -> list[str]:
    """Return the names without repetitions, or name the one that is none."""
    if unknown := [name for name in names if name not in BATTERY]:
        raise InputError(f"there is no test {unknown[0]}; choose from {', '.join(BATTERY)}")
    return list(dict.fromkeys(names))


def fitting(*, given: bool, categories: bool = True) -> list[str]:
    """Return the names of the tests that run on such data.

    Examples
    --------
    >>> "gcm" in fitting(given=True), "gcm" in fitting(given=False), "chisq" in fitting(given=False, categories=False)
    (True, False, False)
    """
    return [name for name, entry in BATTERY.items() if entry.fits(given=given, categories=categories)]
