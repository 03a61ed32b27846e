"""Embeddings as they leave: noise first where it is asked, then the keyed transform, measurement by measurement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError
from personax.progress import Progress, Silent
from personax.release.disclosure import Statement, add_noise
from personax.release.fitted import keep_fitted
from personax.release.key import Key
from personax.release.transforms import Chain, Preset

__all__ = ["veil"]

Told = dict[str, dict[str, Any]]


def veil(
    embeddings: Mapping[str, pl.DataFrame],
    key: Key,
    transform: Preset,
    *,
    fitted: Path | None = None,
    statement: Statement | None = None,
    told: Told,
    progress: Progress | None = None,
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield modality and ``id`` with the vectors that leave, one modality at a time.

    Parameters
    ----------
    embeddings
        Modality -> ``id`` and vectors.
    key, transform
        See `personax.release.transforms`.
    fitted
        Folder beside the key for what the transform takes from the data.
    statement
        Noise; its columns are called ``<modality>/<measurement>``. It comes before the transform, so that what the
        transform takes from the data is taken from vectors with noise.
    told
        Filled with what transforms.json says of each measurement.

    Raises
    ------
    InputError
        Missing or infinite numbers, or nowhere to keep what going back needs.
    """
    done, total = 0, sum(frame.width - 1 for frame in embeddings.values())
    for modality, frame in embeddings.items():
        for name in frame.columns[1:]:
            label = f"{modality}/{name}"
            (progress or Silent()).step(done, total, label)
            vectors = _noisy(label, _vectors(label, frame[name]), statement)
            chain = Chain(transform, vectors.shape[1], key, label).fit(vectors)
            if chain.state() and fitted is None:
                text = f"the transform {transform} takes from the data what going back needs; give it a folder"
                raise InputError(text)
            tag = keep_fitted(chain, key, fitted) if fitted is not None else None
            told[label] = {"steps": list(chain.names), "dim": chain.dim, "fitted": tag, "version": chain.version}
            frame = frame.with_columns(pl.Series(name, chain.transform(vectors), dtype=pl.Array(pl.Float32, chain.dim)))
            done += 1
        yield modality, frame


def _vectors(label: str, series: pl.Series) -> NDArray[np.float32]:
    if not isinstance(series.dtype, pl.Array) or not series.dtype.inner.is_numeric():
        raise InputError(f"{label} holds {series.dtype}, not vectors of one length; run the stage embed again")
    rows = series.to_numpy() if not series.null_count() else None
    broken = series.null_count() if rows is None else int((~np.isfinite(rows)).any(axis=1).sum())
    if rows is None or broken:
        raise InputError(f"{label}: the vectors of {broken} people are missing or not finite; embed them again")
    return np.asarray(rows, dtype=np.float32)


def _noisy(label: str, vectors: NDArray[np.float32], statement: Statement | None) -> NDArray[np.float32]:
    own = tuple(m for m in statement.mechanisms if m.column == label) if statement is not None else ()
    if statement is None or not own:
        return vectors
    frame = pl.DataFrame({label: pl.Series(vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))})
    made = add_noise(frame, replace(statement, mechanisms=own))[label].to_numpy()
    return np.asarray(made, dtype=np.float32)
