"""What leaves holds nothing private, comes back under the key, and is as weak as it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import personax.release
from personax.data.table import Table
from personax.errors import InputError
from personax.release import (
    AnonymityRequirements,
    ColumnRule,
    Gate,
    Keystore,
    NoiseSettings,
    ReleaseInput,
    ReleaseKey,
    ReleaseSettings,
    build,
    invert,
    load_release,
    scan,
    verify,
)
from personax.release._invert import restore_ids, restore_people
from personax.release.transforms import Preset
from personax.schema import Column, Notice
from personax.simulate import simulate_population
from personax.traits import aggregate

KEY = ReleaseKey(bytes(range(32)))
INVENTED = "The people are invented."


def left_open(contents: ReleaseInput) -> dict[str, ColumnRule]:
    """Let all that is not direct leave as it is, but the day of birth."""
    days = {column.name for column in contents.columns} & {"birth_month", "birth_day"}
    return {**dict.fromkeys(days, ColumnRule(leaves="withheld")), "*": ColumnRule(leaves="exact", risk=INVENTED)}


def release(contents: ReleaseInput, out: Path, **asked: Any) -> list[Notice]:
    """Build into ``out/release`` with the key in ``out/keys``; attacks only where they are asked for."""
    settings = ReleaseSettings(**{"audit": False, "columns": left_open(contents), **asked})
    return build(contents, out / "release", key=KEY, keys=Keystore(out / "keys"), settings=settings,
                 rng=np.random.default_rng(2))  # fmt: skip


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
def contents() -> ReleaseInput:
    world = simulate_population(150, rng=np.random.default_rng(1), text_dim=24, image_dim=24)
    return ReleaseInput(
        "A study",
        world.table,
        aggregate(world.ratings, people=world.people["id"].to_list()),
        world.embeddings,
        world.texts["biography"].to_list(),
    )


@pytest.fixture(scope="module")
def released(contents: ReleaseInput, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReleaseInput]:
    out = tmp_path_factory.mktemp("study")
    release(contents, out, audit=True)
    return out / "release", contents


def part(folder: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "data" / table / "*.parquet")


def test_nothing_private_is_in_any_byte(released: tuple[Path, ReleaseInput]) -> None:
    out, contents = released
    frames = [pl.read_parquet(path) for path in sorted(out.glob("data/*/*.parquet"))]
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


def test_the_files_join_and_the_owner_can_go_back(released: tuple[Path, ReleaseInput], tmp_path: Path) -> None:
    out, contents = released
    people, text = (part(out, name) for name in ("people", "text"))
    assert people["id"].to_list() == text["id"].to_list()
    assert people["id"].is_sorted()
    _comes_back(invert(out, KEY, tmp_path)["text"], contents)
    with pytest.raises(InputError, match="under another key"):
        invert(out, ReleaseKey(bytes(32)), tmp_path)


def _comes_back(restored: pl.DataFrame, contents: ReleaseInput) -> None:
    back = {KEY.pseudonym(person): person for person in contents.people["id"]}
    order = [back[pseudonym] for pseudonym in restored["id"]]
    original = pl.DataFrame({"id": order}).join(contents.embeddings["text"], on="id", how="left", maintain_order="left")
    assert np.allclose(restored["text_a"].to_numpy(), original["text_a"].to_numpy(), atol=1e-4)


@pytest.mark.parametrize("transform", ["whitening", "chain"])
def test_what_is_fitted_stays_with_the_key_and_brings_it_back(
    transform: Preset, contents: ReleaseInput, tmp_path: Path
) -> None:
    release(contents, tmp_path, transform=transform)
    out, fitted = tmp_path / "release", tmp_path / "keys" / "fitted"
    _comes_back(invert(out, KEY, fitted)["text"], contents)
    told = json.loads((out / "transforms.json").read_text())
    kept = next(iter(fitted.glob("*.npz"))).stem
    assert kept in {its["fitted"] for its in told["measurements"].values()}
    away = {"../x/a": {"steps": ["rotation"], "dim": 3, "fitted": None}}
    changes: list[tuple[dict[str, object], str]] = [
        ({"format": 3}, "format 3"),
        ({"measurements": away}, "has no data of"),
        ({"measurements": 3}, "cannot be read"),
    ]
    for change, says in changes:
        (out / "transforms.json").write_text(json.dumps(told | change))
        with pytest.raises(InputError, match=says):
            invert(out, KEY, fitted)


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (Gate(max_rank_1=0.5), "distance profiles .* reaches 1, and release.gate.max_rank_1 is 0.5"),
        (Gate(min_pairs=100), "release.gate.min_pairs is 100"),
        (Gate(max_d_sys=0.4), "profiles of two keys .* release.gate.max_d_sys is 0.4"),
        (Gate(max_singling_out=0.05), "singling out .* on the table reaches"),
    ],
)
def test_a_gate_stops_the_release_and_says_which_attack(
    gate: Gate, says: str, contents: ReleaseInput, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        release(contents, tmp_path, audit=True, gate=gate)
    assert not (tmp_path / "release" / "audit.json").exists()
    with pytest.raises(InputError, match="audit is off"):
        release(contents, tmp_path / "other", gate=gate)


def test_rare_categories_are_merged(released: tuple[Path, ReleaseInput]) -> None:
    out, contents = released
    people = part(out, "people")
    counts = contents.people["country"].value_counts()
    rare = counts.filter(pl.col("count") < 5)
    assert (people["country"] == "other").sum() == rare["count"].sum()
    assert set(rare["country"]).isdisjoint(people["country"])


def test_checksums_and_card(released: tuple[Path, ReleaseInput]) -> None:
    out, _ = released
    for line in (out / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    card = (out / "README.md").read_text()
    assert "pseudonymised, not anonymous" in card
    assert "re-identification" in (out / "USAGE.md").read_text().lower()


def test_the_audit_is_in_the_release_and_the_card_quotes_it(released: tuple[Path, ReleaseInput]) -> None:
    out, _ = released
    told = json.loads((out / "audit.json").read_text())
    each = {"text/text_a", "text/text_b", "text/text_c", "image/image_a"}
    assert set(told["measurements"]) == {*each, "all measurements"}
    assert told["format"] == 2
    campaigns = {its["name"]: its for its in told["measurements"]["text/text_a"]["campaigns"]}
    assert {"originals", "other_recordings", "one_original", "strangers", "public_facts", "pairs"} <= set(campaigns)
    found = {attack["name"]: attack for its in campaigns.values() for attack in its["attacks"]}
    assert found["linear map"]["value"] > 0.95
    assert found["inference of gender"]["value"] is not None
    assert {attack["name"] for attack in told["table"]} >= {
        "linkability", "singling out by one column", "table join",
    }  # fmt: skip
    assert told["verdict"] in (out / "README.md").read_text()


def test_a_private_value_in_a_released_column_stops_the_release(tmp_path: Path) -> None:
    people = pl.DataFrame({"id": ["p1", "p2"], "name": ["Ada Nemo", "Bo Fictor"], "club": ["FC Ada Nemo", "none"]})
    columns = [
        Column("id", "id", "nominal"),
        Column("name", "private", "nominal"),
        Column("club", "feature", "nominal"),
    ]
    contents = ReleaseInput("x", Table(people, columns), None, {})
    with pytest.raises(InputError, match="1 cells of club hold a name") as caught:
        release(contents, tmp_path, rare_below=1)
    assert "Ada" not in str(caught.value)
    assert not (tmp_path / "release").exists()
    marked = [Column("id", "id", "nominal"), Column("name", "feature", "nominal")]
    notices = release(
        ReleaseInput("x", Table(people.drop("club"), marked), None, {}), tmp_path, rare_below=1, columns={}
    )
    assert part(tmp_path / "release", "people").columns == ["id"]
    assert any(n.text.startswith("Withheld from the release: name (direct: its name says so (name)") for n in notices)


def test_people_who_asked_to_go_are_in_no_byte_and_are_not_counted_on(contents: ReleaseInput, tmp_path: Path) -> None:
    gone = contents.people["id"][3]
    notices = release(contents, tmp_path, removed=frozenset({gone, "nobody"}))
    out = tmp_path / "release"
    for table in ("people", "text", "image"):
        assert part(out, table).height == contents.people.height - 1
        assert KEY.pseudonym(gone) not in part(out, table)["id"].to_list()
    assert [(n.text.split(" ")[0], n.count) for n in notices[:2]] == [("People", 1), ("Entries", 1)]
    assert "1 person" in (out / "README.md").read_text()
    with pytest.raises(InputError, match="nobody is left"):
        release(contents, tmp_path / "none", removed=frozenset(contents.people["id"]))


def test_groups_of_people_alike_are_as_large_as_asked_and_the_file_says_what_it_cost(
    contents: ReleaseInput, tmp_path: Path
) -> None:
    asked = AnonymityRequirements(k=4, quasi_identifiers=["gender", "birth_year", "occupation"], suppress=0.05)
    release(contents, tmp_path, anonymity=asked, withheld=["latitude", "longitude"])
    out = tmp_path / "release"
    people, told = part(out, "people"), json.loads((out / "protection.json").read_text())["k_anonymity"]
    assert people.group_by(told["columns"]).len()["len"].min() == told["after"]["k"] >= 4
    assert told["before"]["k"] < 4
    assert {"latitude", "longitude"}.isdisjoint(people.columns)
    assert told["loss"] == pytest.approx(np.mean([step["loss"] for step in told["steps"]]))
    assert [check.name for check in verify(out).failed] == ["audit"], "this one was not attacked, and that is told"
    with pytest.raises(InputError, match="names shoe, which does not leave"):
        release(contents, tmp_path / "a", anonymity=AnonymityRequirements(quasi_identifiers=["shoe"]))
    with pytest.raises(InputError, match=r"has 1, and release.gate.min_k is 2"):
        release(contents, tmp_path / "b", gate=Gate(min_k=2))


def test_categories_as_numbers_come_back_with_what_lies_beside_the_key(contents: ReleaseInput, tmp_path: Path) -> None:
    release(contents, tmp_path, categories="indices", rare_below=1)
    out, keys = tmp_path / "release", Keystore(tmp_path / "keys")
    assert part(out, "people")["country"].dtype.is_integer()
    (kept,) = keys.categories.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    raw = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert contents.people["country"][0].encode() not in raw
    back = restore_ids(restore_people(out, keys), KEY, contents.people["id"]).sort("id")
    assert back["country"].to_list() == contents.people.sort("id")["country"].to_list()
    with pytest.raises(InputError, match="belong to nobody of this study"):
        restore_ids(restore_people(out, keys), ReleaseKey(bytes(32)), contents.people["id"])
    text = (out / "transforms.json").read_text()
    (out / "transforms.json").write_text(text.replace(kept.stem, "../../elsewhere/"))
    with pytest.raises(InputError, match="invalid name"):
        restore_people(out, keys)
    (out / "transforms.json").write_text(text.replace(f'"categories": "{kept.stem}",', ""))
    kept.rename(keys.legacy_categories)
    assert restore_people(out, keys)["country"].dtype == pl.String, "releases of an earlier personax name no file"


def test_a_release_that_is_stopped_leaves_the_categories_of_the_last_one(
    contents: ReleaseInput, tmp_path: Path
) -> None:
    release(contents, tmp_path, categories="indices", rare_below=1)
    out, keys = tmp_path / "release", Keystore(tmp_path / "keys")
    before = restore_people(out, keys)
    out.rename(tmp_path / "last")
    with pytest.raises(InputError, match="max_rank_1"):
        release(contents, tmp_path, categories="indices", rare_below=9, audit=True, gate=Gate(max_rank_1=0.0))
    assert restore_people(tmp_path / "last", keys).equals(before)


@pytest.mark.parametrize(("band", "kept"), [(1, {1960, 1961}), (10, {1960, 1970, 1980, 1990})])
def test_of_a_date_of_birth_only_the_year_or_its_band_leaves(
    band: int, kept: set[int], contents: ReleaseInput, tmp_path: Path
) -> None:
    without = replace(contents, table=contents.table.drop(["birth_year"]))
    release(without, tmp_path, birth_band=band)
    years = part(tmp_path / "release", "people")["birth_year"]
    truth = contents.people.with_columns(contents.people["id"].map_elements(KEY.pseudonym, return_dtype=pl.String))
    assert years.to_list() == [year - year % band for year in truth.sort("id")["birth_year"].cast(pl.Int64)]
    assert kept & set(years)


def test_noise_is_stated_as_it_is_and_as_large_as_it_says(contents: ReleaseInput, tmp_path: Path) -> None:
    pytest.importorskip("opendp", reason="opendp is not installed: pip install personax[release]")
    noise = NoiseSettings(
        epsilon=8.0,
        delta=1e-5,
        numbers={"height_cm": (140, 220)},
        categories={"gender": ["female", "male"]},
        vectors=5.0,
    )
    people = contents.people.with_columns(pl.col("gender").fill_null("female"))
    table = replace(contents.table, frame=people)
    release(replace(contents, table=table), tmp_path, noise=noise, rare_below=1, categories="indices")
    out = tmp_path / "release"
    told = json.loads((out / "protection.json").read_text())["noise"]
    assert told["epsilon"] <= 8.0 + 1e-9
    assert {m["column"] for m in told["mechanisms"]} == {"height_cm", "gender", "text/text_a", "text/text_b",
                                                         "text/text_c", "image/image_a"}  # fmt: skip
    assert "local differential privacy" in (out / "README.md").read_text()
    back = restore_ids(restore_people(out, Keystore(tmp_path / "keys")), KEY, people["id"]).sort("id")
    assert set(back["gender"]) == {"female", "male"}
    heights = back["height_cm"]
    gaps = (heights - people.sort("id")["height_cm"]).drop_nulls().abs()
    scale = next(m["scale"] for m in told["mechanisms"] if m["column"] == "height_cm")
    assert 0.75 * scale < float(gaps.mean()) < 1.25 * scale  # type: ignore[arg-type]
    with pytest.raises(InputError, match="names shoe, which does not leave"):
        release(contents, tmp_path / "a", noise=NoiseSettings(epsilon=1.0, numbers={"shoe": (30, 50)}))
    with pytest.raises(InputError, match="noise would undo groups"):
        release(contents, tmp_path / "b", noise=NoiseSettings(epsilon=1.0, numbers={"height_cm": (140, 220)}),
                anonymity=AnonymityRequirements(quasi_identifiers=["height_cm"]))  # fmt: skip


def _broken(vectors: pl.DataFrame) -> pl.DataFrame:
    found = vectors["text_a"].to_numpy().copy()
    found[2, 5] = np.nan
    return vectors.with_columns(pl.Series("text_a", found, dtype=vectors.schema["text_a"]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_broken, "text/text_a: the vectors of 1 people are missing or not finite"),
        (lambda frame: frame.head(5), "the vectors of text are not those of the people"),
        (lambda frame: frame.with_columns(pl.lit(1.0).alias("text_b")), "text/text_b holds Float64, not vectors"),
    ],
)
def test_vectors_that_cannot_leave(
    change: Callable[[pl.DataFrame], pl.DataFrame], says: str, contents: ReleaseInput, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        release(replace(contents, embeddings={"text": change(contents.embeddings["text"])}), tmp_path)


def test_a_folder_with_something_in_it_is_refused(contents: ReleaseInput, tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "names.csv").write_text("Ada Nemo")
    with pytest.raises(InputError, match="is not empty"):
        release(contents, tmp_path)
    assert (tmp_path / "release" / "names.csv").read_text() == "Ada Nemo"


def test_the_same_key_gives_the_same_bytes(contents: ReleaseInput, tmp_path: Path) -> None:
    for name in ("a", "b"):
        release(contents, tmp_path / name, categories="indices")
    sums = [(tmp_path / name / "release" / "SHA256SUMS").read_text() for name in ("a", "b")]
    assert sums[0] == sums[1]


def test_what_was_built_is_read_back_whole(released: tuple[Path, ReleaseInput]) -> None:
    out, contents = released
    found = load_release(out, verify=True)
    assert found.people.height == contents.people.height
    assert {column.name: column.kind for column in found.columns}["height_cm"] == "continuous"
    assert found.vectors("text", "text_b").shape == (contents.people.height, 24)
    assert "pseudonymised, not anonymous" in str(found.verdict)
    assert verify(out).failed == []


def test_the_public_names_stay() -> None:
    """A name that goes breaks others' code; one that is added is added here."""
    promised = (
        "PRESETS AnonymityRequirements AuditReport Chain ColumnPlan ColumnRule ColumnTreatment Gate "
        "Keystore NoiseSettings Publisher PushPreview PushResult ReleaseAudit ReleaseInput ReleaseKey "
        "ReleaseOptions ReleaseSettings Released audit_release audit_table audit_vectors build "
        "check_third_party_readers invert load_key load_release plan_columns propose_mapping protect push restore_ids "
        "restore_people scan verify"
    )
    assert personax.release.__all__ == promised.split()
    assert all(getattr(personax.release, name) is not None for name in personax.release.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        personax.release.nothing  # noqa: B018 - the access itself raises
