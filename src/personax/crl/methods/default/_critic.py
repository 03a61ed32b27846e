"""A contrastive estimate of the dependence between modalities, carried by a sparse set of edges.

Every latent has a density given its parents, ``q_i(v_i | parents)``: a mixture of Gaussians, moved and stretched by the
parents. For one modality at a time, the latents of other people are the negatives of a contrastive loss: the densities
must tell whose they are. At the optimum the score is the pointwise mutual information between the modality and the
others (InfoNCE; van den Oord et al. 2018, arXiv:1807.03748), in which the volumes of all encoders cancel: no encoder
needs to be inverted, and noise that only one measurement sees is worth nothing.

What an edge carries is read off the densities: the cross derivative of the log density in latent i and its parent j,
for latents of variance 1. Contrast leaves the scale of a noise open, but not that derivative. For a linear edge of
correlation r it is r / (1 - r^2). It knows no units, so nothing can be gained by rescaling, and ``log(1 + H^2 /
delta^2)`` is concave: few strong edges cost less than many weak ones.

`NegativeSampler` draws the batches and each person's negatives.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, final

import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn

from personax.crl._device import CPU, integers, uniform
from personax.crl.methods.default._networks import BatchedMLP, gaussian_parameter

__all__ = ["Critic", "NegativeSampler", "edge_cost"]

HIDDEN: Final = 16
MIXTURE: Final = 4
DELTA: Final = 0.1
"""Strength: an edge much weaker than this is free, a stronger one costs its logarithm."""

WITHIN: Final = 0.5
"""Cost of an edge within a modality, as a share of one across: were it free, a latent could mix with its mates."""

HALF_LOG_TWO_PI: Final = 0.5 * math.log(2 * math.pi)


def edge_cost(squared: Tensor, charged: Tensor) -> Tensor:
    """Return the cost of edges, shape (restarts,), of squared strengths (restarts, d, d) and what each is charged."""
    return (0.5 * torch.log1p(squared / DELTA**2) * charged).sum((1, 2))


@final
class Critic(nn.Module):
    """Densities of every latent given its parents, for many restarts.

    Parameters
    ----------
    restarts
        Their number.
    block
        Of each latent the index of its modality, ascending.
    allowed
        Which edges may be, shape (d, d), rows are children. Within a modality a latent's parents stand before it: that
        only says how latents are numbered.
    generator
        Draws the first weights.
    edge_penalty
        Factor on the cost of each edge, shape (d, d); 1 by default.
    """

    allowed: Tensor
    across: Tensor
    charged: Tensor

    def __init__(
        self,
        restarts: int,
        block: Sequence[int],
        allowed: Tensor,
        *,
        generator: torch.Generator,
        edge_penalty: Tensor | None = None,
    ) -> None:
        super().__init__()
        d, g, r = len(block), generator, restarts
        of = torch.tensor(list(block))
        self.block, self.modalities = of, int(of.max()) + 1
        same = of[:, None] == of[None, :]
        before = torch.arange(d)[None, :] < torch.arange(d)[:, None]
        may = allowed.bool() & (~same | before) & ~torch.eye(d, dtype=torch.bool)
        self.register_buffer("allowed", may.float())
        self.register_buffer("across", (may & ~same).float())
        charged = (may & ~same).float() + WITHIN * (may & same).float()
        self.register_buffer("charged", charged if edge_penalty is None else charged * edge_penalty)
        self.enter = gaussian_parameter(r, d, d, HIDDEN, scale=0.5, generator=g)
        self.enter_bias = gaussian_parameter(r, d, HIDDEN, scale=0.5, generator=g)
        self.mean = gaussian_parameter(r, d, HIDDEN, scale=0.1, generator=g)
        self.log_scale = gaussian_parameter(r, d, HIDDEN, scale=0.05, generator=g)
        self.log_scale_bias = nn.Parameter(torch.zeros(r, d))
        self.centres = nn.Parameter(torch.linspace(-1.5, 1.5, MIXTURE).repeat(r, d, 1))
        self.log_widths = nn.Parameter(torch.full((r, d, MIXTURE), -0.1))
        self.weights = nn.Parameter(torch.zeros(r, d, MIXTURE))
        sizes = [int((of == m).sum()) for m in range(self.modalities)]
        self.marginals = nn.ModuleList(BatchedMLP(r, size, HIDDEN, 1, generator=g) for size in sizes)
        self.own = [[i for i in range(d) if of[i] == m] for m in range(self.modalities)]
        self.caused = [[i for i in own if self.across[i].any()] for own in self.own]
        self.outside = [
            [i for i in range(d) if of[i] != m and self.across[i][self.own[m]].any()] for m in range(self.modalities)
        ]

    def forward(self, v: Tensor, negatives: Tensor, modalities: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
        """Return the information in nats and the squared strengths of edges.

        Parameters
        ----------
        v
            Latents, shape (restarts, batch, d), each of variance 1.
        negatives
            Of each person, positions of its negatives in the batch, shape (batch, negatives).
        modalities
            Which ones are contrasted with the others; all by default. The information is the mean over them.

        Returns
        -------
        tuple of Tensor
            Shape (restarts,), and shape (restarts, d, d), rows are children.
        """
        chosen = list(range(self.modalities)) if modalities is None else list(modalities)
        edges = self.enter * self.allowed[None, :, :, None]
        by_latent = v.mT
        parts = {m: torch.einsum("rbj,rijh->ribh", v[..., own], edges[:, :, own]) for m, own in enumerate(self.own)}
        total = torch.stack(list(parts.values())).sum(0) + self.enter_bias.unsqueeze(2)
        density, hidden, mean, log_scale = self._log_density(total, by_latent, list(range(v.shape[-1])))
        information = [self._contrast(m, by_latent, parts[m], total, density, negatives) for m in chosen]
        return torch.stack(information).mean(0), self._strength(by_latent, edges, hidden, mean, log_scale)

    def _contrast(self, m: int, v: Tensor, part: Tensor, total: Tensor, density: Tensor, negatives: Tensor) -> Tensor:
        """Return the InfoNCE bound on the information between one modality and the others, shape (restarts,)."""
        caused, children = self.caused[m], self.outside[m]
        right = density[:, caused + children].sum(1)
        rest = total - part
        wrong = v.new_zeros(v.shape[0], *negatives.shape)
        if caused:
            inputs = rest[:, caused].unsqueeze(3) + part[:, caused][:, :, negatives]
            wrong = wrong + self._log_density(inputs, v[:, caused][:, :, negatives], caused)[0].sum(1)
            # what the densities say of the modality itself is not information about it: its own marginal is taken off
            itself = self.marginals[m](v[:, self.own[m]].mT)[..., 0]
            right, wrong = right + itself, wrong + itself[:, negatives]
        if children:
            inputs = rest[:, children].unsqueeze(3) + part[:, children][:, :, negatives]
            theirs = v[:, children].unsqueeze(3).expand(-1, -1, -1, negatives.shape[1])
            wrong = wrong + self._log_density(inputs, theirs, children)[0].sum(1)
        scores = torch.cat([wrong, right.unsqueeze(-1)], -1)
        return (right - torch.logsumexp(scores, -1)).mean(1) + math.log(scores.shape[-1])

    def _log_density(self, inputs: Tensor, v: Tensor, which: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return log q of some latents, hidden units, means and log scales.

        Inputs of hidden units have shape (r, i, ..., hidden), latents shape (r, i, ...).
        """
        shape = v.shape
        hidden = torch.tanh(inputs).flatten(2, -2)
        both = hidden @ torch.stack([self.mean[:, which], self.log_scale[:, which]], -1)
        mean = both[..., 0]
        log_scale = both[..., 1].clamp(-3, 3) + self.log_scale_bias[:, which].unsqueeze(-1)
        noise = (v.flatten(2) - mean) * torch.exp(-log_scale)
        # components of the mixture come first: sums over a short last axis are slow
        centres, log_widths, log_weights = self._mixture(which)
        each = log_weights - log_widths - 0.5 * ((noise - centres) * torch.exp(-log_widths)).square()
        density = torch.logsumexp(each, 0) - log_scale - HALF_LOG_TWO_PI
        return density.view(shape), hidden.view(inputs.shape), mean.view(shape), log_scale.view(shape)

    def _mixture(self, which: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Return centres, logarithms of widths and of weights, shape (mixture, r, i, 1)."""
        weights = torch.log_softmax(self.weights, -1)
        centres, widths, weights = (
            p[:, which].movedim(-1, 0).unsqueeze(-1) for p in (self.centres, self.log_widths, weights)
        )
        return centres, widths, weights

    def _strength(self, v: Tensor, edges: Tensor, hidden: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
        """Return the mean square of an edge's part in d2 log q / d v_i d v_j, shape (restarts, d, d)."""
        # log q_i = logsumexp_k(w_k - log s_k - (e - c_k)^2 / 2 s_k^2) - log_scale, with e = (v_i - mean) / scale and
        # hidden = tanh(sum_j v_j edges_ij): the parent v_j acts through mean and log_scale alone. tanh' = 1 - tanh^2:
        #   moved_j = d mean / d v_j,  stretched_j = d log_scale / d v_j
        bend = 1 - hidden.square()
        moved = bend @ (self.mean.unsqueeze(2) * edges).mT
        stretched = bend @ (self.log_scale.unsqueeze(2) * edges).mT
        shrink = torch.exp(-log_scale)
        noise = (v - mean) * shrink
        centres, log_widths, log_weights = self._mixture(list(range(v.shape[1])))
        apart = (noise - centres) * torch.exp(-log_widths)
        # derivatives of the mixture's log density h(e): h' = sum_k share_k slope_k, and
        # h'' = sum_k share_k (slope_k^2 - 1 / s_k^2) - h'^2
        share = torch.softmax(log_weights - log_widths - 0.5 * apart.square(), 0)
        slope = -apart * torch.exp(-log_widths)
        first = (share * slope).sum(0)
        second = (share * (slope.square() - torch.exp(-2 * log_widths))).sum(0) - first.square()
        # d e / d v_j = -(moved_j / scale + e stretched_j). From d log q / d v_i = h'(e) / scale follows
        #   d2 log q / d v_i d v_j = (h'' de/dv_j - h' stretched_j) / scale
        by_parent = -(moved * shrink.unsqueeze(-1) + noise.unsqueeze(-1) * stretched)
        cross = shrink.unsqueeze(-1) * (second.unsqueeze(-1) * by_parent - first.unsqueeze(-1) * stretched)
        return cross.square().mean(2)


NEIGHBOURS: Final = 24
"""Nearest neighbours of a person, of which groups are drawn."""


class NegativeSampler:
    """Draws batches.

    Unconditional, the negatives of a person are the next ones of the batch, whose order is random. Given latents, a
    batch is made of small groups of nearest neighbours in them, and negatives come from the same group: information
    that the given latents already hold then does not help.

    Parameters
    ----------
    rows
        The people.
    batch, negatives
        People a batch, negatives of each.
    given
        Shape (n, k), of all people, on the processor; None for nothing.
    device
        Where batches are.
    """

    def __init__(
        self, rows: Tensor, batch: int, negatives: int, given: Tensor | None = None, *, device: torch.device = CPU
    ) -> None:
        self.device = device
        self.rows, self.batch, self.negatives = rows, min(batch, len(rows)), negatives
        self.neighbours: Tensor | None = None
        if given is not None:
            self.negatives = min(negatives, len(rows) - 1)
            several = min(max(NEIGHBOURS, self.negatives + 1), len(rows))
            chosen = given[rows].double().numpy()
            found = cKDTree(chosen).query(chosen, k=several)[1]
            self.neighbours = torch.from_numpy(found).view(len(rows), several)

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return rows, shape (batch,), and positions in the batch of each one's negatives, shape (batch, negatives)."""
        if self.neighbours is None:
            return self._placed(self.rows[integers(len(self.rows), self.batch, generator=generator)])
        size = self.negatives + 1
        groups = max(2, self.batch // size)
        anchors = integers(len(self.rows), groups, generator=generator)
        order = uniform(groups, self.neighbours.shape[1], generator=generator).argsort(1)[:, :size]
        return self._placed(self.rows[self.neighbours[anchors].gather(1, order).flatten()], groups)

    def one_pass(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Go through all people once, in whole batches."""
        if self.neighbours is None:
            for rows in torch.split(self.rows, self.batch):
                if len(rows) == self.batch:
                    yield self._placed(rows)
            return
        size = self.negatives + 1
        nearest = self.neighbours[::size, :size]
        groups = max(2, min(self.batch // size, len(nearest)))
        for several in torch.split(nearest, groups):
            if len(several) == groups or len(nearest) < groups:
                yield self._placed(self.rows[several.flatten()], len(several))

    def _placed(self, rows: Tensor, groups: int = 0) -> tuple[Tensor, Tensor]:
        """Return rows and negatives on the device; negatives come from the same group where there are groups."""
        return rows.to(self.device), self._within(groups) if groups else self._next(len(rows))

    def _next(self, people: int) -> Tensor:
        ahead = torch.arange(1, min(self.negatives + 1, people), device=self.device)
        return (torch.arange(people, device=self.device)[:, None] + ahead) % people

    def _within(self, groups: int) -> Tensor:
        size = self.negatives + 1
        places = torch.arange(size, device=self.device)
        others = (places[:, None] + places[1:]) % size
        return (torch.arange(groups, device=self.device)[:, None, None] * size + others).flatten(0, 1)
