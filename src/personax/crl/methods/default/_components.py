"""Components of each modality that are connected to the others by a sparse graph, found by a contrastive search."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from personax.crl._device import CPU, normal, permutation
from personax.crl._optimiser import minimise
from personax.crl.methods.default._critic import Critic, NegativeSampler, edge_cost
from personax.crl.methods.default._networks import BatchedMLP, in_chunks, keep_restarts

__all__ = ["Components", "Search", "fit_components"]


class View(NamedTuple):
    """The input that a restart reads of a modality.

    Parameters
    ----------
    power
        Principal components stand to one another as this power of their sizes.
    noise
        Standard deviation of the noise on them in training, as a share of theirs.
    contents
        Instead of them, what the modality's measurements agree on, where that is given.
    """

    power: float
    noise: float
    contents: bool = False


VIEWS: Final = (View(0.5, 0.0), View(1.0, 0.0), View(1.0, 0.5))
"""In turn; validation people choose at the end. Enlarged small components serve where few numbers carry latents and
no noise; components of their own sizes with noise on them keep encoders smooth where many people's pictures differ in
what is no latent.
"""

CONTENTS: Final = View(1.0, 0.5, contents=True)
"""And where contents are given: they serve where what differs between a modality's measurements is most of them."""

LOUDEST: Final = 2.0
"""Standard deviation of the largest component as encoders see it."""

LAST: Final = 4
"""Times as many people a step once one restart is left: what it has found, it then finds more exactly."""

WARMUP: Final = 20
"""Steps over which the rate rises at the start of each trial."""

PENALTY_RISES: Final = 0.2
"""Share of the steps over which the cost of edges rises from 0: information is found before edges are removed."""

CHECK: Final = 100
"""Steps between validations; each restart keeps its best state."""

NEGATIVES: Final = 64
"""Negatives of each person on validation at least: the estimated information is at most the logarithm of that."""

FEW: Final = 3
"""ModalityCoordinates contrasted in a step at most; more are drawn in turn, which bounds a step's cost."""


@dataclass(frozen=True)
class Search:
    """How components are searched for.

    Parameters
    ----------
    restarts
        Models that begin. After each trial the better half by the objective on validation people goes on, of each view
        apart; from half of the steps on the best one alone.
    trial, steps
        Steps of a trial and of the whole.
    batch, negatives
        People a step; negatives of each.
    rate
        Highest learning rate (Adam, cosine to zero).
    edges
        Cost of an edge, in nats a unit of the logarithm of its strength, for each of the two modalities it informs.
    hidden
        Width of encoders.
    """

    restarts: int = 18
    trial: int = 300
    steps: int = 1600
    batch: int = 256
    negatives: int = 8
    rate: float = 4e-3
    edges: float = 0.004
    hidden: int = 64

    def slower(self, rate: float, steps: float) -> Search:
        """Return the same search at a fraction of the rate and of the steps."""
        trial, whole = (max(1, round(steps * number)) for number in (self.trial, self.steps))
        return replace(self, rate=self.rate * rate, trial=trial, steps=max(whole, trial + 1))


