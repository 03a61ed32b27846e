"""The coordinates of a modality: its latents, told apart by the class of decoders that explains what was measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata
from torch import Tensor

from personax.crl.methods.default._agreed import AgreedComponents
from personax.crl.methods.default._curves import SumOfCurves
from personax.crl.methods.default._decoder_checks import DecoderChecks, check_decoder
from personax.crl.methods.default._decoders import Bottleneck

__all__ = ["AGREES", "Coordinates", "DecodedCoordinates", "NormalScores", "finalist_agreement"]

AGREES: Final = 0.98
"""Agreement of the finalists from which the decoder's class settles the latents."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coordinates(ABC):
    """Latents of one modality.

    Parameters
    ----------
    modality
        Its name.
    decoder
        The class of decoders that tells the latents apart: ``additive`` (a curve a latent, summed), ``scale`` (one
        multiplies what the others show), ``interactions`` (functions of pairs, summed), ``free`` (any function: it
        tells none apart).
    explained
        Share of the modality's content that the decoder explains on people held out.
    explained_free
        What a free decoder explains there.
    finalist_agreement
        Of each latent: the least rank correlation between two finalists, after matching.
    """

    reads_lacking: ClassVar[bool] = False
    """Whether people may lack a measurement, a row of NaN; else something must stand for it."""

    modality: str
    decoder: str
    explained: float
    explained_free: float
    finalist_agreement: list[float]

    @abstractmethod
    def encode(self, by: Mapping[str, NDArray[Any]]) -> Floats:
        """Return the latents of any people, shape (n, k), from the measurements of the modality."""

    @property
    def settled(self) -> bool:
        """Whether the class of decoders tells all latents of the modality apart."""
        return self.decoder != "free" and min(self.finalist_agreement) >= AGREES

    @property
    def alone(self) -> bool:
        """Whether the decoder has one latent, so that none can be mixed with it."""
        return len(self.finalist_agreement) == 1


@dataclass(frozen=True)
class DecodedCoordinates(Coordinates):
    """Latents of a decoder of agreed components.

    Parameters
    ----------
    agreed
        What is decoded.
    bottleneck
        The best of the finalists.
    checks
        Whether the decoder tells the latents apart on these people; None in fits of earlier versions.
    misfits
        Whether a free decoder explains more of people held out, by two standard errors; of fits of earlier versions.
    """

    reads_lacking: ClassVar[bool] = True

    agreed: AgreedComponents
    bottleneck: Bottleneck | SumOfCurves
    checks: DecoderChecks | None = None
    misfits: bool = False

    def checked(self, by: Mapping[str, NDArray[Any]]) -> DecodedCoordinates:
        """Return the same with checks on some people."""
        each = [self._read(part / self.agreed.error) for part in self.agreed.each(by)]
        content = self.agreed(by).astype(np.float64)
        return replace(self, checks=check_decoder(self.encode(by), content, each, self.explained))

    def with_halves(self, agreement: list[float]) -> DecodedCoordinates:
        """Return the same with the agreement of fits to two halves of the people, of each latent."""
        assert self.checks is not None
        return replace(self, checks=replace(self.checks, halves=agreement))

    @property
    def settled(self) -> bool:
        """As `Coordinates.settled` says, and no free decoder explains more."""
        return super().settled and not self.misfits

    def encode(self, by: Mapping[str, NDArray[Any]]) -> Floats:
        """As `Coordinates.encode` says."""
        return self._read(self.agreed(by))

    def _read(self, content: NDArray[Any]) -> Floats:
        with torch.no_grad():
            return np.asarray(self.bottleneck.encode(torch.from_numpy(content.astype(np.float32))).double().numpy())


KNOTS: Final = 400
"""Places at which a map to normal scores is kept."""


@dataclass(frozen=True)
class NormalScores:
    """A rising map of each column to a standard normal distribution, from the people it was fitted on.

    Latents are found up to a rising map of each, so that any other scale would be arbitrary.

    Parameters
    ----------
    places, scores
        Shapes (knots, d); between them the map is straight, and beyond them it goes on as from the last to the mean.
    """

    places: Tensor
    scores: Tensor

    @classmethod
    def fit(cls, x: Tensor) -> NormalScores:
        """Learn from these people, shape (n, d)."""
        knots = min(KNOTS, len(x))
        at = (torch.arange(knots, dtype=torch.float64, device=x.device) + 0.5) / knots
        places = torch.quantile(x.double(), at, dim=0)
        scores = torch.special.ndtri(at)[:, None].expand_as(places)
        return cls(places.contiguous(), scores.contiguous())

    def __call__(self, x: Tensor) -> Tensor:
        """Return the scores of any people, shape (n, d)."""
        return torch.stack([self._column(x[:, at].double(), at) for at in range(x.shape[1])], dim=1).float()

    def _column(self, x: Tensor, at: int) -> Tensor:
        places, scores = self.places[:, at].contiguous(), self.scores[:, at]
        right = torch.searchsorted(places, x.contiguous()).clamp(1, len(places) - 1)
        low, high = places[right - 1], places[right]
        share = (x - low) / (high - low).clamp_min(1e-12)
        inside = scores[right - 1] + share.clamp(0, 1) * (scores[right] - scores[right - 1])
        # beyond the outermost people: the slope of the whole column, so that nobody's place is lost
        slope = (scores[-1] - scores[0]) / (places[-1] - places[0]).clamp_min(1e-12)
        return inside + slope * ((x - places[-1]).clamp_min(0) + (x - places[0]).clamp_max(0))


def finalist_agreement(codes: Sequence[Floats]) -> tuple[list[float], list[float]]:
    """Return of each latent of the first code the least rank correlation with its match in the others, and by pairs.

    Parameters
    ----------
    codes
        Of each finalist the latents of the same people, shape (n, k); the best finalist first.

    Returns
    -------
    tuple
        The least over the other finalists, a latent each (1 where there is one finalist), and the least over all pairs
        of finalists of the least latent.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(50, 2))
    >>> finalist_agreement([z, -z[:, ::-1]])[0]
    [1.0, 1.0]
    """
    ranks = [_standard_ranks(code) for code in codes]
    pairs = {(a, b): _matched(ranks[a], ranks[b]) for a, b in combinations(range(len(codes)), 2)}
    own = [found for (a, _), found in pairs.items() if a == 0]
    least = np.min(own, axis=0) if own else np.ones(codes[0].shape[1])
    return [float(value) for value in least], [float(found.min()) for found in pairs.values()]


def _standard_ranks(code: Floats) -> Floats:
    ranks = rankdata(code, axis=0)
    return np.asarray((ranks - ranks.mean(axis=0)) / ranks.std(axis=0).clip(1e-12))


def _matched(a: Floats, b: Floats) -> Floats:
    """Return the absolute rank correlation of each column with the one it is matched with."""
    found = np.abs(a.T @ b) / len(a)
    rows, columns = linear_sum_assignment(-found)
    return np.asarray(found[rows, columns].round(6))
