"""What may be claimed of each latent: whether a fit's own data tell it apart from others. No truth is needed.

A latent is called identified where several things hold together: finalists of the restarts agree on it, a mixture with
another latent would cost more than what the decoders leave, several measurements agree on it, and other seeds and
halves of the people, where they were fitted, find it again. The thresholds were chosen on simulated modalities and
checked on others (benchmarks/results/identification.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl._stability import columns
from personax.crl.metrics._mcc import match
from personax.results import Result

__all__ = ["REFITS", "Identification", "IdentificationTable", "claim", "halves_agreement", "identify"]

FINALISTS: Final = 0.95
"""Least agreement of the finalists on the latent."""

BLOCK: Final = 0.5
"""The same on any other latent of its modality: where one is arbitrary, so is what is left for the others."""

FINALISTS_OF_SCALE: Final = 0.98
"""Least agreement where a latent multiplies what others show; for the scale latent itself, agreement of halves."""

MIXING: Final = 0.002
"""Least share of the content that a mixture (correlation .9) with another latent must lose."""

BEYOND: Final = 0.5
"""How many times what functions of pairs explain beyond the decoder that must be, at least."""

RELIABLE: Final = 0.9
"""Least share of a latent's variance that several measurements have in common: its root is the correlation at best."""

MISSED: Final = 0.06
"""Largest share of what measurements agree on, errors left out, that the decoder may miss."""

REFITS: Final = 0.95
"""Agreement of seeds, or of halves of the people, below which no latent is called identified."""

Verdict = Literal["identified", "up to its block", "not identified"]

CRITERIA: Final = {"additive": "additive decoder", "scale": "scale", "interactions": "pair interactions"}

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Identification:
    """What may be claimed of one latent.

    Parameters
    ----------
    latent
        Its name.
    criterion
        What tells it apart: ``additive decoder``, ``scale``, ``pair interactions``, ``sparse links across modalities``,
        ``orthogonal noise``, ``one latent in the modality`` or ``none``.
    diagnostic, value
        The criterion's own diagnostic and what it came to; None where there is none.
    finalists
        Least Spearman correlation of the latent with its match in another finalist; None where not known.
    seeds
        Mean Spearman correlation with its match in other seeds; None for one seed.
    halves
        Spearman correlation between fits of two halves of the people, those of the whole method where they were asked
        for, else those of the modality alone; None where these were not fitted.
    verdict
        ``identified`` (up to a monotone map), ``up to its block`` or ``not identified``.
    rests_on
        Latents without which the criterion says nothing of this one.
    sentence
        Why.
    mixing, left, missed
        Of an additive decoder: the share of what measurements agree on that a mixture of the latent with another one
        loses, the share that functions of pairs explain beyond the decoder, and the share that it misses, errors of
        measurements left out; None where not known.
    reliability
        Share of the latent's variance that the measurements have in common; None where not known.
    """

    latent: str
    criterion: str
    diagnostic: str | None
    value: float | None
    finalists: float | None
    seeds: float | None
    halves: float | None
    verdict: Verdict
    rests_on: list[str]
    sentence: str
    mixing: float | None = None
    left: float | None = None
    reliability: float | None = None
    missed: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class IdentificationTable(Result, Sequence[Identification]):
    """What may be claimed of the latents of a fit, in their order.

    Parameters
    ----------
    rows
        One a latent.
    """

    rows: list[Identification]

    @overload
    def __getitem__(self, at: int) -> Identification: ...
    @overload
    def __getitem__(self, at: slice) -> list[Identification]: ...
    def __getitem__(self, at: int | slice) -> Identification | list[Identification]:
        return self.rows[at]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Identification]:
        return iter(self.rows)

    @property
    def claim(self) -> str:
        """One sentence: what was found and what may not be believed."""
        return claim(self.rows)

    @property
    def identified(self) -> list[str]:
        """Names of the latents that are called identified."""
        return [row.latent for row in self.rows if row.verdict == "identified"]

    def to_frame(self) -> pl.DataFrame:
        """Return one row a latent, columns as the fields of `Identification`."""
        kinds = {"rests_on": pl.List(pl.String)} | dict.fromkeys(NUMBERS, pl.Float64)
        types = {field.name: kinds.get(field.name, pl.String) for field in fields(Identification)}
        return pl.DataFrame([row.to_dict() for row in self.rows], schema=types)


