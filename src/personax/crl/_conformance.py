"""`check_method`: whether a method of Level II keeps the contract, on invented people; for methods of any package."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax import registry
from personax.crl._estimator import Arrays, Estimator, Fitted, Method
from personax.crl._scaler import latent_names
from personax.errors import PersonaxError

__all__ = ["check_method"]

LATENTS: Final = {"text": 2, "image": 1}
SHARED: Final = 1
PEOPLE: Final = 200


def check_method(method: Method, *, seed: int = 1) -> None:
    """Fit a method to invented people and check that it does what personax relies on.

    Two modalities are simulated, one of them with two measurements, one with a constant column, and one shared latent.
    Checked are: registration; `get_params`, `set_params` and cloning; names, shapes and scale of the latents; the
    graph; that the same generator gives the same bits and global random state is left alone; that the truth is not
    used where the method does not say that it needs it; encoding of people one by one and of modalities in any order;
    that unusable measurements are refused with a `PersonaxError`; `transform`; saving and loading.

    Parameters
    ----------
    method
        Not fitted, with parameters that make fits short.
    seed
        Of the fits.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong, at the first check that fails.

    Examples
    --------
    >>> from personax.crl import method
    >>> check_method(method("pca"))
    """
    views, truth = _world()
    checked = _Checked(method, views, truth, seed)
    for check in _CHECKS:
        check(checked)


@dataclass
class _Checked:
    """A method under test and its first fit."""

    method: Method
    views: Arrays
    truth: NDArray[np.float64]
    seed: int
    first: Fitted | None = None

    @property
    def name(self) -> str:
        return str(getattr(self.method, "name", type(self.method).__name__))

    def fit(self, *, truth: bool = True, views: Arrays | None = None) -> Fitted:
        return copy.deepcopy(self.method).fit(
            self.views if views is None else views, latents=LATENTS, shared=SHARED,
            truth=self.truth if truth else None, rng=np.random.default_rng(self.seed),
        )  # fmt: skip

    @property
    def fitted(self) -> Fitted:
        if self.first is None:
            try:
                self.first = self.fit()
            except Exception as error:
                text = f"{self.name}: fit raises {type(error).__name__} ({error}) on ordinary measurements"
                raise AssertionError(f"{text}; return a fit") from error
        return self.first

    @property
    def latents(self) -> NDArray[np.float64]:
        return self.fitted.encode(self.views)

    def demand(self, holds: bool, text: str) -> None:
        if not holds:
            raise AssertionError(f"{self.name}: {text}")


def _registered(of: _Checked) -> None:
    kind = type(of.method)
    try:
        name = registry.name_of("methods", kind)
    except registry.RegistryError as error:
        raise AssertionError(f"{of.name}: {error}") from None
    of.demand(name == of.name, f"it is registered as {name}; let the attribute name be the same")
    of.demand(isinstance(getattr(of.method, "needs", None), str), "needs is a text, empty where nothing more is needed")


def _parameters(of: _Checked) -> None:
    of.demand(isinstance(of.method, Estimator), "it derives from personax.crl.Estimator and is a dataclass")
    assert isinstance(of.method, Estimator)
    own = of.method.get_params(deep=False)
    clone = type(of.method)(**own)
    same = all(clone.get_params(deep=False)[key] is value for key, value in own.items())
    of.demand(same, "its constructor keeps every parameter as it is, so that scikit-learn can clone it")
    of.demand(clone.set_params(**own) is clone, "set_params returns the method itself")
    try:
        clone.set_params(no_such_parameter=1)
    except PersonaxError:
        return
    of.demand(False, "set_params refuses a parameter that it does not have with an InputError")


def _shapes(of: _Checked) -> None:
    names = latent_names(LATENTS, list(of.views), SHARED)
    of.demand(of.fitted.names == names, f"names are {of.fitted.names}; {names} are needed")
    z = of.latents
    of.demand(z.shape == (PEOPLE, len(names)), f"encode returns shape {z.shape}; {(PEOPLE, len(names))} is needed")
    of.demand(z.dtype == np.float64 and bool(np.isfinite(z).all()), "encode returns finite numbers of 64 bits")
    scaled = np.abs(z.mean(axis=0)).max() < 1e-4 and np.abs(z.std(axis=0) - 1).max() < 0.02
    of.demand(bool(scaled), "latents of the people fitted on have mean 0 and standard deviation 1")
    of.demand(bool(np.isfinite(of.fitted.objective)), "objective is a finite number")


def _graph(of: _Checked) -> None:
    a = of.fitted.adjacency
    if a is None:
        return
    d = len(of.fitted.names)
    of.demand(a.shape == (d, d), f"adjacency has shape {a.shape}; {(d, d)} is needed, rows are children")
    of.demand(bool((a >= 0).all() and (a <= 1).all()), "adjacency holds numbers from 0 to 1")
    of.demand(not a[:SHARED].any() and not a.diagonal().any(), "nothing causes a shared latent, and none causes itself")


def _repeatable(of: _Checked) -> None:
    before = _global_state()
    again = of.fit()
    of.demand(np.array_equal(again.encode(of.views), of.latents), "the same generator gives the same bits")
    after = _global_state()
    same = all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    of.demand(same, "draws come from rng, and the global state of numpy and torch is left alone")


def _blind(of: _Checked) -> None:
    if "truth" in of.method.needs:
        return
    same = np.array_equal(of.fit(truth=False).encode(of.views), of.latents)
    of.demand(same, "the truth changes nothing, unless needs says that it is needed")


def _any_people(of: _Checked) -> None:
    some = {m: {k: x[50:60] for k, x in by.items()} for m, by in of.views.items()}
    close = np.allclose(of.fitted.encode(some), of.latents[50:60], atol=1e-5)
    of.demand(close, "people are encoded one by one: who else is encoded changes nothing")
    turned = {m: of.views[m] for m in reversed(list(of.views))}
    of.demand(np.array_equal(of.fitted.encode(turned), of.latents), "the order of modalities changes nothing")


def _refusals(of: _Checked) -> None:
    missing = _changed(of.views, lambda x: np.where(np.arange(len(x))[:, None] == 3, np.nan, x))
    few = {m: {k: x[:5] for k, x in by.items()} for m, by in of.views.items()}
    short = {**of.views, "text": {**of.views["text"], "a": of.views["text"]["a"][:-1]}}
    cases: Mapping[str, Callable[[], Any]] = {
        "fit refuses missing numbers": lambda: of.fit(views=missing),
        "fit refuses five people": lambda: of.fit(views=few),
        "fit refuses measurements of different numbers of people": lambda: of.fit(views=short),
        "encode refuses missing numbers": lambda: of.fitted.encode(missing),
        "encode refuses a modality less": lambda: of.fitted.encode({"text": of.views["text"]}),
    }
    for text, case in cases.items():
        try:
            case()
        except PersonaxError:
            continue
        except Exception as error:
            raise AssertionError(f"{of.name}: {text} with an InputError, not with {type(error).__name__}") from error
        of.demand(False, f"{text} with an InputError")


def _transforms(of: _Checked) -> None:
    fresh: Any = copy.deepcopy(of.method)
    try:
        fresh.transform(of.views)
    except PersonaxError:
        pass
    else:
        of.demand(False, "transform before fit raises an InputError")
    fresh.fit(of.views, latents=LATENTS, shared=SHARED, truth=of.truth, rng=np.random.default_rng(of.seed))
    of.demand(np.array_equal(fresh.transform(of.views), of.latents), "transform gives what the fit encodes")


def _saved(of: _Checked) -> None:
    from personax.crl._save import load_fit, save_fit  # late: torch

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.safetensors"
        try:
            save_fit(of.fitted, path)
            again = load_fit(path)
        except PersonaxError as error:
            raise AssertionError(f"{of.name}: a fit can be saved and loaded: {error}") from None
        of.demand(np.array_equal(again.encode(of.views), of.latents), "a loaded fit encodes to the same bits")
        of.demand(again.names == of.fitted.names, "a loaded fit has the same names")
        of.demand(again.objective == of.fitted.objective, "a loaded fit has the same objective")


_CHECKS: Final = (
    _registered, _parameters, _shapes, _graph, _repeatable, _blind, _any_people, _refusals, _transforms, _saved,
)  # fmt: skip


def _world() -> tuple[Arrays, NDArray[np.float64]]:
    """Two modalities of three and two latents, mixed by random tanh layers; one shared latent; one constant column."""
    rng = np.random.default_rng(0)
    s = rng.normal(size=(PEOPLE, SHARED))
    text = rng.normal(size=(PEOPLE, 2)) + s
    image = text[:, :1] + 0.5 * rng.normal(size=(PEOPLE, 1))

    def mixed(z: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
        hidden = np.tanh(z @ rng.normal(size=(z.shape[1], 12)))
        return hidden @ rng.normal(size=(12, dim)) + 0.05 * rng.normal(size=(PEOPLE, dim))

    views = {
        "text": {name: mixed(np.hstack([s, text]), 9) for name in ("a", "b")},
        "image": {"c": mixed(np.hstack([s, image]), 7)},
    }
    views["image"]["c"][:, 3] = 0.1
    return views, np.hstack([s, text, image])


def _changed(views: Arrays, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Arrays:
    return {m: {k: change(x) for k, x in by.items()} for m, by in views.items()}


def _global_state() -> list[Any]:
    return list(_states())


def _states() -> Iterator[Any]:
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002 - that nobody touches it is what is checked
    yield np.append(keys, position)
    try:
        import torch
    except ModuleNotFoundError:
        return
    yield torch.random.get_rng_state().numpy()
