"""Noisy statistics: counts against a plain count, noise against OpenDP's accountant, a ledger that cannot be fooled."""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data.table import Table
from personax.errors import InputError, StudyError
from personax.release import ReleaseInput, load_release
from personax.release.statistics import (
    Bins,
    Ledger,
    PrivacyBudget,
    StatisticsRequest,
    epsilon_of,
    publish,
    read_statistics,
    rho_of,
)
from personax.release.statistics._privacy_budget import PastRelease, PrivacySpending
from personax.release.statistics._publish import count_tables, draw_noise, scale_of
from personax.schema import Column

COLUMNS = [Column("name", "private", "nominal"), Column("height", "feature", "continuous"),
           Column("team", "feature", "nominal"), Column("score", "target", "ordinal")]  # fmt: skip
KNOWN = {column.name: column for column in COLUMNS if column.role != "private"}
STATED: dict[str, Any] = {"height": [170.0, 180.0], "team": ["red", "blue"], "score": [2.0, 3.0]}


def contents(n: int = 400, seed: int = 0) -> ReleaseInput:
    rng = np.random.default_rng(seed)
    people = pl.DataFrame({
        "id": [f"person-{i}" for i in range(n)],
        "name": [f"Ada Author{i}" for i in range(n)],
        "height": [None if i % 50 == 0 else float(h) for i, h in enumerate(rng.normal(175, 8, n))],
        "team": rng.choice(["red", "blue", "green"], n).tolist(),
        "score": rng.integers(1, 5, n).astype(float),
    })  # fmt: skip
    return ReleaseInput("Four hundred", Table(people, [Column("id", "id", "nominal"), *COLUMNS]))


def asked(**changes: Any) -> StatisticsRequest:
    base: dict[str, Any] = {"epsilon": 3.0, "delta": 1e-6, "columns": STATED}
    return StatisticsRequest(**base | changes)


@given(st.floats(1e-4, 5), st.sampled_from([1e-9, 1e-6, 1e-3]))
def test_epsilon_is_what_opendp_says(rho: float, delta: float) -> None:
    dp = pytest.importorskip("opendp.prelude")
    dp.enable_features("contrib")
    draw = dp.m.make_gaussian(dp.atom_domain(T=int), dp.absolute_distance(T=float), scale=1 / math.sqrt(2 * rho))
    theirs = dp.c.make_fix_delta(dp.c.make_zCDP_to_approxDP(draw), delta).map(1.0)[0]
    assert epsilon_of(rho, delta) == pytest.approx(theirs, rel=1e-3)
    simple = rho + 2 * math.sqrt(rho * math.log(1 / delta))
    assert epsilon_of(rho, delta) <= simple * (1 + 1e-9), "the bound of Bun and Steinke"


@given(st.floats(0.01, 50), st.sampled_from([1e-9, 1e-6, 1e-3]))
def test_rho_goes_back_to_epsilon_and_no_further(epsilon: float, delta: float) -> None:
    rho = rho_of(epsilon, delta)
    assert epsilon_of(rho, delta) <= epsilon * (1 + 1e-9)
    assert epsilon_of(rho * 1.001, delta) > epsilon * (1 - 1e-6)


@pytest.mark.parametrize("bad", [(-1.0, 1e-6), (1.0, 0.0), (1.0, 1.0)])
def test_a_budget_that_means_nothing(bad: tuple[float, float]) -> None:
    with pytest.raises(InputError):
        epsilon_of(*bad)
    with pytest.raises(InputError):
        rho_of(-bad[0] if bad[0] > 0 else 0.0, 1e-6)


@given(
    st.lists(st.one_of(st.none(), st.floats(-5, 5)), max_size=60),
    st.lists(st.floats(-4, 4), min_size=1, max_size=6, unique=True),
)
def test_every_number_is_in_the_bin_whose_edges_hold_it(values: list[float | None], edges: list[float]) -> None:
    edges = sorted(edges)
    codes = Bins("x", edges=tuple(edges)).codes(pl.Series("x", values, dtype=pl.Float64))
    for value, code in zip(values, codes, strict=True):
        assert (code == -1) == (value is None)
        if value is not None:
            low, high = ([-math.inf, *edges][code], [*edges, math.inf][code])
            assert low <= value < high


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.floats(0, 4)), st.sampled_from(["a", "b", "c", None])),
        min_size=1,
        max_size=50,
    )
)
def test_one_person_moves_one_cell_of_each_table_by_one(rows: list[tuple[float | None, str | None]]) -> None:
    schema = {"x": pl.Float64, "y": pl.String}
    bins = {"x": Bins("x", edges=(1.0, 2.0)), "y": Bins("y", names=("a", "b"))}
    whole, less = (count_tables(pl.DataFrame(part, schema=schema, orient="row"), bins, [("x", "y"), ("y", "x")])
                   for part in (rows, rows[1:]))  # fmt: skip
    apart = [np.abs(a - b) for a, b in zip(whole, less, strict=True)]
    assert all(part.sum() <= 1 for part in apart), "sensitivity 1 a table"
    assert (whole[0] == whole[1].T).all()


