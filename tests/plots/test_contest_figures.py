"""Figures of Level II against a truth: what is drawn is what was given, number by number."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import matplotlib.colors
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Text
from PIL import Image

from personax.errors import InputError
from personax.plots import adjacency_pair, latent_scatter, save, scores_by_method, training_curves
from personax.plots._adjacency import MISSING, SURPLUS
from personax.plots._style import limits


def words(figure: Figure) -> str:
    """Return all that stands on the page around the panels."""
    legend = [text for box in figure.legends for text in box.get_texts()]
    return " ".join(text.get_text().replace("\n", " ") for text in (*figure.texts, *legend))


def points(axes: Axes, at: int = 0) -> np.ndarray:
    dots = axes.collections[at]
    assert isinstance(dots, PathCollection)
    return np.asarray(dots.get_offsets())


def scatter_of(n: int, d: int, k: int) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, float]]]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, k))
    z = np.column_stack([(-1) ** i * x[:, (i + 1) % k] ** 3 for i in range(d)]) + 0.1 * rng.normal(size=(n, d))
    return z, x, [(i, (i + 1) % k, 1.0) for i in range(min(d, k))]


def thick(axes: Axes) -> bool:
    return axes.spines["top"].get_linewidth() > 1


def test_points_are_the_data_in_the_order_of_the_assignment() -> None:
    z, x, pairs = scatter_of(50, 3, 3)
    figure = latent_scatter(z, x, pairs, names=["a_1", "a_2", "b_1"], learned_names=["l0", "l1", "l2"])
    panels = figure.axes
    assert len(panels) == 9
    for place, axes in enumerate(panels):
        row, column = divmod(place, 3)
        learned = [2, 0, 1][row]
        assert points(axes) == pytest.approx(np.column_stack([x[:, column], z[:, learned]]))
        expected = np.corrcoef(x[:, column], z[:, learned])[0, 1]
        assert float(axes.texts[0].get_text()) == pytest.approx(expected, abs=0.0051)
        assert thick(axes) == (row == column)
        assert (axes.texts[0].get_fontweight() == "bold") == (row == column)
    assert [axes.get_ylabel() for axes in panels[::3]] == ["l2", "l0", "l1"]
    assert "n = 50." in words(figure)
    assert "without a partner" not in words(figure)


def test_every_point_and_its_correlation_lie_inside_the_panel() -> None:
    z, x, pairs = scatter_of(200, 2, 2)
    for axes in latent_scatter(z, x, pairs, names=["a", "b"]).axes:
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        seen = points(axes)
        assert left < seen[:, 0].min()
        assert seen[:, 0].max() < right
        assert low < seen[:, 1].min()
        assert seen[:, 1].max() < high - 0.2 * (high - low), "no room for the correlation"


def test_latents_without_a_partner_come_last() -> None:
    z, x, pairs = scatter_of(60, 3, 2)
    figure = latent_scatter(z, x, pairs[1:], names=["a", "b"], learned_names=["p", "q", "r"])
    assert [thick(axes) for axes in figure.axes] == [True, False, False, False, False, False]
    assert points(figure.axes[0])[:, 1] == pytest.approx(z[:, 1])
    assert "Learned latents without a partner come last." in words(figure)


def test_a_constant_latent_has_no_correlation() -> None:
    x = np.random.default_rng(0).normal(size=(30, 1))
    figure = latent_scatter(np.zeros((30, 1)), x, [(0, 0, 0.0)], names=["a"])
    assert figure.axes[0].texts[0].get_text() == "–"


def test_too_many_latents_are_said_to_be_left_out() -> None:
    z, x, pairs = scatter_of(20, 14, 14)
    figure = latent_scatter(z, x, pairs, names=[f"a_{j}" for j in range(14)])
    assert len(figure.axes) == 144
    assert [thick(axes) for axes in figure.axes] == np.eye(12, dtype=bool).ravel().tolist()
    assert "The first 12 true latents of 14 are shown." in words(figure)


@pytest.mark.parametrize(
    ("z", "x", "names", "why"),
    [
        ([[1.0]], [[1.0], [2.0]], ["a"], "1 people with learned latents and 2"),
        ([[np.nan]], [[1.0]], ["a"], "the learned latents"),
        ([[1.0]], [[1.0]], ["a", "b"], "names do not fit"),
    ],
)
def test_latents_that_cannot_be_drawn(z: list[list[float]], x: list[list[float]], names: list[str], why: str) -> None:
    with pytest.raises(InputError, match=why):
        latent_scatter(z, x, [(0, 0, 1.0)], names=names)


def shapes(figure: Figure) -> list[Patch]:
    return [artist for artist in figure.axes[0].get_children() if isinstance(artist, Patch)]


def outlined(figure: Figure) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Return (row, column) of the outlines of surplus and of missing edges, read off their places on the page."""
    found: tuple[set[tuple[int, int]], set[tuple[int, int]]] = (set(), set())
    wrong = matplotlib.colors.to_rgba(SURPLUS["edgecolor"])
    for patch in shapes(figure):
        if isinstance(patch, Rectangle) and patch.get_edgecolor() == wrong:
            place = (round(patch.get_y() + 0.43), round(patch.get_x() + 0.43))
            found[patch.get_linestyle() not in ("-", "solid")].add(place)
    return found


