"""Our tests inside PC and FCI find what made the data, whatever the form; what cannot be tested is named."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.config import DiscoverSection, read_knowledge
from personax.data.table import Table
from personax.discovery import Knowledge, NothingVaries, Undecided, fci, pc
from personax.discovery._ci_test import CiTest, PValue
from personax.errors import ComputationError, InputError, PlanError
from personax.independence import chisq
from personax.progress import Silent
from personax.schema import Column, Edge, Graph, Kind, Node
from personax.stages import _discover
from personax.stages._discover import ci_test, discover_file, find_causes, graph_notices, write_graph
from personax.study import Study

N = 300


def chain(seed: int = 0, n: int = N) -> pl.DataFrame:
    """a -> b -> c, bent: no correlation between a and b."""
    rng = np.random.default_rng(seed)
    a, e, f = rng.normal(size=(3, n))
    b = a**2 + 0.3 * e
    return pl.DataFrame({"a": a, "b": b, "c": np.tanh(b - 1) + 0.3 * f})


def collider(seed: int = 0, n: int = N) -> pl.DataFrame:
    """a -> c <- b, where c depends on the size of a and of b."""
    rng = np.random.default_rng(seed)
    a, b, e = rng.normal(size=(3, n))
    return pl.DataFrame({"a": a, "b": b, "c": np.abs(a) + np.abs(b) + 0.2 * e})


def using(frame: pl.DataFrame, name: str = "kci", kinds: dict[str, Kind] | None = None) -> CiTest:
    meant: dict[str, Kind] = {**dict.fromkeys(frame.columns, "continuous"), **(kinds or {})}
    made = ci_test(name, meant)
    assert isinstance(made, CiTest)
    return made


def asked(frame: pl.DataFrame, name: str = "kci", kinds: dict[str, Kind] | None = None) -> PValue:
    return using(frame, name, kinds).prepare(frame)


def arrows(graph: Graph) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.kind) for edge in graph.edges}


def test_bent_relations_are_found_by_kci_and_not_by_fisherz() -> None:
    frame = chain()
    assert arrows(pc(frame, test=using(frame))) == {("a", "b", "undirected"), ("b", "c", "undirected")}
    assert ("a", "b", "undirected") not in arrows(pc(frame))
    known = Knowledge(tiers={"a": 0, "b": 1, "c": 1})
    expected = {("a", "b", "directed"), ("b", "c", "directed")}
    assert arrows(pc(frame, test=using(frame), knowledge=known)) == expected


def test_a_bent_collider() -> None:
    frame = collider()
    assert arrows(pc(frame, test=using(frame))) == {("a", "c", "directed"), ("b", "c", "directed")}
    ends = {("a", "c", "partially_directed"), ("b", "c", "partially_directed")}
    assert arrows(fci(frame, test=using(frame))) == ends


def test_a_straight_chain() -> None:
    rng = np.random.default_rng(1)
    a, e, f = rng.normal(size=(3, N))
    frame = pl.DataFrame({"a": a, "b": a + e, "c": a + e + f})
    expected = {("a", "b", "undirected"), ("b", "c", "undirected")}
    assert arrows(pc(frame, test=using(frame))) == expected
    assert arrows(pc(frame)) == expected


@pytest.mark.parametrize("name", ["chisq", "gsq", "kci"])
def test_categories_in_text(name: str) -> None:
    """Country decides language, language decides the paper; country and paper are independent given language."""
    rng = np.random.default_rng(2)
    country = rng.integers(3, size=600)
    language = np.where(rng.random(600) < 0.7, country, rng.integers(3, size=600))
    paper = np.where(rng.random(600) < 0.7, language, rng.integers(3, size=600))
    frame = pl.DataFrame({n: [f"{n} {v}" for v in values] for n, values in
                          {"country": country, "language": language, "paper": paper}.items()})  # fmt: skip
    names: dict[str, Kind] = dict.fromkeys(frame.columns, "nominal")
    graph = pc(frame, test=using(frame, name, names))
    assert arrows(graph) == {("country", "language", "undirected"), ("language", "paper", "undirected")}


def test_columns_that_determine_one_another_are_told_and_stay_joined() -> None:
    """Given x its half is known; that x/2 explains x away would leave no edge at all."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=100)
    frame = pl.DataFrame({"x": x, "half": x / 2, "less": 0.8 * x, "y": x + rng.normal(size=100)})
    p = asked(frame)
    with pytest.raises(Undecided, match="x is determined by half"):
        p(0, 3, (1,))
    graph = pc(frame, test=using(frame))
    assert {("x", "half", "undirected"), ("half", "less", "undirected")} <= arrows(graph)
    assert any("y" in (edge.source, edge.target) for edge in graph.edges)
    assert ["half", "x"] in graph.details["determined"]
    assert any("half and x determine one another" in notice.text for notice in graph_notices(graph, frame))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("auto", "auto"),
        ("rcit", "rcit"),
        ("gcm", "gcm, kci where nothing is given"),
        ("hsic", "hsic, kci given others"),
    ],
)
def test_other_tests_of_numbers_search_too(name: str, told: str) -> None:
    rng = np.random.default_rng(1)
    a, e, f = rng.normal(size=(3, 150))
    frame = pl.DataFrame({"a": a, "b": a + e, "c": a + e + f})
    graph = pc(frame, test=using(frame, name))
    assert arrows(graph) == {("a", "b", "undirected"), ("b", "c", "undirected")}
    assert graph.details["test"] == told


