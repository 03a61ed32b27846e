"""Level II by scikit-learn's protocol: one object that fits several seeds of any method and encodes people."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl._edge_stability import EdgeStability, edge_stability, other_seeds
from personax.crl._estimator import Arrays, Estimator, Fitted, Method, Progress
from personax.crl._identification import IdentificationTable, identify
from personax.crl._lacking import encode_all, has_every_measurement, people_to_fit, some_people
from personax.crl._reduce import ReducedFit, ReductionSetting, reduce_views
from personax.crl._scaler import check
from personax.crl._select import SeedSelection, fit_seeds, reported_fits
from personax.crl._stability import agreement
from personax.crl._vectors import as_arrays
from personax.crl.methods import method as make_method
from personax.engine import parallel_config
from personax.errors import InputError
from personax.schema import Graph
from personax.strict import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Level2"]


@dataclass
class Level2:
    """Latent causes behind measurements of several modalities, as scikit-learn's transformers are used.

    Parameters
    ----------
    latents
        Modality -> number of its own latents.
    method
        Name of a method, or a method with its options, not fitted; its parameters are then ``method__...`` here.
    shared
        Latents that all modalities share.
    seeds
        Fits, of which the one with the least objective on validation people is taken; no truth is looked at.
    random_state
        From which all random numbers come: a number, a generator of numpy, or None for others every time.
    n_jobs
        Seeds fitted at the same time, each in a process; -1 for as many as there are cores. Numbers are the same.
    reduce
        Wide measurements as principal components; see `reduce_views`.
    progress
        Called with (done, total, validation objective) over all seeds. It is not pickled.

    Attributes
    ----------
    fitted_
        The chosen fit, which `save_fit` writes and `load_fit` reads.
    selection_
        All seeds and how far they agree, see `SeedSelection`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(200, 2))
    >>> views = {m: {k: z @ rng.normal(size=(2, 5)) for k in "ab"} for m in ("text", "image")}
    >>> model = Level2(latents={"text": 1, "image": 1}, method="cca", seeds=1, random_state=0)
    >>> model.fit(views).transform(views).shape, model.get_feature_names_out().tolist()
    ((200, 2), ['text_1', 'image_1'])
    """

    latents: Mapping[str, int]
    method: str | Method = "default"
    shared: int = 0
    seeds: int = 3
    random_state: int | np.random.Generator | np.random.RandomState | None = None
    n_jobs: int | None = None
    reduce: ReductionSetting = "auto"
    progress: Progress | None = None

    def fit(self, views: Any, y: object = None) -> Self:  # noqa: ANN401 - arrays or tables, see as_arrays
        """Learn latents.

        Parameters
        ----------
        views
            Modality -> measurement -> vectors, shape (n, dim), or a pandas or polars table whose columns of vectors are
            called ``modality/measurement``; the same people in the same order everywhere. Who lacks a measurement has
            null, or a row of NaN, there. `default` reads the others of the modality, and other methods are fitted
            without such people; of whom nobody can tell latents they are NaN.
        y
            Ignored; scikit-learn passes it.

        Raises
        ------
        InputError
            Measurements that nothing can be learned from; an unknown method; numbers that cannot be.
        ComputationError
            When no seed can be fitted.
        """
        arrays, made = as_arrays(views), self._checked()
        check(arrays, self.latents, self.shared, lacking=True)
        arrays = some_people(arrays, people_to_fit(made, arrays))
        check(arrays, self.latents, self.shared, lacking=True)
        arrays, reduced = reduce_views(arrays, self.reduce)
        with self._workers():
            chosen = fit_seeds(
                made, arrays, latents=self.latents, shared=self.shared, seeds=self.seeds, rng=self._rng(),
                progress=self._progress(reported_fits(made, self.seeds)),
            )  # fmt: skip
        self.selection_: SeedSelection = chosen
        self.fitted_: Fitted = ReducedFit(chosen.best, reduced) if reduced else chosen.best
        self._reduced = reduced
        self._stability = _stability(chosen, arrays, self.latents, self.shared)
        self.n_features_in_ = sum(x.shape[1] for by in as_arrays(views).values() for x in by.values())
        return self

    def transform(self, views: Any) -> NDArray[np.float64]:  # noqa: ANN401 - see as_arrays
        """Return the latents of any people, shape (n, d).

        Raises
        ------
        InputError
            Before `fit`; measurements that are not those fitted on.
        """
        return encode_all(self._fit, as_arrays(views))

    def fit_transform(self, views: Any, y: object = None) -> NDArray[np.float64]:  # noqa: ANN401 - see as_arrays
        """Learn latents and return those of the same people, shape (n, d)."""
        return self.fit(views, y).transform(views)

    def score(self, views: Any, y: object = None) -> float:  # noqa: ANN401 - see as_arrays
        """Return how far the seeds agree on these people, larger is better; ``y`` is not looked at.

        The mean Spearman correlation of latents matched within modalities, over pairs of seeds (see `agreement`): it
        compares options of a method on people held out, as a grid search does. Latents that agree may still be wrong.

        Raises
        ------
        InputError
            With fewer than two seeds that came through.
        """
        _ = self._fit
        arrays = as_arrays(views)
        fits = [fit for fit in self.selection_.fits if fit is not None]
        if len(fits) < 2:
            raise InputError("the score is the agreement of seeds; give seeds=2 or more")
        arrays = some_people(arrays, has_every_measurement(arrays))
        encoded = [(ReducedFit(fit, self._reduced) if self._reduced else fit).encode(arrays) for fit in fits]
        return agreement(encoded, counts={m: self.latents[m] for m in arrays}, shared=self.shared).mean

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the latents, in the order of the columns."""
        return np.array(self._fit.names, dtype=object)

    @property
    def graph_(self) -> Graph | None:
        """The learned graph between latents, edges by how often other seeds find them; None where there is none."""
        from personax.crl.metrics import to_graph

        adjacency = self._fit.adjacency
        if adjacency is None:
            return None
        again, known = self._stability, self.identification_.identified
        shares, refits = (None, ()) if again is None else (again.shares, again.refits)
        sure = getattr(self._fit, "directed_from", None)
        return to_graph(adjacency, self._fit.names, identified=known, sure=sure, found_again=shares, refits=refits)

    @property
    def seeds_(self) -> pl.DataFrame:
        """One row a seed: objective, agreement with the others, chosen or not, and why it failed."""
        _ = self._fit
        return pl.DataFrame(self.selection_.seeds(), infer_schema_length=None)

    @property
    def identification_(self) -> IdentificationTable:
        """What may be claimed of each latent, by the fit's own diagnostics and the agreement of the seeds."""
        return identify(self._fit, seeds=self.selection_.stability)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; ``deep`` adds those of a method, as in ``method__budget__epochs``."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        if deep and isinstance(self.method, Estimator):
            own |= {f"method__{name}": value for name, value in self.method.get_params().items()}
        return own

    def set_params(self, **params: Any) -> Self:
        """Change parameters in place, those of a method by ``method__...``, and return the object.

        Raises
        ------
        InputError
            For a parameter that there is not.
        """
        own = [field.name for field in fields(self)]
        for key, value in params.items():
            name, _, nested = key.partition("__")
            if name not in own or (nested and name != "method"):
                raise InputError(f"Level2 has no parameter {key}; {nearest(key, list(self.get_params()))}")
            if not nested:
                setattr(self, name, value)
            elif isinstance(self.method, Estimator):
                self.method.set_params(**{nested: value})
            else:
                raise InputError(f"{key}: method is a name; give the method itself, as in method('paper')")
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - called by scikit-learn alone, which personax need not have
        from sklearn.base import BaseEstimator

        return BaseEstimator().__sklearn_tags__()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"progress": None}  # who watches stays in this process

    @property
    def _fit(self) -> Fitted:
        if not hasattr(self, "fitted_"):
            raise InputError("Level2 is not fitted; call fit first")
        return self.fitted_

    def _checked(self) -> Method:
        if not isinstance(self.latents, Mapping) or not self.latents:
            raise InputError('latents is modality -> number of its latents, as in {"text": 2, "image": 2}')
        if self.seeds < 1:
            raise InputError(f"{self.seeds} seeds cannot be fitted; give at least 1")
        return make_method(self.method) if isinstance(self.method, str) else self.method

    def _rng(self) -> np.random.Generator:
        if isinstance(self.random_state, np.random.RandomState):
            return np.random.default_rng(self.random_state.randint(2**31 - 1))
        return np.random.default_rng(self.random_state)

    @contextmanager
    def _workers(self) -> Iterator[None]:
        jobs = (os.cpu_count() or 1) if self.n_jobs == -1 else self.n_jobs
        with parallel_config(jobs=jobs):
            yield

    def _progress(self, fits: int) -> Callable[[int], Progress | None]:
        told = self.progress
        if told is None:
            return lambda _: None

        def of(seed: int) -> Progress:
            return lambda done, total, value: told(seed * total + done, fits * total, value)

        return of


def _stability(chosen: SeedSelection, views: Arrays, latents: Mapping[str, int], shared: int) -> EdgeStability | None:
    """Return which edges of the chosen fit other seeds find again; None where the method learns no graph."""
    best = chosen.best
    if best.adjacency is None:
        return None
    return edge_stability(
        best.encode(views), best.names, other_seeds(chosen, views), counts={m: latents[m] for m in views}, shared=shared
    )
