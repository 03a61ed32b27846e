"""The kits for transforms, sources and providers: our parts pass, and faults are named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import numpy as np
import polars as pl
import pytest
from tests.sources.leagues import shapes
from tests.sources.leagues.serving import BASE
from tests.traits.llms.llm_server import Server, serving

from personax import registry
from personax.errors import FetchError, SourceChanged
from personax.http._request import Fetch, Request
from personax.registry import register
from personax.schema import Trait, TraitFramework
from personax.sources import CollectTable, Failure, FileSource, Origin, PeopleTable, Record
from personax.strict import Strict
from personax.testing import check_provider, check_rating_model, check_source, check_trait_framework, check_transform
from personax.traits.llms._provider import Model
from personax.traits.rating_models import ScoreEstimate


@pytest.mark.parametrize("name", ["rotation", "shuffle", "whitening", "warp", "flow", "chain"])
def test_our_transforms_pass(name: str) -> None:
    check_transform(name)


def test_a_transform_that_is_none() -> None:
    with pytest.raises(AssertionError, match=r"rotatoin: .*did you mean rotation"):
        check_transform("rotatoin")


@pytest.mark.parametrize(
    ("keeps", "says"),
    [
        ({"distances": "exactly"}, "keeps distances exactly, and they change by"),
        ({"no such property": "exactly"}, "no such property: exactly; properties are distances"),
        ({"distances": "perhaps"}, "distances: perhaps; properties are"),
        ({"distances": "not"}, None),
        (None, None),
    ],
)
def test_a_transform_is_held_to_what_it_says_that_it_keeps(keeps: dict[str, str] | None, says: str | None) -> None:
    from personax.release.transforms import PRESERVATION, PRESETS
    from personax.release.transforms._warp import Warp

    class Bend(Warp):
        """A bend under another name."""

    facts: dict[str, Any] = {} if keeps is None else {"keeps": keeps}
    register("transforms", "bend", preset=("bend",), **facts)(Bend)
    try:
        if says is None:
            check_transform("bend")
            assert ("bend" in PRESERVATION, "bend" in PRESETS) == (keeps is not None, True)
        else:
            with pytest.raises(AssertionError, match=says):
                check_transform("bend")
    finally:
        registry.forget("transforms", "bend")


@pytest.mark.parametrize("name", sorted(shapes.SITES))
def test_our_leagues_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAX_PGA_KEY", "a-key")
    site = shapes.SITES[name](30)

    def answer(request: Request) -> bytes:
        parts = urlsplit(request.url)
        found = site(parts.path + (f"?{parts.query}" if parts.query else ""), _body(request))
        if found is None:
            raise FetchError(f"{request.url} answers 404")
        return found[1]

    check_source(shapes.pointed(name, BASE), answer)


def _body(request: Request) -> bytes:
    return b"" if request.body is None else json.dumps(request.body).encode()


class Toy(Strict):
    """A source of one page, right as it stands; ``fault`` breaks it."""

    name: ClassVar[str] = "toy"
    fault: str = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        return () if self.fault == "hosts" else ("toy.example",)

    async def collect(self, fetch: Fetch, limit: int | None = None) -> AsyncGenerator[Record | Failure]:
        page = await fetch(Request("https://toy.example/people"))
        if page.body != b"ann,bob" and self.fault != "shape":
            raise SourceChanged("toy: the page holds no names")
        for k, name in enumerate(page.body.decode().split(",")[: None if self.fault == "limit" else limit]):
            origin = Origin("toy", page.url, page.time, hashlib.sha256(page.body).hexdigest())
            values: dict[str, object] = {"name": name, "birth_date": date(1990, 1, 1 + k)}
            if self.fault == "type":
                values["birth_date"] = "1990-01-01"
            if self.fault == "crash" and name not in ("ann", "bob"):
                raise ZeroDivisionError
            ref = "1" if self.fault == "ref" else str(k)
            yield Record("other" if self.fault == "source" else "toy", ref, values,
                         {} if self.fault == "origin" else dict.fromkeys(values, origin))  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("hosts", "asks toy.example, which its hosts do not name"),
        ("limit", "limit=1 gives 2 people"),
        ("type", "birth_date is a str"),
        ("ref", "two people have the id '1'"),
        ("source", "a record says source other; say toy"),
        ("origin", "birth_date, name has no origin"),
        ("shape", "pages are empty, and there is no failure|name is empty"),
        ("", None),
    ],
)
def test_faults_of_a_source_are_named(fault: str, says: str | None) -> None:
    register("sources", "toy", help="a toy")(Toy)
    try:
        if says is None:
            check_source(Toy(), lambda request: b"ann,bob")
        else:
            with pytest.raises(AssertionError, match=f"^toy: .*({says})"):
                check_source(Toy(fault=fault), lambda request: b"ann,bob")
    finally:
        registry.forget("sources", "toy")
    with pytest.raises(AssertionError, match="Toy is no registered source"):
        check_source(Toy(), lambda request: b"ann,bob")


def players(folder: Path) -> dict[str, Path]:
    """Write a file of each source of files."""
    (folder / "england").mkdir()
    lines = "= England\nAnn Example, G, 1.80 m, b. 3 Mar 1990 @ Leeds\nBo Example, D, 1.75 m, b. 4 Apr 1991 @ York\n"
    (folder / "england" / "eng.players.txt").write_text(lines, encoding="utf-8")
    person = {"birthdate": "3/4/1990", "height": "74", "weight": "220", "team": "A", "position": "QB"}
    nfl = {f"00-{k}": {"full_name": f"Ann {k}", **person} for k in range(3)}
    (folder / "nfl.json").write_text(json.dumps(nfl), encoding="utf-8")
    (folder / "people.csv").write_text("id,height\na,180\nb,170\n", encoding="utf-8")
    return {"table": folder / "people.csv", "openfootball": folder, "nfl_players": folder / "nfl.json"}


@pytest.mark.parametrize("name", ["table", "openfootball", "nfl_players"])
def test_our_sources_of_files_pass(name: str, tmp_path: Path) -> None:
    path = players(tmp_path)[name]
    known: Any = registry.get("sources", name)
    check_source(known(source=name, path=str(path)))


class ToyFile(FileSource):
    """A source of files, right as it stands; ``fault`` breaks it."""

    source: Literal["toy-file"] = "toy-file"
    fault: str = ""

    def read(self, root: Path) -> PeopleTable:
        table = CollectTable(source="table", path=self.path).read(root)
        if self.fault == "ids":
            return replace(table, table=replace(table.table, frame=table.people.with_columns(id=pl.lit("a"))))
        if self.fault == "clock":
            noise = pl.Series("height", np.random.default_rng().normal(size=table.people.height))
            return replace(table, table=replace(table.table, frame=table.people.with_columns(noise)))
        if self.fault == "bad":
            return replace(table, bad_cells=pl.DataFrame({"row": [1]}))
        return table


class Careless(ToyFile):
    """A source that lets every error through."""

    def read(self, root: Path) -> PeopleTable:
        (root / self.path).read_bytes()
        return ToyFile.read(self, root)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("ids", "ids are missing or stand twice"),
        ("clock", "the same file gives other people"),
        ("bad", "bad_cells has other columns"),
        ("careless", r"a missing file raises FileNotFoundError .*; raise an InputError"),
        ("", None),
    ],
)
def test_faults_of_a_source_of_files_are_named(fault: str, says: str | None, tmp_path: Path) -> None:
    players(tmp_path)
    kind = Careless if fault == "careless" else ToyFile
    register("sources", "toy-file", help="a toy", reads="file")(kind)
    try:
        source = kind(path="people.csv", fault=fault)
        if says is None:
            check_source(source, root=tmp_path)
        else:
            with pytest.raises(AssertionError, match=f"^toy-file: .*({says})"):
                check_source(source, root=tmp_path)
    finally:
        registry.forget("sources", "toy-file")


def test_a_source_of_files_says_that_it_reads_one(tmp_path: Path) -> None:
    players(tmp_path)
    register("sources", "toy-file", help="a toy")(ToyFile)
    try:
        with pytest.raises(AssertionError, match=r'toy-file: it is registered to read the web; .* reads="file"'):
            check_source(ToyFile(path="people.csv"), root=tmp_path)
    finally:
        registry.forget("sources", "toy-file")


def test_our_provider_passes() -> None:
    pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")
    with serving(Server(mind=lambda body, key: '{"score": 3}')) as server:
        check_provider(
            "openai",
            Model(name="a", model="m", base_url=server.url),
            failing=Model(name="b", model="m", base_url="http://127.0.0.1:9/v1"),
        )


class Silent:
    """A provider that loses its answers."""

    def __init__(self, model: Model, schema: Any) -> None:
        self.model = model

    async def ask(self, messages: Any, key: str) -> Any:
        return "5"

    async def close(self) -> None:
        """Nothing is open."""


def test_a_provider_that_returns_text_is_told_what_to_return() -> None:
    register("providers", "silent", help="a toy")(Silent)
    try:
        with pytest.raises(AssertionError, match="silent: ask returns str; return a Completion"):
            check_provider("silent", Model(name="a", model="m", base_url="http://127.0.0.1:9/v1"))
    finally:
        registry.forget("providers", "silent")


@pytest.mark.parametrize("name", registry.names("rating_models"))
def test_our_rating_models_pass(name: str) -> None:
    check_rating_model(name)


def test_the_big_five_passes() -> None:
    check_trait_framework("big_five")


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (lambda ratings: ratings.means, "toy: it returns ndarray; return a ScoreEstimate"),
        (
            lambda ratings: ScoreEstimate.without_sd(np.nan_to_num(ratings.means), "none"),
            "toy: a person without ratings",
        ),
        (
            lambda ratings: ScoreEstimate(ratings.means, ratings.means),
            "toy: there are no plausible values and no reason",
        ),
        (lambda ratings: ScoreEstimate.without_sd(ratings.means[:5], "none"), "toy: score and sd have the shapes"),
    ],
)
def test_a_rating_model_that_breaks_the_contract_is_told_how_to_mend_it(model: Any, text: str) -> None:
    register("rating_models", "toy", help="a toy")(model)
    try:
        with pytest.raises(AssertionError, match=text):
            check_rating_model("toy")
    finally:
        registry.forget("rating_models", "toy")


@pytest.mark.parametrize(
    ("framework", "text"),
    [
        (TraitFramework("other", [Trait("zeal", "z", "keen")]), "toy: its name is other"),
        (TraitFramework("toy", [Trait("zeal", "z", " ")]), "toy: raters are told nothing of zeal"),
        ("zeal", "toy: it is a str; register a TraitFramework"),
    ],
)
def test_a_framework_that_cannot_be_asked_for_is_told_how_to_mend_it(framework: Any, text: str) -> None:
    register("trait_frameworks", "toy", help="a toy")(framework)
    try:
        with pytest.raises(AssertionError, match=text):
            check_trait_framework("toy")
    finally:
        registry.forget("trait_frameworks", "toy")
