"""The number of latents of each modality, chosen by validation objective and agreement between seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from personax.crl._estimator import Arrays, Fitted, Method, Progress
from personax.crl._select import SeedSelection, fit_seeds
from personax.crl._stability import columns
from personax.errors import ComputationError, InputError

__all__ = ["Dimension", "choose_dimension"]

STABLE: Final = 0.8
"""Agreement of seeds from which a modality's latents are the same latents: two thirds of the variance of ranks."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """How many latents are chosen.

    Parameters
    ----------
    latents
        Of each modality.
    table
        One row a number that was tried: ``modality``, ``latents``, ``others`` (the numbers of the other modalities
        then), ``objective`` (mean over seeds), ``se`` (its standard error), ``agreement`` (of this modality's latents
        between seeds), ``failed`` (seeds), ``candidate`` (within a standard error of the best), ``chosen``, ``reason``
        (why every seed failed).
    """

    latents: dict[str, int]
    table: list[dict[str, Any]]


def choose_dimension(
    method: Method,
    views: Arrays,
    *,
    upto: int | Mapping[str, int],
    start: Mapping[str, int] | None = None,
    shared: int = 0,
    seeds: int = 3,
    score: Callable[[Fitted], float] | None = None,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Dimension:
    """Choose the number of latents, modality by modality, the others at their current number.

    Candidates are the numbers whose mean objective is within one standard error (over seeds) of the best. The smallest
    candidate whose latents are the same for all seeds (agreement of at least .8) is chosen; where there is none, the
    smallest candidate. Standard errors of few seeds are rough, and those of a method that knows no seed are 0: its best
    number is chosen whatever the margin.

    Parameters
    ----------
    method
        Fitted ``seeds`` times for every number of every modality.
    views
        As in `personax.crl._estimator.Method`.
    upto
        The largest number to try, for all modalities or for each.
    start
        Numbers of the modalities that have not had their turn; the largest ones by default.
    shared
        Number of shared latents, which is not chosen.
    seeds
        Fits for each number; the same seeds for all of them.
    score
        Takes a fit and returns what to compare in place of its objective, smaller is better. Needed where the objective
        is not comparable between numbers of latents: where it is not of people held out (`pca`, `cca`), say.
    rng
        Seeds the fits.
    progress
        Called with (done, total, objective) over everything.

    Raises
    ------
    InputError
        Numbers below 1, or for other modalities than are measured; measurements that the method cannot learn from.
    ComputationError
        When every fit of a modality fails.

    References
    ----------
    Breiman et al. 1984, Classification and Regression Trees, section 3.4.3 (one standard error).
    """
    most = dict.fromkeys(views, upto) if isinstance(upto, int) else dict(upto)
    current = dict(most if start is None else start)
    if set(most) != set(views) or set(current) != set(views) or min(*most.values(), *current.values()) < 1:
        raise InputError(f"give numbers of latents from 1 for each of {', '.join(views)}, and for nothing else")
    seed = int(rng.integers(2**63))
    fits, at = seeds * sum(most[modality] for modality in views), 0
    table: list[dict[str, Any]] = []
    for modality in views:
        rows = []
        for count in range(1, most[modality] + 1):
            latents = {one: current[one] for one in views} | {modality: count}
            row: dict[str, Any] = {"modality": modality, "latents": count}
            row["others"] = {one: number for one, number in latents.items() if one != modality}
            try:
                chosen = fit_seeds(
                    method, views, latents=latents, shared=shared, seeds=seeds,
                    rng=np.random.default_rng(seed), progress=partial(_part, progress, at, fits),
                )  # fmt: skip
                row |= _summary(chosen, columns(latents, shared)[modality], score)
            except ComputationError as error:
                row |= {"objective": None, "se": None, "agreement": None, "failed": seeds, "reason": str(error)}
            rows.append(row)
            at += seeds
        current[modality] = _settle(modality, rows)
        table += rows
    return Dimension({modality: current[modality] for modality in views}, table)


def _summary(chosen: SeedSelection, own: list[int], score: Callable[[Fitted], float] | None) -> dict[str, Any]:
    alive = [fitted for fitted in chosen.fits if fitted is not None]
    values = [fitted.objective if score is None else score(fitted) for fitted in alive]
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return {
        "objective": float(np.mean(values)),
        "se": error,
        "agreement": float(chosen.agreement.latents[:, own].mean()) if len(alive) > 1 else None,
        "failed": len(chosen.fits) - len(alive),
        "reason": "",
    }


def _settle(modality: str, rows: Sequence[dict[str, Any]]) -> int:
    """Mark candidates and the chosen row, and return its number."""
    known = [row for row in rows if row["objective"] is not None]
    if not known:
        raise ComputationError(f"no number of latents of {modality} could be fitted: {rows[0]['reason']}")
    best = min(known, key=lambda row: row["objective"])
    for row in rows:
        row["candidate"] = row in known and row["objective"] <= best["objective"] + best["se"]
    candidates = [row for row in known if row["candidate"]]
    stable = [row for row in candidates if row["agreement"] is not None and row["agreement"] >= STABLE]
    taken = min(stable or candidates, key=lambda row: row["latents"])
    for row in rows:
        row["chosen"] = row is taken
    count: int = taken["latents"]
    return count


def _part(progress: Progress | None, at: int, fits: int, seed: int) -> Progress | None:
    """Return what one fit reports to: its own steps, as part of all fits."""
    if progress is None:
        return None
    return lambda done, total, value: progress((at + seed) * total + done, fits * total, value)
