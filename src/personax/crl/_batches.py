"""People as training reads them: a batch at a time, because measurements may lie in files larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personax.crl._device import CPU
from personax.crl._estimator import Arrays
from personax.crl._scaler import Scaler, chunks

__all__ = ["Batches", "Tensors"]

Tensors = Mapping[str, Mapping[str, Tensor]]
"""Modality -> measurement -> (people, dim), standardised."""

Rows = NDArray[np.intp] | slice


@dataclass(frozen=True)
class Batches:
    """Checked measurements, read a batch at a time, standardised and moved to the device.

    Parameters
    ----------
    views
        Modality -> measurement -> vectors, shape (n, dim), in memory or mapped into it.
    scale
        Standardises them.
    device
        Where batches go.
    extra
        Further arrays that a loss needs of each person, passed on unscaled, shape (n, k).
    rows
        Which people, in this order; everyone by default.

    Examples
    --------
    >>> views = {"text": {"a": np.array([[1.0], [3.0], [5.0]])}}
    >>> people = Batches(views, Scaler.fit(views)).subset(torch.tensor([2, 0]))
    >>> len(people), people.batch(torch.tensor([0]))["text"]["a"]
    (2, tensor([[1.2247]]))
    """

    views: Arrays
    scale: Scaler
    device: torch.device = CPU
    extra: Arrays = field(default_factory=dict)
    rows: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        if self.rows is not None:
            return len(self.rows)
        return len(next(iter(next(iter(self.views.values())).values())))

    def subset(self, at: Tensor) -> Batches:
        """Return some of these people."""
        rows = at.numpy().astype(np.intp)
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def batch(self, at: Tensor) -> dict[str, dict[str, Tensor]]:
        """Return some of these people's measurements on the device, in 32 bits."""
        rows = at.numpy()
        return self._read(rows if self.rows is None else self.rows[rows])

    def chunks(self) -> Iterator[dict[str, dict[str, Tensor]]]:
        """Go through all people in their order, so many at a time that memory does not grow with them."""
        for subset in chunks(len(self)):
            yield self._read(subset if self.rows is None else self.rows[subset])

    def _read(self, rows: Rows) -> dict[str, dict[str, Tensor]]:
        scaled = self.scale.read(self.views, rows)
        found = {m: {k: self._moved(x) for k, x in by.items()} for m, by in scaled.items()}
        return found | {m: {k: self._moved(x[rows]) for k, x in by.items()} for m, by in self.extra.items()}

    def _moved(self, x: NDArray[Any]) -> Tensor:
        return torch.from_numpy(x.astype(np.float32)).to(self.device)
