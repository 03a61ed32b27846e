"""Somebody else's framework through a whole study: HEXACO facets in German, nine points, a trait called as a column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.study import Study

DOMAINS = {"ehrlichkeit": "h", "emotionalitaet": "e", "extraversion": "x", "offenheit": "o"}
PEOPLE = 120

STUDY = """
name: hexaco
seed: 1
collect: {source: table, path: people.csv, columns: {league: {role: feature}, extraversion: {role: feature}}}
annotate: {source: questionnaire, path: antworten.csv, id: id, framework: hexaco60.yaml, domains: true}
embed: {source: offline}
independence: {tests: [kci], features: [league, extraversion], figures: false}
crl: {latents: {text: 2}, epochs: 1, seeds: 1, method: betavae}
discover: {over: [traits, features]}
report: {}
"""


def written(folder: Path) -> None:
    """Write the framework, people and answers; one league is more extravert."""
    rng = np.random.default_rng(0)
    facets = [(f"{domain}_{part}", domain) for domain in DOMAINS for part in ("eins", "zwei")]
    traits: list[dict[str, Any]] = [
        {"name": name, "letter": letter, "part_of": domain, "meaning": f"hoch in {name}", "items": [
            {"id": f"{letter.upper()}{k}", "text": f"Satz {k} über {name}.", "reversed": k % 2 == 0} for k in range(4)]}
        for letter, (name, domain) in zip("abcdfgij", facets, strict=True)
    ]  # fmt: skip
    described = {
        "name": "hexaco60", "language": "de", "anchors": [f"Stufe {k}" for k in range(1, 10)], "traits": traits,
        "domains": [{"name": name, "letter": letter, "meaning": name} for name, letter in DOMAINS.items()],
    }  # fmt: skip
    (folder / "hexaco60.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    place, league = rng.normal(size=(PEOPLE, len(DOMAINS))), rng.integers(2, size=PEOPLE)
    place[:, 2] += 1.5 * league
    answers: dict[str, list[object]] = {"id": [f"p{i}" for i in range(PEOPLE)]}
    for trait, (_, domain) in zip(traits, facets, strict=True):
        own = place[:, list(DOMAINS).index(domain)]
        for item in trait["items"]:
            said = 5 + 1.6 * own * (-1 if item["reversed"] else 1) + rng.normal(size=PEOPLE)
            answers[item["id"]] = [int(np.clip(round(value), 1, 9)) for value in said]
    pl.DataFrame(answers).write_csv(folder / "antworten.csv", separator=";")
    words = np.where(place[:, 2] > 0, "laut und kühn", "still und scheu")
    people = {"id": answers["id"], "league": ["AB"[one] for one in league], "extraversion": rng.normal(size=PEOPLE),
              "biography": [f"Eine Person, {word}." for word in words]}  # fmt: skip
    pl.DataFrame(people).write_csv(folder / "people.csv")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")


def test_both_levels_and_the_report_take_another_framework(tmp_path: Path) -> None:
    written(tmp_path)
    study = Study.load(tmp_path / "study.yaml")
    study.run()
    scores = pl.read_parquet(tmp_path / "traits" / "traits.parquet")
    assert scores.columns == ["id", *(f"final_{letter}" for letter in DOMAINS.values())]
    assert max(scores["final_x"].to_list()) > 7, "nine points"
    facets = pl.read_parquet(tmp_path / "traits" / "facets.parquet")
    halves = facets.select((pl.col("final_f") + pl.col("final_g")) / 2)["final_f"]
    assert np.allclose(halves, scores["final_x"])
    consistency = json.loads((tmp_path / "traits" / "domains.json").read_text(encoding="utf-8"))
    assert consistency["extraversion"]["alpha"] > 0.7
    level1 = pl.read_parquet(tmp_path / "analysis" / "independence" / "pvalues.parquet")
    assert set(level1["target"]) == {f"final_{letter}" for letter in DOMAINS.values()}
    found = level1.filter("rejected").select("feature", "target").unique().rows()
    assert ("league", "final_x") in found
    reading = (tmp_path / "analysis" / "crl" / "reading.json").read_text(encoding="utf-8")
    assert "final_x" in reading
    assert "final_n" not in reading
    graph = json.loads((tmp_path / "analysis" / "discovery" / "graph.json").read_text(encoding="utf-8"))
    assert {"final_h", "final_x"} <= {node["id"] for node in graph["nodes"]}
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    for shown in ("Ehrlichkeit", "Extraversion", "Offenheit"):
        assert shown in page
    for absent in ("Openness", "Neuroticism", "Big Five"):
        assert absent not in page
