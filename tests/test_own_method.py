"""The page on a method of one's own, word for word: it is checked, saved, loaded and benchmarked by its one command."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from tests.processes import Interpreter

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

PAGE = Path(__file__).parents[1] / "docs" / "own-method.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_method_of_the_page_is_checked_saved_and_benchmarked(tmp_path: Path) -> None:
    method, use = blocks("python")
    (tmp_path / "mytoy.py").write_text(method, encoding="utf-8")
    group, point = blocks("toml")[0].strip().splitlines()
    info = tmp_path / "mytoy-1.0.dist-info"  # what an installed package leaves
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mytoy\nVersion: 1.0\n")
    section = group.strip("[]").removeprefix("project.entry-points.").strip('"')
    (info / "entry_points.txt").write_text(f"[{section}]\n{point.replace(chr(34), '')}\n")
    python = Interpreter(tmp_path / "said", [tmp_path])
    python.run(use, cwd=tmp_path)
    python.run("from personax.cli import main\nmain()", *shlex.split(blocks("bash")[0])[1:], cwd=tmp_path)
    python.close()
    rows = pl.read_csv(tmp_path / "bench" / "scores.csv").filter(method="mytoy", metric="mcc_pearson")
    assert rows["protocol"].to_list() == ["honest", "paper"]
    assert rows["value"].is_between(0.1, 1).all()
