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
from personax.conformance import ConformanceError, Demand, described, kit, raised
from personax.crl._estimator import Arrays, Estimator, Fitted, Method
from personax.crl._save import load_fit, save_fit
from personax.crl._scaler import latent_names
from personax.errors import PersonaxError

__all__ = ["check_method"]

LATENTS: Final = {"text": 2, "image": 1}
SHARED: Final = 1
PEOPLE: Final = 200


@kit
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
    kind, instance = type(method), not isinstance(method, type)
    demand = Demand(str(getattr(method, "name", "")) or described(method) if instance else described(method))
    demand(instance, "a class is given; give a method with its parameters, as in check_method(Mine())")
    try:
        name = registry.name_of("methods", kind)
    except registry.RegistryError as error:
        raise demand.error(str(error)) from None
    demand(name == demand.name, f"it is registered as {name}; let the attribute name be the same")
    views, truth = _world()
    demand.hold(_RULES, _Checked(method, views, truth, seed, demand))


@dataclass
class _Checked:
    """A method under test and its first fit."""

    method: Method
    views: Arrays
    truth: NDArray[np.float64]
    seed: int
    demand: Demand
    first: Fitted | None = None

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
                text = f"fit raises {raised(error)} on ordinary measurements; return a fit"
                raise self.demand.error(text) from error
        return self.first

    @property
    def latents(self) -> NDArray[np.float64]:
        return self.fitted.encode(self.views)


def _parameters(of: _Checked) -> None:
    of.demand(isinstance(of.method, Estimator), "it is no Estimator; a method derives from personax.crl.Estimator")
    of.demand(isinstance(of.method.needs, str), "needs is no text; leave it empty where nothing more is needed")
    assert isinstance(of.method, Estimator)
    own = of.method.get_params(deep=False)
    clone = type(of.method)(**own)
    same = all(clone.get_params(deep=False)[key] is value for key, value in own.items())
    of.demand(same, "its constructor changes parameters; keep them as they are, so that scikit-learn can clone it")
    of.demand(clone.set_params(**own) is clone, "set_params returns something else; return the method itself")
    try:
        clone.set_params(no_such_parameter=1)
    except PersonaxError:
        return
    of.demand(False, "set_params takes a parameter that it does not have; refuse it with an InputError")


def _shapes(of: _Checked) -> None:
    lacking = [name for name in ("names", "encode", "adjacency", "objective") if not hasattr(of.fitted, name)]
    of.demand(not lacking, f"fit returns {described(of.fitted)} without {', '.join(lacking)}; return a fit")
    names = latent_names(LATENTS, list(of.views), SHARED)
    of.demand(of.fitted.names == names, f"names are {getattr(of.fitted, 'names', None)}; {names} are needed")
    z = of.latents
    of.demand(z.shape == (PEOPLE, len(names)), f"encode returns shape {z.shape}; {(PEOPLE, len(names))} is needed")
    of.demand(
        z.dtype == np.float64 and bool(np.isfinite(z).all()),
        f"encode returns {z.dtype} or missing numbers; finite numbers of 64 bits are needed",
    )
    scaled = np.abs(z.mean(axis=0)).max() < 1e-4 and np.abs(z.std(axis=0) - 1).max() < 0.02
    of.demand(
        bool(scaled), "latents are not scaled; those of the people fitted on have mean 0 and standard deviation 1"
    )
    of.demand(
        bool(np.isfinite(of.fitted.objective)),
        f"objective is {of.fitted.objective!r}; it is needed that objective is a finite number",
    )


def _graph(of: _Checked) -> None:
    a = of.fitted.adjacency
    if a is None:
        return
    d = len(of.fitted.names)
    of.demand(a.shape == (d, d), f"adjacency has shape {a.shape}; {(d, d)} is needed, rows are children")
    of.demand(
        bool((a >= 0).all() and (a <= 1).all()), "adjacency holds others than shares; numbers from 0 to 1 are needed"
    )
    of.demand(
        not a[:SHARED].any() and not a.diagonal().any(),
        "adjacency has arrows that cannot be; nothing causes a shared latent, and none causes itself",
    )