def test_names_and_numbers_together_as_conditions() -> None:
    """x and y depend on one another through a number and a name, and on nothing else."""
    rng = np.random.default_rng(3)
    z, e, f = rng.normal(size=(3, N))
    team = rng.integers(3, size=N)
    frame = pl.DataFrame({"x": z + 2 * team + 0.5 * e, "y": z - 2 * team + 0.5 * f, "z": z, "team": team}).with_columns(
        pl.col("team").cast(pl.String)
    )
    p = asked(frame, kinds={"team": "nominal"})
    assert p(0, 1, ()) < 0.001
    assert p(0, 1, (2,)) < 0.001
    assert p(0, 1, (3,)) < 0.001
    assert p(0, 1, (2, 3)) > 0.05


def test_a_table_of_names_and_a_number() -> None:
    """Trees were grown on a condition of names and failed; a column whose every edge is explained away is told."""
    rng = np.random.default_rng(0)
    g = rng.integers(0, 2, 250)
    h = np.where(rng.random(250) < 0.9, g, 1 - g)
    k = np.where(rng.random(250) < 0.85, h, 1 - h)
    v = np.array([-1, 1])[h] + rng.normal(size=250)
    names = {name: np.array(["no", "yes"])[codes] for name, codes in (("g", g), ("h", h), ("k", k))}
    frame = pl.DataFrame({**names, "v": v})
    kinds: dict[str, Kind] = {"g": "nominal", "h": "nominal", "k": "nominal", "v": "continuous"}
    graph = pc(frame, test=ci_test("kci", kinds))
    joined = {name for edge in graph.edges for name in (edge.source, edge.target)}
    told = {one["column"] for one in graph.details.get("alone", ())}
    assert joined | told == set("ghkv")
    assert len(graph_notices(graph, frame)) >= len(told)


def test_a_cyclic_column_is_a_circle() -> None:
    rng = np.random.default_rng(4)
    month = rng.integers(1, 13, size=N)
    frame = pl.DataFrame({"month": month, "turned": month % 12, "y": np.cos(np.pi * month / 6) + rng.normal(size=N)})
    made = ci_test("kci", {"month": "cyclic", "turned": "cyclic", "y": "continuous"}, {"month": 12.0, "turned": 12.0})
    assert isinstance(made, CiTest)
    p = made.prepare(frame)
    assert p(0, 2, ()) == pytest.approx(p(1, 2, ()), rel=1e-6)


@pytest.mark.parametrize("name", ["chisq", "gsq"])
def test_a_search_takes_the_null_of_the_grid(name: str) -> None:
    """Sixty-four strata of eight people: with the chi-square distribution .40 and .63 of such nulls are rejected."""
    rejected = 0
    for seed in range(60 if name == "chisq" else 15):
        rng = np.random.default_rng([64, seed])
        z = rng.integers(0, 64, 500)
        x, y = ((rng.random(500) + (z % 4) / 8 > 0.6).astype(int) + (rng.random(500) > 0.9) for _ in range(2))
        frame = pl.DataFrame({"x": x, "y": y, "z": z})
        p = asked(frame.cast(pl.String), name, dict.fromkeys(frame.columns, "nominal"))
        found = p(0, 1, (2,))
        if name == "chisq":
            assert found == pytest.approx(chisq(x, y, z, null="moments").p_value, rel=1e-12)
        rejected += found <= 0.05
    assert rejected <= (8 if name == "chisq" else 3)


