"""A release: what may leave, written as a folder that explains itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.files import sha256
from personax.release.audit import Gate
from personax.release.examine import Examined, examine
from personax.release.fitted import keep_fitted
from personax.release.key import Key
from personax.release.scan import MIN_LENGTH, refuse_private
from personax.release.transforms import KEEPS, Chain, Preset
from personax.schema import Column, Notice

__all__ = ["Contents", "build"]

OTHER = "other"

WITHHELD = {"birth_month", "birth_day"}
"""With the year they would be the date of birth."""


@dataclass(frozen=True)
class Contents:
    """What a release is made of.

    Parameters
    ----------
    name
        Of the study.
    people, columns
        The people table and what its columns mean; only features and targets leave.
    traits
        ``id`` and scores, or None.
    embeddings
        Modality -> ``id`` and vector columns.
    private_texts
        Further texts that must not leave, such as biographies; longer than names, so looked for whole.
    """

    name: str
    people: pl.DataFrame
    columns: Sequence[Column]
    traits: pl.DataFrame | None
    embeddings: Mapping[str, pl.DataFrame]
    private_texts: Sequence[str] = ()


def build(
    contents: Contents,
    out: Path,
    *,
    key: Key,
    rare_below: int,
    attack: bool,
    transform: Preset = "rotation",
    fitted: Path | None = None,
    gate: Gate | None = None,
    rng: np.random.Generator,
) -> list[Notice]:
    """Write the release folder.

    Ids become pseudonyms under the key, rows are put into the order of the pseudonyms, rare categories become
    ``other``, embeddings are transformed under the key. Names, texts, images and every other private column
    stay behind.

    Parameters
    ----------
    contents
        What there is.
    out
        A new folder.
    key
        The study's secret; nothing of it is written.
    rare_below
        Categories of fewer people become ``other``.
    attack
        Also attack the release and write audit.json.
    transform
        Of embeddings; see `personax.release.transforms.PRESETS`.
    fitted
        Folder beside the key for what the transform takes from the data.
    gate
        Limits that no attack may exceed; there must be attacks.

    Returns
    -------
    list of Notice
        What a reader must know.

    Raises
    ------
    InputError
        When something private would leave, an attack exceeds the gate, or what was fitted would be lost.
    """
    if gate is not None and gate != Gate() and not attack:
        raise InputError("release.gate has limits and release.audit is off; nothing would be measured, so turn it on")
    notices: list[Notice] = []
    people = _people(contents, rare_below, notices)
    refuse_private(people.drop("id"), _private_values(contents))
    order = people["id"].map_elements(key.pseudonym, return_dtype=pl.String).arg_sort()
    data = out / "data"
    data.mkdir(parents=True, exist_ok=True)
    _write(people, key, order, data / "people.parquet")
    told: dict[str, Any] = {}
    shown: dict[str, tuple[pl.DataFrame, Chain, Chain]] = {}
    for modality, frame in contents.embeddings.items():
        made, chains = _transform(modality, frame, key, transform, fitted, told)
        _write(made, key, order, data / f"{modality}.parquet")
        # another key, as a second release of the same people would have
        other = Key(rng.bytes(32), key.study)
        shown |= {
            f"{modality}/{name}": (frame.select("id", name), chain, Chain(transform, chain.dim, other, name))
            for name, chain in chains.items()
        }
    (out / "transforms.json").write_text(
        json.dumps({"format": 1, "transform": transform, "key": key.fingerprint, "measurements": told}, indent=1),
        encoding="utf-8",
    )
    found = examine(shown, contents.people, people, contents.columns, gate=gate or Gate(), rng=rng) if attack else None
    if found is not None:
        (out / "audit.json").write_text(json.dumps(found.to_dict(transform), indent=1), encoding="utf-8")
        notices.append(Notice(found.sentence))
    (out / "USAGE.md").write_text(resources.files("personax").joinpath("usage.md").read_text("utf-8"), encoding="utf-8")
    (out / "README.md").write_text(_card(contents, people, rare_below, transform, found), encoding="utf-8")
    _checksums(out)
    return notices


def _people(contents: Contents, rare_below: int, notices: list[Notice]) -> pl.DataFrame:
    scored = set(contents.traits.columns) if contents.traits is not None else set()
    kept = [
        column
        for column in contents.columns
        if column.role in ("feature", "target") and column.name not in WITHHELD | scored
    ]
    people = contents.people.select("id", *(column.name for column in kept))
    for column in kept:
        if column.kind == "nominal" and people[column.name].dtype == pl.String:
            people, merged = _merge_rare(people, column.name, rare_below)
            if merged:
                text = f"{column.name}: categories of fewer than {rare_below} people leave as {OTHER!r}."
                notices.append(Notice(text, merged))
    if contents.traits is not None:
        people = people.join(contents.traits, on="id", how="left", maintain_order="left")
    return people


def _merge_rare(people: pl.DataFrame, name: str, below: int) -> tuple[pl.DataFrame, int]:
    counts = people[name].drop_nulls().value_counts()
    rare = counts.filter(pl.col("count") < below)[name].to_list()
    merged = pl.when(pl.col(name).is_in(rare)).then(pl.lit(OTHER)).otherwise(pl.col(name)).alias(name)
    return (people.with_columns(merged), len(rare)) if rare else (people, 0)


def _private_values(contents: Contents) -> list[str]:
    names = [column.name for column in contents.columns if column.role == "private"]
    texts = [contents.people[name].cast(pl.String).drop_nulls().to_list() for name in names]
    # a short id such as 7 is also a number that means something else
    ids = [identifier for identifier in contents.people["id"] if len(identifier) >= MIN_LENGTH]
    return [*ids, *(value for column in texts for value in column), *contents.private_texts]


def _write(frame: pl.DataFrame, key: Key, order: pl.Series, path: Path) -> None:
    pseudonyms = frame["id"].map_elements(key.pseudonym, return_dtype=pl.String)
    frame.with_columns(pseudonyms)[order].write_parquet(path, compression="zstd", statistics=False)


def _transform(
    modality: str, frame: pl.DataFrame, key: Key, transform: Preset, fitted: Path | None, told: dict[str, Any]
) -> tuple[pl.DataFrame, dict[str, Chain]]:
    """Transform every measurement, keep what was fitted, and tell what an owner needs to go back."""
    chains = {}
    for name in frame.columns[1:]:
        vectors = frame[name].to_numpy()
        chain = chains[name] = Chain(transform, vectors.shape[1], key, f"{modality}/{name}").fit(vectors)
        if chain.state() and fitted is None:
            raise InputError(f"the transform {transform} takes from the data what going back needs; give it a folder")
        tag = keep_fitted(chain, key, fitted) if fitted is not None else None
        told[f"{modality}/{name}"] = {"steps": list(chain.names), "dim": chain.dim, "fitted": tag}
        made = pl.Series(name, chain.transform(vectors), dtype=pl.Array(pl.Float32, chain.dim))
        frame = frame.with_columns(made)
    return frame, chains


def _card(
    contents: Contents, people: pl.DataFrame, rare_below: int, transform: Preset, examined: Examined | None
) -> str:
    shape = "\n".join(
        f"| data/{modality}.parquet | {', '.join(frame.columns[1:])} | {frame.height} |"
        for modality, frame in contents.embeddings.items()
    )
    found = (
        examined.sentence if examined else "This release was not attacked; treat it as pseudonymised, not anonymous."
    )
    kept = {
        kind: [name for name, how in KEEPS[transform].items() if how == kind] for kind in ("exactly", "approximately")
    }
    keeps = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kept.items() if names)
    title = json.dumps(contents.name, ensure_ascii=False)
    return f"""---
pretty_name: {title}
license: other
license_name: see-usage-md
tags: [personax, behaviour-traits, non-commercial-research]
---

# {contents.name}

Built by personax. Use is bound by USAGE.md: non-commercial research on groups; no profiling, no decisions about people,
no re-identification. The traits are stated of people by raters, models or a questionnaire; they are no diagnoses.

| file | columns | rows |
|---|---|---|
| data/people.parquet | {", ".join(people.columns)} | {people.height} |
{shape}

- `id` is a pseudonym under a secret key and joins the files; rows are in the order of the pseudonyms.
- Names, texts and images are not in it, nor month and day of birth. Categories of fewer than {rare_below} people are
  "{OTHER}"; several columns together, such as coordinates, can still single a person out.
- Embeddings are transformed under the key ({transform}). What it keeps, {keeps}. Coordinates mean nothing.
- {found} audit.json has the attacks, where they were run.
"""


def _checksums(out: Path) -> None:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    lines = [f"{sha256(path)}  {path.relative_to(out).as_posix()}\n" for path in files]
    (out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
