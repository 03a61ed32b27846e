"""Encode many items: each once, in batches that fit, kept on disk as they come, checked before anybody uses them."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Generic

import numpy as np

from personax.embed._encoder import Encoder, Item, Vectors
from personax.engine import find_engine
from personax.errors import ComputationError
from personax.files import written_aside
from personax.progress import Progress, Silent

__all__ = ["encode_all"]

BATCH_SIZE: Final = 32
SHARD_SIZE: Final = 512
"""Vectors written to disk together; a killed run encodes at most so many again."""


def encode_all(
    encoder: Encoder[Item],
    items: Sequence[Item],
    keys: Sequence[str],
    *,
    batch: int = BATCH_SIZE,
    keep: Path | None = None,
    known: Mapping[str, Vectors] | None = None,
    progress: Progress | None = None,
) -> Vectors:
    """Return one vector an item, in their order.

    Parameters
    ----------
    encoder
        Who encodes; a copy of it in every worker of the engine of `personax.engine.parallel_config`.
    items, keys
        What, and the hash of each one's content: items of one key are encoded once.
    batch
        Items encoded together; halved when the device has no memory for them, and larger again where items are shorter.
    keep
        A folder of this encoder and its settings alone; what it holds already is not encoded again.
    known
        Vectors that this encoder gave before, by key.
    progress
        Told after each batch.

    Returns
    -------
    numpy.ndarray
        Shape (len(items), encoder.card.dim), float32.

    Raises
    ------
    ComputationError
        Vectors of another length than the encoder says, or with missing or infinite numbers; no memory even for one.
    """
    first = {key: item for key, item in zip(reversed(keys), reversed(items), strict=True)}
    known = {**(known or {}), **(_read(keep, encoder.card.dim) if keep else {})}
    # long texts first: a batch is padded to its longest, and memory that is short shows at once
    left = sorted((key for key in first if key not in known), key=lambda key: -_length(first[key]))
    progress, done, fresh = progress or Silent(), len(first) - len(left), dict[str, Vectors]()
    batches = [left[at : at + batch] for at in range(0, len(left), batch)]
    # an encoder is no thread's alone: tokenizers refuse two callers
    engine = find_engine("processes", threads_do=False, blas_threads=None, gpu=True)
    items_of = ([first[key] for key in some] for some in batches)
    for place, vectors in engine.map(_encoded, items_of, shared=_Batches(encoder)):
        some = batches[place]
        fresh |= dict(zip(some, vectors, strict=True))
        done += len(some)
        progress.step(done, len(first), encoder.card.name)
        if keep and (len(fresh) >= SHARD_SIZE or done == len(first)):
            _write(keep, fresh)
            known |= fresh
            fresh = {}
    known |= fresh
    if not keys:
        return np.zeros((0, encoder.card.dim), dtype=np.float32)
    return np.stack([known[key] for key in keys])


class _Batches(Generic[Item]):
    """An encoder, and the total length of a batch that its device has had memory for."""

    def __init__(self, encoder: Encoder[Item]) -> None:
        self.encoder, self.most = encoder, sys.maxsize


def _encoded(batches: _Batches[Item], items: Sequence[Item]) -> Vectors:
    """Return the vectors of a batch, the longest item first; what a device had no memory for is not tried again."""
    encoder, at, found = batches.encoder, 0, []
    while at < len(items):
        longest = max(1, _length(items[at]))
        some = items[at : at + max(1, batches.most // longest)]
        try:
            vectors = encoder.encode(some)
        except (MemoryError, RuntimeError) as error:
            # torch.OutOfMemoryError is a RuntimeError; any other RuntimeError is not ours to hide
            if not isinstance(error, MemoryError) and "out of memory" not in str(error).lower():
                raise
            if len(some) == 1:
                text = f"{encoder.card.name}: there is no memory to encode one item; take a smaller model or device"
                raise ComputationError(text) from None
            batches.most = len(some) * longest // 2
            continue
        found.append(_checked(encoder, vectors, len(some)))
        at += len(some)
    return np.concatenate(found)


def _length(item: object) -> int:
    return len(item) if isinstance(item, str) else 0


def _checked(encoder: Encoder[Item], vectors: Vectors, number: int) -> Vectors:
    name, dim = encoder.card.name, encoder.card.dim
    if vectors.shape != (number, dim):
        text = f"{name} says that its vectors have {dim} numbers, and gave {vectors.shape} for {number} items"
        raise ComputationError(f"{text}; set the right dimension, or another model")
    broken = int((~np.isfinite(vectors)).any(axis=1).sum())
    if broken:
        text = f"{name} gave {broken} of {number} items missing or infinite numbers"
        raise ComputationError(f"{text}; try full precision (precision: float32)")
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _read(keep: Path, dim: int) -> dict[str, Vectors]:
    """Return the vectors that were kept; a shard that cannot be read is encoded again."""
    found: dict[str, Vectors] = {}
    for path in sorted(keep.glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as shard:
                vectors, keys = shard["vectors"], [str(key) for key in shard["keys"]]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            continue
        if vectors.shape == (len(keys), dim) and np.isfinite(vectors).all():
            found |= dict(zip(keys, vectors, strict=True))
    return found


def _write(keep: Path, vectors: Mapping[str, Vectors]) -> None:
    number = len(list(keep.glob("*.npz")))
    with written_aside(keep / f"{number:06d}.npz") as aside, aside.open("wb") as stream:
        np.savez(stream, keys=np.array(list(vectors)), vectors=np.stack(list(vectors.values())))
