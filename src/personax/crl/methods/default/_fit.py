"""A fit of the method ``default``: the encoder from measurements of any people to latents, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._estimator import Arrays
from personax.crl._optimiser import threads
from personax.crl._scaler import chunks
from personax.crl.methods.default._blocks import Block, around
from personax.crl.methods.default._components import Components
from personax.crl.methods.default._modality_content import ModalityContent, encode_contents
from personax.crl.methods.default._projection import Projection
from personax.crl.methods.default._shared_content import SharedContent
from personax.crl.methods.default._structure import Structure

__all__ = ["DefaultFit", "components_of", "read_blocks", "scale_of", "scaled", "with_orthogonal_latents"]


@dataclass(frozen=True)
class DefaultFit:
    """A fitted model; see `Fitted`.

    Parameters
    ----------
    names, adjacency, objective
        As `Fitted` says; the objective is that of the components, in nats a person.
    information
        Estimated mutual information between modalities, in nats a person, on validation people.
    connected
        Names of the latents that touch other modalities.
    orthogonal
        Names of the latents that are settled by orthogonality.
    contents
        By modality, where stage one read what measurements agree on.
    """

    names: list[str]
    adjacency: NDArray[np.float64]
    objective: float
    information: float
    connected: list[str]
    orthogonal: list[str]
    projection: Projection = field(repr=False)
    contents: dict[str, ModalityContent] = field(repr=False)
    shared: SharedContent | None = field(repr=False)
    components: Components = field(repr=False)
    scales: list[tuple[Tensor, Tensor]] = field(repr=False)
    blocks: list[Block] = field(repr=False)
    structure: Structure = field(repr=False)
    threads: int = 1

    @property
    def history(self) -> list[dict[str, float]]:
        """Of the components: step and validation objective."""
        return self.components.history

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on."""
        with threads(self.threads), torch.no_grad():
            encoded: NDArray[np.float64] = self._all(views).double().numpy()
            return encoded

    def noise(self, views: Arrays) -> NDArray[np.float64]:
        """Return the exogenous noise of any people, shape (n, d)."""
        with threads(self.threads), torch.no_grad():
            noise: NDArray[np.float64] = self.structure.noise(self._all(views)).double().numpy()
            return noise

    def _all(self, views: Arrays) -> Tensor:
        self.projection.scale.check_people(views)
        people = len(next(iter(next(iter(views.values())).values())))
        parts = ({m: {k: x[rows] for k, x in by.items()} for m, by in views.items()} for rows in chunks(people))
        return torch.cat([self._latents(part) for part in parts])

    def _latents(self, views: Arrays) -> Tensor:
        targets = self.projection.apply(views)
        seen = encode_contents(self.contents, targets, views)
        found = scaled(components_of(self.shared, self.components, targets, seen), self.scales[0])
        before = scaled(read_blocks(self.blocks, found, seen, views), self.scales[1])
        return scaled(with_orthogonal_latents(self.blocks, before), self.scales[2])


def components_of(
    shared: SharedContent | None, components: Components, targets: list[Tensor], seen: list[Tensor]
) -> Tensor:
    """Return shared latents and components, not standardised, shape (n, d)."""
    if shared is None:
        return components.encode(seen)
    known = shared(targets)
    found = components.encode([known, *seen])
    # one shared latent is known as it is; several are told apart by whom they touch
    return torch.cat([known, found[:, 1:]], 1) if shared.count == 1 else found


def read_blocks(blocks: list[Block], found: Tensor, seen: list[Tensor], views: Arrays) -> Tensor:
    """Return shared latents and those of all blocks before straightening."""
    first = min(column for block in blocks for column in block.columns)
    own = [block.read(found, x, views) for block, x in zip(blocks, seen, strict=True)]
    return torch.cat([found[:, :first], *own], dim=1)


def with_orthogonal_latents(blocks: list[Block], latents: Tensor) -> Tensor:
    """Return latents of which those that edges left a choice about are replaced by their functions."""
    out = latents.clone()
    for block in blocks:
        columns = around(block)
        for function in block.orthogonal:
            out[:, columns[function.at]] = function(latents[:, columns])
    return out


def scale_of(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each column."""
    return x.mean(0), x.std(0).clamp_min(1e-8)


def scaled(x: Tensor, scale: tuple[Tensor, Tensor]) -> Tensor:
    """Return columns on a scale."""
    return (x - scale[0]) / scale[1]
