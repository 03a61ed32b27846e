"""Models side by side: what each is asked, what it is measured by, and one overall score.

All scores lie in [0, 1], more is better; docs/choosing.md has the formulas. Everything comes from responses in the
journal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.schema import ENDINGS
from personax.traits.llms._annotations import trait_ratings
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._reply_parsing import is_withheld
from personax.traits.llms._requests import Question, Survey
from personax.traits.llms._responses import ModelResponse, model_responses, stored_reply
from personax.traits.model_selection._probes import PRIVACY_PROBES, FactQuestion, PrivacyProbe, is_bare_json
from personax.traits.reliability._rating_array import Bootstrap

__all__ = [
    "DIMENSIONS",
    "ModelMeasurements",
    "SelectionSurveys",
    "compare_models",
    "measure",
    "overall_score",
    "selection_surveys",
]


DIMENSIONS: Final = ("time", "answered", "decided", "privacy", "format", "consistency", "facts", "cost")

MISSING_STATUSES: Final = {*ENDINGS["unreadable"], "filtered", "failed"}
UNDECIDED_FLAGS: Final = {"hesitation", "contradictory"}


@dataclass
class ModelMeasurements:
    """One model's numbers, a list a person; ``time`` in seconds and ``cost`` in the prices' currency an answer.

    Parameters
    ----------
    values
        Dimension -> person -> numbers; a person without any is not in it.
    """

    values: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, dimension: str, person: str, *numbers: float) -> None:
        """Add numbers of a person."""
        if numbers:
            self.values[dimension][person].extend(numbers)

    def means(self, dimension: str) -> list[float]:
        """Return the mean of each person who has any."""
        return [float(np.mean(numbers)) for numbers in self.values[dimension].values()]


def measure(
    traits: Iterable[tuple[Prompt, Sequence[ModelResponse]]],
    facts: tuple[FactQuestion, Sequence[ModelResponse]] | None,
    privacy_probes: Iterable[tuple[PrivacyProbe, Sequence[ModelResponse]]],
) -> dict[str, ModelMeasurements]:
    """Measure models by their responses.

    Parameters
    ----------
    traits
        The trait prompt, and its paraphrase, with the answers of all models.
    facts, privacy_probes
        The other questions with theirs.

    Returns
    -------
    dict
        Model -> its numbers.
    """
    measurements: dict[str, ModelMeasurements] = defaultdict(ModelMeasurements)
    levels: dict[tuple[str, str, str], list[int | None]] = defaultdict(list)
    for prompt, answers in traits:
        for response in answers:
            if response.was_asked:
                _add_response(measurements[response.model], response, prompt, levels)
    for (model, person, _), answers_given in levels.items():
        pairs = [a == b for i, a in enumerate(answers_given) for b in answers_given[:i]]
        measurements[model].add("consistency", person, *(float(same) for same in pairs))
    if facts is not None:
        for response in facts[1]:
            if response.reply is not None:
                measurements[response.model].add(
                    "facts", str(response.person["id"]), *facts[0].score_answers(response.reply, response.person)
                )
    for _, answers in privacy_probes:
        for response in answers:
            withheld = is_withheld(response.reply) if response.reply is not None else None
            if withheld is not None:
                measurements[response.model].add("privacy", str(response.person["id"]), float(withheld))
    return dict(measurements)


def _add_response(
    measurements: ModelMeasurements,
    response: ModelResponse,
    prompt: Prompt,
    levels: dict[tuple[str, str, str], list[int | None]],
) -> None:
    person, ratings = str(response.person["id"]), trait_ratings(response, prompt)
    measurements.add("answered", person, *(float(rating.status not in MISSING_STATUSES) for rating in ratings))
    readable = [rating for rating in ratings if rating.status not in MISSING_STATUSES]
    measurements.add("decided", person, *(float(rating.flag not in UNDECIDED_FLAGS) for rating in readable))
    for rating in ratings:
        if rating.status in ("ok", "insufficient"):
            levels[response.model, person, rating.trait].append(None if rating.score is None else int(rating.score))
    if response.entries:
        first = stored_reply(response.entries[0])
        measurements.add("format", person, float(is_bare_json(first) and prompt.problem(first) is None))
        measurements.add("time", person, response.latency or 0.0)
        if response.cost is not None:
            measurements.add("cost", person, response.cost)


N_WEIGHT_DRAWS: Final = 10_000


def overall_score(
    scores: pl.DataFrame, weights: Mapping[str, float] | None = None, *, rng: np.random.Generator
) -> pl.DataFrame:
    """Return the overall score OS of every model: the weighted mean of its dimensions.

    Parameters
    ----------
    scores
        One row a model and dimension: ``model``, ``dimension``, ``score`` in [0, 1], null where there is none.
    weights
        Dimension -> weight; equal where nothing is given. A dimension that no model has is left out for all.
    rng
        For the sensitivity analysis: 10,000 weights drawn evenly from all that add up to 1 (Dirichlet).

    Returns
    -------
    polars.DataFrame
        ``model``, ``os``, ``rank`` with these weights; ``first_share``, the share of drawn weights for which it is
        first; ``rank_low`` and ``rank_high``, the middle 90 % of its ranks; ``worst_drop``, the dimension without which
        its rank would be worst, with ``rank_without``; ``reason`` where it lacks a dimension that others have: it has
        no OS then.

    Raises
    ------
    InputError
        An unknown dimension, a weight below 0, no weight above 0.

    References
    ----------
    Saisana, Saltelli, Tarantola 2005, doi:10.1111/j.1467-985X.2005.00350.x, for the sensitivity of a composite's ranks.

    Examples
    --------
    >>> rows = {"model": ["a", "a", "b", "b"], "dimension": ["x", "y"] * 2, "score": [1.0, 0.5, 0.5, 0.5]}
    >>> overall_score(pl.DataFrame(rows), rng=np.random.default_rng(0)).select("model", "os", "rank").rows()
    [('a', 0.75, 1), ('b', 0.5, 2)]
    """
    table = scores.pivot("dimension", index="model", values="score", maintain_order=True)
    known = [name for name in table.columns[1:] if table[name].null_count() < table.height]
    weight = _weights(weights, table.columns[1:], known)
    rows = [dict(zip(known, row, strict=True)) for row in table.select(known).iter_rows()]
    missing = [", ".join(name for name, value in row.items() if value is None) for row in rows]
    complete = [place for place, reason in enumerate(missing) if not reason]
    x = table.select(known).to_numpy()[complete].astype(float)
    draws = rng.dirichlet(np.ones(len(known)), N_WEIGHT_DRAWS) if known else np.empty((N_WEIGHT_DRAWS, 0))
    ranked = {place: _ranked(x, at, weight, known, draws) for at, place in enumerate(complete) if known}
    overall_rows = [
        {"model": model, **ranked.get(place, {}), "reason": f"no {missing[place]}" if missing[place] else None}
        for place, model in enumerate(table["model"])
    ]
    schema = {
        "model": pl.String, "os": pl.Float64, "rank": pl.Int64, "first_share": pl.Float64, "rank_low": pl.Int64,
        "rank_high": pl.Int64, "worst_drop": pl.String, "rank_without": pl.Int64, "reason": pl.String,
    }  # fmt: skip
    return pl.DataFrame(overall_rows, schema=schema).sort("os", descending=True, nulls_last=True, maintain_order=True)


def _weights(given: Mapping[str, float] | None, dimensions: list[str], known: list[str]) -> np.ndarray:
    for name, value in (given or {}).items():
        if name not in dimensions:
            raise InputError(f"there is no dimension {name} to weight; there are {', '.join(dimensions)}")
        if value < 0 or not np.isfinite(value):
            raise InputError(f"the weight of {name} is {value:g}; it must be 0 or more")
    weight = np.array([(given or {}).get(name, 0.0 if given else 1.0) for name in known])
    if known and weight.sum() <= 0:
        raise InputError("all weights are 0; weight at least one dimension that was measured")
    return np.asarray(weight / weight.sum()) if known else weight


def _ranked(
    x: np.ndarray, at: int, weight: np.ndarray, known: list[str], draws: np.ndarray
) -> dict[str, float | int | str | None]:
    """Return one model's row; equal scores share the better rank."""
    drawn = _ranks(draws @ x.T)[:, at]
    without = {}
    for place, name in enumerate(known):
        rest = np.delete(weight, place)
        if rest.sum() > 0:
            without[name] = int(_ranks((np.delete(x, place, axis=1) @ rest)[None, :])[0, at])
    worst = max(without, key=lambda name: without[name]) if without else None
    low, high = np.quantile(drawn, [0.05, 0.95], method="nearest")
    return {
        "os": float(x[at] @ weight),
        "rank": int(_ranks((x @ weight)[None, :])[0, at]),
        "first_share": float((drawn == 1).mean()),
        "rank_low": int(low),
        "rank_high": int(high),
        "worst_drop": worst,
        "rank_without": without.get(worst) if worst is not None else None,
    }


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Return ranks along rows, 1 the largest."""
    rounded = np.round(scores, 12)
    return np.asarray(1 + (rounded[:, None, :] > rounded[:, :, None]).sum(axis=2))


RELATIVE: Final = ("time", "cost")
"""Dimensions whose score is the least of all models over the model's own."""

