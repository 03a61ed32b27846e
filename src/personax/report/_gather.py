"""Read a study folder into `ReportData`; nothing else of the report opens files of a study."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from personax.config import SECTIONS
from personax.data.frames import read_csv, read_parquet
from personax.data.pvalues import everybody, typed_pvalues
from personax.errors import StudyError
from personax.report._charts import distribution_of
from personax.report._data import (
    BadCells,
    CrlResults,
    Faces,
    IndependenceResults,
    Modality,
    PeopleSummary,
    ReportData,
    StageSummary,
    TraitScores,
    Truth,
    Validity,
    WaveChange,
)
from personax.schema import Column, Graph, Notice, TraitFramework, select
from personax.store import StudyFolder
from personax.traits import BIG_FIVE

__all__ = ["FEATURES", "gather"]

FEATURES = 60
"""At most so many features are drawn, those with the smallest corrected p-values."""


def gather(
    study: StudyFolder | Path, *, title: str = "A study of people", stages: Collection[str] = SECTIONS
) -> ReportData:
    """Read everything that the page shows; what the study has not stays out.

    Parameters
    ----------
    study
        The study folder, of which only what its manifests name is read, verified; or the path of a folder whose files
        are taken as they are.
    title
        Heading of the page.
    stages
        The stages to show; what another one left in the folder is passed over.

    Raises
    ------
    StudyError
        When a file that a stage wrote cannot be read as that stage writes it.

    Examples
    --------
    >>> gather(Path("no-such-study")).people is None
    True
    """

    def files(stage: str, *parts: str) -> Files:
        if stage not in stages:
            return {}
        return study.outputs(*parts) if isinstance(study, StudyFolder) else files_in(study.joinpath(*parts))

    root = study.root if isinstance(study, StudyFolder) else study
    independence = _independence(files("independence", "analysis", "independence"))
    collected = files("collect", "people")
    people = _people(collected, independence)
    truth = _truth(collected.get("simulation/truth.json"))
    crl, traits = files("crl", "analysis", "crl"), files("annotate", "traits")
    # what humans said is the output of no stage, and an input of the page
    compared = files_in(root / "traits" / "validity") if "annotate" in stages else {}
    return ReportData(
        title=title,
        people=people,
        faces=_faces(collected, crl, truth.groups.get("image", ())) if truth else None,
        modalities=_modalities(files("embed", "embeddings")),
        traits=_traits(traits),
        validity=_validity(compared),
        independence=independence,
        crl=_crl(crl),
        discovery=_graph(files("discover", "analysis", "discovery").get("graph.json")),
        truth=truth,
        manifests=_manifests(study, stages),
        root=root,
    )


Files = Mapping[str, Path]
"""Name below a folder of the study -> file with its content."""


def files_in(folder: Path) -> dict[str, Path]:
    """Return the files below a folder, links left out."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path for path in found}


def _json(path: Path | None) -> dict[str, Any] | None:
    """Return the object that a JSON file holds, or None where there is no file."""
    if path is None:
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        text = f"{path} is not readable as a JSON object; run the stage that writes it again"
        raise StudyError(text) from error


