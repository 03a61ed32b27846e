"""Wide measurements reduced before training: principal components, fitted once for all seeds.

An encoder of texts gives some thousand numbers, far more than latents and people can use; every pass over them costs
memory and time. How many components are kept is decided from the measurements alone. Latents are what several
measurements show: a component that no other measurement predicts, beyond the leading ones, can be left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from personax.crl._estimator import Arrays, Fitted, FittedResult
from personax.crl._lacking import lacks
from personax.crl._scaler import chunks
from personax.errors import InputError

__all__ = ["WIDE", "ReducedFit", "ReducedMeasurement", "ReductionSetting", "describe_reductions", "reduce_views"]

ReductionSetting = Literal["auto", "none"] | Annotated[int, Field(ge=1)]
"""``auto``: measurements of more than `WIDE` numbers, to as many components as they need; ``none``; or so many."""

WIDE: Final = 1024
"""Numbers beyond which a measurement is reduced."""

LEADING: Final = 256
"""Components that are always kept: a modality with one measurement has nothing else that would show them."""

MOST: Final = 1024
"""Components that are kept at most."""

PEOPLE_EACH: Final = 6
"""People for each component that predicts: so many of another measurement's leading components are looked at."""

PREDICTED: Final = 0.05
"""Adjusted R2 from which a component counts as shown by another measurement: five deviations of chance."""

SAMPLE: Final = 3000
"""People from whom components are learned, and how well other measurements predict them."""

SEED: Final = 20260101
"""Of the sample and the rotation: the same for all seeds and methods."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReducedMeasurement:
    """The components of one measurement.

    Parameters
    ----------
    mean, axes
        Shapes (dim,) and (dim, kept); the axes are orthonormal. They span the leading principal components and are
        turned among them, so that every number varies about as much: a method that standardises numbers would enlarge
        small components otherwise.
    share
        Of the variance of the people from whom they were learned.
    left_out
        Largest adjusted R2 with which another measurement predicts a component that is left out; NaN where none is,
        or none was looked at.
    """

    mean: Floats = field(repr=False)
    axes: NDArray[np.float32] = field(repr=False)
    share: float
    left_out: float = math.nan

    def apply(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Return the components of any people, shape (n, kept); they may lie in a file."""
        made = np.empty((len(x), self.axes.shape[1]), np.float32)
        for rows in chunks(len(x)):
            made[rows] = (x[rows] - self.mean.astype(np.float32)).astype(np.float32) @ self.axes
        return made


@dataclass(frozen=True)
class ReducedFit(FittedResult):
    """A fit to reduced measurements, which encodes the measurements themselves.

    Parameters
    ----------
    fit
        Of the components.
    reduced
        Modality -> measurement -> its components, where it was reduced.
    """

    fit: Fitted
    reduced: Mapping[str, Mapping[str, ReducedMeasurement]] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """As `Fitted` says."""
        return self.fit.names

    @property
    def adjacency(self) -> Floats | None:
        """As `Fitted` says."""
        return self.fit.adjacency

    @property
    def objective(self) -> float:
        """As `Fitted` says."""
        return self.fit.objective

    @property
    def fits_lacking(self) -> bool:
        """Whether people may lack a measurement, see `Estimator`."""
        return bool(getattr(self.fit, "fits_lacking", False))

    def encode(self, views: Arrays) -> Floats:
        """Return the latents of any people, shape (n, d).

        Raises
        ------
        InputError
            Measurements that are not those fitted on.
        """
        return self.fit.encode(_applied(self.reduced, views))

    def noise(self, views: Arrays) -> Floats:
        """Return the exogenous noise of any people, shape (n, d), where the method knows it.

        Raises
        ------
        InputError
            The method gives none.
        """
        inner = getattr(self.fit, "noise", None)
        if inner is None:
            raise InputError("this method gives no exogenous noise; encode() gives the latents of people")
        found: Floats = inner(_applied(self.reduced, views))
        return found


