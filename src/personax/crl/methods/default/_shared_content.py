"""Shared content: latents that several modalities, or several measurements of one modality, have in common.

Of several measurements of a modality, each carries much that no latent does; what all have in common is the modality's
latents and the shared ones, up to an invertible map (Yao et al. 2024, arXiv:2311.04056). Later stages read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from personax.crl._device import CPU
from personax.crl._estimator import Arrays
from personax.crl.methods.default._components import Components, Search, fit_components
from personax.crl.methods.default._projection import Projection

__all__ = [
    "ModalityContent",
    "SharedContent",
    "apart",
    "encode_contents",
    "fit_modality_contents",
    "fit_shared_content",
]

RESTARTS: Final = 6
STEPS: Final = 0.5
"""Of those of a search for components."""

NEGATIVES: Final = 48
"""Shared content is known nearly exactly from each input, so that few negatives would all be told apart."""


@dataclass(frozen=True)
class SharedContent:
    """Latents common to all inputs, each the mean of the inputs' estimates.

    Parameters
    ----------
    components
        ``count`` of each input, the i-th of one linked to the i-th of the others alone.
    count
        Latents.
    mean, std, signs
        Of the components, shape (inputs, count).
    """

    components: Components
    count: int
    mean: Tensor
    std: Tensor
    signs: Tensor

    def __call__(self, inputs: Sequence[Tensor], given: Tensor | None = None) -> Tensor:
        """Return latents, shape (n, count)."""
        found = _by_input(self.components, self.count, inputs, given)
        return ((found - self.mean) / self.std * self.signs).mean(1)


def _by_input(components: Components, count: int, inputs: Sequence[Tensor], given: Tensor | None) -> Tensor:
    seen = list(inputs) if given is None else [given, *inputs]
    return components.encode(seen)[:, -count * len(inputs) :].view(-1, len(inputs), count)


def fit_shared_content(
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
) -> SharedContent:
    """Find what inputs have in common beyond what is given; see `fit_components` for the arguments.

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
    components = fit_components(
        inputs, [count] * len(inputs), allowed, held, learn, asked,
        given=given, generator=generator, progress=progress, device=device,
    )  # fmt: skip
    found = _by_input(components, count, inputs, given)
    mean, std = found.mean(0), found.std(0).clamp_min(1e-8)
    scaled = (found - mean) / std
    signs = torch.sign((scaled * scaled[:, :1]).mean(0))
    return SharedContent(components, count, mean, std, torch.where(signs == 0, 1.0, signs))


CONTENT_RESTARTS: Final = 3
CONTENT_NEGATIVES: Final = 16
"""Twice as many restarts or three times as many negatives found the same, later."""


@dataclass(frozen=True)
class ModalityContent:
    """The encoder from a modality's measurements to their shared content.

    Parameters
    ----------
    projection
        Of each measurement apart.
    content
        What the projections have in common.
    """

    projection: Projection
    content: SharedContent

    def __call__(self, measurements: Mapping[str, object]) -> Tensor:
        """Return shape (n, latents of the modality and shared ones)."""
        with torch.no_grad():
            return self.content(self.projection.apply(apart(measurements)))


def apart(measurements: Mapping[str, object]) -> Arrays:
    """Return the measurements of one modality as if each were a modality."""
    return {name: {name: x} for name, x in measurements.items()}  # type: ignore[dict-item]


def fit_modality_contents(
    views: Arrays,
    latents: Mapping[str, int],
    shared: int,
    people: tuple[Tensor, Tensor],
    search: Search,
    *,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> dict[str, ModalityContent]:
    """Find the content of every modality that has several measurements; see `fit_shared_content`."""
    found = {}
    for modality, measurements in views.items():
        if len(measurements) > 1:
            projection = Projection.fit(apart(measurements), rng=np.random.default_rng(0))
            inputs = projection.apply(apart(measurements))
            content = fit_shared_content(
                inputs, latents[modality] + shared, *people, search,
                restarts=CONTENT_RESTARTS, negatives=CONTENT_NEGATIVES, generator=generator, device=device,
            )  # fmt: skip
            found[modality] = ModalityContent(projection, content)
    return found


def encode_contents(contents: Mapping[str, ModalityContent], targets: list[Tensor], views: Arrays) -> list[Tensor]:
    """Return of each modality its content, or its components where there is none."""
    return [
        contents[m](by) if m in contents else target for (m, by), target in zip(views.items(), targets, strict=True)
    ]
