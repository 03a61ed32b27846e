"""Several seeds, and a choice among them by what is seen without any truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from personax.crl.method import Arrays, Fitted, Method, Progress
from personax.crl.stability import Agreement, agreement
from personax.errors import ComputationError

__all__ = ["By", "Chosen", "fit_seeds", "regret"]

By = Literal["objective", "agreement"]


@dataclass(frozen=True)
class Chosen:
    """What several seeds gave.

    Parameters
    ----------
    index
        The chosen seed.
    fits
        Of every seed; None where it failed.
    reasons
        Why a seed failed; None where it did not.
    agreement
        Of the seeds that did not fail, in their order.
    by
        What was chosen by.
    """

    index: int
    fits: list[Fitted | None]
    reasons: list[str | None]
    agreement: Agreement
    by: By

    @property
    def best(self) -> Fitted:
        """The chosen fit."""
        fit = self.fits[self.index]
        assert fit is not None
        return fit

    @property
    def stability(self) -> list[float]:
        """Of each latent of the chosen fit, its mean correlation with its match in the other seeds; NaN for one."""
        found = [i for i, fit in enumerate(self.fits) if fit is not None]
        return [float(value) for value in self.agreement.latents[found.index(self.index)]]

    def seeds(self) -> list[dict[str, Any]]:
        """Return one row a seed: objective, mean agreement with the others, chosen or not, and why it failed."""
        agreed = iter(self.agreement.runs)
        return [
            {
                "seed": i,
                "objective": None if fit is None else float(fit.objective),
                "agreement": None if fit is None else _or_none(float(next(agreed))),
                "chosen": i == self.index,
                "reason": reason,
            }
            for i, (fit, reason) in enumerate(zip(self.fits, self.reasons, strict=True))
        ]


def fit_seeds(
    method: Method,
    views: Arrays,
    *,
    latents: Mapping[str, int],
    shared: int = 0,
    seeds: int = 5,
    by: By = "objective",
    rng: np.random.Generator,
    progress: Callable[[int], Progress | None] = lambda _: None,
) -> Chosen:
    """Fit several seeds and choose one by validation objective or by agreement, never by a truth.

    Parameters
    ----------
    method
        See `personax.crl.baselines.method`.
    views, latents, shared
        As `Method.fit` takes them.
    seeds
        How many; the i-th is the same however many there are.
    by
        ``objective``: the smallest on validation people. ``agreement``: the seed that agrees most with the others
        (Duan et al. 2020, arXiv:1905.12614); falls back to the objective for fewer than three.
    rng
        Spawns a generator a seed.
    progress
        Called with the seed for what `Method.fit` reports to.

    Raises
    ------
    ComputationError
        When no seed can be fitted; it holds the reasons.
    """
    if by not in get_args(By):
        raise ValueError(f"by is objective or agreement, not {by!r}")
    fits: list[Fitted | None] = []
    reasons: list[str | None] = []
    for seed, child in enumerate(rng.spawn(seeds)):
        try:
            fits.append(method.fit(views, latents=latents, shared=shared, rng=child, progress=progress(seed)))
            reasons.append(None)
        except ComputationError as error:
            fits.append(None)
            reasons.append(str(error))
    done = [(i, fit) for i, fit in enumerate(fits) if fit is not None]
    if not done:
        raise ComputationError(f"none of {seeds} seeds could be fitted: {'; '.join(sorted({r for r in reasons if r}))}")
    counts = {m: latents[m] for m in views}
    agreed = agreement(
        [fit.encode(views) for _, fit in done], counts=counts, shared=shared,
        adjacencies=[fit.adjacency for _, fit in done],
    )  # fmt: skip
    if by == "agreement" and len(done) > 2:
        index = done[int(np.argmax(agreed.runs))][0]
    else:
        index = min(done, key=lambda pair: pair[1].objective)[0]
    return Chosen(index, fits, reasons, agreed, by)


def regret(chosen: int, scores: Sequence[float | None]) -> float:
    """Return how much better the best seed was than the chosen one, by scores against a truth; larger is better.

    Choosing never sees such scores: they say afterwards what was lost by not knowing.

    Parameters
    ----------
    chosen
        Index of the chosen seed.
    scores
        Of every seed; None where it failed.

    Raises
    ------
    ValueError
        When the chosen seed has no score.

    Examples
    --------
    >>> regret(0, [0.75, 1.0, None])
    0.25
    """
    own = scores[chosen]
    if own is None:
        raise ValueError(f"seed {chosen} was chosen but has no score")
    return max(score for score in scores if score is not None) - own


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
