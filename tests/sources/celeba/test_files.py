"""CelebA's files: the real formats, on invented pictures; malformed lines by their number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.celeba.made import image_names, write, write_celeba

from personax.errors import InputError, PersonaxError
from personax.sources.celeba import _label_files as files
from personax.sources.celeba._label_files import (
    ATTRIBUTES,
    read_attributes,
    read_boxes,
    read_identities,
    read_landmarks,
    read_names,
    read_partition,
)
from personax.sources.celeba._table import STABLE, TRANSIENT

TWO = ["2", "Smiling Male ", "000001.jpg -1  1", "000002.jpg  1 -1"]


def test_all_files_are_read(tmp_path: Path) -> None:
    labels, owners = write_celeba(tmp_path, 500, 40, rng=np.random.default_rng(1))
    read = read_attributes(tmp_path / "list_attr_celeba.txt")
    assert read.columns == ["image", *ATTRIBUTES]
    assert read["image"].to_list() == image_names(500)
    assert np.array_equal(read.drop("image").to_numpy(), labels)
    assert read_identities(tmp_path / "identity_CelebA.txt")["identity"].to_list() == owners.tolist()
    assert set(read_partition(tmp_path / "list_eval_partition.txt")["partition"]) == {"train", "valid", "test"}
    assert read_landmarks(tmp_path / "list_landmarks_align_celeba.txt").shape == (500, 11)
    assert read_boxes(tmp_path / "list_bbox_celeba.txt").shape == (500, 5)


def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, _ = write_celeba(tmp_path, 100, 10, rng=np.random.default_rng(2))
    for size in (64, 1000, 10**6):
        monkeypatch.setattr(files, "BLOCK", size)
        assert np.array_equal(read_attributes(tmp_path / "list_attr_celeba.txt").drop("image").to_numpy(), labels)
    monkeypatch.setattr(files, "BLOCK", 64)
    lines = (tmp_path / "list_attr_celeba.txt").read_text().splitlines()
    lines[77] = lines[77].replace("-1", "0", 1)
    write(tmp_path / "list_attr_celeba.txt", lines)
    with pytest.raises(InputError, match=r"1 lines cannot be read \(line 78: an attribute is neither 1 nor -1\)"):
        read_attributes(tmp_path / "list_attr_celeba.txt")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_both_forms_and_both_ends_of_lines_are_read(tmp_path: Path, ending: str) -> None:
    csv = ["image_id,Smiling,Male", "000001.jpg,-1,1", "000002.jpg,1,-1"]
    frames = []
    for name, lines in (("a.txt", TWO), ("b.csv", csv)):
        (tmp_path / name).write_bytes(ending.join(lines).encode())  # no newline at the end either
        frames.append(read_attributes(tmp_path / name))
    assert frames[0].equals(frames[1])
    assert frames[0].rows() == [("000001.jpg", -1, 1), ("000002.jpg", 1, -1)]
    write(tmp_path / "i.csv", ["image_id,identity", "000001.jpg,7"])
    assert read_identities(tmp_path / "i.csv").rows() == [("000001.jpg", 7)]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([*TWO[:2], "000001.jpg -1", TWO[3]], r"1 lines cannot be read \(line 3: 2 fields and not 3\)"),
        ([*TWO[:3], "000002.jpg 1 x"], r"line 4: a field is no whole number"),
        ([*TWO[:3], "000002.jpg 1 1 1"], r"line 4: 4 fields and not 3"),
        ([*TWO[:3], "", "000002.jpg 1 0"], r"line 5: an attribute is neither 1 nor -1"),
        ([*TWO[:3], "../x.jpg 1 1"], r"line 4: the image has no plain file name"),
        ([*TWO[:3], "000001.jpg 1 1"], r"2 lines are about an image of another line"),
        (["3", *TWO[1:]], "says that it has 3 images and has 2"),
        (["2", "Smiling Smiling", *TWO[2:]], "no line of attribute names"),
        (["2", "<b> Male", *TWO[2:]], "no line of attribute names"),
        (TWO[1:], "no count of images"),
        (["0", "Smiling Male"], "has no image in it"),
        ([""], "no line of attribute names"),
    ],
)
def test_malformed_attributes_are_named(tmp_path: Path, lines: list[str], text: str) -> None:
    with pytest.raises(InputError, match=text):
        read_attributes(write(tmp_path / "list_attr_celeba.txt", lines))


def test_other_malformed_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2: an identity is negative"):
        read_identities(write(tmp_path / "i.txt", ["000001.jpg 1", "000002.jpg -1"]))
    with pytest.raises(InputError, match="line 1: a partition is not 0, 1 or 2"):
        read_partition(write(tmp_path / "p.txt", ["000001.jpg 3"]))
    with pytest.raises(InputError, match="there is none"):
        read_boxes(tmp_path / "nothing.txt")
    (tmp_path / "long.txt").write_bytes(b"1\nA\n" + b"x" * (5 * 2**20))
    with pytest.raises(InputError, match="line 3: longer than any line"):
        read_attributes(tmp_path / "long.txt")


def test_names_that_somebody_was_given(tmp_path: Path) -> None:
    by_image = ["2", "image_id identity_name", "000001.jpg Ada_Sample", "000002.jpg Bo_van_der_Sample"]
    read = read_names(write(tmp_path / "n.txt", by_image))
    assert read.rows() == [("000001.jpg", "Ada Sample"), ("000002.jpg", "Bo van der Sample")]
    by_identity = read_names(write(tmp_path / "m.csv", ["identity,name", "7,Ada Sample", "8,Bo"]))
    assert by_identity.rows() == [(7, "Ada Sample"), (8, "Bo")]
    with pytest.raises(InputError, match="line 4: not an image or an identity and a name"):
        read_names(write(tmp_path / "b.txt", [*by_image[:3], "???? Bo"]))
    with pytest.raises(InputError, match="names nobody"):
        read_names(write(tmp_path / "e.txt", ["0", "image_id name"]))
    with pytest.raises(InputError, match="it must be either"):
        read_names(write(tmp_path / "x.txt", ["000001.jpg Ada", "7 Ada"]))


def test_every_attribute_is_stable_or_says_why_not() -> None:
    assert len(STABLE) == 11
    assert sorted([*STABLE, *TRANSIENT]) == sorted(ATTRIBUTES)
    assert all(TRANSIENT.values())


READERS = [read_attributes, read_identities, read_partition, read_landmarks, read_boxes, read_names]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(READERS), st.integers(0, 200), st.binary(max_size=12), st.booleans())
def test_no_bytes_escape_as_another_error(tmp_path: Path, reader: object, place: int, data: bytes, whole: bool) -> None:
    good = "\n".join([*TWO, ""]).encode()
    path = tmp_path / "file.txt"
    path.write_bytes(data if whole else good[:place] + data + good[place:])
    try:
        frame = reader(path)  # type: ignore[operator]
    except PersonaxError:
        return
    assert isinstance(frame, pl.DataFrame)
    assert frame.height > 0
    assert frame.null_count().sum_horizontal()[0] == 0
