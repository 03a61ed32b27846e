"""Read a study folder into `ReportData`; nothing else of the report opens files of a study."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl

from personax.config import SECTIONS
from personax.data.frames import read_csv, read_parquet, scan_parquet
from personax.data.labels import labels_of
from personax.data.pvalues import EVERYBODY, everybody, typed_pvalues
from personax.errors import StudyError
from personax.report._data import (
    BadCells,
    CrlResults,
    FileReadings,
    IndependenceResults,
    Modality,
    PeopleSummary,
    ReleaseSummary,
    ReportData,
    StageSummary,
    TraitScores,
    Truth,
    Validity,
    WaveChange,
)
from personax.report._distributions import distribution_of, places_of
from personax.report._drawn_faces import drawn_faces
from personax.report._pair_profiles import pair_profile
from personax.schema import Column, Edge, Graph, Notice, TraitFramework, select
from personax.store import StudyFolder
from personax.traits import BIG_FIVE

__all__ = ["FEATURES", "gather"]

FEATURES = 60
"""At most so many features are drawn, those with the smallest corrected p-values."""

FEWEST_FEATURES = 12
MAX_CELLS = 7_500
"""Of all tests and scores on the page, so that it stays small: fewer features are drawn, `FEWEST_FEATURES` always."""

MAX_PROFILES = 400
"""Pairs that have a picture on the page, the strongest."""


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
    collected, traits = files("collect", "people"), files("annotate", "traits")
    scores = _traits(traits)
    with labels_of(scores.framework if scores else BIG_FIVE):
        independence = _independence(files("independence", "analysis", "independence"), _with_scores(collected, traits))
    measured = files_in(root / "calibration") if independence else {}
    if independence and "calibration.parquet" in measured:
        independence = replace(independence, calibration=_frame(measured["calibration.parquet"]))
    people = _people(collected, independence)
    truth = _truth(collected.get("simulation/truth.json"))
    crl = files("crl", "analysis", "crl")
    # what humans said is the output of no stage, and an input of the page
    compared = files_in(root / "traits" / "validity") if "annotate" in stages else {}
    return ReportData(
        title=title,
        people=people,
        faces=drawn_faces(collected, crl, truth.groups.get("image", ())) if truth else None,
        modalities=_modalities(files("embed", "embeddings")),
        traits=scores,
        validity=_validity(compared),
        independence=independence,
        crl=_crl(crl),
        discovery=_graph(files("discover", "analysis", "discovery").get("graph.json")),
        release=_release(files("release", "release")),
        readings=_readings(collected),
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
        places=places_of(frame, known),
        waves=1 + sum(name.startswith("waves/") and name != "waves/latest.parquet" for name in files),
        changes=_changes(_frame(files.get("changes.parquet"))),
    )


def _readings(people: Files) -> list[FileReadings]:
    """Return how each file was read; of private columns nothing that may quote a value."""
    told = _json(people.get("reading.json")) or {}
    private = {column.name for column in _columns(people.get("columns.json")) if column.role == "private"}
    return [
        FileReadings(
            str(file.get("file", "")),
            str(file.get("format", "")),
            [_hidden(fact, private) for fact in file.get("facts", [])],
            [_hidden(column, private) for column in file.get("columns", [])],
        )
        for file in told.get("files", [])
    ]


def _hidden(row: Mapping[str, Any], private: set[str]) -> Mapping[str, Any]:
    hidden = row.get("column") in private
    return {**row, "why": "", "question": "", "missing": {}} if hidden else row


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
    agreement, reliability, stereotypes, card = (_json(files.get(f"{name}.json")) or {} for name in _TOLD)
    usage = _usage(files.get("annotations.parquet"))
    return TraitScores(scores, agreement, reliability, stereotypes, framework, card, usage)


_TOLD = ("agreement", "reliability", "stereotypes", "annotation_card")

USAGE = ("latency", "tokens", "cost")


def _usage(path: Path | None) -> pl.DataFrame | None:
    """Return what the replies of each model took; the rows of one reply, a trait each, share its numbers."""
    if path is None or not {"model", "person", "repeat", *USAGE} <= set(scan_parquet(path).collect_schema()):
        return None
    rows = _frame(path, ["model", "person", "repeat", *USAGE])
    if rows is None or rows.filter(pl.any_horizontal(pl.col(*USAGE).is_not_null())).is_empty():
        return None
    replies = rows.unique(["model", "person", "repeat"], keep="first", maintain_order=True)
    sums = (pl.col(name).sum() for name in ("tokens", "cost"))
    return replies.group_by("model", maintain_order=True).agg(
        pl.col("latency").count().alias("replies"), pl.col("latency").median().alias("seconds"), *sums
    )


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


def _with_scores(people: Files, traits: Files) -> tuple[pl.DataFrame, Sequence[Column]] | None:
    """Return people with their aggregated scores, and what may be shown of them; private columns stay out."""
    frame, known = _frame(people.get("people.parquet")), _columns(people.get("columns.json"))
    if frame is None or "id" not in frame.columns:
        return None
    names = set(frame.columns)
    shown = [column for column in known if column.role in ("feature", "target") and column.name in names]
    frame = frame.select("id", *(column.name for column in shown if column.name != "id"))
    scores = _frame(traits.get("traits.parquet"))
    if scores is not None and "id" in scores.columns:
        finals = [name for name in scores.columns if name.startswith("final_") and name not in names]
        frame = frame.join(scores.select("id", *finals), on="id", how="left", maintain_order="left")
        shown = [*shown, *(Column(name, "target", "ordinal") for name in finals)]
    return frame, shown


def _independence(files: Files, people: tuple[pl.DataFrame, Sequence[Column]] | None) -> IndependenceResults | None:
    whole = _frame(files.get("pvalues.parquet"))
    if whole is None or whole.is_empty():
        return None
    table = typed_pvalues(everybody(whole)).with_columns(pl.col("statistic").cast(pl.Float64))
    features = strongest(
        table, max(FEWEST_FEATURES, min(FEATURES, MAX_CELLS * table["feature"].n_unique() // table.height))
    )
    counts = table.group_by("group", "test", maintain_order=True).agg(
        pl.len(), pl.col("p_value").count(), pl.col("rejected").sum().alias("rejected")
    )
    found = IndependenceResults(
        table=table.filter(pl.col("feature").is_in(features)),
        features=features,
        feature_count=table["feature"].n_unique(),
        counts={(group, test): (pairs, done, no) for group, test, pairs, done, no in counts.iter_rows()},
        graph=_graph(files.get("graph.json")),
    )
    return replace(found, profiles=_profiles(found, people), subgroups=_subgroups(whole, found))


def _subgroups(whole: pl.DataFrame, found: IndependenceResults) -> pl.DataFrame | None:
    if "subgroup" not in whole.columns:
        return None
    group, _ = found.leading
    apart = whole.filter((pl.col("subgroup") != EVERYBODY) & (pl.col("group") == group))
    return typed_pvalues(apart.filter(pl.col("feature").is_in(found.features)))


def _profiles(
    found: IndependenceResults, people: tuple[pl.DataFrame, Sequence[Column]] | None
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return the pictures of the strongest pairs of the leading group."""
    if people is None:
        return {}
    frame, columns = people
    known = {column.name: column for column in columns}
    group, test = found.leading
    rows = found.table.filter((pl.col("group") == group) & (pl.col("test") == test))
    ranked = rows.sort("effect_size", descending=True, nulls_last=True, maintain_order=True)
    pairs = [pair for pair in ranked.select("feature", "target").iter_rows() if {*pair} <= {*known}]
    made = {(x, y): pair_profile(frame, known[x], known[y]) for x, y in pairs[:MAX_PROFILES]}
    return {pair: profile for pair, profile in made.items() if profile is not None}


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
    checked = told.get("PC on the same latents", {})
    found = checked.get("found")
    return CrlResults(
        graph, metrics or {}, _frame(files.get("history.parquet")), told.get("assumptions", []),
        _json(files.get("reading.json")) or {}, told.get("claim", ""), told.get("identification", []),
        checked.get("sentence", ""), None if found is None else [Edge(**edge) for edge in found],
        _frame(files.get("seeds.parquet")), told.get("without a modality", []),
    )  # fmt: skip


def _release(files: Files) -> ReleaseSummary | None:
    columns = _json(files.get("columns.json"))
    if columns is None:
        return None
    protection, transforms, audit = (_json(files.get(f"{n}.json")) or {} for n in ("protection", "transforms", "audit"))
    return ReleaseSummary(protection, columns.get("columns", []), transforms, audit)


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
            started=str(raw.get("started") or "")[:10],
        )
        for raw in raws
        if raw is not None
    ]
