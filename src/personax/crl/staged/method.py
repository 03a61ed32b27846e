"""The method ``default``: components that touch other modalities, what measurements show beyond them, and a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl.budget import STANDARD, Budget
from personax.crl.loop import threads
from personax.crl.method import Arrays, Progress
from personax.crl.staged.chart import Chart, leftover
from personax.crl.staged.components import Components, Search, find_components
from personax.crl.staged.nets import standard
from personax.crl.staged.orthogonal import Straightened, straighten
from personax.crl.staged.projection import Projection
from personax.crl.staged.structure import Structure, fit_structure
from personax.crl.standard import check, latent_names
from personax.errors import ComputationError, InputError

__all__ = ["Staged", "StagedFit"]

TOUCHES: Final = 0.1
"""Strength below which an edge is taken for noise: a latent without a stronger one touches no other modality."""

ATTEMPTS: Final = 3
SEARCH: Final = Search()
VALIDATION: Final = 0.1


@dataclass(frozen=True)
class Block:
    """One modality's way from components to latents.

    Parameters
    ----------
    columns
        Of its latents among all.
    used, free
        Which of them touch other modalities, and which do not.
    chart
        What free ones are read from; None where there are none.
    straightened
        Functions that replace latents which edges leave a choice about.
    """

    columns: list[int]
    used: list[int]
    free: list[int]
    chart: Chart | None = None
    straightened: list[Straightened] = field(default_factory=list)

    def read(self, components: Tensor, targets: Tensor) -> Tensor:
        """Return the block's latents before straightening, shape (n, d), from standardised components."""
        latents = components[:, self.columns].clone()
        if self.chart is not None:
            at = [self.columns.index(i) for i in self.free]
            latents[:, at] = self.chart(components[:, self.used], targets)[1]
        return latents


