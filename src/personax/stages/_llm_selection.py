"""Choosing LLMs and prompt formats on a sample of a study's people: asks, measures, writes tables and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from personax.config import AnnotateLLM
from personax.data.frames import write_csv
from personax.errors import ComputationError, InputError, MissingExtraError, PlanError
from personax.files import write_text, written_aside
from personax.plots import radar, save
from personax.progress import Progress, Silent
from personax.stages._annotate_llm import JOURNAL, people_of, prompt_of, sample, shown_columns
from personax.stages._base import stage_rng
from personax.store import StudyFolder
from personax.strict import nearest
from personax.traits.llms import (
    CostEstimate,
    Model,
    Prompt,
    Question,
    ReplyJournal,
    Survey,
    annotate,
    annotation_table,
    estimate_cost,
)
from personax.traits.model_selection import (
    PRIVACY_PROBES,
    SelectionSurveys,
    compare_formats,
    compare_models,
    format_name,
    overall_score,
    prompt_variants,
    selection_surveys,
)
from personax.traits.reliability import Bootstrap

__all__ = ["SelectionSettings", "calibrate_formats", "choose_models", "estimate_selection", "recommended"]

FACTS: Final = ("birth_year", "year", "nationality", "country", "league", "team", "occupation", "sport")
"""Columns that are asked for as facts where none are named."""


@dataclass(frozen=True)
class SelectionSettings:
    """What to compare, on whom.

    Parameters
    ----------
    folder, section, seed
        The study's.
    people
        How many, at random.
    models
        Names from the plan; all where none are named.
    repeats
        How often the same is asked.
    facts
        Columns with checkable facts; None for those of `FACTS` that people have.
    privacy_probes
        Of `PRIVACY_PROBES`; none leaves privacy out.
    max_cost
        Of all the journal's replies.
    """

    folder: StudyFolder
    section: AnnotateLLM
    seed: int
    people: int = 30
    models: Sequence[str] = ()
    repeats: int = 2
    facts: Sequence[str] | None = None
    privacy_probes: Sequence[str] = tuple(PRIVACY_PROBES)
    max_cost: float | None = None

    def chosen(self) -> list[Model]:
        """Return the models.

        Raises
        ------
        PlanError
            For a name that the plan does not know.
        """
        known = {model.name: model for model in self.section.models}
        for name in self.models:
            if name not in known:
                raise PlanError(f"--models: annotate.models has no {name}; {nearest(name, list(known))}")
        return [known[name] for name in self.models] or list(known.values())

    def rows(self, more: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return the sampled people with what questions need."""
        people = people_of(self.folder)
        columns = shown_columns(people, "annotate.prompt.fields", [*prompt_of(self.section).fields, *more])
        return sample(people.select(columns), self.people, stage_rng(self.seed, "choosing")).to_dicts()

    def resampler(self) -> Bootstrap:
        """Return the intervals' own random numbers."""
        return Bootstrap(stage_rng(self.seed, "choosing intervals"))


def _ask(
    selection: SelectionSettings, survey: Sequence[Survey[Question]], journal: ReplyJournal, progress: Progress
) -> None:
    """Ask all that the journal does not hold."""
    completed, stopped = 0, dict[str, str]()
    for one in survey:
        for outcome in annotate(one, journal, max_cost=selection.max_cost, progress=progress):
            completed += outcome.cached + outcome.completed
            if outcome.stop_reason:
                stopped[outcome.model] = outcome.stop_reason
    if not completed:
        raise ComputationError("\n".join(stopped.values()) or "no model answered; see traits/journal.sqlite")
    for reason in stopped.values():
        progress.message(f"{reason}; the others went on")


def estimate_selection(selection: SelectionSettings, kind: Literal["models", "formats"]) -> list[CostEstimate]:
    """Say what is still to be asked to compare models or formats; sends nothing."""
    survey: Sequence[Survey[Question]] = (
        _questions(selection, Silent()).all if kind == "models" else list(_formats(selection).values())
    )
    with ReplyJournal(selection.folder.path(*JOURNAL)) as journal:
        return estimate_cost(survey, journal)


