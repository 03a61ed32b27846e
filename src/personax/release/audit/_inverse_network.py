"""A known-pairs attack: a small network that learns the inverse of a transform."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from personax.errors import require
from personax.registry import register
from personax.release.audit._attack import Vectors
from personax.release.audit._known_pairs import KnownPairs, KnownPairsAttack, KnownPairsPoint

__all__ = ["InverseNetwork", "learn_inverse"]

MIN_TRAINING = 32
"""Fewest pairs that a network is trained on."""
HIDDEN_UNITS, EPOCHS, BATCH_SIZE, LEARNING_RATE = 256, 80, 64, 2e-3
PATIENCE = 15
"""Epochs without improvement after which training stops."""
FULL_EPOCHS_UP_TO = 1024
"""Pairs beyond which epochs are fewer in proportion: as many steps as of so many pairs, on more people."""

Inverse = Callable[[Vectors], Vectors]


@register(
    "attacks", "inverse-network", title="network", help="a network that learns the inverse from known pairs", order=150,
    campaign="pairs",
)  # fmt: skip
class InverseNetwork(KnownPairsAttack):
    """A network that learns the inverse; tried with the largest number of pairs only. Needs torch."""

    recovers = True
    trains_network = True

    def match(self, pairs: KnownPairs, m: int, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
        """Recover the probes."""
        return learn_inverse(pairs.x[:m], pairs.y[:m], rng=rng)(pairs.probes), pairs.gallery

    def curve(self, pairs: KnownPairs, grid: Sequence[int], rng: np.random.Generator) -> Iterator[KnownPairsPoint]:
        """Yield what all pairs reach, where they are enough to train on."""
        return super().curve(pairs, [m for m in grid[-1:] if m >= MIN_TRAINING], rng)

    def control(self, wrong: KnownPairs, m: int, rng: np.random.Generator) -> None:
        """Measure none: to train again takes as long as all else."""


def learn_inverse(x: Vectors, y: Vectors, *, rng: np.random.Generator) -> Inverse:
    """Return a map from released to original vectors: a linear one and a hidden layer beside it, trained together.

    A fifth of the pairs is held out; the epoch that recovers them best is kept.

    Raises
    ------
    MissingExtraError
        When torch is not installed.
    """
    torch = require("torch", extra="crl")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # steps are so short that threads wait for one another most of the time
    try:
        return _trained_inverse(torch, x, y, rng)
    finally:
        torch.set_num_threads(threads)


def _trained_inverse(torch: Any, x: Vectors, y: Vectors, rng: np.random.Generator) -> Inverse:  # noqa: ANN401 - optional
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    dim, held = x.shape[1], max(1, len(x) // 5)
    at_x, at_y = x.mean(axis=0), y.mean(axis=0)
    size_x, size_y = (np.float32(z.std() or 1.0) for z in (x, y))
    inputs, targets = torch.from_numpy((y - at_y) / size_y), torch.from_numpy((x - at_x) / size_x)
    weights = [torch.randn(dim, HIDDEN_UNITS, generator=generator) / dim**0.5, torch.zeros(HIDDEN_UNITS),
               torch.zeros(HIDDEN_UNITS, dim), torch.zeros(dim, dim), torch.zeros(dim)]  # fmt: skip
    best, least_error = [w.clone() for w in weights], float(targets[:held].square().mean())
    for w in weights:
        w.requires_grad_()
    optimiser = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=1e-3, fused=True)
    last, share = 0, min(1.0, FULL_EPOCHS_UP_TO / len(x))
    for epoch in range(max(1, round(share * EPOCHS))):
        if epoch - last > share * PATIENCE:
            break
        for some in (held + torch.randperm(len(x) - held, generator=generator)).split(BATCH_SIZE):
            loss = (_forward(inputs[some], weights) - targets[some]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            error = float((_forward(inputs[:held], weights) - targets[:held]).square().mean())
        if error < least_error:
            best, least_error, last = [w.detach().clone() for w in weights], error, epoch

    def inverse(released: Vectors) -> Vectors:
        with torch.no_grad():
            found = _forward(torch.from_numpy((released - at_y) / size_y), best).numpy()
        return np.asarray(found * size_x + at_x, dtype=np.float32)

    return inverse


def _forward(x: Any, weights: list[Any]) -> Any:  # noqa: ANN401 - tensors; torch is optional
    inner, shift, outer, line, move = weights
    return (x @ inner + shift).tanh() @ outer + x @ line + move
