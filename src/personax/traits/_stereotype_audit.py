"""The stereotype audit: the same person with one field changed, and whether the scores move.

The name is hidden and the rest of what is shown stays, so that a difference can come from nothing but the field. What
the text itself gives away of the field stays in it: the effects are those of naming the field on top of the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.stats import rankdata

from personax.results import Result
from personax.traits._knowledge_cutoff import by_cutoff
from personax.traits._ratings import Floats, nan_mean
from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import VERSION, Survey
from personax.traits.reliability._rating_array import Bootstrap, RatingArray, rounded

__all__ = ["AuditEffects", "CounterfactualAudit", "audit_effects", "counterfactual_audit", "most_frequent"]

NO_VALUE: Final = ""
"""The version without the field."""


@dataclass(frozen=True)
class CounterfactualAudit:
    """The surveys of a counterfactual audit.

    Parameters
    ----------
    people
        Ids of the sample, as strings.
    fields
        Field -> the values that everybody gets in turn.
    surveys
        Field -> the questions, one person a version.
    name_recognition
        The questions with name and text, text alone, and name alone; None where people have no name or text.
    popularity
        How many know each person, NaN where that is not known, shape (people,); None where nothing tells.
    dates
        When each person's text is from, as the people table has it; None where nothing tells.
    """

    people: tuple[str, ...]
    fields: Mapping[str, Sequence[str]]
    surveys: Mapping[str, Survey[Prompt]]
    name_recognition: Mapping[str, Survey[Prompt]] | None
    popularity: Floats | None = None
    dates: tuple[object, ...] | None = None

    @property
    def traits(self) -> tuple[str, ...]:
        """Names of the traits asked for."""
        return next(iter(self.surveys.values())).prompt.traits

    @property
    def all(self) -> list[Survey[Prompt]]:
        """All surveys, in the order in which they are run."""
        return [*self.surveys.values(), *(self.name_recognition or {}).values()]


def counterfactual_audit(
    people: Sequence[Mapping[str, Any]],
    models: Sequence[Model],
    prompt: Prompt,
    fields: Mapping[str, Sequence[str]],
    *,
    popularity: str | None = None,
    dated: str | None = None,
) -> CounterfactualAudit:
    """Make the surveys: everybody with each value of each field, names hidden, and the name-recognition surveys.

    Parameters
    ----------
    people
        A sample; each with ``id``, the prompt's fields, and ``name`` where there is one.
    prompt
        The study's own; its name field and the audited field are taken out of what is shown of everybody alike.
    fields
        Field -> values to give to everybody.
    popularity
        A column of numbers that tell how many know a person; nobody is shown it.
    dated
        A column that tells when a person's text is from, to the day, month or year; nobody is shown it.
    """
    rest = tuple(field for field in prompt.fields if field != "name")
    survey = {
        field: Survey(
            [_version(person, field, value) for value in (NO_VALUE, *values) for person in people],
            models,
            prompt.replaced(fields=(field, *(other for other in rest if other != field)), hide_name=True),
        )
        for field, values in fields.items()
    }
    name_recognition = None
    if rest and any(str(person.get("name") or "").strip() for person in people):
        ways = {
            "both": prompt.replaced(fields=("name", *rest), hide_name=False),
            "text": prompt.replaced(fields=rest, hide_name=True),
            "name": prompt.replaced(fields=("name",), hide_name=False),
        }
        name_recognition = {way: Survey(people, models, own) for way, own in ways.items()}
    ids = tuple(str(person["id"]) for person in people)
    given = {field: list(values) for field, values in fields.items()}
    known = None if popularity is None else np.array([person[popularity] for person in people], dtype=float)
    dates = None if dated is None else tuple(person[dated] for person in people)
    return CounterfactualAudit(ids, given, survey, name_recognition, known, dates)


def _version(person: Mapping[str, Any], field: str, value: str) -> dict[str, Any]:
    return {**person, field: value or None, "id": _id(str(person["id"]), value)}


def _id(person: str, value: str) -> str:
    return f"{person}{VERSION}{value}"


class AuditEffects(dict[str, Any], Result):
    """Effects of changed fields on scores, as stereotypes.json holds them; see `audit_effects`."""

    def to_frame(self) -> pl.DataFrame:
        """Return a row a field, value and trait: ``field value trait effect low high n reason``."""
        keys = {"field": pl.String, "value": pl.String, "trait": pl.String}
        schema = {**keys, **dict.fromkeys(("effect", "low", "high"), pl.Float64), "n": pl.Int64, "reason": pl.String}
        rows = [
            {**{key: row[key] for key in keys}, "effect": row["effect"]["value"]}
            | {name: row["effect"][name] for name in ("low", "high", "n", "reason")}
            for row in self["fields"]
        ]
        return pl.DataFrame(rows, schema=schema)


def audit_effects(audit: CounterfactualAudit, journal: ReplyJournal, bootstrap: Bootstrap) -> AuditEffects:
    """Return the effect of each value on each trait, and what the name does.

    Returns
    -------
    AuditEffects
        ``fields``: one row a field, value and trait: ``effect``, the mean score with this value less the mean with the
        others, in the same people and models, with an interval over people; ``named``, the same against the version
        without the field; ``models``, the effect by model. ``chance``: how many of so many intervals leave 0 out by
        chance, and how many did. ``fame``: by model, see docs/traits.md; None where there are no names or no texts.
    """
    rows = [row for field in audit.fields for row in _field_effects(audit, field, journal, bootstrap)]
    known = [row["effect"] for row in rows if row["effect"]["value"] is not None]
    away = sum(one["low"] > 0 or one["high"] < 0 for one in known)
    return AuditEffects(
        people=len(audit.people),
        fields=rows,
        chance={"intervals": len(known), "expected": rounded(0.05 * len(known)), "found": away},
        fame=_name_recognition(audit, journal, bootstrap) if audit.name_recognition else None,
    )


def _field_effects(
    audit: CounterfactualAudit, field: str, journal: ReplyJournal, bootstrap: Bootstrap
) -> list[dict[str, Any]]:
    values = [NO_VALUE, *audit.fields[field]]
    table = annotation_table(audit.surveys[field], journal)
    ratings = RatingArray.from_annotations(
        table, [_id(person, value) for value in values for person in audit.people], audit.traits
    )
    # version, rater, trait, person
    scores = ratings.means.reshape(len(ratings.raters), len(ratings.traits), len(values), len(audit.people)).transpose(
        2, 0, 1, 3
    )
    rows = []
    for place, value in enumerate(values[1:], start=1):
        own, others = scores[place], nan_mean(np.delete(scores[1:], place - 1, axis=0), axis=0)
        rows += [
            {
                "field": field,
                "value": value,
                "trait": trait,
                "effect": _difference(own[:, t], others[:, t], bootstrap),
                "named": _difference(own[:, t], scores[0, :, t], bootstrap),
                "models": {rater: rounded(_known(own[r, t] - others[r, t])) for r, rater in enumerate(ratings.raters)},
            }
            for t, trait in enumerate(ratings.traits)
        ]
    return rows


def _difference(one: Floats, other: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the mean difference over people, after that over raters; both of shape (raters, people)."""
    gap = nan_mean(one - other, 0)
    gap = gap[~np.isnan(gap)]
    reason = "nobody has scores of both versions"
    return bootstrap.interval(lambda index: float(gap[index].mean()), len(gap), reason=reason)