MISSING_REASONS: Final = {
    "time": "it gave no answer",
    "answered": "it was not asked",
    "decided": "it gave no readable answer",
    "privacy": "it was sent no privacy probe, or answered none",
    "format": "it gave no answer",
    "consistency": "no trait of anybody was answered twice",
    "facts": "it was asked for no facts, or gave no answer",
    "cost": "its prices, or the tokens of its answers, are not known",
}


@dataclass(frozen=True)
class SelectionSurveys:
    """The surveys that compare models.

    Parameters
    ----------
    traits, paraphrase
        The study's own prompt, with repeats; the same in other words, once.
    facts, privacy_probes
        What else; None or nothing where it was left out.
    """

    traits: Survey[Prompt]
    paraphrase: Survey[Prompt]
    facts: Survey[FactQuestion] | None
    privacy_probes: Sequence[Survey[PrivacyProbe]]

    @property
    def all(self) -> list[Survey[Question]]:
        """All surveys, in the order in which they are run."""
        return [self.traits, self.paraphrase, *([self.facts] if self.facts else []), *self.privacy_probes]


def selection_surveys(
    people: Sequence[Mapping[str, Any]],
    models: Sequence[Model],
    prompt: Prompt,
    *,
    facts: Sequence[str] = (),
    privacy_probes: Sequence[str] = tuple(PRIVACY_PROBES),
    repeats: int = 2,
) -> SelectionSurveys:
    """Make the surveys that compare models.

    Parameters
    ----------
    people
        A sample; each with ``id``, ``name``, the prompt's fields and the facts.
    facts
        Columns that hold checkable facts.
    privacy_probes
        Of `PRIVACY_PROBES`.
    repeats
        Of the trait prompt, at least 2 for consistency.
    """
    return SelectionSurveys(
        Survey(people, models, prompt, repeats),
        Survey(people, models, prompt.replaced(wording="paraphrased")),
        Survey(people, models, FactQuestion(tuple(facts))) if facts else None,
        [Survey(people, models, PrivacyProbe(kind)) for kind in privacy_probes],
    )


