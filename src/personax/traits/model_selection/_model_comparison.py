"""Models side by side: what each is asked, what came of it, one row a model and dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import Question, Survey
from personax.traits.llms._responses import ModelResponse, model_responses
from personax.traits.model_selection._probes import PRIVACY_PROBES, FactQuestion, PrivacyProbe
from personax.traits.model_selection._scores import DIMENSIONS, ModelMeasurements, measure
from personax.traits.reliability._rating_array import Bootstrap

__all__ = ["SelectionSurveys", "compare_models", "selection_surveys"]

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
    """All that models are asked.

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
        """In the order in which they are asked."""
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
    """Return what to ask to compare models.

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

    found = measure(
        [(survey.prompt, answers(survey)) for survey in (questions.traits, questions.paraphrase)],
        (questions.facts.prompt, answers(questions.facts)) if questions.facts else None,
        [(survey.prompt, answers(survey)) for survey in questions.privacy_probes],
    )
    models = [model.name for model in questions.traits.models]
    measured = {name: found.get(name, ModelMeasurements()) for name in models}
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
