"""The three-term objective of this package's `fit`, under the contract of all methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personax.crl.budget import STANDARD, Budget
from personax.crl.method import Arrays, Progress
from personax.crl.objective import PAPER, Weights
from personax.crl.prior import Prior
from personax.crl.training import CRLResult, FitConfig, fit

__all__ = ["Paper"]


@dataclass(frozen=True)
class Paper:
    """`fit` with all measurements: reconstruction, independence of the noise, sparsity of the graph.

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
    checkpoint
        A file for the state of training; see `fit`.

    References
    ----------
    Li et al. 2026, arXiv:2509.11362.
    """

    budget: Budget = STANDARD
    weights: Weights = PAPER
    images: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    compiled: bool = False
    half: bool = False
    prior: Prior | None = None
    checkpoint: Path | None = None
    name = "paper"
    needs = ""

    def resuming(self, checkpoint: Path) -> Paper:
        """Return the same method, which goes on from a checkpoint where there is one."""
        return replace(self, checkpoint=checkpoint)

    def fit(
        self,
        views: Arrays,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: NDArray[np.float64] | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> CRLResult:
        """Fit; the truth is not used."""
        b = self.budget
        config = FitConfig(
            epochs=b.epochs,
            batch=b.batch,
            rate=b.rate,
            held_out=b.held_out,
            patience=b.patience,
            weights=self.weights,
            hidden=b.hidden,
            threads=b.threads,
            images=self.images,
            compiled=self.compiled,
            half=self.half,
            prior=self.prior,
            device=b.device,
        )
        return fit(
            views, latents=latents, shared=shared, config=config, rng=rng, progress=progress,
            checkpoint=self.checkpoint,
        )  # fmt: skip
