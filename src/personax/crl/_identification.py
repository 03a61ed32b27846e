"""What may be claimed of each latent: whether a fit's own data tell it apart from others. No truth is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from personax.crl._stability import columns
from personax.crl.metrics._mcc import match

__all__ = ["FINALISTS", "REFITS", "Identification", "claim", "halves_agreement", "identify"]

FINALISTS: Final = 0.98
"""Agreement of the finalists from which a decoder's class tells a latent apart: of seven modalities, not calibrated."""

REFITS: Final = 0.95
"""Agreement of seeds, or of halves of the people, below which no latent is called identified; not calibrated."""

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
        Spearman correlation between fits of two halves of the people; None where these were not fitted.
    verdict
        ``identified`` (up to a monotone map), ``up to its block`` or ``not identified``.
    rests_on
        Latents without which the criterion says nothing of this one.
    sentence
        Why.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def identify(
    fit: Any,  # noqa: ANN401 - fits of any method, also of those that expose no coordinates
    *,
    seeds: Sequence[float] | None = None,
    halves: Sequence[float] | None = None,
) -> list[Identification]:
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
    names: list[str] = fit.names
    return [
        _row(fit, name, _finite(seeds, at), _finite(halves, at), _place(names, name)) for at, name in enumerate(names)
    ]


def _row(fit: Any, name: str, seeds: float | None, halves: float | None, place: int) -> Identification:  # noqa: ANN401
    modality = name.rpartition("_")[0]
    block = [other for other in fit.names if other.rpartition("_")[0] == modality]
    found = getattr(fit, "coordinates", {}).get(modality)
    others = [other for other in block if other != name]
    if found is None:
        criterion, rests_on = _across(fit, name)
        why = "no diagnostic of its criterion is known" if rests_on else "this method gives no diagnostic"
        return Identification(
            name, criterion, None, None, None, seeds, halves, "not identified", rests_on, f"not identified: {why}"
        )
    if not found.settled and len(block) > 1:
        criterion, rests_on = _across(fit, name)
        least = float(min(found.finalist_agreement))
        why = f"known up to its block: finalists agree at {least:.2f} where {FINALISTS} is needed"
        return Identification(
            name, criterion, "least agreement of the finalists in the modality", least, None, seeds, halves,
            "up to its block", rests_on or others, why,
        )  # fmt: skip
    agreed = float(found.finalist_agreement[place])
    criterion = "one latent in the modality" if len(block) == 1 else CRITERIA[found.decoder]
    verdict, why = _verdict(agreed, seeds, halves, alone=len(block) == 1)
    return Identification(
        name, criterion, "share explained on people held out", float(found.explained), agreed, seeds, halves,
        verdict, others, f"{why} ({criterion}; finalists agree at {agreed:.3f})",
    )  # fmt: skip


def _verdict(agreed: float, seeds: float | None, halves: float | None, *, alone: bool) -> tuple[Verdict, str]:
    # the block of a single latent is the latent: where it is not stable, nothing is known of it
    less: tuple[Verdict, str] = (
        ("not identified", "not identified") if alone else ("up to its block", "up to its block")
    )
    if agreed < FINALISTS:
        return less[0], f"{less[1]}: finalists disagree"
    for value, who in ((seeds, "seeds"), (halves, "halves of the people")):
        if value is not None and value < REFITS:
            return less[0], f"{less[1]}: {who} agree at {value:.2f} where {REFITS} is needed"
    return "identified", "identified up to a monotone map"


def _across(fit: Any, name: str) -> tuple[str, list[str]]:  # noqa: ANN401
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


def _place(names: Sequence[str], name: str) -> int:
    modality = name.rpartition("_")[0]
    return [one for one in names if one.rpartition("_")[0] == modality].index(name)


def _finite(values: Sequence[float] | None, at: int) -> float | None:
    return float(values[at]) if values is not None and np.isfinite(values[at]) else None


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
