"""Variant MNIST: pictures show their latents, continuously and inside the frame, whatever is drawn in them."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from personax.errors import InputError
from personax.simulate import LatentData, variant_mnist
from personax.simulate._sprites import FRAME, SPRITE, digit_sprites, place, shoe_sprites
from personax.simulate._variant_mnist import GRAPH

DATA = Path(__file__).parents[3] / "shared" / "data"
COLOURS = ("red", "green", "blue")
Array = NDArray[np.float64]


def drawn(seed: int = 0, **changed: Any) -> LatentData:
    return variant_mnist(rng=np.random.default_rng(seed), **({"n": 300} | changed))


def lit(data: LatentData, colour: str) -> Array:
    """Return the channel of a colour's pictures that is lit."""
    pictures = data.views["digit"][colour].reshape(-1, *data.image["digit"])
    dark = np.delete(pictures, COLOURS.index(colour), axis=1)
    assert not dark.any()
    return pictures[:, COLOURS.index(colour)].astype(float)


def shoes(data: LatentData) -> Array:
    return data.views["clothing"]["grey"].reshape(-1, *data.image["clothing"][1:]).astype(float)


def centre(pictures: Array, axis: int) -> Array:
    mass = pictures.sum(axis=3 - axis)
    centres: Array = (mass * np.arange(mass.shape[1])).sum(axis=1) / mass.sum(axis=1)
    return centres


def rank_correlation(first: Array, second: Array) -> float:
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


@pytest.mark.parametrize("size", [14, 28])
def test_shapes_and_names(size: int) -> None:
    data = drawn(size=size, n=7)
    assert data.names == ["digit_1", "digit_2", "clothing_1", "clothing_2"]
    assert data.counts == {"digit": 2, "clothing": 2}
    assert data.image == {"digit": (3, size, size), "clothing": (1, size, size)}
    assert list(data.views["digit"]) == list(COLOURS)
    assert data.views["digit"]["blue"].shape == (7, 3 * size**2)
    assert data.views["clothing"]["grey"].shape == (7, size**2)
    for m, by in data.views.items():
        for k, x in by.items():
            assert x.dtype == np.float32
            assert 0 <= x.min() < x.max() <= 1
            assert data.eta[m][k].shape == (7, 0)


@pytest.mark.parametrize("size", [14, 28])
def test_pictures_show_the_latents_by_the_documented_maps(size: int) -> None:
    """With one digit and one shoe, place and brightness are functions of the latents: exact, but for blocks of four."""
    data = drawn(size=size)
    t = np.tanh(data.latents / 2)
    scale = FRAME // size
    for pictures, axis, first in ((lit(data, "red"), 2, 0), (shoes(data), 1, 2)):
        moved = centre(pictures, axis) - 7 * t[:, first] / scale
        np.testing.assert_allclose(moved, moved[0], atol=1e-4 if size == FRAME else 0.1)
        bright = pictures.sum(axis=(1, 2)) / (0.6 + 0.4 * t[:, first + 1])
        np.testing.assert_allclose(bright, bright[0], rtol=1e-5)
        across = centre(pictures, 3 - axis)
        np.testing.assert_allclose(across, across[0], atol=1e-4)


@pytest.mark.parametrize("axis", [1, 2])
def test_no_mass_is_lost_between_or_at_the_edges(axis: int) -> None:
    sprite = np.random.default_rng(0).random((1, SPRITE, SPRITE)).astype(np.float32)
    offset = np.r_[np.linspace(0, 14, 200), 1e-9, 14 - 1e-9, 14.0]
    frames = place(np.repeat(sprite, len(offset), axis=0), offset, axis=axis)
    np.testing.assert_allclose(frames.sum(axis=(1, 2)), sprite.sum(), rtol=1e-5)


def test_whole_offsets_are_slices() -> None:
    sprite = np.random.default_rng(0).random((15, SPRITE, SPRITE)).astype(np.float32)
    right = place(sprite, np.arange(15.0), axis=2)
    down = place(sprite, np.arange(15.0), axis=1)
    for k in range(15):
        np.testing.assert_array_equal(right[k, 7:21, k : k + 14], sprite[k])
        np.testing.assert_array_equal(down[k, k : k + 14, 7:21], sprite[k])


@pytest.mark.parametrize("axis", [1, 2])
def test_pictures_are_a_lipschitz_function_of_the_place(axis: int) -> None:
    """A small step changes the picture in proportion: neither jumps nor standstill."""
    sprite = digit_sprites(None)[0][[5]]
    at = np.linspace(0.01, 13.9, 400)
    start = place(np.repeat(sprite, 400, axis=0), at, axis=axis)
    for step in (1e-1, 1e-2, 1e-3):
        moved = place(np.repeat(sprite, 400, axis=0), at + step, axis=axis)
        change = np.abs(moved - start).sum(axis=(1, 2)) / step
        assert change.max() / change.min() < 2.5
        assert change.max() < 2.1 * sprite.sum()


