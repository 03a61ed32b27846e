"""Verification: a whole release holds, every fault is named, garbage never breaks it, any change is seen."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.release.reading.made import VERDICT, croissant, write_json, write_release, write_sums

from personax.release import Keystore, ReleaseInput, build
from personax.release._settings import ReleaseSettings
from personax.release.checks._tables import smallest_group
from personax.release.checks._verify import Verification, verify

PEOPLE = "data/people/train-00000-of-00001.parquet"
IMAGE = "data/image/train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("verify") / "release")


def failed(verification: Verification) -> set[str]:
    return {check.name for check in verification.failed}


def outcome(verification: Verification, name: str) -> str:
    return next(check.outcome for check in verification.checks if check.name == name)


def settled(out: Path) -> Path:
    """Make hashes true again, as a publisher with a fault of another kind would."""
    if (out / "croissant.json").is_file():
        write_json(out / "croissant.json", croissant(out, "forty"))
    write_sums(out)
    return out


def test_a_whole_release_holds(whole: Path) -> None:
    found = verify(whole)
    assert found.holds, str(found)
    assert {check.name for check in found.checks if check.outcome == "cannot tell"} <= {
        "transformed",
        "croissant's form",
    }
    assert json.loads(json.dumps(found.to_dict()))["holds"]
    assert f"holds        audit: {VERDICT}" in str(found)


def test_what_build_makes_holds(tmp_path: Path) -> None:
    from tests.release.reading.made import KEY

    from personax.simulate import simulate_population

    world = simulate_population(40, rng=np.random.default_rng(1), text_dim=6, image_dim=6)
    contents = ReleaseInput("Built", world.table, None, world.embeddings)
    out = tmp_path / "release"
    build(contents, out, key=KEY, keys=Keystore(tmp_path / "keys"), settings=ReleaseSettings(audit=False),
          rng=np.random.default_rng(2))  # fmt: skip
    assert failed(verify(out)) == {"audit"}, "it was not attacked"


def people(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Path], None]:
    """Return what rewrites the people, with columns.json in step."""

    def rewrite(out: Path) -> None:
        frame = change(pl.read_parquet(out / PEOPLE))
        frame.write_parquet(out / PEOPLE)
        about = json.loads((out / "columns.json").read_text())
        said = {entry["name"]: entry for entry in about["columns"] if "people" in entry["file"]}
        new = {"file": "data/people/", "role": "feature", "kind": "nominal"}
        columns = [said.get(name, new | {"name": name}) for name in frame.columns]
        rest = [entry for entry in about["columns"] if "people" not in entry["file"]]
        write_json(out / "columns.json", about | {"columns": columns + rest})

    return rewrite


def add(**columns: Any) -> Callable[[Path], None]:
    return people(lambda frame: frame.with_columns(**{name: pl.Series(its) for name, its in columns.items()}))


def text(file: str, said: str) -> Callable[[Path], None]:
    def write(out: Path) -> None:
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (out / file).write_text(said)

    return write


def said(file: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    return lambda out: write_json(out / file, change(json.loads((out / file).read_text())))


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def write(out: Path) -> None:
        before = (out / file).read_text()
        assert old in before
        (out / file).write_text(before.replace(old, new))

    return write


def vectors(change: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Callable[[Path], None]:
    def write(out: Path) -> None:
        frame = pl.read_parquet(out / IMAGE)
        made = change(frame["image_a"].to_numpy().copy())
        frame.with_columns(pl.Series("image_a", made, dtype=pl.Array(pl.Float32, made.shape[1]))).write_parquet(
            out / IMAGE
        )

    return write


def unfinite(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    values[3, 2] = np.nan
    return values


def zeros(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.where(values > 0, values, 0)


def row_hashes(frame: pl.DataFrame) -> pl.DataFrame:
    import hashlib

    return frame.with_columns(id=pl.Series(sorted(hashlib.md5(str(n).encode()).hexdigest() for n in range(40))))


N = 40
FAULTS: list[tuple[Callable[[Path], None], str, str]] = [
    (text("keys/x.json", "{}"), "secrets", "keys/x.json looks like a secret"),
    (text("data/fitted/a.npz", ""), "secrets", "looks like a secret"),
    (said("audit.json", lambda its: its | {"personax_key": 2}), "secrets", "words of a secret"),
    (text("NOTES.md", f"the seed is {'ab' * 32}"), "secrets", "64 hexadecimal digits"),
    (text("faces/1.jpg", "x"), "folder", "is a picture"),
    (text("data/people/x.parquet", "no"), "tables", "cannot be read as a table"),
    (people(lambda f: f.vstack(f[:1]).sort("id")), "ids", "doubled"),
    (people(lambda f: f[:20]), "ids", "ids that the people have not"),
    (people(lambda f: f.sample(fraction=1.0, shuffle=True, seed=1)), "order", "not in the order of the ids"),
    (people(lambda f: f.with_columns(id=pl.Series(range(1, N + 1)))), "pseudonyms", "row numbers"),
    (people(lambda f: f.with_columns(id=pl.Series(f"Ada {'a' * (i + 2)}" for i in range(N)))), "pseudonyms", "names"),
    (people(row_hashes), "pseudonyms", "plain hashes"),
    (vectors(unfinite), "vectors", "missing or infinite"),
    (vectors(lambda v: v[:, :4]), "vectors", "length 4, and transforms.json says 6"),
    (vectors(zeros), "transformed", "exact zeros"),
    (said("transforms.json", lambda its: its | {"measurements": {}}), "vectors", "tells nothing of"),
    (said("transforms.json", lambda its: its | {"key": "x"}), "transform", "fingerprint"),
    (said("transforms.json", lambda its: its | {"format": 3}), "transform", "format 3"),
    (said("transforms.json", lambda its: []), "transform", "lists no measurements"),
    (add(name=["a", "b"] * 20), "columns", "its name says so"),
    (add(image_url=["a", "b"] * 20), "columns", "its name says so"),
    (add(birth_date=["1980-01-02", "1980-01-03"] * 20), "columns", "its name says so"),
    (add(club=[f"club {n}" for n in range(N)]), "columns", "differs for nearly everybody"),
    (said("columns.json", lambda its: its["columns"][1:]), "columns", "says nothing of id"),
    (replaced("columns.json", '"length": 6', '"length": 7'), "vectors", "columns.json says 7"),
    (add(birth_year=[1, 2] * 20, birth_month=[1, 2] * 20, birth_day=[3, 4] * 20), "dates of birth", "leave the day"),
    (add(**{"Year": [1980, 1981] * 20, "Day index": [1, 2] * 20}), "dates of birth", "Day index"),
    (add(club=["a@b.org", "x"] * 20), "cells", "addresses"),
    (add(club=["/home/ada/x", "x"] * 20), "cells", "paths"),
    (add(club=["word " * 30, "x"] * 20), "cells", "free text"),
    (said("protection.json", lambda its: {"k_anonymity": {"after": 12}}), "k-anonymity", "has 10, and .* claims 12"),
    (said("protection.json", lambda its: {}), "k-anonymity", "nothing is claimed"),
    (said("protection.json", lambda its: {"after": {"k": 10, "quasi_identifiers": ["x"]}}), "k-anonymity", "has not"),
    (replaced("README.md", "license: other\n", ""), "card", "no license"),
    (replaced("README.md", "data/text/*.parquet", "data/texts/*.parquet"), "card", "not there"),
    (replaced("README.md", "license: other", "license: [oth: er"), "card", "no YAML mapping"),
    (text("README.md", "---\nlicense: other\n"), "card", "no YAML mapping"),
    (replaced("README.md", "license: other", "license: apache-2.0"), "", ""),
    (replaced("README.md", "3 in 100", "2 in 100"), "audit", "word for word"),
    (replaced("README.md", "# Forty", "All data are anonymous."), "words", "'anonymous' without a not"),
    (text("DATASHEET.md", "The vectors are fully anonymised."), "words", "'anonymised' without a not"),
    (text("USAGE.md", "Enjoy."), "terms of use", "says nothing of"),
    (text("DATASHEET.md", " "), "datasheet", "empty"),
    (said("audit.json", lambda its: its | {"gate": {"max_singling_out": 0.05}}), "gate", "reaches 0.1"),
    (said("audit.json", lambda its: its | {"gate": {"max_fun": 1}}), "gate", "not known"),
    (said("audit.json", lambda its: {}), "audit", "no verdict"),
]


@pytest.mark.parametrize(("change", "name", "says"), FAULTS, ids=[f"{n}-{at}" for at, (_, n, _) in enumerate(FAULTS)])
def test_every_fault_is_named(
    change: Callable[[Path], None], name: str, says: str, whole: Path, tmp_path: Path
) -> None:
    out = copytree(whole, tmp_path / "r")
    change(out)
    found = verify(settled(out))
    texts = {check.name: check.text for check in found.failed}
    assert (name in texts) == bool(name), str(found)
    assert re.search(says, texts.get(name, ""))


def test_numbers_near_the_end_of_their_range_are_numbers(whole: Path, tmp_path: Path) -> None:
    out = copytree(whole, tmp_path / "r")
    vectors(lambda values: values * np.float32(1e30))(out)
    assert verify(settled(out)).holds


def test_a_release_of_nobody_is_no_traceback(whole: Path, tmp_path: Path) -> None:
    out = copytree(whole, tmp_path / "r")
    for path in out.rglob("*.parquet"):
        pl.read_parquet(path)[:0].write_parquet(path)
    assert failed(verify(settled(out))) == {"k-anonymity"}


PAPERS = "USAGE.md DATASHEET.md LICENSES.md CITATION.cff README.md"
NUMBERS = "croissant.json columns.json protection.json transforms.json audit.json"


@pytest.mark.parametrize("name", f"{PAPERS} {NUMBERS}".split())
def test_a_part_that_is_missing_is_named_even_when_the_checksums_agree(name: str, whole: Path, tmp_path: Path) -> None:
    out = copytree(whole, tmp_path / "r")
    (out / name).unlink()
    write_sums(out)
    assert any(name in check.text for check in verify(out).failed), str(verify(out))


def test_terms_that_contradict(whole: Path, tmp_path: Path) -> None:
    out = copytree(whole, tmp_path / "r")
    (out / "LICENSES.md").write_text("ImageBind: CC BY-NC-SA 4.0, non-commercial\n")
    write_sums(out)
    assert verify(out).holds, "a card with other terms does not contradict"
    replaced("README.md", "license: other", "license: apache-2.0")(out)
    write_sums(out)
    assert failed(verify(out)) == {"licences"}


def test_hashes_and_form_of_the_croissant(whole: Path, tmp_path: Path) -> None:
    out = copytree(whole, tmp_path / "r")
    good = json.loads((out / "croissant.json").read_text())

    def found(change: dict[str, Any]) -> dict[str, str]:
        write_json(out / "croissant.json", good | change)
        write_sums(out)
        return {check.name: check.text for check in verify(out).failed}

    first, *others = good["distribution"]
    assert "another hash" in found({"distribution": [first | {"sha256": "0" * 64}, *others]})["croissant"]
    assert "another size" in found({"distribution": [first | {"contentSize": "1 B"}, *others]})["croissant"]
    assert "says nothing of" in found({"distribution": others})["croissant"]
    assert "not in the folder" in found({"distribution": [first | {"contentUrl": "../x"}, *others]})["croissant"]
    assert "from elsewhere" in found({"@context": "http://127.0.0.1:9/context"})["croissant"]
    pytest.importorskip("mlcroissant")
    assert found({}) == {}
    assert "mlcroissant refuses" in found({"@type": "sc:Cake"})["croissant's form"]
    assert "mlcroissant refuses" in found({"recordSet": [{"@type": "cr:RecordSet", "field": 7}]})["croissant's form"]


def test_links_and_devices_are_named_and_not_opened(whole: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    out = copytree(whole, tmp_path / "r")
    (out / "link.md").symlink_to(secret)
    (out / "data" / "out").symlink_to(tmp_path)
    os.mkfifo(out / "pipe.json")
    told = next(check.text for check in verify(out).failed if check.name == "folder")
    for part in ("link.md is a link", "data/out is a link", "pipe.json is neither"):
        assert part in told


def test_a_folder_of_somebody_else(tmp_path: Path) -> None:
    ids = [f"{n:016x}" for n in range(7, 47)]
    frame = pl.DataFrame({"id": ids, "Height": [1.0, 2.0] * 20, "final_o": [1.0, 2.0] * 20})
    frame.write_parquet(tmp_path / "train.parquet")
    found = verify(tmp_path)
    assert found.holds, str(found)
    unsure = {check.name for check in found.checks if check.outcome == "cannot tell"}
    assert {"checksums", "card", "terms of use", "licences", "croissant", "audit", "k-anonymity"} <= unsure
    (tmp_path / "faces.parquet").write_bytes(b"PAR1 nothing PAR1")
    assert failed(verify(tmp_path)) == {"tables"}


def test_no_folder(tmp_path: Path) -> None:
    assert failed(verify(tmp_path / "nothing")) == {"folder"}
    assert "tables" in failed(verify(tmp_path))


def test_without_mlcroissant_it_says_what_to_install(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlcroissant", None)
    found = verify(whole)
    assert found.holds
    assert outcome(found, "croissant's form") == "cannot tell"


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, None]), st.sampled_from("ab")), min_size=1, max_size=40))
def test_the_smallest_group_is_counted_right(rows: list[tuple[float | None, str]]) -> None:
    frame = pl.DataFrame(rows, schema={"x": pl.Float64, "y": pl.String}, orient="row")
    assert smallest_group(frame, ["x", "y"]) == min(rows.count(row) for row in rows)
    mixed = frame.with_columns(
        pl.when(pl.col("x").is_null() & (pl.int_range(pl.len()) % 2 == 0)).then(float("nan")).otherwise("x").alias("x")
    )
    assert smallest_group(mixed, ["x", "y"]) == smallest_group(frame, ["x", "y"]), "unknown is one value"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def somewhere(value: Any, draw: Callable[[Any], Any]) -> Any:
    """Put any JSON in the place of one part of a JSON value."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        return value | {key: somewhere(value[key], draw)}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], somewhere(value[at], draw), *value[at + 1 :]]
    return draw(JSON)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_change_of_content_fails_and_nothing_breaks_it(whole: Path, tmp_path: Path, data: st.DataObject) -> None:
    out = tmp_path / "r"
    rmtree(out, ignore_errors=True)
    copytree(whole, out)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    file = out / data.draw(st.sampled_from(files))
    before = file.read_bytes()
    match data.draw(st.sampled_from(["flip", "truncate", "delete", "add", "replace"])):
        case "flip":
            at, bits = data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(1, 255))
            file.write_bytes(before[:at] + bytes([before[at] ^ bits]) + before[at + 1 :])
        case "truncate":
            file.write_bytes(before[: data.draw(st.integers(0, len(before) - 1))])
        case "delete":
            file.unlink()
        case "add":
            name = data.draw(
                st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
            )
            if name in {".", "..", ".git", ".gitattributes", ".cache"} or (out / name).exists():
                return
            (out / name).write_bytes(data.draw(st.binary(max_size=20)))
        case _:
            file.write_bytes(data.draw(st.binary(max_size=200).filter(lambda made: made != before)))
    assert not verify(out).holds


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_json_of_any_shape_never_breaks_it(whole: Path, tmp_path: Path, data: st.DataObject) -> None:
    out = tmp_path / "r"
    rmtree(out, ignore_errors=True)
    copytree(whole, out)
    names = ["columns.json", "protection.json", "transforms.json", "audit.json", "croissant.json"]
    file = out / data.draw(st.sampled_from(names))
    write_json(file, somewhere(json.loads(file.read_text()), data.draw))
    write_sums(out)  # a publisher who writes nonsense, and hashes it
    assert len(verify(out).checks) > 20


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_tables_with_true_checksums_never_break_it(whole: Path, tmp_path: Path, data: st.DataObject) -> None:
    out = tmp_path / "r"
    rmtree(out, ignore_errors=True)
    copytree(whole, out)
    file = out / data.draw(st.sampled_from([PEOPLE, IMAGE]))
    before = bytearray(file.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(before) - 1), min_size=1, max_size=4, unique=True)):
        before[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(before)
    write_sums(out)
    assert not verify(out).holds, "the croissant still has the hash of the whole file"
