"""What a latent may stand for: its strongest Level I associations, its extremes, and sentences for the edges.

All of it is a proposal: an association names a latent no more than a correlation names a cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from personax.data.table import Table
from personax.independence import screen
from personax.schema import Column, Graph

__all__ = ["EXEMPLARS", "associations", "exemplars", "proposals", "sentences"]

EXEMPLARS = 5
LEADING = 5
"""Associations kept for each latent."""

ALPHA = 0.05
WEAK = 0.1
"""Effect size below which a rejected association is too weak to name a latent by."""


def associations(
    latents: pl.DataFrame,
    described: Table,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Test every latent against every column by Level I's KCI and keep the strongest of each latent.

    Parameters
    ----------
    latents, described
        With a column ``id``; people of both are used.

    Returns
    -------
    polars.DataFrame
        latent, column, p_corrected (over all pairs), effect_size, direction: Spearman's correlation of ordered columns,
        otherwise the category with the highest mean; strongest first.
    """
    known = {column.name: column for column in described.columns if column.role != "id"}
    names = [name for name in latents.columns if name != "id"]
    joined = latents.join(described.frame, on="id", how="inner", maintain_order="left")
    schema = {"latent": pl.String, "column": pl.String, "p_corrected": pl.Float64, "effect_size": pl.Float64,
              "direction": pl.String}  # fmt: skip
    if not known or not names:
        return pl.DataFrame(schema=schema)
    table = screen(
        joined, list(known), names, kinds={name: column.kind for name, column in known.items()}, tests=["kci"],
        alpha=ALPHA, seed=seed, progress=progress,
        periods={n: c.period for n, c in known.items() if c.period is not None},
    )  # fmt: skip
    ranked = table.filter(pl.col("p_corrected").is_not_null()).sort(
        ["target", "effect_size", "feature"], descending=[False, True, False]
    )
    rows = [
        {"latent": row["target"], "column": row["feature"], "p_corrected": row["p_corrected"],
         "effect_size": row["effect_size"], "direction": _direction(joined, row["target"], known[row["feature"]])}
        for name in names for row in ranked.filter(pl.col("target") == name).head(LEADING).iter_rows(named=True)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _direction(joined: pl.DataFrame, latent: str, column: Column) -> str:
    pair = joined.select(latent, column.name).drop_nulls()
    if column.kind == "nominal" or not pair[column.name].dtype.is_numeric():
        means = pair.group_by(column.name).agg(pl.col(latent).mean(), pl.len()).filter(pl.col("len") >= EXEMPLARS)
        return f"highest for {means.sort(latent)[column.name][-1]}" if len(means) else "too few of each category"
    r = pair.select(pl.corr(latent, column.name, method="spearman")).item()
    return f"{r:+.2f}" if r is not None and np.isfinite(r) else "constant"


def proposals(table: pl.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """Return for each latent a name proposed from its strongest association, or that there is none.

    Examples
    --------
    >>> rows = {"latent": ["text_1"], "column": ["height"], "p_corrected": [0.0], "effect_size": [0.4]}
    >>> proposals(pl.DataFrame(rows | {"direction": ["-0.60"]}), ["text_1", "text_2"])
    {'text_1': 'height, reversed', 'text_2': 'nothing known'}
    """
    found = {}
    for name in names:
        of = table.filter(
            (pl.col("latent") == name) & (pl.col("p_corrected") < ALPHA) & (pl.col("effect_size") >= WEAK)
        )
        if not len(of):
            found[name] = "nothing known"
            continue
        row = of.row(0, named=True)
        turned = ", reversed" if row["direction"].startswith("-") else ""
        found[name] = f"{row['column']}{turned}"
    return found


def exemplars(latents: pl.DataFrame) -> pl.DataFrame:
    """Return the people at both extremes of every latent: latent, end (low or high), rank, id, value."""
    rows = []
    for name in (column for column in latents.columns if column != "id"):
        ordered = latents.select("id", name).sort(name, "id")
        for end, part in (("low", ordered.head(EXEMPLARS)), ("high", ordered.tail(EXEMPLARS).reverse())):
            rows += [
                {"latent": name, "end": end, "rank": i + 1, "id": person, "value": value}
                for i, (person, value) in enumerate(part.iter_rows())
            ]
    schema = {"latent": pl.String, "end": pl.String, "rank": pl.Int64, "id": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def sentences(graph: Graph, proposed: dict[str, str]) -> list[str]:
    """Return one sentence an edge, surest first.

    Examples
    --------
    >>> from personax.schema import Edge, Node
    >>> nodes = [Node("z_1", "z 1", "z"), Node("z_2", "z 2", "z")]
    >>> graph = Graph(nodes, [Edge("z_1", "z_2", "directed", 0.98)], "", "", {})
    >>> sentences(graph, {"z_1": "height", "z_2": "nothing known"})
    ['z_1 (height?) -> z_2 (nothing known), certainty 98 %']
    """
    edges = sorted(graph.edges, key=lambda edge: (-(edge.weight or 0), edge.source, edge.target))

    def called(name: str) -> str:
        meaning = proposed.get(name, "nothing known")
        return f"{name} ({meaning}{'' if meaning == 'nothing known' else '?'})"

    return [f"{called(e.source)} -> {called(e.target)}, certainty {100 * (e.weight or 0):.0f} %" for e in edges]
