"""Measurements that some people lack: their vectors are rows of NaN, and nothing else of them is asked.

A vector of which only some numbers are missing is damaged, and refused as before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.crl._estimator import Arrays, Fitted

__all__ = [
    "describe_lacking",
    "encode_all",
    "has_every_measurement",
    "has_every_modality",
    "lacks",
    "people_to_fit",
    "some_people",
]

Rows = NDArray[np.bool_]

CHUNK = 4096


def lacks(x: NDArray[Any]) -> Rows:
    """Return which people lack a measurement, shape (n,): whose vectors hold no number at all.

    Examples
    --------
    >>> lacks(np.array([[1.0, 2.0], [np.nan, np.nan], [np.nan, 1.0]])).tolist()
    [False, True, False]
    """
    if x.ndim != 2 or not x.shape[1] or not np.issubdtype(x.dtype, np.floating):
        return np.zeros(len(x), dtype=bool)
    # measurements may lie in a file: never more than some rows at once
    found: Rows = (
        np.concatenate([np.isnan(x[start : start + CHUNK, 0]) for start in range(0, len(x), CHUNK)] or [[]]) > 0
    )
    at = np.flatnonzero(found)
    for start in range(0, len(at), CHUNK):
        rows = at[start : start + CHUNK]
        found[rows] = np.isnan(x[rows]).all(axis=1)
    return found


def has_every_modality(views: Arrays) -> Rows:
    """Return who has one measurement or more of every modality, shape (n,)."""
    return _all([~np.all([lacks(x) for x in by.values()], axis=0) for by in views.values() if by])


def has_every_measurement(views: Arrays) -> Rows:
    """Return who has every measurement, shape (n,)."""
    return _all([~lacks(x) for by in views.values() for x in by.values()])


def _all(found: list[Rows]) -> Rows:
    return np.asarray(np.all(found, axis=0))


def people_to_fit(method: object, views: Arrays) -> Rows:
    """Return the people whom a method can be fitted on, shape (n,); see `Estimator.fits_lacking`."""
    fits_lacking = getattr(method, "fits_lacking", False)
    return has_every_modality(views) if fits_lacking else has_every_measurement(views)


def some_people(views: Arrays, rows: Rows) -> Arrays:
    """Return the measurements of some people; the same object where these are all."""
    if rows.all():
        return views
    return {m: {k: x[rows] for k, x in by.items()} for m, by in views.items()}


def encode_all(fit: Fitted, views: Arrays) -> NDArray[np.float64]:
    """Return the latents of all people, shape (n, d); NaN where what a person lacks leaves them unknown."""
    if getattr(fit, "fits_lacking", False):
        return fit.encode(views)
    rows = has_every_measurement(views)
    if rows.all():
        return fit.encode(views)
    found = np.full((len(rows), len(fit.names)), np.nan)
    if rows.any():
        found[rows] = fit.encode(some_people(views, rows))
    return found


def describe_lacking(method: object, views: Arrays) -> list[tuple[str, int]]:
    """Return a sentence and a number of people for each measurement and modality that some people lack.

    Examples
    --------
    >>> x = np.array([[1.0], [np.nan]])
    >>> describe_lacking(None, {"text": {"a": x}})[0]
    ('1 of 2 people lack every vector of text: Level II was fitted without them, and their text latents are empty.', 1)
    """
    told: list[tuple[str, Rows]] = []
    fits_lacking = getattr(method, "fits_lacking", False)
    for modality, by in views.items():
        without = {name: lacks(x) for name, x in by.items()}
        nobody = np.all(list(without.values()), axis=0)
        if nobody.any():
            told.append((_lack(nobody, f"every vector of {modality}", f"their {modality} latents are empty"), nobody))
        for name, rows in without.items():
            some = rows & ~nobody
            if not some.any():
                continue
            if fits_lacking:
                others = "the other measurements of " + modality
                text = f"{some.sum()} of {len(rows)} people lack {modality}/{name}: they are encoded from {others}."
            else:
                text = _lack(some, f"{modality}/{name}", "their latents are empty")
            told.append((text, some))
    return [(text, int(rows.sum())) for text, rows in told]


def _lack(rows: Rows, what: str, then: str) -> str:
    return f"{rows.sum()} of {len(rows)} people lack {what}: Level II was fitted without them, and {then}."
