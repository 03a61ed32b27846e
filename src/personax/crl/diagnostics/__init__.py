"""Diagnostics: whether the data contradict what Level II assumes, of a fitted method, without a truth.

A map: ``_verdict`` (what a diagnostic says), ``_explained_variance`` (do measurements show their latents),
``_residuals`` (what they show beyond them) and ``_leakage`` (what that depends on), ``_noise`` (is the latents' noise
standard, normal, independent), ``_sparsity`` (what identifies latents), ``_ablation`` (what changes when something is
left out), and here all of them together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from personax.crl._estimator import Arrays, Fitted, Method
from personax.crl.diagnostics._ablation import ablation, sparsity_path
from personax.crl.diagnostics._explained_variance import explained_variance
from personax.crl.diagnostics._leakage import block_leakage, conditional_independence
from personax.crl.diagnostics._noise import NoiseReport, exogenous_noise, noise_report
from personax.crl.diagnostics._residuals import columns_by_group, residuals
from personax.crl.diagnostics._sparsity import identified
from personax.crl.diagnostics._verdict import ConditionalTest, Diagnosis, IndependenceTest, Verdict

__all__ = [
    "ConditionalTest",
    "Diagnosis",
    "IndependenceTest",
    "NoiseReport",
    "Verdict",
    "ablation",
    "block_leakage",
    "conditional_independence",
    "diagnose",
    "exogenous_noise",
    "explained_variance",
    "identified",
    "noise_report",
    "sparsity_path",
]


def diagnose(
    fitted: Fitted,
    views: Arrays,
    *,
    independence: IndependenceTest,
    conditional: ConditionalTest,
    rng: np.random.Generator,
    make_method: Callable[[], Method] | None = None,
) -> list[dict[str, Any]]:
    """Return every diagnostic as a row of a table: ``assumption``, ``verdict``, ``number``, ``sentence``, ``details``.

    Parameters
    ----------
    fitted
        A fitted method; where it has ``noise`` (as the default method's), that is tested too.
    views
        Measurements of any people, best of such that were not fitted on.
    independence, conditional
        Tests of two arrays, and of two given a third: Level I's HSIC and KCI, say.
    rng
        Splits the people, and seeds the fits.
    make_method
        Given, everything is also fitted again without each modality and measurement (`ablation`), on these people.

    Raises
    ------
    InputError
        Measurements that the method does not know, missing numbers, too few people.
    """
    names, latents = fitted.names, fitted.encode(views)
    known = residuals(latents, names, views, rng=rng)
    blocks = columns_by_group(names)
    shared = len(blocks.pop("shared", []))
    counts = {modality: len(own) for modality, own in blocks.items()}
    found = [
        explained_variance(latents, names, views, rng=rng, known=known),
        block_leakage(latents, names, views, test=conditional, rng=rng, known=known),
        conditional_independence(latents, names, views, test=conditional, rng=rng, known=known),
        identified(fitted.adjacency, counts, shared, orthogonal=getattr(fitted, "orthogonal", ())),
    ]
    noise = getattr(fitted, "noise", None)
    if callable(noise):
        found.append(exogenous_noise(noise(views), names, test=independence))
    if make_method is not None:
        found.append(ablation(make_method, views, latents=counts, shared=shared, rng=rng))
    return [
        {
            "assumption": one.assumption,
            "verdict": one.verdict,
            "number": one.number,
            "sentence": one.sentence,
            "details": one.rows,
        }
        for one in found
    ]
