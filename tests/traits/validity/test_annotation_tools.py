"""Opt-in: the real Label Studio and the real Argilla take what is exported, from environments of their own.

PERSONAX_LABEL_STUDIO names the program ``label-studio``, PERSONAX_ARGILLA a Python that has argilla and requests.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from personax.traits.validity import (
    argilla_records,
    argilla_settings,
    label_studio_config,
    label_studio_tasks,
    read_argilla,
    read_label_studio,
)
from personax.traits.validity._human_ratings import HumanAnswer, RatingForm, RatingTask

STUDIO, ARGILLA = os.environ.get("PERSONAX_LABEL_STUDIO"), os.environ.get("PERSONAX_ARGILLA")
TOKEN = "0123456789abcdef0123456789abcdef01234567"
SHEET = RatingForm(3, ("likability",))
TASKS = [RatingTask("task-0001", "biography: <b>bold</b> & $about"), RatingTask("task-0002", "=1+1 עדה")]


def call(address: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=60) as reply:
        return json.loads(reply.read())


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        str(STUDIO), "start", "--no-browser", "--internal-host", "127.0.0.1", "-p", str(port), "--data-dir",
        str(tmp_path), "--database", str(tmp_path / "ls.sqlite3"), "--username", "rater@example.org", "--password",
        "only-on-loopback-1", "--user-token", TOKEN, "--enable-legacy-api-token",
    ]  # fmt: skip
    quiet = {"COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(words, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/api"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.mark.skipif(STUDIO is None, reason="PERSONAX_LABEL_STUDIO does not name the program label-studio")
def test_label_studio_takes_the_export_and_gives_the_answers_back(studio: str) -> None:
    project = call(f"{studio}/projects", {"title": "people", "label_config": label_studio_config(SHEET)})["id"]
    assert call(f"{studio}/projects/{project}/import", label_studio_tasks(TASKS))["task_count"] == 2
    for place, task in enumerate(call(f"{studio}/tasks?project={project}")["tasks"]):
        result = [
            {"from_name": name, "to_name": "about", "type": "choices", "value": {"choices": [str(place + 1)]}}
            for name in SHEET.questions
        ]
        call(f"{studio}/tasks/{task['id']}/annotations", {"result": result})
    for kind in ("JSON", "JSON_MIN"):
        back = call(f"{studio}/projects/{project}/export?exportType={kind}")
        answers = set(read_label_studio(back, list(SHEET.questions), kind))
        assert {(one.person, one.question) for one in answers} == {(t.code, q) for t in TASKS for q in SHEET.questions}
        by = {one.person: {other.answer for other in answers if other.person == one.person} for one in answers}
        assert sorted(by.values(), key=min) == [{"1"}, {"2"}]


SCRIPT = """
import json, sys
from unittest.mock import MagicMock
import argilla as rg
rg.Argilla._default_client = MagicMock()  # no server is asked
settings = rg.Settings.from_json(sys.argv[1])
settings.validate()
records = [rg.Record.from_dict(record) for record in json.load(open(sys.argv[2], encoding="utf-8"))]
for record in records:
    record.responses.add(rg.Response("openness", "3", user_id="3fa85f64-5717-4562-b3fc-2c963f66afa6"))
print(json.dumps({"settings": settings.serialize(), "records": [record.to_dict() for record in records]}))
"""


@pytest.mark.skipif(ARGILLA is None, reason="PERSONAX_ARGILLA does not name a Python that has argilla")
def test_argilla_reads_settings_and_records_and_its_own_are_read(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(argilla_settings(SHEET)), encoding="utf-8")
    (tmp_path / "records.json").write_text(json.dumps(argilla_records(TASKS)), encoding="utf-8")
    words = [str(ARGILLA), "-c", SCRIPT, str(tmp_path / "settings.json"), str(tmp_path / "records.json")]
    told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    assert [question["name"] for question in told["settings"]["questions"]] == list(SHEET.questions)
    options = told["settings"]["questions"][0]["settings"]["options"]
    assert {one["value"]: one["text"] for one in options} == SHEET.choices
    user = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    assert read_argilla(told["records"], "x") == [HumanAnswer(task.code, user, "openness", "3") for task in TASKS]
