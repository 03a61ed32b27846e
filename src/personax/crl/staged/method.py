"""The method ``default``: components that touch other modalities, what measurements show beyond them, and a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl.budget import STANDARD, Budget
from personax.crl.device import CPU, permutation, placed
from personax.crl.loop import VALIDATION_SEED, threads
from personax.crl.method import Arrays, Progress
from personax.crl.prior import Prior
from personax.crl.staged.agreed import find_agreed
from personax.crl.staged.block import around, choices, plain_blocks, with_rest
from personax.crl.staged.components import Search, find_components
from personax.crl.staged.contents import find_contents, read_contents
from personax.crl.staged.fitted import StagedFit, components_of, read_blocks, scale_of, scaled, straightened
from personax.crl.staged.orthogonal import straighten
from personax.crl.staged.projection import Projection
from personax.crl.staged.structure import fit_structure
from personax.crl.standard import check, latent_names
from personax.errors import ComputationError, InputError

__all__ = ["Staged", "StagedFit"]

ATTEMPTS: Final = 3
SEARCH: Final = Search()
VALIDATION: Final = 0.1


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
        Shared with other methods: its threads, its device, and its epochs, by which all steps shrink from the standard
        ones.
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
        device = placed(self.budget.device)
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
        order = permutation(len(targets[0]), generator=torch.Generator().manual_seed(VALIDATION_SEED))
        cut = max(2, round(VALIDATION * len(order)))
        people = (order[:cut], order[cut:])
        alike = find_agreed(targets, shared, *people, search, generator=generator, device=device) if shared else None
        contents = find_contents(views, latents, shared, people, search, generator=generator, device=device)
        instead = read_contents(contents, targets, views)
        components = find_components(
            targets, [latents[m] for m in modalities], allowed, *people, search,
            given=None if alike is None else alike(targets),
            contents=[x if m in contents else None for m, x in zip(modalities, instead, strict=True)],
            dearness=dearness, generator=generator, progress=progress, device=device,
        )  # fmt: skip
        contents = contents if components.from_contents else {}
        seen = read_contents(contents, targets, views)
        raw = components_of(alike, components, targets, seen)
        scales = [scale_of(raw)]
        found = scaled(raw, scales[0])
        plain = plain_blocks(components, modalities, latents, shared)
        blocks = [
            with_rest(block, found, x, block.modality in contents, views, people, search, share, generator, device)
            for block, x in zip(plain, seen, strict=True)
        ]
        raw = read_blocks(blocks, found, seen, views).detach()
        scales.append(scale_of(raw))
        before = scaled(raw, scales[1])
        for block, y in zip(blocks, targets, strict=True):
            open_to = choices(block)
            if open_to:
                block.straightened.extend(
                    straighten(before[:, around(block)], y, open_to, share=share, generator=generator, device=device)
                )
        unscaled = straightened(blocks, before).detach()
        scales.append(scale_of(unscaled))
        structure = fit_structure(
            scaled(unscaled, scales[2]), allowed, share=share, generator=generator, dearness=dearness, device=device
        )
        return StagedFit(
            names=names,
            adjacency=structure.adjacency,
            objective=components.objective,
            information=components.information,
            touching=[names[i] for block in blocks for i in block.used],
            straightened=[names[around(block)[f.at]] for block in blocks for f in block.straightened],
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
    may = torch.ones(d, d, device=CPU) if allowed is None else torch.from_numpy(allowed.astype(np.float32))
    may[:shared] = 0.0
    return may
