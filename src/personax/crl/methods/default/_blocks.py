"""One modality's way from components to latents: which touch other modalities, and how the others are found.

Latents without an edge to other modalities are conditional principal components, a `Chart`. Given components v that
touch other modalities, a measurement is taken as ``mean(v) + frame(v) w``: w are the leading principal components of
what is left, given v. A unit direction that is continuous in v cannot pass through zero, so that w keeps its sign
everywhere; the code of an autoencoder may not, and then folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from personax.crl._device import CPU, integers, normal
from personax.crl._estimator import Arrays
from personax.crl._optimiser import minimise
from personax.crl.methods.default._components import Components, Search
from personax.crl.methods.default._networks import Smooth, in_chunks
from personax.crl.methods.default._orthogonal import OrthogonalLatent
from personax.crl.methods.default._projection import Projection
from personax.crl.methods.default._shared_content import SharedContent, apart, fit_shared_content

__all__ = [
    "Block",
    "Chart",
    "around",
    "connected",
    "fit_chart",
    "fit_free_latents",
    "initial_blocks",
    "orthogonality_choices",
]

HIDDEN: Final = 96
BATCH: Final = 256
RATE: Final = 3e-3
TRIES: Final = 10
TRIAL: Final = 700
STEPS: Final = 2500
COMPARED: Final = 20_000
"""People on whom tries are compared, about."""

STEP: Final = 0.02
"""Over which a turn is measured, in standard deviations of what is given."""

TURN_COST: Final = 10.0
"""Squared turn, in radians a standard deviation, that weighs as much as twice the variance left."""


class Chart(nn.Module):
    """A mean and orthonormal directions about it, smooth functions of given components.

    Parameters
    ----------
    given, dims, count
        Given components, length of the measurement, components left.
    generator
        Draws the first weights.
    """

    def __init__(self, given: int, dims: int, count: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = (dims, count)
        self.constant = given == 0
        self.mean = Smooth(max(given, 1), HIDDEN, dims, generator=generator)
        self.frame = Smooth(max(given, 1), HIDDEN, dims * count, generator=generator)
        with torch.no_grad():  # directions begin nearly constant: about zero they would be torn from the start
            self.frame.leave_bias.normal_(generator=generator)

    def forward(self, given: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the mean leaves, shape (n, dims), and the leftover components, shape (n, count)."""
        if self.constant:
            given = targets.new_ones(len(targets), 1)
        rest = targets - self.mean(given)
        return rest, torch.einsum("bp,bpc->bc", rest, self.directions(given))

    @torch.no_grad()
    def read(self, given: Tensor, targets: Tensor) -> Tensor:
        """Return the leftover components, shape (n, count)."""
        return self(given, targets)[1]  # type: ignore[no-any-return]

    def directions(self, given: Tensor) -> Tensor:
        """Return orthonormal directions, shape (n, dims, count)."""
        directions, sizes = torch.linalg.qr(self.frame(given).view(-1, *self.shape))
        # the factorisation chooses signs by the first entries; taken back, directions are continuous in the condition
        straight: Tensor = directions * torch.sign(sizes.diagonal(dim1=1, dim2=2)).unsqueeze(1)
        return straight

    @torch.no_grad()
    def turning(self, given: Tensor, generator: torch.Generator) -> float:
        """Return the mean squared turn of the directions for a step in what is given, in radians a step of 1."""
        if self.constant:
            return 0.0
        step = normal(*given.shape, generator=generator).to(given.device)
        step = STEP * step / step.norm(dim=1, keepdim=True)
        apart = (self.directions(given + step) - self.directions(given)) / STEP
        return float(apart.square().sum((1, 2)).mean())

    def loss(self, given: Tensor, targets: Tensor) -> Tensor:
        """Return the variance that mean and directions leave, and the mean's own error, for all to learn from."""
        rest, found = self(given, targets)
        own = targets - self.mean(given.detach() if not self.constant else targets.new_ones(len(targets), 1))
        left = (rest.square().sum(1) - found.square().sum(1)).mean().clamp_min(0)
        return torch.stack([left, own.square().sum(1).mean()])


def fit_chart(
    given: Tensor,
    targets: Tensor,
    count: int,
    *,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> Chart:
    """Fit a chart to given components, which stay as they are; it is fitted on the device and returned from there.

    Many tries end in a direction that turns over somewhere, within so few people that it fits as well; the leftover
    then changes its sign there. That shows in how fast it turns: of some tries, one that fits and turns little goes on.
    """
    given, targets = given.to(device), targets.to(device)
    some = _subsample(len(given))
    tries = [Chart(given.shape[1], targets.shape[1], count, generator=generator).to(device) for _ in range(TRIES)]
    left = [
        _train(chart, given, targets, max(1, round(share * TRIAL)), generator)
        * (1 + chart.turning(given[some], generator) / TURN_COST)
        for chart in tries
    ]
    best = tries[left.index(min(left))]
    _train(best, given, targets, max(1, round(share * STEPS)), generator)
    return best.to(CPU)


def _train(chart: Chart, given: Tensor, targets: Tensor, steps: int, generator: torch.Generator) -> float:
    def loss(_: int) -> Tensor:
        rows = integers(len(targets), BATCH, generator=generator).to(targets.device)
        return chart.loss(given[rows], targets[rows]).sum()

    minimise(chart.parameters(), loss, steps=steps, rate=RATE)
    with torch.no_grad():
        some = _subsample(len(targets))
        return float(chart.loss(given[some], targets[some])[0])


def _subsample(people: int) -> slice:
    """Return a slice that takes every k-th person, so that about `COMPARED` are taken however many there are."""
    return slice(None, None, max(1, people // COMPARED))


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
    """Return one block a modality: which of its latents are connected to others."""
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
    """Return the block with the fitted functions for its free latents."""
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
    """Return which latents of a block are determined by orthogonality, and to which others."""
    seen = around(block)
    found: dict[int, list[int]] = {}
    settled = list(block.given)
    for i in block.free:
        if settled:
            found[seen.index(i)] = [seen.index(j) for j in settled]
        settled.append(i)
    return found
