"""Encoders and decoders that the trained methods share, so that none wins by its architecture."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from personax.crl.model import Layout
from personax.crl.modules import LOGVAR_RANGE, mlp
from personax.crl.people import Tensors

__all__ = ["Blocks", "Decoders", "encoder", "split_gaussian"]


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
