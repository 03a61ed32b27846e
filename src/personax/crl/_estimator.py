"""What every Level II method is: an estimator by scikit-learn's protocol, which fits measurements of many people.

`Method` and `Fitted` say what personax asks of a method and of what it returns. `Estimator` is the base class that
brings the rest of the protocol (`get_params`, `set_params`, `fit`, `transform`); a method derives from it, is a
dataclass of its parameters, and implements `Estimator.learn`.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar, Protocol, Self, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl.metrics._graph import to_graph
from personax.errors import ComputationError, InputError
from personax.results import DrawableResult
from personax.schema import Graph
from personax.strict import Strict, nearest

__all__ = ["Arrays", "Epoch", "Estimator", "Fitted", "FittedResult", "Method", "OnEpoch", "Problem", "Progress"]

Arrays = Mapping[str, Mapping[str, NDArray[Any]]]
"""Modality -> measurement -> vectors, shape (n, dim); the same people in the same order everywhere.

A person who lacks a measurement has a row of NaN there, where a method or function says that it takes such rows.
"""

Progress = Callable[[int, int, float], None]
"""Called with (done, total, validation objective)."""


@dataclass(frozen=True)
class Epoch:
    """A method in the middle of its training.

    Parameters
    ----------
    number
        Epochs so far, from 1.
    objective
        On validation people, smaller is better.
    encode
        Measurements -> latents by the networks as they are now, shape (n, d), not scaled; only while `OnEpoch` runs.
    """

    number: int
    objective: float
    encode: Callable[[Arrays], NDArray[np.float64]]


OnEpoch = Callable[[Epoch], None]
"""Called after each epoch by methods that the shared loop trains; whatever it does, the fit is the same."""


class Fitted(Protocol):
    """A fitted method."""

    @property
    def names(self) -> list[str]:
        """Latents in the order of the columns: ``shared_1`` ..., then ``<modality>_1`` ..., modality by modality."""
        ...

    @property
    def adjacency(self) -> NDArray[np.float64] | None:
        """Shape (d, d), rows are children: how sure each edge is, in [0, 1]; None where no graph is learned."""
        ...

    @property
    def objective(self) -> float:
        """The method's own objective on its validation people, smaller is better; comparable between its seeds."""
        ...

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of people, also of people that were not fitted on, shape (n, d)."""
        ...


class FittedResult(DrawableResult):
    """What a fitted method brings beyond `Fitted`: its graph, as a table and as a figure."""

    __slots__ = ()

    plot_kind: ClassVar[str] = "fit"

    def graph(self, threshold: float = 0.5) -> Graph:
        """Return the edges between latents that are surer than the threshold.

        Raises
        ------
        InputError
            For a method that learns no graph.
        """
        fitted = cast("Fitted", self)
        if fitted.adjacency is None:
            raise InputError("this method learns no graph between latents; encode() gives the latents of people")
        sure = getattr(fitted, "directed_from", None)
        return to_graph(fitted.adjacency, fitted.names, threshold=threshold, sure=sure)

    def to_frame(self) -> pl.DataFrame:
        """Return one row a latent: its name, its modality, and the latents that cause it, ``, `` between them."""
        fitted = cast("Fitted", self)
        edges = [] if fitted.adjacency is None else self.graph().edges
        rows = [
            {
                "latent": name,
                "modality": name.rpartition("_")[0],
                "causes": ", ".join(edge.source for edge in edges if edge.target == name),
            }
            for name in fitted.names
        ]
        return pl.DataFrame(rows, schema={"latent": pl.String, "modality": pl.String, "causes": pl.String})


class Method(Protocol):
    """A way to learn latents.

    Attributes
    ----------
    name
        One word, as in tables.
    needs
        What it must be given beyond the measurements; empty for nothing.
    """

    @property
    def name(self) -> str: ...
    @property
    def needs(self) -> str: ...

    def fit(
        self,
        views: Arrays,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: NDArray[np.float64] | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> Fitted:
        """Learn from the measurements of the people to fit on; ``truth``, shape (n, d), is for the ceiling alone."""
        ...


@dataclass(frozen=True)
class Problem:
    """What a method is asked to learn.

    Parameters
    ----------
    views
        Modality -> measurement -> vectors, shape (n, dim); the same people in the same order everywhere.
    latents
        Modality -> number of its own latents.
    shared
        Number of latents that all modalities share.
    rng
        All random numbers come from it: the same state gives the same numbers.
    truth
        The true latents, shape (n, d); for the ceiling alone.
    progress
        Called with (done, total, validation objective).
    on_epoch
        Called after each epoch, by methods that are trained in epochs.
    """

    views: Arrays
    latents: Mapping[str, int]
    shared: int
    rng: np.random.Generator
    truth: NDArray[np.float64] | None = None
    progress: Progress | None = None
    on_epoch: OnEpoch | None = None


class Estimator(ABC):
    """A method by scikit-learn's protocol; subclasses are dataclasses whose fields are the parameters.

    `fit` returns the fitted method, a value of its own that can be kept and saved, and remembers it as ``fitted_``, so
    that `transform` works on the method as scikit-learn's pipelines expect. `sklearn.base.clone` copies the parameters.

    Attributes
    ----------
    name
        One word, as in tables.
    needs
        What the method must be given beyond the measurements; empty for nothing.
    accelerated
        Whether the method's steps can be compiled and computed in half precision, see `Budget`.
    fits_lacking
        Whether people may lack some measurements of a modality, their vectors rows of NaN; of other methods they are
        left out.
    fewest_modalities
        With fewer there is nothing that it could learn from.

    Examples
    --------
    >>> from personax.crl.methods import method
    >>> method("pca").set_params(budget__epochs=5).get_params()["budget__epochs"]
    5
    """

    name: ClassVar[str] = ""
    needs: ClassVar[str] = ""
    accelerated: ClassVar[bool] = False
    fits_lacking: ClassVar[bool] = False
    fewest_modalities: ClassVar[int] = 1

    def foresee(self, views: Arrays, latents: Mapping[str, int]) -> list[str]:
        """Return what the measurements show before training that a fit will not find, a sentence each."""
        return []

    @abstractmethod
    def learn(self, problem: Problem) -> Fitted:
        """Return the fitted method; `fit` calls this."""

    def fit(
        self,
        views: Arrays,
        y: None = None,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: NDArray[np.float64] | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
        on_epoch: OnEpoch | None = None,
    ) -> Any:  # noqa: ANN401 - each method returns its own type
        """Learn latents from the measurements of the people to fit on.

        Parameters
        ----------
        views
            Modality -> measurement -> vectors, shape (n, dim); the same people in the same order everywhere.
        y
            Ignored; scikit-learn passes it.
        latents, shared
            Modality -> number of its own latents; number of latents that all modalities share.
        truth
            The true latents, shape (n, d), for the ceiling alone; every other method ignores them.
        rng
            All random numbers come from it.
        progress
            Called with (done, total, validation objective).
        on_epoch
            Called after each epoch with an `Epoch`; methods that are not trained in epochs never call it.

        Raises
        ------
        InputError
            Measurements that nothing can be learned from; options that the method does not have.
        ComputationError
            When training diverges three times, each with a quarter of the rate; when memory runs out. Where it is a
            GPU's, the fit is made on the processor, and its notes say so.
        """
        budget = getattr(self, "budget", None)
        asked = [name for name in ("compiled", "half") if getattr(budget, name, False)]
        if asked and not self.accelerated:
            raise InputError(f"{' and '.join(asked)}: {self.name} has no such steps; leave the option out")
        problem = Problem(views, latents, shared, copy.deepcopy(rng), truth, progress, on_epoch)
        try:
            self.fitted_ = self.learn(replace(problem, rng=rng))
        except (MemoryError, RuntimeError) as error:
            if not _is_memory(error):
                raise
            self.fitted_ = self._with_less_memory(problem, error)
        return self.fitted_

    def _with_less_memory(self, problem: Problem, error: Exception) -> Fitted:
        """Return the fit on the processor where a GPU had no memory for it, which its notes tell.

        Raises
        ------
        ComputationError
            Where it was the memory of the processor.
        """
        budget = getattr(self, "budget", None)
        if budget is None or getattr(budget, "device", "cpu") == "cpu":
            raise ComputationError(
                f"{self.name} ran out of memory; fit fewer seeds at a time (jobs), or reduce wide measurements further "
                "(crl.reduce: 256)"
            ) from error
        own = {"budget": budget.replaced(device="cpu")}
        if hasattr(self, "checkpoint"):  # one of a GPU is not gone on from elsewhere
            own["checkpoint"] = None
        fitted = cast("Estimator", replace(cast(Any, self), **own)).learn(problem)
        _tell(
            fitted, "the GPU ran out of memory, so that this was fitted on the processor, from the same random numbers"
        )
        return fitted

    def transform(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d), by the last fit.

        Raises
        ------
        InputError
            Before anything was fitted.
        """
        fitted = getattr(self, "fitted_", None)
        if fitted is None:
            raise InputError(f"{self.name} is not fitted; call fit first")
        latents: NDArray[np.float64] = fitted.encode(views)
        return latents

    def fit_transform(self, views: Arrays, y: None = None, **fit: Any) -> NDArray[np.float64]:
        """Return the latents of the people fitted on; the arguments are those of `fit`."""
        self.fit(views, y, **fit)
        return self.transform(views)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - called by scikit-learn alone, which personax need not have
        from sklearn.base import BaseEstimator

        return BaseEstimator().__sklearn_tags__()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; ``deep`` adds those of parameters, as in ``budget__epochs``."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        nested = {f"{name}__{f}": getattr(value, f) for name, value in own.items() for f in _fields(value)}
        return own | nested if deep else own

    def set_params(self, **params: Any) -> Self:
        """Change parameters in place, nested ones by ``budget__epochs``, and return the method.

        Raises
        ------
        InputError
            For a parameter that the method does not have.
        """
        known = list(self.get_params())
        for key, value in params.items():
            if key not in known:
                raise InputError(f"{self.name} has no parameter {key}; {nearest(key, known)}")
            name, _, nested = key.partition("__")
            setattr(self, name, _changed(getattr(self, name), nested, value) if nested else value)
        return self


def _is_memory(error: Exception) -> bool:
    """Whether memory ran out: torch.OutOfMemoryError is a RuntimeError, and closed forms need no torch."""
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def _tell(fitted: Fitted, note: str) -> None:
    """Add a note to a fit, also to one that keeps none: those who read notes ask whether there are any."""
    notes = getattr(fitted, "notes", None)
    if isinstance(notes, list):
        notes.append(note)
    else:
        object.__setattr__(fitted, "notes", [note])


def _fields(value: object) -> Sequence[str]:
    """Return the names of the parameters of a parameter: settings, or a dataclass."""
    if isinstance(value, Strict):
        return list(type(value).model_fields)
    return [field.name for field in fields(value)] if is_dataclass(value) and not isinstance(value, type) else []


def _changed(value: Any, name: str, to: Any) -> Any:  # noqa: ANN401 - settings, or a dataclass
    return value.replaced(**{name: to}) if isinstance(value, Strict) else replace(value, **{name: to})
