"""Traversals are drawn as they are given: images in order, counts below, names beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install personax[figures]")

from personax.errors import InputError
from personax.plots import latent_traversals


def test_rows_are_latents_and_columns_places() -> None:
    grey, colour = np.random.default_rng(0).random((3, 1, 4, 5)), np.random.default_rng(1).random((3, 3, 4, 5))
    figure = latent_traversals({"a_1": grey, "b_1": colour}, {"a_1": [5, 1200, 0], "b_1": [1, 2, 3]}, title="ours")
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 6
    first = np.asarray(panels[0].images[0].get_array())
    np.testing.assert_allclose(first, (grey[0, 0] - grey.min()) / np.ptp(grey))
    assert np.asarray(panels[3].images[0].get_array()).shape == (4, 5, 3)
    assert [axes.get_xlabel() for axes in panels[:3]] == ["5", "1,200", "0"]
    assert [panels[0].get_ylabel(), panels[3].get_ylabel(), figure.texts[0].get_text()] == ["a_1", "b_1", "ours"]


@pytest.mark.parametrize(
    ("images", "people", "said"),
    [
        ({}, {}, "at least one latent"),
        ({"a": np.zeros((2, 2, 4, 4))}, {"a": [1, 2]}, "1 or 3, height, width"),
        ({"a": np.full((2, 1, 4, 4), np.nan)}, {"a": [1, 2]}, "none missing"),
        ({"a": np.zeros((2, 1, 4, 4))}, {"a": [1]}, "2 images and counts of people for 1"),
        ({"a": np.zeros((2, 1, 4, 4)), "b": np.zeros((3, 1, 4, 4))}, {"a": [1, 2], "b": [1, 2, 3]}, "as many of each"),
    ],
)
def test_bad_input(images: Any, people: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        latent_traversals(images, people)