def test_the_noise_has_the_scale_that_the_budget_says() -> None:
    pytest.importorskip("opendp")
    rho = 0.02
    tables, scale = draw_noise([np.zeros((40, 40), dtype=np.int64)] * 9, rho)
    assert scale == pytest.approx(scale_of(rho, 9))
    assert scale == pytest.approx(math.sqrt(9 / (2 * 0.02)))
    drawn = np.concatenate([table.ravel() for table in tables])
    assert drawn.std() == pytest.approx(scale, rel=0.03)
    assert abs(drawn.mean()) < 5 * scale / math.sqrt(len(drawn))
    assert not (tables[0] == tables[1]).all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"height": [180.0, 170.0]}, "do not increase"), ({"height": [170.0, 170.0]}, "do not increase"),
     ({"height": [float("nan")]}, "do not increase"), ({"team": ["red", "red"]}, "twice"),
     ({"team": ["red"]}, "1 bins"),
     ({"height": [170.0, "tall"]}, "columns.height"), ({"name": ["Ada", "Bea"]}, "does not leave"),
     ({"heigth": [170.0]}, "did you mean height"), ({"team": [1.0]}, "no numbers"),
     ({"height": []}, "state one of both")],
)  # fmt: skip
def test_what_cannot_be_stated(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        publish(contents(), tmp_path / "out", asked(columns=STATED | columns), keys=tmp_path / "keys", known=KNOWN)


def test_a_folder_of_tables_has_nobody_in_it_and_is_read_back(tmp_path: Path) -> None:
    pytest.importorskip("opendp")
    told = publish(contents(), tmp_path / "out", asked(), keys=tmp_path / "keys", known=KNOWN)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["README.md", "SHA256SUMS", "statistics.json"]
    found = load_release(tmp_path / "out")
    assert found.layout == "noisy statistics"
    assert found.people.height == 0
    assert (found.features, found.traits) == (["height", "team"], ["score"])
    statistics = found.statistics
    assert statistics is not None
    assert {(t.feature, t.target) for t in statistics.tables} == {("height", "score"), ("team", "score")}
    exact = count_tables(contents().people, {n: Bins.parse(n, s) for n, s in STATED.items()}, [("height", "score")])[0]
    assert np.abs(statistics.tables[0].counts - exact).max() < 8 * statistics.scale
    assert "epsilon = 3" in repr(found)
    assert any("in place of release/" in one.text for one in told)
    everything = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert "Ada" not in everything
    assert "person-" not in everything


def test_the_same_draw_is_written_again_and_other_people_are_drawn_anew(tmp_path: Path) -> None:
    pytest.importorskip("opendp")
    keys = tmp_path / "keys"
    large: dict[str, Any] = {"keys": keys, "known": KNOWN, "budget": PrivacyBudget(epsilon=5.0)}
    for name in ("one", "two"):
        publish(contents(), tmp_path / name, asked(), **large)
    assert (tmp_path / "one/statistics.json").read_bytes() == (tmp_path / "two/statistics.json").read_bytes()
    assert len(Ledger(keys).spendings()) == 1
    publish(contents().drop_people({"person-7"}), tmp_path / "three", asked(), **large)
    assert len(Ledger(keys).spendings()) == 2
    assert Ledger(keys).total(1e-6) == pytest.approx(epsilon_of(2 * rho_of(3.0, 1e-6), 1e-6))
    with pytest.raises(InputError, match="privacy budget"):
        publish(contents().drop_people({"person-8"}), tmp_path / "four", asked(), **large)
    assert not (tmp_path / "four").exists()
    for file in keys.rglob("*"):
        assert file.is_dir() or stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_stated_budget_the_second_draw_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("opendp")
    publish(contents(), tmp_path / "one", asked(), keys=tmp_path / "keys", known=KNOWN)
    with pytest.raises(InputError, match=r"state a larger release\.budget"):
        publish(contents(seed=1), tmp_path / "two", asked(), keys=tmp_path / "keys", known=KNOWN)


def test_a_process_killed_before_the_noise_was_kept_has_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opendp")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("personax.release.statistics._publish.draw_noise", killed)
    with pytest.raises(KeyboardInterrupt):
        publish(contents(), tmp_path / "one", asked(), keys=tmp_path / "keys", known=KNOWN)
    monkeypatch.undo()
    assert len(Ledger(tmp_path / "keys").spendings()) == 1
    with pytest.raises(InputError, match="privacy budget"):
        publish(contents(), tmp_path / "one", asked(), keys=tmp_path / "keys", known=KNOWN)


@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=8), st.floats(0.5, 10))
def test_the_ledger_never_holds_more_than_the_budget(
    tmp_path_factory: pytest.TempPathFactory, rhos: list[float], epsilon: float
) -> None:
    ledger, budget = Ledger(tmp_path_factory.mktemp("keys")), PrivacyBudget(epsilon=epsilon)
    for place, rho in enumerate(rhos):
        spent = PrivacySpending("2026-11-29", f"table {place}", str(place), rho=rho)
        fits = ledger.total(1e-6, [spent]) <= epsilon
        if fits:
            ledger.spend(spent, budget)
        else:
            with pytest.raises(InputError, match="privacy budget"):
                ledger.spend(spent, budget)
    assert ledger.total(1e-6) <= epsilon * (1 + 1e-6)


