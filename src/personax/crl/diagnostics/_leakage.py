"""Leakage: residuals of measurements given their latents must not depend on other modalities or measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from personax.crl._estimator import Arrays
from personax.crl._ridge import fit_ridge
from personax.crl._split import Array, check_latents, standardise
from personax.crl.diagnostics._residuals import MeasurementResidual, columns_by_group, residuals_of
from personax.crl.diagnostics._verdict import ConditionalTest, Diagnosis, add_verdicts, run_test, summarise

__all__ = ["block_leakage", "conditional_independence"]


def block_leakage(
    latents: ArrayLike,
    names: Sequence[str],
    views: Arrays,
    *,
    test: ConditionalTest,
    rng: np.random.Generator,
    known: Sequence[MeasurementResidual] | None = None,
) -> Diagnosis:
    """Test whether the residual of a measurement depends on other modalities' latents, given its own.

    It must not: a measurement's noise is its own. Where it does, the modality lacks a latent that others share, or the
    noise crosses modalities. The latents are given because what a regression leaves of ``g(z, eta)`` is not ``eta``:
    its spread follows z, and so anything that depends on z.

    The effect is the largest correlation of the three leading residual components with what own latents leave of the
    other modality's latents and of their squares, held out, less what as many pairs reach by chance; a dependence of
    spreads alone is not counted. Latents learned with error leave some of themselves in the residual and so raise it.

    Parameters
    ----------
    latents, names, views, rng, known
        As in `explained_variance`.
    test
        Takes two arrays and a third, shape (n, d), and returns the p-value of the first two's independence given it;
        what it refuses with `UntestableError` is not testable.

    Returns
    -------
    Diagnosis
        The number is the largest effect. Rows: ``modality``, ``measurement``, ``other``, ``effect``, ``p``, ``p_holm``
        (over all rows), ``verdict``, ``reason``.

    Raises
    ------
    InputError
        As `personax.crl.diagnostics._residuals.residuals`.

    References
    ----------
    Shah, Peters 2020, arXiv:1804.07203 (correlations of residuals); Holm 1979, jstor 4615733.
    """
    z, _ = check_latents(latents, latents)
    blocks = columns_by_group(names)
    rows: list[dict[str, Any]] = []
    for one in residuals_of(known, latents, names, views, rng):
        left = one.leading()
        given = blocks.get("shared", []) + blocks[one.modality]
        for other in views:
            if other != one.modality:
                row: dict[str, Any] = {"modality": one.modality, "measurement": one.measurement, "other": other}
                row["effect"] = _correlation(left, _beyond(z[:, given], z[:, blocks[other]], one))
                rows.append(row | tested(test, left, z[one.people][:, blocks[other]], z[one.people][:, given]))
    add_verdicts(rows)
    parts = (
        "Nothing that measurements show beyond their latents depends on other modalities' latents.",
        "Beyond its latents, {} depends on the latents of another modality: a latent is missing or noise crosses over.",
        "Nothing could be tested: there is one modality, or the test refused.",
    )
    where = "{modality}/{measurement}"
    return summarise("residuals of measurements are independent of other modalities", rows, where, parts)


def conditional_independence(
    latents: ArrayLike,
    names: Sequence[str],
    views: Arrays,
    *,
    test: ConditionalTest,
    rng: np.random.Generator,
    known: Sequence[MeasurementResidual] | None = None,
) -> Diagnosis:
    """Test whether measurements of a modality are independent given its latents and the shared ones.

    They must be: this is what identifies the block. Where they are not, they share a noise or a latent that is missing.
    The effect is the largest correlation of two residual components (of three each), less what as many pairs reach by
    chance; it is 0 under independence given the latents, also where the noise's spread depends on them.

    Parameters
    ----------
    latents, names, views, rng, known
        As in `explained_variance`.
    test
        Takes two arrays and a third, shape (n, d), and returns the p-value of the first two's independence given it.

    Returns
    -------
    Diagnosis
        The number is the largest effect. Rows: ``modality``, ``first``, ``second``, ``effect``, ``p``, ``p_holm`` (over
        all rows), ``verdict``, ``reason``; a modality with one measurement has one row, not testable.

    Raises
    ------
    InputError
        As `personax.crl.diagnostics._residuals.residuals`.

    References
    ----------
    Shah, Peters 2020, arXiv:1804.07203 (correlations of residuals).
    """
    z, _ = check_latents(latents, latents)
    blocks = columns_by_group(names)
    rows: list[dict[str, Any]] = []
    every = residuals_of(known, latents, names, views, rng)
    for modality in views:
        own = [one for one in every if one.modality == modality]
        given = blocks.get("shared", []) + blocks.get(modality, [])
        if len(own) == 1:
            only = {"modality": modality, "first": own[0].measurement, "second": None, "effect": 0.0}
            rows.append(only | {"p": None, "reason": "there is one measurement of this modality"})
        for a, b in combinations(own, 2):
            x, y = a.leading(), b.leading()
            pair = {"modality": modality, "first": a.measurement, "second": b.measurement, "effect": _correlation(x, y)}
            rows.append(pair | tested(test, x, y, z[a.people][:, given]))
    add_verdicts(rows)
    parts = (
        "Measurements of a modality have nothing in common beyond its latents, wherever there are two of them.",
        "Given their latents, {} still depend on each other: a shared noise, or a latent missing or found with error.",
        "No modality has two measurements, or the test refused: noise of a measurement may pass for a latent.",
    )
    where = "{modality}/{first} and {modality}/{second}"
    return summarise("measurements are independent given their latents", rows, where, parts)


def tested(test: Callable[..., float], *arrays: Array) -> dict[str, Any]:
    p, reason = run_test(lambda: test(*arrays))
    return {"p": p, "reason": reason}


def _beyond(given: Array, other: Array, one: MeasurementResidual) -> Array:
    """Return what the given latents leave of others and of their squares, for the people not fitted on."""
    scaled = standardise(other)
    values = np.hstack([scaled, np.square(scaled)])
    predicted = fit_ridge(given[one.fitted], values[one.fitted]).predict(given[one.people])
    left: Array = values[one.people] - predicted
    return left


def _correlation(x: Array, y: Array) -> float:
    """Return the largest correlation of two columns, less what as many independent pairs reach by chance."""
    # The mean of n products of standardised columns is a correlation r; under independence sqrt(n) r is normal with the
    # variance of the products, which is 1 only if the spreads are independent too. The largest of m squares of standard
    # normal variables is about 2 log m (a Gumbel limit), and that is what chance alone reaches.
    products = (standardise(x)[:, :, None] * standardise(y)[:, None, :]).reshape(len(x), -1)
    variances = products.var(axis=0) / len(x)  # of their means, where spreads depend on a third thing as well
    chance = 2 * np.log(max(2, products.shape[1])) * variances  # of the largest of as many squares of normal numbers
    return float(np.sqrt(max(0.0, (np.square(products.mean(axis=0)) - chance).max())))
