"""What the measurements show before anything is trained, so that nobody waits for a fit that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax.crl._estimator import Arrays
from personax.crl._lacking import has_every_modality
from personax.crl._optimiser import validation_split
from personax.crl._remedy import single_measurement
from personax.crl.methods.default._agreed import copied_measurements, fit_agreed_components
from personax.crl.methods.default._crossing import describe_copies

__all__ = ["describe_few", "foresee"]

VALIDATION: Final = 0.1
FOLDS_SEED: Final = 0

FEW: Final = 300
"""People below which a tenth of them, held out, are fewer than thirty."""

LOOKED_AT: Final = 3000
"""People by whom it is foreseen."""


def foresee(views: Arrays, latents: Mapping[str, int]) -> list[str]:
    """Return what a fit of `default` will not find, a sentence each.

    Parameters
    ----------
    views, latents
        As `Method.fit` takes them; people may lack measurements.
    """
    people = np.flatnonzero(has_every_modality(views))
    rows = people[validation_split(len(people), VALIDATION)[1].numpy()][:LOOKED_AT]
    told = describe_few(len(people))
    told += describe_copies(views, rows)
    for modality, by in views.items():
        told += _of_modality(modality, by, latents[modality], rows)
    return told


def describe_few(people: int) -> list[str]:
    """Return a sentence where people are few.

    Examples
    --------
    >>> describe_few(30)
    ['30 people are few: 3 of them are held out to choose by, which is little more than chance; do not read one fit']
    >>> describe_few(3000)
    []
    """
    held = max(2, round(VALIDATION * people))
    text = f"{people} people are few: {held} of them are held out to choose by, which is little more than chance"
    return [f"{text}; do not read one fit"] if people < FEW else []


def _of_modality(modality: str, by: Mapping[str, NDArray[Any]], latents: int, rows: NDArray[np.intp]) -> list[str]:
    copies = {copy: name for name, copy in copied_measurements(by, rows)} if len(by) > 1 else {}
    told = [f"{modality}: {copy} is a linear map of {name}, and counts as no measurement of its own"
            for copy, name in copies.items()]  # fmt: skip
    own = {name: x for name, x in by.items() if name not in copies}
    if len(own) < 2:
        return [*told, single_measurement(modality, next(iter(own)))]
    agreed = fit_agreed_components(own, rows, np.random.default_rng(FOLDS_SEED)).count
    if agreed < latents:
        number = f"{agreed} linear component{'s' * (agreed != 1)}" if agreed else "nothing"
        told.append(
            f"{modality}: {latents} latents are asked for, and its measurements agree on {number}; ask for fewer, or "
            "add measurements or people"
        )
    return told