NUMBERS: Final = ("value", "finalists", "seeds", "halves", "mixing", "left", "reliability", "missed")


def identify(
    fit: Any,  # noqa: ANN401 - fits of any method, also of those that expose no coordinates
    *,
    seeds: Sequence[float] | None = None,
    halves: Sequence[float] | None = None,
) -> IdentificationTable:
    """Return what may be claimed of each latent of a fit, from its own data.

    Fits of other methods, and of version 0.2, have no diagnostic: seeds that agree may agree on a wrong rotation, so
    agreement alone identifies nothing.

    Parameters
    ----------
    fit
        See `personax.crl.Fitted`.
    seeds
        Of each latent the mean agreement with other seeds, as `SeedSelection.stability`; NaN for one seed.
    halves
        Of each latent what `halves_agreement` returns.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> identify(SimpleNamespace(names=["text_1"]))[0].verdict
    'not identified'
    """
    inner = getattr(fit, "fit", None)
    inner = fit if inner is None or not hasattr(inner, "names") else inner  # of reduced measurements
    names: list[str] = fit.names
    return IdentificationTable(
        [_row(inner, name, _finite(seeds, at), _finite(halves, at)) for at, name in enumerate(names)]
    )


def _row(fit: Any, name: str, seeds: float | None, halves: float | None) -> Identification:  # noqa: ANN401 - a fit of any method
    modality = name.rpartition("_")[0]
    block = [other for other in fit.names if other.rpartition("_")[0] == modality]
    place, others = block.index(name), [other for other in block if other != name]
    found = getattr(fit, "coordinates", {}).get(modality)
    if found is None:
        criterion, rests_on = _across(fit, name)
        why = "no diagnostic of its criterion is known" if rests_on else "this method gives no diagnostic"
        return Identification(
            name, criterion, None, None, None, seeds, halves, "not identified", rests_on, f"not identified: {why}"
        )
    alone = getattr(found, "alone", len(block) == 1)  # of one decoder may be shared latents and own ones
    if found.decoder == "free" and not alone:
        criterion, rests_on = _across(fit, name)
        least = float(min(found.finalist_agreement))
        why = "known up to its block: no class of decoders that tells latents apart explains what measurements agree on"
        return Identification(
            name, criterion, "least agreement of the finalists in the modality", least, None, seeds, halves,
            "up to its block", rests_on or others, why,
        )  # fmt: skip
    evidence = _Evidence.of(found, place, seeds, halves)
    criterion = "one latent in the modality" if alone else CRITERIA[found.decoder]
    against = evidence.against(found.decoder, alone=alone)
    # the block of a single latent is the latent: where it is not stable, nothing is known of it
    less: Verdict = "not identified" if alone else "up to its block"
    why = f"{less}: {against}" if against else "identified up to a monotone map"
    return Identification(
        name, criterion, "share explained on people held out", float(found.explained), evidence.finalists, seeds,
        evidence.halves, less if against else "identified", others,
        why if against else f"{why} ({criterion}; restarts agree at {evidence.finalists:.3f})",
        evidence.mixing, evidence.left, evidence.reliability, evidence.missed,
    )  # fmt: skip


