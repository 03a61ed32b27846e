"""Adjudication in a study: the sheet of cells about which raters disagree, and the decisions that come back of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from personax.config import Plan
from personax.data.frames import read_parquet
from personax.errors import InputError, StudyError
from personax.files import write_text
from personax.sources import read_text_table
from personax.stages._annotate_llm import people_of, shown_columns
from personax.stages._base import stage_rng
from personax.stages._human_export import keep_sample, sheet_of, shown_prompt
from personax.store import StudyFolder
from personax.traits.validity import (
    adjudication_table,
    cells_to_adjudicate,
    decisions,
    disagreements,
    human_ratings,
    read_rating_table,
    task_codes,
)

__all__ = ["Decisions", "export_adjudication", "read_decisions"]

CELLS: Final = ("traits", "adjudication", "cells.parquet")
"""Which cells are out, why, and whose codes they have: never leaves the study folder."""


def export_adjudication(
    folder: StudyFolder, plan: Plan, number: int, out: Path, *, seed: int, show_ratings: bool = False,
    again: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Write the sheet of what is to be decided; return ``cells``, ``disagreements``, ``controls``, ``of``, ``file``.

    Parameters
    ----------
    folder, plan
        The study's, annotated.
    number, out
        How many cells, a person's trait each, and the folder of the sheet.
    seed
        The same one draws the same cells.
    show_ratings
        Whether whoever decides sees what raters said.
    again
        Draw others although a sheet is out.

    Raises
    ------
    StudyError
        Nobody has been rated yet, or another sheet is out.
    InputError
        Raters do not disagree about anybody.
    """
    rated, sure = folder.output("traits", "annotations.parquet"), folder.output("traits", "uncertainty.parquet")
    if rated is None:
        raise StudyError("there are no ratings of several raters; `personax annotate STUDY` makes them")
    form, prompt, people = sheet_of(plan), shown_prompt(plan), people_of(folder)
    found = disagreements(read_parquet(rated))
    sd = None if sure is None else _long(read_parquet(sure), form.framework.letters)
    cells = cells_to_adjudicate(found, number, rng=stage_rng(seed, "adjudication"), sd=sd)
    ids = people["id"].to_list()
    codes = dict(zip(cells["person"].unique(maintain_order=True), task_codes(ids), strict=False))
    cells = cells.with_columns(pl.col("person").replace_strict(codes, return_dtype=pl.String).alias("task"))
    rows = people.select(shown_columns(people, "annotate.prompt.fields", prompt.fields))
    tasks = [
        form.task(codes[row["id"]], row, prompt) for row in rows.filter(pl.col("id").is_in(list(codes))).to_dicts()
    ]
    about = dict.fromkeys(codes.values(), "") | {task.code: task.about for task in tasks if task is not None}
    keep_sample(folder.path(*CELLS), cells, again=again)
    write_text(out / "adjudication.csv", adjudication_table(cells, about, form, show_ratings=show_ratings).write_csv())
    why = cells["why"].to_list()
    return {
        "cells": cells.height, "disagreements": why.count("disagreement"), "controls": why.count("control"),
        "of": found.filter(pl.col("spread") > 0).height, "fields": list(prompt.fields),
        "file": str(out / "adjudication.csv"),
    }  # fmt: skip


def _long(sure: pl.DataFrame, letters: dict[str, str]) -> pl.DataFrame:
    return pl.concat([
        sure.select(pl.col("id").alias("person"), pl.lit(trait).alias("trait"), pl.col(f"sd_{letter}").alias("sd"))
        for trait, letter in letters.items()
    ])  # fmt: skip


@dataclass(frozen=True)
class Decisions:
    """What a filled sheet decides.

    Parameters
    ----------
    table
        ``person trait score adjudicators``.
    open
        Cells about which those who decided differ.
    unknown
        Answers about people who are not in the study.
    cells
        Why each cell was looked at, as of the export; None where there was none.
    """

    table: pl.DataFrame
    open: int
    unknown: int
    cells: pl.DataFrame | None


def read_decisions(folder: StudyFolder, plan: Plan, path: Path, people: list[str]) -> Decisions:
    """Read a filled sheet; people are named by the codes of the export, or by their ids.

    Raises
    ------
    InputError
        It is about nobody of the study, or an answer is off the scale.
    """
    form, kept = sheet_of(plan), folder.path(*CELLS)
    cells = read_parquet(kept) if kept.is_file() else None
    key = {} if cells is None else dict(cells.select("task", "person").unique().iter_rows())
    answers = read_rating_table(read_text_table(path), str(path), framework=form.framework)
    try:
        found = human_ratings(answers, form, people, key, scale="same")
    except InputError as error:
        raise InputError(f"annotate.adjudication: {path.name}: {error}") from None
    decided, open_ = decisions(found.annotations)
    return Decisions(decided, open_, found.unknown_people, cells)
