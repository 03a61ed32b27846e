"""What leaves holds nothing private, comes back under the key, and is as weak as it says."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.errors import InputError
from personax.release import Contents, Key, audit, build, invert, load_or_make_key, scan, transform
from personax.schema import Column
from personax.simulate import simulate_population
from personax.traits import aggregate

KEY = Key(bytes(range(32)))


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 2**31))
def test_the_rotation_keeps_distances_and_comes_back(dim: int, n: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    y = transform(x, KEY, "text/a")
    assert np.allclose(invert(y, KEY, "text/a"), x, atol=1e-5)
    assert np.allclose(y @ y.T, x @ x.T, atol=1e-3)


def test_another_key_or_context_rotates_otherwise() -> None:
    x = np.random.default_rng(0).normal(size=(5, 16)).astype(np.float32)
    y = transform(x, KEY, "text/a")
    assert not np.allclose(transform(x, KEY, "text/b"), y, atol=0.1)
    assert not np.allclose(invert(y, Key(bytes(32)), "text/a"), x, atol=0.1)
    with pytest.raises(InputError, match="missing or infinite"):
        transform(np.full((2, 3), np.nan, np.float32), KEY, "a")


def test_the_rotation_has_no_preferred_direction() -> None:
    """First coordinates of the rotated first axis: mean 0, variance 1/d, over 400 keys."""
    axis = np.eye(1, 8, dtype=np.float32)
    first = np.array([transform(axis, Key(i.to_bytes(32, "big")), "a")[0, 0] for i in range(400)])
    assert abs(first.mean()) < 4 / np.sqrt(8 * 400)
    assert first.var() == pytest.approx(1 / 8, rel=0.25)


def test_the_key_file(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "release.key"
    key = load_or_make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_key(path) == key
    assert key != load_or_make_key(tmp_path / "other.key")
    assert key.secret.hex() not in repr(key)
    for text, says in [("no", "is not a release key"), ('{"personax_key": 9}', "version 9"),
                       ('{"personax_key": 1, "secret": "00"}', "1 bytes, not 32")]:  # fmt: skip
        path.write_text(text)
        with pytest.raises(InputError, match=says):
            load_or_make_key(path)


@pytest.mark.parametrize(
    ("value", "leaks"),
    [
        ("Zoë Nemo", True),
        ("the club of ZOE NEMO", True),
        ("Zoe", False),
        ("Nemo", False),
        ("write to a@b.org", True),
        ("see https://a.b", True),
        ("Lin", True),
        ("Berlin", False),
        ("Lin sings", False),
    ],
)
def test_the_scan(value: str, leaks: bool) -> None:
    assert bool(scan(pl.DataFrame({"club": [value]}), ["Zoë Nemo", "Lin"])) == leaks


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Contents]:
    world = simulate_population(150, rng=np.random.default_rng(1), text_dim=24, image_dim=24)
    contents = Contents(
        "A study",
        world.people,
        world.columns,
        aggregate(world.ratings, people=world.people["id"].to_list()),
        world.embeddings,
        world.texts["biography"].to_list(),
    )
    out = tmp_path_factory.mktemp("release")
    build(contents, out, key=KEY, rare_below=5, attack=True, rng=np.random.default_rng(2))
    return out, contents


def test_nothing_private_is_in_any_byte(released: tuple[Path, Contents]) -> None:
    out, contents = released
    frames = [pl.read_parquet(path) for path in sorted(out.glob("data/*.parquet"))]
    cells = {str(value) for frame in frames for series in frame if series.dtype == pl.String for value in series}
    raw = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for name in ("id", "name", "birth_date"):
        private = contents.people[name].cast(pl.String).to_list()
        assert cells.isdisjoint(private)
        assert not any(value.encode() in raw for value in private)
    assert KEY.secret not in raw
    assert KEY.secret.hex().encode() not in raw
    left = {name for frame in frames for name in frame.columns}
    assert left.isdisjoint({"biography", "birth_month", "birth_day"}), "with the year they are the date of birth"


def test_the_files_join_and_the_owner_can_go_back(released: tuple[Path, Contents]) -> None:
    out, contents = released
    people, text = (pl.read_parquet(out / "data" / f"{name}.parquet") for name in ("people", "text"))
    assert people["id"].to_list() == text["id"].to_list()
    assert people["id"].is_sorted()
    back = {KEY.pseudonym(person): person for person in contents.people["id"]}
    order = [back[pseudonym] for pseudonym in text["id"]]
    original = pl.DataFrame({"id": order}).join(contents.embeddings["text"], on="id", how="left", maintain_order="left")
    restored = invert(text["text_a"].to_numpy(), KEY, "text/text_a")
    assert np.allclose(restored, original["text_a"].to_numpy(), atol=1e-4)


def test_rare_categories_are_merged(released: tuple[Path, Contents]) -> None:
    out, contents = released
    people = pl.read_parquet(out / "data" / "people.parquet")
    counts = contents.people["country"].value_counts()
    rare = counts.filter(pl.col("count") < 5)
    assert (people["country"] == "other").sum() == rare["count"].sum()
    assert set(rare["country"]).isdisjoint(people["country"])


def test_checksums_and_card(released: tuple[Path, Contents]) -> None:
    out, _ = released
    for line in (out / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    card = (out / "README.md").read_text()
    assert "pseudonymised, not anonymous" in card
    assert "re-identification" in (out / "USAGE.md").read_text().lower()


def test_the_audit_finds_what_a_rotation_does_not_hide(released: tuple[Path, Contents]) -> None:
    out, _ = released
    found = json.loads((out / "audit.json").read_text())["measurements"]["text/text_a"]
    assert found["without_key_or_pairs"]["rank_1"] > 0.95
    pairs = {row["pairs"]: row["rank_1"] for row in found["with_known_pairs"]}
    assert pairs[1] < 0.5
    assert pairs[50] > 0.95, "more pairs than dimensions give the rotation away"


def test_the_audit_finds_nothing_in_unrelated_vectors() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 200, 16)).astype(np.float32)
    assert audit(x, y, rng=rng)["without_key_or_pairs"]["rank_1"] < 0.05


def test_a_private_value_in_a_released_column_stops_the_release(tmp_path: Path) -> None:
    people = pl.DataFrame({"id": ["p1", "p2"], "name": ["Ada Nemo", "Bo Fictor"], "club": ["FC Ada Nemo", "none"]})
    columns = [
        Column("id", "id", "nominal"),
        Column("name", "private", "nominal"),
        Column("club", "feature", "nominal"),
    ]
    contents = Contents("x", people, columns, None, {})
    with pytest.raises(InputError, match="1 cells of club hold a name") as caught:
        build(contents, tmp_path, key=KEY, rare_below=1, attack=False, rng=np.random.default_rng(0))
    assert "Ada" not in str(caught.value)
    marked = [Column("id", "id", "nominal"), Column("name", "feature", "nominal")]
    people = pl.DataFrame({"id": ["ada-nemo", "bo"], "name": ["ada-nemo", "bo"]})
    with pytest.raises(InputError, match="cells of name hold"):
        build(Contents("x", people, marked, None, {}), tmp_path, key=KEY, rare_below=1, attack=False,
              rng=np.random.default_rng(0))  # fmt: skip
