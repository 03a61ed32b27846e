"""Batches of people for a contrastive loss, and the negatives of each person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from personax.crl._device import CPU, integers, uniform

__all__ = ["NegativeSampler"]

NEIGHBOURS: Final = 24
"""Nearest neighbours of a person, of which groups are drawn."""


class NegativeSampler:
    """Draws batches.

    Unconditional, the negatives of a person are the next ones of the batch, whose order is random. Given latents, a
    batch is made of small groups of nearest neighbours in them, and negatives come from the same group: information
    that the given latents already hold then does not help.

    Parameters
    ----------
    rows
        The people.
    batch, negatives
        People a batch, negatives of each.
    given
        Shape (n, k), of all people, on the processor; None for nothing.
    device
        Where batches are.
    """

    def __init__(
        self, rows: Tensor, batch: int, negatives: int, given: Tensor | None = None, *, device: torch.device = CPU
    ) -> None:
        self.device = device
        self.rows, self.batch, self.negatives = rows, min(batch, len(rows)), negatives
        self.neighbours: Tensor | None = None
        if given is not None:
            self.negatives = min(negatives, len(rows) - 1)
            several = min(max(NEIGHBOURS, self.negatives + 1), len(rows))
            chosen = given[rows].double().numpy()
            found = cKDTree(chosen).query(chosen, k=several)[1]
            self.neighbours = torch.from_numpy(found).view(len(rows), several)

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return rows, shape (batch,), and positions in the batch of each one's negatives, shape (batch, negatives)."""
        if self.neighbours is None:
            return self._placed(self.rows[integers(len(self.rows), self.batch, generator=generator)])
        size = self.negatives + 1
        groups = max(2, self.batch // size)
        anchors = integers(len(self.rows), groups, generator=generator)
        order = uniform(groups, self.neighbours.shape[1], generator=generator).argsort(1)[:, :size]
        return self._placed(self.rows[self.neighbours[anchors].gather(1, order).flatten()], groups)

    def one_pass(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Go through all people once, in whole batches."""
        if self.neighbours is None:
            for rows in torch.split(self.rows, self.batch):
                if len(rows) == self.batch:
                    yield self._placed(rows)
            return
        size = self.negatives + 1
        nearest = self.neighbours[::size, :size]
        groups = max(2, min(self.batch // size, len(nearest)))
        for several in torch.split(nearest, groups):
            if len(several) == groups or len(nearest) < groups:
                yield self._placed(self.rows[several.flatten()], len(several))

    def _placed(self, rows: Tensor, groups: int = 0) -> tuple[Tensor, Tensor]:
        """Return rows and negatives on the device; negatives come from the same group where there are groups."""
        return rows.to(self.device), self._within(groups) if groups else self._next(len(rows))

    def _next(self, people: int) -> Tensor:
        ahead = torch.arange(1, min(self.negatives + 1, people), device=self.device)
        return (torch.arange(people, device=self.device)[:, None] + ahead) % people

    def _within(self, groups: int) -> Tensor:
        size = self.negatives + 1
        places = torch.arange(size, device=self.device)
        others = (places[:, None] + places[1:]) % size
        return (torch.arange(groups, device=self.device)[:, None, None] * size + others).flatten(0, 1)
