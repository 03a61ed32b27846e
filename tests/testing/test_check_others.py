"""The kits for transforms, sources and providers: our parts pass, and faults are named."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from tests.sources.leagues import shapes
from tests.sources.leagues.serving import BASE
from tests.traits.llms.llm_server import Server, serving

from personax import registry
from personax.errors import FetchError, SourceChanged
from personax.http._request import Fetch, Request
from personax.registry import register
from personax.sources._records import Failure, Origin, Record
from personax.strict import Strict
from personax.testing import check_provider, check_source, check_transform
from personax.traits.llms._provider import Model


@pytest.mark.parametrize("name", ["rotation", "shuffle", "whitening", "warp", "flow", "chain"])
def test_our_transforms_pass(name: str) -> None:
    check_transform(name)


def test_a_transform_that_is_none() -> None:
    with pytest.raises(AssertionError, match=r"rotatoin: .*did you mean rotation"):
        check_transform("rotatoin")


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
    import json

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
        ("shape", "pages are empty, and nothing is said of it|name is empty"),
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


def test_our_provider_passes() -> None:
    pytest.importorskip("openai", reason="openai is not installed: pip install personax[traits]")
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
