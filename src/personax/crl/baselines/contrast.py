"""InfoNCE: encodings of one person agree, those of different people stay apart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

__all__ = ["info_nce"]


def info_nce(a: Tensor, b: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return the symmetric InfoNCE loss of two encodings of the same people.

    Similarity is minus squared Euclidean distance over the temperature; every other person of the batch is a negative.

    Parameters
    ----------
    a, b
        Shape (batch, d).

    References
    ----------
    van den Oord, Li, Vinyals 2018, arXiv:1807.03748; its limit of alignment and entropy: Wang, Isola 2020,
    arXiv:2005.10242.
    """
    squared = a.square().sum(dim=1)[:, None] + b.square().sum(dim=1)[None, :] - 2 * a @ b.T
    similarity = -squared / temperature
    same = torch.arange(len(a), device=a.device)
    return 0.5 * (cross_entropy(similarity, same) + cross_entropy(similarity.T, same))
