"""From a table on the disk to a release: nothing leaves that nobody said may leave, and verify sees what does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.release.reading.made import write_json, write_release, write_sums

from personax.cli import app
from personax.data.table import Table
from personax.data.vocabulary import DIRECT, WORDS
from personax.errors import InputError
from personax.release import (
    AnonymityRequirements,
    ColumnRule,
    Keystore,
    ReleaseInput,
    ReleaseKey,
    ReleaseSettings,
    build,
    plan_columns,
    verify,
)
from personax.schema import Column, Notice
from personax.study import Study

N = 240
FIRST, LAST = ["Ada", "Bo", "Cleo", "Hana", "Ravi", "Marisol"], ["Nemo", "Fictor", "Paperman", "Figment", "Sketcher"]


def people(seed: int = 1) -> dict[str, list[Any]]:
    """Return invented people: names, births, a club, a height, scores."""
    rng = random.Random(seed)
    born = [date(1950, 1, 1) + timedelta(days=rng.randint(0, 18000)) for _ in range(N)]
    return {
        "first": [rng.choice(FIRST) for _ in range(N)],
        "last": [f"{rng.choice(LAST)}{''.join(rng.choices('aeiou', k=3))}" for _ in range(N)],
        "born": born,
        "club": [rng.choice(["Reds", "Blues", "Greens"]) for _ in range(N)],
        "height": [round(rng.gauss(180, 9), 1) for _ in range(N)],
        "mood": [rng.randint(1, 5) for _ in range(N)],
    }


def study(folder: Path, table: Mapping[str, list[Any]], **release: Any) -> Study:
    """Write a table and a study of it, and run it."""
    folder.mkdir(exist_ok=True)
    pl.DataFrame(table).write_csv(folder / "people.csv")
    plan = {
        "version": 1,
        "name": "Invented",
        "seed": 1,
        "collect": {"source": "table", "path": "people.csv"},
        "release": {"audit": False, **release},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(plan))
    made = Study.load(folder / "study.yaml")
    made.run(["collect", "release"])
    return made


def leaves(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "release" / "data" / "people" / "*.parquet")


def told(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "release" / "protection.json").read_text()))


def failed(folder: Path) -> set[str]:
    return {check.name for check in verify(folder / "release").failed}


NAMES = [
    ("nameFirst", "nameLast"),
    ("vorname", "Nachname"),
    ("first", "apellido"),
    ("姓名", "name_last"),
    ("player", "氏名"),
    ("Имя", "Фамилия"),
    ("FIRSTNAME", "lastname"),
    ("q1", "q2"),
]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: "-".join(names))
def test_names_stay_whatever_their_columns_are_called(names: tuple[str, str], tmp_path: Path) -> None:
    table = people()
    study(
        tmp_path,
        {
            names[0]: table["first"],
            names[1]: [f"{a} {b}" for a, b in zip(table["first"], table["last"], strict=True)],
            "mood": table["mood"],
            "ssn": [f"{x:03d}-45-{x:04d}" for x in range(N)],
            "tel": [f"+49 170 {x:07d}" for x in range(N)],
            "notes": ["likes tea"] * N,
        },
    )
    assert leaves(tmp_path).columns == ["id", "mood"]
    assert failed(tmp_path) == {"audit"}, "it was not attacked"


NUMBERS: Mapping[str, Callable[[date, int], float]] = {
    "playerDOB": lambda day, row: int(f"{day:%Y%m%d}"),
    "born_epoch": lambda day, row: (day - date(1970, 1, 1)).days * 86400,
    "contactPHONE": lambda day, row: 4917000000 + row * 7919 % 10**6,
    "personID": lambda day, row: row * 17 + 3,
    "Unnamed: 0": lambda day, row: row,
    "qid": lambda day, row: (row * 7919) % 10**6,
    "age": lambda day, row: round((date(2026, 1, 1) - day).days / 365.25, 4),
    "latitude": lambda day, row: round(48 + (row * 7919 % 10007) / 10007, 5),
    "longitude": lambda day, row: round(11 + (row * 104729 % 10007) / 10007, 5),
    "q1": lambda day, row: 3.5 * (day - date(1970, 1, 1)).days + 1,
    "q2": lambda day, row: (day - date(1899, 12, 30)).days,
    "q3": lambda day, row: round(day.year + (day.timetuple().tm_yday - 1) / 365.25, 4),
    "q4": lambda day, row: row**0.5,
}


def test_numbers_that_tell_a_person_stay(tmp_path: Path) -> None:
    table = people()
    hidden = {name: [of(day, row) for row, day in enumerate(table["born"])] for name, of in NUMBERS.items()}
    study(tmp_path, {"dob": [str(day) for day in table["born"]], **hidden, "mood": table["mood"]})
    assert leaves(tmp_path).columns == ["id", "mood"]
    columns = json.loads((tmp_path / "people" / "columns.json").read_text())
    assert {one["name"]: one["identity"] for one in columns if one["name"] != "id"} == {
        **dict.fromkeys(["dob", *hidden], "direct"),
        "mood": "free",
    }
    assert all(one["identity_why"] for one in columns)


@pytest.mark.parametrize("name", [*NUMBERS, "name", "club"])
def test_verify_of_a_strangers_folder_fails_on_what_tells_a_person(name: str, tmp_path: Path) -> None:
    out = write_release(tmp_path / "release", people=N)
    path = out / "data/people/train-00000-of-00001.parquet"
    rng, table = random.Random(5), people()
    values: list[Any] = {"name": table["last"], "club": [f"a club of {x}" for x in range(N)]}.get(name) or [
        NUMBERS[name](day, row) for row, day in enumerate(table["born"])
    ]
    if name != "q4":
        rng.shuffle(values)
    pl.read_parquet(path).with_columns(pl.Series(name, values)).write_parquet(path)
    about = json.loads((out / "columns.json").read_text())
    kind = "nominal" if name in ("name", "club") else "continuous"
    about["columns"].append({"file": "data/people/", "name": name, "role": "feature", "kind": kind})
    write_json(out / "columns.json", about)
    write_sums(out)
    found = {check.name: check for check in verify(out).failed}
    if name in ("q1", "q2", "latitude", "longitude") and "columns" not in found:
        # by themselves these are measurements: a line through days, or one coordinate of a few thousand
        assert name in ("q1", "q2")
    else:
        assert found["columns"].text.startswith(f"{name} is ")


def test_a_column_of_a_name_that_is_a_feature_leaves_and_its_effect_with_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    stage = rng.integers(0, 2, N)
    study(tmp_path, {"has_stage_name": stage.tolist(), "mood": (stage * 2 + rng.integers(1, 3, N)).tolist()})
    frame = leaves(tmp_path)
    assert frame.columns == ["id", "has_stage_name", "mood"]
    assert frame.select(pl.corr("has_stage_name", "mood")).item() > 0.8


def test_what_others_may_know_is_made_coarser_unasked_and_the_terminal_says_so(tmp_path: Path) -> None:
    table = people()
    made = study(
        tmp_path,
        {
            "name": table["last"],
            "club": table["club"],
            "height": table["height"],
            "birth_year": [day.year for day in table["born"]],
            "religion": ["a", "b"] * (N // 2),
            "essay": ["word " * 30] * N,
            "mood": table["mood"],
        },
    )
    frame, said = leaves(tmp_path), told(tmp_path)
    assert {"name", "religion", "essay"}.isdisjoint(frame.columns)
    quasi = said["k_anonymity"]["columns"]
    assert min(frame.group_by(quasi).len()["len"].to_list()) >= 5
    assert said["columns"]["religion"]["class"] == "sensitive"
    assert {one["leaves"] for name, one in said["columns"].items() if name in quasi} == {"generalised"}
    card = (tmp_path / "release" / "README.md").read_text()
    assert "religion (sensitive" in card.replace("\\", "")
    notices = made.folder.manifest("release").notices  # type: ignore[union-attr]
    assert any("No decision is written for these columns" in notice["text"] for notice in notices)
    assert failed(tmp_path) == {"audit"}


def run(*args: str) -> tuple[int, str]:
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, list(args))
    return done.exit_code, done.output


def test_the_plan_is_a_section_to_paste_and_a_word_of_risk_lets_a_column_leave(tmp_path: Path) -> None:
    table = people()
    columns = {"name": table["last"], "club": table["club"], "height": table["height"], "mood": table["mood"]}
    study(tmp_path, columns)
    code, printed = run("release", "plan", str(tmp_path / "study.yaml"))
    assert code == 0
    plan = yaml.safe_load(printed)["release"]["columns"]
    assert plan == {"club": {"leaves": "generalised"}, "height": {"leaves": "generalised"}, "mood": {"leaves": "exact"}}
    assert "# private, and stay: name" in printed
    assert "the smallest group has" in printed
    risk = "A height to the millimetre finds a person."
    with pytest.raises(InputError, match=r"height is to leave exact and is quasi-identifying .* name the risk"):
        study(tmp_path, columns, columns={**plan, "height": {"leaves": "exact"}})
    study(tmp_path, columns, columns={**plan, "height": {"leaves": "exact", "risk": risk}})
    assert sorted(leaves(tmp_path)["height"]) == sorted(table["height"])
    assert told(tmp_path)["columns"]["height"]["risk"] == risk
    assert risk in (tmp_path / "release" / "README.md").read_text()
    again = yaml.safe_load(run("release", "plan", str(tmp_path / "study.yaml"))[1])["release"]["columns"]
    assert again["height"] == {"leaves": "exact", "risk": risk}


def column(name: str, identity: str = "", role: str = "feature") -> Column:
    return Column(name, role, "nominal", identity=identity)  # type: ignore[arg-type]


def released(
    frame: pl.DataFrame, out: Path, meant: list[Column] | None = None, **asked: Any
) -> tuple[pl.DataFrame, list[Notice]]:
    """Build from the library's door."""
    ids = pl.Series("id", [f"p{row:05d}" for row in range(frame.height)])
    columns = [*(meant or map(column, frame.columns)), Column("id", "id", "nominal")]
    contents = ReleaseInput("x", Table(frame.with_columns(ids), columns))
    notices = build(
        contents,
        out / "release",
        key=ReleaseKey(bytes(32)),
        keys=Keystore(out / "keys"),
        settings=ReleaseSettings(audit=False, **asked),
        rng=np.random.default_rng(1),
    )
    return leaves(out), notices


