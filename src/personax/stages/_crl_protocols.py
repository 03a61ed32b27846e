"""What a benchmark of Level II reports of a fit: ours, chosen without a truth, and the paper's, which looks at it.

``honest`` keeps what training chose on validation people. ``paper`` takes the published options (the weights of the
data, no early stop) and keeps the epoch with the best MCC on the test people themselves: the mean absolute Pearson
correlation after the best assignment over all latents, on the people that it was found on. Both are scored by
everything, so that a table tells apart what the options, the choice of the epoch and the measure are worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax.crl import Epoch, Estimator, match
from personax.crl._estimator import Arrays

__all__ = ["HONEST", "PAPER", "PROTOCOLS", "BestEpoch", "published_floors", "published_mcc", "take_paper_options"]

HONEST: Final = "honest"
PAPER: Final = "paper"
PROTOCOLS: Final = (HONEST, PAPER)

WEIGHTS: Final = {"variant-mnist": (2.0, 1e-2, 1e-3)}
"""Data -> published weights of reconstruction, independence and sparsity."""

OTHER_WEIGHTS: Final = (1.0, 1e-1, 1e-2)
"""The published ones for numerical data, taken where none were published."""

DRAWS: Final = 100

Array = NDArray[np.float64]


def published_mcc(learned: Array, true: Array) -> float:
    """Return the MCC as the paper computes it: on the people that the matching was found on, over all latents."""
    return match(learned, true).mcc


@dataclass
class BestEpoch:
    """Keeps the latents of the epoch that matches the truth best: what is kept has looked at the truth.

    Parameters
    ----------
    views, truth
        The test people, whose truth shape (n, k) is looked at after every epoch.

    Attributes
    ----------
    number
        Of the best epoch; 0 where the method is not trained in epochs.
    mcc, encoded
        Of that epoch; its latents, standardised, shape (n, d).
    validated
        The MCC of the epoch with the least validation objective, which an honest protocol keeps.
    """

    views: Arrays
    truth: Array
    number: int = 0
    mcc: float = -1.0
    encoded: Array = field(default_factory=lambda: np.zeros((0, 0)))
    validated: float = -1.0
    least: float = np.inf

    def __call__(self, epoch: Epoch) -> None:
        """Look at an epoch."""
        encoded = epoch.encode(self.views)
        mcc = published_mcc(encoded, self.truth)
        if epoch.objective < self.least:
            self.least, self.validated = epoch.objective, mcc
        if mcc > self.mcc:
            self.number, self.mcc, self.encoded = epoch.number, mcc, _standardised(encoded)

    @property
    def peeking(self) -> float:
        """How much MCC it brought to choose the epoch by the truth."""
        return self.mcc - self.validated


def take_paper_options(method: Estimator, data: str, epochs: int) -> None:
    """Give a method the published options that it has: the weights for the data, and training to the last epoch."""
    own = method.get_params(deep=False)
    if "budget" in own:
        method.set_params(budget__patience=epochs)
    if "weights" in own:
        from personax.crl.methods.paper._objective import Weights  # late: torch

        method.set_params(weights=Weights(*WEIGHTS.get(data, OTHER_WEIGHTS)))


def published_floors(
    true: Array, blocks: Sequence[Sequence[int]], epochs: int, *, rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """Return floors of the published MCC: random rotations of the truth within blocks, and the best of several.

    Parameters
    ----------
    true
        Shape (n, k).
    blocks
        Columns of each modality.
    epochs
        Among how many the best is taken: so many epochs are looked at.
    rng
        Draws the rotations.
    """
    scores = [published_mcc(_rotated(true, blocks, rng), true) for _ in range(max(DRAWS, epochs))]
    best = f"the best, by the truth, of {epochs} random rotations within blocks"
    return {
        "rotation_blocks": {"mcc_paper": float(np.mean(scores[:DRAWS]))},
        "best_rotation": {"mcc_paper": float(np.max(scores[:epochs])), "note": best},
    }


def _rotated(true: Array, blocks: Sequence[Sequence[int]], rng: np.random.Generator) -> Array:
    turned = _standardised(true)
    for block in blocks:
        q, r = np.linalg.qr(rng.standard_normal((len(block), len(block))))
        turned[:, block] = turned[:, block] @ (q * np.sign(np.diag(r)))
    return turned


def _standardised(z: Array) -> Array:
    spread = z.std(axis=0)
    found: Array = (z - z.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return found