def reduce_views(
    views: Arrays, asked: ReductionSetting = "auto"
) -> tuple[Arrays, Mapping[str, Mapping[str, ReducedMeasurement]]]:
    """Reduce wide measurements to principal components.

    Parameters
    ----------
    views
        Modality -> measurement -> vectors, shape (n, dim), finite, or rows of NaN of people who lack a measurement; the
        same people in the same order everywhere.
    asked
        See `ReductionSetting`.

    Returns
    -------
    tuple
        The measurements, those that were reduced as components, and the components; nothing where none is wide.

    Notes
    -----
    Of each wide measurement the leading 256 components are kept, and further ones, up to 1,024, as far as the last that
    the leading components of another measurement predict (adjusted R2 above 0.05). What predicts is linear: a component
    that is only bent by what others show may be missed.

    References
    ----------
    Halko, Martinsson, Tropp 2011, doi:10.1137/090771806 (components of a sample). Horn 1965, doi:10.1007/BF02289447
    (how many: those that chance does not explain).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> wide = (rng.normal(size=(100, 2)) @ rng.normal(size=(2, 2000))).astype(np.float32)
    >>> views, found = reduce_views({"text": {"a": wide, "b": wide[:, :3]}})
    >>> {name: x.shape for name, x in views["text"].items()}, round(found["text"]["a"].share, 3)
    ({'a': (100, 2), 'b': (100, 3)}, 1.0)
    """
    limit = WIDE if asked == "auto" else asked
    if limit == "none":
        return views, {}
    arrays = {(m, name): x for m, by in views.items() for name, x in by.items()}
    wide = [of for of, x in arrays.items() if x.ndim == 2 and x.shape[1] > int(limit)]
    if not wide:
        return views, {}
    rng = np.random.default_rng(SEED)
    rows = np.sort(rng.permutation(len(next(iter(arrays.values()))))[:SAMPLE])
    most = MOST if asked == "auto" else int(limit)
    parts = {of: _components(arrays[of], rows, most if of in wide else SAMPLE // PEOPLE_EACH) for of in arrays}
    found: dict[str, dict[str, ReducedMeasurement]] = {}
    for of in wide:
        mean, axes, scores, total = parts[of]
        others = [one[2] for other, one in parts.items() if other != of]
        kept, left_out = _needed(scores, others) if asked == "auto" else (axes.shape[1], math.nan)
        turn = np.linalg.qr(rng.normal(size=(kept, kept)))[0]
        share = float(np.square(scores[:, :kept]).sum() / total) if total else 1.0
        turned = (axes[:, :kept] @ turn).astype(np.float32)
        found.setdefault(of[0], {})[of[1]] = ReducedMeasurement(mean, turned, share, left_out)
    return _applied(found, views), found


def describe_reductions(found: Mapping[str, Mapping[str, ReducedMeasurement]]) -> list[str]:
    """Say in a sentence a measurement what was reduced, by how much, and how it is undone."""
    return [
        f"Level II reads {modality}/{name} as {one.axes.shape[1]:,} principal components in place of "
        f"{one.axes.shape[0]:,} numbers ({one.share:.1%} of the variance){_told(one)}. "
        "crl.reduce: none reads all numbers."
        for modality, by in found.items()
        for name, one in by.items()
    ]


def _told(one: ReducedMeasurement) -> str:
    if math.isnan(one.left_out):
        return ""
    largest = max(0.0, one.left_out)
    return f"; another measurement predicts none of those left out better than R2 = {largest:.2f}"


def _applied(found: Mapping[str, Mapping[str, ReducedMeasurement]], views: Arrays) -> Arrays:
    """Return measurements, those that are reduced as components."""
    for modality, by in found.items():
        for name, one in by.items():
            x = views.get(modality, {}).get(name)
            if x is not None and (x.ndim != 2 or x.shape[1] != len(one.mean)):
                text = (
                    f"the embedding {modality}/{name} has shape {x.shape}; it was fitted with {len(one.mean)} numbers"
                )
                raise InputError(text)
    return {
        m: {name: found[m][name].apply(x) if name in found.get(m, {}) else x for name, x in by.items()}
        for m, by in views.items()
    }


def _components(
    x: NDArray[Any], rows: NDArray[np.intp], most: int
) -> tuple[Floats, NDArray[np.float32], NDArray[np.float32], float]:
    """Return mean, leading axes, their scores of the sampled people, and the sum of squares of these people."""
    there = ~lacks(x)
    sums = (x[some][there[some]].sum(axis=0, dtype=np.float64) for some in chunks(len(x)))
    mean = sum(sums, np.zeros(x.shape[1])) / max(1, int(there.sum()))
    own = (x[rows] - mean).astype(np.float32)
    own[~there[rows]] = 0  # who lacks the measurement says nothing of its components
    if len(own) < own.shape[1]:  # the smaller of the two products has the same values
        values, left = np.linalg.eigh((own @ own.T).astype(np.float64))
        kept = _kept(values, most)
        sizes = np.sqrt(values[::-1][:kept])
        axes = np.asarray(own.T @ (left[:, ::-1][:, :kept] / sizes).astype(np.float32))
    else:
        values, right = np.linalg.eigh((own.T @ own).astype(np.float64))
        axes = right[:, ::-1][:, : _kept(values, most)].astype(np.float32)
    return mean, axes, own @ axes, float(np.square(own.astype(np.float64)).sum())


def _kept(values: Floats, most: int) -> int:
    """Return how many eigenvalues, ascending, are more than rounding; one at least."""
    return max(1, min(most, int((values > 1e-6 * values[-1]).sum())))


def _needed(scores: NDArray[np.float32], others: list[NDArray[np.float32]]) -> tuple[int, float]:
    """Return how many components to keep, and the largest adjusted R2 with which one of the rest is predicted.

    Components of one measurement are uncorrelated, so that the R2 of a regression on them is the sum of the squared
    correlations. Of K that say nothing it is about K / n, which the adjustment takes off, with deviation sqrt(2 K) / n.
    """
    people = len(scores)
    own = _standardised(scores[:, LEADING:])
    most = people // PEOPLE_EACH
    if not own.shape[1] or not others or not most:
        return min(LEADING, scores.shape[1]), math.nan
    r2 = np.full(own.shape[1], -np.inf)
    for other in others:
        by = _standardised(other[:, :most])
        explained = np.square(own.T @ by / people).sum(axis=1)
        r2 = np.maximum(r2, 1 - (1 - explained) * (people - 1) / (people - 1 - by.shape[1]))
    shown = np.flatnonzero(r2 > PREDICTED)
    kept = LEADING + (int(shown[-1]) + 1 if len(shown) else 0)
    left = r2[kept - LEADING :]
    return kept, float(left.max()) if len(left) else math.nan


def _standardised(z: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((z - z.mean(axis=0)) / np.maximum(z.std(axis=0), 1e-30), dtype=np.float32)
