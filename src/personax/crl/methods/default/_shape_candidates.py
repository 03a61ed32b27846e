"""Candidates for the latents that are read from the shape of a modality's measurements, and what tells them apart.

Nothing in a shape says which of its coordinates are latents. Three criteria propose them:

- *cross*: what the modality says of the other modalities, by contrast under structured densities (`Critic`);
- *content*: what the measurements of the modality have in common, by contrast among them;
- *curve*: the few numbers that explain most of the shape, half of the restarts begun at *cross*.

Each is fitted from several restarts; the best two are its finalists.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from personax.crl._device import CPU, integers, normal
from personax.crl._optimiser import minimise
from personax.crl.methods.default._critic import Critic, NegativeSampler, edge_cost
from personax.crl.methods.default._networks import BatchedMLP, in_chunks, keep_restarts

__all__ = ["ShapeReader", "fit_content", "fit_cross", "fit_curve", "information"]

HIDDEN: Final = 64
BATCH: Final = 256
WARMUP: Final = 20
CHECK: Final = 100
FINALISTS: Final = 2

CONTRAST_STEPS: Final = 400
CONTRAST_RATE: Final = 4e-3
NEGATIVES: Final = 8
CONTENT_NEGATIVES: Final = 16
HELD_NEGATIVES: Final = 32
LAST: Final = 2
"""Times as many people a step in the second half."""

NOISE: Final = (0.0, 0.3, 0.5)
"""On what encoders read, as a share of its size, of the restarts in turn: where instances differ, noise keeps them
smooth."""

EDGES: Final = 0.004
PENALTY_RISES: Final = 0.2

CURVE_STEPS: Final = 800
CURVE_RATE: Final = 3e-3
CURVE_RESTARTS: Final = 4
CODE_NOISE: Final = 0.02
CODE_COST: Final = 1e-4
HELD_TO: Final = 3.0
"""Weight of the distance from *cross* of the restarts that begin there, for the first quarter of the steps."""

INFORMATION_STEPS: Final = 400
INFORMATION_RATE: Final = 1e-2
INFORMATION_HIDDEN: Final = 24
INFORMATION_BATCH: Final = 100
INFORMATION_NEGATIVES: Final = 64

People = tuple[Tensor, Tensor]
"""Rows held out, and rows to learn from."""


@dataclass(frozen=True)
class ShapeReader:
    """From the shapes of a modality's measurements to latents.

    Parameters
    ----------
    encoders
        One that reads all shapes side by side, or one a measurement, whose readings are averaged.
    mean, std, signs
        Of each encoder's latents, shape (encoders, k).
    """

    encoders: list[BatchedMLP]
    mean: Tensor
    std: Tensor
    signs: Tensor

    def __call__(self, shapes: Sequence[Tensor]) -> Tensor:
        """Return latents, shape (n, k), for shapes of each measurement, shape (n, q) each."""
        inputs = list(shapes) if len(self.encoders) > 1 else [torch.cat(list(shapes), 1)]
        with torch.no_grad():
            found = torch.stack([_read(e, x) for e, x in zip(self.encoders, inputs, strict=True)], 1)
            return ((found - self.mean) / self.std * self.signs).mean(1)


def _read(encoder: BatchedMLP, x: Tensor) -> Tensor:
    return in_chunks(lambda part: encoder(part)[0], x)


def _reader(encoders: Sequence[BatchedMLP], restart: int, inputs: Sequence[Tensor], learn: Tensor) -> ShapeReader:
    """Return one restart's encoders, on the processor."""
    own = [copy.deepcopy(encoder) for encoder in encoders]
    for encoder in own:
        keep_restarts(encoder, [restart])
        encoder.to(CPU)
    with torch.no_grad():
        found = torch.stack([_read(e, x[learn].to(CPU)) for e, x in zip(own, inputs, strict=True)], 1)
    mean, std = found.mean(0), found.std(0).clamp_min(1e-8)
    scaled = (found - mean) / std
    signs = torch.sign((scaled * scaled[:, :1]).mean(0))
    return ShapeReader(own, mean, std, torch.where(signs == 0, 1.0, signs))


def _standardised(v: Tensor) -> Tensor:
    return (v - v.mean(-2, keepdim=True)) / v.std(-2, keepdim=True).clamp_min(1e-8)


class _Best:
    """The state of each restart at its least objective on people held out."""

    def __init__(self, model: nn.Module, objective: Callable[[], Tensor], restarts: int) -> None:
        self.parameters, self.objective = list(model.parameters()), objective
        self.least = torch.full((restarts,), math.inf, device=self.parameters[0].device)
        self.kept = [p.data.clone() for p in self.parameters]

    @torch.no_grad()
    def look(self) -> None:
        """Keep the restarts that have improved."""
        found = self.objective()
        better = torch.isfinite(found) & (found < self.least)
        self.least[better] = found[better]
        for parameter, state in zip(self.parameters, self.kept, strict=True):
            state[better] = parameter.data[better]

    def restore(self) -> list[int]:
        """Put the best states back and return the restarts, the best first.

        Raises
        ------
        FloatingPointError
            When no restart had a finite objective.
        """
        for parameter, state in zip(self.parameters, self.kept, strict=True):
            parameter.data.copy_(state)
        order = [i for i in self.least.argsort().tolist() if math.isfinite(float(self.least[i]))]
        if not order:
            raise FloatingPointError
        return order


