"""Asking people about a sample of a study's people: draws it, writes files for Label Studio, Argilla or a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from personax.config import AnnotateLLM, Plan
from personax.data.frames import read_parquet, write_parquet
from personax.errors import InputError, PlanError, StudyError
from personax.files import write_text, written_aside
from personax.stages._annotate_llm import people_of, prompt_of, shown_columns
from personax.stages._base import framework_of, stage_rng
from personax.store import StudyFolder
from personax.strict import nearest
from personax.traits.llms import Prompt
from personax.traits.validity import (
    Allocation,
    RatingForm,
    RatingTask,
    argilla_records,
    argilla_settings,
    assign_strata,
    check_extra_questions,
    expected_information,
    informative_sample,
    label_studio_config,
    label_studio_tasks,
    rating_form_table,
    stratified_sample,
    task_codes,
)

__all__ = ["SAMPLE", "ExportSettings", "Format", "export_sample", "keep_sample", "sheet_of", "shown_prompt"]

Format = Literal["label-studio", "argilla", "csv"]

SAMPLE: Final = ("traits", "validity", "sample.parquet")
"""Everybody's stratum, probability and, of those drawn, code: never leaves the study folder."""

Floats = NDArray[np.float64]

LEVELS: Final = 3
"""Of raters that have no prompt: the lexicon and the simulated ones."""


@dataclass(frozen=True)
class ExportSettings:
    """What to export.

    Parameters
    ----------
    people, by, allocation
        How many, the columns of the strata, and how many of each.
    format
        For which program.
    fields
        Columns shown; the prompt's where none are named.
    hide_name
        Take names out of what is shown; None for what the prompt does.
    extra
        More questions, such as likability.
    raters
        How many people answer about each person (Argilla).
    """

    people: int = 200
    by: Sequence[str] = ()
    allocation: Allocation = "proportional"
    format: Format = "label-studio"
    fields: Sequence[str] = ()
    hide_name: bool | None = None
    extra: Sequence[str] = ()
    raters: int = 3


def sheet_of(plan: Plan, extra: Sequence[str] = ()) -> RatingForm:
    """Return the questions on the plan's scale."""
    section, framework = plan.annotate, framework_of(plan)
    more = check_extra_questions(extra, framework)
    if isinstance(section, AnnotateLLM) and section.prompt.ask == "items":
        return RatingForm(len(framework.anchors), more, framework, tuple(framework.anchors))
    return RatingForm(section.prompt.levels if isinstance(section, AnnotateLLM) else LEVELS, more, framework)


def export_sample(
    folder: StudyFolder, plan: Plan, settings: ExportSettings, out: Path, *, seed: int, again: bool = False
) -> dict[str, Any]:
    """Draw people and write what raters are to see.

    Parameters
    ----------
    folder, plan
        The study's.
    settings, out
        What, and where to.
    seed
        The same one draws the same people.
    again
        Draw another sample although there is one; answers about the old one can then not be read any more.

    Returns
    -------
    dict
        ``people``, ``of``, ``strata`` (name -> drawn), ``files`` and ``fields``.

    Raises
    ------
    PlanError, InputError
        A column that people do not have, nothing to show, another sample in its place.
    """
    people, sheet = people_of(folder), sheet_of(plan, settings.extra)
    prompt = shown_prompt(plan, settings.fields, hide_name=settings.hide_name)
    for name in settings.by:
        if name not in people.columns:
            raise InputError(f"--by: people have no {name}; {nearest(name, people.columns)}")
    rows = people.select(shown_columns(people, "--fields", prompt.fields)).to_dicts()
    tasks = [sheet.task(str(row["id"]), row, prompt) for row in rows]
    frame = people.filter(pl.Series([task is not None for task in tasks]))
    if frame.is_empty():
        raise InputError(f"nobody has anything in {', '.join(prompt.fields)}; name columns that raters may see")
    strata = assign_strata([frame[name] for name in settings.by], frame.height)
    rng = stage_rng(seed, "validity sample")
    if settings.allocation == "information":
        who, probability = informative_sample(_information(folder, frame["id"]), settings.people, rng=rng)
    else:
        who, probability = stratified_sample(strata, settings.people, settings.allocation, rng=rng)
    named = dict(zip((frame["id"][int(at)] for at in who), task_codes(frame["id"].to_list())[: len(who)], strict=True))
    sample = frame.select("id").with_columns(
        pl.Series("stratum", strata),
        pl.Series("probability", probability),
        pl.Series("task", [named.get(one) for one in frame["id"]], dtype=pl.String),
    )
    shown = {task.code: task.about for task in tasks if task is not None}
    with folder.private():
        keep_sample(folder.path(*SAMPLE), sample, again=again)
        files = _write(out, [RatingTask(code, shown[one]) for one, code in named.items()], sheet, settings)
    counts = sample.filter(pl.col("task").is_not_null()).group_by("stratum").len().sort("stratum")
    return {
        "people": len(named), "of": frame.height, "strata": dict(counts.iter_rows()), "fields": list(prompt.fields),
        "files": [str(path) for path in files],
    }  # fmt: skip


