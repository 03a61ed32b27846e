"""The method ``default``: components that touch other modalities, what measurements show beyond them, and a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl.budget import STANDARD, Budget
from personax.crl.loop import VALIDATION_SEED, threads
from personax.crl.method import Arrays, Progress
from personax.crl.prior import Prior
from personax.crl.staged.agreed import Agreed, find_agreed
from personax.crl.staged.chart import Chart, leftover
from personax.crl.staged.components import Components, Search, find_components
from personax.crl.staged.contents import Content, apart, find_contents, read_contents
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
    projection, agreed
        What they are read from where several measurements show them and stage one read components.
    straightened
        Functions that replace latents which edges leave a choice about; they see shared latents, then the block's.
    """

    modality: str
    columns: list[int]
    used: list[int]
    free: list[int]
    given: list[int]
    chart: Chart | None = None
    projection: Projection | None = None
    agreed: Agreed | None = None
    straightened: list[Straightened] = field(default_factory=list)

    def read(self, components: Tensor, seen: Tensor, views: Arrays) -> Tensor:
        """Return the block's latents before straightening, shape (n, d), from standardised components."""
        latents = components[:, self.columns].clone()
        at = [self.columns.index(i) for i in self.free]
        if self.chart is not None:
            latents[:, at] = self.chart(components[:, self.given], seen)[1]
        if self.agreed is not None and self.projection is not None:
            given = components[:, self.given] if self.given else None
            latents[:, at] = self.agreed(self.projection.apply(apart(views[self.modality])), given)
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
    contents
        By modality, where stage one read what measurements agree on.
    """

    names: list[str]
    adjacency: NDArray[np.float64]
    objective: float
    information: float
    touching: list[str]
    straightened: list[str]
    projection: Projection = field(repr=False)
    contents: dict[str, Content] = field(repr=False)
    shared: Agreed | None = field(repr=False)
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
            encoded: NDArray[np.float64] = self._latents(views).double().numpy()
            return encoded

    def noise(self, views: Arrays) -> NDArray[np.float64]:
        """Return the exogenous noise of any people, shape (n, d)."""
        with threads(self.threads), torch.no_grad():
            noise: NDArray[np.float64] = self.structure.noise(self._latents(views)).double().numpy()
            return noise

    def _latents(self, views: Arrays) -> Tensor:
        targets = self.projection.apply(views)
        seen = read_contents(self.contents, targets, views)
        found = _scaled(_components(self.shared, self.components, targets, seen), self.scales[0])
        before = _scaled(_read(self.blocks, found, seen, views), self.scales[1])
        return _scaled(_straight(self.blocks, before), self.scales[2])


def _components(shared: Agreed | None, components: Components, targets: list[Tensor], seen: list[Tensor]) -> Tensor:
    """Return shared latents and components, not standardised, shape (n, d)."""
    if shared is None:
        return components.encode(seen)
    known = shared(targets)
    found = components.encode([known, *seen])
    # one shared latent is known as it is; several are told apart by whom they touch
    return torch.cat([known, found[:, 1:]], 1) if shared.count == 1 else found


def _read(blocks: list[Block], found: Tensor, seen: list[Tensor], views: Arrays) -> Tensor:
    """Return shared latents and those of all blocks before straightening."""
    first = min(column for block in blocks for column in block.columns)
    own = [block.read(found, x, views) for block, x in zip(blocks, seen, strict=True)]
    return torch.cat([found[:, :first], *own], dim=1)


def _straight(blocks: list[Block], latents: Tensor) -> Tensor:
    out = latents.clone()
    for block in blocks:
        around = _around(block)
        for function in block.straightened:
            out[:, around[function.at]] = function(latents[:, around])
    return out


def _around(block: Block) -> list[int]:
    """Return the columns of shared latents that the block is given, and of its own."""
    return [i for i in block.given if i not in block.columns] + block.columns


def _scale(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean(0), x.std(0).clamp_min(1e-8)


def _scaled(x: Tensor, scale: tuple[Tensor, Tensor]) -> Tensor:
    return (x - scale[0]) / scale[1]


@dataclass(frozen=True)
class Staged:
    """Our own method, in stages; nothing in it is chosen with a truth.

    0. Shared latents: what every modality shows (`find_agreed`).
    1. What the measurements of a modality agree on, where there are several (`find_contents`), is what some restarts of
       the next step read in place of the measurements.
    2. Components of each modality that touch the others through as few edges as explain what modalities say of one
       another, among people alike in shared latents (`find_components`), from many restarts; validation people choose.
    3. Latents that touch nothing else: what several measurements of a modality say alike given those (`find_agreed`),
       or the leading components of a single measurement given them (`leftover`).
    4. What edges leave open is taken orthogonal in the measurements (`straighten`).
    5. A sparse acyclic structural flow among the latents (`fit_structure`).

    Parameters
    ----------
    search
        Of stage one.
    allowed
        Which edges may be, shape (d, d), rows are children, in the order of the names; all by default.
    prior
        What is known of causes between modalities: tiers, pairs, or Level I's graph.
    budget
        Shared with other methods: its threads, and its epochs, by which all steps shrink from the standard ones.
    """

    budget: Budget = STANDARD
    search: Search = SEARCH
    allowed: NDArray[np.bool_] | None = None
    prior: Prior | None = None
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
            Measurements that nothing can be learned from; fewer than two modalities.
        ComputationError
            When training diverges three times, each with a quarter of the rate.
        """
        check(views, latents, shared)
        if len(views) < 2:
            raise InputError(
                "default learns from what modalities say of one another, and is given one; give two or more"
            )
        projection = Projection.fit(views, rng=rng)
        seed = int(rng.integers(2**31))
        with threads(self.budget.threads):
            for attempt in range(ATTEMPTS):
                generator = torch.Generator().manual_seed(seed + attempt)
                try:
                    return self._fit(projection, views, dict(latents), shared, 4.0**-attempt, generator, progress)
                except FloatingPointError:
                    continue
        text = "training diverged three times, each with a lower rate; check the embeddings for extreme values"
        raise ComputationError(text)

    def _fit(
        self,
        projection: Projection,
        views: Arrays,
        latents: Mapping[str, int],
        shared: int,
        slower: float,
        generator: torch.Generator,
        progress: Progress | None,
    ) -> StagedFit:
        share = min(1.0, self.budget.epochs / STANDARD.epochs)
        search = self.search.slower(slower, share)
        targets = projection.apply(views)
        modalities = list(projection.directions)
        names = latent_names(latents, modalities, shared)
        allowed = _allowed(self.allowed, len(names), shared)
        dearness = None
        if self.prior is not None:
            allowed = allowed * torch.from_numpy(self.prior.allowed(names))
            dearness = torch.from_numpy(self.prior.dearness(names)).float()
        order = torch.randperm(len(targets[0]), generator=torch.Generator().manual_seed(VALIDATION_SEED))
        cut = max(2, round(VALIDATION * len(order)))
        people = (order[:cut], order[cut:])
        alike = find_agreed(targets, shared, *people, search, generator=generator) if shared else None
        contents = find_contents(views, latents, shared, people, search, generator=generator)
        instead = read_contents(contents, targets, views)
        components = find_components(
            targets, [latents[m] for m in modalities], allowed, *people, search,
            given=None if alike is None else alike(targets),
            contents=[x if m in contents else None for m, x in zip(modalities, instead, strict=True)],
            dearness=dearness, generator=generator, progress=progress,
        )  # fmt: skip
        contents = contents if components.from_contents else {}
        seen = read_contents(contents, targets, views)
        raw = _components(alike, components, targets, seen)
        scales = [_scale(raw)]
        found = _scaled(raw, scales[0])
        plain = _blocks(components, modalities, latents, shared)
        blocks = [
            _with_rest(block, found, x, block.modality in contents, views, people, search, share, generator)
            for block, x in zip(plain, seen, strict=True)
        ]
        raw = _read(blocks, found, seen, views).detach()
        scales.append(_scale(raw))
        before = _scaled(raw, scales[1])
        for block, y in zip(blocks, targets, strict=True):
            open_to = _choices(block)
            if open_to:
                block.straightened.extend(
                    straighten(before[:, _around(block)], y, open_to, share=share, generator=generator)
                )
        unscaled = _straight(blocks, before).detach()
        scales.append(_scale(unscaled))
        structure = fit_structure(
            _scaled(unscaled, scales[2]), allowed, share=share, generator=generator, dearness=dearness
        )
        return StagedFit(
            names=names,
            adjacency=structure.adjacency,
            objective=components.objective,
            information=components.information,
            touching=[names[i] for block in blocks for i in block.used],
            straightened=[names[_around(block)[f.at]] for block in blocks for f in block.straightened],
            projection=projection,
            contents=contents,
            shared=alike,
            components=components,
            scales=scales,
            blocks=blocks,
            structure=structure,
            threads=self.budget.threads,
        )