def _repeatable(of: _Checked) -> None:
    before = _global_state()
    again = of.fit()
    of.demand(
        np.array_equal(again.encode(of.views), of.latents), "two fits differ; the same generator gives the same bits"
    )
    after = _global_state()
    same = all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    of.demand(same, "it draws from elsewhere; draw from rng, so that the global state of numpy and torch is left alone")


def _blind(of: _Checked) -> None:
    if "truth" in of.method.needs:
        return
    same = np.array_equal(of.fit(truth=False).encode(of.views), of.latents)
    of.demand(same, "the fit depends on the truth; the truth changes nothing, unless needs says that it is needed")


def _any_people(of: _Checked) -> None:
    some = {m: {k: x[50:60] for k, x in by.items()} for m, by in of.views.items()}
    close = np.allclose(of.fitted.encode(some), of.latents[50:60], atol=1e-5)
    of.demand(close, "people are not encoded one by one; who else is encoded changes nothing")
    turned = {m: of.views[m] for m in reversed(list(of.views))}
    of.demand(
        np.array_equal(of.fitted.encode(turned), of.latents),
        "modalities in another order give other latents; the order of modalities changes nothing",
    )


def _refusals(of: _Checked) -> None:
    missing = _changed(of.views, _damaged)
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
        except ConformanceError:
            raise
        except Exception as error:
            text = f"it does not hold that {text}: it raises {type(error).__name__}; raise an InputError"
            raise of.demand.error(text) from error
        of.demand(False, f"it does not hold that {text}; raise an InputError")


def _damaged(x: NDArray[Any]) -> NDArray[Any]:
    """Return vectors one of which lacks a number; a row of nothing but NaN would say that a person has none."""
    return np.where((np.arange(len(x))[:, None] == 3) & (np.arange(x.shape[1]) == 1), np.nan, x)


def _lacking(of: _Checked) -> None:
    missing = _changed(of.views, lambda x: np.where(np.arange(60)[:, None] == 3, np.nan, x[:60]))
    if not getattr(of.method, "fits_lacking", False):
        try:
            of.fit(views=missing, truth=False)
        except PersonaxError:
            return
        of.demand(False, "it does not hold that fit refuses people without vectors; raise an InputError")
    latents = of.fit(views=missing, truth=False).encode(missing)
    unknown = np.isnan(latents).any(axis=1)
    of.demand(
        list(np.flatnonzero(unknown)) == [3], "people without any vector have latents; theirs are NaN, and no others"
    )


def _transforms(of: _Checked) -> None:
    fresh: Any = copy.deepcopy(of.method)
    try:
        fresh.transform(of.views)
    except PersonaxError:
        pass
    else:
        of.demand(False, "transform before fit is taken; raise an InputError")
    fresh.fit(of.views, latents=LATENTS, shared=SHARED, truth=of.truth, rng=np.random.default_rng(of.seed))
    of.demand(
        np.array_equal(fresh.transform(of.views), of.latents),
        "transform gives other latents; it gives what the fit encodes",
    )


def _saved(of: _Checked) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.safetensors"
        try:
            save_fit(of.fitted, path)
            again = load_fit(path)
        except PersonaxError as error:
            raise of.demand.error(f"a fit cannot be saved and loaded ({error}); keep in it what can be") from None
        of.demand(
            np.array_equal(again.encode(of.views), of.latents),
            "a loaded fit encodes to other bits; save all that encode uses",
        )
        of.demand(again.names == of.fitted.names, "a loaded fit has other names; save them")
        of.demand(again.objective == of.fitted.objective, "a loaded fit has another objective; save it")


_RULES: Final = {
    "parameters are those of scikit-learn's protocol": _parameters,
    "a fit has the names, latents and objective that are asked for": _shapes,
    "the graph is a matrix between the latents": _graph,
    "the same generator gives the same bits": _repeatable,
    "the truth is not used": _blind,
    "people are encoded one by one": _any_people,
    "unusable measurements are refused": _refusals,
    "people without vectors are refused or have no latents": _lacking,
    "transform gives what the fit encodes": _transforms,
    "a fit can be saved and loaded": _saved,
}


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
