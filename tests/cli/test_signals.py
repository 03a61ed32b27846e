"""Ctrl-C and SIGTERM in the middle of a study: what was kept is said, the code is right, and the study goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.program import personax
from tests.processes import Program, program

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")]

STUDY = """
name: stopped
collect: {source: simulate, n: 300, images: false}
embed: {source: simulate}
crl: {latents: {text: 1, image: 1}, seeds: 3, epochs: 200, method: betavae}
"""

DEAF = """
import numpy as np
from personax.cli.signals import signals_raise
x = np.random.default_rng(0).normal(size=(4000, 4000))
with signals_raise():
    print("ready", flush=True)
    np.linalg.svd(x)
"""
"""One long call that does not come back to Python's handlers."""


def wait_for(folder: Path, pattern: str, running: Program) -> None:
    end = time.monotonic() + 90
    while not list(folder.rglob(pattern)) and time.monotonic() < end and running.process.exitcode is None:
        time.sleep(0.02)


@pytest.mark.parametrize(("sent", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "Ctrl-C")])
def test_a_study_that_is_stopped_goes_on(tmp_path: Path, sent: signal.Signals, name: str) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    with program(tmp_path / "streams", "run", tmp_path) as running:
        wait_for(tmp_path / ".staging", "seed-0.safetensors", running)
        running.send(sent)
        code, _, errors = running.wait()
    assert code == 128 + sent, errors
    assert "Traceback" not in errors
    told = errors.splitlines()[-1]
    assert told.startswith(f"error: stopped by {name}: kept the stages collect, embed and, of crl, what is finished")
    assert told.endswith("the same command goes on from there")
    before = (tmp_path / "manifests" / "embed.json").stat().st_mtime_ns
    (tmp_path / "study.yaml").write_text(STUDY.replace("200", "2"))
    done = personax("run", tmp_path, "--json")
    ran = {one["stage"]: one["ran"] for one in json.loads(done.stdout)["stages"]}
    assert ran == {"collect": False, "embed": False, "crl": True, "report": True}
    assert (tmp_path / "manifests" / "embed.json").stat().st_mtime_ns == before


def test_the_second_ends_at_once_even_within_a_call_that_hears_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None, "the first waits for the call"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130


def test_an_annotation_that_is_stopped_keeps_every_reply(tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="openai is not installed: pip install personax[traits]")
    from tests.traits.llms.llm_server import Server, serving

    from personax.traits.llms import ReplyJournal

    with serving(Server(delay=0.2)) as server:
        (tmp_path / "study.yaml").write_text(f"""
name: asked
collect: {{source: simulate, n: 300, images: false}}
annotate:
  source: llm
  models: [{{name: one, model: one-large, base_url: "{server.url}", concurrency: 4}}]
""")
        with program(tmp_path / "streams", "run", tmp_path) as running:
            wait_for(tmp_path / "traits", "journal.sqlite", running)
            time.sleep(2)
            running.send(signal.SIGTERM)
            code, _, errors = running.wait()
    assert code == 143, errors
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("error: stopped by SIGTERM: kept the stages collect")
    with ReplyJournal(tmp_path / "traits" / "journal.sqlite") as journal:
        assert 0 < len(list(journal.entries())) < 300
