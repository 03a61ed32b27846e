"""What several inputs say alike: latents that modalities share, or that the measurements of one modality do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from personax.crl.device import CPU
from personax.crl.staged.components import Components, Search, find_components

__all__ = ["Agreed", "find_agreed"]

RESTARTS: Final = 6
STEPS: Final = 0.5
"""Of those of a search for components."""

NEGATIVES: Final = 48
"""What inputs share they know exactly, so that few stand-ins would be told apart by anything."""


@dataclass(frozen=True)
class Agreed:
    """Latents that every input shows, each the mean of what the inputs say of it.

    Parameters
    ----------
    components
        ``count`` of each input, the i-th of one linked to the i-th of the others alone.
    count
        Latents.
    centre, spread, signs
        Of the components, shape (inputs, count).
    """

    components: Components
    count: int
    centre: Tensor
    spread: Tensor
    signs: Tensor

    def __call__(self, inputs: Sequence[Tensor], given: Tensor | None = None) -> Tensor:
        """Return latents, shape (n, count)."""
        found = _by_input(self.components, self.count, inputs, given)
        return ((found - self.centre) / self.spread * self.signs).mean(1)


def _by_input(components: Components, count: int, inputs: Sequence[Tensor], given: Tensor | None) -> Tensor:
    seen = list(inputs) if given is None else [given, *inputs]
    return components.encode(seen)[:, -count * len(inputs) :].view(-1, len(inputs), count)


def find_agreed(
    inputs: Sequence[Tensor],
    count: int,
    held: Tensor,
    learn: Tensor,
    search: Search,
    *,
    given: Tensor | None = None,
    restarts: int = RESTARTS,
    negatives: int = NEGATIVES,
    generator: torch.Generator,
    progress: Callable[[int, int, float], None] | None = None,
    device: torch.device = CPU,
) -> Agreed:
    """Find what inputs have in common beyond what is given; see `find_components` for the arguments.

    Restarts and negatives replace the search's; with something given, the search's own negatives are used.
    """
    known = 0 if given is None else given.shape[1]
    pairs = torch.eye(count, device=CPU).repeat(len(inputs), len(inputs))
    allowed = torch.zeros(known + len(pairs), known + len(pairs), device=CPU)
    allowed[known:, known:] = pairs
    allowed[known:, :known] = 1.0
    steps = max(1, round(STEPS * search.steps))
    asked = replace(
        search, restarts=restarts, steps=steps, trial=min(search.trial, steps), edges=0.0,
        negatives=search.negatives if given is not None else negatives,
    )  # fmt: skip
    components = find_components(
        inputs, [count] * len(inputs), allowed, held, learn, asked,
        given=given, generator=generator, progress=progress, device=device,
    )  # fmt: skip
    found = _by_input(components, count, inputs, given)
    centre, spread = found.mean(0), found.std(0).clamp_min(1e-8)
    scaled = (found - centre) / spread
    signs = torch.sign((scaled * scaled[:, :1]).mean(0))
    return Agreed(components, count, centre, spread, torch.where(signs == 0, 1.0, signs))
