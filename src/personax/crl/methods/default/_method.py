"""The method ``default``: components connected to other modalities, the other latents given them, and a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._budget import STANDARD, Budget
from personax.crl._device import CPU, torch_device
from personax.crl._estimator import Arrays, Estimator, Problem, Progress
from personax.crl._optimiser import retry_diverged, threads, validation_split
from personax.crl._prior import Prior
from personax.crl._scaler import check, latent_names
from personax.crl.methods.default._blocks import (
    Block,
    around,
    fit_free_latents,
    initial_blocks,
    orthogonality_choices,
)
from personax.crl.methods.default._components import Search, fit_components
from personax.crl.methods.default._fit import (
    DefaultFit,
    components_of,
    read_blocks,
    scale_of,
    scaled,
    with_orthogonal_latents,
)
from personax.crl.methods.default._modality_content import encode_contents, fit_modality_contents
from personax.crl.methods.default._orthogonal import fit_orthogonal_latents
from personax.crl.methods.default._projection import Projection
from personax.crl.methods.default._shared_content import fit_shared_content
from personax.crl.methods.default._structure import fit_structure
from personax.errors import InputError
from personax.registry import register

__all__ = ["Default", "DefaultFit", "fit"]

SEARCH: Final = Search()
VALIDATION: Final = 0.1
"""Share of people held out."""


@register("methods", "default", title="personax", order=12)
@dataclass
class Default(Estimator):
    """Our own method, in stages; nothing in it is chosen with a truth.

    0. Shared latents: what every modality shows (`fit_shared_content`).
    1. What the measurements of a modality have in common, where there are several (`fit_modality_contents`); some
       restarts of the next step read it in place of the measurements.
    2. Components of each modality that are connected to the others, by as few edges as explain the dependence
       between modalities given shared latents (`fit_components`), from many restarts; validation people choose.
    3. Latents without an edge to another modality: what several measurements of a modality share given those
       (`fit_shared_content`), or the leading components of a single measurement given them (`fit_chart`).
    4. What edges leave open is taken orthogonal in the measurements (`fit_orthogonal_latents`).
    5. A sparse acyclic structural model of the latents (`fit_structure`).

    Parameters
    ----------
    budget
        Shared with other methods: its threads, its device, and its epochs, by which all steps shrink from the standard
        ones.
    search
        Of step two.
    allowed
        Which edges may be, shape (d, d), rows are children, in the order of the names; all by default.
    prior
        What is known of causes between modalities: tiers, pairs, or Level I's graph.
    """

    budget: Budget = STANDARD
    search: Search = SEARCH
    allowed: NDArray[np.bool_] | None = None
    prior: Prior | None = None
    name = "default"

    def learn(self, problem: Problem) -> DefaultFit:
        """Return the fitted method.

        Raises
        ------
        InputError
            Measurements that nothing can be learned from; fewer than two modalities.
        ComputationError
            When training diverges three times, each with a quarter of the rate.
        """
        check(problem.views, problem.latents, problem.shared)
        if len(problem.views) < 2:
            raise InputError(
                "default learns from the dependence between modalities and was given one; give two or more"
            )
        projection = Projection.fit(problem.views, rng=problem.rng)
        seed = int(problem.rng.integers(2**31))
        with threads(self.budget.threads):
            return retry_diverged(lambda attempt: self._attempt(problem, projection, seed, attempt))

    def _attempt(self, problem: Problem, projection: Projection, seed: int, attempt: int) -> DefaultFit:
        """Fit all steps, at a quarter of the rate for every attempt before."""
        generator = torch.Generator().manual_seed(seed + attempt)
        device = torch_device(self.budget.device)
        share = min(1.0, self.budget.epochs / STANDARD.epochs)
        search = self.search.slower(4.0**-attempt, share)
        views, latents, shared = problem.views, dict(problem.latents), problem.shared
        targets = projection.apply(views)
        modalities = list(projection.directions)
        names = latent_names(latents, modalities, shared)
        allowed, edge_penalty = self._edges(names, shared)
        people = validation_split(len(targets[0]), VALIDATION)
        common = (
            fit_shared_content(targets, shared, *people, search, generator=generator, device=device) if shared else None
        )
        contents = fit_modality_contents(views, latents, shared, people, search, generator=generator, device=device)
        components = fit_components(
            targets, [latents[m] for m in modalities], allowed, *people, search,
            given=None if common is None else common(targets),
            contents=[
                x if m in contents else None
                for m, x in zip(modalities, encode_contents(contents, targets, views), strict=True)
            ],
            edge_penalty=edge_penalty, generator=generator, progress=problem.progress, device=device,
        )  # fmt: skip
        contents = contents if components.from_contents else {}
        seen = encode_contents(contents, targets, views)
        raw = components_of(common, components, targets, seen)
        scales = [scale_of(raw)]
        found = scaled(raw, scales[0])
        blocks = [
            fit_free_latents(
                block, found, x, block.modality in contents, views, people, search, share, generator, device
            )
            for block, x in zip(initial_blocks(components, modalities, latents, shared), seen, strict=True)
        ]
        raw = read_blocks(blocks, found, seen, views).detach()
        scales.append(scale_of(raw))
        before = scaled(raw, scales[1])
        _fit_orthogonal(blocks, before, targets, share=share, generator=generator, device=device)
        unscaled = with_orthogonal_latents(blocks, before).detach()
        scales.append(scale_of(unscaled))
        structure = fit_structure(
            scaled(unscaled, scales[2]), allowed,
            share=share, generator=generator, edge_penalty=edge_penalty, device=device,
        )  # fmt: skip
        return DefaultFit(
            names=names,
            adjacency=structure.adjacency,
            objective=components.objective,
            information=components.information,
            connected=[names[i] for block in blocks for i in block.used],
            orthogonal=[names[around(block)[f.at]] for block in blocks for f in block.orthogonal],
            projection=projection,
            contents=contents,
            shared=common,
            components=components,
            scales=scales,
            blocks=blocks,
            structure=structure,
            threads=self.budget.threads,
        )

    def _edges(self, names: list[str], shared: int) -> tuple[Tensor, Tensor | None]:
        """Return which edges may be (none into shared latents), and what each costs where a prior says so."""
        d = len(names)
        may = torch.ones(d, d, device=CPU)
        if self.allowed is not None:
            may = torch.from_numpy(self.allowed.astype(np.float32))
        may[:shared] = 0.0
        if self.prior is None:
            return may, None
        return may * torch.from_numpy(self.prior.allowed(names)), torch.from_numpy(
            self.prior.edge_penalty(names)
        ).float()


def fit(
    views: Arrays,
    *,
    latents: Mapping[str, int],
    shared: int = 0,
    rng: np.random.Generator,
    progress: Progress | None = None,
    **options: Any,  # noqa: ANN401 - those of `Default`
) -> DefaultFit:
    """Learn the latents behind several measurements of several modalities, and the graph among them, by our method.

    Parameters
    ----------
    views
        Modality -> measurement -> vectors, shape (n, dim); the same people in the same order everywhere.
    latents, shared
        Modality -> number of its own latents; number of latents that all modalities share.
    rng
        The same state gives the same numbers, for one number of threads (one by default).
    progress
        Called with (step, steps, validation objective).
    options
        Parameters of the method: ``budget``, ``search``, ``allowed``, ``prior``; see `Default`.

    Raises
    ------
    InputError
        Measurements that nothing can be learned from; fewer than two modalities.
    ComputationError
        When training diverges three times.

    Examples
    --------
    >>> import numpy as np
    >>> from personax.crl import Budget
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(60, 1))
    >>> views = {"text": {"a": np.hstack([z, -z])}, "image": {"b": np.hstack([z, z]) + rng.normal(size=(60, 2))}}
    >>> fit(views, latents={"text": 1, "image": 1}, rng=rng, budget=Budget(epochs=1)).names
    ['text_1', 'image_1']
    """
    fitted: DefaultFit = Default(**options).fit(views, latents=latents, shared=shared, rng=rng, progress=progress)
    return fitted


def _fit_orthogonal(
    blocks: list[Block],
    latents: Tensor,
    targets: list[Tensor],
    *,
    share: float,
    generator: torch.Generator,
    device: torch.device,
) -> None:
    """Add to each block the functions that replace latents which edges leave open."""
    for block, y in zip(blocks, targets, strict=True):
        open_to = orthogonality_choices(block)
        if open_to:
            block.orthogonal.extend(
                fit_orthogonal_latents(
                    latents[:, around(block)], y, open_to, share=share, generator=generator, device=device
                )
            )
