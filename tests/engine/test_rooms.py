"""Every room gives the same bytes, whichever engine of this machine its loops run on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.engine.rooms import results

from personax.engine import ProcessEngine, ThreadEngine
from personax.study import Study

STUDY = """
name: tiny
collect: {source: simulate, n: 40, images: false, text_measurements: 1, text_dim: 8, image_dim: 8}
embed: {source: simulate}
release: {}
"""


@pytest.mark.slow
def test_the_engine_changes_no_byte() -> None:
    expected = results(ThreadEngine(1))
    assert all(expected.values())
    assert results("threads", 2) == expected
    assert results(ProcessEngine(2)) == expected


def test_the_engine_changes_no_attack_on_a_release(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    (one / "study.yaml").write_text(STUDY)
    Study.load(one).run(["release"])
    shutil.copytree(one, two)  # with its keys
    ran = Study.load(two).run(["release"], force=True, engine="processes", jobs=2)
    assert ran[-1].ran
    files = [path.relative_to(one) for path in (one / "release").rglob("*") if path.is_file()]
    assert Path("release/audit.json") in files
    assert {path: (one / path).read_bytes() for path in files} == {path: (two / path).read_bytes() for path in files}