def fit_cross(
    inputs: Sequence[Tensor],
    counts: Sequence[int],
    fixed: Sequence[Tensor | None],
    people: People,
    *,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> list[list[ShapeReader]]:
    """Return of every modality its readers, finalists first, by contrast between modalities.

    Parameters
    ----------
    inputs
        What is read of each modality, shape (n, q).
    counts
        Latents that are read of each; 0 for a modality of which only fixed ones are.
    fixed
        Latents of a modality that are known, shape (n, f), mean 0 and variance 1; None for none.
    people, share
        Rows held out and learned from; share of the full number of steps.
    """
    return _contrast(
        inputs, counts, fixed, None, people, len(NOISE), NEGATIVES, share=share, generator=generator, device=device
    )


def fit_content(
    shapes: Sequence[Tensor],
    count: int,
    people: People,
    *,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> list[ShapeReader]:
    """Return readers of what several measurements of a modality have in common, finalists first."""
    pairs = torch.eye(count, device=CPU).repeat(len(shapes), len(shapes))
    found = _contrast(
        shapes, [count] * len(shapes), [None] * len(shapes), pairs, people, FINALISTS, CONTENT_NEGATIVES,
        share=share, generator=generator, device=device,
    )  # fmt: skip
    joined = []
    for readers in zip(*found, strict=True):
        mean, std = (torch.cat([getattr(r, name) for r in readers]) for name in ("mean", "std"))
        encoders = [r.encoders[0] for r in readers]
        read = [(_read(e, x[people[1]]) - m) / s for e, x, m, s in zip(encoders, shapes, mean, std, strict=True)]
        signs = torch.stack([torch.sign((x * read[0]).mean(0)) for x in read])
        joined.append(ShapeReader(encoders, mean, std, torch.where(signs == 0, 1.0, signs)))
    return joined


def _contrast(
    inputs: Sequence[Tensor],
    counts: Sequence[int],
    fixed: Sequence[Tensor | None],
    pairs: Tensor | None,
    people: People,
    restarts: int,
    negatives: int,
    *,
    share: float,
    generator: torch.Generator,
    device: torch.device,
) -> list[list[ShapeReader]]:
    held, learn = people
    block = [m for m, (c, f) in enumerate(zip(counts, fixed, strict=True)) for _ in range(c + _width(f))]
    allowed = torch.ones(len(block), len(block), device=CPU) if pairs is None else pairs
    with CPU:
        encoders = [
            BatchedMLP(restarts, x.shape[1], HIDDEN, max(count, 1), generator=generator)
            for x, count in zip(inputs, counts, strict=True)
        ]
        critic = Critic(restarts, block, allowed, generator=generator)
    model = nn.ModuleList([*encoders, critic]).to(device)
    there, known = [x.to(device) for x in inputs], [None if f is None else f.to(device) for f in fixed]
    levels = torch.tensor([NOISE[i % len(NOISE)] for i in range(restarts)], device=device).view(-1, 1, 1)
    sizes = [x.square().mean().sqrt() for x in there]
    cost = 2 * EDGES / len(inputs) if pairs is None else 0.0
    steps = max(2, round(share * CONTRAST_STEPS))

    def latents(rows: Tensor, *, noisy: bool) -> Tensor:
        found = []
        for encoder, x, size, count, own in zip(encoders, there, sizes, counts, known, strict=True):
            seen = x[rows].expand(restarts, -1, -1)
            if noisy:
                seen = seen + levels * size * normal(*seen.shape, generator=generator).to(device)
            if count:
                found.append(_standardised(encoder(seen)))
            if own is not None:
                found.append(own[rows].expand(restarts, -1, -1))
        return torch.cat(found, -1)

    few = NegativeSampler(learn, BATCH, negatives, device=device)
    many = NegativeSampler(learn, LAST * BATCH, negatives, device=device)
    on_held = NegativeSampler(held, BATCH, HELD_NEGATIVES, device=device)

    def loss(at: int) -> Tensor:
        rows, others = (few if at < steps // 2 else many).draw(generator)
        told, squared = critic(latents(rows, noisy=True), others)
        rising = min(1.0, at / (PENALTY_RISES * steps))
        total: Tensor = (-told + rising * cost * edge_cost(squared, critic.charged)).sum()
        return total

    def objective() -> Tensor:
        found = [critic(latents(rows, noisy=False), others) for rows, others in on_held.one_pass()]
        told, squared = (torch.stack(part).mean(0) for part in zip(*found, strict=True))
        return -told + cost * edge_cost(squared, critic.charged)

    best = _Best(model, objective, restarts)

    def after(at: int) -> None:
        if (at + 1) % CHECK == 0 or at + 1 == steps:
            best.look()

    minimise(model.parameters(), loss, steps=steps, rate=CONTRAST_RATE, warmup=WARMUP, after=after)
    order = best.restore()[:FINALISTS]
    return [
        [_reader([encoder], restart, [x], learn) for restart in order] if count else []
        for encoder, x, count in zip(encoders, there, counts, strict=True)
    ]


def _width(fixed: Tensor | None) -> int:
    return 0 if fixed is None else fixed.shape[1]


def fit_curve(
    x: Tensor,
    count: int,
    start: Tensor | None,
    people: People,
    *,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> list[ShapeReader]:
    """Return readers of the few numbers that explain most of the shapes, finalists first.

    Parameters
    ----------
    x
        Shapes of all measurements side by side, shape (n, q).
    count
        Numbers.
    start
        Where half of the restarts begin, shape (n, count); None for no such place.
    people, share
        As of `fit_cross`.
    """
    held, learn = (rows.to(device) for rows in people)
    restarts = CURVE_RESTARTS
    with CPU:
        encoder = BatchedMLP(restarts, x.shape[1], HIDDEN, count, generator=generator)
        decoder = BatchedMLP(restarts, count, HIDDEN, x.shape[1], generator=generator)
    model = nn.ModuleList([encoder, decoder]).to(device)
    there = x.to(device)
    begun = None if start is None else start.to(device)
    total = there[held].var(0).sum().clamp_min(1e-30)
    warm = torch.tensor([float(start is not None and i % 2 == 0) for i in range(restarts)], device=device)
    steps = max(2, round(share * CURVE_STEPS))

    def loss(at: int) -> Tensor:
        rows = learn[integers(len(learn), BATCH, generator=generator).to(device)]
        seen = there[rows]
        code = encoder(seen.expand(restarts, -1, -1))
        blurred = code + CODE_NOISE * normal(*code.shape, generator=generator).to(device)
        error = (decoder(blurred) - seen).square().sum(-1).mean(-1) / total
        error = error + CODE_COST * code.square().sum(-1).mean(-1)
        if begun is not None and at < steps // 4:
            error = error + warm * HELD_TO * (code - begun[rows]).square().sum(-1).mean(-1)
        whole: Tensor = error.sum()
        return whole

    def objective() -> Tensor:
        seen = there[held].expand(restarts, -1, -1)
        left: Tensor = (decoder(encoder(seen)) - there[held]).square().sum(-1).mean(-1) / total
        return left

    best = _Best(model, objective, restarts)

    def after(at: int) -> None:
        if at + 1 == steps or (at > steps // 2 and at % CHECK == 0):
            best.look()

    minimise(model.parameters(), loss, steps=steps, rate=CURVE_RATE, warmup=WARMUP, after=after)
    return [_reader([encoder], restart, [there], people[1]) for restart in best.restore()[:FINALISTS]]


def information(
    own: Tensor,
    others: Sequence[Tensor],
    people: People,
    *,
    share: float = 1.0,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> Tensor:
    """Return what a modality's latents say of those of others on batches of people held out, in nats.

    A function of the modality's own latents, near the identity at first, is fitted with the densities: a candidate is
    worth what the best function of it tells.
    """
    held, learn = people
    sizes = [own.shape[1], *(z.shape[1] for z in others)]
    block = [m for m, size in enumerate(sizes) for _ in range(size)]
    with CPU:
        critic = Critic(1, block, torch.ones(len(block), len(block)), generator=generator)
        moved = BatchedMLP(1, sizes[0], INFORMATION_HIDDEN, sizes[0], generator=generator)
        with torch.no_grad():
            moved.leave.mul_(0.2)
            moved.straight.copy_(torch.eye(sizes[0])[None])
    model = nn.ModuleList([critic, moved]).to(device)
    first, rest = _standardised(own).to(device), _standardised(torch.cat(list(others), 1)).to(device)
    sampler = NegativeSampler(learn, BATCH, NEGATIVES, device=device)

    def latents(rows: Tensor) -> Tensor:
        return torch.cat([_standardised(moved(first[rows][None])), rest[rows][None]], -1)

    def loss(_: int) -> Tensor:
        rows, negatives = sampler.draw(generator)
        told: Tensor = -critic(latents(rows), negatives)[0].sum()
        return told

    steps = max(2, round(share * INFORMATION_STEPS))
    minimise(model.parameters(), loss, steps=steps, rate=INFORMATION_RATE)
    on_held = NegativeSampler(held, INFORMATION_BATCH, INFORMATION_NEGATIVES, device=device)
    with torch.no_grad():
        return torch.stack([critic(latents(rows), negatives)[0][0] for rows, negatives in on_held.one_pass()]).cpu()
