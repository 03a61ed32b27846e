"""Bottlenecks whose decoders are of a class: additive, of pairs, or free; many restarts side by side.

A bottleneck of k numbers finds k coordinates of what it is given, up to any invertible map of them: a decoder of any
form can undo it. A decoder that is a sum of one curve a latent, ``x = g_1(z_1) + ... + g_k(z_k)``, cannot: all its
mixed second derivatives are zero, and that holds for no other coordinates but those that are maps of one z_i each, if
the curves are bent in enough directions (Lachapelle et al. 2023, arXiv:2307.02598). No assumption about the
distribution of z is needed, nor links across modalities. A decoder of functions of
pairs is the next class (arXiv:2411.07784).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal, final

import torch
from torch import Tensor, nn

from personax.crl._device import CPU, integers, normal
from personax.crl._optimiser import minimise
from personax.crl.methods.default._curves import SumOfCurves
from personax.crl.methods.default._networks import BatchedMLP, gaussian_parameter, in_chunks, keep_restarts

__all__ = ["Bottleneck", "DecoderClass", "RestartSchedule", "fit_bottleneck", "groups_of", "refine_bottleneck"]

DecoderClass = Literal["additive", "interactions", "free"]

RATE: Final = 1e-2
WARMUP: Final = 30
BATCH: Final = 256
ENCODER_HIDDEN: Final = 64
CURVE_HIDDEN: Final = 24
FREE_HIDDEN: Final = 64
NOISE: Final = (0.4, 0.1)
"""Deviation of the noise on the code, at first and from half of the steps on: codes that fold do not survive."""

APPROACH: Final = 0.2
"""Share of the steps of a refinement in which known codes are learned."""

AS_GOOD: Final = 2.0
"""Standard errors within which a finalist is as good as the best one, on people held out."""

SIZE: Final = 2.0
"""Scale of what the encoder reads: that of its loudest number."""


def groups_of(decoder: DecoderClass, latents: int) -> list[tuple[int, ...]]:
    """Return the groups of latents whose functions a decoder of a class sums.

    Examples
    --------
    >>> groups_of("additive", 3), groups_of("interactions", 3), groups_of("free", 3)
    ([(0,), (1,), (2,)], [(0, 1), (0, 2), (1, 2)], [(0, 1, 2)])
    """
    size = {"additive": 1, "interactions": min(2, latents), "free": latents}[decoder]
    return list(combinations(range(latents), size))


@final
class GroupedDecoder(nn.Module):
    """Functions of groups of latents, summed, of as many restarts as there are.

    All groups' last layers are one product: the hidden units of all groups side by side.

    Parameters
    ----------
    restarts, groups, hidden, outputs
        The groups are of one size.
    generator
        Draws the first weights.
    """

    def __init__(
        self, restarts: int, groups: Sequence[tuple[int, ...]], hidden: int, outputs: int, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        g, r, count, size = generator, restarts, len(groups), len(groups[0])
        self.groups = [list(group) for group in groups]
        self.latents = 1 + max(max(group) for group in groups)
        self.enter = gaussian_parameter(r, count, size, hidden, scale=1 / math.sqrt(size), generator=g)
        self.enter_bias = gaussian_parameter(r, count, 1, hidden, scale=0.5, generator=g)
        self.inner = gaussian_parameter(r, count, hidden, hidden, scale=1 / math.sqrt(hidden), generator=g)
        self.inner_bias = gaussian_parameter(r, count, 1, hidden, scale=0.1, generator=g)
        self.leave = gaussian_parameter(r, count * hidden, outputs, scale=1 / math.sqrt(hidden), generator=g)
        self.straight = gaussian_parameter(r, self.latents, outputs, scale=1.0, generator=g)

    def forward(self, z: Tensor) -> Tensor:
        """Return shape (restarts, batch, outputs) for z of shape (restarts, batch, latents)."""
        r, n, _ = z.shape
        seen = torch.stack([z[..., group] for group in self.groups], dim=1)
        hidden = nn.functional.silu(seen @ self.enter + self.enter_bias)
        hidden = nn.functional.silu(hidden @ self.inner + self.inner_bias)
        return hidden.transpose(1, 2).reshape(r, n, -1) @ self.leave + z @ self.straight


@dataclass(frozen=True)
class RestartSchedule:
    """How restarts are trained.

    Parameters
    ----------
    restarts
        At first.
    steps
        Of the whole schedule.
    finalists
        Restarts that are trained to the end.
    trial
        Share of the steps after which the finalists are chosen by their error on people held out; choosing earlier
        loses good ones.
    """

    restarts: int = 16
    steps: int = 4000
    finalists: int = 4
    trial: float = 0.5

    def shorter(self, share: float) -> RestartSchedule:
        """Return the same with a share of the steps."""
        return RestartSchedule(self.restarts, max(20, round(share * self.steps)), self.finalists, self.trial)


@dataclass(frozen=True)
class Bottleneck:
    """A fitted bottleneck: one encoder and one decoder.

    Parameters
    ----------
    encoder, decoder
        Of one restart each.
    centre
        Of what is read, shape (1, q).
    size
        By which what is read is divided.
    mean, std
        Of the code of the people learned from, shape (1, k).
    """

    encoder: BatchedMLP = field(repr=False)
    decoder: GroupedDecoder = field(repr=False)
    centre: Tensor = field(repr=False)
    size: float
    mean: Tensor = field(repr=False)
    std: Tensor = field(repr=False)

    def encode(self, content: Tensor) -> Tensor:
        """Return the code of any people, shape (n, k), standardised."""
        return in_chunks(
            lambda x: (self.encoder(SIZE * (x - self.centre) / self.size)[0] - self.mean) / self.std, content
        )

    def decode(self, code: Tensor) -> Tensor:
        """Return the content at a code, shape (n, q)."""
        decoded: Tensor = self.decoder(code[None])[0] * self.size + self.centre
        return decoded


@dataclass(frozen=True)
class Bottlenecks:
    """What the restarts came to.

    Parameters
    ----------
    best
        Of the finalists, by error on people held out.
    explained
        Of each finalist the share of the content's variance that it explains on people held out, the best first.
    codes
        Of the finalists that compete, the code of the people held out, shape (n, k), the best first: the best two, and
        all others that explain as much (within `AS_GOOD` standard errors of the difference). That a restart which ended
        in a worse optimum has other latents speaks against nothing.
    errors
        Of the best, squared error of each person held out, as a share of their mean square, shape (n,).
    """

    best: Bottleneck | SumOfCurves
    explained: list[float]
    codes: list[Tensor]
    errors: Tensor


def fit_bottleneck(
    content: Tensor,
    latents: int,
    decoder: DecoderClass,
    held: Tensor,
    learn: Tensor,
    training: RestartSchedule,
    *,
    generator: torch.Generator,
    device: torch.device = CPU,
    progress: Callable[[int, int, float], None] | None = None,
) -> Bottlenecks:
    """Fit bottlenecks of a class from many restarts; the error on people held out chooses, never a truth.

    Parameters
    ----------
    content
        Shape (n, q), in units of its error, so that all errors weigh alike.
    latents
        Numbers of the bottleneck.
    decoder
        The class.
    held, learn
        Rows of validation and of training people.
    training
        How.

    Raises
    ------
    FloatingPointError
        When no restart has a finite error.
    """
    search = _Search(content.to(device), latents, decoder, held, learn, training, generator, progress)
    half = max(1, round(training.trial * training.steps))
    search.run(range(half))
    search.keep(training.finalists)
    search.run(range(half, training.steps))
    search.keep(training.finalists)
    return search.finalists()


def refine_bottleneck(
    content: Tensor,
    codes: Sequence[Tensor],
    held: Tensor,
    learn: Tensor,
    steps: int,
    *,
    generator: torch.Generator,
    device: torch.device = CPU,
    progress: Callable[[int, int, float], None] | None = None,
) -> Bottlenecks:
    """Fit additive bottlenecks that begin at known codes; the error on people held out chooses.

    Encoders first learn the codes, and decoders what is at them; then both learn as from any start.

    Parameters
    ----------
    content, held, learn
        As in `fit_bottleneck`.
    codes
        Of all people, shape (n, k) each.
    steps
        Of the whole schedule, of which a fifth learns the codes.

    Raises
    ------
    FloatingPointError
        When no start has a finite error.
    """
    training = RestartSchedule(restarts=len(codes), steps=steps, finalists=len(codes))
    search = _Search(content.to(device), codes[0].shape[1], "additive", held, learn, training, generator, progress)
    search.approach(torch.stack(list(codes)).to(device), max(1, round(APPROACH * steps)))
    search.run(range(steps), noise=NOISE[1])
    search.keep(len(codes))
    return search.finalists()


class _Search:
    """Restarts in training."""

    def __init__(
        self,
        content: Tensor,
        latents: int,
        decoder: DecoderClass,
        held: Tensor,
        learn: Tensor,
        training: RestartSchedule,
        generator: torch.Generator,
        progress: Callable[[int, int, float], None] | None,
    ) -> None:
        self.held, self.learn, self.training, self.generator = held, learn, training, generator
        self.progress = progress
        self.centre = content[learn].mean(0, keepdim=True)
        self.size = float(content[learn].std(0).max().clamp_min(1e-12))
        self.content = (content - self.centre) / self.size
        self.total = self.content[held].square().sum(1).mean().clamp_min(1e-30)
        q, hidden = content.shape[1], FREE_HIDDEN if decoder == "free" else CURVE_HIDDEN
        with CPU:
            self.encoder = BatchedMLP(training.restarts, q, ENCODER_HIDDEN, latents, generator=generator)
            self.decoder = GroupedDecoder(
                training.restarts, groups_of(decoder, latents), hidden, q, generator=generator
            )
        self.model = nn.ModuleList([self.encoder, self.decoder]).to(content.device)
        self.restarts = training.restarts

    def code(self, rows: Tensor) -> Tensor:
        """Return standardised codes, shape (restarts, rows, k)."""
        z: Tensor = self.encoder(SIZE * self.content[rows])
        return (z - z.mean(1, keepdim=True)) / z.std(1, keepdim=True).clamp_min(1e-6)

    def errors(self, rows: Tensor, noise: float) -> Tensor:
        """Return squared errors a person, shape (restarts, rows), as shares of the mean square of people held out."""
        z = self.code(rows)
        if noise:
            z = z + noise * normal(*z.shape, generator=self.generator).to(z.device)
        found: Tensor = (self.decoder(z) - self.content[rows]).square().sum(-1) / self.total
        return found

    def approach(self, codes: Tensor, steps: int) -> None:
        """Learn codes of all people, shape (restarts, n, k), and what is at them."""
        known = (codes - codes.mean(1, keepdim=True)) / codes.std(1, keepdim=True).clamp_min(1e-6)

        def loss(_: int) -> Tensor:
            rows = self.learn[integers(len(self.learn), BATCH, generator=self.generator)]
            there = known[:, rows]
            decoded: Tensor = (self.decoder(there) - self.content[rows]).square().sum(-1) / self.total
            apart: Tensor = (self.code(rows) - there).square().mean((1, 2))
            return (apart + decoded.mean(1)).sum()

        minimise(self.model.parameters(), loss, steps=steps, rate=RATE, warmup=WARMUP)

    def run(self, span: range, noise: float | None = None) -> None:
        """Take some steps of the schedule, the noise on the code as `NOISE` has it or of one size."""
        steps = self.training.steps

        def loss(at: int) -> Tensor:
            rows = self.learn[integers(len(self.learn), BATCH, generator=self.generator)]
            first, last = NOISE if noise is None else (noise, noise)
            if self.progress is not None and (at + 1) % 100 == 0:
                self.progress(at + 1, steps, math.nan)
            return self.errors(rows, last + (first - last) * max(0.0, 1 - 2 * at / steps)).mean(1).sum()

        minimise(self.model.parameters(), loss, steps=steps, rate=RATE, span=span, warmup=WARMUP)

    @torch.no_grad()
    def keep(self, count: int) -> None:
        """Go on with the restarts of the least error on people held out, the best first."""
        error = torch.nan_to_num(self.errors(self.held, 0.0).mean(1), nan=math.inf)
        if not bool(error.isfinite().any()):
            raise FloatingPointError
        order = [i for i in torch.argsort(error).tolist() if math.isfinite(float(error[i]))][:count]
        keep_restarts(self.model, order)
        self.restarts = len(order)

    @torch.no_grad()
    def finalists(self) -> Bottlenecks:
        """Return the finalists."""
        errors = self.errors(self.held, 0.0)
        codes = self.code(self.held)
        learned = self.encoder(SIZE * self.content[self.learn])[0]
        mean, std = learned.mean(0, keepdim=True), learned.std(0, keepdim=True).clamp_min(1e-6)
        keep_restarts(self.model, [0])
        self.model.to(CPU)
        best = Bottleneck(self.encoder, self.decoder, self.centre.cpu(), self.size, mean.cpu(), std.cpu())
        behind = errors - errors[0]
        limit = AS_GOOD * behind.std(1) / math.sqrt(len(self.held))
        compete = [at for at in range(len(errors)) if at < 2 or bool(behind[at].mean() <= limit[at])]
        return Bottlenecks(best, (1 - errors.mean(1)).tolist(), list(codes[compete].cpu()), errors[0].cpu())
