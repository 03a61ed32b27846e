"""Pooling over imputations: valid whatever the dependence between them, and honest about what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.errors import InputError
from personax.independence import heterogeneity, pool, screen


def tables(p: list[list[float | None]]) -> list[pl.DataFrame]:
    """Return one result an imputation from p[imputation][pair]."""
    return [
        pl.DataFrame(
            {
                "feature": [f"x{i}" for i in range(len(row))], "target": "final_o", "test": "kci",
                "p_value": pl.Series(row, dtype=pl.Float64), "effect_size": pl.Series([0.1] * len(row)),
            }
        )
        for row in p
    ]  # fmt: skip


def test_a_pair_that_any_imputation_cannot_test_has_no_pooled_value() -> None:
    found = pool(tables([[0.001, 0.01], [None, 0.02], [0.001, 0.6]]))
    assert found["n_draws"].to_list() == [2, 3]
    assert found["p_pooled"].to_list() == [None, 0.04]
    assert found["rejected"].to_list() == [None, True]
    assert found.row(1, named=True)["share_below"] == pytest.approx(2 / 3)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.5, 0.95])
def test_the_level_is_kept_however_the_imputations_depend(shared: float) -> None:
    from scipy.special import ndtr

    rng = np.random.default_rng(0)
    common = rng.standard_normal((1, 4000))
    z = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal((5, 4000))
    found = pool(tables(ndtr(z).tolist()), correction="none")
    assert found["rejected"].mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_a_strong_dependence_stays_and_a_weak_one_falls() -> None:
    rng = np.random.default_rng(1)
    n = 400
    strong, weak = rng.standard_normal(n), rng.standard_normal(n)
    trait = strong + 0.12 * weak + rng.standard_normal(n)
    kinds = {"strong": "continuous", "weak": "continuous", "final_o": "continuous"}
    found = []
    for _ in range(5):
        noisy = trait + 1.5 * rng.standard_normal(n)
        frame = pl.DataFrame({"strong": strong, "weak": weak, "final_o": noisy})
        found.append(screen(frame, ["strong", "weak"], ["final_o"], kinds=kinds, tests=["kci"]))  # type: ignore[arg-type]
    rejected = dict(pool(found).select("feature", "rejected").iter_rows())
    assert rejected == {"strong": True, "weak": False}


@pytest.mark.parametrize("alpha", [2, 0, "0.05", float("nan"), True])
def test_a_level_that_is_none_is_one_sentence(alpha: Any) -> None:
    table = pl.DataFrame({"feature": "a", "target": "t", "test": "kci", "effect_size": [0.3], "p_value": [0.1]})
    with pytest.raises(InputError, match="a level lies between 0 and 1"):
        pool([table], alpha=alpha)
    with pytest.raises(InputError, match="a level lies between 0 and 1"):
        heterogeneity(table, alpha=alpha)


def test_no_tables_are_one_sentence() -> None:
    with pytest.raises(InputError, match="no tables to pool"):
        pool([])
    with pytest.raises(InputError, match="no subgroups to compare"):
        heterogeneity(pl.DataFrame({"p_value": [0.1]}))
