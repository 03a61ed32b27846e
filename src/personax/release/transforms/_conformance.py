"""`check_transform`: whether a transform of a release keeps the contract, on random vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from personax.conformance import ConformanceError, Demand, kit, raised, registered
from personax.errors import InputError
from personax.registry import Part
from personax.release.keys._keystore import ReleaseKey
from personax.release.transforms._chain import PRESERVATION, Chain, Vectors
from personax.release.transforms._step import TransformStep

__all__ = ["check_transform"]

ROWS: Final = 300

EXACT: Final = 1e-4
"""Tolerated error of inversion, as a share of the vectors' size: they are stored in 32 bits."""


@kit
def check_transform(name: str, *, dims: tuple[int, ...] = (2, 7, 40), keyed: bool = True) -> None:
    """Check that a transform does what a release relies on.

    Checked are: the name; shape and type of what comes out; that inputs are left as they are; that the same key gives
    the same bits, and another key or context other vectors; inversion; that people are transformed one by one;
    writing into given memory; saving what was fitted and loading it; the parameters, as ``sklearn.base.clone`` needs
    them; that distances and inner products stay where it says so; and that missing numbers, another length and, where
    something is fitted, use before the fit are refused.

    Parameters
    ----------
    name
        A preset or a step.
    dims
        Lengths of vectors.
    keyed
        Whether it must depend on the key; a step that only standardises need not.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.

    Examples
    --------
    >>> check_transform("rotation")
    """
    demand, part, _ = registered("transforms", name)
    _registration(demand, part)
    for dim in dims:
        sized = Demand(f"{name}, vectors of {dim} numbers")
        with sized.rule(
            "vectors are mapped and mapped back", "let transform and inverse_transform take float32 arrays"
        ):
            _check(sized, name, dim, keyed=keyed)


def _registration(demand: Demand, part: Part) -> None:
    steps = part.facts.get("preset", (part.name,))
    texts = isinstance(steps, tuple | list) and all(isinstance(step, str) for step in steps)
    demand(texts, f"preset={steps!r} is no list of steps; give their names in brackets, as in preset=(...,)")
    for step in steps or (part.name,):
        _, _, kind = registered("transforms", step)
        derived = isinstance(kind, type) and issubclass(kind, TransformStep)
        demand(derived, f"the step {step} is no TransformStep; derive it from TransformStep")
    keeps = part.facts.get("keeps")
    demand(keeps is None or isinstance(keeps, Mapping), f"keeps={keeps!r} is no table; give {{property: how}}")


def _check(demand: Demand, name: str, dim: int, *, keyed: bool) -> None:
    def made(secret: int = 0, context: str = "text/a") -> Chain:
        try:
            return Chain(name, dim, ReleaseKey(bytes([secret]) * 32), context)
        except InputError as error:
            raise demand.error(str(error)) from None

    x = _vectors(dim)
    before = x.copy()
    first = made().fit(x)
    y = first.transform(x)
    demand(np.array_equal(x, before), "fit or transform changes its input; work on a copy")
    demand(isinstance(y, np.ndarray), f"transform returns {type(y).__name__}; return an array")
    demand(y.shape == x.shape and y.dtype == np.float32, f"out come shape {y.shape}, {y.dtype}; keep the shape")
    demand(np.isfinite(y).all(), "missing or infinite numbers come out; bound what is drawn")
    demand(np.array_equal(made().fit(x).transform(x), y), "the same key gives other vectors; draw from `stream` only")
    if keyed:
        # few dimensions have few maps, so that one other key may draw the same one
        _depends(demand, y, [made(secret=k).fit(x).transform(x) for k in range(1, 9)], "another key")
        _depends(demand, y, [made(context=f"text/{k}").fit(x).transform(x) for k in range(8)], "another context")
    back = first.inverse_transform(y)
    error = float(np.abs(back - x).max() / np.abs(x).max())
    demand(
        error < EXACT, f"inversion is off by {error:.1e} of the vectors' size; let inverse_transform invert transform"
    )
    # the same arithmetic on fewer rows may round otherwise, no more
    some = np.abs(first.transform(x[50:60]) - y[50:60]).max() / max(float(np.abs(y).max()), 1e-30)
    demand(some < EXACT, "who else is transformed changes a vector; take from the data in `fit` only")
    out = np.zeros_like(x)
    demand(first.transform(x, out=out) is out and np.array_equal(out, y), "memory that is given is not written to")
    _saved(demand, first, made(), x, y)
    for step in first.parts:
        _parameters(demand, step)
    _refusals(demand, first, made(), x)
    _preserves(demand, name, x, y)


def _vectors(dim: int) -> Vectors:
    rng = np.random.default_rng([3, dim])
    return (rng.normal(size=(ROWS, dim)) * np.linspace(0.5, 2, dim) + 0.3).astype(np.float32)


def _depends(demand: Demand, y: Vectors, others: list[Vectors], on: str) -> None:
    same = all(np.array_equal(y, other) for other in others)
    demand(not same, f"{on} gives the same vectors; draw the map from `stream`")


def _saved(demand: Demand, first: Chain, again: Chain, x: Vectors, y: Vectors) -> None:
    state: dict[str, Any] = {name: value.copy() for name, value in first.state().items()}
    demand(all(np.isfinite(value).all() for value in state.values()), "its state holds missing or infinite numbers")
    again.load(state)
    demand(np.array_equal(again.transform(x), y), "what is saved and loaded transforms otherwise; keep all in `state`")


def _parameters(demand: Demand, step: TransformStep) -> None:
    name = type(step).__name__
    try:
        params = step.get_params()
    except AttributeError as error:
        text = f"{name}: {error}; keep every argument of __init__ in an attribute of its name"
        raise demand.error(text) from None
    other = type(step)(**params).get_params()
    demand(
        all(other[key] is value for key, value in params.items()), f"{name} changes arguments of __init__; keep them"
    )


def _preserves(demand: Demand, name: str, x: Vectors, y: Vectors) -> None:
    """Hold a preset to what it says that it keeps exactly, as far as two matrices show it."""
    try:
        stated = PRESERVATION.get(name, {})
    except InputError as error:
        raise demand.error(str(error)) from None
    a, b = (z[:60].astype(np.float64) for z in (x, y))
    products = np.abs(a @ a.T - b @ b.T).max() / np.abs(a @ a.T).max()
    (far, moved) = (np.linalg.norm(z[:, None] - z[None], axis=2) for z in (a, b))
    changes = {"inner products": float(products), "distances": float(np.abs(far - moved).max() / far.max())}
    for kept, change in changes.items():
        text = f"it says that it keeps {kept} exactly, and they change by {change:.1%}; state less in `keeps`"
        demand(stated.get(kept) != "exactly" or change < EXACT, text)


def _refusals(demand: Demand, first: Chain, unfitted: Chain, x: Vectors) -> None:
    missing = x.copy()
    missing[3, 0] = np.nan
    cases: dict[str, Callable[[], Any]] = {
        "a missing number": lambda: first.transform(missing),
        "vectors of another length": lambda: first.transform(np.hstack([x, x])),
        "a state that is another transform's": lambda: first.load({"0.nothing": np.zeros(1)}),
    }
    if first.state():
        cases["use before the fit"] = lambda: unfitted.transform(x)
    for case, call in cases.items():
        try:
            call()
        except InputError:
            continue
        except ConformanceError:
            raise
        except Exception as error:
            raise demand.error(f"{case} raises {raised(error)}; raise an InputError") from error
        demand(False, f"{case} is taken; raise an InputError")
