"""personax traits: which LLMs to ask and how, and whether what they say is what people say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from personax.cli.annotate import CostOption, DryOption, show_estimate
from personax.cli.console import emit, say, table, watching
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.cli.validate import register as add_validate
from personax.config import AnnotateLLM
from personax.errors import InputError, PlanError
from personax.study import Study

if TYPE_CHECKING:
    from personax.stages.llm_selection import Choice

__all__ = ["register"]

PeopleOption = Annotated[int, typer.Option(min=2, help="How many people, at random.")]
ModelsOption = Annotated[str, typer.Option(help="Names from the study file, with commas; all where none are named.")]
RepeatsOption = Annotated[int, typer.Option(min=2, help="How often the same is asked.")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Of the sample; the study's where none is given.")]
OutOption = Annotated[
    Path | None, typer.Option(help="Where tables go; a folder beside the study's traits if left out.")
]

SELECT = (
    "Examples: personax traits select study.yaml --dry-run   |   personax traits select study.yaml --people 50 "
    "--models gpt,llama   |   personax traits select study.yaml --weights consistency=2,facts=2,answered=1,cost=1"
)
CALIBRATE = (
    "Examples: personax traits calibrate study.yaml --dry-run   |   "
    "personax traits calibrate study.yaml --people 40 --models gpt"
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Choose LLMs and prompts, and check traits against people.")
    app.add_typer(group, name="traits")
    _add_select(group)
    _add_calibrate(group)
    add_validate(group)


def _add_select(group: typer.Typer) -> None:
    @group.command("select", epilog=SELECT)
    def command(
        study: StudyArgument,
        folder: FolderOption = None,
        people: PeopleOption = 30,
        models: ModelsOption = "",
        repeats: RepeatsOption = 2,
        facts: Annotated[str | None, typer.Option(help="Columns with checkable facts; `none` asks for none.")] = None,
        skip_privacy: Annotated[bool, typer.Option("--skip-privacy", help="Ask no baits.")] = False,
        weights: Annotated[str, typer.Option(help="dimension=weight, with commas; equal if left out.")] = "",
        seed: SeedOption = None,
        out: OutOption = None,
        dry_run: DryOption = False,
        max_cost: CostOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Compare LLMs on a sample: time, missing, hesitation, privacy, format, consistency, facts, cost; one score."""
        from dataclasses import replace

        from personax.stages.llm_selection import choose_models, estimated

        choice = _choice(study, folder, people, models, repeats, seed, max_cost)
        if skip_privacy:
            choice = replace(choice, baits=())
        if facts is not None:
            choice = replace(choice, facts=() if facts == "none" else _names(facts))
        if dry_run:
            show_estimate(estimated(choice, "models"), as_json=as_json)
            return
        where = out or choice.folder.path("traits", "select")
        with watching() as progress:
            progress.stage("traits select")
            scores, ranking = choose_models(choice, where, progress, _weights(weights))
        if as_json:
            emit({"out": str(where), "scores": scores.to_dicts(), "overall": ranking.to_dicts()})
            return
        _show_models(scores, ranking)
        say(f"wrote {where / 'scores.csv'}, overall.csv, radar.svg, radar.png")


def _add_calibrate(group: typer.Typer) -> None:
    @group.command("calibrate", epilog=CALIBRATE)
    def command(
        study: StudyArgument,
        folder: FolderOption = None,
        people: PeopleOption = 30,
        models: ModelsOption = "",
        repeats: RepeatsOption = 2,
        seed: SeedOption = None,
        out: OutOption = None,
        dry_run: DryOption = False,
        max_cost: CostOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Compare the eight prompt formats on a sample, and recommend the one that varies least."""
        from personax.stages.llm_selection import calibrate_formats, estimated, recommended

        choice = _choice(study, folder, people, models, repeats, seed, max_cost)
        if dry_run:
            show_estimate(estimated(choice, "formats"), as_json=as_json)
            return
        where = out or choice.folder.path("traits", "calibrate")
        with watching() as progress:
            progress.stage("traits calibrate")
            found = calibrate_formats(choice, where, progress)
        if as_json:
            emit({"out": str(where), "formats": found.to_dicts(), "recommended": recommended(found)})
            return
        names = ["variability", "low", "high", "repeats", "orders", "scales", "scored"]
        rows = [(row["format"], *(_number(row[name]) for name in names)) for row in found.iter_rows(named=True)]
        table("How much scores vary, as a share of the scale", ["format", *names], rows)
        say(recommended(found))
        say(f"wrote {where / 'formats.csv'}, recommended.txt")


def _choice(
    study: Path, folder: Path | None, people: int, models: str, repeats: int, seed: int | None, max_cost: float | None
) -> Choice:
    from personax.stages.llm_selection import Choice

    loaded = Study.load(study, folder=folder)
    section = loaded.plan.annotate
    if not isinstance(section, AnnotateLLM):
        raise PlanError("annotate.source is not llm: there are no models to compare")
    with watching() as progress:
        loaded.run(["collect"], progress=progress)
    return Choice(
        loaded.folder, section, loaded.plan.seed if seed is None else seed, people=people, models=_names(models),
        repeats=repeats, max_cost=max_cost if max_cost is not None else section.max_cost,
    )  # fmt: skip


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _weights(text: str) -> dict[str, float] | None:
    found = {}
    for part in _names(text):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise InputError(f"--weights: {part} is not dimension=number, such as consistency=2") from None
    return found or None


def _show_models(scores: pl.DataFrame, ranking: pl.DataFrame) -> None:
    dimensions = scores["dimension"].unique(maintain_order=True).to_list()
    rows = []
    for row in ranking.iter_rows(named=True):
        own = dict(scores.filter(pl.col("model") == row["model"]).select("dimension", "score").iter_rows())
        rows.append((row["model"], _number(row["os"]), *(_number(own[name]) for name in dimensions)))
    table("Scores in [0, 1], more is better", ["model", "OS", *dimensions], rows)
    for row in ranking.iter_rows(named=True):
        if row["os"] is None:
            say(f"{row['model']} has no overall score: {row['reason']}")
        else:
            say(
                f"{row['model']}: first with {100 * row['first_share']:.0f} % of random weights, "
                f"rank {row['rank_low']} to {row['rank_high']}"
            )
    missing = scores.filter(pl.col("score").is_null()).group_by("dimension", "reason", maintain_order=True).len()
    for dimension, reason, number in missing.iter_rows():
        say(f"{dimension}: not measured for {number} of {ranking.height} models: {reason}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