def _name_recognition(audit: CounterfactualAudit, journal: ReplyJournal, bootstrap: Bootstrap) -> list[dict[str, Any]]:
    assert audit.name_recognition is not None
    ways = {
        way: RatingArray.from_annotations(annotation_table(survey, journal), audit.people, audit.traits)
        for way, survey in audit.name_recognition.items()
    }
    cutoffs = {model.name: model.cutoff for model in audit.name_recognition["name"].models}
    return [
        {
            "model": rater,
            "known_by_name": _share(ways["name"].means[r], bootstrap),
            "name_moves": _mean_shift(ways["both"].means[r], ways["text"].means[r], bootstrap),
            "name_repeats_text": _correlation(ways["name"].means[r], ways["text"].means[r], bootstrap),
            **({} if audit.popularity is None else _by_popularity(ways, r, audit.popularity, bootstrap)),
            "knowledge": _by_cutoff(ways, r, cutoffs.get(rater), audit.dates, bootstrap),
        }
        for r, rater in enumerate(ways["name"].raters)
    ]


def _by_cutoff(
    ways: Mapping[str, RatingArray], rater: int, cutoff: str | None, dates: Sequence[object] | None,
    bootstrap: Bootstrap,
) -> dict[str, Any]:  # fmt: skip
    """Return what the name alone gives, repeats and moves of people whose texts the model can have learned, or not."""
    by_name, both, text = (ways[way].means[rater] for way in ("name", "both", "text"))
    known, moved = (~np.isnan(by_name)).mean(axis=0), nan_mean(np.abs(both - text), 0)
    measures = {
        "known_by_name": lambda index: float(known[index].mean()),
        "name_moves": lambda index: _known(moved[index]),
        "name_repeats_text": lambda index: _pooled_r(by_name[:, index], text[:, index]),
    }
    return by_cutoff(cutoff, dates, measures, bootstrap)


