"""A small invented study folder with every file that the report reads, and with names that try to be markup."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageDraw

from personax.schema import LETTERS, TRAITS, Column, Edge, Graph, Node
from personax.traits.reliability import reliability_report

SCRIPT = "<script>alert(1)</script>"
BOLD = "<b onload=\"x\">'bold'</b>"
RATERS = ("oak", "elm", BOLD)
TESTS = ("kci", "chisq", "gsq")
PEOPLE = 400


def _dump(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _write(path: Path, frame: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)


def write_people(root: Path, rng: np.random.Generator) -> list[str]:
    """Write people and columns; return the names of the features."""
    ids = [f"p{i:04d}" for i in range(PEOPLE)]
    holes = rng.random(PEOPLE) < 0.04
    height = np.where(holes, np.nan, rng.normal(176, 9, PEOPLE).round(1))
    work = rng.choice(["actor", "musician", "athlete", "politician", BOLD], PEOPLE, p=[0.4, 0.25, 0.2, 0.1, 0.05])
    land = rng.choice([f"Country {c}" for c in "ABCDEFGHIJKL"], PEOPLE, p=np.linspace(12, 1, 12) / 78)
    frame = pl.DataFrame(
        {
            "id": ids,
            "name": [f"{SCRIPT} {i}" for i in range(PEOPLE)],
            "height_cm": pl.Series(height).fill_nan(None),
            "birth_year": rng.integers(1940, 2003, PEOPLE),
            "birth_month": rng.integers(1, 13, PEOPLE).astype(float),
            "education": rng.choice([1, 2, 3, 4, 5], PEOPLE, p=[0.1, 0.15, 0.4, 0.2, 0.15]),
            "gender": rng.choice(["female", "male"], PEOPLE),
            "occupation": work,
            "nationality": land,
            "hobby": [f"hobby of {i}" for i in range(PEOPLE)],
            SCRIPT: rng.normal(size=PEOPLE),
            "empty": pl.Series([None] * PEOPLE, dtype=pl.Float64),
        }
    )
    kinds = {
        "height_cm": Column("height_cm", "feature", "continuous", unit="cm"),
        "birth_year": Column("birth_year", "feature", "continuous", inferred=True, why="many whole numbers"),
        "birth_month": Column("birth_month", "feature", "cyclic", period=12.0),
        "education": Column("education", "feature", "ordinal"),
    }
    features = frame.columns[2:]
    columns = [Column("id", "id", "nominal"), Column("name", "private", "nominal")]
    for name in features:
        numeric = name in (SCRIPT, "empty")
        columns.append(kinds.get(name, Column(name, "feature", "continuous" if numeric else "nominal")))
    _write(root / "people" / "people.parquet", frame)
    _write(root / "people" / "texts.parquet", pl.DataFrame({"id": ids, "biography": [SCRIPT] * PEOPLE}))
    _dump(root / "people" / "columns.json", [{k: getattr(c, k) for k in Column.__slots__} for c in columns])
    bad = {
        "row": [3, 9],
        "column": ["height_cm", "name"],
        "value": ["-3", "secret"],
        "reason": ["negative", "odd: secret"],
    }
    _write(root / "people" / "bad_cells.parquet", pl.DataFrame(bad))
    return features


def write_readings(root: Path) -> None:
    """Write how the file was read: a guess of a feature, and a question that quotes a private value."""
    column = {
        "header": SCRIPT,
        "read_as": "numbers",
        "status": "guess",
        "question": "",
        "answer": {},
        "bad": 1,
        "filled": 380,
    }
    columns = [
        column | {"column": "height_cm", "why": "1 cell is NA", "missing": {"NA": 1}},
        column
        | {
            "column": "name",
            "status": "question",
            "question": "is hidden-thing a name?",
            "missing": {"hidden-thing": 2},
        },
    ]
    fact = {"what": "separator", "value": ";", "status": "evidence", "why": "it divides every line", "answer": ""}
    file = {"source": "people", "file": BOLD, "format": "csv", "rows": PEOPLE, "facts": [fact], "columns": columns}
    _dump(root / "people" / "reading.json", {"version": 1, "files": [file]})


def write_faces(root: Path, rng: np.random.Generator) -> None:
    """Draw a few faces whose width follows the true image latent."""
    latent = rng.normal(size=PEOPLE)
    latents = {"id": [f"p{i:04d}" for i in range(PEOPLE)], "skin_tone": latent, "calm": rng.normal(size=PEOPLE)}
    _write(root / "people" / "simulation" / "latents.parquet", pl.DataFrame(latents))
    folder = root / "people" / "images"
    folder.mkdir(parents=True)
    for i in np.argsort(latent)[[*range(8), *range(-8, 0)]]:
        image = Image.new("RGB", (64, 64), (236, 232, 224))
        pen, shade = ImageDraw.Draw(image), int(180 + 25 * latent[i])
        pen.ellipse((12, 8, 52, 58), fill=(shade, shade - 40, shade - 70))
        pen.ellipse((22, 26, 27, 31), fill=(30, 30, 30))
        pen.ellipse((37, 26, 42, 31), fill=(30, 30, 30))
        pen.arc((24, 34, 40, 48), 20, 160, fill=(120, 40, 40), width=2)
        image.save(folder / f"p{i:04d}.png")


def write_traits(root: Path, rng: np.random.Generator) -> None:
    """Write scores of three raters and how they agree."""
    scores: dict[str, Any] = {"id": [f"p{i:04d}" for i in range(PEOPLE)]}
    for rater in (*RATERS, "final"):
        for letter in LETTERS.values():
            values = rng.choice([1.0, 2.0, 3.0], PEOPLE, p=[0.25, 0.45, 0.3])
            scores[f"{rater}_{letter}"] = pl.Series(np.where(rng.random(PEOPLE) < 0.03, np.nan, values)).fill_nan(None)
    _write(root / "traits" / "traits.parquet", pl.DataFrame(scores))
    alphas = dict(zip(TRAITS, (0.71, 0.64, 0.83, 0.58, None), strict=True))
    traits = {
        trait: {
            "alpha": a,
            "alpha_low": None if a is None else a - 0.05,
            "alpha_high": None if a is None else a + 0.04,
            "n_people": PEOPLE,
            "n_raters": 3,
            "reason": "all raters gave one score" if a is None else None,
        }
        for trait, a in alphas.items()
    }
    raters = {
        rater: {
            "n": 2000,
            "ok": 1900 - 200 * i,
            "insufficient": 60 + 100 * i,
            "refused": 30 + 100 * i,
            "malformed": 8,
            "failed": 2,
            "mean": 2.1 - 0.1 * i,
            "trait_means": dict.fromkeys(TRAITS, 2.0),
            "histogram": {t: {"1": 90 - 20 * i, "2": 180 + 5 * i * j, "3": 110 + 9 * j} for j, t in enumerate(TRAITS)},
        }
        for i, rater in enumerate(RATERS)
    }
    pairs = [
        {"trait": trait, "a": a, "b": b, "kappa": 0.4 + 0.05 * j, "n": 380}
        for j, trait in enumerate(TRAITS)
        for a, b in (("oak", "elm"), ("oak", BOLD), ("elm", BOLD))
    ]
    _dump(root / "traits" / "agreement.json", {"traits": traits, "raters": raters, "pairs": pairs})
    annotations = pl.concat(
        pl.DataFrame(
            {"person": scores["id"], "model": rater, "repeat": 0, "trait": trait, "prompt": "number-3-increasing-ab"}
        ).with_columns(pl.Series("score", scores[f"{rater}_{letter}"]), pl.lit("ok").alias("status"))
        for rater in RATERS
        for trait, letter in LETTERS.items()
    ).drop_nulls("score")
    groups = {BOLD: pl.Series([("x", "y", SCRIPT)[i % 3] for i in range(PEOPLE)])}
    told = reliability_report(annotations, people=scores["id"], groups=groups, rng=rng, bootstraps=20)
    silent = {"by": BOLD, "rater": "oak", "p_value": 0.001, "p_corrected": 0.002, "shares": {"x": 0.4, SCRIPT: 0.1}}
    _dump(root / "traits" / "reliability.json", told | {"silence": [silent]})
    _dump(root / "traits" / "stereotypes.json", stereotypes())
    took = [(f"p{i:04d}", rater, 0, "openness", 2.0, 250.0, 0.001) for i in range(50) for rater in RATERS[:2]]
    names = ["person", "model", "repeat", "trait", "latency", "tokens", "cost"]
    rows = pl.DataFrame(took, schema=names, orient="row")
    # the rows of one reply share what it took
    _write(root / "traits" / "annotations.parquet", pl.concat([rows, rows.with_columns(trait=pl.lit("neuroticism"))]))
    _dump(root / "traits" / "annotation_card.json", annotation_card())


def annotation_card() -> dict[str, object]:
    """Return a card on which one model drifts and obeys."""
    drift = {"value": 0.4, "low": 0.2, "high": 0.6, "p_value": 0.001, "n": 10}
    vignettes = {"oak": {"ordered": 0.8, "severity": 0.25, "dates": ["2026-01-01", "2026-03-01"], "drift": drift},
                 BOLD: {"ordered": None, "severity": None, "dates": [], "drift": None}}  # fmt: skip
    models = [{"name": name, "model": f"{name}-1", "dates": ["2026-01-01", "2026-03-01"], "answers": {"ok": 50}}
              for name in ("oak", BOLD)]  # fmt: skip
    injections = {"oak": {"success": 0.3, "control": 0.05, "unscored": 0.02}}
    return {"models": models, "prompts": ["number-3-increasing-ab"], "rule": "median", "vignettes": vignettes,
            "injections": injections}  # fmt: skip


def stereotypes() -> dict[str, object]:
    """Return an audit in which one league moves one trait, and which has an effect that could not be had."""

    def number(value: float | None) -> dict[str, object]:
        ends = {"low": None, "high": None} if value is None else {"low": value - 0.05, "high": value + 0.05}
        return {"value": value, **ends, "n": 25, "reason": f"nobody {SCRIPT}" if value is None else None}

    rows = [
        {"field": "league", "value": value, "trait": trait, "models": {BOLD: 0.1}, "named": number(0.1),
         "effect": number(None if trait == "openness" else 0.4 if trait == "extraversion" and value == BOLD else 0.01)}
        for value in (BOLD, "NBA")
        for trait in TRAITS
    ]  # fmt: skip
    fame = {"model": BOLD, "known_by_name": number(0.9), "name_moves": number(0.2), "name_repeats_text": number(0.5)}
    chance = {"intervals": 8, "expected": 0.4, "found": 1}
    return {"people": 25, "fields": rows, "chance": chance, "fame": [fame]}


def p_values(features: list[str], groups: tuple[str, ...], rng: np.random.Generator) -> pl.DataFrame:
    """Return a pvalues.parquet in the agreed columns; a pair of a feature and a trait has one true strength."""
    strength = {(f, t): max(0.0, rng.normal(0.12, 0.14)) for f in features for t in LETTERS.values()}
    rows = []
    for group in groups:
        for test in TESTS:
            for feature in features:
                for letter in LETTERS.values():
                    reason = "the column empty has no value" if feature == "empty" else None
                    if test == "chisq" and feature == SCRIPT:
                        reason = f"too many categories <i>{SCRIPT}</i>"
                    effect = float(abs(strength[feature, letter] + rng.normal(0, 0.01)))
                    p = float(np.exp(-380 * effect**2 - rng.random()))
                    rows.append(
                        {
                            "group": group,
                            "feature": feature,
                            "target": f"{group}_{letter}",
                            "test": test,
                            "method": "gamma" if test == "kci" else "asymptotic",
                            "feature_kind": "nominal",
                            "target_kind": "ordinal",
                            "n": PEOPLE - int(rng.integers(0, 30)),
                            "statistic": None if reason else 380 * effect,
                            "dof": None if reason or test == "kci" else 4,
                            "p_value": None if reason else p,
                            "p_corrected": None if reason else min(1.0, 5 * p),
                            "effect_size": None if reason else effect,
                            "effect_name": None if reason else "normalised HSIC" if test == "kci" else "Cramer's V",
                            "rejected": None if reason else 5 * p < 0.05,
                            "reason": reason,
                            "details": "{}",
                        }
                    )
    return pl.DataFrame(rows, infer_schema_length=None)


def write_independence(root: Path, features: list[str], rng: np.random.Generator) -> pl.DataFrame:
    """Write the p-values of the aggregate and of each rater, and their graph; return the p-values."""
    table = p_values(features, ("final", *RATERS), rng)
    _write(root / "analysis" / "independence" / "pvalues.parquet", table)
    found = table.filter((pl.col("group") == "final") & (pl.col("test") == "kci") & pl.col("rejected"))
    nodes = [*(Node(f, f, "feature") for f in features), *(Node(t, t.capitalize(), "trait") for t in TRAITS)]
    names = {letter: trait for trait, letter in LETTERS.items()}
    edges = [
        Edge(row["feature"], names[row["target"][-1]], "undirected", row["effect_size"])
        for row in found.iter_rows(named=True)
    ]
    graph = Graph(nodes, edges, "A line joins a feature and a trait that depend on each other.", "normalised HSIC")
    (root / "analysis" / "independence" / "graph.json").write_text(graph.to_json(), encoding="utf-8")
    return table


def write_causes(root: Path, found: pl.DataFrame) -> None:
    """Write Level II, PC and the truth."""
    latents = ["text_1", "text_2", "text_3", "image_1", "image_2", "shared_1"]
    nodes = [Node(name, name.replace("_", " "), name.split("_")[0]) for name in latents]
    arrows = [("shared_1", "text_1"), ("shared_1", "image_1"), ("text_1", "text_2"), ("text_2", "image_2")]
    arrows += [("image_1", "image_2"), ("shared_1", "text_3"), ("text_3", "image_2")]
    edges = [Edge(a, b, "directed", 0.9 - 0.1 * i, doubtful=i == 6) for i, (a, b) in enumerate(arrows)]
    folder = root / "analysis" / "crl"
    assumed = {"assumption": f"latents {BOLD} show", "verdict": "doubtful", "number": 0.25}
    told = [assumed | {"sentence": f"least of {SCRIPT}"}, assumed | {"number": None, "sentence": "nothing known"}]
    row = {"latent": f"text {BOLD}", "verdict": "up to its block", "criterion": "additive decoder", "mixing": 0.0004}
    row |= {"finalists": 0.999, "seeds": None, "sentence": f"up to its block: {SCRIPT}"}
    claims = {"identification": [row], "claim": f"0 of 1 latents are identified; {BOLD}."}
    checked: dict[str, Any] = {"PC on the same latents": {"sentence": "PC agrees on 3 of 7 edges."}}
    checked["without a modality"] = [{"modality": "image", "edges": 5, "same": 3, "changed": [f"a and {BOLD}: none"]}]
    _dump(folder / "diagnostics.json", {"assumptions": told} | claims | checked)
    reading = {"proposed names": {"text_1": f"{SCRIPT}, reversed"}, "edges": [f"text_1 ({BOLD}?) ->"]}
    reading |= {
        "people": {"text_1": {"low": [{"code": "p1", "words": [BOLD]}], "high": [{"code": "p2", "words": []}]}},
        "traversals": {
            "text_1": {
                "places": [0.05, 0.5, 0.95], "people": [3, 40, 0],
                "attributes": {f"height {SCRIPT}": [-1.25, 0.0, 1.5]},
                "words": {BOLD: [0.1, 0.2, 0.35]}, "measurements": {"text_a": [0.8, 0.0, 0.9]},
            }
        },
        "verdicts": {"text_1": "up to its block"},
        "chains": [f"text_1 ({SCRIPT}) moves text_2 (no name), which moves image_1 (no name)"],
    }  # fmt: skip
    _dump(folder / "reading.json", reading)
    _dump(
        folder / "metrics.json",
        {"seed": 1, "held_out": {"reconstruction": 0.213}, "truth": {"mcc": 0.81, "mcc_image": 0.77}},
    )
    (folder / "graph.json").write_text(Graph(nodes, edges, "", "adjacency strength").to_json(), encoding="utf-8")
    epochs = np.arange(60)
    course = {"epoch": epochs, "reconstruction": 2 * np.exp(-epochs / 12) + 0.2, "independence": 1 / (1 + epochs / 6)}
    _write(folder / "history.parquet", pl.DataFrame(course))
    mixed = [
        Edge("text_1", "text_2"),
        Edge("gender", "openness"),
        Edge("text_2", "openness", "undirected"),
        Edge("image_1", "openness", "bidirected"),
    ]
    pc = Graph(
        [*nodes, Node("gender"), Node("education"), Node("openness", "Openness", "trait")],
        mixed,
        "",
        "",
        {"test": "fisherz", "alpha": 0.01, "n": 400},
    )
    (root / "analysis" / "discovery").mkdir(parents=True)
    (root / "analysis" / "discovery" / "graph.json").write_text(pc.to_json(), encoding="utf-8")
    names = {letter: trait for trait, letter in LETTERS.items()}
    rows = found.filter((pl.col("group") == "final") & (pl.col("test") == "gsq")).iter_rows(named=True)
    effects = [
        {"feature": row["feature"], "trait": names[row["target"][-1]], "effect": true, "dependent": true > 0}
        for row in rows
        for true in [max(0.0, (row["effect_size"] or 0.0) - 0.03)]
    ]
    truth = {
        "graph": json.loads(
            Graph(nodes, [replace(edge, doubtful=False) for edge in edges], "An arrow is a direct effect.").to_json()
        ),
        "groups": {"image": ["skin_tone"], "text": ["calm"], "shared": []},
        "effects": effects,
        "note": "Effects are partial correlations.",
    }
    _dump(root / "people" / "simulation" / "truth.json", truth)


def write_manifests(root: Path) -> None:
    """Write what four stages left behind, clock included."""
    plans: dict[str, dict[str, object]] = {
        "collect": {"source": "simulate", "n": PEOPLE, "images": True},
        "annotate": {"source": "simulate", "rule": "median", "api_key": "hidden-thing"},
        "independence": {"tests": list(TESTS), "alpha": 0.05, "correction": "fdr_bh", "targets": None},
        "crl": {"latents": {"text": 3, "image": 2}, "shared": 1, "epochs": 60},
    }
    for place, (stage, plan) in enumerate(plans.items()):
        notices = [{"text": f"{place} cells of {SCRIPT} are negative and were left missing.", "count": 1200}]
        manifest = {
            "stage": stage,
            "revision": 1,
            "seed": 7,
            "inputs": {},
            "outputs": {},
            "versions": {"personax": "0.1.0", "numpy": "2.4.0"},
            "counts": {"people": PEOPLE},
            "notices": notices if place % 2 == 0 else [],
            "started": "2024-01-01T00:00:00",
            "seconds": 1.5,
            "plan": plan,
        }
        _dump(root / "manifests" / f"{stage}.json", manifest)


def write_study(root: Path) -> Path:
    """Write a whole study."""
    rng = np.random.default_rng(5)
    features = write_people(root, rng)
    write_readings(root)
    write_faces(root, rng)
    write_traits(root, rng)
    embedding = pl.Series("clip", rng.normal(size=(PEOPLE, 8)).astype(np.float32), dtype=pl.Array(pl.Float32, 8))
    _write(
        root / "embeddings" / "image.parquet",
        pl.DataFrame([pl.Series("id", [str(i) for i in range(PEOPLE)]), embedding]),
    )
    table = write_independence(root, features, rng)
    cell = {"scenario": f"nominal and {SCRIPT}", "times": 1000, "rate_05": 0.04, "low_05": 0.03, "high_05": 0.05}
    cells = [cell | {"test": "kci", "verdict": verdict} for verdict in ("level kept", "level not kept", "not run")]
    _write(root / "calibration" / "calibration.parquet", pl.DataFrame(cells))
    write_causes(root, table)
    write_manifests(root)
    return root


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="session")
def make_p_values() -> Callable[[list[str], tuple[str, ...], np.random.Generator], pl.DataFrame]:
    return p_values
