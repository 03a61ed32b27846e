"""The heatmap for papers: what is on it, that it says what it leaves out, that its bytes are always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from PIL import Image

from personax.errors import InputError
from personax.independence import dependence_graph, screen
from personax.plots import heatmap, save
from personax.plots._heatmap import read_pvalues


def row(feature: str, target: str, p: float | None, **values: Any) -> dict[str, Any]:
    known = {
        "feature": feature,
        "target": target,
        "test": "kci",
        "n": 100,
        "p_value": p,
        "p_corrected": p,
        "effect_size": None if p is None else 0.21,
        "effect_name": None if p is None else "kernel correlation",
        "rejected": None if p is None else p < 0.05,
        "reason": "too few rows" if p is None else None,
    }
    return known | values


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)


def grid(features: int, targets: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    p = rng.random((features, targets)) ** 8
    return table(*(row(f"f{i}", f"t{j}", float(p[i, j])) for i in range(features) for j in range(targets)))


def texts(figure: Figure) -> list[str]:
    """Return what is written, a caption as one line."""
    inside = [
        t for axes in figure.axes for t in [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels(), axes.title]
    ]
    left = [axes.get_title(loc="left") for axes in figure.axes]
    return [text.get_text().replace("\n", " ") for text in (*inside, *figure.texts)] + left


def caption(figure: Figure) -> str:
    return texts(figure)[-len(figure.axes) - 1]


def written(figure: Figure, folder: Path) -> tuple[str, ElementTree.Element]:
    save(figure, folder / "a.svg")
    text = (folder / "a.svg").read_text(encoding="utf-8")
    return text, ElementTree.fromstring(text)


def test_an_svg_holds_names_stars_values_and_hatches(tmp_path: Path) -> None:
    pvalues = table(
        row("height", "final_o", 0.0005, effect_size=0.314),
        row("a & <b>", "final_o", 0.005),
        row("$x$ $y$", "final_o", 0.03),
        row("kept", "final_o", 0.5, effect_size=0.0),
        row("two\nlines", "final_o", None),
    )
    figure = heatmap(pvalues, "kci")
    text, root = written(figure, tmp_path)
    shown = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"height", "a & <b>", "$x$ $y$", "kept", "two lines", "***", "**", "*", "O", ".31", ".00"} <= shown
    assert "hatched: no p-value, not tested (1 of 5 pairs)" in caption(figure)
    assert "<pattern" in text


def test_without_gaps_nothing_is_hatched(tmp_path: Path) -> None:
    text, _ = written(heatmap(table(row("a", "final_o", 0.5)), "kci"), tmp_path)
    assert "<pattern" not in text
    assert "not tested" not in text
    assert "independence rejected" not in text


def test_a_pair_without_a_row_is_a_gap_too() -> None:
    figure = heatmap(table(row("a", "x", 0.5), row("b", "y", 0.5)), "kci")
    assert "no p-value, not tested (2 of 4 pairs)" in caption(figure)


@pytest.mark.parametrize(("features", "targets"), [(1, 1), (60, 25), (3, 40)])
def test_every_size_renders(features: int, targets: int, tmp_path: Path) -> None:
    figure = heatmap(grid(features, targets), "kci")
    save(figure, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        shades = np.asarray(image.convert("L"))
    assert 0.005 < (shades < 250).mean() < 0.9
    rim = np.concatenate([shades[:8].ravel(), shades[-8:].ravel(), shades[:, :8].ravel(), shades[:, -8:].ravel()])
    assert rim.min() == 255, "something is cut at the rim"


def test_size_grows_with_the_table_and_letters_do_not_shrink() -> None:
    small, large = heatmap(grid(2, 2), "kci"), heatmap(grid(60, 25), "kci")
    assert (large.get_size_inches() > 2 * small.get_size_inches()).all()
    assert min(float(text.get_fontsize()) for axes in large.axes for text in axes.texts) >= 7


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    pvalues = table(row("a", "final_o", 0.001), row("b", "final_o", None))
    files = [tmp_path / name for name in ("1.svg", "1.png", "2.svg", "2.png")]
    save(heatmap(pvalues, "kci"), *files[:2])
    # What a person has set in matplotlib changes nothing.
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path", "savefig.dpi": 30}):
        save(heatmap(pvalues, "kci"), *files[2:])
    assert files[0].read_bytes() == files[2].read_bytes()
    assert files[1].read_bytes() == files[3].read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_settings_of_matplotlib_are_left_as_they_were(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    save(heatmap(grid(2, 2), "kci"), tmp_path / "a.svg")
    assert dict(matplotlib.rcParams) == before


def test_groups_stand_apart_final_first() -> None:
    rows = [row("a", f"{group}_{letter}", 0.5, group=group) for group in ("gpt", "final") for letter in "on"]
    for pvalues in (table(*rows), table(*rows).drop("group")):
        columns = [("final", "final_o"), ("final", "final_n"), ("gpt", "gpt_o"), ("gpt", "gpt_n")]
        assert read_pvalues(pvalues, "kci").columns == columns
        axes = heatmap(pvalues, "kci").axes[0]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["O", "N", "O", "N"]
        assert [text.get_text() for text in axes.texts] == ["final", "gpt"]


def test_targets_that_are_no_traits_keep_their_names() -> None:
    shown = texts(heatmap(table(row("a", "income", 0.5), row("a", "plan_b", 0.5)), "kci"))
    assert {"income", "plan_b"} <= set(shown)
    assert "final" not in shown
    assert "plan_a" in texts(heatmap(table(row("a", "plan_a", 0.5, group="final")), "kci"))


def test_the_strongest_sixty_are_drawn_in_the_order_of_the_table() -> None:
    p = {f"f{i}": 0.9 - i / 100 for i in range(70)} | {"untested": None}
    pvalues = table(*(row(name, "final_o", value) for name, value in p.items()))
    assert read_pvalues(pvalues, "kci").features == [f"f{i}" for i in range(10, 70)]
    assert "The 60 features of 71 with the smallest p-values are shown." in caption(heatmap(pvalues, "kci"))
    assert "are shown" not in " ".join(texts(heatmap(grid(60, 1), "kci")))


@pytest.mark.parametrize(
    ("p", "said"),
    [
        ([0.04, 0.06], "Rejected where the corrected p-value is under 0.05."),
        ([0.0001, 0.06], "Rejected up to a corrected p-value of 0.0001, kept from 0.06."),
        ([0.2, 0.3], "Nothing was rejected after correction."),
        ([0.001, 0.002], "Every pair was rejected after correction."),
    ],
)
def test_the_caption_says_the_level_as_far_as_the_table_tells(p: list[float], said: str) -> None:
    pvalues = table(*(row(f"f{i}", "final_o", value, n=90 + i) for i, value in enumerate(p)))
    shown = caption(heatmap(pvalues, "kci"))
    assert said in shown
    assert "KCI. n = 90 to 91." in shown
    assert "A dependence, not a cause." in shown


def test_a_level_that_is_given_is_said_and_must_fit() -> None:
    pvalues = table(row("a", "final_o", 0.0001), row("b", "final_o", 0.06))
    assert "is under 0.02." in " ".join(texts(heatmap(pvalues, "kci", alpha=0.02)))
    with pytest.raises(InputError, match=r"alpha 0.1 did not decide this table"):
        heatmap(pvalues, "kci", alpha=0.1)


def test_what_was_rejected_is_blue_and_bold() -> None:
    """However near the level it comes, and where the level is not known."""
    for low, high in ((0.01, 0.5), (0.0499, 0.05), (1e-30, 1.0)):
        rows = [row("a", "final_o", low, rejected=True), row("a", "final_c", high, rejected=False)]
        left, right = heatmap(table(*rows), "kci").axes[:2]
        red, green, blue = left.collections[0].to_rgba(np.asarray(left.collections[0].get_array())).reshape(-1, 4).T[:3]
        assert blue[0] > red[0] + 0.1
        assert red[1] == green[1] == blue[1]
        assert [text.get_fontweight() for text in right.texts[:2]] == ["bold", "normal"]


def test_of_a_split_table_the_rows_of_all_people_are_drawn() -> None:
    """Each cell held the last subgroup's numbers, and was drawn as everybody's."""
    rng = np.random.default_rng(0)
    people = pl.DataFrame({name: rng.integers(0, 3, 120) for name in ("x", "y", "sex")})
    settings: dict[str, Any] = {"kinds": dict.fromkeys(("x", "y", "sex"), "nominal"), "tests": ["chisq"]}
    whole, split = screen(people, ["x"], ["y"], **settings), screen(people, ["x"], ["y"], by="sex", **settings)
    assert split.height == 4 * whole.height
    assert repr(read_pvalues(split, "chisq")) == repr(read_pvalues(whole, "chisq"))
    assert read_pvalues(split, "chisq").sizes.tolist() == [[120]]
    assert dependence_graph(split.with_columns(rejected=True)) == dependence_graph(whole.with_columns(rejected=True))


def test_p_values_darken_as_they_fall() -> None:
    p = [1.0, 0.05, 0.04, 1e-6, 1e-20, 1e-40, 0.0]
    image = heatmap(table(*(row(f"f{i}", "final_o", value) for i, value in enumerate(p))), "kci").axes[0].collections[0]
    red = image.to_rgba(np.asarray(image.get_array())).reshape(-1, 4)[:, 0].tolist()
    assert red[1:] == sorted(red[1:], reverse=True)
    assert red[1] - red[2] > 0.1


@pytest.mark.parametrize(("effects", "top"), [([0.05], 0.1), ([0.2], 0.2), ([0.3, -0.9], 1.0), ([None], 1.0)])
def test_effects_share_a_scale_that_is_not_longer_than_needed(effects: list[float | None], top: float) -> None:
    rows = (row(f"f{i}", "x", 0.5, effect_size=effect) for i, effect in enumerate(effects))
    (bar,) = heatmap(table(*rows), "kci").axes[1].child_axes
    assert bar.get_ylim() == (0.0, top)


def test_long_names_are_cut_and_fit() -> None:
    names = [f"{'W' * 40} {i}" for i in range(2)]
    figure = heatmap(table(*(row(name, name, 0.5) for name in names)), "kci")
    shown = [text for text in texts(figure) if "W…" in text or "…W" in text]
    assert len(set(shown)) == 4, "cut differently for rows and columns, and still told apart"


def test_what_is_not_there_is_said() -> None:
    pvalues = table(row("a", "final_o", 0.5))
    with pytest.raises(InputError, match=r"no test chisq; it has: kci"):
        heatmap(pvalues, "chisq")
    with pytest.raises(InputError, match=r"no column p_corrected"):
        heatmap(pvalues.drop("p_corrected"), "kci")


def test_what_screen_returns_is_drawn() -> None:
    frame = pl.DataFrame({"height": range(60), "team": ["a", "b", "c"] * 20, "final_o": [1, 2, 3] * 20})
    pvalues = screen(
        frame, ["height", "team"], ["final_o"], kinds={"height": "continuous", "team": "nominal", "final_o": "ordinal"}
    )
    shown = texts(heatmap(pvalues, "chisq"))
    assert {"height", "team", "***", "effect size: Cramér's V"} <= set(shown)
    assert any("no p-value, not tested (1 of 2 pairs)" in text for text in shown)


def test_another_suffix_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.gif"):
        save(heatmap(grid(1, 1), "kci"), tmp_path / "a.svg", tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "a.svg"
    figure = heatmap(grid(1, 1), "kci")
    save(figure, path)
    before = path.read_bytes()

    def half(aside: Path, **_: Any) -> None:
        aside.write_text("<svg")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", half)
    with pytest.raises(OSError, match="disk full"):
        save(figure, path)
    assert [file.name for file in path.parent.iterdir()] == ["a.svg"]
    assert path.read_bytes() == before
