"""Modalities whose measurements settle their latents by themselves: agreed components, then the decoder's class.

Nothing across modalities is used here. What remains open is left to the dependence between modalities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._device import CPU
from personax.crl._estimator import Arrays, Progress
from personax.crl._identification import halves_agreement
from personax.crl.methods.default._agreed import AgreedComponents, copied_measurements, fit_agreed_components
from personax.crl.methods.default._coordinates import AGREES, Coordinates, DecodedCoordinates, finalist_agreement
from personax.crl.methods.default._curves import GRID, fit_curves
from personax.crl.methods.default._decoders import (
    Bottlenecks,
    DecoderClass,
    RestartSchedule,
    fit_bottleneck,
    refine_bottleneck,
)
from personax.crl.methods.default._progress import reach, span

__all__ = [
    "AS_MUCH",
    "EXPLAINS",
    "ModalityCoordinates",
    "choose_decoder",
    "fit_modalities",
    "with_halves",
    "without_copies",
]

LADDER: Final[tuple[DecoderClass, ...]] = ("additive", "interactions")
"""From the most restrictive class on; of two latents, pairs are everything, and so is a free decoder of one."""

EXPLAINS: Final = 0.6
"""Share of what a free decoder explains that a restrictive one must explain.

Agreement of finalists is the criterion that tells right from wrong; where decoders of a class explain little, finalists
may agree on something else than all latents. Set by hand: it is not calibrated yet.
"""

AS_MUCH: Final = 0.95
"""Share of what a free decoder explains from which a class is used although its finalists disagree.

There is nothing that speaks for another class then; with less, the dependence between modalities is the better guide.
"""

FREE: Final = RestartSchedule(restarts=4, finalists=2, steps=1500)
"""A free decoder finds the block from nearly every start."""

REFINED: Final = RestartSchedule(restarts=4, finalists=4, steps=1600)
"""Networks that begin at sums of curves: their noise is of any form, and their curves of any shape."""

FEWEST_REFINING: Final = 300
"""Steps of a refinement in fits that are shortened: fewer blur what was found."""

FOLDS_SEED: Final = 0

WORTH_REFITTING: Final = 0.95
"""Agreement of the finalists on a latent from which halves of the people are fitted too."""

CHECKED: Final = 4000
"""People on whom a decoder is checked, at most."""

FIRST: Final = 0.3
"""Share of a modality's time that its free decoder takes."""

CURVES: Final = 0.6
"""Share of the time of additive decoders that curves take, before networks begin at them."""

FEWEST_IN_HALVES = 20
"""People held out, or in a half, below which halves tell nothing."""


@dataclass(frozen=True)
class ModalityCoordinates:
    """What was found of each modality by itself.

    Parameters
    ----------
    coordinates
        Of every modality with two measurements or more that agree on enough; settled or not.
    notes
        A sentence for each modality of which none were looked for, or whose latents are not settled.
    """

    coordinates: dict[str, Coordinates]
    notes: list[str]

    @property
    def known(self) -> dict[str, Coordinates]:
        """Those of a restrictive class: nothing else will be looked for in these modalities."""
        return {modality: found for modality, found in self.coordinates.items() if found.decoder != "free"}


