"""Anchoring vignettes: the same invented people put before every model, now and at later dates.

What models say of them puts models on one scale where they rated different people, and shows when one has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import polars as pl
import yaml

from personax.errors import InputError
from personax.schema import TraitFramework
from personax.traits._ratings import nan_mean
from personax.traits.llms import Model, Prompt, Survey
from personax.traits.reliability import RatingArray

__all__ = ["vignette_report", "vignette_survey", "vignettes"]

ENDS: Final = ("low", "middle", "high")
FIELD: Final = "biography"

MARKED: Final = "People who know this person well use these words: {}."


@lru_cache
def _written() -> dict[str, dict[str, dict[str, list[str]]]]:
    text = files("personax.traits.audits").joinpath("vignettes.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, dict[str, list[str]]]] = yaml.safe_load(text)
    return found


def vignettes(framework: TraitFramework) -> list[dict[str, str]]:
    """Return the invented people of a framework: ``id``, ``trait``, ``end``, ``biography``.

    Those written for it, or sentences of the adjective markers of its traits.

    Raises
    ------
    InputError
        There are none for it, and its traits have no markers.

    Examples
    --------
    >>> from personax.traits import BIG_FIVE
    >>> vignettes(BIG_FIVE)[0]["id"]
    'vignette openness low 1'
    """
    written: Mapping[str, Mapping[str, Sequence[str]]] = _written().get(framework.name) or {
        trait.name: {"low": [MARKED.format(", ".join(trait.low))], "high": [MARKED.format(", ".join(trait.high))]}
        for trait in framework.traits
        if trait.low and trait.high
    }
    if not written:
        text = f"the framework {framework.name} has no vignettes and no markers of its traits; set vignettes to 0"
        raise InputError(text)
    return [
        {"id": f"vignette {trait} {end} {number}", "trait": trait, "end": end, FIELD: text}
        for trait, ends in written.items()
        for end in ENDS
        for number, text in enumerate(ends.get(end, ()), start=1)
    ]


def vignette_survey(models: Sequence[Model], prompt: Prompt, times: int) -> Survey[Prompt]:
    """Ask every model about every vignette, so many times; times that the journal holds are not asked again."""
    people = vignettes(prompt.framework)
    return Survey(people, models, prompt.replaced(fields=(FIELD,), hide_name=False), times)


def vignette_report(
    annotations: pl.DataFrame, framework: TraitFramework, dates: Mapping[tuple[str, int], str]
) -> dict[str, Any]:
    """Return what raters say of the vignettes, and whether it changed from the first time to the last.

    Parameters
    ----------
    annotations
        Answers to `vignette_survey`; ``repeat`` is the time.
    dates
        Rater and time -> day on which it was asked.

    Returns
    -------
    dict
        ``raters``: rater -> ``traits`` (trait -> ``low``, ``middle``, ``high``: its mean score of those vignettes),
        ``ordered`` (share of the traits of which low < high), ``severity`` (mean over vignettes less that of all
        raters), ``dates`` and ``drift`` (last time less first: ``value``, ``low``, ``high``, ``p_value``, ``n``, by a
        paired t test over vignettes and traits of one vignette's mean; None where it was asked once).
    """
    people = vignettes(framework)
    array = RatingArray.from_annotations(annotations, [one["id"] for one in people], framework.names)
    overall = nan_mean(nan_mean(array.means, 0), 0)
    found = {}
    for r, rater in enumerate(array.raters):
        traits = {
            trait: {end: _mean(array.means[r, t, [one["trait"] == trait and one["end"] == end for one in people]])
                    for end in ENDS}
            for t, trait in enumerate(framework.names)
        }  # fmt: skip
        ends = [(one["low"], one["high"]) for one in traits.values()]
        known = [low < high for low, high in ends if low is not None and high is not None]
        found[rater] = {
            "traits": traits,
            "ordered": float(np.mean(known)) if known else None,
            "severity": _mean(nan_mean(array.means[r], 0) - overall),
            "dates": [dates.get((rater, time)) for time in range(array.scores.shape[3])],
            "drift": _drift(nan_mean(array.scores[r], 0)),
        }
    return {"vignettes": len(people), "raters": found}


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), 6) if len(known) else None


def _drift(scores: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | int] | None:
    """Return the change of scores, shape (vignettes, times), from the first time to the last."""
    from scipy.stats import t

    change = scores[:, -1] - scores[:, 0]
    change = change[~np.isnan(change)]
    if scores.shape[1] < 2 or len(change) < 3:
        return None
    mean, error = float(change.mean()), float(change.std(ddof=1) / np.sqrt(len(change)))
    wide = float(t.ppf(0.975, len(change) - 1)) * error
    p = float(2 * t.sf(abs(mean) / error, len(change) - 1)) if error > 0 else float(mean == 0)
    return {"value": mean, "low": mean - wide, "high": mean + wide, "p_value": p, "n": len(change)}
