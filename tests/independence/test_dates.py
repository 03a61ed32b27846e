"""Dates are numbers, in whatever a table holds them, in Level I and in searches for causal graphs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.config import DiscoverSection
from personax.data.dates import date_numbers
from personax.discovery import Knowledge
from personax.errors import InputError
from personax.independence import screen
from personax.progress import Silent
from personax.schema import Column
from personax.stages import analyse_file

N = 400
RNG = np.random.default_rng(30)
DAYS = RNG.integers(-9000, 12000, N)
TRAIT = DAYS / 9000 + RNG.normal(size=N)
BORN = [date(1970, 1, 1) + timedelta(days=int(k)) for k in DAYS]
FORMS: dict[str, Any] = {
    "date": pl.Series(BORN),
    "datetime": pl.Series([datetime(d.year, d.month, d.day) for d in BORN]),
    "datetime with a zone": pl.Series([datetime(d.year, d.month, d.day, tzinfo=UTC) for d in BORN]),
    "ISO text": pl.Series([d.isoformat() for d in BORN]),
    "ISO text with times": pl.Series([f"{d.isoformat()}T06:00:00Z" for d in BORN]),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_birth_date_is_as_good_as_its_number_of_days(form: str) -> None:
    """As names its p-value was .02."""
    frame = pl.DataFrame({"born": FORMS[form], "days": DAYS, "trait": TRAIT})
    found = screen(frame, ["born", "days"], ["trait"], tests=["kci"])
    born, days = found.iter_rows(named=True)
    assert born["p_value"] == pytest.approx(days["p_value"], rel=1e-6)
    assert born["p_value"] < 1e-20
    assert (born["feature_kind"], born["direction"]) == ("continuous", "rises")
    assert "from 19" in born["direction_text"] or "from 20" in born["direction_text"]


def test_a_date_turns_once_a_year_or_once_a_week_on_request() -> None:
    weekend = np.array([d.weekday() >= 5 for d in BORN])
    summer = np.array([np.cos(2 * np.pi * (d.timetuple().tm_yday - 190) / 365) for d in BORN])
    frame = pl.DataFrame({"born": BORN, "a": weekend + 0.3 * RNG.normal(size=N), "b": summer + RNG.normal(size=N)})
    year = screen(frame, ["born"], ["b"], kinds={"born": "cyclic"}, tests=["kci"]).row(0, named=True)
    week = screen(
        frame, ["born"], ["a"], kinds={"born": "cyclic"}, periods={"born": 7}, tests=["kci"]
    ).row(0, named=True)  # fmt: skip
    assert year["p_value"] < 1e-10
    assert year["direction"] == "cycle"
    assert float(year["level_high"]) == pytest.approx(190, abs=20)
    assert week["p_value"] < 1e-10


def test_text_that_is_no_date_stays_text() -> None:
    assert date_numbers(pl.Series(["1987-03-12", "1987-02-30"])) is None
    assert date_numbers(pl.Series(["March 1987"])) is None
    assert date_numbers(pl.Series([None, None], dtype=pl.String)) is None
    assert date_numbers(pl.Series([time(6)])) is not None
    assert date_numbers(pl.Series([timedelta(days=2)])).to_list() == [2.0]  # type: ignore[union-attr]
    assert date_numbers(pl.Series(["1970-01-01T00:00:00-01:30"])).to_list() == [1.5 / 24]  # type: ignore[union-attr]


def test_missing_dates_are_missing() -> None:
    born = [None if k % 3 == 0 else d for k, d in enumerate(BORN)]
    found = screen(pl.DataFrame({"born": born, "trait": TRAIT}), ["born"], ["trait"], tests=["kci"])
    assert found["n"].to_list() == [N - len(BORN[::3])]


@pytest.mark.parametrize("test", ["kci", "fisherz"])
def test_a_search_draws_an_edge_to_a_date(test: str) -> None:
    pytest.importorskip("causallearn")
    from personax.data.table import Table
    from personax.stages._discover import find_causes

    frame = pl.DataFrame({"born": [d.isoformat() for d in BORN], "trait": TRAIT, "noise": RNG.normal(size=N)})
    columns = [Column("born", "feature", "nominal", inferred=True), Column("trait", "target", "continuous"),
               Column("noise", "feature", "continuous")]  # fmt: skip
    section = DiscoverSection(test=test, bootstraps=0)
    graph, _ = find_causes(Table(frame, columns), section, Knowledge(), RNG, Silent())
    assert {"born", "trait"} in [{edge.source, edge.target} for edge in graph.edges]


def test_the_command_reads_dates_of_a_file(tmp_path: Path) -> None:
    from personax.config import IndependenceSection

    pl.DataFrame({"born": BORN, "final_o": TRAIT}).write_csv(tmp_path / "people.csv")
    section = IndependenceSection(features=["born"], targets=["final_o"], tests=["kci"], figures=False)
    found = analyse_file(tmp_path / "people.csv", section, tmp_path / "out", missing=[], seed=0, progress=Silent())
    assert found.pvalues["p_value"][0] < 1e-20
    assert found.columns[0].kind == "continuous"


def test_a_date_called_nominal_is_taken_as_names() -> None:
    month = [d.replace(day=1, year=2000) for d in BORN]
    found = screen(pl.DataFrame({"m": month, "t": TRAIT}), ["m"], ["t"], kinds={"m": "nominal"}, tests=["kci"])
    assert found["feature_kind"].to_list() == ["nominal"]
    with pytest.raises(InputError, match="cannot be"):
        screen(pl.DataFrame({"m": month, "t": TRAIT}), ["m"], ["t"], kinds={"m": "date"})  # type: ignore[dict-item]
