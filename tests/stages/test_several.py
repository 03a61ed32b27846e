"""Several sources in one study: sites on loopback in the real shapes, files, trouble, a kill, a second run."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image
from tests.http.site import Asked, Reply, Site, serving
from tests.processes import start
from tests.sources.celeba.made import write_celeba
from tests.sources.leagues import shapes
from tests.sources.leagues.shapes import Answer
from typer.testing import CliRunner

from personax import cli
from personax.config import read_plan
from personax.errors import PlanError, SourceError
from personax.sources import LEDGER, ReadingLedger
from personax.sources._collect_web import SourceResult
from personax.sources._records import Failure
from personax.sources._sections import CollectSeveral
from personax.stages import _collect_many as fetching
from personax.study import Study

QUICK = {"per_second": None, "backoff": 0.01, "read_seconds": 0.5, "total_seconds": 5.0, "concurrency": 8}

DEAD = {"source": "nhl", "season": "20252026", "base_url": "http://127.0.0.1:9", "rosters_url": None}
"""A site where nobody answers."""

DATA = Path(__file__).parents[3] / "shared" / "data" / "athletes"


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "REACHABLE", ("127.0.0.1",))


def site_of(answer: Answer, *, delay: float = 0.0, trouble: dict[str, list[Reply]] | None = None) -> Site:
    """Serve a shape; trouble comes first, path by path (``*`` is any path)."""

    def script(asked: Asked, times: int) -> Reply:
        first = (trouble or {}).get(asked.path, (trouble or {}).get("*", []))
        if times < len(first):
            return first[times]
        found = answer(asked.path, asked.body)
        return Reply(b"no", 404) if found is None else Reply(found[1], kind=found[0])

    return Site(script, delay=delay)


def study(folder: Path, sources: list[dict[str, Any]], **settings: Any) -> Path:
    """Write a study of sources and return its file."""
    folder.mkdir(exist_ok=True)
    collect = {"source": "several", "contact": "a@example.org", "fetch": QUICK, "sources": sources, **settings}
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump({"name": "athletes", "collect": collect}))
    return file


def nba(site: Site) -> dict[str, Any]:
    return {"source": "nba", "season": "2025-26", "base_url": site.url}


def atp(site: Site) -> dict[str, Any]:
    return {"source": "atp", "base_url": site.url, "site_url": site.url}


def people(file: Path) -> pl.DataFrame:
    return pl.read_parquet(file.parent / "people" / "people.parquet")


def collect(file: Path, *options: str) -> Any:
    found = CliRunner().invoke(cli.app, ["collect", str(file), *options])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def data(file: Path) -> dict[str, bytes]:
    """Return the bytes of all that a run wrote, but for its manifest, which holds the clock."""
    return {each.name: each.read_bytes() for each in sorted((file.parent / "people").iterdir())}


def test_sites_and_files_become_one_table_whose_values_have_origins(tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(
        "id,name,birth_date,height_cm,shoe\n7,Cy Other,1990-02-03,181.5,44\n8,Di Other,,,\n"
    )
    one, two = site_of(shapes.nba(12)), site_of(shapes.atp(9))
    with serving(one, two):
        file = study(tmp_path, [nba(one), {"source": "table", "path": "more.csv"}, atp(two)])
        shown = collect(file)
    table = people(file)
    assert shown.exit_code == 0
    assert table.height == 23
    assert table["id"].to_list()[12:14] == ["more-7", "more-8"]
    first = shapes.person(1)
    row = table.row(0, named=True)
    assert (row["name"], row["birth_date"]) == (f"{first.first} {first.last}", first.born)
    assert abs(row["height_cm"] - first.inches * 2.54) < 1e-9
    origins = pl.read_parquet(tmp_path / "people" / "origins.parquet")
    held = table.unpivot(index="id", on=[c for c in table.columns if c != "id"], variable_name="column").drop_nulls()
    assert set(held.select("id", "column").iter_rows()) == set(origins.select("id", "column").iter_rows())
    known = set(_cached(tmp_path))
    web = origins.filter(pl.col("source") != "more")
    assert set(web.select("url", "time", "sha256").iter_rows()) <= known
    assert origins.filter(pl.col("source") == "more")["url"].unique().to_list() == ["more.csv"]
    columns = {c["name"]: c for c in json.loads((tmp_path / "people" / "columns.json").read_text())}
    assert columns["birth_date"]["role"] == columns["name"]["role"] == columns["headshot_url"]["role"] == "private"
    assert columns["height_cm"]["unit"] == "cm"


def test_several_sources_of_one_kind_have_names(tmp_path: Path) -> None:
    for year, height in ((2024, "1,80"), (2025, "1,82")):
        (tmp_path / str(year)).mkdir()
        (tmp_path / str(year) / "people.csv").write_text(f"id;name;height_cm\n7;Cy Other;{height}\n8;Di Other;NA\n")
    men, women = site_of(shapes.nba(3)), site_of(shapes.nba(2))
    files = [{"source": "table", "path": f"{year}/people.csv", "as": f"y{year}"} for year in (2024, 2025)]
    with serving(men, women):
        file = study(tmp_path, [nba(men), {**nba(women), "as": "wnba"}, *files])
        shown = collect(file, "--source", "wnba", "--source", "y2025", "--source", "nba", "--source", "y2024")
        assert shown.exit_code == 0, shown.output
    ids = people(file)["id"].to_list()
    assert [name.rpartition("-")[0] for name in ids] == ["nba"] * 3 + ["wnba"] * 2 + ["y2024"] * 2 + ["y2025"] * 2
    origins = pl.read_parquet(tmp_path / "people" / "origins.parquet")
    assert set(origins["source"]) == {"nba", "wnba", "y2024", "y2025"}
    ledger = ReadingLedger.from_json((tmp_path / "people" / LEDGER).read_text(encoding="utf-8"))
    assert [(one.source, one.columns[2].missing) for one in ledger.files] == [
        ("y2024", {"NA": 1}),
        ("y2025", {"NA": 1}),
    ]


def _cached(folder: Path) -> list[tuple[str, str, str]]:
    database = sqlite3.connect(folder / "cache" / "pages.sqlite")
    rows = database.execute("SELECT url, time, sha256 FROM pages").fetchall()
    database.close()
    return rows


def test_a_second_run_sends_nothing_and_a_forced_one_writes_the_same(tmp_path: Path) -> None:
    site = site_of(shapes.nba(10))
    with serving(site):
        file = study(tmp_path, [nba(site)])
        collect(file)
        first, sent = data(file), len(site.asked)
        assert "nothing to do" in collect(file).output
        assert collect(file, "--force").exit_code == 0
        assert len(site.asked) == sent == 12
        assert data(file) == first
        collect(file, "--refresh")
        assert len(site.asked) == 2 * sent


def test_a_broken_source_costs_itself(tmp_path: Path) -> None:
    good = site_of(shapes.nba(5))
    changed = site_of(lambda target, body: ("application/json", b'{"other": 1}'))
    with serving(good, changed):
        file = study(
            tmp_path,
            [
                nba(good),
                atp(changed),
                {"source": "nhl", "season": "20252026", "base_url": "http://127.0.0.1:9", "rosters_url": None},
            ],
        )
        shown = collect(file)
    assert shown.exit_code == 0
    assert people(file).height == 5
    found = {one["source"]: one for one in json.loads((tmp_path / "people" / "sources.json").read_text())}
    assert found["nba"]["stopped"] is None
    assert "looked for" in found["atp"]["stopped"]
    assert "connection failed" in found["nhl"]["stopped"] or "robots.txt could not be read" in found["nhl"]["stopped"]
    assert (tmp_path / "cache" / "changed" / "atp.page").read_bytes() == b'{"other": 1}'
    assert "stopped: " in shown.output
    notices = json.loads((tmp_path / "manifests" / "collect.json").read_text())["notices"]
    assert sum("could not be collected" in notice["text"] for notice in notices) == 2


def test_nobody_at_all_is_an_error(tmp_path: Path) -> None:
    site = site_of(lambda target, body: None)
    with serving(site):
        file = study(tmp_path, [nba(site)])
        with pytest.raises(SourceError, match=r"no source gave anybody \(nba: "):
            collect(file)
    assert not (tmp_path / "people").exists()


def test_trouble_that_passes_loses_nobody(tmp_path: Path) -> None:
    trouble = [Reply(status=429, headers={"Retry-After": "0"}), Reply(status=403), Reply(b"{}" * 50, cut=5)]
    site = site_of(shapes.nba(8), trouble={"*": trouble})
    with serving(site):
        file = study(tmp_path, [nba(site)])
        assert collect(file).exit_code == 0
    assert people(file).height == 8
    assert people(file)["birth_date"].null_count() == 0


def test_a_person_whose_page_fails_keeps_what_the_list_says(tmp_path: Path) -> None:
    target = f"/stats/commonplayerinfo?PlayerID={9_000_003}&LeagueID=00"
    site = site_of(shapes.nba(8), trouble={target: [Reply(status=403)] * 4})
    with serving(site):
        file = study(tmp_path, [nba(site)])
        collect(file)
        table = people(file)
        assert table.height == 8
        assert table.filter(pl.col("birth_date").is_null())["id"].to_list() == ["nba-9000003"]
        failures = pl.read_parquet(tmp_path / "people" / "failures.parquet")
        assert failures["ref"].to_list() == ["9000003"]
        sent = len(site.asked)
        collect(file, "--force")
    assert len(site.asked) == sent + 2, "robots.txt and the one page that did not come"
    assert people(file)["birth_date"].null_count() == 0


def test_options_choose_sources_and_people(tmp_path: Path) -> None:
    one, two = site_of(shapes.nba(9)), site_of(shapes.atp(9))
    with serving(one, two):
        file = study(tmp_path, [nba(one), atp(two)])
        collect(file, "--source", "nba", "--limit", "3")
        assert people(file)["id"].to_list() == ["nba-9000001", "nba-9000002", "nba-9000003"]
        assert two.asked == []
        assert "the setting limit, only changed" in collect(file).output
        assert people(file).height == 18
        with pytest.raises(PlanError, match="did you mean nba"):
            collect(file, "--source", "nbaa")


def test_offline_uses_what_is_there(tmp_path: Path) -> None:
    site = site_of(shapes.nba(4))
    with serving(site):
        file = study(tmp_path, [nba(site)])
        with pytest.raises(SourceError, match="not in the cache"):
            collect(file, "--offline")
        collect(file)
    assert collect(file, "--offline", "--force").exit_code == 0
    assert people(file).height == 4


def test_a_probe_says_what_fits_and_writes_only_the_cache(tmp_path: Path) -> None:
    good, changed = site_of(shapes.nba(30)), site_of(lambda target, body: ("application/json", b"{}"))
    with serving(good, changed):
        file = study(tmp_path, [nba(good), atp(changed), DEAD])
        shown = collect(file, "--probe", "--json")
        plain = collect(file, "--probe")
    assert shown.exit_code == plain.exit_code == 0
    states = {one["source"]: one for one in json.loads(shown.stdout)}
    assert {name: one["state"] for name, one in states.items()} == {
        "nba": "fits", "atp": "changed", "nhl": "unreachable",
    }  # fmt: skip
    assert "looked for" in states["atp"]["why"]
    assert len(good.pages) == 4, "a list and one player, twice"
    assert sorted(each.name for each in tmp_path.iterdir() if not each.name.startswith(".")) == ["cache", "study.yaml"]


def test_a_probe_does_not_trust_what_was_fetched_before(tmp_path: Path) -> None:
    site = site_of(shapes.nba(3))
    with serving(site):
        file = study(tmp_path, [nba(site)])
        collect(file)
    with serving(broken := Site(lambda asked, times: Reply(status=500))):
        broken_file = study(tmp_path, [nba(broken)])
        assert "unreachable" in collect(broken_file, "--probe").stdout


@pytest.mark.parametrize(
    ("sources", "settings", "said"),
    [
        ([{"source": "nba", "season": "2025-26"}], {"contact": None}, "collect.contact"),
        ([{"source": "nba", "season": "2025-26"}], {"contact": "me"}, "e-mail"),
        ([{"source": "nbaa"}], {}, "did you mean nba"),
        ([{"source": "nba", "season": "2025"}], {}, "season"),
        ([{"source": "nba", "season": "2025-26", "sesaon": "x"}], {}, "unknown key sesaon; did you mean season"),
        ([{"path": "x"}], {}, "names its source"),
        ([{"source": "table", "path": path} for path in ("a/x.csv", "b/x.tsv")], {}, "two sources are called x"),
        ([], {}, "sources"),
        ([{"source": "table", "path": "x.csv"}], {"only": ["y"]}, "no source of this study is called y"),
        ([{"source": "table", "path": "x.csv"}], {"fetch": {"per_secnd": 1}}, "did you mean per_second"),
    ],
)
def test_what_cannot_be_done_is_said_with_file_line_and_key(
    tmp_path: Path, sources: list[dict[str, Any]], settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(PlanError, match="line") as error:
        read_plan(study(tmp_path, sources, **settings))
    assert said in str(error.value)


def test_files_alone_need_no_contact(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,name\n1,A\n2,B\n")
    file = study(tmp_path, [{"source": "table", "path": "x.csv"}], contact=None)
    assert collect(file).exit_code == 0
    assert people(file)["name"].to_list() == ["A", "B"]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real tables are not there")
def test_the_real_tables_become_one(tmp_path: Path) -> None:
    sources = [
        {"source": "openfootball", "path": str(DATA / "openfootball.tar.gz")},
        {"source": "nfl_players", "path": str(DATA / "nfl-players.json")},
    ]
    file = study(tmp_path, sources, contact=None)
    assert collect(file).exit_code == 0
    table = people(file)
    found = {one["source"]: one["found"] for one in json.loads((tmp_path / "people" / "sources.json").read_text())}
    assert found == {"openfootball": 32_659, "nfl-players": 7_827}
    assert table.height == 40_486
    assert table.filter(pl.col("id").str.starts_with("openfootball"))["nationality"].null_count() == 0
    origins = pl.read_parquet(tmp_path / "people" / "origins.parquet")
    assert origins.height == sum(table.height - s.null_count() for s in table if s.name != "id")

    collect(study(tmp_path, sources, contact=None, complete=True))
    placed = people(file)
    assert placed.height == table.height
    with_country = placed.filter(pl.col("nationality").is_not_null())
    assert with_country["latitude"].is_not_null().mean() >= 0.995  # type: ignore[operator]
    assert {"id", "column"} <= set(pl.read_parquet(tmp_path / "people" / "flags.parquet").columns)


def test_one_person_in_two_sources_becomes_one_row_with_both_origins(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "id,name,birth_date,height_cm\n1,Ada Sample,1990-03-04,180\n2,Bo Other,1991-01-01,\n"
    )
    (tmp_path / "b.csv").write_text(
        'id,name,birth_date,weight_kg\n9,"Sample, Ada",1990-03-04,70\n8,Cy New,1980-01-01,\n'
    )
    sources = [{"source": "table", "path": path} for path in ("a.csv", "b.csv")]
    file = study(tmp_path, sources, contact=None, link=True)
    assert collect(file).exit_code == 0
    table = people(file)
    assert sorted(table["id"]) == ["a-1", "a-2", "b-8"]
    ada = table.filter(pl.col("id") == "a-1").row(0, named=True)
    assert (ada["name"], ada["height_cm"], ada["weight_kg"]) == ("Ada Sample", 180, 70)
    origins = pl.read_parquet(tmp_path / "people" / "origins.parquet").filter(pl.col("id") == "a-1")
    told = dict(origins.select("column", "url").iter_rows())
    assert (told["height_cm"], told["weight_kg"]) == ("a.csv", "b.csv")
    assert json.loads((tmp_path / "people" / "linking.json").read_text())["people"] == 3


def test_wikidata_is_a_source_like_the_leagues(tmp_path: Path) -> None:
    plan = read_plan(study(tmp_path, [{"source": "wikidata", "ids": ["Q42"]}]))
    assert isinstance(plan.collect, CollectSeveral)
    assert plan.collect.model_dump(mode="json")["sources"][0]["ids"] == ["Q42"]
    gathered = SourceResult("wikidata")
    gathered.add(Failure("wikidata", "Q1", "https://www.wikidata.org/wiki/Q1", "not a human"))
    assert gathered.summary()["errors"] == {"not a human": 1}


def test_no_header_of_a_study_is_in_any_file_but_that_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAX_SITE_TOKEN", "env-31415926")
    typed = {
        "Authorization": "Bearer ${PERSONAX_SITE_TOKEN}",
        "Cookie": "session=typed-27182818",
        "X-Mine": "plain-16180339",
    }
    sent = {"authorization": "Bearer env-31415926", "cookie": typed["Cookie"], "x-mine": typed["X-Mine"]}
    site, gone = site_of(shapes.nba(6)), Site(lambda asked, times: Reply(b"no", 403))
    with serving(site, gone):
        sources = [{**nba(site), "headers": typed}, {**atp(gone), "headers": typed}]
        file = study(tmp_path, sources)
        shown = [collect(file).output]
        Study.load(file).run(["report"])
        asked = [*(one for one in site.asked if one.path != "/robots.txt"), *gone.asked[1:]]
        assert [{name: one.headers[name] for name in sent} for one in asked] == [sent] * len(asked)
        assert not any({*sent} & {*one.headers} for one in (site.asked[0], gone.asked[0])), "robots.txt needs none"
        monkeypatch.setenv("PERSONAX_SITE_TOKEN", "env-00000000")
        assert "nothing to do" in collect(file).output, "what a variable holds is no setting"
        typed["Cookie"] = "session=typed-other"
        file = study(tmp_path, [{**nba(site), "headers": typed}, {**atp(gone), "headers": typed}])
        assert Study.load(file).status()[0].why == "the setting sources changed"
    monkeypatch.delenv("PERSONAX_SITE_TOKEN")
    with pytest.raises(SourceError, match="the environment variable PERSONAX_SITE_TOKEN is not set") as caught:
        collect(file, "--force")
    shown.append(str(caught.value))
    held = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != file}
    assert (tmp_path / "cache" / "pages.sqlite") in held
    for secret in ("31415926", "27182818", "16180339", "typed-other", "00000000"):
        assert not [path for path, held_bytes in held.items() if secret.encode() in held_bytes]
        assert not [text for text in shown if secret in text]


def test_what_a_broken_file_holds_is_in_no_notice(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("id,birth_date\n1,1990-99-17\n2,1991-99-18\n", encoding="utf-8")
    (tmp_path / "good.csv").write_text("id,name\n1,Cy Other\n", encoding="utf-8")
    bad = {"source": "table", "path": "bad.csv", "columns": {"birth_date": {"format": "%Y-%m-%d"}}}
    file = study(tmp_path, [bad, {"source": "table", "path": "good.csv"}])
    assert collect(file).exit_code == 0
    Study.load(file).run(["report"])
    assert "1990-99-17" in (tmp_path / "people" / "sources.json").read_text(encoding="utf-8")
    for shown in (tmp_path / "manifests" / "collect.json", tmp_path / "report" / "index.html"):
        text = shown.read_text(encoding="utf-8")
        assert "bad could not be collected to its end" in text
        assert "1990-99-17" not in text


def test_a_header_that_is_no_text_is_refused_without_its_value(tmp_path: Path) -> None:
    file = study(tmp_path, [{"source": "nba", "season": "2025-26", "headers": {"X-Api-Key": 27182818}}])
    with pytest.raises(PlanError, match="must be a valid string") as caught:
        read_plan(file)
    assert "27182818" not in str(caught.value)


DRIVER = """
import sys
from pathlib import Path
from personax.stages import _collect_many as collect_many
from personax.study import Study
collect_many.REACHABLE = ("127.0.0.1",)
Study.load(Path(sys.argv[1])).run(["collect"])
"""


def _until(condition: Any) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came so far")


def test_a_collection_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    site = site_of(shapes.nba(60), delay=0.02)
    with serving(site):
        file = study(tmp_path, [nba(site)], fetch={**QUICK, "concurrency": 1})
        running = start(DRIVER, file)
        _until(lambda: len(site.pages) > 20)
        running.kill()
        running.join()
        assert not (tmp_path / "people").exists()
        held, before = len(_cached(tmp_path)), len(site.pages)
        assert before - 1 <= held + 1
        collect(file)
    assert people(file).height == 60
    twice = [path for path, times in site.seen.items() if times > 1 and path != "/robots.txt"]
    assert len(site.pages) - before == 61 - held
    assert len(twice) <= 1, "only the page that was under way"


def test_the_order_of_answers_changes_nothing(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder, delay in ((first, 0.0), (second, 0.01)):
        one, two = site_of(shapes.nba(20), delay=delay), site_of(shapes.atp(20))
        with serving(one, two):
            collect(study(folder, [nba(one), atp(two)]))
    a, b = (pl.read_parquet(folder / "people" / "people.parquet") for folder in (first, second))
    assert a.drop("headshot_url").equals(b.drop("headshot_url"))


def test_celeba_is_a_source_of_a_study_alone_or_beside_others(tmp_path: Path) -> None:
    write_celeba(tmp_path / "celeba", 400, 50, rng=np.random.default_rng(0))
    (tmp_path / "people.csv").write_text("id,height_cm\na,180\nb,175\n", encoding="utf-8")
    celeba = "{source: celeba, path: celeba}"
    both = f"{{source: several, sources: [{celeba}, {{source: table, path: people.csv}}]}}"
    for collect, people in ((celeba, 50), (both, 52)):
        path = tmp_path / "study.yaml"
        path.write_text(f"name: faces\ncollect: {collect}\n", encoding="utf-8")
        Study.load(path).run(["collect"])
        table = pl.read_parquet(tmp_path / "people" / "people.parquet")
        assert table.height == people
        assert {"Big_Nose", "Arched_Eyebrows"} <= set(table.columns)
    for collect, said in (
        ("{source: celeba, path: celeba, names: n.txt, wikidata: true}", "put celeba among"),
        ("{source: several, sources: [{source: celeba, path: celeba, wikidata: true}]}", "file of names"),
        ("{source: several, sources: [{source: celeba, path: celeba, names: n.txt, wikidata: true}]}", "contact"),
    ):
        path.write_text(f"name: faces\ncollect: {collect}\n", encoding="utf-8")
        with pytest.raises(PlanError, match=said):
            Study.load(path).run(["collect"])
    (tmp_path / "n.txt").write_text("000001.jpg Ada Sample\n", encoding="utf-8")
    asked = "{source: several, contact: me@uni.example, offline: true, sources: [" + celeba[:-1]
    path.write_text(f"name: faces\ncollect: {asked}, names: n.txt, wikidata: true}}]}}\n", encoding="utf-8")
    Study.load(path).run(["collect"])
    manifest = Study.load(path).folder.manifest("collect")
    assert manifest is not None
    assert any("Wikidata could not be asked" in str(notice) for notice in manifest.notices), "it costs itself"
    path.write_text("name: faces\ncollect: {source: celeba, path: nowhere}\n", encoding="utf-8")
    with pytest.raises(PlanError, match="there is no"):
        Study.load(path).run(["collect"])


def test_pictures_of_a_folder_are_verified_and_kept_in_the_private_part(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,height_cm\na,180\nb,175\nc,171\n", encoding="utf-8")
    (tmp_path / "faces").mkdir()
    Image.new("RGB", (300, 200), (200, 30, 30)).save(tmp_path / "faces" / "people-a.jpg")
    (tmp_path / "faces" / "people-b.png").write_bytes(b"PK\x03\x04 a zip, not a picture")
    path = tmp_path / "study.yaml"
    study = (
        "name: faces\ncollect:\n  source: several\n  sources: [{source: table, path: people.csv}]\n"
        "  pictures: {of: faces, size: 64}\n"
    )
    path.write_text(study, encoding="utf-8")
    Study.load(path).run(["collect"])
    table = pl.read_parquet(tmp_path / "people" / "pictures.parquet")
    assert dict(table.select("id", "state").iter_rows()) == {"people-a": "kept", "people-b": "refused"}
    with Image.open(tmp_path / "people" / "images" / "people-a.png") as kept:
        assert kept.size == (64, 64)
    assert not (tmp_path / "people" / "images" / "people-b.png").exists()
    loaded = Study.load(path)
    assert [one.state for one in loaded.status() if one.stage == "collect"] == ["done"]
    Image.new("RGB", (300, 200), (30, 200, 30)).save(tmp_path / "faces" / "people-c.png")
    assert [one.state for one in loaded.status() if one.stage == "collect"] == ["stale"], "a new picture is seen"
    path.write_text(study.replace("of: faces", "of: nowhere"), encoding="utf-8")
    with pytest.raises(PlanError, match="no folder"):
        Study.load(path).run(["collect"])
    path.write_text(study.replace("of: faces", "of: headshots"), encoding="utf-8")
    Study.load(path).run(["collect"])
    assert not (tmp_path / "people" / "images").exists() or not any((tmp_path / "people" / "images").iterdir())