def _by_popularity(
    ways: Mapping[str, RatingArray], rater: int, popularity: Floats, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Return Spearman's correlations of popularity with what the name alone gives, and with how far the name moves."""
    by_name, both, text = (ways[way].means[rater] for way in ("name", "both", "text"))
    return {
        "known_by_popularity": _rank_correlation(popularity, (~np.isnan(by_name)).mean(axis=0), bootstrap),
        "moves_by_popularity": _rank_correlation(popularity, nan_mean(np.abs(both - text), 0), bootstrap),
    }


def _rank_correlation(one: Floats, other: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    seen = ~np.isnan(one) & ~np.isnan(other)
    x, y = one[seen], other[seen]

    def rho(index: np.ndarray) -> float:
        ranks = [rankdata(values[index]) for values in (x, y)]
        if len(index) < 3 or min(np.ptp(rank) for rank in ranks) == 0:
            return float("nan")
        return float(np.corrcoef(ranks[0], ranks[1])[0, 1])

    return bootstrap.interval(rho, len(x), reason="fewer than three people, or all are the same")


def _share(scores: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the share of traits scored, shape (traits, people)."""
    share = (~np.isnan(scores)).mean(axis=0)
    return bootstrap.interval(lambda index: float(share[index].mean()), len(share))


def _mean_shift(one: Floats, other: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the mean absolute difference, shape (traits, people)."""
    gap = nan_mean(np.abs(one - other), 0)
    gap = gap[~np.isnan(gap)]
    reason = "nobody has scores with and without the name"
    return bootstrap.interval(lambda index: float(gap[index].mean()), len(gap), reason=reason)


def _correlation(one: Floats, other: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return Pearson's r over people and traits, each trait about its own mean; shape (traits, people)."""
    reason = "fewer than three scores by name alone and by text alone, or they do not vary"
    return bootstrap.interval(lambda index: _pooled_r(one[:, index], other[:, index]), one.shape[1], reason=reason)


def _pooled_r(x: Floats, y: Floats) -> float:
    seen = ~np.isnan(x) & ~np.isnan(y)
    centred = [np.where(seen, v - nan_mean(np.where(seen, v, np.nan), 1)[:, None], 0.0) for v in (x, y)]
    scale = np.sqrt(np.square(centred[0]).sum() * np.square(centred[1]).sum())
    return float((centred[0] * centred[1]).sum() / scale) if scale > 1e-9 and seen.sum() >= 3 else float("nan")


def _known(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def most_frequent(people: pl.DataFrame, field: str, number: int) -> list[str]:
    """Return the most frequent values of a column, as text; ties in alphabetical order."""
    counts = people[field].drop_nulls().cast(pl.String).value_counts()
    return counts.sort(["count", field], descending=[True, False])[field].head(number).to_list()
