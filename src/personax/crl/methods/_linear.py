"""Closed forms: latents that are weighted sums of standardised dimensions (PCA, CCA). No torch is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, eigh

from personax.crl._budget import STANDARD, Budget
from personax.crl._estimator import Arrays, Estimator, FittedResult, Problem
from personax.crl._scaler import Scaler, check, chunks, latent_names
from personax.errors import InputError
from personax.registry import register

__all__ = ["CCA", "PCA", "LinearFit", "canonical", "gram", "principal", "sides", "signed"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearFit(FittedResult):
    """A fitted closed form.

    Parameters
    ----------
    names
        Of the latents.
    objective
        Smaller is better; closed forms have no seed and so no validation people.
    scale
        Of the measurements.
    weights
        Modality -> shape (dimensions of all its measurements, d).
    std
        Of the weighted sums over the people fitted on, shape (d,).
    """

    names: list[str]
    objective: float
    scale: Scaler
    weights: Mapping[str, Array]
    std: Array
    adjacency: None = None

    @classmethod
    def fit(
        cls, names: list[str], objective: float, scale: Scaler, weights: Mapping[str, Array], views: Arrays
    ) -> LinearFit:
        """Finish from the weights and the measurements of the people fitted on."""
        std = _sums(scale, views, weights).std(axis=0)
        return cls(names, objective, scale, weights, np.where(std > 0, std, 1.0))

    def encode(self, views: Arrays) -> Array:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on."""
        self.scale.check_people(views)
        encoded: Array = _sums(self.scale, views, self.weights) / self.std
        return encoded


def sides(scale: Scaler, views: Arrays) -> Iterator[dict[str, Array]]:
    """Go through people a chunk at a time: of each modality its standardised measurements side by side."""
    for rows in chunks(len(next(iter(next(iter(views.values())).values())))):
        yield {m: np.column_stack(list(by.values())) for m, by in scale.read(views, rows).items()}


def _sums(scale: Scaler, views: Arrays, weights: Mapping[str, Array]) -> Array:
    parts = [np.sum([x[m] @ w for m, w in weights.items()], axis=0) for x in sides(scale, views)]
    return np.concatenate(parts)


def gram(parts: Iterable[Array]) -> Array:
    """Return the sum of products of columns, shape (dim, dim), of people a chunk at a time."""
    total = np.zeros(())
    for x in parts:
        total = total + x.T @ x
    return total


def principal(parts: Iterable[Array], people: int, count: int) -> tuple[Array, Array]:
    """Return the directions of largest variance of centred people, shape (dim, count), and their variances.

    Signs are such that the largest entry of a direction is positive. Where there are as many people as dimensions, who
    come a chunk at a time, no more than a chunk and the products of columns are held; else all of them are.

    References
    ----------
    Hotelling 1933, doi:10.1037/h0071325.
    """
    parts = iter(parts)
    first = next(parts)
    if first.shape[1] <= people:
        values, vectors = np.linalg.eigh(gram(chain([first], parts)) / people)
        order = np.argsort(values)[::-1][:count]
        return signed(vectors[:, order]), values[order]
    _, singular, rows = np.linalg.svd(np.concatenate([first, *parts]), full_matrices=False)
    return signed(rows[:count].T), np.square(singular[:count]) / people


def signed(vectors: Array) -> Array:
    """Return columns, each turned so that its entry of largest size is positive."""
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    turned: Array = vectors * np.where(largest < 0, -1.0, 1.0)
    return turned


@register("methods", "pca", title="PCA", order=2, needs_torch=False)
@dataclass
class PCA(Estimator):
    """The first principal components of each modality, its measurements side by side.

    Shared latents are the first components of all modalities side by side. The objective is the share of variance
    that a modality's own components leave out, averaged over modalities.

    References
    ----------
    Hotelling 1933, doi:10.1037/h0071325.
    """

    budget: Budget = STANDARD
    name = "pca"

    def learn(self, problem: Problem) -> LinearFit:
        """Return the fitted method; neither the truth nor the generator is used."""
        views, latents, shared = problem.views, problem.latents, problem.shared
        check(views, latents, shared)
        scale = Scaler.fit(views)
        n, dims = len(next(iter(next(iter(views.values())).values()))), scale.dims
        sizes = {m: sum(by.values()) for m, by in dims.items()}
        names = latent_names(latents, list(sizes), shared)
        weights = {m: np.zeros((size, len(names))) for m, size in sizes.items()}
        together = np.zeros((sum(sizes.values()), 0))
        if shared:
            together, _ = principal((np.column_stack(list(x.values())) for x in sides(scale, views)), n, shared)
        left, row, column = [], 0, shared
        for m, size in sizes.items():
            weights[m][:, :shared] = together[row : row + size]
            own, variances = principal((x[m] for x in sides(scale, {m: views[m]})), n, latents[m])
            weights[m][:, column : column + latents[m]] = own
            left.append(1 - variances.sum() / size)
            row, column = row + size, column + latents[m]
        return LinearFit.fit(names, float(np.mean(left)), scale, weights, views)


