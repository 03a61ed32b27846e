"""Encoders and decoders that the trained methods share, so that none wins by its architecture."""

from __future__ import annotations

import itertools
from typing import Final, final

import torch
from torch import Tensor, nn

from personax.crl._batches import Tensors
from personax.crl._device import normal
from personax.crl.methods._layout import Layout

__all__ = [
    "LOGVAR_RANGE",
    "Blocks",
    "Decoders",
    "GaussianEncoder",
    "MLPs",
    "divergence",
    "draw",
    "draw_weights",
    "encoder",
    "mlp",
    "split_gaussian",
]

LOGVAR_RANGE: Final = (-8.0, 2.0)


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return inputs -> hidden -> hidden -> outputs with GELU between."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, outputs)
    )


@final
class MLPs(nn.Module):
    """Several networks like `mlp`, each with an input of its own, computed in one pass.

    Small networks cost more in calls than in arithmetic.

    Parameters
    ----------
    count
        Networks.
    sizes
        Length of the input, of the layers between, and of the output.
    """

    def __init__(self, count: int, *sizes: int) -> None:
        super().__init__()
        self.weights = nn.ParameterList(torch.empty(count, *pair) for pair in itertools.pairwise(sizes))
        self.biases = nn.ParameterList(torch.zeros(count, 1, size) for size in sizes[1:])

    def draw(self, generator: torch.Generator) -> None:
        """Draw weights anew, as `draw_weights` does for other layers."""
        with torch.no_grad():
            for weight, bias in zip(self.weights, self.biases, strict=True):
                bound = weight.shape[1] ** -0.5
                weight.uniform_(-bound, bound, generator=generator)
                bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return shape (count, batch, outputs) for x of shape (count, batch, inputs)."""
        dtype = x.dtype
        *inner, last = zip(self.biases, self.weights, strict=True)
        for bias, weight in inner:
            x = nn.functional.gelu(torch.baddbmm(bias, x, weight))
        return torch.baddbmm(last[0], x, last[1]).to(dtype)


@final
class GaussianEncoder(nn.Module):
    """Vectors of measurements of the same sizes -> means and log-variances of their latents.

    Parameters
    ----------
    count
        Measurements.
    inputs, hidden, latents
        Sizes.
    """

    def __init__(self, count: int, inputs: int, hidden: int, latents: int) -> None:
        super().__init__()
        self.nets = MLPs(count, inputs, hidden, hidden, 2 * latents)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, shape (count, batch, latents), for x of shape (count, batch, inputs)."""
        mean, logvar = self.nets(x).chunk(2, dim=-1)
        return mean, torch.clamp(logvar, *LOGVAR_RANGE)


def draw(mean: Tensor, logvar: Tensor, generator: torch.Generator) -> Tensor:
    """Draw once from each belief, so that gradients pass (Kingma, Welling 2014, arXiv:1312.6114)."""
    return mean + torch.exp(0.5 * logvar) * normal(*mean.shape, generator=generator).to(mean.device)


def divergence(mean: Tensor, logvar: Tensor, prior: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Return KL(N(mean, e^logvar) || prior) in nats a person, summed over latents and averaged over people.

    Parameters
    ----------
    mean, logvar
        Shape (batch, d).
    prior
        Its mean and log-variance, of the same shape; the standard normal when left out.
    """
    if prior is None:
        return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(dim=1).mean()
    # sum_i [ ((mean_i - m_i)^2 + var_i) / s_i^2 - 1 + log s_i^2 - log var_i ] / 2
    centre, spread = prior
    distance = ((mean - centre).square() + logvar.exp()) / spread.exp()
    return 0.5 * (distance - 1 + spread - logvar).sum(dim=1).mean()


def encoder(inputs: int, hidden: int, outputs: int) -> nn.Module:
    """Return the network that reads measurements; every method's encoders come from here.

    Images come flattened. A convolutional encoder for them belongs here, and nowhere else.
    """
    return mlp(inputs, hidden, outputs)


@final
class Blocks(nn.Module):
    """One encoder a block of latents: the shared ones see all measurements, a modality's own see that modality.

    Parameters
    ----------
    layout
        The sizes.
    values
        Outputs a latent: 1 for points, 2 for mean and log-variance.
    extra
        Further inputs of each modality's encoder, by modality.
    """

    def __init__(self, layout: Layout, *, values: int = 1, extra: dict[str, int] | None = None) -> None:
        super().__init__()
        self.layout, self.values = layout, values
        lengths = {m: sum(by.values()) for m, by in layout.dims.items()}
        extra = extra or dict.fromkeys(lengths, 0)
        self.shared = encoder(sum(lengths.values()), layout.hidden, values * layout.shared) if layout.shared else None
        self.own = nn.ModuleList(
            encoder(length + extra[m], layout.hidden, values * layout.latents[m]) for m, length in lengths.items()
        )

    def forward(self, views: Tensors, extra: dict[str, Tensor] | None = None) -> Tensor:
        """Return shape (batch, values, d), in the order of ``Layout.names``."""
        flat = {m: torch.cat([views[m][k] for k in by], dim=1) for m, by in self.layout.dims.items()}
        found = [] if self.shared is None else [self.shared(torch.cat(list(flat.values()), dim=1))]
        for net, (m, x) in zip(self.own, flat.items(), strict=True):
            found.append(net(x if extra is None else torch.cat([x, extra[m]], dim=1)))
        return torch.cat([part.unflatten(1, (self.values, -1)) for part in found], dim=2)


def split_gaussian(beliefs: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and clamped log-variance, each of shape (batch, d), from shape (batch, 2, d)."""
    return beliefs[:, 0], beliefs[:, 1].clamp(*LOGVAR_RANGE)


@final
class Decoders(nn.Module):
    """One decoder a measurement, from the shared latents and its modality's own."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.nets = nn.ModuleList(
            mlp(layout.shared + layout.latents[m], layout.hidden, dim) for m, dim in layout.measurements.values()
        )

    def error(self, latents: Tensor, views: Tensors) -> Tensor:
        """Return the squared error, summed over all dimensions of all measurements, averaged over people."""
        split = self.layout.shared
        sizes = [self.layout.latents[m] for m in self.layout.dims]
        own = dict(zip(self.layout.dims, torch.split(latents[:, split:], sizes, dim=1), strict=True))
        total = latents.new_zeros(())
        for net, (m, k) in zip(self.nets, self.layout.measurements, strict=True):
            rebuilt = net(torch.cat([latents[:, :split], own[m]], dim=1))
            total = total + (rebuilt - views[m][k]).square().sum(dim=1).mean()
        return total


def draw_weights(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of all layers anew from the generator, so that nothing depends on global state."""
    for layer in module.modules():
        if isinstance(layer, MLPs):
            layer.draw(generator)
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            bound = layer.weight[0].numel() ** -0.5
            with torch.no_grad():
                layer.weight.uniform_(-bound, bound, generator=generator)
                if layer.bias is not None:
                    layer.bias.zero_()
