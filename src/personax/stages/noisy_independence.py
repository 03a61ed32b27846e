"""Level I from noisy statistics: the tables of a release in place of its people."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from personax.errors import PlanError
from personax.independence import Correction, NoisyTable, dependence_graph, screen_noisy
from personax.progress import Progress
from personax.release.statistics import NoisyStatistics
from personax.schema import Graph
from personax.strict import nearest

__all__ = ["analyse_statistics"]


def analyse_statistics(
    statistics: NoisyStatistics,
    progress: Progress,
    *,
    features: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    alpha: float = 0.05,
    correction: Correction = "fdr_bh",
    draws: int = 9_999,
    seed: int = 0,
) -> tuple[pl.DataFrame, Graph]:
    """Test every table of noisy counts, p-values corrected for the noise, and return what Level I returns.

    Parameters
    ----------
    statistics
        From `personax.release.load_release`.
    features, targets
        Those to test; all by default.
    alpha, correction, draws, seed
        See `personax.independence._noisy.screen_noisy`.

    Raises
    ------
    PlanError
        A feature or target that is in no table.
    """
    kinds = {column.name: column.kind for column in statistics.columns}
    for setting, names, known in (
        ("features", features, {table.feature for table in statistics.tables}),
        ("targets", targets, {table.target for table in statistics.tables}),
    ):
        for name in names or ():
            if name not in known:
                raise PlanError(f"independence.{setting}: no table is about {name}; {nearest(name, sorted(known))}")
    tables = [
        NoisyTable(one.feature, one.target, one.counts, kinds[one.feature], kinds[one.target])
        for one in statistics.tables
        if (features is None or one.feature in features) and (targets is None or one.target in targets)
    ]
    found = screen_noisy(tables, statistics.scale, alpha=alpha, correction=correction, draws=draws, seed=seed,
                         progress=progress.step)  # fmt: skip
    pvalues = found.select(pl.lit("final").alias("group"), pl.all())
    return pvalues, dependence_graph(pvalues)