def test_fixed_instances_are_one_digit_in_three_colours() -> None:
    data = drawn()
    np.testing.assert_array_equal(lit(data, "red"), lit(data, "blue"))
    straight = lit(drawn(noise_scale=1.0), "red")
    np.testing.assert_array_equal(straight, lit(data, "green"))


def shape_of(pictures: Array) -> Array:
    """Return heights of the ink, which neither a horizontal place nor brightness changes."""
    heights: Array = pictures.sum(axis=2) / pictures.sum(axis=(1, 2))[:, None]
    return heights


def test_instances_differ_where_they_should() -> None:
    fixed, shared, random = (drawn(instances=kind) for kind in ("fixed", "shared", "random"))
    np.testing.assert_allclose(shape_of(lit(fixed, "red")), shape_of(lit(fixed, "red"))[[0] * 300], atol=1e-5)
    assert shape_of(lit(shared, "red")).std(axis=0).max() > 0.01
    np.testing.assert_array_equal(lit(shared, "red"), lit(shared, "green"))
    same = [np.allclose(a, b, atol=1e-6) for a, b in zip(lit(random, "red"), lit(random, "green"), strict=True)]
    assert np.mean(same) < 0.05
    np.testing.assert_array_equal(fixed.latents, random.latents)
    assert len(np.unique(shoes(shared).sum(axis=(1, 2)) / shoes(fixed).sum(axis=(1, 2)))) > 5


@pytest.mark.parametrize("instances", ["shared", "random"])
def test_latents_can_be_read_whatever_the_instance(instances: str) -> None:
    data = drawn(instances=instances, n=2000)
    assert rank_correlation(centre(lit(data, "red"), 2), data.latents[:, 0]) > 0.9
    assert rank_correlation(centre(shoes(data), 1), data.latents[:, 2]) > 0.9
    assert rank_correlation(lit(data, "red").max(axis=(1, 2)), data.latents[:, 1]) > 0.6
    assert rank_correlation(shoes(data).max(axis=(1, 2)), data.latents[:, 3]) > 0.6


@pytest.mark.parametrize("instances", ["fixed", "shared", "random"])
def test_the_same_people_from_the_same_seed_however_many(instances: str) -> None:
    few, many = drawn(instances=instances, n=10), drawn(instances=instances, n=100)
    np.testing.assert_allclose(few.latents, many.latents[:10], atol=1e-12)
    np.testing.assert_allclose(lit(few, "blue"), lit(many, "blue")[:10], atol=1e-6)
    np.testing.assert_allclose(shoes(few), shoes(many)[:10], atol=1e-6)
    assert np.abs(drawn(1, n=10).latents - few.latents).max() > 0.1


def test_the_default_graph_is_the_published_one() -> None:
    """d-separation in the linear model: no link from the digit's transparency or to it but from its place."""
    data = drawn(n=30_000, mechanism="linear")
    np.testing.assert_array_equal(data.adjacency, GRAPH)
    r: Array = np.asarray(np.corrcoef(data.latents.T))
    assert r[1, 2] == pytest.approx(r[0, 1] * r[0, 2], abs=0.02)
    assert r[0, 3] == pytest.approx(r[0, 2] * r[2, 3], abs=0.02)
    assert r[1, 3] == pytest.approx(r[0, 1] * r[0, 2] * r[2, 3], abs=0.02)
    np.testing.assert_allclose(np.abs(r[[0, 0, 2], [1, 2, 3]]), np.sqrt(0.5), atol=0.02)


def test_another_graph() -> None:
    graph = np.zeros((4, 4), dtype=bool)
    graph[0, 3] = graph[2, 1] = True
    data = drawn(n=20_000, graph=graph, mechanism="linear")
    r: Array = np.abs(np.asarray(np.corrcoef(data.latents.T)))
    assert min(r[0, 3], r[1, 2]) > 0.65
    assert max(r[0, 1], r[0, 2], r[1, 3], r[2, 3]) < 0.03


def test_pixel_noise() -> None:
    clean, noisy = drawn(), drawn(pixel_noise=0.1)
    np.testing.assert_array_equal(clean.latents, noisy.latents)
    x, y = clean.views["clothing"]["grey"], noisy.views["clothing"]["grey"]
    inner = (x > 0.4) & (x < 0.6)
    assert (y - x)[inner].std() == pytest.approx(0.1, rel=0.1)
    assert y.min() >= 0


