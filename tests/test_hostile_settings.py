"""Study files that are made to break a reader: one short sentence, soon, and in little memory."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.program import one_sentence, personax

from personax import Study
from personax.errors import PlanError

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE: dict[str, str] = {
    "aliases of aliases": LAUGHS,
    "aliases as a value": LAUGHS + "name: *i\n",
    "aliases as a source": LAUGHS + "collect: {source: *i}\n",
    "one long text many times": f"a: &a {'x' * 100_000}\nname: [{', '.join(['*a'] * 1000)}]\n",
    "merge keys of merge keys": "a: &a {x: 1}\n"
    + "".join(
        f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "a list within itself": "name: &a [*a]\n",
    "a block within itself": "collect: &a {source: *a}\n",
    "a merge of itself": "collect: &a {<<: *a}\n",
    "deep lists": "name: " + "[" * 20_000 + "\n",
    "deep blocks": "".join(" " * depth + "a:\n" for depth in range(1200)),
    "deep dashes": "name: " + "- " * 20_000 + "\n",
    "an object of Python": "name: !!python/object/apply:os.system ['touch /tmp/owned']\n",
    "a name of Python": "name: !!python/name:os.system\n",
    "a long number": "seed: " + "9" * 10_000 + "\n",
    "a number in base sixty": "seed: " + "1:" * 5_000 + "1\n",
    "not a number": "{name: a, seed: .nan, collect: {source: simulate}}",
    "infinity": "{name: a, collect: {source: simulate, n: .inf}}",
    "a date as a name": "name: 2026-01-01\ncollect: {source: simulate}\n",
    "no date": "name: 2026-99-99\n",
    "a long key": f"{'k' * 100_000}: 1\n",
    "a long word": f"name: a\ncollect: {{source: {'k' * 100_000}}}\n",
    "many unknown keys": "".join(f"k{number}: 1\n" for number in range(2_000)),
    "two documents": "name: a\n---\nname: b\n",
    "a tag": "name: !include /etc/passwd\n",
    "a binary": "name: !!binary /////w==\n",
    "a key that is a list": "? [a, b]\n: 1\n",
    "too large": "#" + "x" * 2**20 + "\n",
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_study_file_is_one_short_message_soon(name: str, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(HOSTILE[name])
    began = time.process_time()
    tracemalloc.start()
    done = personax("run", path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert 0 < len(done.stderr) < 12_000
    assert max(map(len, done.stderr.splitlines())) < 900
    assert most < 64 * 2**20
    assert time.process_time() - began < 20
    assert not Path("/tmp/owned").exists()
    assert [one.name for one in tmp_path.iterdir()] == ["study.yaml"]


def test_signs_that_steer_a_terminal_are_not_printed(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text('{name: a, "\\e]0;owned\\a": 1, "a\\u202Eb": 1, collect: {source: simulate}}')
    done = personax("run", path)
    assert done.returncode == 1
    assert not {"\x1b", "\a", "\u202e"} & set(done.stderr)


@pytest.mark.skipif(os.name != "posix", reason="pipes are of POSIX")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_a_pipe_or_device_is_no_study_file(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "study.yaml")
    assert "device or pipe" in one_sentence(personax("run", tmp_path / "study.yaml"))


def test_a_null_in_a_path_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text('{name: a, collect: {source: table, path: "a\\0b"}}')
    assert "\0" not in one_sentence(personax("run", path))


def test_anchors_that_people_use_are_read(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("name: &n tiny\ncollect: {source: simulate, n: 20}\nreport: {title: *n}\n")
    assert Study.load(path).plan.report.title == "tiny"


def test_a_message_repeats_little_of_a_value(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"name: a\nseed: {'s' * 50_000}\ncollect: {{source: simulate, n: [{'1, ' * 5000}]}}\n")
    with pytest.raises(PlanError) as error:
        Study.load(path)
    assert all(len(line) < 700 + len(str(path)) for line in str(error.value).splitlines())
