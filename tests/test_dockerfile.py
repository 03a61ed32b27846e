"""The Dockerfile, read as a linter would: pinned, not root, no study inside, and it copies only what is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
LINES = [tuple(line.split(maxsplit=1)) for line in TEXT.splitlines() if line and line[0] != "#"]
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def of(word: str) -> list[str]:
    return [rest for first, rest in LINES if first == word]


def test_every_image_is_pinned_and_is_the_oldest_python_that_is_supported() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (oldest,) = re.findall(r'requires-python = ">=(3\.\d+)"', project)
    (pin,) = (value.removeprefix("PYTHON=") for value in of("ARG") if value.startswith("PYTHON="))
    assert re.fullmatch(rf"{re.escape(oldest)}\.\d+-slim-\w+", pin)
    assert {line.split()[0] for line in of("FROM")} == {"python:${PYTHON}"}


def test_it_does_not_run_as_root_and_studies_are_a_volume() -> None:
    words = [first for first, _ in LINES]
    assert int(of("USER")[-1]) > 0
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in ("RUN", "COPY"))
    assert of("VOLUME") == of("WORKDIR")[-1:] == ["/studies"]
    assert of("ENTRYPOINT") == ['["personax"]'], "no shell stands between a signal and the program"


def test_what_is_copied_is_there_and_nothing_else_is_let_in() -> None:
    copied = {name for line in of("COPY") if not line.startswith("--from") for name in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    rules = [line for line in IGNORE if line and line[0] != "#"]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule[0] == "!"} == copied
    assert of("ADD") == []


def test_every_installation_is_constrained_and_torch_is_the_pinned_one() -> None:
    installs = [line for line in of("RUN") if "pip install" in line]
    assert len(installs) == 2
    assert all("--constraint constraints.txt" in line for line in installs)
    (torch,) = re.findall(r"torch==\S+", TEXT)
    assert torch in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert f"{torch}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
