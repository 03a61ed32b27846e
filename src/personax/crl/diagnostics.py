"""Do these people speak against what Level II assumes? Asked of a fitted method, without a truth.

A map: ``finding`` (what a diagnostic says), ``showing`` (do measurements show their latents), ``residuals`` (what they
show beyond them) and ``beyond`` (what that depends on), ``sparsity`` (what tells latents apart), ``refits`` (what
changes when something is left out), and here the latents' noise, and all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from personax.crl.beyond import block_leakage, conditional_independence
from personax.crl.calibration import noise_report
from personax.crl.finding import Finding, Given, Independence, Verdict, gathered
from personax.crl.halves import readable
from personax.crl.method import Arrays, Fitted, Method
from personax.crl.refits import removal, tradeoff
from personax.crl.residuals import groups, residuals
from personax.crl.showing import reconstruction
from personax.crl.sparsity import identified

__all__ = [
    "Finding",
    "Given",
    "Independence",
    "Verdict",
    "block_leakage",
    "conditional_independence",
    "diagnose",
    "exogenous_noise",
    "identified",
    "reconstruction",
    "removal",
    "tradeoff",
]

NOISE_PEOPLE: Final = 1000
"""People that learned noise is tested on: kernel tests of all pairs of more take minutes."""


def exogenous_noise(noise: ArrayLike, names: Sequence[str], *, test: Independence) -> Finding:
    """Say whether the latents' learned noise is independent, by `noise_report`, on 1,000 people at most.

    Where it is not, an edge is missing or wrong, or something not measured causes two latents.

    Parameters
    ----------
    noise
        Shape (n, d).
    names
        Of the latents.
    test
        Takes two columns, shape (n,), and returns a p-value.

    Raises
    ------
    InputError
        As `personax.crl.noise_report`.
    """
    x, _ = readable(noise, noise)
    report = noise_report(x[:NOISE_PEOPLE], names, independence=test)
    rows = [
        row | {"verdict": "not testable" if row["independent"] == "untested" else row["independent"]}
        for row in report.pairs
    ]
    parts = (
        "The learned noise of the latents is independent, as far as these people show.",
        "The noise of {} is dependent: an edge is missing or wrong, or something not measured causes both.",
        "There is one latent, or the test refused.",
    )
    return gathered("the latents' noise is independent", rows, "{x} and {y}", parts)


def diagnose(
    fitted: Fitted,
    views: Arrays,
    *,
    independence: Independence,
    conditional: Given,
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
        Given, everything is also fitted again without each modality and measurement (`removal`), on these people.

    Raises
    ------
    InputError
        Measurements that the method does not know, missing numbers, too few people.
    """
    names, latents = fitted.names, fitted.encode(views)
    known = residuals(latents, names, views, rng=rng)
    blocks = groups(names)
    shared = len(blocks.pop("shared", []))
    counts = {modality: len(own) for modality, own in blocks.items()}
    found = [
        reconstruction(latents, names, views, rng=rng, known=known),
        block_leakage(latents, names, views, test=conditional, rng=rng, known=known),
        conditional_independence(latents, names, views, test=conditional, rng=rng, known=known),
        identified(fitted.adjacency, counts, shared, straightened=getattr(fitted, "straightened", ())),
    ]
    noise = getattr(fitted, "noise", None)
    if callable(noise):
        found.append(exogenous_noise(noise(views), names, test=independence))
    if make_method is not None:
        found.append(removal(make_method, views, latents=counts, shared=shared, rng=rng))
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
