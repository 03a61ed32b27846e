"""A study that collects again keeps what was, says what changed, and can be about one wave or all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from personax import cli
from personax.errors import InputError, PlanError
from personax.stages import trait_drift
from personax.study import Study

HEAD = "id,name,birth_date,height_cm,weight_kg,club\n"
FIRST = "".join(f"{n},Person {n}x,19{50 + n}-02-03,{150 + n},{50 + n},{'AB'[n % 2]}\n" for n in range(1, 41))
SECOND = FIRST.replace("7,Person 7x,1957-02-03,157,57", "7,Person 7x,1957-02-03,157,67")
SECOND = SECOND.replace("9,Person 9x,1959-02-03,159,59,B\n", "") + "41,Late Comer,1999-09-09,180,80,A\n"


def study(folder: Path, people: str, **settings: Any) -> Study:
    (folder / "people.csv").write_text(HEAD + people)
    collect = {"source": "several", "sources": [{"source": "table", "path": "people.csv"}], **settings}
    level_one = {"tests": ["chisq"], "features": ["club", "wave"], "targets": ["weight_kg"]}
    plan = {"name": "twice", "collect": collect, **({"independence": level_one} if "waves" in settings else {})}
    (folder / "study.yaml").write_text(json.dumps(plan))
    return Study.load(folder / "study.yaml")


def told(read: Study) -> str:
    manifest = read.folder.manifest("collect")
    assert manifest is not None
    return " ".join(str(notice["text"]) for notice in manifest.notices)


def test_a_player_who_left_and_ten_kilograms_are_neither_lost_nor_silent(tmp_path: Path) -> None:
    study(tmp_path, FIRST).run(["collect"])
    assert not (tmp_path / "people" / "waves").exists()
    again = study(tmp_path, SECOND)
    again.run(["collect"])
    assert "Wave 2: 1 people came, 1 went and 1 changed" in told(again)
    assert "weight_kg changed for 1 people, for 1 of them by more than 10%" in told(again)
    changes = pl.read_parquet(tmp_path / "people" / "changes.parquet")
    assert changes.rows() == [
        (2, "people-7", "changed", "weight_kg", "57", "67"), (2, "people-41", "came", None, None, None),
        (2, "people-9", "went", None, None, None),
    ]  # fmt: skip
    before = pl.read_parquet(tmp_path / "people" / "waves" / "001.parquet")
    assert before.filter(pl.col("id") == "people-9")["weight_kg"].to_list() == [59]
    # again without a change, and with other settings on the same file: no wave, and nothing is lost
    bytes_before = {path.name: path.read_bytes() for path in (tmp_path / "people").rglob("*.*") if path.is_file()}
    again.run(["collect"], force=True)
    assert bytes_before == {p.name: p.read_bytes() for p in (tmp_path / "people").rglob("*.*") if p.is_file()}
    study(tmp_path, SECOND, complete=True).run(["collect"])
    assert [path.name for path in (tmp_path / "people" / "waves").iterdir()] == ["001.parquet"]
    # a part of the people is no wave
    for _ in range(2):
        study(tmp_path, SECOND, limit=3).run(["collect"], force=True)
    third = study(tmp_path, SECOND.replace("B\n", "C\n"))
    third.run(["collect"])
    assert "Wave 3: 0 people came, 0 went and" in told(third)
    page = third.page()
    assert "the people were collected 3 times" in page
    assert "people-9" not in page
    shown = CliRunner().invoke(cli.app, ["waves", str(tmp_path / "study.yaml"), "--json"])
    found = json.loads(shown.stdout)
    assert [one["wave"] for one in found["earlier"]] == [1, 2]
    assert {"wave": 2, "change": "went", "column": None, "people": 1} in found["changes"]


def test_waves_are_analysed_alone_and_together(tmp_path: Path) -> None:
    study(tmp_path, FIRST).run(["collect"])
    both = study(tmp_path, SECOND, waves="all")
    both.run(["collect", "independence"])
    people = pl.read_parquet(tmp_path / "people" / "people.parquet")
    assert people.height == 80
    assert people.group_by("wave").len().sort("wave").rows() == [(1, 40), (2, 40)]
    assert people.filter(pl.col("person") == "people-7").sort("wave").select("id", "weight_kg").rows() == [
        ("people-7@1", 57), ("people-7@2", 67),
    ]  # fmt: skip
    manifest = both.folder.manifest("independence")
    assert manifest is not None
    assert "waves of a person as one cluster" in str(manifest.notices), "rows of one person are not independent"
    columns = {one["name"]: one["role"] for one in json.loads((tmp_path / "people" / "columns.json").read_text())}
    assert (columns["person"], columns["wave"]) == ("private", "feature")
    alone = study(tmp_path, SECOND, waves=1)
    alone.run(["collect"])
    ids = pl.read_parquet(tmp_path / "people" / "people.parquet")["id"]
    assert ("people-9" in ids, "people-41" in ids) == (True, False)
    with pytest.raises(PlanError, match="there is no wave 3; there are 1, 2"):
        study(tmp_path, SECOND, waves=3).run(["collect"])


def test_the_drift_of_scores_is_that_of_the_same_people() -> None:
    people = pl.DataFrame({"id": ["a@1", "b@1", "c@1", "a@2", "b@2", "d@2"], "person": list("abcabd"),
                           "wave": [1, 1, 1, 2, 2, 2]})  # fmt: skip
    scores = pl.DataFrame({"id": people["id"], "final_o": [1.0, 2.0, 9.0, 2.0, 3.5, 9.0]})
    (row,) = trait_drift(people, scores, ["final_o"]).rows(named=True)
    assert (row["people"], row["mean_change"], row["from_wave"], row["to_wave"]) == (2, 1.25, 1, 2)
    # t of one degree of freedom at .975 is 12.706; the differences 1 and 1.5 have the standard error .25
    assert row["low"] == pytest.approx(1.25 - 12.7062 * 0.25, abs=1e-3)
    with pytest.raises(InputError, match="waves: all"):
        trait_drift(people.drop("wave"), scores, ["final_o"])


@pytest.mark.parametrize("repeated", [True, False])
def test_waves_are_clusters_where_somebody_is_in_two(tmp_path: Path, repeated: bool) -> None:
    rows = [
        (f"P{n if repeated else 60 * wave + n}", wave, 1 + (n + wave) % 5, "ab"[n % 2])
        for wave in (1, 2)
        for n in range(60)
    ]
    names = ["person", "wave", "final_o", "club"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(tmp_path / "asked.csv")
    plan = {"name": "asked", "collect": {"source": "table", "path": "asked.csv"}, "independence": {"tests": ["auto"]}}
    (tmp_path / "study.yaml").write_text(json.dumps(plan))
    read = Study.load(tmp_path / "study.yaml")
    read.run(["collect", "independence"])
    found = pl.read_parquet(tmp_path / "analysis" / "independence" / "pvalues.parquet")
    assert found["p_value"].null_count() == 0
    manifest = read.folder.manifest("independence")
    assert manifest is not None
    assert any("as one cluster" in str(notice["text"]) for notice in manifest.notices) == repeated
