"""The scripts of docs/cluster.md are sound, and an array job over seeds gives what one process gives."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.cli.program import personax

PAGE = Path(__file__).parents[1] / "docs" / "cluster.md"
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SCRIPTS = [block for block in BLOCKS if block.startswith("#!")]


def test_there_are_scripts() -> None:
    assert [script.splitlines()[0] for script in SCRIPTS] == ["#!/bin/bash"] * 2


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=["seeds", "annotate"])
def test_shellcheck_finds_nothing(script: str, tmp_path: Path) -> None:
    path = tmp_path / "script.sh"
    path.write_text(script)
    done = subprocess.run(["shellcheck", str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_seeds_of_an_array_job_are_those_of_one_process(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    z = rng.normal(size=(90, 2))
    arrays = {"a": (z @ rng.normal(size=(2, 5))).astype("f4"), "b": (np.tanh(z) @ rng.normal(size=(2, 4))).astype("f4")}
    np.savez(tmp_path / "e.npz", id=np.array([f"p{i}" for i in range(90)]), a=arrays["a"], b=arrays["b"])
    modalities = "{measurements: {text: {k: a}, image: {k: b}}, latents: {text: 1, image: 1}}"
    (tmp_path / "mod.yaml").write_text(modalities)
    command: list[str | Path] = ["crl", "data", tmp_path / "e.npz", "--modalities", tmp_path / "mod.yaml"]
    command += ["--seeds", "3", "--method", "mmcrl", "--epochs", "1"]
    for seed in ("2", "0", "1"):
        done = personax(*command, "--out", tmp_path / "array", "--only", seed)
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "array" / "latents.parquet").exists()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "array" / "fits").glob("seed-*.safetensors")}
    assert len(before) == 3
    for folder in ("array", "one"):
        done = personax(*command, "--out", tmp_path / folder)
        assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    array, one = (pl.read_parquet(tmp_path / folder / "latents.parquet") for folder in ("array", "one"))
    assert array.equals(one)
    done = personax(*command, "--out", tmp_path / "array", "--only", "3")
    assert "there is no seed 3" in done.stderr
