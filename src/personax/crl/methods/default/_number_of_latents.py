"""How many latents a modality has: by what additive decoders explain and by how far their restarts agree.

A decoder of too few latents explains less. One of too many explains a little more, the additional latents coding what
happens to be left, each restart something else: its restarts disagree. So both are looked at, on people held out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from personax.crl._device import CPU
from personax.crl._estimator import Progress
from personax.crl.methods.default._agreed import fit_agreed_components
from personax.crl.methods.default._coordinates import AGREES, finalist_agreement
from personax.crl.methods.default._decoders import RestartSchedule, fit_bottleneck
from personax.crl.methods.default._modalities import AS_MUCH, without_copies

__all__ = ["NumberOfLatents", "TriedNumber", "count_latents"]

SCHEDULE: Final = RestartSchedule(restarts=8, steps=1500, finalists=3)

STABLE: Final = 0.8
"""Agreement of two restarts from which their latents are the same: two thirds of the variance of ranks."""

FOLDS_SEED: Final = 0


@dataclass(frozen=True)
class TriedNumber:
    """One number of latents.

    Parameters
    ----------
    latents
        Which.
    explained
        Share of what measurements agree on that the best restart explains on people held out.
    error
        Standard error, over people held out, of what it leaves.
    agreement
        The least latent's rank correlation in the two restarts that agree most.
    """

    latents: int
    explained: float
    error: float
    agreement: float


@dataclass(frozen=True)
class NumberOfLatents:
    """How many latents a modality has.

    Parameters
    ----------
    latents
        The fewest of the interval that explain 95 % of what its most explain.
    low, high
        The most latents at which two restarts agree at .98, and at .8; 1 where they agree at none.
    tried
        All numbers.
    """

    latents: int
    low: int
    high: int
    tried: list[TriedNumber]

    @classmethod
    def of(cls, tried: list[TriedNumber]) -> NumberOfLatents:
        """Choose among the numbers tried.

        Examples
        --------
        >>> rows = [(1, 0.66, 0.01, 0.99), (2, 0.92, 0.01, 0.95), (3, 0.95, 0.01, 0.86), (4, 0.96, 0.01, 0.68)]
        >>> found = NumberOfLatents.of([TriedNumber(*row) for row in rows])
        >>> found.latents, found.low, found.high
        (2, 1, 3)
        """
        low = max((one.latents for one in tried if one.agreement >= AGREES), default=1)
        high = max((one.latents for one in tried if one.agreement >= STABLE), default=low)
        within = [one for one in tried if low <= one.latents <= high]
        enough = AS_MUCH * within[-1].explained
        return cls(next(one.latents for one in within if one.explained >= enough), low, high, tried)


def count_latents(
    modality: str,
    by: Mapping[str, NDArray[Any]],
    upto: int,
    people: tuple[torch.Tensor, torch.Tensor],
    *,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
    progress: Progress | None = None,
) -> NumberOfLatents | None:
    """Count the latents of a modality with several measurements; None where they agree on nothing, or there is one.

    Parameters
    ----------
    modality, by
        Its name and its measurements; people may lack some, and have one at least.
    upto
        The largest number to try; numbers beyond what measurements agree on are not.
    people
        Rows of validation and of training people.
    share
        Of the standard number of steps.
    progress
        Called with (number, numbers, share left).
    """
    own, _ = without_copies(modality, by, people[1].numpy())
    if len(own) < 2:
        return None
    agreed = fit_agreed_components(own, people[1].numpy(), np.random.default_rng(FOLDS_SEED))
    content, tried = torch.from_numpy(agreed(own)), []
    most = min(upto, agreed.count)
    for latents in range(1, most + 1):
        found = fit_bottleneck(
            content, latents, "additive", *people, SCHEDULE.shorter(share), generator=generator, device=device
        )
        pairs = finalist_agreement([code.double().numpy() for code in found.codes])[1]
        error = float(found.errors.std() / len(found.errors) ** 0.5)
        tried.append(TriedNumber(latents, found.explained[0], error, max(pairs, default=0.0)))
        if progress is not None:
            progress(latents, most, 1 - found.explained[0])
    return NumberOfLatents.of(tried) if tried else None
