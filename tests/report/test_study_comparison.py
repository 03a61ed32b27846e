"""Studies side by side: verdicts worked out by hand, and a page that nothing of a study can break."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from personax.cli import app
from personax.errors import InputError
from personax.report import ReportData, compare_studies, render_study_comparison
from personax.report._data import IndependenceResults, StageSummary

SCRIPT = "<script>alert(1)</script>"


def study(name: str, *rows: tuple[str, bool, float, str | None], seed: int = 1) -> tuple[str, ReportData]:
    """Return a study with a row (feature, dependent, effect, direction) a pair with openness."""
    table = pl.DataFrame(
        [
            {"group": "final", "feature": feature, "target": "final_o", "test": "kci", "n": 100, "p_value": 0.01,
             "p_corrected": 0.01, "effect_size": effect, "effect_low": effect / 2, "effect_high": 2 * effect,
             "effect_name": "kernel correlation", "rejected": dependent, "direction": way, "level_high": None}
            for feature, dependent, effect, way in rows
        ],
        schema_overrides={"direction": pl.String},
    )  # fmt: skip
    counts = {("final", "kci"): (len(rows), len(rows), sum(row[1] for row in rows))}
    found = IndependenceResults(table, [row[0] for row in rows], len(rows), counts, None)
    plan: dict[str, Any] = {"alpha": 0.05, "models": [name], "threads": seed}
    return name, ReportData(name, independence=found, manifests=[StageSummary("independence", seed, {}, {}, [], plan)])


def test_each_pair_has_the_verdict_that_its_studies_give() -> None:
    one = study("one", ("age", True, 0.3, "rises"), ("height", True, 0.2, "rises"), ("club", True, 0.1, None),
                ("city", False, 0.0, None))  # fmt: skip
    two = study("two", ("age", True, 0.5, "rises"), ("height", True, 0.2, "falls"), ("club", False, 0.0, None), seed=2)
    found = compare_studies([one, two])
    assert {pair.feature: (pair.found, pair.tested, pair.verdict) for pair in found.findings} == {
        "age": (2, 2, "holds in all"),
        "height": (2, 2, "another direction"),
        "club": (1, 2, "one alone"),
    }
    assert found.findings[0].feature == "age"
    assert found.findings[0].effect == pytest.approx(0.4)
    assert dict(found.settings) == {"independence: seed": ["1", "2"], "independence: models": ["one", "two"]}
    assert found.sentence.startswith("Of 3 pairs that are dependent in one study or more: holds in all 1; ")


def test_the_page_is_closed_and_holds_every_text_as_text() -> None:
    name = f"study {SCRIPT}"
    page = render_study_comparison(
        compare_studies([study(name, (SCRIPT, True, 0.3, "rises")), study("two", ("b", False, 0.0, None))]), title=name
    )
    assert SCRIPT not in page
    assert "one study alone tested it" in page
    assert "default-src &#39;none&#39;" in page


def test_one_study_and_one_without_level_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give two or more"):
        compare_studies([study("one", ("b", False, 0.0, None))])
    with pytest.raises(InputError, match="two has no Level I"):
        compare_studies([study("one", ("b", False, 0.0, None)), ("two", ReportData("two"))])
    mine = tmp_path / "mine.html"
    mine.write_text("my own page", encoding="utf-8")
    result = CliRunner().invoke(app, ["compare", "a", "b", "--out", str(mine)])
    assert "personax did not make it" in str(result.exception)
    assert mine.read_text(encoding="utf-8") == "my own page"
