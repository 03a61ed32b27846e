"""Sentences of the page against numbers worked out by hand: findings, power, verdicts, methods, pictures of pairs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.report import ReportData, gather, render
from personax.report._credibility import stage_verdicts
from personax.report._data import IndependenceResults
from personax.report._findings import detectable, findings, nothing_found
from personax.report._methods import limitations, methods_text, references
from personax.report._pair_profiles import pair_profile
from personax.report._questions import answers
from personax.schema import Column

TEXT = "final_a is higher where sex is women than where it is men: mean 4.78 (n 1,879) against 4.39 (n 918)"


def row(group: str, test: str, rejected: bool, **more: Any) -> dict[str, Any]:
    told = {
        "group": group, "feature": "sex", "target": f"{group}_a", "test": test, "method": "asymptotic", "n": 2797,
        "statistic": 1.0, "dof": None, "p_value": 0.001 if rejected else 0.4, "p_corrected": 0.01 if rejected else 0.6,
        "effect_size": 0.214, "effect_low": 0.171, "effect_high": 0.24, "effect_name": "Cramér's V",
        "rejected": rejected, "direction": "groups", "level_high": "women", "level_low": "men",
        "direction_text": TEXT.replace("final", group), "reason": None,
    }  # fmt: skip
    return told | more


def results(rows: list[dict[str, Any]]) -> IndependenceResults:
    table = pl.DataFrame(rows, infer_schema_length=None)
    counts = table.group_by("group", "test", maintain_order=True).agg(
        pl.len(), pl.col("p_value").count().alias("done"), pl.col("rejected").sum()
    )
    return IndependenceResults(table, ["sex"], 1, {(g, t): (a, b, c) for g, t, a, b, c in counts.iter_rows()}, None)


def test_a_finding_has_direction_numbers_interval_and_who_agrees() -> None:
    rows = [row("final", test, True) for test in ("kci", "chisq", "gsq")]
    rows += [row("oak", "kci", True), row("elm", "kci", True, level_high="men", level_low="women")]
    rows += [row("ash", "kci", False)]
    (found,) = findings(results(rows))
    assert found.claim == TEXT.replace("final_a", "Agreeableness") + "."
    assert found.support == (
        "Cramér's V .21, 95 % .17 to .24, n 2,797; dependent by all 3 tests; the same in 1 of 3 raters."
    )


def test_what_does_not_survive_the_correction_is_no_finding_and_power_is_told() -> None:
    silent = results([row("final", "kci", False, feature=f"f{i}", n=103) for i in range(20)])
    assert findings(silent) == []
    smallest = math.tanh((2.5758 + 0.8416 + 0.4475) / 10)  # z of .05/20/2 is 3.0233
    assert detectable(103, 0.05, 20) == pytest.approx(smallest, abs=2e-3)
    assert nothing_found(silent, 0.05).startswith("Nothing was found at this n: none of 20 pairs")
    assert "With 103 people a correlation of .37 or more" in nothing_found(silent, 0.05)


def test_power_is_what_simulation_gives() -> None:
    n, rng = 200, np.random.default_rng(0)
    r = detectable(n, 0.05, 1)
    x, noise = rng.normal(size=(2, 4000, n))
    y = r * x + math.sqrt(1 - r * r) * noise
    found = [abs(math.atanh(np.corrcoef(a, b)[0, 1])) * math.sqrt(n - 3) > 1.96 for a, b in zip(x, y, strict=True)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


def test_a_curve_and_a_table_of_counts_are_aggregates() -> None:
    frame = pl.DataFrame({"age": [float(i // 10) for i in range(200)], "score": [float(i // 100) for i in range(200)]})
    curve = pair_profile(frame, Column("age", "feature", "continuous"), Column("score", "target", "ordinal"))
    assert curve is not None
    assert [r[curve["names"].index("mean")] for r in curve["rows"]] == [0.0] * 5 + [1.0] * 5
    club = ["a"] * 40 + ["b"] * 40 + ["rare"] * 3
    city = ["x"] * 30 + ["y"] * 10 + ["x"] * 10 + ["y"] * 30 + ["z"] * 3
    table = pair_profile(
        pl.DataFrame({"club": club, "city": city}),
        Column("club", "feature", "nominal"),
        Column("city", "target", "nominal"),
    )
    assert table is not None
    cells = {(r[0], r[1]): r[2:] for r in table["rows"]}
    assert not {"rare", "z"} & {name for pair in cells for name in pair}, "three people are not named"
    n, expected, residual = cells["a", "x"]
    assert (n, expected) == (30, pytest.approx(40 * 40 / 83))
    assert residual == pytest.approx((30 - 40 * 40 / 83) / math.sqrt(40 * 40 / 83 * (43 / 83) ** 2))
    assert cells["a", "1 others"][0] is None, "fewer than five are not counted"
    assert (
        pair_profile(frame.head(8), Column("age", "feature", "continuous"), Column("score", "target", "ordinal"))
        is None
    )


def test_every_stage_has_a_verdict_and_methods_are_the_runs_own(study: Path) -> None:
    data = gather(study)
    standings = {one.name: one.standing for one in stage_verdicts(data)}
    assert standings == {"People": "doubtful", "Traits": "fails", "Dependence": "holds", "Latents": "fails"}
    text = " ".join(methods_text(data))
    for said in (
        "400 simulated people",
        "3 raters",
        "KCI (a gamma null)",
        "Benjamini and Hochberg",
        "Seed 7",
        "numpy 2.4.0",
    ):
        assert said in text, said
    bibtex = " ".join(references(data))
    assert all(key in bibtex for key in ("zhang2011kernel", "pearson1900", "benjamini1995", "krippendorff"))
    said = " ".join(limitations(data))
    assert "simulated" in said
    assert "never compared with humans" in said
    questions = answers(data)
    assert len(questions) == 10
    assert all(one.answer or one.command for one in questions)


def test_one_sided_and_few_people_are_a_limitation(tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    frame = pl.DataFrame({"id": list("abcdefghij"), "gender": ["man"] * 9 + ["woman"], "country": ["Germany"] * 10})
    frame.write_parquet(tmp_path / "people" / "people.parquet")
    kinds = {"id": "id", "gender": "feature", "country": "feature"}
    columns = [f'{{"name": "{n}", "role": "{role}", "kind": "nominal"}}' for n, role in kinds.items()]
    (tmp_path / "people" / "columns.json").write_text(f"[{', '.join(columns)}]", encoding="utf-8")
    told = limitations(gather(tmp_path))
    assert "90% of the people have gender “man”: findings are about them." in told
    assert "10 people are few: weak dependences stay unseen." in told
    assert "What we found" in render(gather(tmp_path))


def test_a_correction_of_none_and_a_release_without_an_audit_fail(study: Path) -> None:
    data = gather(study)
    plans = [replace(m, plan={"correction": "none"}) if m.stage == "independence" else m for m in data.manifests]
    told = {one.name: one for one in stage_verdicts(replace(data, manifests=plans))}
    assert told["Dependence"].standing == "fails"
    assert told["Dependence"].sentence.startswith("No correction over the pairs")
    assert stage_verdicts(ReportData("empty")) == []
