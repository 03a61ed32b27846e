"""MMCRL: the three-term objective with one measurement a modality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from personax.crl.baselines.paper import Paper
from personax.crl.budget import STANDARD, Budget
from personax.crl.method import Arrays, Progress
from personax.crl.objective import PAPER, Weights
from personax.crl.prior import Prior
from personax.crl.standard import check
from personax.crl.training import CRLResult

__all__ = ["MMCRL"]


@dataclass(frozen=True)
class MMCRL:
    """`fit` with the first measurement of each modality; the others are not looked at.

    Parameters
    ----------
    budget
        The same for all methods that are compared.
    weights
        Of the three terms and acyclicity.
    images
        Modality -> (channels, height, width), for convolutions; see `FitConfig`.
    compiled, half
        Faster steps; see `FitConfig`.
    prior
        What is known of causes between modalities.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518.
    """

    budget: Budget = STANDARD
    weights: Weights = PAPER
    images: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    compiled: bool = False
    half: bool = False
    prior: Prior | None = None
    name = "mmcrl"
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
    ) -> First:
        """Fit; the truth is not used."""
        check(views, latents, shared)
        chosen = {m: next(iter(by)) for m, by in views.items()}
        method = Paper(self.budget, self.weights, self.images, self.compiled, self.half, self.prior)
        result = method.fit(_first(views, chosen), latents=latents, shared=shared, rng=rng, progress=progress)
        return First(result, chosen)


@dataclass(frozen=True)
class First:
    """A result that reads one measurement of each modality.

    Parameters
    ----------
    result
        Of `fit`.
    chosen
        Modality -> measurement.
    """

    result: CRLResult = field(repr=False)
    chosen: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """Latents in the order of the columns."""
        return self.result.names

    @property
    def adjacency(self) -> NDArray[np.float64]:
        """Probability that each edge is open, rows are children."""
        return self.result.adjacency

    @property
    def objective(self) -> float:
        """The best validation objective."""
        return self.result.objective

    @property
    def eager_because(self) -> str | None:
        """Why steps were not compiled although that was asked for."""
        return self.result.eager_because

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d)."""
        return self.result.encode(_first(views, self.chosen))


def _first(views: Arrays, chosen: Mapping[str, str]) -> Arrays:
    return {m: {k: x for k, x in views[m].items() if k == name} for m, name in chosen.items() if m in views}