def test_other_mechanisms_add_to_the_gaussian_ones(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.spend(PrivacySpending("t", "local noise", "a", epsilon=1.0, delta=5e-7), PrivacyBudget(epsilon=4.0))
    ledger.spend(PrivacySpending("t", "tables", "b", rho=0.1), PrivacyBudget(epsilon=4.0))
    assert ledger.total(1e-6) == pytest.approx(1 + epsilon_of(0.1, 5e-7))
    assert ledger.total(4e-7) == math.inf, "more delta is spent than there is"


def test_the_ledger_knows_who_is_gone(tmp_path: Path) -> None:
    ids = pl.Series([f"p{i}" for i in range(50)])
    ledger = Ledger(tmp_path)
    made = PastRelease("2026-11-29", "1.0.0", "0" * 64, "fingerprint", 0, "")
    ledger.record(made, ids)
    ledger.record(made, ids)
    (known,) = Ledger(tmp_path).releases()
    assert (known.people, known.version) == (50, "1.0.0")
    assert Ledger(tmp_path).count_removed(known, ids.head(47).append(pl.Series(["new"]))) == 3
    assert "p1" not in (tmp_path / "ledger.jsonl").read_text()
    (tmp_path / "ledger.jsonl").write_text('{"kind": "spent", "nothing": 1}\n')
    with pytest.raises(StudyError, match="invalid line"):
        ledger.spendings()


GOOD: dict[str, Any] = {
    "format": 1, "epsilon": 1.0, "delta": 1e-6, "rho": 0.1, "scale": 2.0, "unit": "one person", "not_covered": [],
    "columns": [{"name": "f", "role": "feature", "kind": "nominal", "bins": ["a", "b"]},
                {"name": "t", "role": "target", "kind": "ordinal", "bins": ["low", "high"]}],
    "tables": [{"feature": "f", "target": "t", "counts": [[1, 2], [3, -4]]}],
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"format": None}, {"epsilon": "3"}, {"scale": -1}, {"scale": math.inf}, {"rho": True},
     {"tables": []},
     {"tables": [{"feature": "f", "target": "t", "counts": [[1, 2]]}]},
     {"tables": [{"feature": "f", "target": "t", "counts": [[1, 2], [3]]}]},
     {"tables": [{"feature": "f", "target": "t", "counts": [[1, 2], [3, 4.5]]}]},
     {"tables": [{"feature": "f", "target": "t", "counts": [[1, 2], [3, 10**30]]}]},
     {"tables": [{"feature": "t", "target": "f", "counts": [[1, 2], [3, 4]]}]},
     {"tables": [{"feature": "x", "target": "t", "counts": [[1, 2], [3, 4]]}]},
     {"tables": [None]}, {"columns": None},
     {"columns": [{"name": "f", "role": "private", "kind": "nominal", "bins": ["a", "b"]}]},
     {"columns": [*GOOD["columns"], GOOD["columns"][0]]}],
)  # fmt: skip
def test_a_strangers_file_is_not_trusted(change: dict[str, Any]) -> None:
    assert read_statistics(json.loads(json.dumps(GOOD))).tables[0].counts.tolist() == [[1, 2], [3, -4]]
    with pytest.raises(InputError):
        read_statistics(GOOD | change)
    with pytest.raises(InputError):
        read_statistics([])