@register("methods", "cca", title="CCA", order=3, needs_torch=False)
@dataclass
class CCA(Estimator):
    """Regularised canonical correlation analysis; for more than two modalities the generalised one (MAXVAR).

    Shared latents are the most correlated variates, averaged over modalities; the next ones are the modalities' own.
    Each modality is first reduced to its principal components. The objective is minus the sum of the generalised
    eigenvalues used, which for two modalities are 1 + canonical correlation.

    Parameters
    ----------
    ridge
        Added to the variance of every standardised component, as a share of the mean one.
    components
        Most principal components of a modality that are kept.

    Raises
    ------
    InputError
        When fit to one modality, or asked for more variates than the smallest modality has dimensions.

    References
    ----------
    Hotelling 1936, doi:10.1093/biomet/28.3-4.321; Kettenring 1971, doi:10.1093/biomet/58.3.433 (MAXVAR);
    Vinod 1976, doi:10.1016/0304-4076(76)90010-5 (ridge).
    """

    ridge: float = 1e-2
    components: int = 100
    budget: Budget = STANDARD
    name = "cca"
    fewest_modalities = 2

    def learn(self, problem: Problem) -> LinearFit:
        """Return the fitted method; neither the truth nor the generator is used."""
        views, latents, shared = problem.views, problem.latents, problem.shared
        check(views, latents, shared)
        if len(views) < 2:
            raise InputError("cca compares modalities and was given one; use pca, or add a modality")
        scale = Scaler.fit(views)
        n, sizes = (
            len(next(iter(next(iter(views.values())).values()))),
            {m: sum(k.values()) for m, k in scale.dims.items()},
        )
        most = shared + max(latents.values())
        smallest = min(sizes, key=lambda m: sizes[m])
        if most > sizes[smallest]:
            raise InputError(f"cca cannot give {most} variates: {smallest} has {sizes[smallest]} dimensions")
        kept = max(most, self.components)
        bases = {m: principal((x[m] for x in sides(scale, {m: views[m]})), n, kept)[0] for m in sizes}
        reduced = (np.column_stack([x[m] @ base for m, base in bases.items()]) for x in sides(scale, views))
        covariance = gram(reduced) / n
        found, values = canonical(covariance, [base.shape[1] for base in bases.values()], most, ridge=self.ridge)
        names = latent_names(latents, list(sizes), shared)
        weights = {m: np.zeros((size, len(names))) for m, size in sizes.items()}
        column, first = shared, 0
        for m, directions in zip(sizes, found, strict=True):
            own = covariance[first : first + len(directions), first : first + len(directions)]
            std = np.sqrt(np.einsum("ik,ij,jk->k", directions, own, directions))
            scaled = bases[m] @ directions / np.where(std > 0, std, 1.0)
            weights[m][:, :shared] = scaled[:, :shared]
            weights[m][:, column : column + latents[m]] = scaled[:, shared : shared + latents[m]]
            column, first = column + latents[m], first + len(directions)
        return LinearFit.fit(names, -float(values.sum()), scale, weights, views)


def canonical(covariance: Array, sizes: list[int], count: int, *, ridge: float) -> tuple[list[Array], Array]:
    """Return each part's directions, shape (size, count), and the generalised eigenvalues, largest first.

    They solve ``C w = value D w``: C is the ridged covariance of all parts side by side, D its diagonal blocks. For two
    parts the value is 1 + the (ridged) canonical correlation.

    Parameters
    ----------
    covariance
        Of all parts side by side.
    sizes
        Columns of each part.
    count
        Number of directions.
    ridge
        Added to each diagonal block, as a share of its mean variance.
    """
    edges = np.cumsum([0, *sizes])
    blocks = [covariance[a:b, a:b] for a, b in pairwise(edges)]
    added = np.concatenate([np.full(len(block), ridge * block.trace() / len(block)) for block in blocks])
    diagonal = block_diag(*blocks) + np.diag(added)
    size = len(covariance)
    ridged = covariance + np.diag(added)
    values, vectors = eigh(ridged, diagonal, subset_by_index=(size - count, size - 1))
    return np.split(signed(vectors[:, ::-1]), edges[1:-1]), values[::-1]