SURE = np.array([[0, 0.1, 0.6], [0.9, 0, 0], [0, 0.55, 0]])
TRUE = np.array([[0, 0, 0], [1, 0, 1], [1, 0, 0]])
NAMES = ["a_1", "a_2", "b_1"]


def test_wrong_edges_are_outlined_and_certainties_written() -> None:
    figure = adjacency_pair(SURE, TRUE, names=NAMES, groups=["a", "a", "b"])
    assert outlined(figure) == ({(0, 2), (2, 1)}, {(1, 2), (2, 0)})
    shown = [t.get_text() for t in figure.axes[0].texts]
    assert sorted(t for t in shown if t.startswith(".")) == [".00", ".00", ".10", ".55", ".60", ".90"]
    # 0 <- 2 is learned and 2 <- 0 is true: one reversed edge; 2 <- 1 and 1 <- 2 are another.
    assert "Structural Hamming distance 2, 2 of it between groups" in words(figure)
    assert "learned and not true" in words(figure)
    assert "true and not learned" in words(figure)
    assert MISSING["linestyle"] != "-"


def test_a_right_graph_has_no_outlines() -> None:
    figure = adjacency_pair(TRUE, TRUE, names=NAMES)
    assert outlined(figure) == (set(), set())
    assert "Structural Hamming distance 0:" in words(figure)
    assert "not true" not in words(figure)


@pytest.mark.parametrize(("i", "j"), [(1, 0), (0, 1)])
def test_an_edge_alone_counts_above_and_below_the_diagonal(i: int, j: int) -> None:
    one = np.zeros((2, 2))
    one[i, j] = 1
    for sure, true in ((one, 0 * one), (0 * one, one), (one, one.T)):
        assert "distance 1:" in words(adjacency_pair(sure, true, names=["a_1", "b_1"]))


def test_the_threshold_decides_what_is_learned() -> None:
    assert (0, 2) not in outlined(adjacency_pair(SURE, TRUE, names=NAMES, threshold=0.6))[0]
    assert (0, 1) in outlined(adjacency_pair(SURE, TRUE, names=NAMES, threshold=0.05))[0]


