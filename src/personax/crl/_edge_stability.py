"""Edges under refitting: which are found again when the latents are learned anew; no truth is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl._stability import columns
from personax.crl.metrics._mcc import match
from personax.errors import InputError
from personax.results import Result

if TYPE_CHECKING:
    from personax.crl._estimator import Arrays, Fitted
    from personax.crl._select import SeedSelection

__all__ = ["EdgeStability", "Refit", "edge_stability", "other_seeds", "refit_of"]

SAME: Final = 0.8
"""Correlation from which a matched latent is the same one; an edge of another latent is not found again."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Refit:
    """A fit of the same method from other starts, or to other people.

    Parameters
    ----------
    name
        What it is: ``seed 1``, ``first half``.
    latents
        Of the same people as the fit that it is compared with, shape (n, d).
    adjacency
        Shape (d, d), rows are children.
    """

    name: str
    latents: Array
    adjacency: Array


@dataclass(frozen=True)
class EdgeStability(Result):
    """How often edges are found again where latents are learned anew and matched.

    Parameters
    ----------
    names
        Latents of the fit.
    refits
        Names of the refits.
    found
        Shape (refits, d, d), rows are children: edges of each refit between the fit's latents as they are matched.
    """

    names: list[str]
    refits: list[str]
    found: NDArray[np.bool_]

    @property
    def shares(self) -> Array:
        """Share of the refits in which each edge is there, shape (d, d); NaN without refits."""
        if not self.refits:
            return np.full(self.found.shape[1:], np.nan)
        return np.asarray(self.found.mean(axis=0))

    def to_frame(self) -> pl.DataFrame:
        """Return one row an edge that any refit has: cause, effect, found and turned round in how many refits."""
        found = self.found.sum(axis=0)
        rows = [
            {"cause": self.names[j], "effect": self.names[i], "found": int(found[i, j]), "reversed": int(found[j, i]),
             "refits": len(self.refits)}
            for i, j in np.argwhere(found)
        ]  # fmt: skip
        types = {"cause": pl.String, "effect": pl.String, "found": pl.Int64, "reversed": pl.Int64, "refits": pl.Int64}
        return pl.DataFrame(rows, schema=types)


def refit_of(name: str, fit: Fitted, views: Arrays) -> Refit:
    """Return a fit as a refit, its latents those of some people."""
    d = len(fit.names)
    return Refit(name, fit.encode(views), np.zeros((d, d)) if fit.adjacency is None else fit.adjacency)


def other_seeds(chosen: SeedSelection, views: Arrays) -> list[Refit]:
    """Return the seeds that were not chosen as refits, their latents those of some people."""
    return [
        refit_of(f"seed {at}", fit, views)
        for at, fit in enumerate(chosen.fits)
        if fit is not None and at != chosen.index
    ]


def edge_stability(
    latents: Array,
    names: Sequence[str],
    refits: Sequence[Refit],
    *,
    counts: Mapping[str, int],
    shared: int = 0,
    threshold: float = 0.5,
) -> EdgeStability:
    """Return which edges refits find between the same latents.

    Every refit learns its latents anew; they are matched with the fit's within modalities by Spearman's correlation. A
    latent whose match correlates less than .8 has no edge in that refit.

    Parameters
    ----------
    latents
        Of the fit itself, shape (n, d).
    names
        Its latents.
    refits
        Other fits, of the same people.
    counts, shared
        Latents of each modality, and shared ones.
    threshold
        Above which an edge is there.

    Raises
    ------
    InputError
        A refit of other people, or with another number of latents.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(100, 2))
    >>> edge, none = np.array([[0.0, 0.0], [1.0, 0.0]]), np.zeros((2, 2))
    >>> refits = [Refit("seed 1", -z, edge), Refit("seed 2", z, none)]
    >>> edge_stability(z, ["text_1", "image_1"], refits, counts={"text": 1, "image": 1}).to_frame().rows()
    [('text_1', 'image_1', 1, 0, 2)]
    """
    blocks = [(own, own) for own in columns(counts, shared).values()]
    d = latents.shape[1]
    found = np.zeros((len(refits), d, d), dtype=bool)
    for at, refit in enumerate(refits):
        if refit.latents.shape != latents.shape:
            raise InputError(f"{refit.name} has latents of shape {refit.latents.shape}, the fit {latents.shape}")
        pairs = match(latents, refit.latents, kind="spearman", blocks=blocks).pairs
        own = [i for i, _, score in pairs if score >= SAME]
        other = [j for _, j, score in pairs if score >= SAME]
        found[at][np.ix_(own, own)] = refit.adjacency[np.ix_(other, other)] > threshold
    return EdgeStability(list(names), [refit.name for refit in refits], found)