def fit_modalities(
    views: Arrays,
    latents: Mapping[str, int],
    people: tuple[Tensor, Tensor],
    training: RestartSchedule,
    *,
    generator: torch.Generator,
    device: torch.device = CPU,
    progress: Progress | None = None,
) -> ModalityCoordinates:
    """Fit the coordinates of every modality that has several measurements.

    Parameters
    ----------
    views, latents
        As in `personax.crl._estimator.Problem`.
    people
        Rows of validation and of training people.
    training
        Of the restrictive decoders.
    """
    coordinates: dict[str, Coordinates] = {}
    notes: list[str] = []
    for at, (modality, by) in enumerate(views.items()):
        reach(progress, at / len(views))
        own, told = without_copies(modality, by, people[1].numpy())
        notes += told
        if len(own) < 2:
            continue
        agreed = fit_agreed_components(own, people[1].numpy(), np.random.default_rng(FOLDS_SEED))
        if agreed.count < latents[modality]:
            notes.append(
                f"{modality}: its measurements agree on {agreed.count or 'no'} linear component"
                f"{'s' * (agreed.count != 1)} of people held out, fewer than the {latents[modality]} latents asked "
                "for; its latents rest on other modalities alone"
            )
            continue
        content = torch.from_numpy(agreed(own))
        found = choose_decoder(
            modality, agreed, content, latents[modality], people, training,
            generator=generator, device=device, progress=span(progress, at / len(views), (at + 1) / len(views)),
        )  # fmt: skip
        some = people[1][:CHECKED].numpy()
        found = coordinates[modality] = found.checked({name: x[some] for name, x in own.items()})
        if not found.settled:
            if found.decoder == "free":
                why = "no restrictive one explains enough with restarts that agree"
            elif min(found.finalist_agreement) >= AGREES:
                why = f"a free one explains {found.explained_free:.0%}"
            else:
                why = f"its restarts agree at {min(found.finalist_agreement):.2f} where {AGREES} is needed"
            notes.append(
                f"{modality}: its latents are known as a block, and not one by one (decoder: {found.decoder}, which "
                f"explains {found.explained:.0%} of what its measurements agree on; {why})"
            )
    return ModalityCoordinates(coordinates, notes)


def with_halves(
    coordinates: Mapping[str, Coordinates],
    views: Arrays,
    latents: Mapping[str, int],
    people: tuple[Tensor, Tensor],
    training: RestartSchedule,
    *,
    device: torch.device = CPU,
    progress: Progress | None = None,
) -> dict[str, Coordinates]:
    """Return coordinates with the agreement of fits to halves of the people, where these can change a claim.

    Parameters
    ----------
    coordinates
        What `fit_modalities` found; what has this agreement already stays as it is.
    views, latents, people, training
        As there.
    """
    found = dict(coordinates)
    for at, (modality, one) in enumerate(coordinates.items()):
        reach(progress, at / len(coordinates))
        if isinstance(one, DecodedCoordinates) and _worth_refitting(one):
            own, _ = without_copies(modality, views[modality], people[1].numpy())
            own_part = span(progress, at / len(coordinates), (at + 1) / len(coordinates))
            halves = _halves(one, own, latents[modality], people, training, device, own_part)
            found[modality] = one.with_halves(halves)
    reach(progress, 1)
    return found


def _worth_refitting(found: DecodedCoordinates) -> bool:
    """Return whether halves of the people are not fitted yet and can change what is claimed of any latent."""
    checks = found.checks
    agreed = found.decoder == "additive" and max(found.finalist_agreement) >= WORTH_REFITTING
    return agreed and checks is not None and checks.halves is None