def test_latents_without_a_partner_are_hatched_and_their_edges_missing() -> None:
    sure = SURE.copy()
    sure[2], sure[:, 2] = np.nan, np.nan
    figure = adjacency_pair(sure, TRUE, names=NAMES)
    assert outlined(figure) == (set(), {(1, 2), (2, 0)})
    hatched = [p for p in shapes(figure) if p.get_hatch()]
    assert len(hatched) == 4
    assert "a latent without a learned partner" in words(figure)


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(0, 10_000))
def test_outlines_are_the_differences(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sure, true = rng.random((k, k)), rng.random((k, k)) < 0.5
    surplus, missing = outlined(adjacency_pair(sure, true, names=[f"a_{j + 1}" for j in range(k)]))
    off = ~np.eye(k, dtype=bool)
    assert surplus == set(zip(*(at.tolist() for at in np.nonzero((sure > 0.5) & ~true & off)), strict=True))
    assert missing == set(zip(*(at.tolist() for at in np.nonzero((sure <= 0.5) & true & off)), strict=True))


@pytest.mark.parametrize(
    ("sure", "names", "groups", "why"),
    [
        ([[0, 2.0], [0, 0]], ["a", "b"], None, "from 0 to 1"),
        ([[0, 1.0]], ["a", "b"], None, "has shape"),
        ([[0, 1.0], [0, 0]], ["a", "b"], ["a"], "1 groups"),
    ],
)
def test_graphs_that_cannot_be_drawn(
    sure: list[list[float]], names: list[str], groups: list[str] | None, why: str
) -> None:
    with pytest.raises(InputError, match=why):
        adjacency_pair(sure, np.zeros((2, 2)), names=names, groups=groups)


HISTORIES: dict[str, dict[int, dict[str, list[float]]]] = {
    "ours": {
        3: {"epoch": [1, 2, 3], "training": [9.0, 5.0, 4.0], "validation": [8.0, 4.5, 6.0], "sparsity": [1, 1, 1]},
        4: {"epoch": [1, 2], "training": [10.0, 7.0], "validation": [9.0, 5.0]},
    },
    "other": {3: {"epoch": [1, 2, 3], "validation": [-200.0, -300.0, -100.0]}},
    "closed": {},
}


def drawn(axes: Axes) -> list[list[list[float]]]:
    return [np.asarray(line.get_xydata()).tolist() for line in axes.lines]


def test_curves_are_the_histories_and_the_best_epoch_is_marked() -> None:
    figure = training_curves(HISTORIES)
    ours, other = figure.axes
    assert drawn(ours) == [
        [[1, 9], [2, 5], [3, 4]],
        [[1, 8], [2, 4.5], [3, 6]],
        [[2, 4.5]],
        [[1, 10], [2, 7]],
        [[1, 9], [2, 5]],
        [[2, 5]],
    ]
    assert drawn(other) == [[[1, -200], [2, -300], [3, -100]], [[2, -300]]]
    colours = [line.get_color() for line in ours.lines]
    assert len(set(colours[:3])) == 1
    assert len(set(colours[3:])) == 1
    assert colours[0] != colours[3], "one colour a seed"
    assert colours[0] == other.lines[0].get_color(), "and the same everywhere"
    styles = [line.get_linestyle() for line in ours.lines[:2]]
    assert styles[0] != styles[1]
    assert {"1", "2", "3"} <= {text.get_text().strip("\u2212") for text in ours.get_xticklabels()}
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["ours", "other"]
    assert "seed 3 seed 4" in words(figure)
    assert "closed" not in words(figure)
    assert "Of other only validation is noted." in words(figure)


def test_more_seeds_than_colours_is_said() -> None:
    run: dict[str, list[float]] = {"epoch": [1, 2], "validation": [2.0, 1.0]}
    assert "8 seeds, colours repeat" in words(training_curves({"ours": dict.fromkeys(range(8), run)}))


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ({"epoch": [1]}, "no validation"),
        ({"epoch": [1], "validation": [1.0, 2.0]}, "one finite number"),
        ({"epoch": [1], "validation": [np.nan]}, "one finite number"),
        ({"epoch": [], "validation": []}, "one finite number"),
    ],
)
def test_histories_that_cannot_be_drawn(history: dict[str, list[float]], why: str) -> None:
    with pytest.raises(InputError, match=why):
        training_curves({"ours": {0: history}})
    with pytest.raises(InputError, match="no training history"):
        training_curves({"ours": {}})


FLOOR = "floor: nothing is told apart"


def scores() -> pl.DataFrame:
    values: dict[tuple[str, str], list[float | None]] = {
        ("ours", "r2"): [0.5, 0.7, 0.9],
        ("theirs", "r2"): [-0.4, None, 0.2],
        ("failed", "r2"): [None, None, None],
        (FLOOR, "r2"): [0.3, 0.6, 0.3],
        ("ours", "shd"): [2.0, 3.0, 1.0],
        ("theirs", "shd"): [None, None, None],
        ("failed", "shd"): [None, None, None],
    }
    return pl.DataFrame(
        [
            {"seed": seed, "method": method, "metric": metric, "value": value}
            for (method, metric), own in values.items()
            for seed, value in enumerate(own)
        ]
    )


