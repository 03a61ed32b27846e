"""The steps of a study as functions: what they take of a table, and what is no study at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

import personax
from personax.data.columns import infer_columns
from personax.data.table import Table
from personax.errors import InputError


def table() -> Table:
    rng = np.random.default_rng(0)
    height = rng.normal(180, 9, 80)
    frame = pl.DataFrame(
        {
            "id": [f"p{row}" for row in range(80)],
            "name": [f"Ann {row}" for row in range(80)],
            "height_cm": height,
            "weight_kg": height - 100 + rng.normal(size=80),
            "biography": [f"She sings in town {row}." for row in range(80)],
        }
    )
    return Table(frame, infer_columns(frame))


def test_a_search_over_a_table_leaves_out_names_and_texts() -> None:
    graph = personax.discover(table(), test="fisherz")
    assert [node.id for node in graph.nodes] == ["height_cm", "weight_kg"]
    assert len(graph.edges) == 1


@pytest.mark.parametrize("step", [personax.analyse, personax.annotate, personax.discover, personax.encode])
@pytest.mark.parametrize("data", [table().frame, "study.yaml"])
def test_what_is_neither_a_table_nor_a_study_is_told(step: Callable[[Any], Any], data: object) -> None:
    with pytest.raises(InputError, match=r"is neither a table nor a study; give Table\(frame, infer_columns"):
        step(data)


@pytest.mark.parametrize(
    "step", [personax.build_release, personax.collect, personax.learn_latents, personax.write_report]
)
def test_what_is_no_study_is_told(step: Callable[[Any], Any]) -> None:
    with pytest.raises(InputError, match=r"a Table is no study; give Study.load"):
        step(table())