def _halves(
    found: DecodedCoordinates,
    by: Mapping[str, NDArray[Any]],
    latents: int,
    people: tuple[Tensor, Tensor],
    training: RestartSchedule,
    device: torch.device,
    progress: Progress | None,
) -> list[float]:
    """Return of each latent how far additive decoders of two halves of the people agree on people held out.

    Random numbers are of their own: what was found stays what it is without this. Of too few people it is 0.
    """
    held, learn = people
    if min(len(held), len(learn) // 2) < FEWEST_IN_HALVES:
        return [0.0] * latents
    codes = []
    for at in (0, 1):
        half = learn[at::2]
        agreed = fit_agreed_components(by, half.numpy(), np.random.default_rng(FOLDS_SEED))
        if agreed.count < latents:
            return [0.0] * latents
        content = torch.from_numpy(agreed(by))
        refit = _fit_additive(
            content, latents, (held, half),
            replace(training.shorter(0.5), restarts=max(2, training.restarts // 2)),
            generator=torch.Generator().manual_seed(at), device=device, progress=span(progress, at / 2, (at + 1) / 2),
        )  # fmt: skip
        codes.append(refit.codes[0].double().numpy())
    own = found.encode({name: x[held.numpy()] for name, x in by.items()})
    return [float(value) for value in halves_agreement(own, codes[0], codes[1], {found.modality: latents})]


def _fit_additive(
    content: Tensor,
    latents: int,
    people: tuple[Tensor, Tensor],
    training: RestartSchedule,
    *,
    generator: torch.Generator,
    device: torch.device = CPU,
    progress: Progress | None = None,
) -> Bottlenecks:
    """Fit additive decoders: networks begun at sums of curves, where a grid can hold the latents.

    Curves are kept where networks explain no more of people held out, as of few people: they are smooth.
    """
    if latents not in GRID:
        return fit_bottleneck(
            content, latents, "additive", *people, training, generator=generator, device=device, progress=progress
        )
    share = training.steps / RestartSchedule().steps
    curves = fit_curves(content, latents, *people, share, generator=generator, device=device)
    reach(progress, CURVES)
    codes = [curve.encode(content) for curve in curves.fits[: REFINED.finalists]]
    steps = max(FEWEST_REFINING, round(share * REFINED.steps))
    refining = span(progress, CURVES, 1)
    networks = refine_bottleneck(content, codes, *people, steps, generator=generator, device=device, progress=refining)
    if networks.explained[0] > curves.explained[0]:
        return networks
    seen = content[people[0]]
    competing = [curves.fits[at].encode(seen) for at in curves.compete]
    errors = (curves.best.decode(competing[0]) - seen).square().sum(1)
    size = (seen - content[people[1]].mean(0)).square().sum(1).mean().clamp_min(1e-30)
    return Bottlenecks(curves.best, curves.explained, competing, errors / size)


def choose_decoder(
    modality: str,
    agreed: AgreedComponents,
    content: Tensor,
    latents: int,
    people: tuple[Tensor, Tensor],
    training: RestartSchedule,
    *,
    generator: torch.Generator,
    device: torch.device = CPU,
    progress: Progress | None = None,
) -> DecodedCoordinates:
    """Return the coordinates of the most restrictive class whose finalists agree, else those of the nearest class.

    Where finalists of no class agree, latents of the class that comes nearest are as good as any, and are not called
    identified. A free decoder is returned where restrictive ones explain much less: then no class fits.

    Parameters
    ----------
    content
        The agreed components of all people, shape (n, q), in units of their error.
    """
    share = training.steps / RestartSchedule().steps

    others = 1 + (latents > 2)

    def fitted(decoder: DecoderClass, how: RestartSchedule, part: Progress | None) -> Bottlenecks:
        return fit_bottleneck(
            content, latents, decoder, *people, how, generator=generator, device=device, progress=part
        )

    def additive(part: Progress | None) -> Bottlenecks:
        return _fit_additive(content, latents, people, training, generator=generator, device=device, progress=part)

    free = fitted("free", FREE.shorter(share), span(progress, 0, FIRST))
    tried: list[DecodedCoordinates] = []
    enough = EXPLAINS * free.explained[0]
    for decoder in LADDER:
        if decoder == "interactions" and latents < 3:
            continue
        ends = [FIRST + (1 - FIRST) * (len(tried) + at) / others for at in (0, 1)]
        part = span(progress, *ends)
        found = additive(part) if decoder == "additive" else fitted(decoder, training, part)
        least = finalist_agreement([code.double().numpy() for code in found.codes])[0]
        one = DecodedCoordinates(modality, decoder, found.explained[0], free.explained[0], least, agreed, found.best)
        if one.settled and one.explained >= enough:
            return one
        tried.append(one)
    best = max(tried, key=lambda one: min(one.finalist_agreement))
    if best.explained >= AS_MUCH * best.explained_free:
        return best
    open_to = free.explained[0], free.explained[0]
    least = finalist_agreement([code.double().numpy() for code in free.codes])[0]
    return DecodedCoordinates(modality, "free", *open_to, least, agreed, free.best)


def without_copies(
    modality: str, by: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Return the measurements without copies of others, and a sentence for each copy."""
    own = dict(by)
    notes = []
    for name, copy in copied_measurements(by, rows) if len(by) > 1 else []:
        if name in own and copy in own:
            del own[copy]
            notes.append(
                f"{modality}: {copy} is a linear map of {name}, so it counts as no measurement of its own "
                "(two encoders of one text or picture share all that is only that text's or picture's)"
            )
    return own, notes