def test_a_background_is_the_same_for_everybody_and_dims_what_is_before_it() -> None:
    clean, behind = drawn(), drawn(background=0.3)
    np.testing.assert_array_equal(clean.latents, behind.latents)
    rooms = []
    for m, by in behind.views.items():
        for k, pictures in by.items():
            room = pictures - 0.7 * clean.views[m][k]
            np.testing.assert_allclose(room, np.broadcast_to(room[0], room.shape), atol=1e-6)
            assert 0 <= room[0].min() < 1e-6
            np.testing.assert_allclose(room[0].max(), 0.3, atol=1e-6)
            rooms.append(room[0])
    assert np.abs(rooms[0] - rooms[1]).max() > 0.01


def test_stand_ins_are_named() -> None:
    assert drawn(n=2).source.count("stand-in") == 2
    digits, _ = digit_sprites(None)
    drawings, _ = shoe_sprites(None)
    assert digits.shape == (1797, 14, 14)
    assert len(np.unique(drawings.reshape(len(drawings), -1), axis=0)) == 24
    assert 0 <= min(digits.min(), drawings.min()) < max(digits.max(), drawings.max()) <= 1


def write(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Path:
    folder.mkdir()
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (folder / f"train-{name}-ubyte").write_bytes(header + array.tobytes())
    return folder


def test_a_download_is_used(tmp_path: Path) -> None:
    """One white square in a corner becomes the digit, in the middle; one white shoe among bags becomes the shoe."""
    images = np.zeros((3, 28, 28), dtype=np.uint8)
    images[1, 12:16, 9:13] = 255
    images[2] = 255
    folder = write(tmp_path / "both", images, np.array([9, 9, 8], dtype=np.uint8))
    shoe, text = shoe_sprites(folder)
    assert len(shoe) == 1
    assert text == "1 Fashion-MNIST shoes"
    assert shoe[0].sum() == pytest.approx(4, rel=1e-3)  # a quarter of 16 pixels
    images[2] = 0
    digit, _ = digit_sprites(write(tmp_path / "digits", images, np.zeros(3, dtype=np.uint8)))
    assert len(digit) == 1
    assert centre(digit.astype(float), 1)[0] == pytest.approx(6.5, abs=1e-4)
    assert centre(digit.astype(float), 2)[0] == pytest.approx(6.5, abs=1e-4)
    assert digit.max() > 0.9


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.ones((2, 9, 9), np.uint8), np.array([5, 7], np.uint8), "images of 28 x 28 pixels"),
        (np.ones((2, 28, 28), np.uint8), np.array([5], np.uint8), "2 images and 1 labels"),
        (np.ones((2, 28, 28), np.uint8), np.array([0, 1], np.uint8), "no sandals"),
        (np.zeros((2, 28, 28), np.uint8), np.array([5, 7], np.uint8), "images of 28 x 28 pixels"),
    ],
)
def test_a_bad_download_is_one_sentence(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        drawn(n=2, clothes=write(tmp_path / "bad", images, labels))


@pytest.mark.skipif(not (DATA / "mnist").is_dir(), reason="needs MNIST and Fashion-MNIST in ../shared/data")
def test_real_pictures() -> None:
    digits, text = digit_sprites(DATA / "mnist")
    assert (digits.shape, text) == ((10_000, 14, 14), "10000 MNIST digits")
    raw = 14 * 14 * digits.mean()
    assert raw == pytest.approx(28 * 28 * 0.1325 * 0.7**2, rel=0.03)  # the test set's mean pixel, by area
    data = drawn(n=1500, digits=DATA / "mnist", clothes=DATA / "fashion", instances="random")
    assert "stand-in" not in data.source
    assert rank_correlation(centre(lit(data, "green"), 2), data.latents[:, 0]) > 0.9
    assert rank_correlation(centre(shoes(data), 1), data.latents[:, 2]) > 0.9


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"n": 0}, "at least one person"),
        ({"size": 20}, "size must be"),
        ({"instances": "none"}, "instances must be"),
        ({"pixel_noise": -1.0}, "pixel_noise"),
        ({"background": 1.0}, "background"),
        ({"background": float("nan")}, "background"),
        ({"graph": np.zeros((3, 3), dtype=bool)}, "4 x 4"),
        ({"graph": np.ones((4, 4), dtype=bool)}, "4 x 4"),
        ({"graph": GRAPH | GRAPH.T}, "without cycles"),
    ],
)
def test_bad_arguments(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        drawn(**changed)


def test_importing_the_room_imports_neither_scikit_learn_nor_torch() -> None:
    script = (
        "import sys, personax.simulate; print([m for m in ('sklearn', 'torch', 'scipy.stats') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
