"""`check_method` finds each way to break the contract, in a method that otherwise keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.crl import Budget
from personax.crl._estimator import Arrays, Estimator, Problem
from personax.crl._scaler import Scaler, check, latent_names
from personax.registry import forget, register
from personax.testing import check_method

Change = Callable[[Any], Any]


@dataclass(frozen=True)
class FirstColumnsFit:
    """Each modality's first varying columns."""

    names: list[str]
    scale: Scaler
    counts: dict[str, int]
    shared: int
    adjacency: Any = None
    objective: float = 0.0

    def encode(self, views: Arrays) -> Any:
        flat = {m: np.hstack(list(by.values())) for m, by in self.scale.apply(views).items()}
        first = next(iter(flat.values()))
        return np.hstack([first[:, : self.shared], *(x[:, : self.counts[m]] for m, x in flat.items())])


class Doubled(FirstColumnsFit):
    def encode(self, views: Arrays) -> Any:
        return 2 * super().encode(views)


class AmongOthers(FirstColumnsFit):
    def encode(self, views: Arrays) -> Any:
        z = super().encode(views)
        return (z - z.mean(axis=0)) / z.std(axis=0)


class Narrow(FirstColumnsFit):
    def encode(self, views: Arrays) -> Any:
        return super().encode(views)[:, 1:]


class Credulous(FirstColumnsFit):
    def encode(self, views: Arrays) -> Any:
        return np.nan_to_num(self.scale.read(views, slice(None))["text"]["a"])[:, :4]


@dataclass
class FirstColumns(Estimator):
    budget: Budget = field(default_factory=Budget)
    change: Change | None = None
    name = "first-columns"

    def learn(self, problem: Problem) -> Any:
        check(problem.views, problem.latents, problem.shared)
        names = latent_names(problem.latents, list(problem.views), problem.shared)
        fit = FirstColumnsFit(names, Scaler.fit(problem.views), dict(problem.latents), problem.shared)
        return fit if self.change is None else self.change((fit, problem))


@pytest.fixture(autouse=True)
def _registered() -> Any:
    register("methods", "first-columns")(FirstColumns)
    yield
    forget("methods", "first-columns")


def as_kind(kind: type[FirstColumnsFit]) -> Change:
    return lambda pair: kind(pair[0].names, pair[0].scale, pair[0].counts, pair[0].shared)


def with_truth(pair: Any) -> Any:
    fit, problem = pair
    return fit if problem.truth is not None else replace(fit, counts=dict(reversed(fit.counts.items())), shared=0)


def at_random(pair: Any) -> Any:
    np.random.rand()  # noqa: NPY002 - the fault that is to be found
    return pair[0]


def test_a_method_that_keeps_it() -> None:
    check_method(FirstColumns())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda pair: replace(pair[0], names=pair[0].names[::-1]), "names are"),
        (as_kind(Doubled), "mean 0 and standard deviation 1"),
        (as_kind(Narrow), "encode returns shape"),
        (as_kind(AmongOthers), "who else is encoded changes nothing"),
        (as_kind(Credulous), "encode refuses missing numbers"),
        (lambda pair: replace(pair[0], objective=float("nan")), "objective is a finite number"),
        (lambda pair: replace(pair[0], adjacency=2 * np.eye(4)), "numbers from 0 to 1"),
        (lambda pair: replace(pair[0], adjacency=np.ones((4, 4))), "nothing causes a shared latent"),
        (with_truth, "the truth changes nothing"),
        (at_random, "global state of numpy"),
    ],
)
def test_each_fault_is_found(change: Change, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_method(FirstColumns(change=change))


def test_a_method_that_never_fits_is_named() -> None:
    def fails(pair: Any) -> Any:
        raise IndexError("no such column")

    with pytest.raises(AssertionError, match=r"first-columns: fit raises IndexError \(no such column\)"):
        check_method(FirstColumns(change=fails))


def test_what_is_not_registered_or_no_estimator() -> None:
    forget("methods", "first-columns")
    with pytest.raises(AssertionError, match="no registered method"):
        check_method(FirstColumns())

    class Bare:
        name, needs = "bare", ""

    register("methods", "bare")(Bare)
    try:
        with pytest.raises(AssertionError, match="derives from"):
            check_method(Bare())  # type: ignore[arg-type]
    finally:
        forget("methods", "bare")
