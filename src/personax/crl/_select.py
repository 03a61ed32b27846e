"""Selection without any truth: among the fits of several seeds, and of the number of latents of each modality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeGuard, get_args, runtime_checkable

import numpy as np

from personax.crl._estimator import Arrays, Fitted, Method, Progress
from personax.crl._fits import FitTask, run_fits
from personax.crl._stability import Agreement, agreement, columns
from personax.crl.diagnostics import block_leakage
from personax.crl.diagnostics._verdict import ConditionalTest
from personax.errors import ComputationError, InputError
from personax.files import write_text

__all__ = [
    "Criterion",
    "Dimension",
    "SeedSelection",
    "choose_dimension",
    "fit_seed",
    "fit_seeds",
    "regret",
    "reported_fits",
]

Criterion = Literal["objective", "agreement", "exclusivity"]


@runtime_checkable
class ChecksFits(Protocol):
    """A method some of whose checks need further fits, so that they are made of the chosen seed alone."""

    def without_checks(self) -> Method:
        """Return the method that fits without them."""
        ...

    def with_checks(
        self,
        fit: Any,  # noqa: ANN401 - of its own
        views: Arrays,
        latents: Mapping[str, int],
        progress: Progress | None = None,
    ) -> Fitted:
        """Return a fit to these people with them."""
        ...


def reported_fits(method: Method, seeds: int) -> int:
    """Return how many fits `fit_seeds` reports on: the seeds, and the checks of the chosen one where there are some."""
    return seeds + isinstance(method, ChecksFits)


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
        Called with the seed for what `Method.fit` reports to; with the number of seeds for what checks of the chosen
        one report to, where the method has such (`reported_fits`).
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
    kept = [_kept(keep, seed) for seed in range(seeds)]
    fits, reasons = [fit for fit, _ in kept], [reason for _, reason in kept]
    children = rng.spawn(seeds)
    left = [seed for seed in range(seeds) if fits[seed] is None and reasons[seed] is None]
    quick = method.without_checks() if isinstance(method, ChecksFits) else method
    tasks = [FitTask(quick, children[seed], latents, checkpoint=_checkpoint(keep, seed)) for seed in left]
    for place, found in run_fits(tasks, views, shared=shared, progress=lambda place: progress(left[place])):
        seed = left[place]
        fits[seed], reasons[seed] = (None, found) if isinstance(found, str) else (found, None)
        _keep(keep, seed, fits[seed], reasons[seed])
    done = [(i, fit) for i, fit in enumerate(fits) if fit is not None]
    if not done:
        raise ComputationError(f"none of {seeds} seeds could be fitted: {'; '.join(sorted({r for r in reasons if r}))}")
    counts = {m: latents[m] for m in views}
    agreed = agreement(
        [fit.encode(views) for _, fit in done], counts=counts, shared=shared,
        adjacencies=[fit.adjacency for _, fit in done],
    )  # fmt: skip
    crossings: list[int | None] = [None] * seeds
    if by == "exclusivity" and conditional is not None:
        crossings = [None if fit is None else _crossings(fit, views, conditional) for fit in fits]
    if by == "agreement" and len(done) > 2:
        index = done[int(np.argmax(agreed.runs))][0]
    else:
        index = min(done, key=lambda pair: (crossings[pair[0]] or 0, pair[1].objective))[0]
    if isinstance(method, ChecksFits):
        fits[index] = method.with_checks(fits[index], views, latents, progress=progress(seeds))
    return SeedSelection(index, fits, reasons, agreed, by, crossings)


def fit_seed(
    method: Method,
    views: Arrays,
    *,
    latents: Mapping[str, int],
    shared: int = 0,
    seed: int,
    rng: np.random.Generator,
    keep: Path,
    progress: Progress | None = None,
) -> None:
    """Fit one of the seeds of `fit_seeds` and keep it, as one of several jobs that share a folder.

    Parameters
    ----------
    method, views, latents, shared, keep
        As of `fit_seeds`, which takes from the folder what is there.
    seed
        Which, from 0.
    rng
        In the state in which `fit_seeds` gets it.
    progress
        What `Method.fit` reports to.
    """
    if _kept(keep, seed) == (None, None):
        quick = method.without_checks() if isinstance(method, ChecksFits) else method
        task = FitTask(quick, rng.spawn(seed + 1)[seed], latents, checkpoint=_checkpoint(keep, seed))
        for _, found in run_fits([task], views, shared=shared, progress=lambda _: progress):
            _keep(keep, seed, *((None, found) if isinstance(found, str) else (found, None)))


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


def _checkpoint(keep: Path | None, seed: int) -> Path | None:
    return None if keep is None else keep / f"seed-{seed}.checkpoint"


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


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
    intervals
        Modality -> the least and the largest number that the data leave possible, where the method counts by itself.
    """

    latents: dict[str, int]
    table: list[dict[str, Any]]
    intervals: dict[str, tuple[int, int]] = field(default_factory=dict)


Counted = dict[str, tuple[int, int, int, list[dict[str, Any]]]]
"""Modality -> number of latents, the least and the largest possible, and a row of `Dimension.table` each number."""


class CountsLatents(Protocol):
    """A method that counts the latents of some modalities by itself, without fitting all of them."""

    def count_latents(
        self, views: Arrays, upto: Mapping[str, int], rng: np.random.Generator, progress: Progress | None
    ) -> Counted:
        """Return what was counted."""
        ...


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
    each = reported_fits(method, seeds)
    fits, at = each * sum(most[modality] for modality in views), 0
    table: list[dict[str, Any]] = []
    intervals: dict[str, tuple[int, int]] = {}
    counted: Counted = {}
    if _counts(method, shared):
        counted = method.count_latents(views, most, np.random.default_rng(seed), progress)
    for modality in views:
        if modality in counted:
            number, low, high, rows = counted[modality]
            current[modality] = number
            intervals[modality] = (low, high)
            table += rows
            continue
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
            at += each
        current[modality] = _settle(modality, rows)
        table += rows
    return Dimension({modality: current[modality] for modality in views}, table, intervals)


def _counts(method: Method, shared: int) -> TypeGuard[CountsLatents]:
    """Whether the method counts latents by itself; shared ones it does not tell from others."""
    return shared == 0 and hasattr(method, "count_latents")


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