def _allowed(allowed: NDArray[np.bool_] | None, d: int, shared: int) -> Tensor:
    """Return which edges may be: none into shared latents."""
    may = torch.ones(d, d) if allowed is None else torch.from_numpy(allowed.astype(np.float32))
    may[:shared] = 0.0
    return may


def _blocks(components: Components, modalities: list[str], latents: Mapping[str, int], shared: int) -> list[Block]:
    """Return which latents of each modality touch others."""
    touches = _touching(components.strength, components.critic.across)
    blocks, first = [], shared
    for m in modalities:
        columns = list(range(first, first + latents[m]))
        used = [i for i in columns if touches[i]]
        blocks.append(Block(m, columns, used, [i for i in columns if not touches[i]], [*range(shared), *used]))
        first += latents[m]
    return blocks


def _touching(strength: Tensor, across: Tensor) -> Tensor:
    """Return which latents modalities speak of, shape (d,): those with an edge to another modality.

    And those that cause, beside another modality, a latent of their own: what it has of the other modality is clear
    only once their part is known, so they too are found from what modalities say of one another.
    """
    edges = strength > TOUCHES
    between, within = edges & (across > 0), edges & (across == 0)
    told = between.any(1)
    return told | between.any(0) | (within & told[:, None]).any(0)


def _with_rest(
    block: Block,
    found: Tensor,
    seen: Tensor,
    is_content: bool,
    views: Arrays,
    people: tuple[Tensor, Tensor],
    search: Search,
    share: float,
    generator: torch.Generator,
) -> Block:
    """Return the block with what its free latents are read from."""
    if not block.free:
        return block
    given = found[:, block.given]
    measurements = views[block.modality]
    if is_content or len(measurements) == 1:
        return replace(block, chart=leftover(given, seen, len(block.free), share=share, generator=generator))
    own = Projection.fit(apart(measurements), rng=np.random.default_rng(0))
    inputs = own.apply(apart(measurements))
    agreed = find_agreed(
        inputs, len(block.free), *people, search, given=given if block.given else None, generator=generator
    )
    return replace(block, projection=own, agreed=agreed)


def _choices(block: Block) -> dict[int, list[int]]:
    """Return which latents of a block are settled by orthogonality, and to which others: those that touch nothing."""
    around = _around(block)
    choices: dict[int, list[int]] = {}
    settled = list(block.given)
    for i in block.free:
        if settled:
            choices[around.index(i)] = [around.index(j) for j in settled]
        settled.append(i)
    return choices
