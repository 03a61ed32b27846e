"""Latents that all modalities share, where every modality tells its latents apart by itself.

A modality's measurements show its own latents and the shared ones alike, so that a decoder of a restrictive class finds
all of them, each up to a rising or falling map. Which are shared is seen afterwards: the same latent, found twice, has
the same order of people. A latent that only causes one of another modality has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from personax.crl._estimator import Arrays
from personax.crl.methods.default._coordinates import Coordinates, NormalScores
from personax.crl.methods.default._decoder_checks import DecoderChecks, least_of

__all__ = ["SAME", "PartialCoordinates", "SharedCoordinates", "shared_coordinates"]

SAME: Final = 0.8
"""Correlation of normal scores, on people held out, from which latents of two modalities are taken for one.

Two estimates that each correlate at .9 with the same latent, with errors of their own, correlate at .81.
"""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PartialCoordinates(Coordinates):
    """Some latents of a modality.

    Parameters
    ----------
    whole
        All of them.
    columns
        Which.
    """

    reads_lacking: ClassVar[bool] = True

    whole: Coordinates
    columns: list[int]

    @classmethod
    def of(cls, whole: Coordinates, columns: list[int]) -> PartialCoordinates:
        """Take some columns."""
        agreement = [whole.finalist_agreement[at] for at in columns]
        return cls(
            whole.modality, whole.decoder, whole.explained, whole.explained_free, agreement, whole, columns
        )  # fmt: skip

    def encode(self, by: Mapping[str, NDArray[Any]]) -> Floats:
        """As `Coordinates.encode` says."""
        return self.whole.encode(by)[:, self.columns]

    @property
    def checks(self) -> DecoderChecks | None:
        """What checks say of these latents."""
        known: DecoderChecks | None = getattr(self.whole, "checks", None)
        return None if known is None else known.of(self.columns)

    @property
    def settled(self) -> bool:
        """Whether the class of decoders tells all latents of the modality apart, shared ones too."""
        return self.whole.settled

    @property
    def alone(self) -> bool:
        """As `Coordinates.alone` says: shared latents are of the same decoder."""
        return self.whole.alone


@dataclass(frozen=True)
class SharedCoordinates(Coordinates):
    """Latents that all modalities share: the mean of what each says of them.

    Parameters
    ----------
    parts
        Of every modality.
    scores
        Maps to normal scores, by modality.
    signs
        By modality, shape (count,): all rise with those of the first.
    correlations
        Of each shared latent the least correlation between two modalities' estimates, on people held out.
    """

    reads_lacking: ClassVar[bool] = True

    parts: dict[str, PartialCoordinates]
    scores: dict[str, NormalScores] = field(repr=False)
    signs: dict[str, Tensor] = field(repr=False)
    correlations: list[float]

    def encode(self, by: Mapping[str, Any]) -> Floats:
        """Return the shared latents of any people, shape (n, count), from the measurements of all modalities.

        Who lacks a modality has what the others say.
        """
        found = np.stack([self._of(m, by[m]) for m in self.parts])
        there = np.asarray(~np.isnan(found).any(axis=2, keepdims=True))
        mean = np.where(there, found, 0).sum(axis=0) / there.sum(axis=0).clip(1)
        mean[np.asarray(~there.any(axis=0))[:, 0]] = np.nan
        return np.asarray(mean)

    @property
    def checks(self) -> DecoderChecks | None:
        """What checks say of the latents where they say least: each modality's decoder has to tell them apart."""
        return least_of([part.checks for part in self.parts.values()])

    def _of(self, modality: str, by: Mapping[str, NDArray[Any]]) -> Floats:
        scores = self.scores[modality](torch.from_numpy(self.parts[modality].encode(by)))
        return np.asarray((scores * self.signs[modality]).double().numpy())

    @property
    def settled(self) -> bool:
        """Whether every modality tells its latents apart."""
        return all(part.settled for part in self.parts.values())

    @property
    def alone(self) -> bool:
        """Whether no modality has a latent beside."""
        return all(part.alone for part in self.parts.values())


def shared_coordinates(
    coordinates: Mapping[str, Coordinates], views: Arrays, shared: int, held: NDArray[np.intp]
) -> tuple[dict[str, Coordinates], list[float]] | None:
    """Tell shared latents from own ones.

    Parameters
    ----------
    coordinates
        Of every modality, shared latents among its own.
    views
        Measurements of all people.
    shared
        How many latents are shared.
    held
        People on whom correlations are looked at.

    Returns
    -------
    tuple or None
        ``shared`` and every modality -> coordinates; and of each shared latent the least correlation between two
        modalities. None where a modality has too few latents.
    """
    latents = {m: found.encode(views[m]) for m, found in coordinates.items()}
    if min(z.shape[1] for z in latents.values()) < shared:
        return None
    scores = {m: NormalScores.fit(torch.from_numpy(z)) for m, z in latents.items()}
    looked = {m: scores[m](torch.from_numpy(z[held])).double().numpy() for m, z in latents.items()}
    first, *others = coordinates
    matches = {m: _matched(looked[first], looked[m]) for m in others}
    least = np.min([np.abs([r for _, r in match]) for match in matches.values()], axis=0)
    chosen = sorted(np.argsort(-least)[:shared].tolist())
    columns = {first: chosen} | {m: [matches[m][at][0] for at in chosen] for m in others}
    signs = {first: torch.ones(shared)} | {
        m: torch.tensor([float(np.sign(matches[m][at][1]) or 1) for at in chosen]) for m in others
    }
    parts = {m: PartialCoordinates.of(found, columns[m]) for m, found in coordinates.items()}
    correlations = [
        min(abs(float(np.corrcoef(looked[a][:, columns[a][at]], looked[b][:, columns[b][at]])[0, 1]))
            for a, b in product(coordinates, repeat=2))
        for at in range(shared)
    ]  # fmt: skip
    kept = {m: NormalScores.fit(torch.from_numpy(latents[m][:, columns[m]])) for m in coordinates}
    decoders = {part.decoder for part in parts.values()}
    common = SharedCoordinates(
        "shared",
        decoders.pop() if len(decoders) == 1 else "interactions",
        min(part.explained for part in parts.values()),
        min(part.explained_free for part in parts.values()),
        [min(part.finalist_agreement[at] for part in parts.values()) for at in range(shared)],
        parts, kept, signs, correlations,
    )  # fmt: skip
    own: dict[str, Coordinates] = {
        m: PartialCoordinates.of(found, [at for at in range(latents[m].shape[1]) if at not in columns[m]])
        for m, found in coordinates.items()
    }
    return {"shared": common, **own}, correlations


def _matched(a: Floats, b: Floats) -> list[tuple[int, float]]:
    """Return for each column of one the column of the other that it is matched with, and their correlation."""
    found = np.corrcoef(a.T, b.T)[: a.shape[1], a.shape[1] :]
    rows, columns = linear_sum_assignment(-np.abs(found))
    matched = {int(row): int(column) for row, column in zip(rows, columns, strict=True)}
    return [(matched[at], float(found[at, matched[at]])) if at in matched else (0, 0.0) for at in range(a.shape[1])]
