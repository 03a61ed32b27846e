"""IDX files: read as they are published, refused with a sentence when they are anything else."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from personax.errors import InputError
from personax.simulate._sprites import find_idx, read_idx


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@given(array=hnp.arrays(np.uint8, hnp.array_shapes(max_dims=3, max_side=5)), packed=st.booleans())
def test_what_is_written_is_read(array: np.ndarray, packed: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    np.testing.assert_array_equal(read_idx(path), array)


GOOD = idx(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not an IDX file"),
        (b"\x01" + GOOD[1:], "not an IDX file"),
        (GOOD[:2] + b"\x0d" + GOOD[3:], "type 0x0d"),
        (GOOD[:3] + b"\x00", "0 dimensions"),
        (GOOD[:3] + b"\xff" + GOOD[4:], "255 dimensions"),
        (GOOD[:9], "ends within its header"),
        (GOOD[:-1], "announces 12 bytes and holds only 11"),
        (GOOD + b"\0", "announces 12 bytes and holds more"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "more than the"),
        (gzip.compress(GOOD, mtime=0)[:-9], "cannot read"),
        (gzip.compress(GOOD, mtime=0)[:10] + b"\xff" * 20, "cannot read"),
        (gzip.compress(GOOD[:-1], mtime=0), "holds only 11"),
        (gzip.compress(GOOD + bytes(1 << 22), mtime=0), "holds more"),
    ],
)
def test_a_bad_file_is_one_sentence(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_idx(path)


@given(content=st.binary(max_size=40), packed=st.booleans(), header=st.booleans())
def test_no_bytes_end_in_another_error(
    content: bytes, packed: bool, header: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = (b"\0\0\x08" + content) if header else content
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(b"\x1f\x8b" + content if packed else content)
    try:
        array = read_idx(path)
    except InputError:
        return
    assert idx(array) == content


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*nothing"):
        read_idx(tmp_path / "nothing")


@pytest.mark.parametrize("below", ["", "raw", "MNIST/raw"])
@pytest.mark.parametrize("dash", ["-", "."])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_downloads_are_found_however_they_are_spelt(below: str, dash: str, end: str, tmp_path: Path) -> None:
    folder = tmp_path / below
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = folder / f"t10k-images{dash}idx3-ubyte{end}", folder / f"t10k-labels{dash}idx1-ubyte{end}"
    images.touch()
    labels.touch()
    assert (find_idx(tmp_path, "images"), find_idx(tmp_path, "labels")) == (images, labels)


def test_images_and_labels_are_of_one_set(tmp_path: Path) -> None:
    """Training images without labels do not go with the test set's labels."""
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / name).touch()
    assert find_idx(tmp_path, "images").name == "t10k-images-idx3-ubyte"
    (tmp_path / "train-labels-idx1-ubyte").touch()
    assert find_idx(tmp_path, "images").name == "train-images-idx3-ubyte"


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no labels .* put t10k-labels-idx1-ubyte\.gz there"):
        find_idx(tmp_path, "labels")
