"""Whether an additive decoder tells latents apart on these people: what mixing them would cost, and what it leaves.

That restarts agree shows that a class of decoders has one best code, not that the code is right. Two things can be
wrong. Curves that are hardly bent explain mixtures of latents as well (of straight ones every mixture), and then noise
alone chooses the code. And what was measured may hold products of latents, which no sum of curves has: then the best
code is one that makes a sum of what is none. Both are seen in regressions on the code that was found:

- *mixing*: the share of the content that is lost when a latent is replaced by a mixture with another one (correlation
  .9 with what it was), the least over mates, signs and kinds of mixture;
- *left*: the share that functions of pairs explain beyond the sum of curves.

A content with mixed derivatives of the size of what is left can move a latent as far as a mixture that costs as much,
so that a latent is told apart only where mixing costs more than part of what is left. Two further numbers:

- *reliability*: how far codes of single measurements agree on a latent; what one alone shows is not the person's;
- *missed*: the share of what measurements agree on that the decoder does not explain: more latents than asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["DecoderChecks", "check_decoder", "least_of", "mixing_loss", "reliability"]

MIXED: Final = 0.9
"""Correlation of a mixture with the latent in whose place it is tried."""

WAVES: Final = 6
"""Cosines of a latent's ranks in a curve, beside the latent itself."""

PAIRED: Final = 3
"""Functions of each latent of a pair whose products are tried."""

RIDGE: Final = 1e-3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DecoderChecks:
    """What speaks for the latents of one modality.

    Parameters
    ----------
    mixing
        Of each latent, the share of the content that its best mixture loses; infinite where there is no other latent.
    left
        The share that functions of pairs explain beyond the sum of curves.
    reliability
        Of each latent, what share of its variance several measurements have in common; NaN where not known.
    missed
        Share of the content that is no error of measurements and that the decoder does not explain; below 0 where it
        explains errors too.
    halves
        Of each latent, the agreement of fits to two halves of the people; None where these were not fitted.
    """

    mixing: list[float]
    left: float
    reliability: list[float]
    missed: float
    halves: list[float] | None = None

    def of(self, columns: list[int]) -> DecoderChecks:
        """Return the checks of some of the latents."""
        halves = None if self.halves is None else [self.halves[at] for at in columns]
        return DecoderChecks(
            [self.mixing[at] for at in columns],
            self.left,
            [self.reliability[at] for at in columns],
            self.missed,
            halves,
        )


def least_of(found: Sequence[DecoderChecks | None]) -> DecoderChecks | None:
    """Return of the same latents in several decoders what speaks for them least; None where one has no checks."""
    known = [one for one in found if one is not None]
    if len(known) < len(found) or not known:
        return None
    halves = [one.halves for one in known if one.halves is not None]
    return DecoderChecks(
        [min(each) for each in zip(*(one.mixing for one in known), strict=True)],
        max(one.left for one in known),
        [min(each) for each in zip(*(one.reliability for one in known), strict=True)],
        max(one.missed for one in known),
        [min(each) for each in zip(*halves, strict=True)] if len(halves) == len(known) else None,
    )


def check_decoder(code: Floats, content: Floats, each: list[Floats], explained: float) -> DecoderChecks:
    """Return the checks of one modality.

    Parameters
    ----------
    code
        Latents, shape (n, k).
    content
        What the decoder explains, shape (n, q), in units of its error.
    each
        Of every measurement, the latents read from it alone, shape (n, k).
    explained
        Share of the content that the decoder explains on people held out.
    """
    mixing, left = mixing_loss(normal_scores(code), content)
    no_error = 1 - content.shape[1] / max(float(content.var(axis=0).sum()), 1e-12)
    return DecoderChecks(mixing, left, reliability(each), no_error - explained)