def test_a_direct_column_leaves_only_by_its_own_name_and_a_risk(tmp_path: Path) -> None:
    frame = pl.DataFrame({"player": [f"Ada Nemo{x % 40}" for x in range(80)], "q1": ["a", "b"] * 40})
    everything = {"*": ColumnRule(leaves="exact", risk="We take it.")}
    made, _ = released(frame, tmp_path / "a", columns=everything)
    assert made.columns == ["id", "q1"]
    with pytest.raises(InputError, match="player is to leave exact and is direct"):
        released(frame, tmp_path / "b", columns={"player": ColumnRule(leaves="exact")})
    with pytest.raises(InputError, match="no coarser levels"):
        released(frame, tmp_path / "c", columns={"player": ColumnRule(leaves="generalised")})
    made, _ = released(frame, tmp_path / "d", columns={"player": ColumnRule(leaves="exact", risk="They agreed to it.")})
    assert made.columns == ["id", "player", "q1"]
    found = {check.name: check for check in verify(tmp_path / "d" / "release").checks}
    assert found["columns"].outcome == "cannot tell"
    assert "player is direct" in found["columns"].text
    with pytest.raises(InputError, match="names plyer, which is no column that could leave"):
        released(frame, tmp_path / "e", columns={"plyer": ColumnRule(leaves="withheld")})


