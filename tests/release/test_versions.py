"""Who was taken out between two versions of a release, by every way to join them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.errors import InputError
from personax.release import Keystore, ReleaseInput, ReleaseKey, ReleaseSettings, build
from personax.release.audit import VersionLinkage, link_versions
from personax.simulate import simulate_population
from personax.traits import aggregate

OLD, NEW = ReleaseKey(bytes(range(32))), ReleaseKey(bytes(32))


@pytest.fixture(scope="module")
def contents() -> ReleaseInput:
    world = simulate_population(160, rng=np.random.default_rng(1), text_dim=24, image_dim=24)
    traits = aggregate(world.ratings, people=world.people["id"].to_list())
    return ReleaseInput("A study", world.table, traits, world.embeddings, [])


def made(contents: ReleaseInput, out: Path, key: ReleaseKey, removed: Sequence[str] = (), **asked: Any) -> Path:
    settings = ReleaseSettings(removed=frozenset(removed), audit=False, **asked)
    build(contents, out / "release", key=key, keys=Keystore(out / "keys"), settings=settings,
          rng=np.random.default_rng(2))  # fmt: skip
    return out / "release"


def attacked(contents: ReleaseInput, where: Path, key: ReleaseKey, transform: str) -> tuple[VersionLinkage, set[str]]:
    gone = contents.people["id"].to_list()[10:15]
    older = made(contents, where / "1.0", OLD, transform=transform)
    newer = made(contents, where / "1.1", key, gone, transform=transform)
    truth = {OLD.pseudonym(person) for person in gone}
    return link_versions(older, newer, truth=truth), truth


@pytest.mark.parametrize("transform", ["rotation", "whitening", "chain"])
def test_under_one_key_every_way_tells_exactly_who_was_taken_out(
    contents: ReleaseInput, tmp_path: Path, transform: str
) -> None:
    found, truth = attacked(contents, tmp_path, OLD, transform)
    assert {route.name for route in found.routes} >= {"pseudonyms", "table", "vectors text/text_a"}
    for route in found.routes:
        # whitening is fitted anew without them, which may move vectors too far to be told
        assert set(route.removed) in ((truth,) if "vectors" not in route.name else (truth, set())), route.name
        assert route.right == len(route.removed)
    assert found.removed_count == len(truth)
    assert "can tell 5 people as removed" in found.sentence
    told = json.dumps(found.to_dict())
    assert not any(pseudonym in told for pseudonym in truth), "what is published names nobody"


def test_another_key_alone_does_not_hide_them(contents: ReleaseInput, tmp_path: Path) -> None:
    found, truth = attacked(contents, tmp_path, NEW, "rotation")
    by = {route.name: route for route in found.routes}
    assert by["pseudonyms"].removed == ()
    assert "0%" in (by["pseudonyms"].reason or "")
    assert set(by["table"].removed) == truth, "unique rows of the table are as good as pseudonyms"
    assert set(by["vectors text/text_a"].removed) == truth, "and so are distances, which stay under a rotation"


def test_people_with_equal_vectors_are_found_again(contents: ReleaseInput, tmp_path: Path) -> None:
    vectors = contents.embeddings["text"]
    shared = vectors.select(pl.exclude("id")).clear().vstack(vectors[99:100].select(pl.exclude("id")))
    many = pl.concat([vectors[:100], pl.concat([vectors[100:150].select("id"), pl.concat([shared] * 50)],
                                               how="horizontal"), vectors[150:]])  # fmt: skip
    found, truth = attacked(replace(contents, embeddings={"text": many}), tmp_path, NEW, "rotation")
    assert set(next(r for r in found.routes if r.name == "vectors text/text_a").removed) == truth


def test_the_same_version_twice_tells_nobody(contents: ReleaseInput, tmp_path: Path) -> None:
    older = made(contents, tmp_path, OLD)
    found = link_versions(older, older)
    assert found.best is None
    assert found.removed_count == 0
    assert found.sentence.startswith("Nobody can be told")


def test_a_folder_without_people_is_no_version(tmp_path: Path, contents: ReleaseInput) -> None:
    older = made(contents, tmp_path, OLD)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="folder of a release"):
        link_versions(older, tmp_path / "empty")


def test_a_table_without_common_columns_links_nobody(tmp_path: Path, contents: ReleaseInput) -> None:
    older = made(contents, tmp_path, OLD)
    other = tmp_path / "other" / "data" / "people"
    other.mkdir(parents=True)
    pl.DataFrame({"id": ["a", "b"], "shoe": [41, 42]}).write_parquet(other / "0.parquet")
    found = link_versions(older, tmp_path / "other")
    assert next(r for r in found.routes if r.name == "table").reason == "the versions have no column in common"
