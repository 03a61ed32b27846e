"""Adjudication on a simulated study: the cells that are looked at again, and what decisions do to the scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from personax.cli import app
from personax.errors import InputError, PersonaxError
from personax.schema import TRAITS
from personax.study import Study
from personax.traits.validity import cells_to_adjudicate, decisions, disagreements

runner = CliRunner()

STUDY = "name: adjudged\nseed: 3\ncollect: {source: simulate, n: 150, images: false}\nannotate: {source: simulate%s}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose sheet is out."""
    root = tmp_path_factory.mktemp("adjudged")
    (root / "study.yaml").write_text(STUDY % "", encoding="utf-8")
    told = called(root, "--cells", "60", "--json")
    assert (told["cells"], told["disagreements"], told["controls"]) == (60, 48, 12)
    return root


def called(root: Path, *words: str) -> Any:
    done = runner.invoke(app, ["traits", "adjudicate", str(root / "study.yaml"), *words])
    if isinstance(done.exception, PersonaxError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in words else done.stdout


def sheet(root: Path) -> pl.DataFrame:
    return pl.read_csv(root / "traits" / "adjudication" / "export" / "adjudication.csv", infer_schema=False)


def annotated(root: Path, filled: pl.DataFrame) -> tuple[Study, pl.DataFrame]:
    filled.write_csv(root / "filled.csv")
    (root / "study.yaml").write_text(STUDY % ", adjudication: filled.csv", encoding="utf-8")
    study = Study.load(root / "study.yaml")
    study.run(["annotate"])
    return study, pl.read_parquet(root / "traits" / "traits.parquet")


def test_a_sheet_goes_out_and_decisions_come_back_with_their_origin(folder: Path) -> None:
    before = pl.read_parquet(folder / "traits" / "traits.parquet")
    out = sheet(folder)
    assert out.columns == ["task", "about", "trait", "question", "answers", "rater", "score"]
    assert out["answers"][0] == "1 = low; 2 = medium; 3 = high; 0 = insufficient information"
    cells = pl.read_parquet(folder / "traits" / "adjudication" / "cells.parquet")
    assert not set(before["id"]) & {word for text in out["about"] for word in text.split()}
    widest = cells.filter(pl.col("why") == "disagreement")["spread"].min()
    rated = pl.read_parquet(folder / "traits" / "annotations.parquet")
    left = disagreements(rated).join(cells, on=["person", "trait"], how="anti")
    assert left["spread"].max() <= widest, "the widest disagreements are decided first"
    score = ["0", *["3"] * 59]
    filled = out.with_columns(pl.Series("score", score), pl.lit("Dr. Eve").alias("rater"))
    more = filled.tail(1).with_columns(pl.lit("Bob").alias("rater"), pl.lit("1").alias("score"))
    study, after = annotated(folder, pl.concat([filled, more]))
    told = pl.read_parquet(folder / "traits" / "adjudicated.parquet")
    assert told.columns == ["person", "trait", "score", "adjudicators", "before", "spread", "ratings", "why"]
    assert told.height == 59, "one cell has two decisions and stays open"
    letters = {trait: trait[0] for trait in TRAITS}
    for person, trait, decided in told.select("person", "trait", "score").iter_rows():
        assert after.filter(pl.col("id") == person)[f"final_{letters[trait]}"].item() == decided
    assert told["score"].null_count() == 1, "insufficient information decides that there is no score"
    untouched = before.join(told.select("person").unique(), left_on="id", right_on="person", how="anti")["id"]
    rest = [frame.filter(pl.col("id").is_in(untouched.to_list())) for frame in (before, after)]
    assert rest[0].equals(rest[1])
    raters = [name for name in before.columns if not name.startswith("final_")]
    assert before.select(raters).equals(after.select(raters)), "what raters said stays"
    draws = pl.read_parquet(folder / "traits" / "imputations.parquet").filter(pl.col("id") == told["person"][1])
    assert draws[f"final_{letters[told['trait'][1]]}"].unique().to_list() == [3.0]
    report = json.loads((folder / "traits" / "adjudication.json").read_text(encoding="utf-8"))
    assert (report["cells"], report["open"]) == (59, 1)
    assert report["severity"]["control"]["value"] > 0.3
    notices = str(study.folder.manifest("annotate"))
    for said in ("decided by adjudication", "have different decisions", "theirs is another scale"):
        assert said in notices
    assert "Eve" not in notices + json.dumps(report)
    assert "Eve" not in (folder / "traits" / "adjudicated.parquet").read_bytes().decode("latin-1")


def test_changed_decisions_make_the_stage_stale_and_bad_ones_are_refused(folder: Path) -> None:
    filled = sheet(folder).with_columns(pl.lit("2").alias("score"), pl.lit("x").alias("rater"))
    study, first = annotated(folder, filled)
    assert not any(outcome.ran for outcome in study.run(["annotate"]))
    _, second = annotated(folder, filled.with_columns(pl.lit("high").alias("score")))
    assert not first.equals(second)
    for score, person, said in (("4", None, "not one of 1, 2, 3"), ("2", "nobody", "none of the people")):
        bad = filled.with_columns(pl.lit(score).alias("score"))
        bad = bad if person is None else bad.with_columns(pl.lit(person).alias("task"))
        with pytest.raises(InputError, match=f"annotate.adjudication: filled.csv: .*{said}"):
            annotated(folder, bad)
    (folder / "study.yaml").write_text(STUDY % "", encoding="utf-8")
    with pytest.raises(PersonaxError, match="holds another sample"):
        called(folder, "--cells", "50")
    assert "ratings" in called(folder, "--cells", "60", "--show-ratings") or "ratings" in sheet(folder).columns


def test_who_is_looked_at_again_and_what_is_a_decision() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"person": f"p{i}", "model": model, "trait": "zeal", "score": score, "status": status}
        for i in range(100)
        for model, score, status in (("a", 1.0, "ok"), ("b", 1.0 + (i < 9) + (i < 3), "ok"), ("c", None, "refused"))
    ]
    found = disagreements(pl.DataFrame(rows))
    sd = pl.DataFrame({"person": ["p5"], "trait": ["zeal"], "sd": [9.0]})
    cells = cells_to_adjudicate(found, 5, rng=rng, sd=sd)
    assert sorted(cells.filter(pl.col("why") == "disagreement")["person"]) == ["p0", "p1", "p2", "p5"]
    assert cells_to_adjudicate(found, 1, rng=rng).height == 1
    assert cells_to_adjudicate(found, 1000, rng=rng).height == 100
    with pytest.raises(InputError, match="nothing to adjudicate"):
        cells_to_adjudicate(found.filter(pl.col("spread") == 0), 5, rng=rng)
    told = pl.DataFrame(
        [("a", "zeal", "h1", 1.0, "ok"), ("a", "zeal", "h2", 1.0, "ok"), ("b", "zeal", "h1", None, "insufficient"),
         ("c", "zeal", "h1", 1.0, "ok"), ("c", "zeal", "h2", None, "insufficient"),
         ("d", "zeal", "h1", None, "off_scale")],
        schema=["person", "trait", "model", "score", "status"], orient="row",
    )  # fmt: skip
    assert decisions(told)[0].rows() == [("a", "zeal", 1.0, 2), ("b", "zeal", None, 1)]
    assert decisions(told)[1] == 1
