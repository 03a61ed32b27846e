"""A release comes from elsewhere: whatever its transforms.json says, going back ends in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.errors import InputError
from personax.release import Chain, ReleaseKey, invert
from personax.release._invert import load_chains
from personax.release._untrusted_folder import open_folder

KEY = ReleaseKey(bytes(range(32)))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    (tmp_path / "data").mkdir()
    made = pl.Series("a", Chain("rotation", 4, KEY, "text/a").transform(x), dtype=pl.Array(pl.Float32, 4))
    pl.DataFrame({"id": [str(i) for i in range(30)], "a": made, "b": range(30)}).write_parquet(
        tmp_path / "data" / "text.parquet"
    )
    says(tmp_path, "text/a")
    assert np.allclose(invert(tmp_path, KEY, tmp_path)["text"]["a"].to_numpy(), x, atol=1e-5)
    return tmp_path


def says(release: Path, name: str, **settings: Any) -> None:
    its = {"steps": ["rotation"], "dim": 4, "fitted": None} | settings
    told = {"format": 1, "key": KEY.fingerprint, "measurements": {name: its}}
    (release / "transforms.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "settings", "why"),
    [
        ("text/a", {"dim": 10**9}, "does not hold vectors of 1000000000 numbers"),
        ("text/a", {"dim": True}, "does not say how"),
        ("text/b", {}, "b does not hold vectors of 4 numbers"),
        ("text/id", {}, "does not hold vectors"),
        ("text/c", {}, "c does not hold vectors"),
        ("text/a", {"steps": [["rotation"]]}, "does not say how"),
        ("text/a", {"steps": ["rotation"] * 10**5}, "does not say how"),
        ("text/a", {"steps": ["turn"]}, "is no step"),
        ("text/a", {"fitted": 7}, "does not say how"),
        ("text/a", {"version": "2"}, "does not say how"),
        ("text/a", {"version": True}, "does not say how"),
        ("text/a", {"version": 10**6}, "version 1000000 are not known"),
        ("text/a", {"fitted": "../../etc/passwd"}, "it has been altered"),
        ("../text/a", {}, "has no data of"),
    ],
)
def test_what_was_altered_is_refused(release: Path, name: str, settings: dict[str, Any], why: str) -> None:
    says(release, name, **settings)
    with pytest.raises(InputError, match=why):
        invert(release, KEY, release)


@pytest.mark.parametrize("version", [1, 2])
def test_the_arithmetic_is_that_of_the_release(release: Path, version: int) -> None:
    says(release, "text/a", version=version)
    chains = load_chains(open_folder(release), KEY, release)
    assert chains["text/a"].version == version
    says(release, "text/a")
    assert load_chains(open_folder(release), KEY, release)["text/a"].version == 1, "releases before did not say"


def test_a_file_that_leads_out_of_the_release_is_not_read(
    release: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = tmp_path_factory.mktemp("away") / "text.parquet"
    file = release / "data" / "text.parquet"
    file.rename(away)
    file.symlink_to(away)
    with pytest.raises(InputError, match="has no data of text"):
        invert(release, KEY, release)