def _information(folder: StudyFolder, ids: pl.Series) -> Floats:
    """Return what one more rating of each person is expected to tell, from the uncertainty of the scores there are."""
    path = folder.output("traits", "uncertainty.parquet")
    known = None if path is None else ids.to_frame("id").join(
        read_parquet(path).select("id", pl.col("^sd_.*$")), on="id", how="left", maintain_order="left"
    ).drop("id")  # fmt: skip
    sd = np.zeros((0, 0)) if known is None else known.cast(pl.Float64).fill_null(np.nan).to_numpy()
    sd = sd[:, (~np.isnan(sd)).any(axis=0)] if sd.size else sd
    if not sd.size:
        text = "--allocation information: it is not known how sure scores are; annotate with two raters or more first"
        raise InputError(text)
    # a person whom three raters scored is three times as sure as one rater is: e = 3 v
    return expected_information(sd, error=3 * float(np.nanmean(np.square(sd))))


def shown_prompt(plan: Plan, fields: Sequence[str] = (), *, hide_name: bool | None = None) -> Prompt:
    """Return the plan's prompt as people see it: with other fields, and with or without names, where asked for."""
    section = plan.annotate
    prompt = (
        prompt_of(section)
        if isinstance(section, AnnotateLLM)
        else Prompt(fields=("biography",), framework=framework_of(plan))
    )
    hide = prompt.hide_name if hide_name is None else hide_name
    shown = tuple(fields) or tuple(name for name in prompt.fields if not (hide and name == "name"))
    if not shown:
        raise PlanError("--hide-name: the prompt shows nothing but the name; name other columns with --fields")
    return prompt.replaced(fields=shown, hide_name=hide)


def keep_sample(path: Path, sample: pl.DataFrame, *, again: bool) -> None:
    """Write who was drawn, unless another sample is out that people may still answer about.

    Raises
    ------
    StudyError
        There is another one, and none is to be drawn in its place.
    """
    if path.is_file() and not again:
        try:
            assert_frame_equal(read_parquet(path), sample)
        except (AssertionError, pl.exceptions.PolarsError):
            text = f"{path} holds another sample, and answers about it need it; --again draws a new one in its place"
            raise StudyError(text) from None
    with written_aside(path) as aside:
        write_parquet(sample, aside)


def _write(out: Path, tasks: Sequence[RatingTask], sheet: RatingForm, settings: ExportSettings) -> list[Path]:
    texts: Mapping[str, str]
    match settings.format:
        case "label-studio":
            texts = {
                "label_studio.tasks.json": _json(label_studio_tasks(tasks)),
                "label_studio.config.xml": label_studio_config(sheet),
            }
        case "argilla":
            texts = {
                "argilla.records.json": _json(argilla_records(tasks)),
                "argilla.settings.json": _json(argilla_settings(sheet, settings.raters)),
            }
        case "csv":
            texts = {"sheet.csv": rating_form_table(tasks, sheet).write_csv()}
    for name, text in texts.items():
        write_text(out / name, text)
    return [out / name for name in texts]


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
