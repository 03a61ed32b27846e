"""Going back: the owner's key and what lies beside it turn released vectors into the originals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from personax.errors import InputError
from personax.release.fitted import load_fitted
from personax.release.key import Key
from personax.release.transforms import Chain

__all__ = ["undo"]


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
    chains: dict[str, dict[str, Chain]] = {}
    for name, its in told["measurements"].items():
        modality, _, measurement = name.partition("/")
        chain = Chain(its["steps"], its["dim"], key, name)
        chains.setdefault(modality, {})[measurement] = (
            chain if its["fitted"] is None else load_fitted(chain, its["fitted"], fitted)
        )
    return {modality: _back(release, modality, own) for modality, own in chains.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != 1:
            raise InputError(f"{path} has format {told['format']}; this personax reads 1")
        for its in told["measurements"].values():
            if not (isinstance(its["dim"], int) and isinstance(its["steps"], list) and "fitted" in its):
                raise InputError(f"{path} does not say how vectors were transformed; get the release again")
    except FileNotFoundError:
        raise InputError(f"{path} is missing; releases made by this version of personax have one") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} cannot be read; get the release again") from None
    return dict(told)


def _back(release: Path, modality: str, chains: dict[str, Chain]) -> pl.DataFrame:
    if not modality.replace("_", "").replace("-", "").isalnum():
        raise InputError(f"{release} names a modality that is no name; it has been altered")
    path = release / "data" / f"{modality}.parquet"
    try:
        frame = pl.read_parquet(path, columns=["id", *chains])
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(f"{path} is missing or unreadable; get the release again") from None
    restored = [
        pl.Series(name, chain.invert(frame[name].to_numpy()), dtype=pl.Array(pl.Float32, chain.dim))
        for name, chain in chains.items()
    ]
    return frame.with_columns(restored)
