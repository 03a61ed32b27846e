"""Pictures are part of a question: by their bytes, in each interface's form, to nobody without being asked for."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Server, serving

from personax.errors import InputError
from personax.schema import TRAITS
from personax.study import Study
from personax.traits.llms import Model, Picture, Prompt, ReplyJournal, Survey, annotate
from personax.traits.llms._provider import make_provider
from personax.traits.llms._requests import iter_requests

GOOD = json.dumps({trait: {"description": "so", "score": 2} for trait in TRAITS})


def picture(path: Path, colour: str) -> Path:
    Image.new("RGB", (8, 8), colour).save(path)
    return path


def asked(shown: Path | None, **settings: Any) -> Survey[Prompt]:
    person = {"id": "a", "name": "Ann", "biography": "She sings."}
    people = [person if shown is None else {**person, "picture": Picture.of(shown)}]
    return Survey(people, [Model(name="m", model="m", base_url="https://a.test")], Prompt(**settings))


def test_keys_are_made_of_what_is_seen_and_not_of_where_it_lies(tmp_path: Path) -> None:
    red, blue = picture(tmp_path / "red.png", "red"), picture(tmp_path / "blue.png", "blue")
    again = tmp_path / "again.png"
    again.write_bytes(red.read_bytes())

    def key(shown: Path | None, **settings: Any) -> str:
        survey = asked(shown, **settings)
        return next(iter_requests(survey, survey.models[0])).key

    assert key(red, picture=True) == key(again, picture=True) != key(blue, picture=True)
    assert key(red) == key(None), "what is not asked for is not shown"
    request = next(iter_requests(asked(red, picture=True), asked(red).models[0]))
    assert "A face tells nothing" in request.messages[0]["content"]
    text, image = request.messages[1]["content"]
    assert "She sings." in text["text"]
    assert "sha256" not in text["text"]
    assert base64.b64decode(image["image_url"]["url"].partition("base64,")[2]) == red.read_bytes()
    assert request.tokens > 1600


FORMS = {
    "openai": lambda body: body["messages"][1]["content"][1]["image_url"]["url"].partition(",")[2],
    "openai-responses": lambda body: body["input"][1]["content"][1]["image_url"].partition(",")[2],
    "anthropic": lambda body: body["messages"][0]["content"][1]["source"]["data"],
    "gemini": lambda body: body["contents"][0]["parts"][1]["inlineData"]["data"],
}


@pytest.mark.parametrize("provider", FORMS)
def test_each_interface_is_given_it_in_its_form(provider: str, tmp_path: Path) -> None:
    path = picture(tmp_path / "red.jpg", "red")
    request = next(iter_requests(asked(path, picture=True), asked(path).models[0]))
    made = make_provider(Model(name="m", model="m", base_url="https://a.test/v1", provider=provider), None)
    body = made.body(request.messages)  # type: ignore[attr-defined]
    assert base64.b64decode(FORMS[provider](body)) == path.read_bytes()
    assert "image/jpeg" in json.dumps(body)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("GIF? no")
    with pytest.raises(InputError, match="is no PNG, JPEG, GIF or WebP"):
        Picture.of(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG" + b"\0" * 5_000_001)
    with pytest.raises(InputError, match="more than 5,000,000 bytes"):
        Picture.of(tmp_path / "b.png")
    with pytest.raises(InputError, match="names a column picture, too"):
        Prompt(picture=True, fields=("picture",))


def test_a_study_shows_the_pictures_that_it_has(tmp_path: Path) -> None:
    server = Server(mind=lambda body, key: GOOD)
    with serving(server):
        (tmp_path / "people.csv").write_text("id,name,biography\na,Ann,She sings.\nb,Bo,He rows.\n")
        (tmp_path / "study.yaml").write_text(
            "name: seen\ncollect: {source: table, path: people.csv}\nannotate:\n  source: llm\n"
            "  prompt: {picture: true}\n  models:\n"
            f"    - {{name: one, model: m, base_url: {server.url}}}\n"
        )
        study = Study.load(tmp_path / "study.yaml")
        with pytest.raises(Exception, match="the study has no pictures"):
            study.run(["annotate"])
        survey = asked(picture(tmp_path / "red.png", "red"), picture=True)
        model = Model(name="one", model="m", base_url=server.url)
        with ReplyJournal(tmp_path / "journal.sqlite") as journal:
            (summary,) = annotate(Survey(survey.people, [model], survey.prompt), journal)
    assert summary.completed == 1
    assert server.bodies[-1]["messages"][1]["content"][1]["type"] == "image_url"
