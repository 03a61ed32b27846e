"""Runs of Level II as they lie on disk: results of data and studies, benchmarks, saved fits; and truths beside them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl import to_graph
from personax.crl._lacking import encode_all
from personax.crl._run_comparison import KnownLatents, LatentRun
from personax.data.arrays import INDEX_NAMES, as_ids, id_name, read_npz
from personax.data.frames import read_csv, read_parquet
from personax.errors import InputError, PersonaxError
from personax.schema import Graph
from personax.stages._crl_benchmark import history_of, load_kept
from personax.store import StudyFolder

__all__ = ["read_known_latents", "read_runs"]

People = tuple[Sequence[str], Mapping[str, Mapping[str, NDArray[Any]]]]
"""Ids and measurements, which saved fits encode."""

Files = Mapping[str, Path]

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, pl.exceptions.PolarsError)


def read_runs(path: Path, people: People | None = None) -> list[LatentRun]:
    """Read a run, or all runs of a benchmark.

    Parameters
    ----------
    path
        Folder of ``personax crl data``; of a study, or its file or its ``analysis/crl``; of a benchmark, or one of its
        parts (``.npz``); a saved fit (``.safetensors``).
    people
        Whom saved fits encode.

    Raises
    ------
    InputError
        What is no run, or is damaged.
    """
    if path.suffix == ".safetensors" and path.is_file():
        return [_fit(path, people)]
    if path.suffix == ".npz" and path.is_file():
        return [_part(path)]
    folder = path.parent if path.name == "study.yaml" else path
    if not folder.is_dir():
        raise InputError(f"there is no run {path}; give a folder of results, a saved fit or a part of a benchmark")
    if (folder / "parts").is_dir():
        return _benchmark(folder)
    files = _files(folder)
    if "latents.parquet" not in files:
        raise InputError(
            f"{folder} holds no run of Level II; give the OUT of personax crl data or crl benchmark, a study whose crl "
            "stage has run, or a .safetensors file"
        )
    return [_results(folder, files)]


def _files(folder: Path) -> Files:
    """Return the files of results by name; those of a study as its manifests name them, verified."""
    study = folder.parents[1] if folder.parts[-2:] == ("analysis", "crl") else folder
    if (study / "manifests").is_dir():
        return StudyFolder(study).outputs("analysis", "crl")
    return {path.name: path for path in folder.iterdir() if path.is_file()}


def _results(folder: Path, files: Files) -> LatentRun:
    try:
        frame = read_parquet(files["latents.parquet"]).drop_nulls()  # people whose latents nobody can tell
        names = [name for name in frame.columns if name != "id"]
        latents = frame.select(names).to_numpy().astype(np.float64)
        seeds = read_parquet(files["seeds.parquet"]).to_dicts() if "seeds.parquet" in files else []
        chosen = [row["objective"] for row in seeds if row.get("chosen")]
        graph = Graph.from_json(files["graph.json"].read_text(encoding="utf-8")) if "graph.json" in files else None
        diagnostics = _json(files["diagnostics.json"]) if "diagnostics.json" in files else {}
        history = read_parquet(files["history.parquet"]) if "history.parquet" in files else None
        ids = frame["id"].cast(pl.String).to_list()
    except UNREADABLE as error:
        raise _damaged(folder, error) from None
    return _checked(
        LatentRun(
            str(folder), ids, names, latents, graph, chosen[0] if chosen else None, seeds,
            diagnostics.get("identification") or [], history,
        )
    )  # fmt: skip


def _benchmark(folder: Path) -> list[LatentRun]:
    parts = [path for path in sorted((folder / "parts").glob("*.npz"))]
    if not parts:
        raise InputError(f"{folder} holds no fit: no method of this benchmark came through, or it is not finished")
    return [_part(path) for path in parts]


def _part(path: Path) -> LatentRun:
    """Read a part of a benchmark; its people are those of every part of the same data and seed."""
    try:
        part, result = load_kept(path), _json(path.with_suffix(".json"))
        drawn = _json(path.with_name("arguments.json"))
    except UNREADABLE as error:
        raise _damaged(path, error) from None
    assert part is not None
    same = {name: drawn.get(name) for name in ("data", "options", "n", "held_out")} | {"seed": result.get("seed")}
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:12]
    ids = [f"{digest}/{at}" for at in range(len(part.encoded))]
    protocol = f", {result['protocol']}" if "protocol" in result else ""
    return _checked(
        LatentRun(
            f"{path.parent.parent.name}: {result.get('method')}, seed {result.get('seed')}{protocol}", ids,
            part.learned_names, part.encoded,
            None if part.adjacency is None else to_graph(part.adjacency, part.learned_names),
            result.get("objective"), history=pl.DataFrame(dict(part.history)) if part.history else None,
            images=part.images, truth=KnownLatents(ids, part.names, part.latents, part.true_adjacency),
        )
    )  # fmt: skip


def _fit(path: Path, people: People | None) -> LatentRun:
    if people is None:
        raise InputError(f"{path} is a saved fit and holds no people; give --data and --modalities, whom it encodes")
    from personax.crl import load_fit  # late: torch

    fitted = load_fit(path)
    ids, views = people
    history = history_of(fitted)
    graph = None if fitted.adjacency is None else to_graph(fitted.adjacency, fitted.names)
    rows = pl.DataFrame(dict(history)) if history else None
    encoded = encode_all(fitted, views)
    known = np.asarray(~np.isnan(encoded).any(axis=1))
    ids = [person for person, told in zip(ids, known, strict=True) if told]
    return _checked(
        LatentRun(str(path), ids, fitted.names, encoded[known], graph, float(fitted.objective), history=rows)
    )


def _checked(run: LatentRun) -> LatentRun:
    n, d = run.latents.shape if run.latents.ndim == 2 else (0, 0)
    if not d or n != len(run.ids) or d != len(run.names) or not np.isfinite(run.latents).all():
        raise InputError(f"{run.name} is damaged: its latents are no table of finite numbers, a row a person")
    if len(set(run.ids)) < n:
        raise InputError(f"{run.name}: {n - len(set(run.ids))} ids stand more than once; one row a person is needed")
    return run


def read_known_latents(path: Path) -> KnownLatents:
    """Read true latents.

    Parameters
    ----------
    path
        npz: ``latents`` (n, k), ``names`` and, if known, ``id`` and ``adjacency`` (rows are children), or one array a
        latent; Parquet or CSV: ``id`` and one column a latent. People without ids are counted from 1.

    Raises
    ------
    InputError
        A file that is not there, cannot be read, or holds no latents.
    """
    if not path.is_file():
        raise InputError(f"--truth: there is no file {path}")
    try:
        known = _known_arrays(path) if path.suffix == ".npz" else _known_table(path)
    except PersonaxError:
        raise
    except UNREADABLE as error:
        text = f"--truth: {path} cannot be read ({_first(error)}); give npz, Parquet or CSV, a row a person"
        raise InputError(text) from None
    if known.latents.ndim != 2 or len(known.names) != known.latents.shape[1] or not known.names:
        raise InputError(f"--truth: {path} holds no latents; a column of numbers a latent is needed")
    if len(known.ids) != len(known.latents) or len(set(known.ids)) < len(known.ids):
        raise InputError(f"--truth: {path} needs one id a person, and each once")
    if not np.isfinite(known.latents).all():
        raise InputError(f"--truth: {path} holds missing or infinite numbers; leave these people out")
    return known


def _known_table(path: Path) -> KnownLatents:
    frame = read_parquet(path) if path.suffix == ".parquet" else read_csv(path)
    named = id_name(frame.columns)
    others = [name for name in frame.columns if name != named and name not in INDEX_NAMES]
    names = [name for name in others if frame[name].dtype.is_numeric()]
    ids = as_ids(frame[named], path) if named is not None else _counted(frame.height)
    return KnownLatents(ids, names, frame.select(names).cast(pl.Float64).to_numpy())


def _known_arrays(path: Path) -> KnownLatents:
    held = read_npz(path)
    named = id_name(list(held))
    ids = as_ids(held.pop(named), path) if named is not None else None
    if "latents" in held:
        latents = held["latents"].astype(np.float64)
        plain = [f"true_{i + 1}" for i in range(latents.shape[1])]
        names = [str(name) for name in held["names"]] if "names" in held else plain
        adjacency = held["adjacency"] > 0 if "adjacency" in held else None
    else:
        single = {name: x for name, x in held.items() if x.ndim == 1 and np.issubdtype(x.dtype, np.number)}
        names, adjacency = list(single), None
        latents = np.column_stack(list(single.values())) if single else np.zeros((0, 0))
    return KnownLatents(ids or _counted(len(latents)), names, latents, adjacency)


def _counted(people: int) -> list[str]:
    return [str(i + 1) for i in range(people)]


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is damaged ({_first(error)}); the command that wrote it makes it again")


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