def compare_models(questions: SelectionSurveys, journal: ReplyJournal, bootstrap: Bootstrap) -> pl.DataFrame:
    """Return a row a model and dimension from the answers in the journal.

    Returns
    -------
    polars.DataFrame
        ``model``, ``dimension``, ``value`` (seconds and money for time and cost, a share otherwise), ``score`` in
        [0, 1] with ``low`` and ``high``, ``n`` people, ``reason`` where there is none. Intervals are over people; those
        of time and cost take the best model as it is.
    """

    def answers(survey: Survey[Question]) -> list[ModelResponse]:
        return list(model_responses(survey, journal))

    by_model = measure(
        [(survey.prompt, answers(survey)) for survey in (questions.traits, questions.paraphrase)],
        (questions.facts.prompt, answers(questions.facts)) if questions.facts else None,
        [(survey.prompt, answers(survey)) for survey in questions.privacy_probes],
    )
    models = [model.name for model in questions.traits.models]
    measured = {name: by_model.get(name, ModelMeasurements()) for name in models}
    best = {dimension: _least(dimension, measured) for dimension in RELATIVE}
    rows = [
        {"model": model, "dimension": dimension, **_score(numbers.means(dimension), dimension, best, bootstrap)}
        for model, numbers in measured.items()
        for dimension in DIMENSIONS
    ]
    schema = {
        "model": pl.String, "dimension": pl.String, "value": pl.Float64, "score": pl.Float64, "low": pl.Float64,
        "high": pl.Float64, "n": pl.Int64, "reason": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _least(dimension: str, measured: Mapping[str, ModelMeasurements]) -> float:
    known = [_middle(numbers.means(dimension), dimension) for numbers in measured.values()]
    return min((value for value in known if value is not None), default=0.0)


def _middle(values: Sequence[float], dimension: str) -> float | None:
    if not values:
        return None
    return float(np.median(values) if dimension == "time" else np.mean(values))


def _score(values: Sequence[float], dimension: str, best: Mapping[str, float], bootstrap: Bootstrap) -> dict[str, Any]:
    known = np.asarray(values)

    def score(index: np.ndarray) -> float:
        middle = _middle(known[index].tolist(), dimension)
        assert middle is not None
        if dimension not in RELATIVE:
            return middle
        return min(best[dimension] / middle, 1.0) if middle > 0 else 1.0

    drawn = bootstrap.interval(score, len(known), reason=MISSING_REASONS[dimension])
    return {"value": _middle(values, dimension), "score": drawn.pop("value"), **drawn}
