"""Canonical correlations: what modalities have in common linearly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, eigh

from personax.crl.baselines.linear import Linear, principal, signed
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
        x = scale.apply(views)
        flat = {m: np.column_stack(list(by.values())) for m, by in x.items()}
        most = shared + max(latents.values())
        smallest = min(flat, key=lambda m: flat[m].shape[1])
        if most > flat[smallest].shape[1]:
            raise InputError(f"cca cannot give {most} variates: {smallest} has {flat[smallest].shape[1]} dimensions")
        bases = {m: principal(part, max(most, self.components))[0] for m, part in flat.items()}
        found, values = canonical([flat[m] @ bases[m] for m in flat], most, ridge=self.ridge)
        names = latent_names(latents, list(x), shared)
        weights = {m: np.zeros((part.shape[1], len(names))) for m, part in flat.items()}
        column = shared
        for m, directions in zip(flat, found, strict=True):
            directions = bases[m] @ directions
            scores = (flat[m] @ directions).std(axis=0)
            directions = directions / np.where(scores > 0, scores, 1.0)
            weights[m][:, :shared] = directions[:, :shared]
            weights[m][:, column : column + latents[m]] = directions[:, shared : shared + latents[m]]
            column += latents[m]
        return Linear.fit(names, -float(values.sum()), scale, weights, x)


def canonical(parts: list[Array], count: int, *, ridge: float) -> tuple[list[Array], Array]:
    """Return each part's directions, shape (dim, count), and the generalised eigenvalues, largest first.

    They solve ``C w = value D w``: C is the ridged covariance of all parts side by side, D its diagonal blocks. For two
    parts the value is 1 + the (ridged) canonical correlation.

    Parameters
    ----------
    parts
        Centred, the same people in the same order, shape (n, dim).
    count
        Number of directions.
    ridge
        Added to each diagonal block, as a share of its mean variance.
    """
    together = np.column_stack(parts)
    covariance = together.T @ together / len(together)
    blocks = [part.T @ part / len(part) for part in parts]
    added = np.concatenate([np.full(len(block), ridge * block.trace() / len(block)) for block in blocks])
    covariance = covariance + np.diag(added)
    diagonal = block_diag(*blocks) + np.diag(added)
    size = len(covariance)
    values, vectors = eigh(covariance, diagonal, subset_by_index=(size - count, size - 1))
    return np.split(signed(vectors[:, ::-1]), np.cumsum([len(block) for block in blocks])[:-1]), values[::-1]
