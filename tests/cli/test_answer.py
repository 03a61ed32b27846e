"""personax answer: what a stranger may ask, what leaves, what stays, and what two answers together would tell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.cli.program import Run

STUDY = """\
name: Hundred and fifty
seed: 3
collect: {source: simulate, n: 150, images: false, text_dim: 12, image_dim: 12}
annotate: {source: simulate}
embed: {source: simulate}
release: {removed: gone.txt, withheld: [latitude, longitude]}
answer: {requests: 4, tests: 300, withheld: [nationality_code]}
"""

LEVEL_I = (
    "requester: A. Reader\n"
    "independence: {features: [gender, height_cm], targets: [final_o, final_c], tests: [kci, gsq]}\n"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from personax.study import Study

    folder = tmp_path_factory.mktemp("people")
    (folder / "study.yaml").write_text(STUDY.replace(", withheld: [nationality_code]", ""))
    (folder / "gone.txt").write_text("")
    Study.load(folder).run(["collect", "annotate", "embed"])
    return folder


@pytest.fixture
def study(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "study")


def ask(study: Path, text: str) -> Path:
    file = study.parent / "request.yaml"
    file.write_text(text)
    return file


def log(study: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (study / "answers/log.jsonl").read_text().splitlines()]


def test_an_answer_is_the_studys_own_result_rounded_and_is_logged(study: Path, personax: Run) -> None:
    from personax.independence import screen
    from personax.release.answering import join_small_cells
    from personax.stages._base import Reader
    from personax.stages._independence import people_with_scores
    from personax.study import Study

    out = study.parent / "out"
    code, said, _ = personax("answer", ask(study, LEVEL_I), "--study", study, "--out", out)
    assert code == 0, said
    assert "3 requests left" in said
    (place,) = out.iterdir()
    assert sorted(path.name for path in place.iterdir()) == ["answer.json", "dependences.json", "independence.csv"]
    found = pl.read_csv(place / "independence.csv")
    loaded = Study.load(study)
    table = people_with_scores(Reader(loaded.plan, loaded.base, loaded.folder))
    kinds = {c.name: c.kind for c in table.columns if c.name in LEVEL_I}
    treated, _ = join_small_cells(table.select(name for name in table.names if name == "id" or name in LEVEL_I), 10)
    own = screen(treated.frame, ["gender", "height_cm"], ["final_o", "final_c"], tests=["kci"], kinds=kinds)
    mine = found.filter(pl.col("test") == "kci")
    height = own.filter(pl.col("feature") == "height_cm")["p_value"].to_list()
    shown = mine.filter(pl.col("feature") == "height_cm")["p_value"].to_list()
    assert shown == pytest.approx(height, rel=0.005), "values of fewer than ten people are joined, no more"
    told = json.loads((place / "answer.json").read_text())
    assert told["people"] == 150
    assert any("height_cm" in one["what"] and "cannot run" in one["why"] for one in told["suppressed"])
    asked, answered = log(study)
    assert (asked["event"], answered["event"]) == ("asked", "answered")
    assert asked["request"] == answered["request"] == told["request_sha256"]
    assert set(answered["left"]) == {path.name for path in place.iterdir()}  # type: ignore[call-overload]
    assert (study / "answers/log.jsonl").stat().st_mode & 0o777 == 0o600


def test_nothing_of_a_row_leaves(study: Path, personax: Run) -> None:
    text = LEVEL_I + (
        "discover: {over: [traits, latents, features], bootstraps: 2}\n"
        "crl: {latents: {text: 2, image: 2}, method: cca, seeds: 2, epochs: 2}\n"
    )
    out = study.parent / "out"
    code, _, err = personax("answer", ask(study, text), "--study", study, "--out", out)
    assert code == 0, err
    (place,) = out.iterdir()
    names = {path.name for path in place.iterdir()}
    assert names == {"answer.json", "crl.json", "dependences.json", "discovery.json", "independence.csv"}
    people = pl.read_parquet(study / "people/people.parquet")
    everything = "".join(path.read_text() for path in place.iterdir())
    assert not [one for one in people["id"] if one in everything]
    told = json.loads((place / "crl.json").read_text())
    assert set(told) == {"metrics", "assumptions", "associations", "graph"}
    graph = json.loads((place / "discovery.json").read_text())
    assert graph["details"]["n"] == 150
    assert not [edge for edge in graph["edges"] if edge["source"].startswith("final_") and edge["kind"] == "directed"
                and edge["target"] == "height_cm"], "a trait causes no height"  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("requester: A\nindependence: {features: [name]}", "no column 'name' may be asked about"),
        ("requester: A\nindependence: {features: [birth_date]}", "no column 'birth_date' may be asked about"),
        ("requester: A\nindependence: {features: [latitude]}", "no column 'latitude' may be asked about"),
        ("requester: A\nindependence: {by: name}", "no column 'name' may be asked about"),
        ("requester: A\nindependence: {by: height_cm, features: [gender]}", "not groups of people"),
        ("requester: A\nindependence: {}", "tests: the request asks for"),
        ("requester: A\ncrl: {latents: {text: 40}}", "crl.latents: the request asks for 40"),
        ("requester: A\ncrl: {latents: {text: 2}, epochs: 1000}", "crl.epochs"),
        ("requester: A\ncrl: {latents: {face: 2}}", "no modality 'face' may be asked about"),
        ("requester: A\ndiscover: {bootstraps: 100000}", "discover.bootstraps"),
        ("requester: A", "asks for nothing"),
        ("independence: {}", "the key requester is missing"),
        ("requester: A\ncollect: {source: table, path: /etc/passwd}", "unknown key collect"),
        ("requester: A\nindependence: {options: {kci: {}}}", "unknown key options"),
        ("requester: A\nindependence: {imputations: 3}", "unknown key imputations"),
        ("requester: A\ncrl: {latents: {text: 2}, threads: 100}", "unknown key threads"),
        ("requester: A\ncrl: {latents: {text: 2}, device: cuda}", "unknown key device"),
        ("requester: A\nbase_url: http://example.org\nindependence: {}", "unknown key base_url"),
        ("requester: &a A\nindependence: {by: *a}", "no anchors"),
        ("requester: !!python/name:os.system A", "no anchors, aliases or tags"),
        ("requester: A\nindependence: " + "[" * 3000, "blocks within blocks"),
        ("requester: A\npurpose: " + "x" * 70_000, "bytes; a request is shorter"),
        ("requester: A\ndiscover: {over: [latents]}", "add a section crl"),
        ("requester: [A]\nindependence: {}", "requester: must be a valid string"),
    ],
)
def test_what_a_request_may_not_say(study: Path, personax: Run, text: str, message: str) -> None:
    code, _, err = personax("answer", ask(study, text), "--study", study, "--out", study.parent / "out")
    assert code == 1
    assert message in err, err
    assert not (study.parent / "out").exists()


def test_the_budget_is_of_a_person_and_the_owner_says_who_asks(study: Path, personax: Run) -> None:
    for turn in range(5):
        text = LEVEL_I.replace("A. Reader", f"Somebody new {turn}") + f"# {turn}\n"
        code, _, err = personax("answer", ask(study, text), "--study", study, "--out", study.parent / "out",
                                "--requester", "A. Reader")  # fmt: skip
        assert code == (turn == 4)
    assert "has asked 4 times, which is all" in err


def test_people_who_leave_between_two_answers_cannot_be_told_by_them(study: Path, personax: Run) -> None:
    out = study.parent / "out"
    assert personax("answer", ask(study, LEVEL_I), "--study", study, "--out", out)[0] == 0
    (study / "gone.txt").write_text("p00003\np00004\np00005\n")
    code, said, _ = personax("answer", ask(study, LEVEL_I + "# again\n"), "--study", study, "--out", out, "--json")
    assert code == 0
    assert "earlier answer to this question" in said
    numbers = [pl.read_csv(path / "independence.csv")["p_value"].null_count() for path in sorted(out.iterdir())]
    assert sorted(numbers)[-1] == 8, "the second has no number"
    text = LEVEL_I.replace("height_cm", "weight_kg").replace("gender", "occupation")
    code, said, _ = personax("answer", ask(study, text), "--study", study, "--out", out)
    assert code == 0
    assert "earlier answer" not in said, "a question that was never answered can be"


def test_groups_that_differ_from_earlier_ones_by_few_are_refused(study: Path, personax: Run) -> None:
    out, text = study.parent / "out", LEVEL_I.replace("[gender, ", "[").replace("tests", "by: gender, tests")
    assert personax("answer", ask(study, text), "--study", study, "--out", out)[0] == 0
    found = pl.read_csv(next(iter(out.iterdir())) / "independence.csv")
    assert set(found["subgroup"]) == {"all", "female", "male"}
    gone = pl.read_parquet(study / "people/people.parquet").filter(pl.col("gender") == "female")["id"][:2]
    (study / "gone.txt").write_text("\n".join(gone))
    code, _, err = personax("answer", ask(study, text + "# again\n"), "--study", study, "--out", out)
    assert code == 1
    assert "differ by fewer than 10" in err
    assert log(study)[-1]["event"] == "refused"


def test_an_answer_that_holds_a_name_is_stopped(study: Path, personax: Run) -> None:
    people = pl.read_parquet(study / "people/people.parquet")
    made = people.with_columns(
        pl.Series("gender", [people["name"][0] if g == "female" else g for g in people["gender"]])
    )
    made.write_parquet(study / "people/people.parquet")
    manifest = study / "manifests/collect.json"
    from personax.files import sha256

    raw = json.loads(manifest.read_text())
    raw["outputs"]["people/people.parquet"] = sha256(study / "people/people.parquet")
    manifest.write_text(json.dumps(raw))
    for stage in ("annotate", "embed"):
        other = json.loads((study / f"manifests/{stage}.json").read_text())
        other["inputs"] = {k: raw["outputs"].get(k, v) for k, v in other["inputs"].items()}
        (study / f"manifests/{stage}.json").write_text(json.dumps(other))
    text = LEVEL_I.replace("[gender, ", "[").replace("tests", "by: gender, tests")
    code, _, err = personax("answer", ask(study, text), "--study", study, "--out", study.parent / "out")
    assert code == 1, err
    assert people["name"][0] not in err
    assert not list((study.parent / "out").iterdir())


def test_a_study_that_moved_on_answers_nothing(study: Path, personax: Run) -> None:
    (study / "study.yaml").write_text(STUDY.replace("n: 150", "n: 151").replace(", withheld: [nationality_code]", ""))
    code, _, err = personax("answer", ask(study, LEVEL_I), "--study", study, "--out", study.parent / "out")
    assert code == 1
    assert "the stage collect is stale" in err


def test_the_owners_list_is_checked(study: Path, personax: Run) -> None:
    (study / "study.yaml").write_text(STUDY)
    code, _, err = personax("answer", ask(study, LEVEL_I), "--study", study, "--out", study.parent / "out")
    assert code == 1
    assert "answer: there is no column nationality_code" in err


def test_a_group_of_three_is_in_no_part_of_an_answer(study: Path) -> None:
    from personax.config import AnswerRequest, AnswerSection
    from personax.data.table import Table
    from personax.schema import Column
    from personax.stages._answer import _parts

    frame = pl.DataFrame({"id": [f"p{i}" for i in range(53)], "team": ["a"] * 30 + ["b"] * 20 + ["c"] * 3})
    people = Table(frame, [Column("id", "id", "nominal"), Column("team", "feature", "nominal")])
    request = AnswerRequest.model_validate({"requester": "A", "independence": {"by": "team"}})
    parts = _parts(people, request, AnswerSection())
    assert {value: part.height for value, part in parts.tables.items()} == {"": 50, "a": 30, "b": 20}


def test_a_choice_of_alpha_tells_no_more_digits(study: Path, personax: Run) -> None:
    text = "requester: A\nindependence: {{features: [gender], targets: [final_o], tests: [chisq], alpha: {}}}\n"
    shown: list[Path] = []
    p = 0.0
    for number, alpha in enumerate(("0.05", None, None)):
        level = alpha or repr(p * (1 + (0.0004 if number == 1 else -0.0004)))
        code, _, err = personax("answer", ask(study, text.format(level)), "--study", study, "--out", study.parent / "o")
        assert code == 0, err
        (place,) = {*(study.parent / "o").iterdir()} - {*shown}
        shown.append(place)
        row = pl.read_csv(place / "independence.csv").row(0, named=True)
        p = row["p_corrected"]
        assert row["rejected"] == (p < float(level))
    fine = "requester: A\ndiscover: {over: [traits], alpha: 0.0123}\n"
    code, _, err = personax("answer", ask(study, fine), "--study", study, "--out", study.parent / "o")
    assert code == 1
    assert "digit by digit" in err


def test_the_cost_of_a_request_counts_its_groups_and_its_graph(study: Path, personax: Run) -> None:
    tests = "[kci, hsic, rcit, gcm, usp, chisq, gsq]"
    for text in (
        f"requester: A\nindependence: {{features: [gender, height_cm, occupation], tests: {tests}, by: gender}}\n",
        "requester: A\ndiscover: {over: [features, traits], test: kci, bootstraps: 100}\n",
    ):
        code, _, err = personax("answer", ask(study, text), "--study", study, "--out", study.parent / "o")
        assert code == 1
        assert "at most 300 are answered" in err


def test_a_question_is_the_same_the_other_way_round(study: Path, personax: Run) -> None:
    out, text = study.parent / "o", "requester: A\nindependence: {{features: [{}], targets: [{}], tests: [kci]}}\n"
    assert personax("answer", ask(study, text.format("height_cm", "final_o")), "--study", study, "--out", out)[0] == 0
    people = pl.read_parquet(study / "people/people.parquet", columns=["id"])["id"]
    (study / "gone.txt").write_text("\n".join(people[:3]))
    code, said, err = personax(
        "answer", ask(study, text.format("final_o", "height_cm")), "--study", study, "--out", out
    )
    assert code == 0, err
    assert "differ from those of an earlier answer" in " ".join(said.split())


def test_answers_do_not_leave_beside_the_log(study: Path, personax: Run) -> None:
    code, _, err = personax("answer", ask(study, LEVEL_I), "--study", study, "--out", study / "answers")
    assert code == 1
    assert "where the log of answers stays" in err
    assert not (study / "answers").exists()


@pytest.mark.parametrize("value", ["9" * 5000, "2026-99-99"])
def test_numbers_and_dates_that_cannot_be_are_a_sentence(study: Path, personax: Run, value: str) -> None:
    code, _, err = personax("answer", ask(study, f"requester: A\npurpose: {value}\n"), "--study", study)
    assert code == 1
    assert "none that can be" in err


def test_a_fault_does_not_repeat_thousands_of_names(study: Path, personax: Run) -> None:
    text = f"requester: A\nindependence: {{features: [{', '.join(['x'] * 3000)}]}}\n"
    code, _, err = personax("answer", ask(study, text), "--study", study)
    assert code == 1
    assert len(err) < 500
