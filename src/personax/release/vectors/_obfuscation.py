"""Obfuscation of embeddings: optional noise, then the keyed transform, whose fitted state stays secret."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError
from personax.progress import Progress, Silent
from personax.release.disclosure import PrivacyStatement, add_noise
from personax.release.keys._keystore import ReleaseKey, write_secret
from personax.release.transforms import Chain, Preset

__all__ = ["load_fitted", "obfuscate", "save_fitted"]


def save_fitted(chain: Chain, key: ReleaseKey, folder: Path) -> str | None:
    """Save the fitted state of a transform and return its public name; None where there is none.

    The name is a keyed hash of the content, so that the file of an earlier release is never overwritten.
    """
    state = chain.state()
    if not state:
        return None
    stream = io.BytesIO()
    np.savez(stream, **state)  # type: ignore[arg-type]
    name = key.tag(b"".join(f"{part}\0".encode() + state[part].tobytes() for part in sorted(state)))
    write_secret(folder / f"{name}.npz", stream.getvalue())
    return name


def load_fitted(chain: Chain, name: str, folder: Path) -> Chain:
    """Restore the fitted state of a transform.

    Raises
    ------
    InputError
        The name is invalid, or the file is missing, unreadable or of another transform.
    """
    if len(name) != 16 or set(name) - set("0123456789abcdef"):
        raise InputError("the release has an invalid name of its fitted state; it has been altered")
    path = folder / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as found:
            state = {part: found[part] for part in found.files}
    except FileNotFoundError:
        raise InputError(f"{path} is missing; the keystore needs it to invert this release") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        raise InputError(f"{path} cannot be read; restore the file that was written with the release") from None
    return chain.load(state)


TransformMetadata = dict[str, dict[str, Any]]


def obfuscate(
    embeddings: Mapping[str, pl.DataFrame],
    key: ReleaseKey,
    transform: Preset,
    *,
    fitted: Path | None = None,
    statement: PrivacyStatement | None = None,
    metadata: TransformMetadata,
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
        Folder for the fitted state of transforms, in the keystore.
    statement
        Calibrated noise of the columns ``<modality>/<measurement>``. It is added before the transform, so that the
        fitted state depends on noisy vectors only.
    metadata
        Filled with the entry of each measurement in transforms.json.

    Raises
    ------
    InputError
        Missing or infinite numbers, or no folder for a fitted state.
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
            tag = save_fitted(chain, key, fitted) if fitted is not None else None
            metadata[label] = {"steps": list(chain.names), "dim": chain.dim, "fitted": tag, "version": chain.version}
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


def _noisy(label: str, vectors: NDArray[np.float32], statement: PrivacyStatement | None) -> NDArray[np.float32]:
    own = tuple(m for m in statement.mechanisms if m.column == label) if statement is not None else ()
    if statement is None or not own:
        return vectors
    frame = pl.DataFrame({label: pl.Series(vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))})
    made = add_noise(frame, replace(statement, mechanisms=own))[label].to_numpy()
    return np.asarray(made, dtype=np.float32)
