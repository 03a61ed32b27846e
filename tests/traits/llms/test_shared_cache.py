"""What one study has paid for another does not ask, wherever the model is served; copies are no raters of their own."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.cli import app
from personax.study import Study
from personax.traits.llms import Model, Prompt, ReplyJournal, Survey, annotate, give_to_cache, take_from_cache

PEOPLE = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She won {i} prizes."} for i in range(6)]


def survey_of(*urls: str, people: int = 6) -> Survey[Prompt]:
    models = [Model(name=f"m{k}", model="m", base_url=url, input_price=1, output_price=1) for k, url in enumerate(urls)]
    return Survey(PEOPLE[:people], models, Prompt(), 2)


def test_answers_that_could_be_used_are_given_and_taken_once_at_no_cost(tmp_path: Path) -> None:
    def script(body: Body, seen: int) -> Fault | None:
        return Fault(content="no JSON at all") if "won 2 " in str(body) else None

    with (
        serving(Server(script=script)) as one,
        serving(Server()) as other,
        ReplyJournal(tmp_path / "a") as first,
        ReplyJournal(tmp_path / "shared") as cache,
    ):
        annotate(survey_of(one.url), first)
        assert give_to_cache(survey_of(one.url), first, cache) == 10, "not those of p2"
        assert give_to_cache(survey_of(one.url), first, cache) == 0
        with ReplyJournal(tmp_path / "b") as second:
            assert take_from_cache(survey_of(other.url), second, cache) == 10
            assert take_from_cache(survey_of(other.url), second, cache) == 0
            assert second.spent() == 0
            (summary,) = annotate(survey_of(other.url), second)
            assert (summary.cached, summary.completed) == (10, 2)
            assert sum(other.sent.values()) == 2
        with ReplyJournal(tmp_path / "c") as third:
            twins = survey_of(one.url, other.url)
            assert take_from_cache(twins, third, cache) == 0, "they would become copies of each other"


def test_studies_share_a_cache_and_forgetting_reaches_it(tmp_path: Path) -> None:
    lines = ["id,name,biography", *(f"p{i},Ann {i},She won {i} prizes." for i in range(4))]
    with serving(Server()) as one, serving(Server()) as other:
        for name, server in (("a", one), ("b", other)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "people.csv").write_text("\n".join(lines))
            (tmp_path / name / "study.yaml").write_text(
                "name: x\ncollect: {source: table, path: people.csv}\nannotate:\n  source: llm\n"
                f"  cache: shared.sqlite\n  models: [{{name: m, model: m, base_url: '{server.url}'}}]\n"
            )
        Study.load(tmp_path / "a" / "study.yaml").run(["annotate"])
        (tmp_path / "a" / "shared.sqlite").rename(tmp_path / "b" / "shared.sqlite")
        Study.load(tmp_path / "b" / "study.yaml").run(["annotate"])
        assert (sum(one.sent.values()), sum(other.sent.values())) == (4, 0)
        tables = [pl.read_parquet(tmp_path / name / "traits" / "traits.parquet") for name in "ab"]
        assert tables[0].equals(tables[1])
        done = CliRunner().invoke(app, ["journal", "forget", str(tmp_path / "b" / "study.yaml"), "p1"])
        assert done.exit_code == 0, done.output
        assert "2 replies about p1" in done.output
        with ReplyJournal(tmp_path / "b" / "shared.sqlite") as cache:
            assert {entry.person for entry in cache.entries()} == {"p0", "p2", "p3"}