def test_rows_are_left_out_test_by_test() -> None:
    frame = chain()
    holes = frame.with_columns(pl.when(pl.int_range(pl.len()) >= 100).then("c").alias("c"))
    whole, lacking = asked(frame), asked(holes)
    assert lacking(0, 1, ()) == whole(0, 1, ())
    assert lacking(1, 2, ()) == asked(frame.tail(200))(1, 2, ())
    nan = holes.with_columns(pl.col("c").fill_null(float("nan")))
    assert asked(nan)(1, 2, ()) == lacking(1, 2, ())


def test_what_a_condition_determines_is_independent_given_it() -> None:
    letters = ["a", "b", "c", "d"] * 50
    frame = pl.DataFrame({
        "letter": letters, "vowel": [str(x == "a") for x in letters], "y": [str(i % 3) for i in range(200)],
    })  # fmt: skip
    for name in ("kci", "chisq", "gsq"):
        p = asked(frame, name, dict.fromkeys(frame.columns, "nominal"))
        with pytest.raises(NothingVaries):
            p(1, 2, (0,))
    graph = pc(frame, test=using(frame, "chisq", dict.fromkeys(frame.columns, "nominal")))
    assert arrows(graph) == {("letter", "vowel", "undirected")}


def test_undecided_tests_are_counted_and_told() -> None:
    letters = np.array(["a", "b", "c", "d"] * 50)
    frame = pl.DataFrame({
        "letter": letters, "vowel": letters == "a", "late": letters > "b",
    }).with_columns(pl.exclude("letter").cast(pl.String))  # fmt: skip
    graph = pc(frame, test=using(frame, "chisq", dict.fromkeys(frame.columns, "nominal")))
    assert arrows(graph) == {("letter", "vowel", "undirected"), ("letter", "late", "undirected")}
    assert graph.details["tests_nothing_varies"] == 1
    notice = next(n for n in graph_notices(graph, frame) if "taken as independent" in n.text)
    assert notice.count == 1


def test_a_test_that_cannot_run_names_the_pair() -> None:
    never = pl.DataFrame({"a": [1.0, 2.0] * 10 + [None] * 20, "b": [None] * 20 + [1.0, 2.0] * 10})
    with pytest.raises(ComputationError, match="kci cannot test a and b on 0 rows: only 0 rows"):
        pc(never, test=using(never))
    still = pl.DataFrame({"a": [1.0] * 20 + [2.0] * 20, "b": [1.0, 2.0] * 10 + [None] * 20, "c": [3.0, 4.0] * 20})
    with pytest.raises(
        ComputationError, match=r"cannot test a and b on 20 rows: a, over the rows of this pair, is constant"
    ):
        pc(still, test=using(still))
    with pytest.raises(ComputationError, match="cannot test a and b given c on 20 rows"):
        asked(still)(0, 1, (2,))


@pytest.mark.parametrize(
    ("frame", "section", "says"),
    [
        (chain(), {"test": "chisq"}, "chisq needs categories and a has 300 different numbers"),
        (chain().with_columns(team=pl.lit("x")), {"test": "kci"}, "team is constant"),
        (chain().with_columns(team=pl.int_range(pl.len()) % 3), {"test": "fisherz"}, "team is nominal"),
        (chain().with_columns(a=pl.lit(float("inf"))), {"test": "kci"}, "a holds infinite|a is constant"),
        (chain(n=5), {"test": "kci"}, "only 5 rows"),
        (chain().select("a"), {"test": "kci"}, "at least two columns"),
    ],
)
def test_tables_that_cannot_be_searched(frame: pl.DataFrame, section: dict[str, str], says: str) -> None:
    table = Table(frame, [Column(n, "feature", "nominal" if n == "team" else "continuous") for n in frame.columns])
    with pytest.raises(InputError, match=says):
        find_causes(table, DiscoverSection.model_validate(section), Knowledge(), np.random.default_rng(0), Silent())


def test_two_processes_ask_our_test_and_agree_with_one() -> None:
    frame = collider(n=60)
    table = Table(frame, [Column(name, "feature", "continuous") for name in frame.columns])
    section = DiscoverSection(test="kci", bootstraps=3, alpha=0.05)
    one, two = (
        find_causes(table, section, Knowledge(), np.random.default_rng(5), Silent(), jobs=jobs) for jobs in (1, 2)
    )
    assert one[0] == two[0]
    assert one[1] is not None
    assert two[1] is not None
    assert one[1].equals(two[1])