def mixing_loss(code: Floats, content: Floats) -> tuple[list[float], float]:
    """Return of each latent what its best mixture loses of the content, and what a sum of curves leaves to pairs.

    Parameters
    ----------
    code
        Normal scores of latents, shape (n, k).
    content
        Shape (n, q).

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(1000, 2))
    >>> straight, bent = z @ np.ones((2, 3)), np.column_stack([z, z**2, np.tanh(2 * z)])
    >>> max(mixing_loss(z, straight)[0]) < 0.001, min(mixing_loss(z, bent)[0]) > 0.02
    (True, True)
    """
    total = float(np.square(content - content.mean(axis=0)).sum())
    curves = [_curves(column) for column in code.T]
    own = _unexplained(np.concatenate(curves, axis=1), content)
    products = [(a[:, :PAIRED, None] * b[:, None, :PAIRED]).reshape(len(code), -1) for a, b in combinations(curves, 2)]
    left = own - _unexplained(np.concatenate([*curves, *products], axis=1), content) if products else 0.0
    losses = np.full(code.shape[1], math.inf)
    for touched, mixed in _mixtures(code):
        tried = [_curves(mixed[at]) if at in mixed else curves[at] for at in range(code.shape[1])]
        lost = (_unexplained(np.concatenate(tried, axis=1), content) - own) / total
        for at in touched:
            losses[at] = min(losses[at], lost)
    return [float(loss) for loss in losses], float(max(left, 0.0) / total)


def _mixtures(code: Floats) -> Iterator[tuple[tuple[int, ...], dict[int, Floats]]]:
    """Go through mixtures of two latents: of one alone, and turns of both, as the columns that they replace."""
    for i, j in combinations(range(code.shape[1]), 2):
        for sign in (1.0, -1.0):
            pair = {i: _mixture(code[:, i], code[:, j], sign), j: _mixture(code[:, j], code[:, i], sign)}
            turned = {i: pair[i], j: _mixture(code[:, j], code[:, i], -sign)}
            yield (i,), {i: pair[i]}
            yield (j,), {j: pair[j]}
            yield (i, j), pair
            yield (i, j), turned


def _mixture(one: Floats, other: Floats, sign: float) -> Floats:
    """Return a mixture that correlates with the one by `MIXED`, as normal scores."""
    rest = other - one * float(one @ other) / float(one @ one)
    rest = rest * math.sqrt(float(one @ one) / max(float(rest @ rest), 1e-30))
    return normal_scores(MIXED * one + sign * math.sqrt(1 - MIXED**2) * rest)


def _curves(z: Floats) -> Floats:
    """Return functions of one latent: itself, and cosines of its ranks."""
    ranks = (rankdata(z) - 0.5) / len(z)
    waves = np.cos(np.pi * np.outer(ranks, np.arange(1, WAVES + 1)))
    return np.column_stack([z, waves[:, 1:], waves[:, :1]])


def _unexplained(design: Floats, content: Floats) -> float:
    """Return the squared error of a regression, each half of the people by what was learned from the other one."""
    lost = 0.0
    for held in (np.arange(len(design)) % 2 == 0, np.arange(len(design)) % 2 == 1):
        mean, centre = design[~held].mean(axis=0), content[~held].mean(axis=0)
        x, y = design[~held] - mean, content[~held] - centre
        gram = x.T @ x
        weights = np.linalg.solve(gram + RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram)), x.T @ y)
        lost += float(np.square(content[held] - centre - (design[held] - mean) @ weights).sum())
    return lost


def normal_scores(x: Floats) -> Floats:
    """Return the normal scores of each column."""
    return np.asarray(ndtri((rankdata(x, axis=0) - 0.5) / len(x)))


def reliability(each: list[Floats]) -> list[float]:
    """Return of each latent how far its mean over measurements is common to them (Spearman and Brown).

    Parameters
    ----------
    each
        Of every measurement, the latents read from it alone, shape (n, k).

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(50, 1))
    >>> reliability([z, z]), reliability([z])
    ([1.0], [nan])
    """
    if len(each) < 2:
        return [math.nan] * each[0].shape[1]
    ranks = [normal_scores(one) for one in each]
    found = np.mean([(a * b).sum(0) / np.sqrt((a * a).sum(0) * (b * b).sum(0)) for a, b in combinations(ranks, 2)], 0)
    found = found.clip(0, 1)
    return [float(value) for value in (len(each) * found / (1 + (len(each) - 1) * found)).round(6)]