def _facts(selection: SelectionSettings) -> tuple[str, ...]:
    columns = people_of(selection.folder).columns
    if selection.facts is None:
        return tuple(name for name in FACTS if name in columns)
    for name in selection.facts:
        if name not in columns:
            raise InputError(f"--facts: people have no {name}; {nearest(name, columns)}")
    return tuple(selection.facts)


def _questions(selection: SelectionSettings, progress: Progress) -> SelectionSurveys:
    facts = _facts(selection)
    people = selection.rows(facts)
    named = any(str(person.get("name") or "").strip() for person in people)
    if not named:
        progress.message("people have no names: facts and privacy are not measured")
    return selection_surveys(
        people,
        selection.chosen(),
        prompt_of(selection.section),
        facts=facts if named else (),
        privacy_probes=selection.privacy_probes if named else (),
        repeats=selection.repeats,
    )


def _formats(selection: SelectionSettings) -> dict[str, Survey[Prompt]]:
    people, models = selection.rows(), selection.chosen()
    prompts = prompt_variants(prompt_of(selection.section))
    return {format_name(prompt): Survey(people, models, prompt, selection.repeats) for prompt in prompts}


def choose_models(
    selection: SelectionSettings, out: Path, progress: Progress, weights: Mapping[str, float] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compare models; return and write the scores by dimension and the overall ranking.

    Raises
    ------
    ComputationError
        When no model answered.
    InputError
        For an unknown fact or weight.
    """
    questions = _questions(selection, progress)
    with ReplyJournal(selection.folder.path(*JOURNAL)) as journal:
        _ask(selection, questions.all, journal, progress)
        scores = compare_models(questions, journal, selection.resampler())
    ranking = overall_score(scores, weights, rng=stage_rng(selection.seed, "choosing weights"))
    with selection.folder.private():
        _write(out, scores=scores, overall=ranking)
        try:
            save(radar(scores.filter(pl.col("score").is_not_null().any().over("dimension"))), *_pictures(out, "radar"))
        except MissingExtraError:
            progress.message("no radar was drawn: it needs matplotlib (pip install 'personax[figures]')")
        except InputError as error:
            progress.message(f"no radar was drawn: {error}")
    return scores, ranking


def calibrate_formats(selection: SelectionSettings, out: Path, progress: Progress) -> pl.DataFrame:
    """Compare the eight prompt formats; return and write how much each varies.

    Raises
    ------
    ComputationError
        When no model answered.
    """
    survey = _formats(selection)
    with ReplyJournal(selection.folder.path(*JOURNAL)) as journal:
        _ask(selection, list(survey.values()), journal, progress)
        tables = {name: annotation_table(one, journal) for name, one in survey.items()}
    found = compare_formats(tables, selection.resampler())
    with selection.folder.private():
        _write(out, formats=found)
        write_text(out / "recommended.txt", recommended(found) + "\n")
    return found


def recommended(found: pl.DataFrame) -> str:
    """Say in a sentence which format to use, and how sure that is."""
    if found.is_empty() or found["variability"][0] is None:
        return "No format can be recommended: too few people have scores."
    first, rest = found.row(0, named=True), found[1:]
    apart = rest.filter(pl.col("told_apart"))["format"].to_list()
    open_ = rest.filter(~pl.col("told_apart").fill_null(value=False))["format"].to_list()
    text = (
        f"{first['format']} varies least: {first['variability']:.3f} of the scale "
        f"({first['low']:.3f} to {first['high']:.3f}), {first['n']} people."
    )
    if not open_:
        return f"{text} It is told apart from all others."
    return f"{text} Told apart from {len(apart)} of {len(rest)}; not from {', '.join(open_)}."


def _pictures(out: Path, name: str) -> list[Path]:
    return [out / f"{name}.svg", out / f"{name}.png"]


def _write(out: Path, **tables: pl.DataFrame) -> None:
    for name, table in tables.items():
        with written_aside(out / f"{name}.csv") as aside:
            write_csv(table, aside)
