"""Modality content: what several measurements of a modality have in common, which later stages read.

A fresh picture a measurement carries much that no latent does; what all of them show is the modality's latents and the
shared ones, up to an invertible map (Yao et al. 2024, arXiv:2311.04056).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from personax.crl._device import CPU
from personax.crl._estimator import Arrays
from personax.crl.methods.default._components import Search
from personax.crl.methods.default._projection import Projection
from personax.crl.methods.default._shared_content import SharedContent, fit_shared_content

__all__ = ["ModalityContent", "apart", "encode_contents", "fit_modality_contents"]

RESTARTS: Final = 3
NEGATIVES: Final = 16
"""Twice as many restarts or three times as many negatives found the same, later."""


@dataclass(frozen=True)
class ModalityContent:
    """The way from a modality's measurements to what they agree on.

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
                restarts=RESTARTS, negatives=NEGATIVES, generator=generator, device=device,
            )  # fmt: skip
            found[modality] = ModalityContent(projection, content)
    return found


def encode_contents(contents: Mapping[str, ModalityContent], targets: list[Tensor], views: Arrays) -> list[Tensor]:
    """Return of each modality its content, or its components where there is none."""
    return [
        contents[m](by) if m in contents else target for (m, by), target in zip(views.items(), targets, strict=True)
    ]