def _columns(path: Path | None) -> list[Column]:
    """Return what the people's columns mean; none where there is no file."""
    if path is None:
        return []
    try:
        return [Column(**raw) for raw in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        text = f"{path} is not a list of columns; run the stage that writes it again"
        raise StudyError(text) from error


def _frame(path: Path | None, columns: Sequence[str] | None = None) -> pl.DataFrame | None:
    """Return a Parquet file, or None where there is no file."""
    if path is None:
        return None
    try:
        return read_parquet(path, columns)
    except (OSError, pl.exceptions.PolarsError) as error:
        text = f"{path} is not readable as Parquet; run the stage that writes it again"
        raise StudyError(text) from error


def _graph(path: Path | None) -> Graph | None:
    raw = _json(path)
    if raw is None:
        return None
    try:
        return Graph.from_json(json.dumps(raw))
    except (KeyError, TypeError, AttributeError) as error:
        text = f"{path} does not hold a graph; run the stage that writes it again"
        raise StudyError(text) from error


def _people(files: Files, independence: IndependenceResults | None) -> PeopleSummary | None:
    frame = _frame(files.get("people.parquet"))
    if frame is None:
        return None
    names = set(frame.columns)
    known = [column for column in _columns(files.get("columns.json")) if column.name in names]
    shown = _shown(select(known, "feature"), independence)
    texts = _frame(files.get("texts.parquet"), ["id"])
    return PeopleSummary(
        count=frame.height,
        columns=[(column, _missing(frame[column.name])) for column in known],
        distributions=[distribution_of(frame[column.name], column) for column in shown],
        bad_cells=_bad_cells(files.get("bad_cells.parquet"), {c.name for c in select(known, "private")}),
        texts=0 if texts is None else texts.height,
        simulated=any(name.startswith("simulation/") for name in files),
        waves=1 + sum(name.startswith("waves/") and name != "waves/latest.parquet" for name in files),
        changes=_changes(_frame(files.get("changes.parquet"))),
    )


def _changes(found: pl.DataFrame | None) -> list[WaveChange]:
    """Return how many people each kind of change concerns, wave by wave; no value and no id of anybody."""
    if found is None:
        return []
    counted = found.with_columns(pl.col("column").fill_null("")).group_by("wave", "change", "column").len()
    return [WaveChange(*row) for row in counted.sort("wave", "change", "column").rows()]


def _missing(values: pl.Series) -> int:
    return values.null_count() + (int(values.is_nan().sum()) if values.dtype.is_float() else 0)


def _shown(features: list[Column], independence: IndependenceResults | None) -> list[Column]:
    """Return the features to draw: all of a few; of many those that the heatmap shows too."""
    if len(features) <= FEATURES or independence is None:
        return features[:FEATURES]
    drawn = set(independence.features)
    return [column for column in features if column.name in drawn]


def _bad_cells(path: Path | None, private: set[str]) -> list[BadCells]:
    """Count bad cells; the reason of a private column may quote its value and is left out."""
    frame = _frame(path, ["column", "reason"])
    if frame is None or frame.is_empty():
        return []
    reason = pl.when(pl.col("column").is_in(sorted(private))).then(pl.lit("")).otherwise(pl.col("reason"))
    table = frame.with_columns(reason.alias("reason")).group_by("column", "reason").len("count")
    ranked = table.sort(["count", "column", "reason"], descending=[True, False, False])
    return [BadCells(**row) for row in ranked.iter_rows(named=True)]


def _modalities(files: Files) -> list[Modality]:
    found = []
    for file, path in sorted(files.items()):
        frame = _frame(path) if file.endswith(".parquet") and "/" not in file else None
        if frame is not None and frame.width > 1:
            first = frame[frame.columns[1]].drop_nulls()
            found.append(Modality(file.removesuffix(".parquet"), frame.columns[1:], len(first[0]) if len(first) else 0))
    return found


def _traits(files: Files) -> TraitScores | None:
    frame, path = _frame(files.get("traits.parquet")), files.get("framework.json")
    if frame is None:
        return None
    framework = TraitFramework.from_json(path.read_text(encoding="utf-8")) if path is not None else BIG_FIVE
    columns = [Column(f"final_{letter}", "target", "ordinal") for letter in framework.letters.values()]
    scores = [distribution_of(frame[column.name], column) for column in columns if column.name in frame.columns]
    agreement, reliability, stereotypes = (
        _json(files.get(f"{name}.json")) or {} for name in ("agreement", "reliability", "stereotypes")
    )
    return TraitScores(scores, agreement, reliability, stereotypes, framework)


def _validity(files: Files) -> Validity | None:
    tests, summary = _json(files.get("alt_test.json")), _json(files.get("summary.json"))
    if tests is None or summary is None:
        return None
    return Validity(_csv(files, "agreement.csv"), _csv(files, "effects.csv"), tests, summary)


def _csv(files: Files, name: str) -> pl.DataFrame:
    kinds: dict[str, type[pl.DataType]] = dict.fromkeys(("value", "estimate", "low", "high"), pl.Float64)
    kinds |= dict.fromkeys(("trait", "rater", "measure", "feature", "effect", "level", "method", "reason"), pl.String)
    try:
        return read_csv(files[name], schema_overrides=kinds)
    except (OSError, KeyError, pl.exceptions.PolarsError) as error:
        text = f"{files.get(name, name)} is not readable as CSV; run personax traits validate compare again"
        raise StudyError(text) from error


def _independence(files: Files) -> IndependenceResults | None:
    table = _frame(files.get("pvalues.parquet"))
    if table is None or table.is_empty():
        return None
    table = typed_pvalues(everybody(table)).with_columns(pl.col("statistic").cast(pl.Float64))
    features = strongest(table)
    counts = table.group_by("group", "test", maintain_order=True).agg(
        pl.len(), pl.col("p_value").count(), pl.col("rejected").sum().alias("rejected")
    )
    return IndependenceResults(
        table=table.filter(pl.col("feature").is_in(features)),
        features=features,
        feature_count=table["feature"].n_unique(),
        counts={(group, test): (pairs, done, no) for group, test, pairs, done, no in counts.iter_rows()},
        graph=_graph(files.get("graph.json")),
    )


def strongest(table: pl.DataFrame, limit: int = FEATURES) -> list[str]:
    """Return at most ``limit`` features by smallest corrected p-value, ordered by largest effect size.

    Parameters
    ----------
    table
        pvalues.parquet; the first group (``final`` where there is one) decides.

    Examples
    --------
    >>> rows = {"group": "final", "feature": ["a", "b"], "p_corrected": [0.2, 0.0], "effect_size": [0.3, 0.1]}
    >>> strongest(pl.DataFrame(rows), limit=1)
    ['b']
    """
    groups = table["group"].unique(maintain_order=True).to_list()
    leading = table.filter(pl.col("group") == ("final" if "final" in groups else groups[0])) if groups else table
    ranked = leading.group_by("feature").agg(pl.col("p_corrected").min(), pl.col("effect_size").max())
    kept = ranked.sort(
        ["p_corrected", "effect_size", "feature"], descending=[False, True, False], nulls_last=True
    ).head(limit)
    ordered = kept.sort(["effect_size", "feature"], descending=[True, False], nulls_last=True)
    return ordered["feature"].to_list()


def _crl(files: Files) -> CrlResults | None:
    graph, metrics = _graph(files.get("graph.json")), _json(files.get("metrics.json"))
    if graph is None and metrics is None:
        return None
    told = _json(files.get("diagnostics.json")) or {}
    return CrlResults(
        graph, metrics or {}, _frame(files.get("history.parquet")), told.get("assumptions", []),
        _json(files.get("reading.json")) or {}, told.get("claim", ""), told.get("identification", []),
        told.get("PC on the same latents", {}).get("sentence", ""),
    )  # fmt: skip


def _truth(path: Path | None) -> Truth | None:
    raw = _json(path)
    if raw is None:
        return None
    graph = Graph.from_json(json.dumps(raw["graph"])) if raw.get("graph") else None
    return Truth(graph, raw.get("groups", {}), raw.get("effects", []), raw.get("note", ""))


def _manifests(study: StudyFolder | Path, stages: Collection[str]) -> list[StageSummary]:
    raws: list[Mapping[str, Any] | None] = []
    for stage in (one for one in SECTIONS if one in stages):
        if isinstance(study, StudyFolder):
            manifest = study.manifest(stage)
            raws.append(asdict(manifest) if manifest is not None else None)
        else:
            path = study / "manifests" / f"{stage}.json"
            raws.append(_json(path) if path.is_file() else None)
    return [
        StageSummary(
            stage=raw["stage"],
            seed=raw.get("seed"),
            versions=raw.get("versions", {}),
            counts=raw.get("counts", {}),
            notices=[Notice(**notice) for notice in raw.get("notices", [])],
            plan=raw.get("plan") or {},
        )
        for raw in raws
        if raw is not None
    ]


FACES_PER_ROW = 6
MAX_BYTES = 200_000
"""Bytes; a drawing of 64 x 64 pixels has far fewer, and the page carries every one of them."""

PNG = b"\x89PNG\r\n\x1a\n"


def _faces(people: Files, crl: Files, true_latents: Sequence[str] = ()) -> Faces | None:
    """Return two rows of faces, lowest and highest on the first image latent, or one row where no latent is known.

    Parameters
    ----------
    people, crl
        Files of a study of *simulated* people; a real person's photo is never shown.
    true_latents
        Names of the true image latents; the first one orders the faces where none was learned.
    """
    drawings = {PurePosixPath(name): path for name, path in people.items() if name.startswith("images/")}
    files = {name.stem: path for name, path in drawings.items() if name.suffix == ".png"}
    if not files:
        return None
    latent = _image_latent((crl.get("latents.parquet"), people.get("simulation/latents.parquet")), true_latents)
    if latent is None:
        return Faces([("Some of them", _images(files, list(files)))])
    name, ids = latent
    drawn = [person for person in ids if person in files]
    rows = [(f"Lowest on {name}", drawn[:FACES_PER_ROW]), (f"Highest on {name}", drawn[-FACES_PER_ROW:])]
    return Faces([(caption, _images(files, shown)) for caption, shown in rows])


def _image_latent(tables: Sequence[Path | None], true_latents: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the name of a learned (or else true) image latent and all ids from its lowest to its highest value."""
    for path in tables:
        frame = read_parquet(path) if path is not None else pl.DataFrame()
        names = [name for name in frame.columns if name.startswith("image_") or name in true_latents]
        if names:
            return names[0], frame.drop_nulls(names[0]).sort(names[0], "id")["id"].to_list()
    return None


def _images(files: Mapping[str, Path], people: list[str]) -> list[bytes]:
    images = [files[person].read_bytes() for person in people[:FACES_PER_ROW]]
    return [image for image in images if image.startswith(PNG) and len(image) <= MAX_BYTES]