def test_a_test_can_be_sent_to_another_process() -> None:
    frame = chain(n=50)
    again = pickle.loads(pickle.dumps(using(frame)))
    assert again.prepare(frame)(0, 1, ()) == asked(frame)(0, 1, ())


def test_knowledge_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text("tiers: [[a, b], [c]]\nforbidden: [[c, a]]\nrequired: [[a, c]]\n")
    known = read_knowledge(path)
    assert known == Knowledge(tiers={"a": 1, "b": 1, "c": 2}, forbidden=[["c", "a"]], required=[["a", "c"]])
    with pytest.raises(InputError, match="a stands in two tiers"):
        Knowledge(tiers=[["a"], ["a"]]).check(["a"])


def test_a_graph_is_written_whole(tmp_path: Path) -> None:
    graph = Graph([Node("a"), Node("b")], [Edge("a", "b")], meaning="a causes b")
    notices = write_graph(graph, lambda name: tmp_path / name)
    assert Graph.from_json((tmp_path / "graph.json").read_text()) == graph
    others = {"graph.graphml", "graph.dot", "graph.svg", "graph.png"} - {p.name for p in tmp_path.iterdir()}
    assert bool(others) == bool(notices), "what is not written is told"


def test_a_study_with_knowledge_and_draws(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    sex = rng.integers(2, size=200)
    height = 170 + 12 * sex + rng.normal(size=200) * 5
    rows = zip(sex, height, height - 100 + rng.normal(size=200) * 5, strict=True)
    people = "".join(f"p{i},{'fm'[s]},{h:.1f},{w:.1f}\n" for i, (s, h, w) in enumerate(rows))
    (tmp_path / "p.csv").write_text("id,sex,height,weight\n" + people)
    plan = (
        "name: x\ncollect: {source: table, path: p.csv}\n"
        "discover: {over: [features], test: kci, bootstraps: 2, knowledge: {tiers: [[sex], [height], [weight]]}}\n"
    )
    (tmp_path / "study.yaml").write_text(plan)
    study = Study.load(tmp_path)
    study.run()
    graph = Graph.from_json((tmp_path / "analysis" / "discovery" / "graph.json").read_text())
    assert {("sex", "height", "directed"), ("height", "weight", "directed")} <= arrows(graph)
    assert pl.read_csv(tmp_path / "analysis" / "discovery" / "stability.csv").height >= 2
    manifest = study.folder.manifest("discover")
    assert manifest is not None
    assert manifest.counts["tests"] > 2
    assert not any(outcome.ran for outcome in study.run())
    (tmp_path / "study.yaml").write_text(plan.replace("[weight]", "[wait]"))
    with pytest.raises(PlanError, match=r"no column wait; did you mean weight\?"):
        Study.load(tmp_path).run()


def test_a_private_column_that_is_left_out_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"height": rng.normal(size=40), "born": [f"1990-01-{i % 28 + 1:02}" for i in range(40)]})
    frame.with_columns(weight=pl.col("height") * 2 + rng.normal(size=40)).write_csv(tmp_path / "people.csv")
    settings = DiscoverSection(test="kci")
    found = discover_file(
        tmp_path / "people.csv", settings, tmp_path / "out", missing=[""], seed=0, progress=Silent()
    )  # fmt: skip
    assert any("left out unless --columns names them: born" in notice.text for notice in found.notices)


@pytest.mark.parametrize("name", ["chisq", "gsq", "kci", "auto", "gcm", "rcit"])
def test_a_search_reads_the_counts_of_rows_that_repeat(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 600), rng.integers(0, 2, 600)
    frame = pl.DataFrame({"a": a, "b": b, "c": (a + b + rng.integers(0, 2, 600)) % 3, "d": list("xyz") * 200})
    frame = frame.with_columns(c=pl.when(pl.int_range(600) % 50 == 0).then(None).otherwise("c"))
    kinds: Any = {"a": "ordinal", "b": "ordinal", "c": "ordinal", "d": "nominal"}
    questions = [(0, 2, ()), (0, 3, (1,)), (0, 1, (2,)), (1, 2, (0, 3))]
    counted, weights = _discover._counted(frame, name)
    assert counted.height < 80
    assert weights is not None
    assert weights.sum() == 600

    def answers() -> list[float]:
        test = ci_test(name, kinds)
        assert not isinstance(test, str)
        return [test.prepare(frame)(*question) for question in questions]

    p_values = answers()
    monkeypatch.setattr(_discover, "REPEATS", 601)
    assert p_values == pytest.approx(answers(), rel=1e-7 if name != "rcit" else 1e-4, abs=1e-12)
