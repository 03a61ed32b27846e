"""Requests leave as files in each provider's form, split by quota; replies come back once, whatever a file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from personax.cli import app
from personax.errors import InputError
from personax.schema import TRAITS
from personax.traits.llms import (
    BatchQuota,
    Model,
    Prompt,
    ReplyJournal,
    Survey,
    annotation_table,
    export_requests,
    import_replies,
)
from personax.traits.llms._batch_files import MAX_LINE

PEOPLE = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She won {i} prizes."} for i in range(10)]
GOOD = json.dumps({trait: {"description": "so", "score": 2} for trait in TRAITS})


def survey_of(provider: str) -> Survey[Prompt]:
    url = {"gemini": "http://127.0.0.1:9/v1beta"}.get(provider, "http://127.0.0.1:9/v1")
    return Survey(PEOPLE, [Model(name="one", model="m", base_url=url, provider=provider, key="NOT_SET")], Prompt())


def chat(key: str, said: str) -> dict[str, Any]:
    body = {"choices": [{"message": {"content": said}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    return {"custom_id": key, "response": {"status_code": 200, "body": body}, "error": None}


def responses(key: str, said: str) -> dict[str, Any]:
    output = [{"type": "message", "content": [{"type": "output_text", "text": said}]}]
    return {"custom_id": key, "response": {"status_code": 200, "body": {"output": output, "status": "completed"}}}


def anthropic(key: str, said: str) -> dict[str, Any]:
    message = {"type": "message", "content": [{"type": "text", "text": said}], "stop_reason": "end_turn"}
    return {"custom_id": key, "result": {"type": "succeeded", "message": message}}


def gemini(key: str, said: str) -> dict[str, Any]:
    parts = [{"text": "thinking {}", "thought": True}, {"text": said}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    return {"key": key, "response": {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 4}}}


FORMS = {"openai": chat, "openai-responses": responses, "anthropic": anthropic, "gemini": gemini}
NONE: dict[str, dict[str, Any]] = {
    "openai": {"response": None, "error": {"code": "batch_expired", "message": "late"}},
    "openai-responses": {"response": {"status_code": 400, "body": {"error": {"message": "no"}}}},
    "anthropic": {"result": {"type": "errored", "error": {"type": "error", "error": {
        "type": "invalid_request_error", "message": "no"}}}},
    "gemini": {"error": {"code": 3, "message": "no"}},
}  # fmt: skip


@pytest.mark.parametrize("provider", FORMS)
def test_a_batch_of_each_provider_goes_out_and_comes_back_once(provider: str, tmp_path: Path) -> None:
    survey, answer = survey_of(provider), FORMS[provider]
    name = "key" if provider == "gemini" else "custom_id"
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        lines = [json.loads(line) for _, line in export_requests(survey, survey.models[0], journal)]
        keys = [row[name] for row in lines]
        assert len(set(keys)) == 10
        assert all(len(key) <= 64 for key in keys), "Anthropic takes no longer ones"
        sent = json.dumps(lines[0])
        assert "She won 0 prizes." in sent
        if provider == "gemini":
            assert '"enum": ["0", "1", "2", "3"]' in sent
            assert list(lines[0]["request"]) == ["contents", "generationConfig", "systemInstruction"]
        if provider == "anthropic":
            assert lines[0]["params"]["max_tokens"] == 600
        if provider == "openai-responses":
            assert lines[0]["url"] == "/v1/responses"
        rows = [answer(key, GOOD) for key in keys[:7]]
        rows += [answer(keys[7], "nothing"), {name: keys[8], **NONE[provider]}, answer("x" * 64, GOOD), rows[0]]
        junk = [b"not json", b"[1]", b'{"custom_id": 5, "key": 5}', b"\xff\xfe", b'{"a": "' + b"x" * MAX_LINE + b'"}']
        (tmp_path / "r.jsonl").write_bytes(b"\n".join([*map(bytes, junk), *(json.dumps(r).encode() for r in rows)]))
        found = import_replies(survey, journal, [tmp_path / "r.jsonl"])
        assert (found.new, found.known, found.failed, found.unmatched) == (8, 0, 1, 6)
        again = import_replies(survey, journal, [tmp_path / "r.jsonl"])
        assert (again.new, again.known, again.failed) == (0, 8, 1)
        left = [json.loads(line)[name] for _, line in export_requests(survey, survey.models[0], journal)]
        assert len(left) == 3, "the repair of p7, and those without an answer"
        assert {keys[8], keys[9]} < set(left)
        repair = next(key for key in left if key not in keys)
        import_replies(survey, journal, [json.dumps(answer(repair, GOOD)).encode()])
        table = annotation_table(survey, journal)
    assert table.filter(table["status"] == "ok").height == 8 * 5
    assert set(table.filter(table["status"] == "failed")["person"]) == {"p8", "p9"}


def test_files_are_split_by_requests_bytes_and_tokens(tmp_path: Path) -> None:
    survey = survey_of("openai")
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:

        def files(quota: BatchQuota) -> list[int]:
            return [number for number, _ in export_requests(survey, survey.models[0], journal, quota)]

        size = max(len(line) for _, line in export_requests(survey, survey.models[0], journal))
        assert files(BatchQuota(requests=4)) == [1] * 4 + [2] * 4 + [3] * 2
        assert files(BatchQuota(bytes=3 * size)) == [1] * 3 + [2] * 3 + [3] * 3 + [4]
        each = files(BatchQuota(tokens=1500))
        assert 1 < max(each) < 10
        with pytest.raises(InputError, match="one request is more than a batch file may hold"):
            files(BatchQuota(tokens=10))


def test_a_provider_without_a_form_of_batches_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        async def close(self) -> None: ...

    monkeypatch.setattr("personax.traits.llms._batch_files.make_provider", lambda model, schema: Silent())
    survey = survey_of("openai")
    with (
        ReplyJournal(tmp_path / "journal.sqlite") as journal,
        pytest.raises(InputError, match="knows no form of batch files"),
    ):
        list(export_requests(survey, survey.models[0], journal))


def test_the_command_line_splits_and_names_a_missing_file(tmp_path: Path) -> None:
    people = "".join(f"p{i},Ann,She won {i}.\n" for i in range(5))
    (tmp_path / "people.csv").write_text("id,name,biography\n" + people)
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: asked\ncollect: {source: table, path: people.csv}\nannotate:\n  source: llm\n  models:\n"
        "    - {name: one, model: m, base_url: 'http://127.0.0.1:9/v1', provider: anthropic}\n"
    )
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["annotate", str(path), "--export-batch", str(out), "--batch-requests", "2"])
    assert done.exit_code == 0, done.output
    assert sorted(one.name for one in out.iterdir()) == [
        "requests-1-one-2.jsonl", "requests-1-one-3.jsonl", "requests-1-one.jsonl"
    ]  # fmt: skip
    assert all(one.stat().st_mode & 0o77 == 0 for one in out.iterdir())
    found: Any = CliRunner().invoke(app, ["annotate", str(path), "--import-batch", str(tmp_path / "none")]).exception
    assert "there is no file" in str(found)
