"""Curves of known pairs are drawn where they are, and nonsense is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from personax.errors import InputError
from personax.plots import breaking_curves, save

pytest.importorskip("matplotlib")

CURVES = {"faces": {"rotation": [(1, 0.9, 0.8, 1.0), (16, 1.0, 0.99, 1.0)], "flow": [(1, 0.0, 0.0, 0.1)]},
          "digits": {"flow": [(4, 0.5, 0.4, 0.6)]}}  # fmt: skip


def test_every_curve_is_a_line_in_the_panel_of_its_data(tmp_path: Path) -> None:
    figure = breaking_curves(CURVES, "A caption.")
    lines = [[line.get_xydata().tolist() for line in axes.lines[1:]] for axes in figure.axes]  # type: ignore[union-attr]
    assert lines == [[[[1.0, 0.9], [16.0, 1.0]], [[1.0, 0.0]]], [[[4.0, 0.5]]]]
    same = [axes.lines[-1].get_color() for axes in figure.axes]
    assert same[0] == same[1], "a transform has one colour everywhere"
    save(figure, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(word in text for word in ("faces", "digits", "rotation", "A caption.", "known pairs"))


@pytest.mark.parametrize("curves", [{}, {"a": {"b": [(0, 0.1, 0.0, 0.2)]}}, {"a": {"b": [(1, 0.5, 0.6, 0.7)]}}])
def test_nonsense_is_refused(curves: dict[str, dict[str, list[tuple[int, float, float, float]]]]) -> None:
    with pytest.raises(InputError, match="known pairs need"):
        breaking_curves(curves)