@dataclass(frozen=True)
class StagedFit:
    """A fitted model; see `Fitted`.

    Parameters
    ----------
    names, adjacency, objective
        As `Fitted` says; the objective is that of the components, in nats a person.
    information
        What modalities say of one another, in nats a person, on validation people.
    touching
        Names of the latents that touch other modalities.
    straightened
        Names of the latents that are settled by orthogonality.
    """

    names: list[str]
    adjacency: NDArray[np.float64]
    objective: float
    information: float
    touching: list[str]
    straightened: list[str]
    projection: Projection = field(repr=False)
    components: Components = field(repr=False)
    scales: list[tuple[Tensor, Tensor]] = field(repr=False)
    blocks: list[Block] = field(repr=False)
    structure: Structure = field(repr=False)
    threads: int = 1

    def encode(self, views: Arrays) -> NDArray[np.float64]:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on."""
        with threads(self.threads), torch.no_grad():
            encoded: NDArray[np.float64] = self._latents(self.projection.apply(views)).double().numpy()
            return encoded

    def noise(self, views: Arrays) -> NDArray[np.float64]:
        """Return the exogenous noise of any people, shape (n, d)."""
        with threads(self.threads), torch.no_grad():
            noise: NDArray[np.float64] = (
                self.structure.noise(self._latents(self.projection.apply(views))).double().numpy()
            )
            return noise

    def _latents(self, targets: list[Tensor]) -> Tensor:
        return _latents(self.components, self.blocks, self.scales, targets)


def _latents(
    components: Components, blocks: list[Block], scales: list[tuple[Tensor, Tensor]], targets: list[Tensor]
) -> Tensor:
    """Go through the stages; ``scales`` holds mean and spread after components, blocks, and at the end."""
    found = _scaled(components.encode(targets), scales[0])
    raw = torch.cat([block.read(found, y) for block, y in zip(blocks, targets, strict=True)], dim=1)
    latents = _scaled(raw, scales[1])
    if len(scales) < 3:
        return latents
    out = latents.clone()
    for block in blocks:
        for function in block.straightened:
            out[:, block.columns[function.at]] = function(latents[:, block.columns])
    return _scaled(out, scales[2])


def _scale(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean(0), x.std(0).clamp_min(1e-8)


def _scaled(x: Tensor, scale: tuple[Tensor, Tensor]) -> Tensor:
    return (x - scale[0]) / scale[1]


@dataclass(frozen=True)
class Staged:
    """Our own method, in four stages; nothing in it is chosen with a truth.

    1. Components of each modality that touch the others through as few edges as explain what modalities say of one
       another (`find_components`), from many restarts; validation people choose.
    2. Latents that touch nothing else: the leading components of the measurements given those (`leftover`).
    3. What edges leave open is taken orthogonal in the measurements (`straighten`).
    4. A sparse acyclic structural flow among the latents (`fit_structure`).

    Parameters
    ----------
    search
        Of stage one.
    allowed
        Which edges may be, shape (d, d), rows are children, in the order of the names; all by default. This is where
        tiers and Level I's graph enter.
    budget
        Shared with other methods: its threads, and its epochs, by which all steps shrink from the standard ones.
    """

    budget: Budget = STANDARD
    search: Search = SEARCH
    allowed: NDArray[np.bool_] | None = None
    name = "default"
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
    ) -> StagedFit:
        """Fit; see `Method`.

        Raises
        ------
        InputError
            Measurements that nothing can be learned from; fewer than two modalities; shared latents.
        ComputationError
            When training diverges three times, each with a quarter of the rate.
        """
        check(views, latents, shared)
        if len(views) < 2:
            raise InputError("the default method learns from what modalities say of one another; give it two or more")
        if shared:
            raise InputError("the default method has no shared latents yet; use --method paper or multiview for them")
        projection = Projection.fit(views, rng=rng)
        seed = int(rng.integers(2**31))
        with threads(self.budget.threads):
            targets = projection.apply(views)
            for attempt in range(ATTEMPTS):
                generator = torch.Generator().manual_seed(seed + attempt)
                try:
                    return self._fit(projection, targets, dict(latents), 4.0**-attempt, generator, progress)
                except FloatingPointError:
                    continue
        text = "training diverged three times, each with a lower rate; check the embeddings for extreme values"
        raise ComputationError(text)

    def _fit(
        self,
        projection: Projection,
        targets: list[Tensor],
        latents: Mapping[str, int],
        slower: float,
        generator: torch.Generator,
        progress: Progress | None,
    ) -> StagedFit:
        share = min(1.0, self.budget.epochs / STANDARD.epochs)
        modalities = list(projection.directions)
        counts = [latents[m] for m in modalities]
        of = [m for m, count in enumerate(counts) for _ in range(count)]
        d = len(of)
        allowed = torch.ones(d, d) if self.allowed is None else torch.from_numpy(self.allowed.astype(np.float32))
        order = torch.randperm(len(targets[0]), generator=generator)
        cut = max(2, round(VALIDATION * len(order)))
        components = find_components(
            targets, counts, allowed, order[:cut], order[cut:], self.search.slower(slower, share), generator=generator,
            progress=progress,
        )  # fmt: skip
        raw = components.encode(targets)
        scales = [_scale(raw)]
        found = _scaled(raw, scales[0])
        blocks = _blocks(components, of, found, targets, share, generator)
        raw = torch.cat([block.read(found, y).detach() for block, y in zip(blocks, targets, strict=True)], dim=1)
        scales.append(_scale(raw))
        before = _scaled(raw, scales[1])
        for block, y in zip(blocks, targets, strict=True):
            open_to = _choices(block)
            if open_to:
                block.straightened.extend(
                    straighten(before[:, block.columns], y, open_to, share=share, generator=generator)
                )
        names = latent_names(latents, modalities, 0)
        with torch.no_grad():
            unscaled = _latents(components, blocks, [*scales, (torch.zeros(d), torch.ones(d))], targets)
        scales.append(_scale(unscaled))
        structure = fit_structure(_scaled(unscaled, scales[2]), allowed, share=share, generator=generator)
        return StagedFit(
            names=names,
            adjacency=structure.adjacency,
            objective=components.objective,
            information=components.information,
            touching=[names[i] for block in blocks for i in block.used],
            straightened=[names[block.columns[f.at]] for block in blocks for f in block.straightened],
            projection=projection,
            components=components,
            scales=scales,
            blocks=blocks,
            structure=structure,
            threads=self.budget.threads,
        )


def _blocks(
    components: Components,
    of: list[int],
    found: Tensor,
    targets: list[Tensor],
    share: float,
    generator: torch.Generator,
) -> list[Block]:
    strength = components.strength * components.critic.across
    touches = torch.maximum(strength.amax(0), strength.amax(1)) > TOUCHES
    blocks = []
    for m, y in enumerate(targets):
        columns = [i for i, at in enumerate(of) if at == m]
        used = [i for i in columns if touches[i]]
        free = [i for i in columns if not touches[i]]
        given = standard(found[:, used]) if used else found[:, :0]
        chart = leftover(given, y, len(free), share=share, generator=generator) if free else None
        blocks.append(Block(columns, used, free, chart))
    return blocks


def _choices(block: Block) -> dict[int, list[int]]:
    """Return which latents of a block are settled by orthogonality, and to which mates: those that touch nothing."""
    choices: dict[int, list[int]] = {}
    settled = list(block.used)
    for i in block.free:
        if settled:
            choices[block.columns.index(i)] = [block.columns.index(j) for j in settled]
        settled.append(i)
    return choices
