"""A table of public facts beside the released table: rows that are alone on both sides are pairs of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from personax.release.audit._attack import Attack, rate
from personax.release.audit._self_training import MatchedPairs

__all__ = ["KNOWS", "join", "join_attack"]

KNOWS: Final = "public facts of everybody"


def join(known: pl.DataFrame, shown: pl.DataFrame, columns: Sequence[str]) -> MatchedPairs:
    """Return rows of `known` and of `shown` that are alike in all columns, and alone so in their table.

    Parameters
    ----------
    known
        Facts of people whom the attacker can name, made as coarse as the release says that it was.
    shown
        The released table.
    columns
        Quasi-identifiers: what can be known of a person.

    Examples
    --------
    >>> known = pl.DataFrame({"year": [1980, 1980, 1991]})
    >>> [part.tolist() for part in join(known, known[::-1], ["year"])]
    [[2], [0]]
    """
    if not columns:
        return MatchedPairs(np.zeros(0, np.intp), np.zeros(0, np.intp))
    sides = [_alone(table, columns, name) for table, name in ((known, "original"), (shown, "released"))]
    both = sides[0].join(sides[1], on="row", how="inner").sort("original")
    return MatchedPairs(*(both[name].to_numpy().astype(np.intp) for name in ("original", "released")))


def _alone(table: pl.DataFrame, columns: Sequence[str], name: str) -> pl.DataFrame:
    text = table.select(pl.col(column).cast(pl.String).fill_null("") for column in columns)
    rows = text.select(pl.struct(columns).struct.json_encode().alias("row")).with_row_index(name)
    return rows.filter(pl.col("row").is_unique())


def join_attack(
    known: pl.DataFrame, shown: pl.DataFrame, columns: Sequence[str], *, rng: np.random.Generator
) -> Attack:
    """Return how many people the join alone finds; row i of both tables is the same person.

    The control joins the facts of half of the people with the rows of the others.
    """
    found = join(known, shown, columns)
    hits = int((found.original == found.released).sum())
    order = rng.permutation(known.height)
    half = len(order) // 2
    wrong = join(known[order[:half]], shown[order[half : 2 * half]], columns)
    control = len(wrong.original) / known.height
    return rate("table join", KNOWS, hits, known.height, baseline=1 / known.height, control=0.0,
                joined=len(found.original), strangers_joined=round(control, 6), columns=len(columns))  # fmt: skip