@dataclass(frozen=True)
class _Evidence:
    """What is known of one latent of a modality whose finalists were compared."""

    finalists: float
    least: float
    seeds: float | None
    halves: float | None
    mixing: float | None
    left: float | None
    reliability: float | None
    missed: float | None

    @classmethod
    def of(cls, found: Any, place: int, seeds: float | None, halves: float | None) -> _Evidence:  # noqa: ANN401 - a fit of any method
        agreed, checks = found.finalist_agreement, getattr(found, "checks", None)
        told: tuple[float | None, ...] = (None,) * 4
        if checks is not None:
            told = checks.mixing[place], checks.left, checks.reliability[place], checks.missed
            if halves is None and checks.halves is not None:
                halves = float(checks.halves[place])
        known = [None if value is None or not math.isfinite(value) else float(value) for value in told]
        return cls(float(agreed[place]), float(min(agreed)), seeds, halves, *known)

    def against(self, decoder: str, *, alone: bool) -> str:
        """Return what speaks against calling the latent identified; empty for nothing."""
        return next((text for text in self._doubts(decoder, alone=alone) if text), "")

    def _doubts(self, decoder: str, *, alone: bool) -> Iterator[str]:
        needed = FINALISTS_OF_SCALE if decoder == "scale" else FINALISTS
        yield "" if self.finalists >= needed else f"restarts agree at {self.finalists:.3f} where {needed} is needed"
        if self.least < BLOCK:
            yield f"restarts agree at {self.least:.2f} on another latent of its modality where {BLOCK} is needed"
        if decoder == "interactions":
            yield "what latents told apart by functions of pairs are worth was not calibrated"
        if decoder == "additive" and not alone:
            yield self._mixing()
        if self.reliability is not None and self.reliability < RELIABLE:
            yield f"measurements have {self.reliability:.2f} of it in common where {RELIABLE} is needed"
        if self.missed is not None and self.missed > MISSED:
            yield (
                f"the decoder misses {self.missed:.0%} of what measurements agree on where {MISSED:.0%} may be: "
                "there may be more latents than were asked for"
            )
        for value, who in ((self.seeds, "seeds"), (self.halves, "halves of the people")):
            if value is not None and value < REFITS:
                yield f"{who} agree at {value:.2f} where {REFITS} is needed"

    def _mixing(self) -> str:
        if self.mixing is None or self.left is None:
            return "this fit does not hold what mixing it with another latent would cost; fit again"
        needed = max(MIXING, BEYOND * self.left)
        if self.mixing >= needed:
            return ""
        reason = "curves are hardly bent" if needed == MIXING else "curves leave much to functions of pairs"
        return f"mixing it with another latent would cost {self.mixing:.4f} where {needed:.4f} is needed ({reason})"


def _across(fit: Any, name: str) -> tuple[str, list[str]]:  # noqa: ANN401 - a fit of any method
    """Return what the dependence between modalities rests on, and the latents that it needs."""
    connected: list[str] = getattr(fit, "connected", [])
    if name in connected:
        modality = name.rpartition("_")[0]
        return "sparse links across modalities", [one for one in connected if one.rpartition("_")[0] != modality]
    return ("orthogonal noise", list(connected)) if name in getattr(fit, "orthogonal", []) else ("none", [])


def claim(found: Sequence[Identification]) -> str:
    """Return in one sentence what was found and what may not be believed.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> claim(identify(SimpleNamespace(names=["text_1", "text_2"])))
    '0 of 2 latents are identified; text_1 and text_2 are not identified: do not read them or their edges.'
    """
    by = {verdict: [row for row in found if row.verdict == verdict] for verdict in
          ("identified", "up to its block", "not identified")}  # fmt: skip
    groups: dict[str, list[str]] = {}
    for row in by["identified"]:
        groups.setdefault(row.criterion, []).append(row.latent)
    how = "; ".join(f"{criterion}: {', '.join(names)}" for criterion, names in groups.items())
    parts = [f"{len(by['identified'])} of {len(found)} latents are identified" + (f" ({how})" if how else "")]
    for verdict, text in (
        ("up to its block", "known up to {its} block: do not read {its} edges one by one"),
        ("not identified", "not identified: do not read {them} or {its} edges"),
    ):
        names, many = [row.latent for row in by[verdict]], len(by[verdict]) > 1
        if names:
            told = text.format(its="their" if many else "its", them="them" if many else "it")
            parts.append(f"{_listed(names)} {'are' if many else 'is'} {told}")
    return "; ".join(parts) + "."


def halves_agreement(chosen: Array, first: Array, second: Array, counts: Mapping[str, int], shared: int = 0) -> Array:
    """Return of each latent the absolute Spearman correlation between fits of two halves of the people, shape (d,).

    Fit the method anew on each half, from its own starts, and encode the same people with all three fits: starts at
    the fitted latents would agree by construction.

    Parameters
    ----------
    chosen, first, second
        Latents of the same people by the fit itself and by those of the halves, shape (n, d).
    counts, shared
        Latents of each modality, and shared ones.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(100, 2))
    >>> halves_agreement(z, z[:, ::-1], -z, {"text": 2}).round(6)
    array([1., 1.])
    """
    blocks = [(own, own) for own in columns(counts, shared).values()]
    into = []
    for half in (first, second):
        pairs = match(chosen, half, kind="spearman", blocks=blocks).pairs
        into.append([j for _, j, _ in sorted(pairs)])
    matched = zip(*into, strict=True)
    return np.array([match(first[:, [a]], second[:, [b]], kind="spearman").mcc for a, b in matched])


def _finite(values: Sequence[float] | None, at: int) -> float | None:
    return float(values[at]) if values is not None and np.isfinite(values[at]) else None


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
