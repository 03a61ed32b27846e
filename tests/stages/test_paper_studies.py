"""The paper's two data sets as study files, run on small invented files: no site is asked."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from tests.sources.celeba.made import write, write_celeba
from tests.sources.leagues import shapes
from tests.sources.leagues.serving import Straight
from tests.sources.wikidata.invented import dump, human, item, to, when

from personax.errors import FetchError, SourceError
from personax.http import Request
from personax.sources.celeba._table import STABLE, TRANSIENT
from personax.sources.leagues import LEAGUES
from personax.sources.leagues._saved_pages import SavedPages
from personax.sources.wikidata import extract_dump
from personax.study import Study

STUDIES = Path(__file__).parents[2] / "studies"


def study(name: str, folder: Path) -> Study:
    """Put the study file two folders below its data, as it is in the repository."""
    path = folder / "here" / "studies" / f"{name}.yaml"
    path.parent.mkdir(parents=True)
    path.write_text((STUDIES / f"{name}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return Study.load(path)


def celeba(folder: Path, identities: int) -> None:
    """Write label files, the names, and an extract that knows all but every tenth, beside a namesake of each fifth."""
    _, owners = write_celeba(folder / "celeba", 12 * identities, identities, rng=np.random.default_rng(1))
    lines = (folder / "celeba" / "list_attr_celeba.txt").read_text().splitlines()
    place = lines[1].split().index("Male")
    for number, owner in enumerate(owners.tolist()):
        cells = lines[number + 2].split()
        cells[place + 1] = "1" if owner % 2 else "-1"
        lines[number + 2] = " ".join(cells)
    write(folder / "celeba" / "list_attr_celeba.txt", lines)
    names = [f"{n:06d}.jpg Given{owner}_Family{owner}" for n, owner in enumerate(owners.tolist(), 1)]
    write(folder / "celeba" / "list_identity_celeba.txt", [str(len(names)), "image_id identity_name", *names])
    sexes = ("Q6581072", "Q6581097")
    known = [
        human(f"Q{1000 + n}", f"Given{n} Family{n}", P21=to(sexes[n % 2]), P569=when(f"{1955 + n % 40}-04-05"),
              P106=to("Q33999"), P18="a.jpg", P27=to("Q30"), P19=to("Q60")) for n in range(1, identities + 1) if n % 10
    ]  # fmt: skip
    namesakes = [
        human(f"Q{9000 + n}", f"Given{n} Family{n}", P21=to(sexes[1 - n % 2]), P569=when("1850-01-01"),
              P570=when("1920-01-01"), P106=to("Q82955")) for n in range(1, identities + 1) if n % 5 == 0
    ]  # fmt: skip
    twins = [
        human(f"Q{8000 + n}", f"Given{n} Family{n}", P21=to(sexes[n % 2]), P569=when(f"{1955 + n}-05-05"),
              P106=to("Q33999"), P18="a.jpg") for n in (7, 13)
    ]  # fmt: skip
    places = [item("Q30", "United States of America", P297="US"), item("Q60", "New York City", P17=to("Q30"))]
    (folder / "all.json").write_bytes(dump(*known, *namesakes, *twins, *places))
    extract_dump(folder / "all.json", folder / "wikidata")


def test_celebpersona(tmp_path: Path) -> None:
    celeba(tmp_path, 120)
    made = study("celeb", tmp_path)
    made.run(["collect"])
    people = pl.read_parquet(made.folder.path("people", "people.parquet"))
    assert people.height == 120
    assert set(STABLE) <= set(people.columns)
    assert not set(TRANSIENT) & set(people.columns)
    report = pl.read_parquet(made.folder.path("people", "celeba_wikidata.parquet"))
    found = report.filter(pl.col("status") == "found")
    assert (found["wikidata"] == (pl.Series(found["identity"]) + 1000).cast(pl.String).str.replace("^", "Q")).all()
    assert found.height >= 0.9 * 108
    absent = report.filter(pl.col("identity") % 10 == 0)  # of whom there are namesakes of the other sex, long dead
    assert set(absent["status"]) == {"none"}
    columns = {column["name"]: column for column in json.loads(made.folder.path("people", "columns.json").read_text())}
    assert {columns[name]["role"] for name in ("male_share", "young_share", "name")} == {"private"}
    assert people.filter(pl.col("nationality").is_not_null())["latitude"].null_count() == 0
    # who may be two people is asked; what a person decides, in a spreadsheet or in Label Studio, the next run takes
    asked = report.filter(pl.col("identity").is_in([7, 13]))
    assert asked["status"].to_list() == ["ambiguous"] * 2
    lines = made.folder.path("people", "celeba_review.csv").read_text().splitlines()
    tasks = json.loads(made.folder.path("people", "celeba_review.json").read_text())
    assert "male_share" in lines[0]
    filled = [line.replace(",,,Given7", ",,same,Given7") if ",Q8007," in line else line for line in lines]
    (tmp_path / "done.csv").write_text("\n".join(filled).replace(",", ";"), encoding="utf-16")
    assert decided(tmp_path, "done.csv")[7] == ("found", "Q8007", "a person decided it")
    for task in tasks:
        choice = "same" if task["data"]["ref_b"] == "Q8013" else "different"
        task["annotations"] = [{"result": [{"value": {"choices": [choice]}, "from_name": "decision"}]}]
    (tmp_path / "done.json").write_text(json.dumps(tasks))
    found = decided(tmp_path, "done.json")
    assert found[7][0] == "none"
    assert found[13] == ("found", "Q8013", "a person decided it")


def decided(folder: Path, file: str) -> dict[int, tuple[str, str, str]]:
    """Run a study again with decisions, and return identity -> status, item and reason."""
    path = folder / "here" / "studies" / "celeb.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan["collect"]["review"] = f"../../{file}"
    path.write_text(json.dumps(plan), encoding="utf-8")
    again = Study.load(path)
    again.run(["collect"])
    report = pl.read_parquet(again.folder.path("people", "celeba_wikidata.parquet"))
    rows = report.select("identity", "status", "wikidata", "reason").iter_rows()
    return {identity: (status, item, reason) for identity, status, item, reason in rows}


def har(answer: shapes.Answer, league: str) -> dict[str, Any]:
    """Save what a crawl of an invented league asks as a browser's network panel does."""
    fetch = Straight(answer)
    entries: list[dict[str, Any]] = []

    async def save(request: Request) -> Any:
        page = await fetch(request)
        text: dict[str, Any] = {"mimeType": f"{request.accepts[0]}; charset=utf-8", "text": page.body.decode()}
        if len(entries) % 2:
            text |= {"text": base64.b64encode(page.body).decode(), "encoding": "base64"}
        posted = {"postData": {"text": json.dumps(request.body)}} if request.body is not None else {}
        entries.append({"startedDateTime": "2026-01-02T03:04:05Z", "request": {"url": request.url, **posted},
                        "response": {"status": 200, "content": text}})  # fmt: skip
        return page

    async def run() -> None:
        settings = yaml.safe_load((STUDIES / "athle.yaml").read_text())["collect"]["sources"]
        (own,) = [dict(one) for one in settings if one["source"] == league]
        chosen = {key: value for key, value in own.items() if key not in ("source", "pages")}
        chosen |= {"key": None} if league == "pga" else {}
        async for _ in LEAGUES[league].model_validate(chosen).collect(save):
            pass

    asyncio.run(run())
    return {"log": {"version": "1.2", "entries": entries}}


