"""Annotation against a server that others wrote: llama.cpp's, with a tiny model of noise and schema decoding.

Opt-in: set PERSONAX_LLAMA_PYTHON to a Python that has `llama-cpp-python[server]` and `gguf`.
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

from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import Survey
from personax.traits.llms._runner import annotate

PYTHON = os.environ.get("PERSONAX_LLAMA_PYTHON", "")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="opt-in: PERSONAX_LLAMA_PYTHON names no Python with llama-cpp-python"
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
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


@pytest.mark.parametrize("structured", ["object", "json", "none"])
def test_noise_is_scored_only_where_it_has_the_wanted_shape(url: str, structured: Any, tmp_path: Path) -> None:
    model = Model(
        name="tiny", model="tiny", base_url=url, structured=structured, temperature=1.0, max_tokens=3000, concurrency=1
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
