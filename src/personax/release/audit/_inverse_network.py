"""A small network that learns the inverse of a transform from known pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from personax.errors import require
from personax.release.audit._attack import Vectors

__all__ = ["fit_inverse_network"]

Inverse = Callable[[Vectors], Vectors]

HIDDEN, EPOCHS, BATCH, RATE = 256, 80, 64, 2e-3
PATIENCE = 15
"""Epochs without a better one after which none is expected."""


def fit_inverse_network(x: Vectors, y: Vectors, *, rng: np.random.Generator) -> Inverse:
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
        return _learnt(torch, x, y, rng)
    finally:
        torch.set_num_threads(threads)


def _learnt(torch: Any, x: Vectors, y: Vectors, rng: np.random.Generator) -> Inverse:  # noqa: ANN401 - optional
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    dim, held = x.shape[1], max(1, len(x) // 5)
    at_x, at_y = x.mean(axis=0), y.mean(axis=0)
    size_x, size_y = (np.float32(z.std() or 1.0) for z in (x, y))
    inputs, targets = torch.from_numpy((y - at_y) / size_y), torch.from_numpy((x - at_x) / size_x)
    weights = [torch.randn(dim, HIDDEN, generator=generator) / dim**0.5, torch.zeros(HIDDEN),
               torch.zeros(HIDDEN, dim), torch.zeros(dim, dim), torch.zeros(dim)]  # fmt: skip
    best, least = [w.clone() for w in weights], float(targets[:held].square().mean())
    for w in weights:
        w.requires_grad_()
    optimiser = torch.optim.AdamW(weights, lr=RATE, weight_decay=1e-3)
    last = 0
    for epoch in range(EPOCHS):
        if epoch - last > PATIENCE:
            break
        for some in (held + torch.randperm(len(x) - held, generator=generator)).split(BATCH):
            loss = (_net(inputs[some], weights) - targets[some]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            error = float((_net(inputs[:held], weights) - targets[:held]).square().mean())
        if error < least:
            best, least, last = [w.detach().clone() for w in weights], error, epoch

    def inverse(released: Vectors) -> Vectors:
        with torch.no_grad():
            found = _net(torch.from_numpy((released - at_y) / size_y), best).numpy()
        return np.asarray(found * size_x + at_x, dtype=np.float32)

    return inverse


def _net(x: Any, weights: list[Any]) -> Any:  # noqa: ANN401 - tensors; torch is optional
    inner, shift, outer, line, move = weights
    return (x @ inner + shift).tanh() @ outer + x @ line + move
