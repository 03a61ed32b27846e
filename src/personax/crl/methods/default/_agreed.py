"""Agreed components: the linear functions of a modality's measurements on which the measurements agree.

What several measurements of a person have in common is the person's latents; what only one of them has (a word that a
template needs, a pose, a light) is nuisance. Principal components do not tell the two apart, and latents may lie in
directions of little variance. So measurements are whitened, and directions are sought whose projections agree: ridged
MAXVAR, that is generalised canonical correlation. Of measurements x_k with covariances C_kk it maximises the variance
of ``sum_k x_k w_k`` where ``sum_k w_k' (C_kk + ridge I) w_k = 1``: an eigenproblem of the blocks C_kl.

People may lack a measurement (a row of NaN). Block C_kl is then of the people who have both, and such a person's
components are the mean of the projections that there are, brought to what the mean of all would be expected to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from personax.crl._lacking import lacks
from personax.crl._scaler import chunks
from personax.errors import InputError

__all__ = ["AgreedComponents", "copied_measurements", "fit_agreed_components"]

PRINCIPAL: Final = (40, 80, 200)
"""Numbers of principal components that are tried; at most a quarter of the people."""

RIDGES: Final = (0.003, 0.03, 0.3)
"""Ridges that are tried, in units of the variance of whitened components."""

FOLDS: Final = 4
LEAST: Final = 0.2
"""Agreement from which a component is kept: a correlation between measurements, on people held out."""

MOST: Final = 24
"""Agreed components at most."""

LARGEST: Final = 0.995
"""Agreement at most: so large a correlation of few people says no more."""

SAMPLE: Final = 4000
"""People from whom the principal components of long measurements are learned."""

LONG: Final = 1024
"""Numbers beyond which a measurement is long."""

COPIED: Final = 0.98
"""Agreement of the least of all common components from which a measurement is a copy of another one."""

Floats = NDArray[np.float64]
Measurements = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class AgreedComponents:
    """Linear functions of each measurement of a modality on which they agree.

    Parameters
    ----------
    mean
        Measurement -> shape (dim,).
    directions
        Measurement -> shape (dim, q); projections on them have variance one on the people fitted on. They are zero
        where a measurement that has fewer numbers than there are components takes no part in one.
    agreement
        Mean correlation between two measurements' projections on people held out, shape (q,), largest first.
    principal, ridge
        How many principal components and which ridge agreed most on people held out.
    information
        What the measurements say of one another there, in nats: minus half the sum of log(1 - agreement^2).
    """

    mean: dict[str, Floats] = field(repr=False)
    directions: dict[str, NDArray[np.float32]] = field(repr=False)
    agreement: Floats
    principal: int
    ridge: float
    information: float

    @property
    def count(self) -> int:
        """Number of agreed components."""
        return len(self.agreement)

    @property
    def takes_part(self) -> NDArray[np.bool_]:
        """Which measurement takes part in which component, shape (measurements, q)."""
        return np.array([self.directions[name].any(axis=0) for name in self.mean])

    @property
    def error(self) -> Floats:
        """Standard deviation of the mean projection's error, shape (q,).

        A projection of variance one is content of variance rho and error of variance 1 - rho, which is a measurement's
        own: their mean over K measurements has an error of variance (1 - rho) / K.
        """
        return np.asarray(np.sqrt((1 - self.agreement) / self.takes_part.sum(axis=0)))

    def each(self, by: Measurements) -> NDArray[np.float32]:
        """Return the projections of every measurement, shape (measurements, n, q), NaN where a person lacks it."""
        found = np.empty((len(self.mean), len(next(iter(by.values()))), self.count), np.float32)
        for at, (name, mean) in enumerate(self.mean.items()):
            for rows in chunks(found.shape[1]):
                found[at, rows] = (by[name][rows] - mean).astype(np.float32) @ self.directions[name]
        return found

    def mean_projection(self, by: Measurements) -> NDArray[np.float32]:
        """Return the mean over measurements, shape (n, q); NaN for people who lack all.

        A mean over K' of K measurements is content and an error of variance (1 - rho) / K', so that content is expected
        to be b = rho / (rho + (1 - rho) / K') times it. The K - K' projections that lack are expected to be that too,
        and the mean of all K to be (K' + (K - K') b) / K times the mean of those there are.
        """
        each, takes_part = self.each(by), self.takes_part
        there = ~np.isnan(each) & takes_part[:, None, :]
        if there.all():
            return np.asarray(each.mean(axis=0))
        number, whole, rho = there.sum(axis=0), takes_part.sum(axis=0), self.agreement
        mean = np.where(there, each, 0).sum(axis=0) / number.clip(1)
        kept = rho / (rho + (1 - rho) / number.clip(1))
        found = (mean * (number + (whole - number) * kept) / whole).astype(np.float32)
        # of components of which nothing is there, the mean of all people is expected; of nobody, nothing
        found[np.isnan(each).all(axis=(0, 2))] = np.nan
        return np.asarray(found)

    def __call__(self, by: Measurements) -> NDArray[np.float32]:
        """Return the mean over measurements in units of its error, shape (n, q); NaN for people who lack all."""
        return np.asarray(self.mean_projection(by) / self.error, dtype=np.float32)


@dataclass(frozen=True)
class _Principal:
    """Whitened principal components of one measurement, those of most variance first; 0 of people who lack it."""

    mean: Floats
    axes: Floats
    scores: Floats
    there: NDArray[np.bool_]


def fit_agreed_components(by: Measurements, rows: NDArray[np.intp], rng: np.random.Generator) -> AgreedComponents:
    """Find what the measurements of a modality agree on.

    Parameters
    ----------
    by
        Measurement -> vectors, shape (n, dim), finite, or rows of NaN; two or more measurements.
    rows
        The people to learn from; a quarter of them at a time is held out to choose by.
    rng
        Deals people into folds.

    Returns
    -------
    AgreedComponents
        Those that agree on people held out by .2 or more; none where the measurements have nothing in common.

    References
    ----------
    Kettenring 1971, doi:10.1093/biomet/58.3.433 (MAXVAR). Yao et al. 2024, arXiv:2311.04056 (what measurements have in
    common is identified up to an invertible map).
    """
    found = {name: _principal(x, rows) for name, x in by.items()}
    scores, there = [one.scores for one in found.values()], [one.there for one in found.values()]
    parts = np.array_split(rng.permutation(len(rows)), FOLDS)
    tried = [
        (*_taking_part(_held_out_correlations(scores, there, parts, most, ridge), [x.shape[1] for x in scores]),
         most, ridge)
        for most in _numbers(len(rows), max(x.shape[1] for x in scores))
        for ridge in RIDGES
    ]  # fmt: skip
    held_out, takes_part, most, ridge = max(tried, key=lambda one: _information(one[0]))
    kept = np.flatnonzero(held_out > LEAST)[:MOST]
    short = [x[:, :most] for x in scores]
    weights = [w[:, kept] * own[kept] for w, own in zip(_maxvar(short, there, ridge), takes_part, strict=True)]
    directions = {
        name: np.asarray(one.axes[:, :most] @ (w / (x[one.there] @ w).std(axis=0).clip(1e-12)), dtype=np.float32)
        for (name, one), x, w in zip(found.items(), short, weights, strict=True)
    }
    means = {name: one.mean for name, one in found.items()}
    agreement = held_out[kept].clip(0.05, LARGEST)
    return AgreedComponents(means, directions, agreement, most, ridge, _information(held_out))


def copied_measurements(by: Measurements, rows: NDArray[np.intp]) -> list[tuple[str, str]]:
    """Return pairs of measurements one of which is a linear map of the other: they are one measurement.

    Two measurements that are each their own have nuisance, on which they do not agree; a copy agrees on everything.
    """
    found = {name: _principal(x, rows) for name, x in by.items()}
    return [
        (a, b)
        for a, b in combinations(found, 2)
        if (both := found[a].there & found[b].there).any() and _is_copy(found[a].scores[both], found[b].scores[both])
    ]


def _is_copy(a: Floats, b: Floats) -> bool:
    most = max(1, min(PRINCIPAL[0], a.shape[1], b.shape[1], len(a) // 8))
    learn, held = slice(0, len(a) // 2), slice(len(a) // 2, len(a))
    # the leading components of the one, each predicted by all of the other, on people held out
    by = b[:, : max(most, len(a) // 8)]
    weights = np.linalg.lstsq(by[learn], a[learn, :most], rcond=None)[0]
    left = np.square(a[held, :most] - by[held] @ weights).sum(axis=0) / np.square(a[held, :most]).sum(axis=0)
    return bool(np.sqrt(1 - left.clip(0, 1)).min() > COPIED)


def _numbers(people: int, there: int) -> list[int]:
    """Return the numbers of principal components to try."""
    most = max(1, people // FOLDS)
    return list(dict.fromkeys(min(number, there) for number in PRINCIPAL if number <= most)) or [min(most, there)]


def _principal(x: NDArray[Any], rows: NDArray[np.intp]) -> _Principal:
    """Return the leading principal components of some rows, whitened; measurements may lie in a file."""
    there = ~lacks(x)[rows]
    everybody, rows = len(rows), rows[there]
    if not len(rows):
        raise InputError("a measurement has no vector of anybody; leave it out")
    wide = x.shape[1] > LONG
    kind = np.float32 if wide else np.float64
    mean = sum((x[rows[at]].sum(axis=0, dtype=np.float64) for at in chunks(len(rows))), np.zeros(x.shape[1])) / len(
        rows
    )
    some = _centred(x, rows[:SAMPLE] if wide else rows, mean, kind)
    if len(some) < some.shape[1]:  # the smaller of the two products has the same values
        values, left = _largest((some @ some.T).astype(np.float64))
        axes = some.T @ (left / np.sqrt(values)).astype(kind)
    else:
        values, axes = _largest((some.T @ some).astype(np.float64))
    axes = axes[:, values > 1e-7 * values[0]].astype(np.float64)
    scores = np.concatenate(
        [(_centred(x, rows[at], mean, kind) @ axes.astype(kind)).astype(np.float64) for at in chunks(len(rows))]
    )
    size = scores.std(axis=0).clip(1e-30)
    whitened = np.zeros((everybody, scores.shape[1]))
    whitened[there] = scores / size
    return _Principal(mean, axes / size, whitened, there)


def _centred(x: NDArray[Any], rows: NDArray[np.intp], mean: Floats, kind: type[np.floating[Any]]) -> NDArray[Any]:
    found = np.empty((len(rows), x.shape[1]), kind)
    for at in chunks(len(rows)):
        found[at] = x[rows[at]] - mean
    return found


def _largest(product: Floats) -> tuple[Floats, Floats]:
    """Return the largest eigenvalues, falling, and their vectors."""
    if not np.diagonal(product).any():
        raise InputError("a measurement is the same for everybody, so nothing can be learned from it; leave it out")
    first = max(0, len(product) - PRINCIPAL[-1])
    values, vectors = eigh(product, subset_by_index=[first, len(product) - 1])
    return np.maximum(values[::-1], 1e-300), vectors[:, ::-1]


Places = Sequence[NDArray[np.bool_]]
"""Of each measurement who has it, shape (n,)."""


def _maxvar(scores: Sequence[Floats], there: Places, ridge: float) -> list[Floats]:
    """Return of every measurement the weights of the components that agree most, shape (k, count)."""
    joined = np.concatenate([_about_zero(x, own) for x, own in zip(scores, there, strict=True)], axis=1)
    covariance = joined.T @ joined / len(joined)
    within = np.zeros_like(covariance)
    ends = np.cumsum([x.shape[1] for x in scores])
    spans = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    for a, one in zip(spans, there, strict=True):
        for b, other in zip(spans, there, strict=True):
            covariance[a, b] /= max((one & other).mean(), 1 / len(one))
        within[a, a] = covariance[a, a]
    # a component needs two measurements that have room for it
    count = min(2 * MOST, sorted(x.shape[1] for x in scores)[-2])
    last = len(covariance) - 1
    _, vectors = eigh(
        covariance - within, within + ridge * np.eye(len(within)), subset_by_index=[last - count + 1, last]
    )
    return list(np.split(vectors[:, ::-1], ends[:-1]))


def _about_zero(x: Floats, there: NDArray[np.bool_]) -> Floats:
    """Return columns about the mean of those who have the measurement, 0 for the others."""
    return np.asarray((x - x[there].mean(axis=0)) * there[:, None]) if there.any() else x


def _held_out_correlations(
    scores: Sequence[Floats], there: Places, parts: Sequence[NDArray[np.intp]], most: int, ridge: float
) -> Floats:
    """Return correlations of two measurements' components on people held out, shape (measurements, same, count)."""
    found = []
    for at, held in enumerate(parts):
        learn = np.concatenate([part for place, part in enumerate(parts) if place != at])
        weights = _maxvar([x[learn, :most] for x in scores], [own[learn] for own in there], ridge)
        projections = [x[held, :most] @ w for x, w in zip(scores, weights, strict=True)]
        found.append(_correlations(projections, [own[held] for own in there]))
    return np.asarray(np.mean(found, axis=0))


