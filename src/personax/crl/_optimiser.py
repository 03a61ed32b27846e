"""How parameters are moved: Adam with a cosine schedule, and steps on a loss that draws its own batches.

Every parameter of every method of Level II is moved by `Optimiser.step`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import torch
from torch import Tensor, nn

from personax.crl._device import permutation
from personax.errors import ComputationError

__all__ = [
    "DIVERGED",
    "RESTARTS",
    "VALIDATION_SEED",
    "Optimiser",
    "cosine",
    "minimise",
    "retry_diverged",
    "threads",
    "validation_split",
]

T = TypeVar("T")

VALIDATION_SEED: Final = 0
"""The same validation people for every seed, and the same noise on them every epoch: seeds and epochs then differ by
the model alone."""

RESTARTS: Final = 2
"""After that many divergences, each followed by a quarter of the rate, the next one is an error."""

DIVERGED: Final = "training diverged three times, each with a lower rate; check the embeddings for extreme values"


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Compute with so many threads of the processor, and afterwards with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cosine(at: int, total: int) -> float:
    """Return the share of the highest rate at a step or epoch: 1 at the first, falling to 0 along half a cosine.

    Examples
    --------
    >>> cosine(0, 10), round(cosine(5, 10), 6), round(cosine(10, 10), 6)
    (1.0, 0.5, 0.0)
    """
    return 0.5 * (1 + math.cos(math.pi * at / total))


def validation_split(people: int, share: float) -> tuple[Tensor, Tensor]:
    """Return the rows of validation people (two at least) and of training people; the same for every seed."""
    order = permutation(people, generator=torch.Generator().manual_seed(VALIDATION_SEED))
    cut = max(2, round(share * people))
    return order[:cut], order[cut:]


def retry_diverged(fit: Callable[[int], T]) -> T:
    """Return the first fit that does not diverge of three, each told how many diverged before it.

    Raises
    ------
    ComputationError
        When all diverge, which a fit says by a `FloatingPointError`.
    """
    for attempt in range(RESTARTS + 1):
        try:
            return fit(attempt)
        except FloatingPointError:
            continue
    raise ComputationError(DIVERGED)


class Optimiser:
    """Adam, with clipped gradients where that is asked for.

    Parameters
    ----------
    parameters
        In the order in which the norm of the gradient is summed.
    faster
        Those of them that learn at a multiple of the rate, and the multiple.
    clip
        Largest norm of the gradient; None for any.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        faster: tuple[Sequence[nn.Parameter], float] = ((), 1.0),
        clip: float | None = None,
    ) -> None:
        self.parameters, self.clip = list(parameters), clip
        apart = {id(parameter) for parameter in faster[0]}
        groups: list[dict[str, Any]] = [{"params": [p for p in self.parameters if id(p) not in apart], "factor": 1.0}]
        if apart:
            groups.append({"params": list(faster[0]), "factor": faster[1]})
        self.adam = torch.optim.Adam(groups, fused=True)

    def step(self, loss: Tensor, rate: float) -> None:
        """Move the parameters one step down the gradient of the loss."""
        for group in self.adam.param_groups:
            group["lr"] = group["factor"] * rate
        self.adam.zero_grad()
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.adam.step()


def minimise(
    parameters: Iterable[nn.Parameter],
    loss: Callable[[int], Tensor],
    *,
    steps: int,
    rate: float,
    span: range | None = None,
    warmup: int = 0,
    clip: float | None = None,
    after: Callable[[int], None] | None = None,
) -> None:
    """Take steps on a loss that draws its own batches, the rate falling to zero along half a cosine.

    Parameters
    ----------
    parameters
        Which are moved.
    loss
        Takes the step, counted from 0, and returns a scalar.
    steps, rate
        Of the whole schedule; the highest rate.
    span
        Which of the steps are taken; all by default.
    warmup
        Steps over which the rate first rises, counted from the first of the span: Adam knows no moments then.
    clip
        Largest norm of a gradient; None for any.
    after
        Called after each step.
    """
    optimiser = Optimiser(parameters, clip=clip)
    taken = range(steps) if span is None else span
    for at in taken:
        rising = min(1.0, (at - taken.start + 1) / warmup) if warmup else 1.0
        optimiser.step(loss(at), rate * rising * cosine(at, steps))
        if after is not None:
            after(at)
