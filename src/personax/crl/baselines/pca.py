"""Principal components: what variance alone finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personax.crl.baselines.linear import Linear, principal, sides
from personax.crl.budget import STANDARD, Budget
from personax.crl.method import Arrays, Progress
from personax.crl.standard import Standardiser, check, latent_names

__all__ = ["PCA"]


@dataclass(frozen=True)
class PCA:
    """The first principal components of each modality, its measurements side by side.

    Shared latents are the first components of all modalities side by side. The objective is the share of variance
    that a modality's own components leave out, averaged over modalities.

    References
    ----------
    Hotelling 1933, doi:10.1037/h0071325.
    """

    budget: Budget = STANDARD
    name = "pca"
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
        scale = Standardiser.fit(views)
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
        return Linear.fit(names, float(np.mean(left)), scale, weights, views)