def _correlations(projections: Sequence[Floats], there: Places) -> Floats:
    """Return the correlations of each two measurements' projections, among people who have both."""
    scaled = []
    for y, own in zip(projections, there, strict=True):
        about = _about_zero(y, own)
        scaled.append(about / np.sqrt(np.square(about).sum(axis=0) / max(own.sum(), 1)).clip(1e-12))
    found = np.zeros((len(scaled), len(scaled), projections[0].shape[1]))
    for a, b in combinations(range(len(scaled)), 2):
        both = max((there[a] & there[b]).sum(), 1)
        found[a, b] = found[b, a] = (scaled[a] * scaled[b]).sum(axis=0) / both
    return found


def _taking_part(correlations: Floats, widths: Sequence[int]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the agreement of each component, shape (count,), and which measurement takes part in which.

    All take part but where one has fewer numbers than there are components: a questionnaire of nine items cannot show
    each of twenty, and takes part in those in which it agrees with the others. Agreement is the mean over the pairs of
    those that take part.
    """
    measurements, count = len(correlations), correlations.shape[2]
    takes_part = np.ones((measurements, count), dtype=bool)
    if measurements > 2:
        own = correlations.sum(axis=1) / (measurements - 1)
        narrow = np.array(widths) < count
        takes_part[narrow] = own[narrow] > LEAST
    pairs = list(combinations(range(measurements), 2))
    both = np.array([takes_part[a] & takes_part[b] for a, b in pairs])
    told = np.array([correlations[a, b] for a, b in pairs])
    return (told * both).sum(axis=0) / both.sum(axis=0).clip(1), takes_part


def _information(agreement: Floats) -> float:
    told = agreement[agreement > LEAST / 2].clip(0, 0.999)
    return float(-0.5 * np.log(1 - np.square(told)).sum())
