"""Share of the measurements' variance that their latents explain, held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from personax.crl._estimator import Arrays
from personax.crl.diagnostics._residuals import MeasurementResidual, residuals_of
from personax.crl.diagnostics._verdict import Diagnosis, Verdict, worst
from personax.crl.metrics._r2 import r2_score

__all__ = ["explained_variance"]

SHOWN: Final = 0.5
"""Share of variance from which a measurement shows mainly its latents."""

HIDDEN: Final = 0.1
"""Share of variance below which the latents say next to nothing of the measurement."""


def explained_variance(
    latents: ArrayLike,
    names: Sequence[str],
    views: Arrays,
    *,
    rng: np.random.Generator,
    known: Sequence[MeasurementResidual] | None = None,
) -> Diagnosis:
    """Return how much of each measurement its modality's latents and the shared ones explain, held out.

    What they leave is the measurement's noise, so a share below 1 is no fault; a share near 0 says that the latents are
    not what the measurement shows.

    Parameters
    ----------
    latents
        Shape (n, d).
    names
        Of the columns, as `personax.crl._estimator.Fitted` names them.
    views
        Measurements of the same people.
    rng
        Splits the people.
    known
        What `personax.crl.diagnostics._residuals.residuals` returned for these, to save its time.

    Returns
    -------
    Diagnosis
        The number is the smallest share. Rows: ``modality``, ``measurement``, ``components``, ``r2`` (of the
        components, weighted by variance), ``covered`` (share of variance that they hold), ``share`` (of all variance),
        ``verdict``.

    Raises
    ------
    InputError
        As `personax.crl.diagnostics._residuals.residuals`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(400, 1))
    >>> found = explained_variance(z, ["text_1"], {"text": {"a": np.hstack([z, -z])}}, rng=rng)
    >>> found.verdict, round(found.number, 1)
    ('holds', 1.0)
    """
    rows = [_explained(one) for one in residuals_of(known, latents, names, views, rng)]
    least = min(rows, key=lambda row: row["share"])
    where = f"{least['modality']}/{least['measurement']}"
    verdict = worst([row["verdict"] for row in rows])
    text = {
        "holds": f"The latents explain most of every measurement, least of {where}.",
        "doubtful": f"The latents explain less than half of {where}; the rest is noise, or latents that are missing.",
        "violated": f"The latents say next to nothing of {where}: they are not what it shows.",
    }[verdict]
    return Diagnosis("measurements show their latents", verdict, least["share"], text, rows)


def _explained(one: MeasurementResidual) -> dict[str, Any]:
    variances = one.components.var(axis=0)
    r2 = float(np.average(r2_score(one.predicted, one.components), weights=variances))
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
