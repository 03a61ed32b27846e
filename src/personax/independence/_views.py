"""What is read off a table of p-values: one test as papers print it, and the graph of dependences."""

from __future__ import annotations

import polars as pl

from personax.data.pvalues import everybody
from personax.schema import Edge, Graph, Node

__all__ = ["dependence_graph", "wide"]


def wide(pvalues: pl.DataFrame, test: str) -> pl.DataFrame:
    """Return one test's p-values as features x targets, as papers print them, one block a subgroup.

    Examples
    --------
    >>> rows = {"feature": ["a", "a"], "target": ["o", "c"], "test": ["kci", "kci"], "p_value": [0.1, 0.2]}
    >>> wide(pl.DataFrame(rows), "kci").rows()
    [('a', 0.1, 0.2)]
    """
    of_test = pvalues.filter(pl.col("test") == test)
    index = [name for name in ("subgroup", "feature") if name in pvalues.columns]
    return of_test.pivot(on="target", index=index, values="p_value", maintain_order=True)


def dependence_graph(pvalues: pl.DataFrame, test: str | None = None) -> Graph:
    """Return the graph whose edges are the dependences that a test found after correction.

    Parameters
    ----------
    pvalues
        From `screen`; of one that was split by a column, the rows of all people.
    test
        Which test decides; the first in the table by default.

    Examples
    --------
    >>> rows = {"feature": ["a"], "target": ["o"], "test": ["kci"], "rejected": [True], "effect_size": [0.5]}
    >>> dependence_graph(pl.DataFrame(rows | {"effect_name": ["nHSIC"]})).edges
    [Edge(source='a', target='o', kind='undirected', weight=0.5, label='', doubtful=False)]
    """
    pvalues = everybody(pvalues)
    chosen = test or (pvalues["test"][0] if pvalues.height else "")
    found = pvalues.filter((pl.col("test") == chosen) & pl.col("rejected"))
    groups = dict.fromkeys(pvalues["feature"], "feature") | dict.fromkeys(pvalues["target"], "trait")
    nodes = [Node(name, name, group) for name, group in groups.items()]
    edges = [Edge(r["feature"], r["target"], "undirected", r["effect_size"]) for r in found.iter_rows(named=True)]
    meaning = f"An edge: {chosen} rejects independence after correction. Dependence, not causation."
    return Graph(nodes, edges, meaning, found["effect_name"][0] if found.height else "", {"test": chosen})
