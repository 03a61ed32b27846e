"""What leaves holds nothing private, comes back under the key, and is as weak as it says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personax.errors import InputError
from personax.release import Contents, Gate, Key, Preset, build, scan, undo
from personax.schema import Column
from personax.simulate import simulate_population
from personax.traits import aggregate

KEY = Key(bytes(range(32)))


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
def contents() -> Contents:
    world = simulate_population(150, rng=np.random.default_rng(1), text_dim=24, image_dim=24)
    return Contents(
        "A study",
        world.people,
        world.columns,
        aggregate(world.ratings, people=world.people["id"].to_list()),
        world.embeddings,
        world.texts["biography"].to_list(),
    )


@pytest.fixture(scope="module")
def released(contents: Contents, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Contents]:
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


def test_the_files_join_and_the_owner_can_go_back(released: tuple[Path, Contents], tmp_path: Path) -> None:
    out, contents = released
    people, text = (pl.read_parquet(out / "data" / f"{name}.parquet") for name in ("people", "text"))
    assert people["id"].to_list() == text["id"].to_list()
    assert people["id"].is_sorted()
    _comes_back(undo(out, KEY, tmp_path)["text"], contents)
    with pytest.raises(InputError, match="under another key"):
        undo(out, Key(bytes(32)), tmp_path)


def _comes_back(restored: pl.DataFrame, contents: Contents) -> None:
    back = {KEY.pseudonym(person): person for person in contents.people["id"]}
    order = [back[pseudonym] for pseudonym in restored["id"]]
    original = pl.DataFrame({"id": order}).join(contents.embeddings["text"], on="id", how="left", maintain_order="left")
    assert np.allclose(restored["text_a"].to_numpy(), original["text_a"].to_numpy(), atol=1e-4)


@pytest.mark.parametrize("transform", ["whitening", "chain"])
def test_what_is_fitted_stays_with_the_key_and_brings_it_back(
    transform: Preset, contents: Contents, tmp_path: Path
) -> None:
    out, fitted = tmp_path / "release", tmp_path / "keys" / "fitted"
    settings = {"key": KEY, "rare_below": 5, "attack": False, "transform": transform, "rng": np.random.default_rng(0)}
    with pytest.raises(InputError, match="give it a folder"):
        build(contents, tmp_path / "lost", **settings)  # type: ignore[arg-type]
    build(contents, out, fitted=fitted, **settings)  # type: ignore[arg-type]
    _comes_back(undo(out, KEY, fitted)["text"], contents)
    told = json.loads((out / "transforms.json").read_text())
    kept = next(iter(fitted.glob("*.npz"))).stem
    assert kept in {its["fitted"] for its in told["measurements"].values()}
    away = {"../x/a": {"steps": ["rotation"], "dim": 3, "fitted": None}}
    changes: list[tuple[dict[str, object], str]] = [
        ({"format": 2}, "format 2"),
        ({"measurements": away}, "no name"),
        ({"measurements": 3}, "cannot be read"),
    ]
    for change, says in changes:
        (out / "transforms.json").write_text(json.dumps(told | change))
        with pytest.raises(InputError, match=says):
            undo(out, KEY, fitted)


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (Gate(max_rank_1=0.5), "distance profiles .* reaches 1, and release.gate.max_rank_1 is 0.5"),
        (Gate(min_pairs=100), "release.gate.min_pairs is 100"),
        (Gate(max_d_sys=0.2), "profiles of two keys .* release.gate.max_d_sys is 0.2"),
        (Gate(max_singling_out=0.05), "singling out .* on the table reaches"),
    ],
)
def test_a_gate_stops_the_release_and_says_which_attack(
    gate: Gate, says: str, contents: Contents, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        build(contents, tmp_path, key=KEY, rare_below=5, attack=True, gate=gate, rng=np.random.default_rng(0))
    assert not (tmp_path / "audit.json").exists()
    with pytest.raises(InputError, match="audit is off"):
        build(contents, tmp_path, key=KEY, rare_below=5, attack=False, gate=gate, rng=np.random.default_rng(0))


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


def test_the_audit_is_in_the_release_and_the_card_quotes_it(released: tuple[Path, Contents]) -> None:
    out, _ = released
    told = json.loads((out / "audit.json").read_text())
    assert set(told["measurements"]) == {"text/text_a", "text/text_b", "text/text_c", "image/image_a"}
    found = {attack["name"]: attack for attack in told["measurements"]["text/text_a"]["attacks"]}
    assert found["linear map"]["value"] > 0.95
    assert found["inference of gender"]["value"] is not None
    assert {attack["name"] for attack in told["table"]} >= {"linkability", "singling out by one column"}
    assert told["verdict"] in (out / "README.md").read_text()


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