@dataclass(frozen=True)
class Components:
    """The best restart.

    Parameters
    ----------
    encoders, critic
        One restart each.
    objective
        Minus information plus cost of edges on validation people, in nats; smaller is better.
    information
        In nats, on validation people.
    strength
        Shape (d, d), rows are children.
    from_contents
        Whether the encoders read contents, where they are given, in place of components.
    history
        One row a check: ``epoch`` (the step), ``validation`` (the least objective among the restarts that go on).
    """

    encoders: list[BatchedMLP]
    critic: Critic
    objective: float
    information: float
    strength: Tensor
    from_contents: bool
    history: list[dict[str, float]]

    def encode(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return latents, shape (n, d), not standardised."""
        with torch.no_grad():
            return in_chunks(self._encoded, *inputs)

    def _encoded(self, *inputs: Tensor) -> Tensor:
        return torch.cat([e(x)[0] for e, x in zip(self.encoders, inputs, strict=True)], dim=1)


def fit_components(
    inputs: Sequence[Tensor],
    counts: Sequence[int],
    allowed: Tensor,
    held: Tensor,
    learn: Tensor,
    search: Search,
    *,
    given: Tensor | None = None,
    contents: Sequence[Tensor | None] | None = None,
    edge_penalty: Tensor | None = None,
    generator: torch.Generator,
    progress: Callable[[int, int, float], None] | None = None,
    device: torch.device = CPU,
) -> Components:
    """Fit encoders and critic from many restarts and return the one of the best objective on validation people.

    What is given and what is returned is on the processor; the search is on the device.

    Parameters
    ----------
    inputs
        Of each modality what its encoder sees, shape (n, k).
    counts
        Latents of each modality.
    allowed
        Shape (d, d), rows are children.
    held, learn
        Rows of validation and of training people.
    search
        How.
    given
        Latents that are known already, shape (n, k). They come first, may cause all others, and only people who are
        alike in them are compared.
    contents
        Of each modality another input, shape (n, c), that some restarts read in its place; None where there is none.
    edge_penalty
        Factor on the cost of each edge, shape (d, d).

    Raises
    ------
    FloatingPointError
        When no restart has a finite objective.
    """
    contents = contents or [None] * len(inputs)
    if given is not None:
        inputs, counts, contents = [given, *inputs], [given.shape[1], *counts], [None, *contents]
    block = [m for m, count in enumerate(counts) for _ in range(count)]
    r, g = search.restarts, generator
    with CPU:
        encoders = [
            BatchedMLP(r, x.shape[1] + (0 if c is None else c.shape[1]), search.hidden, count, generator=g)
            for x, c, count in zip(inputs, contents, counts, strict=True)
        ]
        critic = Critic(r, block, allowed, generator=g, edge_penalty=edge_penalty)
    model = nn.ModuleList([*encoders, critic]).to(device)
    views = VIEWS if all(c is None for c in contents) else (*VIEWS, CONTENTS)
    seen = [views[i % len(views)] for i in range(r)]
    on_held = max(NEGATIVES, search.negatives) if given is None else search.negatives
    comparisons = [
        NegativeSampler(learn, search.batch, search.negatives, given, device=device),
        NegativeSampler(held, search.batch, on_held, given, device=device),
    ]
    there = [x.to(device) for x in inputs], [None if c is None else c.to(device) for c in contents]
    step = _Step(model, *there, search, comparisons, seen, first=0 if given is None else 1)
    at, half, best = 0, search.steps // 2, [math.inf] * r
    while at < search.steps:
        several = len(best) > len(set(seen))
        until = search.steps if at >= half else min(at + search.trial, half) if several else half
        best = step.run(range(at, until), g, progress)
        if until == half:
            step.learn = NegativeSampler(learn, LAST * search.batch, search.negatives, given, device=device)
        if until < search.steps:
            order = _better(best, seen) if until < half else [best.index(min(best))]
            keep_restarts(model, order)
            step.keep_restarts(order)
            seen = [seen[i] for i in order]
        at = until
    if not math.isfinite(min(best)):
        raise FloatingPointError
    chosen = best.index(min(best))
    keep_restarts(model, [chosen])
    step.keep_restarts([chosen])
    objective, information, strength = step.validate()
    model.to(CPU)
    for encoder, size in zip(encoders, step.sizes, strict=True):
        encoder.absorb_scale(size.to(CPU))
    return Components(
        encoders,
        critic,
        float(objective[0]),
        float(information[0]),
        strength[0].to(CPU).sqrt() * critic.allowed,
        seen[chosen].contents,
        step.history,
    )


def _better(objectives: Sequence[float], seen: Sequence[View]) -> list[int]:
    """Return the better half of the restarts of each view, at least one of each.

    Some views are learned from faster than others and end worse, so views are not compared early.
    """
    order = sorted(range(len(objectives)), key=objectives.__getitem__)
    by_view = [[i for i in order if seen[i] == view] for view in dict.fromkeys(seen)]
    return [i for of in by_view for i in of[: max(1, len(of) // 2)]]


def standardised(v: Tensor) -> Tensor:
    """Return latents of mean 0 and variance 1 over the batch, shape (restarts, batch, d)."""
    spread = v.std(1, keepdim=True)
    return (v - v.mean(1, keepdim=True)) / spread.clamp_min(1e-8)


def _sizes(x: Tensor, contents: Tensor | None, view: View) -> Tensor:
    """Return a view's scale of each number of a modality: components, then contents; 0 for those left out."""
    spread = x.std(0).clamp_min(1e-12)
    size = LOUDEST * (spread / spread.max()) ** view.power / spread
    if contents is None:
        return size
    own = LOUDEST / contents.std(0).clamp_min(1e-12)
    return torch.cat([0 * size, own] if view.contents else [size, 0 * own])


class _Step:
    """Training steps of all restarts at once, and the validation objective of each."""

    def __init__(
        self,
        model: nn.ModuleList,
        inputs: Sequence[Tensor],
        contents: Sequence[Tensor | None],
        search: Search,
        comparisons: Sequence[NegativeSampler],
        seen: Sequence[View],
        first: int,
    ) -> None:
        self.model, self.search = model, search
        self.inputs = [x if c is None else torch.cat([x, c], 1) for x, c in zip(inputs, contents, strict=True)]
        self.learn, self.held = comparisons
        self.contrasted = list(range(first, len(inputs)))
        self.history: list[dict[str, float]] = []
        # information is a mean over modalities, and an edge informs two of them
        self.edges = 2 * search.edges / len(self.contrasted)
        both = list(zip(inputs, contents, strict=True))
        self.sizes = [torch.stack([_sizes(x, c, view) for view in seen]).unsqueeze(1) for x, c in both]
        self.noise = [
            x.new_tensor([0.0 if view.contents and c is not None else view.noise for view in seen]).view(-1, 1, 1)
            for x, c in both
        ]

    def keep_restarts(self, restarts: Sequence[int]) -> None:
        """Go on with some restarts."""
        self.noise = [level[list(restarts)] for level in self.noise]
        self.sizes = [size[list(restarts)] for size in self.sizes]

    def terms(
        self, xs: Sequence[Tensor], negatives: Tensor, modalities: Sequence[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return information, cost of edges and squared strengths of a batch."""
        *encoders, critic = self.model
        assert isinstance(critic, Critic)
        v = standardised(torch.cat([e(x) for e, x in zip(encoders, xs, strict=True)], dim=-1))
        information, squared = critic(v, negatives, modalities)
        return information, edge_cost(squared, critic.charged), squared

    def run(self, span: range, generator: torch.Generator, progress: Callable[..., None] | None) -> list[float]:
        """Go through some steps of the schedule and return the validation objective of every restart."""
        total = self.search.steps
        best = self.sizes[0].new_full((len(self.sizes[0]),), math.inf)
        kept = [parameter.data.clone() for parameter in self.model.parameters()]

        def loss(at: int) -> Tensor:
            rows, negatives = self.learn.draw(generator)
            few = self.contrasted
            if len(few) > FEW:
                few = [few[i] for i in permutation(len(few), generator=generator)[:FEW].tolist()]
            information, cost, _ = self.terms(self._seen(rows, generator), negatives, few)
            return (-information + self.edges * min(1.0, at / (PENALTY_RISES * total)) * cost).sum()

        def check(at: int) -> None:
            if (at + 1) % CHECK == 0 or at + 1 == span.stop:
                self._remember(best, kept)
                if bool(best.isfinite().any()):
                    self.history.append({"epoch": at + 1, "validation": float(best.min())})
                if progress is not None:
                    progress(at + 1, total, float(best.min()))

        minimise(
            self.model.parameters(), loss, steps=total, rate=self.search.rate, span=span, warmup=WARMUP, after=check
        )
        for parameter, state in zip(self.model.parameters(), kept, strict=True):
            parameter.data.copy_(state)
        return [float(value) for value in best]

    def _seen(self, rows: Tensor, generator: torch.Generator | None = None) -> list[Tensor]:
        """Return the encoders' inputs for some people, one for each restart, with noise in training."""
        seen = [x[rows] * size for x, size in zip(self.inputs, self.sizes, strict=True)]
        if generator is None:
            return seen
        return [
            x
            + level * x.square().mean((1, 2), keepdim=True).sqrt() * normal(*x.shape, generator=generator).to(x.device)
            for x, level in zip(seen, self.noise, strict=True)
        ]

    def _remember(self, best: Tensor, kept: list[Tensor]) -> None:
        """Keep the state of each restart whose validation objective has improved."""
        objective = self.validate()[0]
        better = torch.isfinite(objective) & (objective < best)
        best[better] = objective[better]
        for parameter, state in zip(self.model.parameters(), kept, strict=True):
            state[better] = parameter.data[better]

    @torch.no_grad()
    def validate(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return objective, information and squared strengths on validation people, means over batches."""
        found = [self.terms(self._seen(rows), negatives, self.contrasted) for rows, negatives in self.held.one_pass()]
        information, cost, squared = (torch.stack(part).mean(0) for part in zip(*found, strict=True))
        return -information + self.edges * cost, information, squared