def test_a_study_from_before_says_what_it_must_decide_anew(tmp_path: Path) -> None:
    frame = pl.DataFrame({"player": [f"Ada Nemo{x}" for x in range(40)], "religion": ["a", "b"] * 20})
    with pytest.raises(InputError, match=r"release.allowed names the columns player, religion; .*release plan STUDY"):
        released(frame, tmp_path / "a", allowed=["player", "religion"])


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["Reds", "Blues", "Greens", "Tiny"]), pl.String])
def test_rare_categories_are_seen_in_every_type_of_text(dtype: Any, tmp_path: Path) -> None:
    club = pl.Series(["Reds"] * 27 + ["Blues"] * 30 + ["Tiny"] * 3, dtype=dtype)
    made, _ = released(pl.DataFrame({"mark": club}), tmp_path)
    assert made["mark"].dtype == pl.String
    counts = dict(made["mark"].value_counts().iter_rows())
    assert counts[None] == 5, "the three, and two others, or an empty cell would be one of the three"
    assert set(counts) == {None, "Blues", "Reds"}


def test_truth_values_codes_lists_and_fractions_at_the_librarys_door(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "left": pl.Series([True] * 2 + [False] * 58),
            "grade": pl.Series([1] * 57 + [2] * 3),
            "roles": pl.Series([["a"], ["b", "c"]] * 30),
            "part": pl.Series([0.5, 0.25] * 30).cast(pl.Decimal(10, 2)),
            "Name": ["Ada Nemo"] * 60,
            "name ": ["Bo Fictor"] * 60,
            "id ": [f"x{row}" for row in range(60)],
            "NAME": ["x"] * 60,
            "имя": ["Ада"] * 60,
        }
    )
    made, _ = released(frame, tmp_path)
    assert set(made.columns) == {"id", "part"}, "all but two or three people have one value of left and of grade"
    assert told(tmp_path)["columns"]["roles"]["class"] == "unknown"


