"""Fits of several seeds, and the selection of one without any truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np

from personax.crl._estimator import Arrays, Fitted, Method, Progress
from personax.crl._stability import Agreement, agreement
from personax.crl.diagnostics import block_leakage
from personax.crl.diagnostics._verdict import ConditionalTest
from personax.errors import ComputationError, InputError
from personax.files import write_text

__all__ = ["Criterion", "SeedSelection", "fit_seeds", "regret"]

Criterion = Literal["objective", "agreement", "exclusivity"]

SPLIT: Final = 0
"""Of people into halves for exclusivity; the same for all seeds."""


@dataclass(frozen=True)
class SeedSelection:
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
    crossings
        Of every seed, how many claims that a measurement shows its own modality's latents alone are refuted; None where
        the seed failed, or nothing was tested.
    """

    index: int
    fits: list[Fitted | None]
    reasons: list[str | None]
    agreement: Agreement
    by: Criterion
    crossings: list[int | None]

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
        found = iter(self.agreement.runs)
        return [
            {
                "seed": i,
                "objective": None if fit is None else float(fit.objective),
                "agreement": None if fit is None else _or_none(float(next(found))),
                "crossings": self.crossings[i],
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
    by: Criterion = "objective",
    rng: np.random.Generator,
    progress: Callable[[int], Progress | None] = lambda _: None,
    keep: Path | None = None,
    conditional: ConditionalTest | None = None,
) -> SeedSelection:
    """Fit several seeds and choose one by validation objective, agreement or exclusivity, never by a truth.

    Parameters
    ----------
    method
        See `personax.crl.methods.method`.
    views, latents, shared
        As `Method.fit` takes them.
    seeds
        How many; the i-th is the same however many there are.
    by
        ``objective``: the smallest on validation people. ``agreement``: the seed that agrees most with the others
        (Duan et al. 2020, arXiv:1905.12614); falls back to the objective for fewer than three. ``exclusivity``: the one
        for which fewest tests refute that a measurement shows, beyond its own modality's latents, nothing of another
        modality's (`personax.crl.diagnostics.block_leakage`; what T-MEX asks of true causes, Yao et al. 2025,
        arXiv:2505.17708, asked of learned ones); the objective decides between equals.
    rng
        Spawns a generator a seed.
    progress
        Called with the seed for what `Method.fit` reports to.
    keep
        A folder for finished seeds. Seeds that are there already are taken from it, so that what was interrupted goes
        on with the same numbers; it must be of the same method, arguments, generator and people.
    conditional
        The test for ``exclusivity``: the p-value of two arrays' independence given a third.

    Raises
    ------
    ComputationError
        When no seed can be fitted; it holds the reasons.
    InputError
        When a kept seed cannot be read.
    """
    if by not in get_args(Criterion):
        raise ValueError(f"by is objective, agreement or exclusivity, not {by!r}")
    if by == "exclusivity" and conditional is None:
        raise ValueError("choosing by exclusivity needs a conditional test")
    fits: list[Fitted | None] = []
    reasons: list[str | None] = []
    for seed, child in enumerate(rng.spawn(seeds)):
        fit, reason = _kept(keep, seed)
        if fit is None and reason is None:
            try:
                fit = _resuming(method, keep, seed).fit(
                    views, latents=latents, shared=shared, rng=child, progress=progress(seed)
                )
            except ComputationError as error:
                reason = str(error)
            _keep(keep, seed, fit, reason)
        fits.append(fit)
        reasons.append(reason)
    done = [(i, fit) for i, fit in enumerate(fits) if fit is not None]
    if not done:
        raise ComputationError(f"none of {seeds} seeds could be fitted: {'; '.join(sorted({r for r in reasons if r}))}")
    counts = {m: latents[m] for m in views}
    found = agreement(
        [fit.encode(views) for _, fit in done], counts=counts, shared=shared,
        adjacencies=[fit.adjacency for _, fit in done],
    )  # fmt: skip
    crossings: list[int | None] = [None] * seeds
    if by == "exclusivity" and conditional is not None:
        crossings = [None if fit is None else _crossings(fit, views, conditional) for fit in fits]
    if by == "agreement" and len(done) > 2:
        index = done[int(np.argmax(found.runs))][0]
    else:
        index = min(done, key=lambda pair: (crossings[pair[0]] or 0, pair[1].objective))[0]
    return SeedSelection(index, fits, reasons, found, by, crossings)


def _crossings(fit: Fitted, views: Arrays, conditional: ConditionalTest) -> int:
    """Return how many measurements show something of another modality's latents beyond their own."""
    found = block_leakage(fit.encode(views), fit.names, views, test=conditional, rng=np.random.default_rng(SPLIT))
    return sum(row["verdict"] in ("doubtful", "violated") for row in found.rows)


def _kept(folder: Path | None, seed: int) -> tuple[Fitted | None, str | None]:
    """Return a seed's fit, or the reason why it has none, where it is finished already."""
    if folder is None:
        return None, None
    fit, failed = folder / f"seed-{seed}.safetensors", folder / f"seed-{seed}.txt"
    if failed.is_file():
        return None, failed.read_text(encoding="utf-8")
    if not fit.is_file():
        return None, None
    from personax.crl._save import load_fit  # late: torch

    try:
        return load_fit(fit), None
    except InputError as error:
        raise InputError(f"{error}; remove the file, and the same command fits that seed anew") from None


def _keep(folder: Path | None, seed: int, fit: Fitted | None, reason: str | None) -> None:
    if folder is None:
        return
    if fit is None:
        write_text(folder / f"seed-{seed}.txt", str(reason))
        return
    from personax.crl._save import save_fit  # late: torch

    save_fit(fit, folder / f"seed-{seed}.safetensors")


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


def _resuming(method: Method, keep: Path | None, seed: int) -> Method:
    """Return the method, going on from within a seed where it can."""
    resuming = getattr(method, "resuming", None)
    if keep is None or resuming is None:
        return method
    found: Method = resuming(keep / f"seed-{seed}.checkpoint")
    return found


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
