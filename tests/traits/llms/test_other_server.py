"""Annotation against a server that others wrote: llama.cpp's, with a tiny model of noise and schema decoding.

Opt-in: set PERSONAX_LLAMA_PYTHON to a Python that has `llama-cpp-python[server]` and `gguf`, or PERSONAX_SERVER_URL to
the address of any server that runs on this machine and ends with /v1, such as that of `transformers serve`
(PERSONAX_SERVER_MODEL: what it calls its model).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.chaos_proxy import chaos

from personax.http import RetryPolicy
from personax.traits.llms import RunPolicy
from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import Survey
from personax.traits.llms._runner import annotate

PYTHON = os.environ.get("PERSONAX_LLAMA_PYTHON", "")
ADDRESS, NAME = os.environ.get("PERSONAX_SERVER_URL", ""), os.environ.get("PERSONAX_SERVER_MODEL", "tiny")
pytestmark = pytest.mark.skipif(
    not PYTHON and not ADDRESS, reason="opt-in: neither PERSONAX_LLAMA_PYTHON nor PERSONAX_SERVER_URL is set"
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if ADDRESS:
        yield ADDRESS
        return
    folder = tmp_path_factory.mktemp("llama")
    subprocess.run([PYTHON, str(Path(__file__).with_name("tiny_llama.py")), str(folder / "tiny.gguf")], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "llama_cpp.server", "--model", str(folder / "tiny.gguf"), "--host", "127.0.0.1",
               "--port", str(port), "--n_ctx", "8192", "--n_threads", "1", "--seed", "1"]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            await_answer(f"http://127.0.0.1:{port}/v1/models", server, folder / "log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def await_answer(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(120):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"the server did not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def test_behind_a_proxy_that_breaks_replies_each_person_is_answered_once(url: str, tmp_path: Path) -> None:
    """The server knows no Idempotency-Key: what broke after it had answered is answered once more, nothing else."""
    people = [{"id": f"p{i}", "name": f"Ann {i}", "biography": "She sings."} for i in range(8)]
    policy = RunPolicy(RetryPolicy(attempts=12, rate_limited_attempts=40, backoff=0.01), failures=200, pause=0.05)
    with chaos(url) as proxy, ReplyJournal(tmp_path / "journal.sqlite") as journal:
        model = Model(name="tiny", model=NAME, base_url=proxy.url, structured="none" if ADDRESS else "object",
                      temperature=1.0, max_tokens=60 if ADDRESS else 3000, concurrency=2)  # fmt: skip
        asked = Survey(people, [model], Prompt(), 1)
        (outcome,) = annotate(asked, journal, policy=policy)
        assert (outcome.completed, outcome.stop_reason) == (8, None)
        assert annotation_table(asked, journal).height == 8 * 5
        (again,) = annotate(asked, journal, policy=policy)
        assert (again.cached, again.completed) == (8, 0)
        assert max(proxy.passed.values()) == 1, "a whole reply is never asked for again"


@pytest.mark.skipif(not PYTHON, reason="another server's model is not noise")
@pytest.mark.parametrize("structured", ["object", "json", "none"])
def test_noise_is_scored_only_where_it_has_the_wanted_shape(url: str, structured: Any, tmp_path: Path) -> None:
    model = Model(
        name="tiny", model=NAME, base_url=url, structured=structured, temperature=1.0, max_tokens=3000, concurrency=1
    )
    people = [{"id": f"p{i}", "name": f"Ann {i}", "biography": "She sings."} for i in range(4)]
    asked = Survey(people, [model], Prompt(), 1)
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        (outcome,) = annotate(asked, journal)
        assert outcome.completed == 4
        assert not outcome.stop_reason
        found = annotation_table(asked, journal)
        (again,) = annotate(asked, journal)
        assert (again.cached, again.completed) == (4, 0), "nothing is asked twice"
    assert found.height == 4 * 5
    assert found.filter(found["status"] == "ok")["score"].is_in([1.0, 2.0, 3.0]).all()
    statuses = set(found["status"])
    if structured == "object":
        assert statuses <= {"ok", "insufficient", "hesitation", "contradictory"}, "the server keeps to the schema"
        assert "ok" in statuses
    else:
        assert "ok" not in statuses, "noise is no score"
