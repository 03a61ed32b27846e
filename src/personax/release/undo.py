"""Going back: the owner's key and what lies beside it turn released vectors into the originals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import polars as pl

from personax.errors import InputError
from personax.release.fitted import load_fitted
from personax.release.key import Key
from personax.release.transforms import Chain

__all__ = ["undo"]

MOST: Final = 32
"""Steps of a transform at most."""


def undo(release: Path, key: Key, fitted: Path) -> dict[str, pl.DataFrame]:
    """Return the original embeddings of a release, modality by modality, under its pseudonyms.

    Parameters
    ----------
    release
        A release folder; nothing in it is trusted.
    key, fitted
        The key, and the folder of what transforms have taken from the data.

    Raises
    ------
    InputError
        No release, another key (before anything is computed), another length, a missing or altered file.
    """
    told = _read(release / "transforms.json")
    if told.get("key") != key.fingerprint:
        raise InputError(f"{release} was made under another key than {key.fingerprint}; use the key of that release")
    by: dict[str, dict[str, Any]] = {}
    for name, its in told["measurements"].items():
        modality, _, measurement = name.partition("/")
        by.setdefault(modality, {})[measurement] = its
    return {modality: _back(release, modality, own, key, fitted) for modality, own in by.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != 1:
            raise InputError(f"{path} has format {told['format']}; this personax reads 1")
        for its in told["measurements"].values():
            if not _says_how(its):
                raise InputError(f"{path} does not say how vectors were transformed; get the release again")
    except FileNotFoundError:
        raise InputError(f"{path} is missing; releases made by this version of personax have one") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} cannot be read; get the release again") from None
    return dict(told)


def _says_how(its: dict[str, Any]) -> bool:
    steps, fitted = its["steps"], its["fitted"]
    names = isinstance(steps, list) and len(steps) <= MOST and all(isinstance(step, str) for step in steps)
    return type(its["dim"]) is int and names and (fitted is None or isinstance(fitted, str))


def _back(release: Path, modality: str, told: dict[str, Any], key: Key, fitted: Path) -> pl.DataFrame:
    if not modality.replace("_", "").replace("-", "").isalnum():
        raise InputError(f"{release} names a modality that is no name; it has been altered")
    path = release / "data" / f"{modality}.parquet"
    if not path.resolve().is_relative_to(release.resolve()):
        raise InputError(f"{path} leads out of the release; get the release again")
    try:
        frame = pl.read_parquet(path, columns=["id", *told])
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(f"{path} is missing or unreadable; get the release again") from None
    restored = []
    for name, its in told.items():
        kind, dim = frame[name].dtype, its["dim"]
        # before a matrix of this length is made: the file that names it is not trusted
        if not (isinstance(kind, pl.Array) and kind.shape == (dim,) and kind.inner in (pl.Float32, pl.Float64)):
            raise InputError(f"{path}: {name} does not hold vectors of {dim} numbers; get the release again")
        chain = Chain(its["steps"], dim, key, f"{modality}/{name}")
        chain = chain if its["fitted"] is None else load_fitted(chain, its["fitted"], fitted)
        restored.append(pl.Series(name, chain.invert(frame[name].to_numpy()), dtype=pl.Array(pl.Float32, dim)))
    return frame.with_columns(restored)
