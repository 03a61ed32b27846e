"""What the measurements of a modality agree on: where there are several, that is what later stages read of it.

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

from personax.crl.device import CPU
from personax.crl.method import Arrays
from personax.crl.staged.agreed import Agreed, find_agreed
from personax.crl.staged.components import Search
from personax.crl.staged.projection import Projection

__all__ = ["Content", "apart", "find_contents", "read_contents"]

RESTARTS: Final = 3
NEGATIVES: Final = 16
"""Twice as many restarts or three times as many stand-ins found the same, later."""


@dataclass(frozen=True)
class Content:
    """The way from a modality's measurements to what they agree on.

    Parameters
    ----------
    projection
        Of each measurement apart.
    agreed
        What the projections have in common.
    """

    projection: Projection
    agreed: Agreed

    def __call__(self, measurements: Mapping[str, object]) -> Tensor:
        """Return shape (n, latents of the modality and shared ones)."""
        with torch.no_grad():
            return self.agreed(self.projection.apply(apart(measurements)))


def apart(measurements: Mapping[str, object]) -> Arrays:
    """Return the measurements of one modality as if each were a modality."""
    return {name: {name: x} for name, x in measurements.items()}  # type: ignore[dict-item]


def find_contents(
    views: Arrays,
    latents: Mapping[str, int],
    shared: int,
    people: tuple[Tensor, Tensor],
    search: Search,
    *,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> dict[str, Content]:
    """Find the content of every modality that has several measurements; see `find_agreed`."""
    found = {}
    for modality, measurements in views.items():
        if len(measurements) > 1:
            projection = Projection.fit(apart(measurements), rng=np.random.default_rng(0))
            inputs = projection.apply(apart(measurements))
            agreed = find_agreed(
                inputs, latents[modality] + shared, *people, search,
                restarts=RESTARTS, negatives=NEGATIVES, generator=generator, device=device,
            )  # fmt: skip
            found[modality] = Content(projection, agreed)
    return found


def read_contents(contents: Mapping[str, Content], targets: list[Tensor], views: Arrays) -> list[Tensor]:
    """Return of each modality its content, or its components where there is none."""
    return [
        contents[m](by) if m in contents else target for (m, by), target in zip(views.items(), targets, strict=True)
    ]
