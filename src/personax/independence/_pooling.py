"""One verdict from the same tests on several plausible versions of the data (multiple imputations)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.independence._corrections import Correction, correct
from personax.strict import check_alpha

__all__ = ["pool"]

KEYS = ["feature", "target", "test"]


def pool(tables: Sequence[pl.DataFrame], *, alpha: float = 0.05, correction: Correction = "fdr_bh") -> pl.DataFrame:
    """Pool the p-values of each test over imputations by twice their median.

    Parameters
    ----------
    tables
        One result of `screen` an imputation, over the same pairs and tests.
    alpha, correction
        As in `screen`; p-values are corrected within each test.

    Returns
    -------
    polars.DataFrame
        One row a feature, target and test: ``n_draws`` with a p-value, ``p_pooled``, ``p_median``, ``p_low`` and
        ``p_high`` (smallest and largest), ``share_below`` alpha, the mean ``effect_size``, ``p_corrected``,
        ``rejected``. All null where any imputation has no p-value: a pool of some of them would be chosen by the data.

    Notes
    -----
    Each imputation's p-value is uniform, or larger, when x and y are independent; twice the median of such p-values is
    one too, however they depend on each other. Rubin's rules need an estimate with a standard error, which kernel tests
    have not. The factor 2 is what the guarantee costs; ``p_median`` goes without it and is usually near its level.

    References
    ----------
    Rueschendorf 1982, doi:10.2307/3213513 (twice the average is valid, and the median alike); DiCiccio, DiCiccio and
    Romano 2020, doi:10.1016/j.spl.2020.108865; Eekhout, van de Wiel and Heymans 2017, doi:10.1186/s12874-017-0404-7.

    Examples
    --------
    >>> one = pl.DataFrame({"feature": "a", "target": "t", "test": "kci", "effect_size": [0.3]})
    >>> tables = [one.with_columns(p_value=pl.lit(p)) for p in (0.01, 0.02, 0.2)]
    >>> pool(tables).select("n_draws", "p_pooled", "p_high").row(0)
    (3, 0.04, 0.2)
    """
    check_alpha(alpha)
    if not tables:
        raise InputError("there are no tables to pool; give one result of screen an imputation")
    rows = pl.concat([table.select(*KEYS, "p_value", "effect_size") for table in tables])
    whole = pl.col("p_value").count() == len(tables)
    p = pl.col("p_value")
    found = rows.group_by(KEYS, maintain_order=True).agg(
        p.count().cast(pl.Int64).alias("n_draws"),
        pl.when(whole).then((2 * p.median()).clip(upper_bound=1.0)).alias("p_pooled"),
        pl.when(whole).then(p.median()).alias("p_median"),
        pl.when(whole).then(p.min()).alias("p_low"),
        pl.when(whole).then(p.max()).alias("p_high"),
        pl.when(whole).then((p < alpha).mean()).alias("share_below"),
        pl.when(whole).then(pl.col("effect_size").mean()).alias("effect_size"),
    )
    tests, pooled = found["test"].to_numpy(), found["p_pooled"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    corrected = np.full(len(pooled), np.nan)
    for test in dict.fromkeys(tests):
        corrected[tests == test] = correct(pooled[tests == test], correction)
    column = pl.Series("p_corrected", corrected).fill_nan(None)
    return found.with_columns(column, (column < alpha).alias("rejected"))
