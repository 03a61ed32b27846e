"""A dump of the invented Wikidata becomes an extract that answers as the live site does."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.sources.wikidata.invented import Wiki, amount, dump, human, item, said, to, when
from typer.testing import CliRunner

from personax.cli import app
from personax.config import permissions, read_plan
from personax.errors import InputError, SourceError
from personax.sources import Failure, Record
from personax.sources.wikidata import NameQuery, Wikidata, WikidataExtract, extract_dump
from personax.sources.wikidata._dump import dump_portions, portion_lines
from personax.study import Study

CLUB, NATIONAL, LEAGUE, CLASS = "Q60", "Q61", "Q155223", "Q62"
PEOPLE = [
    human("Q101", {"en": "José Sample", "ru": "Хосе Сампл"}, P21=to("Q6581097"), P569=when("1985-04-05"),
          P106=to("Q33999"), P27=to("Q29"), P345="nm1", P2048=amount("+1.8", "Q11573")),
    human("Q102", "Jose Sample", P21=to("Q6581072"), P569=when("1970-00-00", 9), P106=[to("Q177220"), to("Q999")]),
    human("Q103", "Ada Player", P106=to("Q3665646"), P641=to("Q5372"), P19=to("Q40"),
          P54=[said(to(NATIONAL)), said(to(CLUB), P580=when("2020-01-01"))]),
    human("Q104", "Former Player", P106=to("Q3665646"), P54=said(to(CLUB), P582=when("2001-01-01"))),
    human("Q105", "Late Player", P106=to("Q3665646"), P54=to(CLUB), P570=when("2020-02-02")),
]  # fmt: skip
OTHERS = [
    item("Q29", "Spain", P297="ES"), item("Q40", "Town", P17=to("Q29")), item("Q999", "busker", P279=to("Q998")),
    item("Q998", "street performer", P279=to("Q639669")), item("Q5372", "basketball"),
    item(CLUB, "Club", P118=to(LEAGUE)), item(NATIONAL, "Spain national team"), item(LEAGUE, "NBA"),
    item("Q70", "A village that nobody comes from"), item("Q71", "An article", P31=to("Q13442814")),
    {"type": "property", "id": "P31", "labels": {}, "claims": {}},
]  # fmt: skip


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> WikidataExtract:
    folder = tmp_path_factory.mktemp("wikidata")
    (folder / "all.json.bz2").write_bytes(bz2.compress(dump(*PEOPLE, *OTHERS)))
    extract_dump(folder / "all.json.bz2", folder / "extract")
    return WikidataExtract(folder / "extract")


def crowd() -> list[dict[str, Any]]:
    """Return 200 people whose lines are long, so that few of them fill a block of bzip2."""
    noise = "".join(f"{number * 7919 % 1000003:x}" for number in range(50_000))
    return [
        human(f"Q{n}", f"Person {n}", P569=when("1985-04-05"))
        | {"descriptions": {"en": noise[n * 900 : n * 900 + 3000]}}
        for n in range(100, 300)
    ]


def streams(text: bytes) -> bytes:
    """Pack as pbzip2 does: one stream after another; small blocks, so that there are many."""
    return bz2.compress(text[: len(text) // 3], 1) + bz2.compress(text[len(text) // 3 :], 1)


def zstd(text: bytes) -> bytes:
    return bytes(pytest.importorskip("pyarrow").compress(text, "zstd", asbytes=True))


@pytest.mark.parametrize("ending", ["", ".bz2", ".gz", ".zst"])
def test_portions_of_any_size_have_every_line_once(tmp_path: Path, ending: str) -> None:
    pack: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".bz2": streams, ".gz": gzip.compress, ".zst": zstd}
    # one line is longer than two blocks of bzip2; text that repeats little, so that blocks have many bytes
    noise = "".join(f"{number * 7919 % 1000003:x}" for number in range(90_000))
    lines = [b'{"id":"Q%d","x":"%s"}' % (n, noise[: n * 997 % 4000].encode()) for n in range(150)]
    lines[70] = b'{"id":"Q70","x":"%s"}' % noise.encode()
    path = tmp_path / f"all.json{ending}"
    path.write_bytes(pack[ending](b"[\n" + b",\n".join(lines) + b"\n]\n"))
    for size in (None, 30_011):
        found = [line for portion in dump_portions(path, size=size) for line in portion_lines(portion)]
        assert [line for line in found if line not in (b"", b"[", b"]")] == lines


def test_people_and_what_they_refer_to_are_kept(extract: WikidataExtract) -> None:
    people = pl.read_parquet(extract.folder / "people" / "00000.parquet")
    assert people["id"].to_list() == [101, 102, 103, 104, 105]
    row = people.row(0, named=True)
    assert (row["gender"], row["birth_year"], row["birth_day"], row["birth_precision"]) == ("male", 1985, 5, "day")
    assert (row["birth_calendar"], row["citizenship"], row["imdb_id"]) == ("gregorian", [29], "nm1")
    assert (row["height_cm"], row["names"]) == (180.0, ["José Sample", "Хосе Сампл"])
    assert people["teams"][2].to_list()[1] == {"team": 60, "start": 2020, "end": None, "ended": False}
    items = pl.read_parquet(extract.folder / "items.parquet")
    kept = {29, 40, 60, 61, 155223, 998, 999, 5372}
    assert set(items["id"]) == kept, "a village that nobody refers to is not kept"
    assert extract.facts["complete"]
    assert extract.notices == []


def test_a_name_finds_everybody_who_bears_it_with_evidence(extract: WikidataExtract) -> None:
    asked = [NameQuery("sample, JOSE", birth_year=1984, gender="male", occupation="actor"), NameQuery("Хосе Сампл"),
             NameQuery("Nobody"), NameQuery("...")]  # fmt: skip
    found = extract.candidates(asked)
    assert found.select("query", "id", "match").rows() == [
        (0, "Q101", "reordered"), (0, "Q102", "reordered"), (1, "Q101", "label"),
    ]  # fmt: skip
    agreed = found.select("birth_year_agrees", "gender_agrees", "occupation_agrees").rows()
    # a musician whose other occupation is in no group may be an actor too
    assert agreed[:2] == [(True, True, True), (False, False, None)]
    assert agreed[2] == (None, None, None), "what was not asked agrees with nothing"
    assert found["citizenship_codes"].to_list() == [["ES"], [], ["ES"]]


def test_the_rule_of_the_live_site_decides(extract: WikidataExtract) -> None:
    one, two, three = extract.resolve([NameQuery("José Sample"), NameQuery("José Sample", gender="female"),
                                       NameQuery("Nobody")])  # fmt: skip
    assert (one.status, two.id, three.status) == ("ambiguous", "Q102", "none")


def test_leagues_and_kinds_of_occupations(extract: WikidataExtract) -> None:
    assert extract.members("nba") == ["Q103"], "neither who left nor who died"
    assert extract.superclasses(["Q999", "Q33999"]) == {"Q999": "musician"}


def test_an_extract_and_the_live_site_give_the_same_people(extract: WikidataExtract) -> None:
    pytest.importorskip("rdflib")
    wiki = Wiki(*PEOPLE, *OTHERS[:-1])

    def people(fetch: Any, **settings: Any) -> list[tuple[Any, ...]]:
        async def run() -> list[Record | Failure]:
            return [each async for each in Wikidata(**settings).collect(fetch)]

        found = asyncio.run(run())
        return [(each.ref, each.values, each.bad) if isinstance(each, Record) else (each.ref,) for each in found]

    for asked in ({"league": "nba"}, {"ids": ["Q101", "Q102", "Q7", "Q103", "Q29"]}):
        offline = people(None, **asked, extract=str(extract.folder))
        assert offline == people(wiki, **asked)
        assert len(offline) == len(asked.get("ids", [1]))


def test_a_study_asks_the_extract_and_nobody_else(extract: WikidataExtract, tmp_path: Path) -> None:
    """Without a contact, which every site would be told."""
    shutil.copytree(extract.folder, tmp_path / "extract")
    source = {"source": "wikidata", "extract": "extract", "ids": ["Q101", "Q102"]}
    collect = {"source": "several", "sources": [source], "complete": True}
    (tmp_path / "study.yaml").write_text(json.dumps({"name": "offline", "collect": collect}))
    plan = read_plan(tmp_path / "study.yaml")
    assert permissions(plan, tmp_path, tmp_path).hosts == ()
    shown = CliRunner().invoke(app, ["collect", str(tmp_path / "study.yaml")])
    assert shown.exit_code == 0, shown.output
    people = pl.read_parquet(tmp_path / "people" / "people.parquet")
    assert people.select("id", "country_code").rows() == [("wikidata-Q101", "ES"), ("wikidata-Q102", None)]
    origins = pl.read_parquet(tmp_path / "people" / "origins.parquet")
    assert origins.filter(pl.col("column") == "name")["url"][0] == "https://www.wikidata.org/wiki/Q101"
    (tmp_path / "extract" / "extract.json").write_text("{}")
    with pytest.raises(SourceError, match="make the extract again"):
        Study.load(tmp_path / "study.yaml").run(["collect"])


def test_headshots_that_nobody_gives_are_said(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name,height_cm\n1,Ada Sample,170\n2,Bo Sample,180\n")
    collect = {"source": "several", "sources": [{"source": "table", "path": "people.csv"}],
               "pictures": {"of": "headshots"}}  # fmt: skip
    (tmp_path / "study.yaml").write_text(json.dumps({"name": "faces", "collect": collect}))
    shown = CliRunner().invoke(app, ["collect", str(tmp_path / "study.yaml")])
    assert "No headshot was kept: no source gives an address of one" in " ".join(shown.stdout.split())


def test_a_study_names_its_own_endpoint() -> None:
    """They were dead settings: only the public hosts were ever let through."""
    named = Wikidata(
        ids=["Q1"], base_url="https://wiki.example.org", endpoint="https://qlever.example.org/api/wikidata"
    )
    assert named.hosts == ("wiki.example.org", "qlever.example.org")
    assert Wikidata(ids=["Q1"]).hosts == Wikidata.live_hosts
    assert Wikidata(ids=["Q1"], extract="x").hosts == ()


def test_a_run_that_is_stopped_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_bytes(dump(*PEOPLE, *OTHERS))
    calls: list[int] = []

    class Stop:
        def stage(self, name: str) -> None: ...

        def message(self, text: str) -> None: ...

        def step(self, done: int, total: int, text: str = "") -> None:
            calls.append(done)
            if len(calls) == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_dump(path, tmp_path / "out", portion=500, progress=Stop())
    with pytest.raises(InputError, match="not finished; run the same command again"):
        WikidataExtract(tmp_path / "out")
    with pytest.raises(InputError, match="begun with another dump or version"):
        extract_dump(path, tmp_path / "out", portion=501)
    summary = extract_dump(path, tmp_path / "out", portion=500, progress=Stop())
    assert (summary.people, summary.broken, summary.complete) == (5, 0, True)
    assert len(calls) == -(-path.stat().st_size // 500), "every portion once"
    with pytest.raises(InputError, match="holds an extract already"):
        extract_dump(path, tmp_path / "out")


@pytest.mark.parametrize("ending", ["", ".bz2", ".gz"])
def test_a_dump_that_breaks_off_says_so_and_keeps_what_came(tmp_path: Path, ending: str) -> None:
    pack: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".bz2": streams, ".gz": gzip.compress}
    whole = pack[ending](dump(*crowd()))
    path, out = tmp_path / f"all.json{ending}", tmp_path / "out"
    path.write_bytes(whole[: len(whole) * 9 // 10])
    shown = CliRunner().invoke(app, ["wikidata", "extract", str(path), "--out", str(out)])
    assert shown.exit_code == 1
    assert "The dump breaks off" in shown.stdout
    extract = WikidataExtract(out)
    assert 60 < extract.facts["people"] < 200
    assert not extract.facts["complete"]
    assert extract.candidates(["Person 0"]).is_empty()
    assert any("breaks off" in notice for notice in extract.notices)


def test_a_damaged_block_costs_what_is_in_it(tmp_path: Path) -> None:
    packed = bytearray(streams(dump(*crowd())))
    packed[len(packed) // 2] ^= 255
    (tmp_path / "all.json.bz2").write_bytes(packed)
    summary = extract_dump(tmp_path / "all.json.bz2", tmp_path / "out", portion=30_000)
    assert summary.complete, "the end is there"
    assert 1 <= summary.broken <= 3
    assert 60 < summary.people < 200
    people_kept = pl.read_parquet(tmp_path / "out" / "people" / "*.parquet")["id"]
    assert {100, 299} <= set(people_kept), "before and behind the damage"


def test_a_broken_line_costs_itself(tmp_path: Path) -> None:
    lines = dump(*PEOPLE[:2]).split(b"\n")
    bad = [
        b'{"id":"Q1","claims":{"P31":[{"rank":"normal"}]}},',
        b'{"labels":{}},',
        b"\xff\xfe,",
        b'{"id":"Q2","cl,',
        b"7,",
    ]
    half = json.dumps(human("Q3", "A", P345="\ud800"), separators=(",", ":")).encode() + b","
    (tmp_path / "all.json").write_bytes(b"\n".join([lines[0], *bad, half, *lines[1:]]))
    summary = extract_dump(tmp_path / "all.json", tmp_path / "out")
    assert (summary.people, summary.broken, summary.complete) == (2, 6, True)
    assert summary.notices == ["6 lines or blocks of the dump are no entity that can be read; they are left out."]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("all.nt", b"<http://www.wikidata.org/entity/Q1> <x> <y> .\n", "no JSON dump of Wikidata"),
        ("all.json.bz2", b"<html>429 Too many requests", "cannot be unpacked"),
        ("all.json.gz", gzip.compress(b"<mediawiki>", mtime=0), "no JSON dump of Wikidata"),
        ("all.json", b"", "no JSON dump of Wikidata"),
        ("all.json", dump(*OTHERS), "names no human being"),
        ("all.json", dump(*OTHERS)[:-30], "breaks off before its first person"),
    ],
)
def test_other_files_are_refused_with_the_cure(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        extract_dump(tmp_path / name, tmp_path / "out")
    (tmp_path / name).write_bytes(dump(*PEOPLE) if name == "all.json" else b"")
    if name == "all.json":
        assert extract_dump(tmp_path / name, tmp_path / "out").people == 5, "and the folder can be used"


def test_an_extract_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "extract.json").write_text(json.dumps({"format": "personax wikidata extract", "version": 2}))
    with pytest.raises(InputError, match="version 2, and this personax reads version 1; make it again"):
        WikidataExtract(tmp_path)
    (tmp_path / "extract.json").write_text("{}")
    with pytest.raises(InputError, match="make the extract again"):
        WikidataExtract(tmp_path)
    with pytest.raises(InputError, match="is no extract of Wikidata"):
        WikidataExtract(tmp_path / "nowhere")


def test_real_entities_go_through(tmp_path: Path) -> None:
    real = Path(__file__).parents[4] / "shared" / "data" / "wikidata"
    if not real.is_dir():
        pytest.skip("no real entities here")
    summary = extract_dump(real, tmp_path / "out")
    assert (summary.people, summary.broken) == (4, 0), "a band, a language and a place are no people"
    extract = WikidataExtract(tmp_path / "out")
    found = extract.candidates(["아이유", "douglas adams", "Shin Jung hyeon"])
    assert found["id"].to_list() == ["Q20145", "Q42", "Q494290"]
    assert found["birth_year"].to_list() == [1993, 1952, 1938]
    assert found["height_cm"].to_list() == [None, 196.0, None]
    assert found["imdb_id"].to_list() == ["nm4653224", "nm0010930", "nm1142700"]
    shown = CliRunner().invoke(app, ["wikidata", "lookup", str(tmp_path / "out"), "Douglas Adams", "--json"])
    assert json.loads(shown.stdout)[0]["death_year"] == 2001
