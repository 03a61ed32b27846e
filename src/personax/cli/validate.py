"""personax traits validate: ask people about a sample, and compare what they say with the traits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import polars as pl
import typer

from personax.cli.console import emit, say, table, watching
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.study import Study

if TYPE_CHECKING:
    from personax.stages.human_compare import Told

__all__ = ["register"]

SeedOption = Annotated[int | None, typer.Option(min=0, help="The study's where none is given.")]
OutOption = Annotated[
    Path | None, typer.Option(help="A folder for the files; one beside the study's traits if left out.")
]

EXPORT = (
    "Examples: personax traits validate export study.yaml --people 200 --by league   |   personax traits validate "
    "export study.yaml --format argilla --hide-name --ask likability   |   personax traits validate export study.yaml "
    "--by league,gender --allocation equal --format csv --out sheets"
)
COMPARE = (
    "Examples: personax traits validate compare study.yaml export.json   |   personax traits validate compare "
    "study.yaml answers.csv --controls likability,gender --features league,height_cm   |   personax traits validate "
    "compare study.yaml questionnaire.csv --id person --reliability 0.8 --random"
)

SHOWN = ("pearson", "left_out", "kappa", "corrected", "partial", "alpha")
"""Measures that are printed; agreement.csv has all of them, with their intervals."""


def register(group: typer.Typer) -> None:
    """Add the commands."""
    validate = typer.Typer(
        no_args_is_help=True, help="Ask people about a sample, and compare traits with their answers."
    )
    group.add_typer(validate, name="validate")
    _add_export(validate)
    _add_compare(validate)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _add_export(group: typer.Typer) -> None:
    @group.command("export", epilog=EXPORT)
    def command(
        study: StudyArgument,
        folder: FolderOption = None,
        people: Annotated[int, typer.Option(min=1, help="How many, at random.")] = 200,
        by: Annotated[str, typer.Option(help="Columns of the strata, with commas.")] = "",
        allocation: Annotated[
            Literal["proportional", "equal"], typer.Option(help="Of people to strata; equal favours small ones.")
        ] = "proportional",
        format_: Annotated[
            Literal["label-studio", "argilla", "csv"], typer.Option("--format", help="For which program.")
        ] = "label-studio",
        fields: Annotated[str, typer.Option(help="Columns that raters see; the prompt's if left out.")] = "",
        hide_name: Annotated[
            bool | None, typer.Option("--hide-name/--show-name", help="Take names out of what raters see.")
        ] = None,
        ask: Annotated[str, typer.Option(help="More questions, such as likability, for controls.")] = "",
        raters: Annotated[int, typer.Option(min=1, help="Answers wanted about each person (Argilla).")] = 3,
        seed: SeedOption = None,
        again: Annotated[bool, typer.Option("--again", help="Draw a new sample in place of an old one.")] = False,
        out: OutOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Draw people at random and write what raters are to see, for Label Studio, Argilla or a table."""
        from personax.stages.human_export import Wanted, export_sample

        loaded = Study.load(study, folder=folder)
        with watching() as progress:
            loaded.run(["collect"], progress=progress)
        wanted = Wanted(people, _names(by), allocation, format_, _names(fields), hide_name, _names(ask), raters)
        where = out or loaded.folder.path("traits", "validity", "export")
        chosen = loaded.plan.seed if seed is None else seed
        told = export_sample(loaded.folder, loaded.plan, wanted, where, seed=chosen, again=again)
        if as_json:
            emit(told)
            return
        say(f"{told['people']} of {told['of']} people in {len(told['strata'])} strata")
        for file in told["files"]:
            say(f"wrote {file}")
        say(f"These files hold {', '.join(told['fields'])} of people: whoever gets them can read that.")
        if loaded.folder.root.resolve() not in where.resolve().parents:
            say("They are outside the study folder now. Take care who can open them, and delete them afterwards.")


def _add_compare(group: typer.Typer) -> None:
    @group.command("compare", epilog=COMPARE)
    def command(
        study: StudyArgument,
        humans: Annotated[Path, typer.Argument(help="What people answered: an export, or a table.")],
        folder: FolderOption = None,
        format_: Annotated[
            Literal["auto", "label-studio", "argilla", "table"], typer.Option("--format", help="Of that file.")
        ] = "auto",
        id_column: Annotated[str | None, typer.Option("--id", help="Column of people in a table.")] = None,
        scale: Annotated[
            Literal["auto", "same", "other"], typer.Option(help="Whether people used the LLMs' scale.")
        ] = "auto",
        controls: Annotated[str, typer.Option(help="Columns or questions for partial correlations.")] = "",
        features: Annotated[
            str, typer.Option(help="Features whose effects are corrected; the first 20 if left out.")
        ] = "",
        reliability: Annotated[
            float | None, typer.Option(min=0.01, max=1, help="Of the humans' mean, where it is known.")
        ] = None,
        random: Annotated[
            bool, typer.Option("--random", help="Those rated are a simple random sample, though not drawn by export.")
        ] = False,
        epsilon: Annotated[
            float, typer.Option(min=0, max=0.99, help="Of the alt-test: .2 experts, .15 trained, .1 crowd.")
        ] = 0.2,
        draws: Annotated[int, typer.Option(min=20, help="Bootstrap draws of people.")] = 200,
        seed: SeedOption = None,
        out: OutOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Compare traits with what people answered, and correct what Level I concludes from them."""
        from personax.stages.human_compare import Comparison, compare_humans

        loaded = Study.load(study, folder=folder)
        how = Comparison(
            format_, id_column, scale, _names(controls), _names(features) or None, reliability, random, epsilon,
            loaded.plan.seed if seed is None else seed, draws,
        )  # fmt: skip
        where = out or loaded.folder.path("traits", "validity")
        with watching() as progress:
            loaded.run(["annotate"], progress=progress)
            progress.stage("traits validate")
            told = compare_humans(loaded.folder, loaded.plan, humans, how, where, progress)
        if as_json:
            tables = {"agreement": told.agreement.to_dicts(), "effects": told.effects.to_dicts()}
            emit({"out": str(where), **tables, "alt_test": told.alt_test, "notices": told.notices})
            return
        _show(told)
        say(f"wrote {where / 'agreement.csv'}, effects.csv, alt_test.json, summary.json, humans.parquet, agreement.svg")
        if out is None:
            say("`personax report STUDY` puts them on the report's page")


def _show(told: Told) -> None:
    value = {(r["trait"], r["rater"], r["measure"]): r["value"] for r in told.agreement.iter_rows(named=True)}
    for trait in told.agreement["trait"].unique(maintain_order=True):
        raters = told.agreement.filter(pl.col("trait") == trait)["rater"].unique(maintain_order=True)
        rows = [(rater, *(_number(value.get((trait, rater, name))) for name in SHOWN)) for rater in raters]
        table(trait, ["", *SHOWN], rows)
    tested = [
        (trait, rater, _number(one["winning_rate"]), _number(one["advantage"]), one["reason"] or "")
        for trait, raters_ in told.alt_test.items()
        for rater, one in raters_.items()
    ]
    table("Alt-test: humans whom an LLM may replace", ["trait", "rater", "winning rate", "advantage", ""], tested)
    known = told.effects.filter(pl.col("estimate").is_not_null())["method"].value_counts()
    counts = dict(known.iter_rows())
    say(f"effects.csv: {', '.join(f'{method} {number}' for method, number in sorted(counts.items())) or 'none'}")
    for reason in told.effects["reason"].drop_nulls().unique(maintain_order=True).head(5):
        say(f"effects missing: {reason}")
    for notice in told.notices:
        say(notice)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