def test_dots_are_the_scores_and_the_mean_stands_among_them() -> None:
    figure = scores_by_method(scores(), methods=["ours", "theirs", "failed"], floors=[FLOOR], metrics=["r2", "shd"])
    r2, shd = figure.axes
    dots = [points(r2, at) for at in range(4)]
    assert dots[0].tolist() == [[0.5, 0], [0.7, 0], [0.9, 0]]
    assert dots[1] == pytest.approx(np.array([[0.7, 0.0]]))
    assert dots[2].tolist() == [[-0.4, 1], [0.2, 1]]
    assert dots[3] == pytest.approx(np.array([[-0.1, 1.0]]))
    assert len(r2.collections) == 4
    assert [text.get_text() for text in r2.texts] == ["2 of 3", "none"]
    assert points(shd).tolist() == [[2, 0], [3, 0], [1, 0]]
    assert [text.get_text() for text in shd.texts] == ["none", "none"]
    assert r2.get_ylim() == (2.5, -0.5), "the first method on top"


def test_a_floor_is_a_band_with_its_mean() -> None:
    figure = scores_by_method(scores(), methods=["ours"], floors=[FLOOR], metrics=["r2", "shd"])
    (band,) = (patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle))
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((0.3, 0.6))
    (line,) = figure.axes[0].lines
    assert isinstance(line, Line2D)
    assert np.asarray(line.get_xdata()) == pytest.approx([0.4, 0.4])
    assert not figure.axes[1].patches, "no floor of a metric without one"
    assert FLOOR in words(figure)


def test_scales_reach_from_nothing_to_all_there_is() -> None:
    low, high = scores_by_method(scores(), methods=["ours"], metrics=["r2"]).axes[0].get_xlim()
    assert low < 0 < 1 < high
    assert scores_by_method(scores(), methods=["theirs"], metrics=["r2"]).axes[0].get_xlim()[0] < -0.4


def test_scores_that_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="no column value"):
        scores_by_method(scores().drop("value"), methods=["ours"])
    with pytest.raises(InputError, match="no methods"):
        scores_by_method(scores(), methods=[])


LONG = [f"a_rather_long_name_of_{j}" for j in range(1, 4)]
FIGURES = {
    "latents": lambda: latent_scatter(*scatter_of(100, 3, 3), names=LONG, learned_names=LONG, title="ours, seed 0"),
    "small latents": lambda: latent_scatter(*scatter_of(100, 1, 1), names=["$a$"], title="a longer title " * 4),
    "graph": lambda: adjacency_pair(SURE, TRUE, names=LONG, groups=["a", "a", "b"], title="ours, seed 0"),
    "small graph": lambda: adjacency_pair([[0]], [[0]], names=["a"]),
    "training": lambda: training_curves(HISTORIES),
    "many trainings": lambda: training_curves({f"method {i}": HISTORIES["ours"] for i in range(5)}),
    "scores": lambda: scores_by_method(scores(), methods=["ours", "theirs", "failed"], floors=[FLOOR]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_files_repeat_and_nothing_is_cut(name: str, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("1.svg", "1.png", "2.svg", "2.png")]
    save(FIGURES[name](), *files[:2])
    save(FIGURES[name](), *files[2:])
    assert files[0].read_bytes() == files[2].read_bytes()
    assert files[1].read_bytes() == files[3].read_bytes()
    ElementTree.parse(files[0])
    with Image.open(files[1]) as image:
        shades = np.asarray(image.convert("L"))
    assert 0.002 < (shades < 250).mean() < 0.9
    rim = np.concatenate([shades[:8].ravel(), shades[-8:].ravel(), shades[:, :8].ravel(), shades[:, -8:].ravel()])
    assert rim.min() == 255, "something is cut at the rim"


def ticks(axes: Axes) -> list[Text]:
    """Return the numbers and names along both axes that are in view."""
    (left, right), (low, high) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    along = [label for label in axes.get_xticklabels() if left <= label.get_position()[0] <= right]
    return along + [label for label in axes.get_yticklabels() if low <= label.get_position()[1] <= high]


@pytest.mark.parametrize("name", FIGURES)
def test_no_words_lie_on_other_words(name: str) -> None:
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    around = [*figure.texts, *(text for box in figure.legends for text in box.get_texts())]
    inside = [[*axes.texts, *ticks(axes), axes.title, axes.xaxis.label] for axes in figure.axes]
    texts = [text for part in (around, *inside) for text in part]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts if t.get_text().strip()]
    assert boxes
    for at, (word, box) in enumerate(boxes):
        for other, second in boxes[:at]:
            assert not box.padded(-2).overlaps(second.padded(-2)), f"{word} lies on {other}"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_limits_leave_room_around_values(values: list[float]) -> None:
    low, high = limits(values)
    assert low < min(values) <= max(values) < high
