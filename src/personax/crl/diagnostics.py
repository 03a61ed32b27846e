"""Do these people speak against what Level II assumes? Asked of a fitted method, without a truth.

A map: ``finding`` (what a diagnostic says), ``residuals`` (what measurements show beyond their latents), ``sparsity``
(what tells latents apart), ``refits`` (what changes when something is left out), and here what is computed from latents
and measurements, and all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from personax.crl.calibration import noise_report
from personax.crl.finding import Finding, Given, Independence, Verdict, asked, settle, worst
from personax.crl.halves import Array, readable, standard
from personax.crl.method import Arrays, Fitted, Method
from personax.crl.recovery import explained
from personax.crl.refits import removal, tradeoff
from personax.crl.residuals import Residual, groups, residuals
from personax.crl.ridge import fit_ridge
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

SHOWN: Final = 0.5
"""Share of variance from which a measurement shows mainly its latents."""

HIDDEN: Final = 0.1
"""Share of variance below which the latents say next to nothing of the measurement."""

NOISE_PEOPLE: Final = 1000
"""People that learned noise is tested on: kernel tests of all pairs of more take minutes."""


def reconstruction(
    latents: ArrayLike,
    names: Sequence[str],
    views: Arrays,
    *,
    rng: np.random.Generator,
    known: Sequence[Residual] | None = None,
) -> Finding:
    """Say how much of each measurement its modality's latents and the shared ones explain, held out.

    What they leave is the measurement's noise, so a share below 1 is no fault; a share near 0 says that the latents are
    not what the measurement shows.

    Parameters
    ----------
    latents
        Shape (n, d).
    names
        Of the columns, as `personax.crl.method.Fitted` names them.
    views
        Measurements of the same people.
    rng
        Splits the people.
    known
        What `personax.crl.residuals.residuals` returned for these, to save its time.

    Returns
    -------
    Finding
        The number is the smallest share. Rows: ``modality``, ``measurement``, ``components``, ``r2`` (of the
        components, weighted by variance), ``covered`` (share of variance that they hold), ``share`` (of all variance),
        ``verdict``.

    Raises
    ------
    InputError
        As `personax.crl.residuals.residuals`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(400, 1))
    >>> found = reconstruction(z, ["text_1"], {"text": {"a": np.hstack([z, -z])}}, rng=rng)
    >>> found.verdict, round(found.number, 1)
    ('holds', 1.0)
    """
    rows = [_explained(one) for one in _known(known, latents, names, views, rng)]
    least = min(rows, key=lambda row: row["share"])
    where = f"{least['modality']}/{least['measurement']}"
    verdict = worst([row["verdict"] for row in rows])
    text = {
        "holds": f"The latents explain most of every measurement, least of {where}.",
        "doubtful": f"The latents explain less than half of {where}; the rest is noise, or latents that are missing.",
        "violated": f"The latents say next to nothing of {where}: they are not what it shows.",
    }[verdict]
    return Finding("measurements show their latents", verdict, least["share"], text, rows)


def block_leakage(
    latents: ArrayLike,
    names: Sequence[str],
    views: Arrays,
    *,
    test: Given,
    rng: np.random.Generator,
    known: Sequence[Residual] | None = None,
) -> Finding:
    """Say whether what a measurement shows beyond its latents depends on other modalities' latents, given its own.

    It must not: a measurement's noise is its own. Where it does, the modality lacks a latent that others share, or the
    noise crosses modalities. The latents are given because what a regression leaves of ``g(z, eta)`` is not ``eta``:
    its spread follows z, and so anything that depends on z.

    The effect is the largest correlation of the three leading residual components with what own latents leave of the
    other modality's latents and of their squares, held out, less what as many pairs reach by chance; a dependence of
    spreads alone is not counted. Latents learned with error leave some of themselves in the residual and so raise it.

    Parameters
    ----------
    latents, names, views, rng, known
        As in `reconstruction`.
    test
        Takes two arrays and a third, shape (n, d), and returns the p-value of the first two's independence given it;
        what it refuses with `UntestableError` is not testable.

    Returns
    -------
    Finding
        The number is the largest effect. Rows: ``modality``, ``measurement``, ``other``, ``effect``, ``p``, ``p_holm``
        (over all rows), ``verdict``, ``reason``.

    Raises
    ------
    InputError
        As `personax.crl.residuals.residuals`.

    References
    ----------
    Shah, Peters 2020, arXiv:1804.07203 (correlations of residuals); Holm 1979, jstor 4615733.
    """
    z, _ = readable(latents, latents)
    blocks = groups(names)
    rows: list[dict[str, Any]] = []
    for one in _known(known, latents, names, views, rng):
        left = one.leading()
        given = blocks.get("shared", []) + blocks[one.modality]
        for other in views:
            if other != one.modality:
                row: dict[str, Any] = {"modality": one.modality, "measurement": one.measurement, "other": other}
                row["effect"] = _correlation(left, _beyond(z[:, given], z[:, blocks[other]], one))
                rows.append(row | _tested(test, left, z[one.people][:, blocks[other]], z[one.people][:, given]))
    settle(rows)
    parts = (
        "Nothing that measurements show beyond their latents depends on other modalities' latents.",
        "Beyond its latents, {} depends on the latents of another modality: a latent is missing or noise crosses over.",
        "Nothing could be tested: there is one modality, or the test refused.",
    )
    where = "{modality}/{measurement}"
    return _gathered("measurements' noise is no other modality's matter", rows, where, parts)


def conditional_independence(
    latents: ArrayLike,
    names: Sequence[str],
    views: Arrays,
    *,
    test: Given,
    rng: np.random.Generator,
    known: Sequence[Residual] | None = None,
) -> Finding:
    """Say whether measurements of a modality are independent given its latents and the shared ones.

    They must be: this is what identifies the block. Where they are not, they share a noise or a latent that is missing.
    The effect is the largest correlation of two residual components (of three each), less what as many pairs reach by
    chance; it is 0 under independence given the latents, also where the noise's spread depends on them.

    Parameters
    ----------
    latents, names, views, rng, known
        As in `reconstruction`.
    test
        Takes two arrays and a third, shape (n, d), and returns the p-value of the first two's independence given it.

    Returns
    -------
    Finding
        The number is the largest effect. Rows: ``modality``, ``first``, ``second``, ``effect``, ``p``, ``p_holm`` (over
        all rows), ``verdict``, ``reason``; a modality with one measurement has one row, not testable.

    Raises
    ------
    InputError
        As `personax.crl.residuals.residuals`.

    References
    ----------
    Shah, Peters 2020, arXiv:1804.07203 (correlations of residuals).
    """
    z, _ = readable(latents, latents)
    blocks = groups(names)
    rows: list[dict[str, Any]] = []
    every = _known(known, latents, names, views, rng)
    for modality in views:
        own = [one for one in every if one.modality == modality]
        given = blocks.get("shared", []) + blocks.get(modality, [])
        if len(own) == 1:
            only = {"modality": modality, "first": own[0].measurement, "second": None, "effect": 0.0}
            rows.append(only | {"p": None, "reason": "there is one measurement of this modality"})
        for a, b in combinations(own, 2):
            x, y = a.leading(), b.leading()
            pair = {"modality": modality, "first": a.measurement, "second": b.measurement, "effect": _correlation(x, y)}
            rows.append(pair | _tested(test, x, y, z[a.people][:, given]))
    settle(rows)
    parts = (
        "Measurements of a modality have nothing in common beyond its latents, wherever there are two of them.",
        "Given their latents, {} still depend on each other: a shared noise, or a latent missing or found with error.",
        "No modality has two measurements, or the test refused: noise of a measurement may pass for a latent.",
    )
    where = "{modality}/{first} and {modality}/{second}"
    return _gathered("measurements are independent given their latents", rows, where, parts)


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
    return _gathered("the latents' noise is independent", rows, "{x} and {y}", parts)


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


def _known(
    known: Sequence[Residual] | None,
    latents: ArrayLike,
    names: Sequence[str],
    views: Arrays,
    rng: np.random.Generator,
) -> Sequence[Residual]:
    return residuals(latents, names, views, rng=rng) if known is None else known


def _explained(one: Residual) -> dict[str, Any]:
    variances = one.components.var(axis=0)
    r2 = float(np.average(explained(one.predicted, one.components), weights=variances))
    share = max(0.0, r2) * one.covered
    verdict: Verdict = "holds" if share >= SHOWN else "violated" if share < HIDDEN else "doubtful"
    return {
        "modality": one.modality,
        "measurement": one.measurement,
        "components": len(variances),
        "r2": r2,
        "covered": one.covered,
        "share": share,
        "verdict": verdict,
    }


def _tested(test: Callable[..., float], *arrays: Array) -> dict[str, Any]:
    p, reason = asked(lambda: test(*arrays))
    return {"p": p, "reason": reason}


def _beyond(given: Array, other: Array, one: Residual) -> Array:
    """Return what the given latents leave of others and of their squares, for the people not fitted on."""
    scaled = standard(other)
    values = np.hstack([scaled, np.square(scaled)])
    predicted = fit_ridge(given[one.fitted], values[one.fitted]).predict(given[one.people])
    left: Array = values[one.people] - predicted
    return left


def _correlation(x: Array, y: Array) -> float:
    """Return the largest correlation of two columns, less what as many independent pairs reach by chance."""
    products = (standard(x)[:, :, None] * standard(y)[:, None, :]).reshape(len(x), -1)
    variances = products.var(axis=0) / len(x)  # of their means, where spreads depend on a third thing as well
    chance = 2 * np.log(max(2, products.shape[1])) * variances  # of the largest of as many squares of normal numbers
    return float(np.sqrt(max(0.0, (np.square(products.mean(axis=0)) - chance).max())))


def _gathered(assumption: str, rows: list[dict[str, Any]], where: str, parts: tuple[str, str, str]) -> Finding:
    """Return the finding of rows: what it says when all hold, when one does not (named), when none could be tested."""
    fine, broken, untested = parts
    verdict = worst([row["verdict"] for row in rows])
    if verdict == "not testable":
        return Finding(assumption, verdict, None, untested, rows)
    number = max(row["effect"] for row in rows if row["verdict"] != "not testable")
    if verdict == "holds":
        return Finding(assumption, verdict, number, fine, rows)
    at = max((row for row in rows if row["verdict"] == verdict), key=lambda row: row["effect"])
    hedge = "" if verdict == "violated" else " This is slight, or the test does not see it."
    return Finding(assumption, verdict, number, broken.format(where.format(**at)) + hedge, rows)
