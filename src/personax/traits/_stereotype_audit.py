"""The stereotype audit: the same person with one field changed, and whether the scores move.

The name is hidden and the rest of what is shown stays, so that a difference can come from nothing but the field. What
the text itself gives away of the field stays in it: the effects are those of naming the field on top of the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from personax.schema import TRAITS
from personax.traits._ratings import Floats, nan_mean
from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import Survey
from personax.traits.reliability._rating_array import Bootstrap, RatingArray, rounded

__all__ = ["CounterfactualAudit", "audit_effects", "counterfactual_audit", "most_frequent"]

NONE: Final = ""
"""The version without the field."""


@dataclass(frozen=True)
class CounterfactualAudit:
    """What is asked.

    Parameters
    ----------
    people
        Ids of the sample, as strings.
    fields
        Field -> the values that everybody gets in turn.
    surveys
        Field -> the questions, one person a version.
    fame
        The questions with name and text, text alone, and name alone; None where people have no name or text.
    """

    people: tuple[str, ...]
    fields: Mapping[str, Sequence[str]]
    surveys: Mapping[str, Survey[Prompt]]
    fame: Mapping[str, Survey[Prompt]] | None

    @property
    def all(self) -> list[Survey[Prompt]]:
        """In the order in which they are asked."""
        return [*self.surveys.values(), *(self.fame or {}).values()]


def counterfactual_audit(
    people: Sequence[Mapping[str, Any]],
    models: Sequence[Model],
    prompt: Prompt,
    fields: Mapping[str, Sequence[str]],
) -> CounterfactualAudit:
    """Return what to ask.

    Parameters
    ----------
    people
        A sample; each with ``id``, the prompt's fields, and ``name`` where there is one.
    prompt
        The study's own; its name field and the audited field are taken out of what is shown of everybody alike.
    fields
        Field -> values to give to everybody.
    """
    rest = tuple(field for field in prompt.fields if field != "name")
    survey = {
        field: Survey(
            [_version(person, field, value) for value in (NONE, *values) for person in people],
            models,
            replace(prompt, fields=(field, *(other for other in rest if other != field)), hide_name=True),
        )
        for field, values in fields.items()
    }
    fame = None
    if rest and any(str(person.get("name") or "").strip() for person in people):
        ways = {
            "both": replace(prompt, fields=("name", *rest), hide_name=False),
            "text": replace(prompt, fields=rest, hide_name=True),
            "name": replace(prompt, fields=("name",), hide_name=False),
        }
        fame = {way: Survey(people, models, own) for way, own in ways.items()}
    ids = tuple(str(person["id"]) for person in people)
    return CounterfactualAudit(ids, {field: list(values) for field, values in fields.items()}, survey, fame)


def _version(person: Mapping[str, Any], field: str, value: str) -> dict[str, Any]:
    return {**person, field: value or None, "id": _id(str(person["id"]), value)}


def _id(person: str, value: str) -> str:
    return f"{person}\x1f{value}"


def audit_effects(audit: CounterfactualAudit, journal: ReplyJournal, resampler: Bootstrap) -> dict[str, Any]:
    """Return the effect of each value on each trait, and what the name does, as stereotypes.json holds them.

    Returns
    -------
    dict
        ``fields``: one row a field, value and trait: ``effect``, the mean score with this value less the mean with the
        others, in the same people and models, with an interval over people; ``named``, the same against the version
        without the field; ``models``, the effect by model. ``chance``: how many of so many intervals leave 0 out by
        chance, and how many did. ``fame``: by model, see docs/traits.md; None where there are no names or no texts.
    """
    rows = [row for field in audit.fields for row in _of_field(audit, field, journal, resampler)]
    known = [row["effect"] for row in rows if row["effect"]["value"] is not None]
    away = sum(one["low"] > 0 or one["high"] < 0 for one in known)
    return {
        "people": len(audit.people),
        "fields": rows,
        "chance": {"intervals": len(known), "expected": rounded(0.05 * len(known)), "found": away},
        "fame": _fame(audit, journal, resampler) if audit.fame else None,
    }


def _of_field(
    audit: CounterfactualAudit, field: str, journal: ReplyJournal, resampler: Bootstrap
) -> list[dict[str, Any]]:
    values = [NONE, *audit.fields[field]]
    table = annotation_table(audit.surveys[field], journal)
    panel = RatingArray.of(table, [_id(person, value) for value in values for person in audit.people])
    # version, rater, trait, person
    scores = panel.means.reshape(len(panel.raters), len(TRAITS), len(values), len(audit.people)).transpose(2, 0, 1, 3)
    rows = []
    for place, value in enumerate(values[1:], start=1):
        own, others = scores[place], nan_mean(np.delete(scores[1:], place - 1, axis=0), axis=0)
        rows += [
            {
                "field": field,
                "value": value,
                "trait": trait,
                "effect": _difference(own[:, t], others[:, t], resampler),
                "named": _difference(own[:, t], scores[0, :, t], resampler),
                "models": {rater: rounded(_known(own[r, t] - others[r, t])) for r, rater in enumerate(panel.raters)},
            }
            for t, trait in enumerate(TRAITS)
        ]
    return rows


def _difference(one: Floats, other: Floats, resampler: Bootstrap) -> dict[str, Any]:
    """Return the mean difference over people, after that over raters; both of shape (raters, people)."""
    gap = nan_mean(one - other, 0)
    gap = gap[~np.isnan(gap)]
    why = "nobody has scores of both versions"
    return resampler.interval(lambda kept: float(gap[kept].mean()), len(gap), why=why)


def _fame(audit: CounterfactualAudit, journal: ReplyJournal, resampler: Bootstrap) -> list[dict[str, Any]]:
    assert audit.fame is not None
    ways = {way: RatingArray.of(annotation_table(survey, journal), audit.people) for way, survey in audit.fame.items()}
    return [
        {
            "model": rater,
            "known_by_name": _share(ways["name"].means[r], resampler),
            "name_moves": _moves(ways["both"].means[r], ways["text"].means[r], resampler),
            "name_repeats_text": _agrees(ways["name"].means[r], ways["text"].means[r], resampler),
        }
        for r, rater in enumerate(ways["name"].raters)
    ]


def _share(scores: Floats, resampler: Bootstrap) -> dict[str, Any]:
    """Return the share of traits scored, shape (traits, people)."""
    share = (~np.isnan(scores)).mean(axis=0)
    return resampler.interval(lambda kept: float(share[kept].mean()), len(share))


def _moves(one: Floats, other: Floats, resampler: Bootstrap) -> dict[str, Any]:
    """Return the mean absolute difference, shape (traits, people)."""
    gap = nan_mean(np.abs(one - other), 0)
    gap = gap[~np.isnan(gap)]
    why = "nobody has scores with and without the name"
    return resampler.interval(lambda kept: float(gap[kept].mean()), len(gap), why=why)


def _agrees(one: Floats, other: Floats, resampler: Bootstrap) -> dict[str, Any]:
    """Return Pearson's r over people and traits, each trait about its own mean; shape (traits, people)."""
    both = ~np.isnan(one) & ~np.isnan(other)

    def r(kept: np.ndarray) -> float:
        x, y, seen = one[:, kept], other[:, kept], both[:, kept]
        centred = [np.where(seen, v - nan_mean(np.where(seen, v, np.nan), 1)[:, None], 0.0) for v in (x, y)]
        scale = np.sqrt(np.square(centred[0]).sum() * np.square(centred[1]).sum())
        return float((centred[0] * centred[1]).sum() / scale) if scale > 1e-9 and seen.sum() >= 3 else float("nan")

    why = "fewer than three scores by name alone and by text alone, or they do not vary"
    return resampler.interval(r, one.shape[1], why=why)


def _known(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def most_frequent(people: pl.DataFrame, field: str, number: int) -> list[str]:
    """Return the most frequent values of a column, as text; ties in alphabetical order."""
    counts = people[field].drop_nulls().cast(pl.String).value_counts()
    return counts.sort(["count", field], descending=[True, False])[field].head(number).to_list()
