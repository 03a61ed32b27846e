"""What the pages speak of, made small: ``<!-- setup: people study -->`` before a block makes it there."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.cli.program import personax

STUDY = """\
name: My study
seed: 1
collect: {source: simulate, n: 100, text_dim: 16, image_dim: 16, text_measurements: 2, images: false}
annotate: {source: simulate}
embed: {source: simulate}
release: {audit: false}
independence: {tests: [chisq], figures: false}
crl: {latents: {text: 1, image: 1}, method: pca, seeds: 1}
report: {title: My study}
"""


def people() -> Mapping[str, Any]:
    """A table people.csv, and its columns as arrays."""
    rng, n = np.random.default_rng(0), 120
    year = rng.integers(1960, 2005, n)
    gender, league = rng.choice(["female", "male"], n), rng.choice(["nba", "nhl", "afl"], n)
    height = np.round(170 + 9 * (gender == "male") + rng.normal(0, 7, n), 1)
    final = {f"final_{letter}": 1 + rng.integers(0, 3, n) for letter in "oc"}
    final["final_o"] = 1 + (year > 1985) + rng.integers(0, 2, n)
    weight = np.round(height - 100 + rng.normal(0, 8, n), 1)
    frame = pl.DataFrame(
        {"id": [f"p{i}" for i in range(n)], "Height": height, "Weight": weight, "age": 2025 - year, "birth_year": year,
         "gender": gender, "league": league, **final}
    )  # fmt: skip
    frame.write_csv("people.csv")
    vectors = rng.normal(size=(n, 8))
    named = {"height": height, "openness": frame["final_o"].to_numpy(), "birth_year": year, "league": league,
             "gender": gender, "biography": vectors, "people": frame, "frame": frame, "table": frame}  # fmt: skip
    return named | {"features": ["Height", "league"], "targets": ["final_o"], "rng": rng, "np": np}


@functools.cache
def _finished() -> Path:
    folder = Path(tempfile.mkdtemp()) / "my-study"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    done = personax("run", folder, "-q")
    assert done.returncode == 0, done.stderr
    return folder


def study() -> Mapping[str, Any]:
    """The finished study my-study, and its release beside it."""
    shutil.copytree(_finished(), "my-study")
    shutil.copytree(_finished() / "release", "release")
    shutil.copy("my-study/study.yaml", "study.yaml")
    return {"folder": Path("made")}


def views() -> Mapping[str, Any]:
    """Embeddings of 120 people: two modalities, two measurements each."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(120, 2))
    named = {
        name: {f"{name}_{k}": np.outer(z[:, i], rng.normal(size=6)) + rng.normal(size=(120, 6)) for k in "ab"}
        for i, name in enumerate(("text", "image"))
    }
    return {"views": named, "other_people": named, "np": np, "rng": rng}


def bfi() -> Mapping[str, Any]:
    """The answers and keys of psych::bfi; a copy without them skips the page."""
    data = Path(__file__).parents[2] / "shared" / "data" / "bfi"
    if not (data / "bfi.csv").is_file():
        pytest.skip("the data of psych::bfi are not beside this copy")
    for name in ("bfi.csv", "bfi.keys.csv"):
        shutil.copy(data / name, name)
    return {}


SETUPS: dict[str, Callable[[], Mapping[str, Any]]] = {"people": people, "study": study, "views": views, "bfi": bfi}