def test_athlepersona(tmp_path: Path) -> None:
    made = study("athle", tmp_path)
    leagues = [one["source"] for one in yaml.safe_load((STUDIES / "athle.yaml").read_text())["collect"]["sources"]]
    for league in leagues:
        folder = tmp_path / "pages" / league
        folder.mkdir(parents=True)
        pages = har(getattr(shapes, league)(64 if league == "nfl" else 8), league)
        (folder / "saved.har").write_text(json.dumps(pages))
    made.run(["collect"])
    people = pl.read_parquet(made.folder.path("people", "people.parquet"))
    found = json.loads(made.folder.path("people", "sources.json").read_text())
    assert {one["source"]: one["found"] for one in found} == {one: 64 if one == "nfl" else 8 for one in leagues}
    report = json.loads(made.folder.path("people", "linking.json").read_text())
    assert report["linked_by_sources"] == {"bundesliga + premier_league": 8}  # of one sport, and the same people
    assert people.height == 64 + 8 * 5
    assert not [column for column in people.columns if column.endswith("_code_space")]
    placed = people.filter(pl.col("nationality").is_not_null())
    named = placed.filter(pl.col("country_code") != "GB")  # England is a category of its own
    assert (named.group_by("country_code").agg(pl.col("nationality").n_unique())["nationality"] == 1).all()
    assert set(placed["nationality"]) - set(named["nationality"]) <= {"England", "United Kingdom"}


def test_pages_that_were_not_saved(tmp_path: Path) -> None:
    (tmp_path / "one.har").write_text(json.dumps({"log": {"entries": [{"request": {}}, {
        "request": {"url": "https://a.example/x?b=2&a=1"},
        "response": {"status": 200, "content": {"text": "{}", "mimeType": "application/json"}}}]}}))  # fmt: skip
    saved = SavedPages(tmp_path)
    assert asyncio.run(saved(Request("https://a.example/x?a=1&b=2"))).body == b"{}"
    for url, accepts, says in (
        ("https://a.example/y", "application/json", "not among the saved"),
        ("https://a.example/x?a=1&b=2", "text/html", "not text/html"),
    ):
        with pytest.raises(FetchError, match=says):
            asyncio.run(saved(Request(url, accepts=(accepts,))))
    (tmp_path / "two.har").write_text("<html>")
    for path, says in ((tmp_path, "two.har is no HAR"), (tmp_path / "none", "no HAR file and no folder")):
        with pytest.raises(SourceError, match=says):
            SavedPages(path)
