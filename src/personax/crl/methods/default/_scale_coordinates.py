"""Coordinates by scale times shape: a scale latent from norms, the other latents from shapes alone.

Of three candidates for what is read from shapes (`_shape_candidates`) one is chosen without a truth: among those that
say as much of the other modalities on people held out (within two standard errors of the best, or the best one is a
function of them), the one that explains most of the shape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._device import CPU
from personax.crl._estimator import Arrays
from personax.crl.methods.default._apex import about
from personax.crl.methods.default._coordinates import Coordinates, NormalScores, finalist_agreement
from personax.crl.methods.default._projection import Projection
from personax.crl.methods.default._scale import ScaleModel, fit_scale
from personax.crl.methods.default._scale_regression import FourierBasis, FourierRidge
from personax.crl.methods.default._shape_candidates import (
    ShapeReader,
    fit_content,
    fit_cross,
    fit_curve,
    information,
)

__all__ = ["ScaleCoordinates", "fit_scale_coordinates"]

FEATURES: Final = 200
REGRESSED: Final = 6000
"""People on whom what a candidate explains is learned."""

FUNCTION: Final = 0.995
"""Share of a candidate that another one explains, from which it is a function of it."""

ERRORS: Final = 2.0
"""Standard errors within which two candidates say as much of other modalities."""

SLACK: Final = 1e-3
"""Nats within which they do anyway."""

COPIES: Final = 0.99
"""Agreement of norms from which measurements are one another's copies: they have no content of their own to leave."""

FOLDED: Final = 0.1
"""More of the shape that a candidate explains of which *cross* is a function, from which a link is called folded."""

People = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class ScaleCoordinates(Coordinates):
    """Latents of a modality that has a scale latent; it comes last.

    Parameters
    ----------
    scale
        From measurements to norms and shapes.
    candidate
        What the other latents were found by: ``cross``, ``content``, ``curve``, or ``none`` where there are no others.
    reader, scores
        The other latents, and their maps to normal scores; None where there are none.
    through
        What shapes tell of the norm through the other latents.
    informations, explains
        By candidate: nats that it says of the other modalities, share of the shape that it explains.
    notes
        What is to be known of it, a sentence each.
    """

    scale: ScaleModel
    candidate: str
    reader: ShapeReader | None = field(repr=False)
    scores: NormalScores | None = field(repr=False)
    through: FourierRidge | None = field(repr=False)
    informations: dict[str, float]
    explains: dict[str, float]
    notes: list[str]

    @property
    def settled(self) -> bool:
        """A scale latent that exists takes itself out of all others; how sure each is, the agreement says."""
        return True

    def encode(self, by: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """As `Coordinates.encode` says; the scale latent is the last column, on a logarithmic scale."""
        logs, told, shapes = self.scale.split(by)
        scale = (logs - told).mean(1)
        if self.reader is None or self.scores is None or self.through is None:
            return np.asarray(scale[:, None].double().numpy())
        others = self.scores(self.reader(shapes))
        return np.asarray(torch.cat([others, (scale + self.through(others))[:, None]], 1).double().numpy())


@dataclass(frozen=True)
class _Scaled:
    """A modality with a scale latent, in the making."""

    model: ScaleModel
    left: Tensor
    shapes: list[Tensor]
    joined: Tensor
    norm: Tensor


def fit_scale_coordinates(
    views: Arrays,
    latents: Mapping[str, int],
    people: People,
    *,
    known: Mapping[str, Tensor] | None = None,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> dict[str, ScaleCoordinates]:
    """Return coordinates of every modality that has a scale latent; of the others nothing.

    Parameters
    ----------
    views, latents
        Modality -> measurement -> vectors, shape (n, dim); modality -> number of latents, the scale latent among them.
    people
        Rows held out, and rows to learn from.
    known
        Latents of modalities that are settled already, shape (n, k); they are read as they are.
    share
        Of the full number of steps.

    Raises
    ------
    FloatingPointError
        When training diverges.
    """
    known = known or {}
    found: dict[str, _Scaled] = {}
    for modality, by in views.items():
        if modality not in known:
            own = _scaled(by, people, generator, device)
            if own is not None:
                found[modality] = own
    if not found:
        return {}
    cross = _cross(views, latents, found, known, people, share, generator, device)
    return {
        modality: _coordinates(
            modality, views[modality], latents[modality] - 1, found, cross, people, share, generator, device
        )
        for modality in found
    }


def _scaled(
    by: Mapping[str, NDArray[Any]], people: People, generator: torch.Generator, device: torch.device
) -> _Scaled | None:
    fitted = fit_scale(by, people, generator=generator, device=device)
    if fitted is None or not fitted[0].exists:
        return None
    logs, _, shapes = fitted[0].split(by)
    norm = logs.mean(1, keepdim=True)
    return _Scaled(*fitted, shapes, torch.cat(shapes, 1), (norm - norm.mean()) / norm.std().clamp_min(1e-8))


@dataclass(frozen=True)
class _Cross:
    """What contrast between modalities found: of each modality its readers, and all that is known of it."""

    readers: dict[str, list[ShapeReader]]
    seen: dict[str, Tensor]


def _cross(
    views: Arrays,
    latents: Mapping[str, int],
    found: Mapping[str, _Scaled],
    known: Mapping[str, Tensor],
    people: People,
    share: float,
    generator: torch.Generator,
    device: torch.device,
) -> _Cross:
    """Fit *cross* in all modalities at once: shapes of those with a scale, components of those without."""
    if len(views) < 2:
        return _Cross({m: [] for m in views}, {m: one.norm for m, one in found.items()})
    inputs, counts = [], []
    fixed: list[Tensor | None] = []
    rng = np.random.default_rng(0)
    for m in views:
        if m in found:
            inputs.append(found[m].joined)
            counts.append(latents[m] - 1)
            fixed.append(found[m].norm)
        elif m in known:
            inputs.append(known[m])
            counts.append(0)
            fixed.append(_standardised(known[m]))
        else:
            inputs.append(Projection.fit({m: views[m]}, rng=rng).apply({m: views[m]})[0])
            counts.append(latents[m])
            fixed.append(None)
    readers = fit_cross(inputs, counts, fixed, people, share=share, generator=generator, device=device)
    seen = {}
    for m, x, own, of in zip(views, inputs, readers, fixed, strict=True):
        parts = [_standardised(own[0]([x]))] if own else []
        seen[m] = torch.cat([*parts, *([] if of is None else [of])], 1)
    return _Cross(dict(zip(views, readers, strict=True)), seen)


def _coordinates(
    modality: str,
    by: Mapping[str, NDArray[Any]],
    count: int,
    found: Mapping[str, _Scaled],
    cross: _Cross,
    people: People,
    share: float,
    generator: torch.Generator,
    device: torch.device,
) -> ScaleCoordinates:
    """Return one modality's coordinates: candidates for the latents of its shape, the choice, and the scale."""
    own = found[modality]
    learn = people[1][: len(own.left)]
    if not count:
        logs, told, _ = own.model.split(by)
        alone = (logs - told).mean(1, keepdim=True)
        return ScaleCoordinates(
            modality, "scale", *_explained(by, own.model, alone[:, :0], alone, people), [own.model.halves], own.model,
            "none", None, None, None, {}, {}, [],
        )  # fmt: skip
    candidates = _candidates(own, count, cross.readers[modality], people, share, generator, device)
    codes = {name: _normal(readers[0](own.shapes), people[1]) for name, readers in candidates.items()}
    others = [seen for m, seen in cross.seen.items() if m != modality]
    choice = _choose(codes, own, others, people, share, device)
    readers = candidates[choice.name]
    raw = readers[0](own.shapes)
    scores = NormalScores.fit(raw[people[1]])
    code = scores(raw)
    through = _smooth(code[learn], own.left.mean(1))
    agreed = finalist_agreement([reader(own.shapes)[people[0]].double().numpy() for reader in readers])[0]
    logs, told, _ = own.model.split(by)
    scale = (logs - told).mean(1) + through(code)
    explained, free = _explained(by, own.model, code, scale[:, None], people)
    return ScaleCoordinates(
        modality, "scale", explained, free, [*agreed, own.model.halves], own.model, choice.name,
        readers[0], scores, through, choice.informations, choice.explains, choice.notes(modality),
    )  # fmt: skip


def _candidates(
    own: _Scaled,
    count: int,
    cross: list[ShapeReader],
    people: People,
    share: float,
    generator: torch.Generator,
    device: torch.device,
) -> dict[str, list[ShapeReader]]:
    found = {"cross": cross} if cross else {}
    if len(own.shapes) > 1 and (own.model.agreement or 0.0) < COPIES:
        found["content"] = fit_content(own.shapes, count, people, share=share, generator=generator, device=device)
    start = cross[0](own.shapes) if cross else None
    found["curve"] = fit_curve(own.joined, count, start, people, share=share, generator=generator, device=device)
    return found


@dataclass(frozen=True)
class _Choice:
    name: str
    informations: dict[str, float]
    explains: dict[str, float]
    functions: dict[str, float]

    def notes(self, modality: str) -> list[str]:
        """Return what is to be known of the choice."""
        if "cross" not in self.explains:
            return []
        best = max(self.explains, key=self.explains.__getitem__)
        if self.explains[best] <= self.explains[self.name] + FOLDED or self.functions[best] < 0.9:
            return []
        return [
            f"{modality}: what other modalities say of its shape is a function of its {best} that cannot be undone "
            f"(it explains {self.explains[self.name]:.2f} of the shape where {self.explains[best]:.2f} can be): the "
            "mechanism across may be folded, and the latent that crosses is known up to that fold at best"
        ]


def _choose(
    codes: Mapping[str, Tensor],
    own: _Scaled,
    others: Sequence[Tensor],
    people: People,
    share: float,
    device: torch.device,
) -> _Choice:
    told = {
        name: information(
            torch.cat([code, own.norm], 1), others, people, share=share,
            generator=torch.Generator().manual_seed(1), device=device,
        ) if others else torch.zeros(1)
        for name, code in codes.items()
    }  # fmt: skip
    explains = {name: share_explained(code, own.joined, people) for name, code in codes.items()}
    top = max(told, key=lambda name: float(told[name].mean()))
    functions = {name: share_explained(code, codes[top], people) for name, code in codes.items()}
    equal = [
        name for name, values in told.items()
        if functions[name] > FUNCTION or _behind(told[top] - values)
    ]  # fmt: skip
    name = max(equal, key=lambda name: explains[name])
    return _Choice(name, {name: float(v.mean()) for name, v in told.items()}, explains, functions)


def _behind(difference: Tensor) -> bool:
    """Return whether a difference of information is within its error."""
    error = float(difference.std()) / math.sqrt(len(difference)) if len(difference) > 1 else 0.0
    return float(difference.mean()) <= ERRORS * error + SLACK


def _smooth(x: Tensor, y: Tensor) -> FourierRidge:
    """Return a smooth regression of y on few numbers."""
    basis = FourierBasis(x[:REGRESSED], features=FEATURES, generator=torch.Generator().manual_seed(0))
    return basis.fit(y[:REGRESSED])[0]


def share_explained(code: Tensor, target: Tensor, people: People) -> float:
    """Return the share of the target's variance on people held out that a smooth function of a code explains."""
    held, learn = people[0], people[1][:REGRESSED]
    left = target[held] - _smooth(code[learn], target[learn])(code[held])
    return 1 - float(left.square().sum() / (target[held] - target[learn].mean(0)).square().sum().clamp_min(1e-30))


def _explained(
    by: Mapping[str, NDArray[Any]], model: ScaleModel, code: Tensor, scale: Tensor, people: People
) -> tuple[float, float]:
    """Return the shares of components of people held out that latents explain, as scale times shape and freely."""
    held, learn = people[0], people[1][:REGRESSED]
    both = torch.cat([code, _standardised(scale)], 1)
    left, left_free, total = 0.0, 0.0, 0.0
    for name, one in model.measured.items():
        components = one.components(by[name])
        shape = about(components, one.apex)[1]
        mean_shape = _smooth(code[learn], shape[learn])(code[held]) if code.shape[1] else shape[learn].mean(0)
        rebuilt = one.apex + torch.exp(one.log_mean + model.log_std * scale[held]) * mean_shape
        free = _smooth(both[learn], components[learn])(both[held])
        left += float((components[held] - rebuilt).square().sum())
        left_free += float((components[held] - free).square().sum())
        total += float((components[held] - components[learn].mean(0)).square().sum())
    return 1 - left / max(total, 1e-30), 1 - left_free / max(total, 1e-30)


def _normal(x: Tensor, learn: Tensor) -> Tensor:
    return NormalScores.fit(x[learn])(x)


def _standardised(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / x.std(0).clamp_min(1e-8)
