"""One modality's way from components to latents: which touch other modalities, and how the others are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from personax.crl._estimator import Arrays
from personax.crl.methods.default._chart import Chart, fit_chart
from personax.crl.methods.default._components import Components, Search
from personax.crl.methods.default._modality_content import apart
from personax.crl.methods.default._networks import in_chunks
from personax.crl.methods.default._orthogonal import OrthogonalLatent
from personax.crl.methods.default._projection import Projection
from personax.crl.methods.default._shared_content import SharedContent, fit_shared_content

__all__ = ["Block", "around", "connected", "fit_free_latents", "initial_blocks", "orthogonality_choices"]

TOUCHES: Final = 0.1
"""Strength below which an edge is taken for noise: a latent without a stronger one touches no other modality."""


@dataclass(frozen=True)
class Block:
    """One modality's way from components to latents.

    Parameters
    ----------
    modality
        Its name.
    columns
        Of its latents among all.
    used, free
        Which of them touch other modalities, and which do not.
    given
        What free ones are read beside: used ones and shared ones.
    chart
        What free ones are read from where stage one read contents, or there is one measurement.
    projection, content
        What they are read from where several measurements show them and stage one read components.
    orthogonal
        Functions that replace latents which edges leave a choice about; they see shared latents, then the block's.
    """

    modality: str
    columns: list[int]
    used: list[int]
    free: list[int]
    given: list[int]
    chart: Chart | None = None
    projection: Projection | None = None
    content: SharedContent | None = None
    orthogonal: list[OrthogonalLatent] = field(default_factory=list)

    def read(self, components: Tensor, seen: Tensor, views: Arrays) -> Tensor:
        """Return the block's latents before straightening, shape (n, d), from standardised components."""
        latents = components[:, self.columns].clone()
        at = [self.columns.index(i) for i in self.free]
        if self.chart is not None:
            latents[:, at] = in_chunks(self.chart.read, components[:, self.given], seen)
        if self.content is not None and self.projection is not None:
            given = components[:, self.given] if self.given else None
            latents[:, at] = self.content(self.projection.apply(apart(views[self.modality])), given)
        return latents


def around(block: Block) -> list[int]:
    """Return the columns of shared latents that the block is given, and of its own."""
    return [i for i in block.given if i not in block.columns] + block.columns


def initial_blocks(
    components: Components, modalities: list[str], latents: Mapping[str, int], shared: int
) -> list[Block]:
    """Return which latents of each modality touch others."""
    touches = connected(components.strength, components.critic.across)
    blocks, first = [], shared
    for m in modalities:
        columns = list(range(first, first + latents[m]))
        used = [i for i in columns if touches[i]]
        blocks.append(Block(m, columns, used, [i for i in columns if not touches[i]], [*range(shared), *used]))
        first += latents[m]
    return blocks


def connected(strength: Tensor, across: Tensor) -> Tensor:
    """Return which latents are connected to another modality, shape (d,).

    And those that cause, beside another modality, a latent of their own: what it has of the other modality is clear
    only once their part is known, so they too are found from the dependence between modalities.
    """
    edges = strength > TOUCHES
    between, within = edges & (across > 0), edges & (across == 0)
    told = between.any(1)
    return told | between.any(0) | (within & told[:, None]).any(0)


def fit_free_latents(
    block: Block,
    found: Tensor,
    seen: Tensor,
    is_content: bool,
    views: Arrays,
    people: tuple[Tensor, Tensor],
    search: Search,
    share: float,
    generator: torch.Generator,
    device: torch.device,
) -> Block:
    """Return the block with what its free latents are read from."""
    if not block.free:
        return block
    given = found[:, block.given]
    measurements = views[block.modality]
    if is_content or len(measurements) == 1:
        return replace(
            block, chart=fit_chart(given, seen, len(block.free), share=share, generator=generator, device=device)
        )
    own = Projection.fit(apart(measurements), rng=np.random.default_rng(0))
    inputs = own.apply(apart(measurements))
    content = fit_shared_content(
        inputs, len(block.free), *people, search,
        given=given if block.given else None, generator=generator, device=device,
    )  # fmt: skip
    return replace(block, projection=own, content=content)


def orthogonality_choices(block: Block) -> dict[int, list[int]]:
    """Return which latents of a block are settled by orthogonality, and to which others: those that touch nothing."""
    seen = around(block)
    found: dict[int, list[int]] = {}
    settled = list(block.given)
    for i in block.free:
        if settled:
            found[seen.index(i)] = [seen.index(j) for j in settled]
        settled.append(i)
    return found
