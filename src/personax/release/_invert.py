"""Inversion: with the key and the files of the keystore, its owner turns a release back into the originals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from personax.errors import InputError
from personax.release._layout import modality_files, table_files
from personax.release._untrusted_folder import UntrustedFolder, open_folder
from personax.release._untrusted_tables import read_frame, read_schema
from personax.release.disclosure import with_names
from personax.release.keys._keystore import Keystore, ReleaseKey
from personax.release.transforms import Chain
from personax.release.vectors._obfuscation import load_fitted

__all__ = ["invert", "load_chains", "restore_ids", "restore_people"]

MAX_STEPS: Final = 32
"""Steps of a transform at most."""


def invert(release: Path, key: ReleaseKey, fitted: Path) -> dict[str, pl.DataFrame]:
    """Return the embeddings of a release as they were before the transform, under pseudonyms.

    Parameters
    ----------
    release
        A release folder; nothing in it is trusted.
    key, fitted
        The key, and the folder of the fitted state of transforms.

    Raises
    ------
    InputError
        No release, another key (refused before anything is computed), another length, a missing or altered file.

    Notes
    -----
    Noise cannot be removed.
    """
    folder = open_folder(release)
    chains = load_chains(folder, key, fitted)
    found: dict[str, dict[str, Callable[[], Chain]]] = {}
    for label in chains:
        modality, _, measurement = label.partition("/")
        found.setdefault(modality, {})[measurement] = partial(chains.__getitem__, label)
    return {modality: _inverted(folder, modality, own) for modality, own in found.items()}


def restore_people(release: Path, keys: Keystore) -> pl.DataFrame:
    """Return the people table of a release with its categories by name, under pseudonyms.

    Raises
    ------
    InputError
        No table, or categories of another release.
    """
    folder = open_folder(release)
    metadata = folder.json("transforms.json") if "transforms.json" in folder.files else None
    name = metadata.get("categories") if isinstance(metadata, dict) else None
    known = isinstance(metadata, dict) and "categories" in metadata
    kept = {} if known and name is None else keys.load_categories(None if name is None else str(name))
    return with_names(_read(folder, "people"), kept)


def restore_ids(table: pl.DataFrame, key: ReleaseKey, ids: Iterable[str]) -> pl.DataFrame:
    """Return a table with ids in place of pseudonyms.

    Raises
    ------
    InputError
        A pseudonym belongs to none of the ids.
    """
    back = {key.pseudonym(person): person for person in ids}
    unknown = [pseudonym for pseudonym in table["id"] if pseudonym not in back]
    if unknown:
        raise InputError(f"{len(unknown)} pseudonyms belong to nobody of this study; use the study of the release")
    return table.with_columns(pl.Series("id", [back[pseudonym] for pseudonym in table["id"]], dtype=pl.String))


class LoadedChains(Mapping[str, Chain]):
    """``<modality>/<measurement>`` -> its transform; each is made when it is asked for, for long ones take 500 MB."""

    def __init__(self, made: Mapping[str, Callable[[], Chain]]) -> None:
        self._made = made

    def __getitem__(self, label: str) -> Chain:
        return self._made[label]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def load_chains(folder: UntrustedFolder, key: ReleaseKey, fitted: Path) -> Mapping[str, Chain]:
    """Return ``<modality>/<measurement>`` -> its transform, with its fitted state, read when it is asked for.

    Raises
    ------
    InputError
        As `invert`.
    """
    metadata = _read_metadata(folder)
    if metadata.get("key") != key.fingerprint:
        text = f"{folder.root} was made under another key than {key.fingerprint}; use the key of that release"
        raise InputError(text)
    for label, its in metadata["measurements"].items():
        _check_length(folder, label, its["dim"])
    return LoadedChains(
        {label: partial(_chain, key, label, its, fitted) for label, its in metadata["measurements"].items()}
    )


def _chain(key: ReleaseKey, label: str, its: dict[str, Any], fitted: Path) -> Chain:
    chain = Chain(its["steps"], its["dim"], key, label, version=its.get("version", 1))
    return chain if its["fitted"] is None else load_fitted(chain, its["fitted"], fitted)


def _check_length(folder: UntrustedFolder, label: str, dim: int) -> None:
    """Refuse a stated length that the vectors do not have, before a matrix of it is allocated."""
    modality, _, name = label.partition("/")
    for part in _parts(folder, modality):
        kind = read_schema(folder.files[part]).get(name)
        if not (isinstance(kind, pl.Array) and kind.shape == (dim,) and kind.inner.is_float()):
            text = f"{folder.root / part}: {name} does not hold vectors of {dim} numbers"
            raise InputError(f"{text}, as transforms.json says; get the release again")


def _read_metadata(folder: UntrustedFolder) -> dict[str, Any]:
    where = folder.root / "transforms.json"
    if "transforms.json" not in folder.files:
        raise InputError(f"{where} is missing; releases made by this version of personax have one")
    metadata: Any = folder.json("transforms.json")
    try:
        if metadata["format"] not in (1, 2):
            raise InputError(f"{where} has format {metadata['format']}; this personax reads 1 and 2")
        for its in metadata["measurements"].values():
            if not _is_complete(its):
                raise InputError(f"{where} does not say how vectors were transformed; get the release again")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{where} cannot be read; get the release again") from None
    return dict(metadata)


def _is_complete(its: dict[str, Any]) -> bool:
    steps, fitted = its["steps"], its["fitted"]
    names = isinstance(steps, list) and len(steps) <= MAX_STEPS and all(isinstance(step, str) for step in steps)
    plain = type(its["dim"]) is int and type(its.get("version", 1)) is int
    return plain and names and (fitted is None or isinstance(fitted, str))


def _parts(folder: UntrustedFolder, table: str) -> list[str]:
    found = table_files(folder, table) if table in {"people", *modality_files(folder)} else []
    if not found:
        raise InputError(f"{folder.root} has no data of {table}; get the release again")
    return found


def _read(folder: UntrustedFolder, table: str, columns: list[str] | None = None) -> pl.DataFrame:
    try:
        return read_frame([folder.files[name] for name in _parts(folder, table)], columns)
    except InputError as error:
        raise InputError(f"{folder.root}: {error}") from None


def _inverted(folder: UntrustedFolder, modality: str, chains: Mapping[str, Callable[[], Chain]]) -> pl.DataFrame:
    found = _read(folder, modality, ["id", *chains])
    for name in chains:
        if found[name].null_count():
            raise InputError(f"{modality}/{name} of {folder.root} lacks vectors; get the release again")
    for name, made in chains.items():
        chain = made()
        rows = chain.inverse_transform(found[name].to_numpy())
        found = found.with_columns(pl.Series(name, rows, dtype=pl.Array(pl.Float32, chain.dim)))
    return found
