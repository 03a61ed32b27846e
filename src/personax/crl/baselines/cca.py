"""Canonical correlations: what modalities have in common linearly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, eigh

from personax.crl.baselines.linear import Linear, gram, principal, sides, signed
from personax.crl.budget import STANDARD, Budget
from personax.crl.method import Arrays, Progress
from personax.crl.standard import Standardiser, check, latent_names
from personax.errors import InputError

__all__ = ["CCA", "canonical"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CCA:
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
    needs = ""

    def fit(
        self,
        views: Arrays,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: NDArray[np.float64] | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> Linear:
        """Fit; neither the truth nor the generator is used."""
        check(views, latents, shared)
        if len(views) < 2:
            raise InputError("cca compares modalities and was given one; use pca, or add a modality")
        scale = Standardiser.fit(views)
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
            spread = np.sqrt(np.einsum("ik,ij,jk->k", directions, own, directions))
            scaled = bases[m] @ directions / np.where(spread > 0, spread, 1.0)
            weights[m][:, :shared] = scaled[:, :shared]
            weights[m][:, column : column + latents[m]] = scaled[:, shared : shared + latents[m]]
            column, first = column + latents[m], first + len(directions)
        return Linear.fit(names, -float(values.sum()), scale, weights, views)


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
