"""Spans of requests: models, tokens and endings, and nothing of anybody; none without the package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Fault, Server, serving

from personax.traits.llms import Model, Prompt, ReplyJournal, Survey, annotate
from personax.traits.llms._spans import _tracer

PEOPLE = [{"id": f"p{i}", "name": "Ann Secret", "biography": f"She won {i} prizes."} for i in range(2)]


class Recorded:
    """As much of a tracer as is used."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []

    def start_span(self, name: str, attributes: dict[str, Any]) -> Any:
        told = {"name": name, **attributes}
        self.spans.append(told)
        span = ModuleType("span")
        vars(span)["set_attribute"] = told.__setitem__
        vars(span)["end"] = lambda: told.__setitem__("ended", True)
        return span


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    recorded, trace = Recorded(), ModuleType("opentelemetry.trace")
    vars(trace)["get_tracer"] = lambda name: recorded
    monkeypatch.setitem(sys.modules, "opentelemetry", ModuleType("opentelemetry"))
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)
    _tracer.cache_clear()
    yield recorded
    _tracer.cache_clear()


def test_a_request_is_a_span_without_words(tracer: Recorded, tmp_path: Path) -> None:
    server = Server()
    with serving(server), ReplyJournal(tmp_path / "journal.sqlite") as journal:
        model = Model(name="one", model="m", base_url=server.url, concurrency=1)
        annotate(Survey(PEOPLE[:1], [model], Prompt()), journal)
        server.script = lambda body, seen: Fault(400, error="Ann Secret is not allowed")
        annotate(Survey(PEOPLE[1:], [model], Prompt()), journal)
    good, bad = tracer.spans
    assert (good["name"], good["gen_ai.response.model"], good["gen_ai.usage.output_tokens"]) == (
        "chat m",
        "m-0613",
        100,
    )
    assert (good["server.address"], good["gen_ai.response.finish_reasons"]) == ("127.0.0.1", ["stop"])
    assert bad["error.type"] == "InvalidRequestError"
    assert [one["ended"] for one in tracer.spans] == [True, True]
    assert not any(word in str(tracer.spans) for word in ("Secret", "prizes", "p0", "p1"))
