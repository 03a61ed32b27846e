"""The vectors: as long as stated, finite, and what can be seen of their transform."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax import registry
from personax.errors import InputError
from personax.release._layout import column_entries
from personax.release._untrusted_tables import read_frame, read_schema, to_fixed_length
from personax.release.checks._check import Check, CheckedRelease, check_result, mapping

__all__ = ["vectors"]

STATED = "transforms.json"
_TAG = re.compile(r"[0-9a-f]{16}")
ZEROS = 0.01
"""Share of exact zeros that a mixed vector does not have."""


def _mixes(step: str) -> bool:
    """Say whether a step mixes coordinates, so that exact zeros vanish; False for an unknown step."""
    known = step in registry.names("transforms")
    return known and bool(registry.describe("transforms", step).facts.get("mixes"))


def vectors(release: CheckedRelease) -> Iterable[Check]:
    """Check every measurement against what is stated of it; a file is read column by column."""
    stated, faults = _stated(release)
    if STATED not in release.folder.files:
        yield release.missing("transform", STATED, "so nobody says how vectors were transformed")
    else:
        yield check_result("transform", faults, "every measurement has its transform stated")
    if not release.vectors:
        yield Check("vectors", "holds", "there are no vectors")
        return
    broken: list[str] = []
    plain: list[str] = []
    unit: list[str] = []
    seen = set()
    for modality, names in release.vectors.items():
        paths = [release.folder.files[name] for name in names]
        try:
            columns = [name for name, kind in read_schema(paths[0]).items() if kind.is_nested()]
            lengths = {entry.get("name"): entry.get("length") for entry in column_entries(release.folder, modality)}
            for column in columns:
                label = f"{modality}/{column}"
                seen.add(label)
                found = to_fixed_length(read_frame(paths, [column])[column], paths[0])
                dim = mapping(stated.get(label)).get("dim")
                broken += _faults(label, found, {STATED: dim, "columns.json": lengths.get(column)})
                steps = mapping(stated.get(label)).get("steps")
                values = _finite(found)
                mixed = isinstance(steps, list) and any(_mixes(str(step)) for step in steps)
                if mixed and (values == 0).sum() > ZEROS * values.size:
                    plain.append(label)
                if _unit(values):
                    unit.append(label)
        except InputError as error:
            broken.append(str(error))
    broken += [f"{STATED} tells of {label}, which is not there" for label in sorted(set(stated) - seen)]
    if STATED in release.folder.files:
        broken += [f"{STATED} tells nothing of {label}" for label in sorted(seen - set(stated))]
    yield check_result("vectors", broken, f"{len(seen)} measurements, finite, each of one length, as stated")
    if plain:
        text = (
            f"{', '.join(plain)} hold exact zeros, which the stated transform does not leave; they are not transformed"
        )
        yield Check("transformed", "fails", text)
    else:
        hint = (
            f"; {', '.join(unit)} have length 1, as many encoders give them and as a rotation keeps them"
            if unit
            else ""
        )
        yield Check(
            "transformed", "cannot tell", f"whether a key transformed the vectors cannot be seen from them{hint}"
        )


def _stated(release: CheckedRelease) -> tuple[dict[str, object], list[str]]:
    """Return measurement -> what is stated of it, and what is wrong with the statement."""
    if STATED not in release.folder.files:
        return {}, []
    try:
        metadata = mapping(release.folder.json(STATED))
    except InputError as error:
        return {}, [str(error)]
    faults = []
    version = metadata.get("format")
    if isinstance(version, bool) or version not in (1, 2):
        faults.append(f"{STATED} is of format {version!r}; 1 and 2 are known")
    key = metadata.get("key")
    if not (isinstance(key, str) and _TAG.fullmatch(key)):
        faults.append(f"{STATED} names no key by its fingerprint of 16 hexadecimal digits")
    if not isinstance(metadata.get("transform"), str):
        faults.append(f"{STATED} names no transform")
    stated = mapping(metadata.get("measurements"))
    if not isinstance(metadata.get("measurements"), dict):
        faults.append(f"{STATED} lists no measurements")
    for label, its in stated.items():
        steps, dim, tag = (mapping(its).get(word) for word in ("steps", "dim", "fitted"))
        named = isinstance(steps, list) and steps and all(isinstance(step, str) for step in steps)
        whole = isinstance(dim, int) and not isinstance(dim, bool) and dim > 0
        if not (named and whole and (tag is None or (isinstance(tag, str) and _TAG.fullmatch(tag)))):
            faults.append(f"{STATED} does not say how {label} was transformed")
    return stated, faults


def _faults(label: str, found: pl.Series, lengths: Mapping[str, object]) -> Iterator[str]:
    """Yield faults of vectors; ``lengths`` is file -> the length that it states, or None."""
    length = found.dtype.size if isinstance(found.dtype, pl.Array) else None
    for file, dim in lengths.items():
        if dim is not None and dim != length:
            yield f"{label} has vectors of length {length}, and {file} says {dim!r}"
    if found.null_count():
        yield f"{label} has {found.null_count()} rows without a vector"
    infinite = len(found) - found.null_count() - len(_finite(found))
    if infinite:
        yield f"{label} has {infinite} vectors with missing or infinite numbers"


def _finite(found: pl.Series) -> NDArray[np.float32]:
    """Return the vectors that have no missing and no infinite number."""
    values: NDArray[np.float32] = found.drop_nulls().to_numpy()
    return values[np.isfinite(values).all(axis=1)]


def _unit(values: NDArray[np.float32]) -> bool:
    return len(values) > 0 and bool(np.allclose(np.linalg.norm(values.astype(np.float64), axis=1), 1.0, atol=1e-4))
