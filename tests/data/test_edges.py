"""The one table of edge kinds says what every other place needs."""

from __future__ import annotations

from typing import get_args

from personax.data.edges import EDGES, POINTING
from personax.schema import EdgeKind


def test_every_kind_is_in_the_table_once() -> None:
    assert tuple(EDGES) == get_args(EdgeKind)
    for says in ("ends", "symbol", "sign", "words", "shares"):
        assert len({getattr(marks, says) for marks in EDGES.values()}) == len(EDGES), says


def test_symbols_are_those_that_causal_learn_and_tetrad_write() -> None:
    assert {kind: marks.symbol for kind, marks in EDGES.items()} == {
        "directed": "-->", "undirected": "---", "bidirected": "<->", "partially_directed": "o->", "nondirected": "o-o",
    }  # fmt: skip


def test_graphviz_draws_the_ends() -> None:
    assert {kind: marks.dot for kind, marks in EDGES.items()} == {
        "directed": {"dir": "forward"},
        "undirected": {"dir": "none"},
        "bidirected": {"dir": "both"},
        "partially_directed": {"dir": "both", "arrowtail": "odot"},
        "nondirected": {"dir": "both", "arrowtail": "odot", "arrowhead": "odot"},
    }


def test_kinds_that_point_are_counted_both_ways() -> None:
    assert POINTING == ("directed", "partially_directed")
    assert all(len(marks.shares) == 1 + marks.points for marks in EDGES.values())