def test_a_missing_value_is_no_diversity(tmp_path: Path) -> None:
    frame = pl.DataFrame({"club": ["a"] * 20 + ["b"] * 20, "final_o": [3.0, None] * 10 + [1.0, 5.0] * 10})
    columns = [column("club", "quasi-identifying"), column("final_o", "sensitive", "target")]
    made, _ = released(frame, tmp_path, columns, anonymity=AnonymityRequirements(k=5, l=2, quasi_identifiers=["club"]))
    assert "club" not in made.columns, "the class a knows one score only, so that the classes must join"


def test_few_people_hide_nobody(tmp_path: Path) -> None:
    frame = pl.DataFrame({"height": [180, 181, 182]})
    made, notices = released(frame, tmp_path)
    assert made.columns == ["id"]
    assert any("cannot be k-anonymous" in notice.text for notice in notices)


HEADERS = st.sampled_from(
    [entry.strip() for topic, its in WORDS.items() if topic in DIRECT for entry in " ".join(its.split()).split(",")]
)
WAYS = [
    lambda words: "_".join(words),
    lambda words: "".join(word.title() for word in words),
    lambda words: " ".join(words),
    lambda words: words[0] + "".join(word.title() for word in words[1:]),
    lambda words: "_".join(words).upper(),
    lambda words: "player" + "".join(word.title() for word in words),
    lambda words: "".join(words),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HEADERS, st.sampled_from(WAYS), st.sampled_from(["texts", "shared texts", "long numbers"]))
def test_no_identifying_header_leaves_unasked(entry: str, way: Any, values: str) -> None:
    header = way(entry.split())
    assume(header != "id")  # which is the id itself
    own = {
        "texts": [f"v {x * 7919 % 1000}" for x in range(60)],
        "shared texts": ["Ada", "Bo", "Cleo"] * 20,
        "long numbers": [10**8 + x * 7919 % 10**6 for x in range(60)],
    }[values]
    frame = pl.DataFrame({"id": [f"p{x}" for x in range(60)], header: own})
    columns = [Column("id", "id", "nominal"), Column(header, "feature", "nominal")]
    made = plan_columns(ReleaseInput("x", Table(frame, columns)), ReleaseSettings())
    assert {one.policy.leaves for one in made.columns} == {"withheld"}, (header, made.columns[0].policy)


def test_a_comment_that_the_terms_of_use_hold_too_stops_nothing(tmp_path: Path) -> None:
    table = people()
    rng = random.Random(1)
    said = ["nothing to say", "the people", "data of people", "Marisol Papermana is unfair"]
    study(tmp_path, {"feedback": [rng.choice(said) for _ in range(N)], "mood": table["mood"]})
    assert leaves(tmp_path).columns == ["id", "mood"]


def test_a_name_in_a_text_of_the_release_still_stops_it(tmp_path: Path) -> None:
    table = people()
    names = [f"{first} Papermana" for first in table["first"]]
    with pytest.raises(InputError, match=r"row 1 of name in people/people.parquet: a private value") as caught:
        study(
            tmp_path,
            {"name": names, "mood": table["mood"]},
            publisher={"description": f"People such as {names[0]}.", "title": "A study"},
        )
    assert "Papermana" not in str(caught.value)


def test_names_with_a_club_behind_them_stop_no_release_whose_texts_speak_of_a_sample(tmp_path: Path) -> None:
    table = people()
    names = [
        f"{'Sample' if row % 9 else 'Nemo'}, {first} (FC {'ABC'[row % 3]})" for row, first in enumerate(table["first"])
    ]
    study(tmp_path, {"x1": names, "mood": table["mood"]})
    assert leaves(tmp_path).columns == ["id", "mood"]


def test_a_release_of_traits_alone_keeps_what_it_claims(tmp_path: Path) -> None:
    rng = random.Random(1)
    study(tmp_path, {"final_o": [round(rng.gauss(3, 0.5), 2) for _ in range(N)]})
    assert leaves(tmp_path).columns == ["id", "final_o"]
    assert failed(tmp_path) == {"audit"}, "it was not attacked"


@pytest.mark.parametrize("risk", ["", " ", "x", "none"])
def test_a_word_names_no_risk(risk: str, tmp_path: Path) -> None:
    table = people()
    with pytest.raises(InputError, match="name the risk in a sentence"):
        study(tmp_path, {"height": table["height"]}, columns={"height": {"leaves": "exact", "risk": risk}})


def test_the_month_of_a_private_date_stays(tmp_path: Path) -> None:
    table = people()
    born = table["born"]
    study(tmp_path, {"x": [f"{day:%Y-%m-%d}" for day in born], "v1": [d.month for d in born], "mood": table["mood"]})
    assert leaves(tmp_path).columns == ["id", "mood"]
