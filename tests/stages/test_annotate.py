"""annotate as a stage: one score a trait by any rule, how sure it is, and Level I on plausible scores."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from personax.config import AnnotateSimulated
from personax.errors import PlanError
from personax.stages._annotate import _silence_notices
from personax.study import Study

STUDY = """\
name: raters
seed: 3
collect: {{source: simulate, n: 200, images: false}}
annotate: {annotate}
independence: {{tests: [chisq, kci], imputations: {imputations}, figures: false}}
"""


def study(folder: Path, annotate: str = "{source: simulate}", imputations: int = 3) -> Study:
    path = folder / "study.yaml"
    path.write_text(STUDY.format(annotate=annotate, imputations=imputations), encoding="utf-8")
    return Study.load(path)


@pytest.mark.parametrize("rule", ["majority", "dawid_skene", "many_facet"])
def test_every_rule_scores_a_study_and_says_how_sure_it_is(tmp_path: Path, rule: str) -> None:
    loaded = study(tmp_path, f"{{source: simulate, rule: {rule}}}")
    loaded.run(["annotate"])
    traits = pl.read_parquet(loaded.folder.path("traits", "traits.parquet"))
    sure = pl.read_parquet(loaded.folder.path("traits", "uncertainty.parquet"))
    draws = pl.read_parquet(loaded.folder.path("traits", "imputations.parquet"))
    assert sure["id"].to_list() == traits["id"].to_list()
    assert sure["sd_o"].is_null().to_list() == traits["final_o"].is_null().to_list()
    assert (sure["sd_o"].drop_nulls() > 0).all()
    assert draws["draw"].n_unique() == 20
    assert draws.filter(pl.col("draw") == 7)["id"].to_list() == traits["id"].to_list()


def test_silence_that_depends_on_a_group_is_said_and_plausible_scores_are_asked_for(tmp_path: Path) -> None:
    loaded = study(
        tmp_path, "{source: simulate, rule: many_facet, scores: plausible, families: {steady: a, lenient: a}}"
    )
    loaded.run(["annotate"])
    traits = pl.read_parquet(loaded.folder.path("traits", "traits.parquet"))
    sure = pl.read_parquet(loaded.folder.path("traits", "uncertainty.parquet"))
    both = traits.join(sure, on="id").select("final_o", "expected_o", "sd_o").drop_nulls()
    gap = (both["final_o"] - both["expected_o"]) / both["sd_o"]
    assert gap.std() == pytest.approx(1.0, abs=0.15), "one draw of each score"
    found = json.loads(loaded.folder.path("traits", "reliability.json").read_text(encoding="utf-8"))["silence"]
    assert {one["rater"] for one in found} == {"steady", "lenient", "reticent"}
    least = min(found, key=lambda one: one["p_corrected"])
    said = _silence_notices([least | {"p_corrected": 1e-5}], AnnotateSimulated(source="simulate"))
    assert least["rater"] in said[0].text
    assert "{scores: plausible} allows for it" in said[0].text
    with pytest.raises(PlanError, match="no rater stedy; did you mean steady"):
        study(tmp_path, "{source: simulate, families: {stedy: a}}").run(["annotate"])


def test_level_one_says_what_remains_when_scores_are_uncertain(tmp_path: Path) -> None:
    loaded = study(tmp_path)
    loaded.run(["independence"])
    here = loaded.folder.path("analysis", "independence")
    pooled = pl.read_csv(here / "pooled.csv")
    plain = pl.read_parquet(here / "pvalues.parquet").filter(pl.col("group") == "final")
    assert pooled.select("feature", "target", "test").rows() == plain.select("feature", "target", "test").rows()
    assert pooled["n_draws"].max() == 3
    both = plain.join(pooled, on=["feature", "target", "test"], suffix="_pooled")
    assert both["p_value"].is_null().to_list() == both["p_pooled"].is_null().to_list()
    kept, found = both["rejected_pooled"].sum(), both["rejected"].sum()
    assert 0 < kept < found, "draws weaken dependences, and strong ones stay"
    assert loaded.folder.manifest("independence").counts["rejected_with_uncertain_scores"] == kept  # type: ignore[union-attr]


def test_plausible_scores_need_raters(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("id,x,final_o\n" + "\n".join(f"p{i},{i % 3},{i % 2}" for i in range(40)), encoding="utf-8")
    path = tmp_path / "study.yaml"
    path.write_text(
        f"name: t\ncollect: {{source: table, path: {people}}}\n"
        "independence: {tests: [chisq], imputations: 2, figures: false}\n",
        encoding="utf-8",
    )
    with pytest.raises(PlanError, match="imputations"):
        Study.load(path).run(["independence"])


def test_the_lexicon_may_be_one_rater_more_of_simulated_people(tmp_path: Path) -> None:
    loaded = study(tmp_path, "{source: simulate, lexicon: true}")
    loaded.run(["annotate"])
    rated = pl.read_parquet(loaded.folder.path("traits", "annotations.parquet"))
    assert rated.filter(pl.col("model") == "lexicon").height == 5 * 200
    traits = pl.read_parquet(loaded.folder.path("traits", "traits.parquet"))
    both = traits.select("lexicon_e", "final_e").drop_nulls()
    assert both.height > 50
    assert both.select(pl.corr("lexicon_e", "final_e")).item() > 0.7
