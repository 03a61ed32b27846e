"""personax traits: which LLMs to ask and how, and whether what they say is what people say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from personax.cli.annotate import CostOption, DryOption, show_estimate
from personax.cli.console import emit, say, showing_progress, table
from personax.cli.options import refuse
from personax.cli.outputs import own_folder
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.cli.trust import load_study
from personax.errors import InputError, PlanError

if TYPE_CHECKING:
    import polars as pl

    from personax.stages import HumanComparison, SelectionSettings

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
    _add_card(group)
    _add_adjudicate(group)
    _add_validate(group)


def _add_card(group: typer.Typer) -> None:
    @group.command("card", epilog="Example: personax traits card study.yaml")
    def command(study: StudyArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
        """Show the annotation card of a study: models, answers, agreement, and what audits found."""
        path = load_study(study, folder=folder).folder.output("traits", "annotation_card.json")
        if path is None:
            raise InputError("there is no annotation card; `personax annotate STUDY` with source: llm makes it")
        card = json.loads(path.read_text(encoding="utf-8"))
        if as_json:
            emit(card)
            return
        vignettes, injections = card["vignettes"] or {}, card["injections"] or {}
        rows = []
        for model in card["models"]:
            own, obeys = vignettes.get(model["name"]) or {}, injections.get(model["name"]) or {}
            drift = (own.get("drift") or {}).get("value")
            answers = model["answers"]
            scored = answers.get("ok", 0) / max(sum(answers.values()), 1)
            numbers = (scored, own.get("ordered"), own.get("severity"), drift, obeys.get("success"))
            rows.append((model["name"], model["model"] or "-", " to ".join(model["dates"]), *map(_number, numbers)))
        table("Models", ["name", "model", "days", "scored", "vignettes in order", "severity", "drift", "obeys"], rows)
        table("Traits", ["trait", "alpha", "ICC(2,k)"], [
            (trait, _number(alpha), _number(card["reliability"][trait])) for trait, alpha in card["agreement"].items()
        ])  # fmt: skip
        for name in ("differential", "silence"):
            say(f"{name}: {card[name]['found']} of {card[name]['tests']} comparisons differ between groups")


ADJUDICATE = (
    "Examples: personax traits adjudicate study.yaml --cells 200   |   personax traits adjudicate study.yaml "
    "--show-ratings --out sheets; then annotate: {adjudication: sheets/adjudication.csv} in the study"
)


def _add_adjudicate(group: typer.Typer) -> None:
    @group.command("adjudicate", epilog=ADJUDICATE)
    def command(
        study: StudyArgument,
        folder: FolderOption = None,
        cells: Annotated[int, typer.Option(min=1, help="How many scores, one trait of one person each.")] = 200,
        show_ratings: Annotated[
            bool, typer.Option("--show-ratings", help="Show what raters said, without who; else it is hidden.")
        ] = False,
        seed: SeedOption = None,
        again: Annotated[bool, typer.Option("--again", help="Draw others in place of a sheet that is out.")] = False,
        out: Annotated[
            Path | None, typer.Option(help="A folder for the sheet; one beside the traits if left out.")
        ] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write a sheet of the scores about which raters disagree most, and of some others, for somebody to decide."""
        from personax.stages import export_adjudication

        loaded = load_study(study, folder=folder)
        with showing_progress() as progress:
            loaded.run(["annotate"], progress=progress)
        where = own_folder(out, "adjudication.csv") if out else loaded.folder.path("traits", "adjudication", "export")
        chosen = loaded.plan.seed if seed is None else seed
        told = export_adjudication(
            loaded.folder, loaded.plan, cells, where, seed=chosen, show_ratings=show_ratings, again=again
        )
        if as_json:
            emit(told)
            return
        say(f"{told['disagreements']} of {told['of']} disagreements, and {told['controls']} others as controls")
        say(f"wrote {told['file']}: fill in rater and score, and name it under annotate: adjudication in the study")
        say(f"It holds {', '.join(told['fields'])} of people: whoever gets it can read that.")


def _add_select(group: typer.Typer) -> None:
    @group.command("select", epilog=SELECT)
    def command(
        ctx: typer.Context,
        study: StudyArgument,
        folder: FolderOption = None,
        people: PeopleOption = 30,
        models: ModelsOption = "",
        repeats: RepeatsOption = 2,
        facts: Annotated[str | None, typer.Option(help="Columns with checkable facts; `none` asks for none.")] = None,
        skip_privacy: Annotated[bool, typer.Option("--skip-privacy", help="Send no privacy probes.")] = False,
        weights: Annotated[str, typer.Option(help="dimension=weight, with commas; equal if left out.")] = "",
        seed: SeedOption = None,
        out: OutOption = None,
        dry_run: DryOption = False,
        max_cost: CostOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Compare LLMs on a sample: time, missing, hesitation, privacy, format, consistency, facts, cost; one score."""
        from dataclasses import replace

        from personax.stages import choose_models, estimate_selection

        if dry_run:
            refuse(ctx, ["weights", "out", "max_cost"], "with --dry-run, which asks and writes nothing")
        selection = _choice(study, folder, people, models, repeats, seed, max_cost)
        if skip_privacy:
            selection = replace(selection, privacy_probes=())
        if facts is not None:
            selection = replace(selection, facts=() if facts == "none" else _names(facts))
        if dry_run:
            show_estimate(estimate_selection(selection, "models"), as_json=as_json)
            return
        where = own_folder(out, "overall.csv") if out else selection.folder.path("traits", "select")
        with showing_progress() as progress:
            progress.stage("traits select")
            scores, ranking = choose_models(selection, where, progress, _weights(weights))
        if as_json:
            emit({"out": str(where), "scores": scores.to_dicts(), "overall": ranking.to_dicts()})
            return
        _show_models(scores, ranking)
        say(f"wrote {where / 'scores.csv'}, overall.csv, radar.svg, radar.png")


def _add_calibrate(group: typer.Typer) -> None:
    @group.command("calibrate", epilog=CALIBRATE)
    def command(
        ctx: typer.Context,
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
        from personax.stages import calibrate_formats, estimate_selection, recommended

        if dry_run:
            refuse(ctx, ["weights", "out", "max_cost"], "with --dry-run, which asks and writes nothing")
        selection = _choice(study, folder, people, models, repeats, seed, max_cost)
        if dry_run:
            show_estimate(estimate_selection(selection, "formats"), as_json=as_json)
            return
        where = own_folder(out, "recommended.txt") if out else selection.folder.path("traits", "calibrate")
        with showing_progress() as progress:
            progress.stage("traits calibrate")
            found = calibrate_formats(selection, where, progress)
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
) -> SelectionSettings:
    from personax.config import AnnotateLLM
    from personax.stages import SelectionSettings

    loaded = load_study(study, folder=folder)
    section = loaded.plan.annotate
    if not isinstance(section, AnnotateLLM):
        raise PlanError("annotate.source is not llm: there are no models to compare")
    with showing_progress() as progress:
        loaded.run(["collect"], progress=progress)
    return SelectionSettings(
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
    import polars as pl

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


StudySeedOption = Annotated[int | None, typer.Option(min=0, help="The study's where none is given.")]
FilesOption = Annotated[
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


def _add_validate(group: typer.Typer) -> None:
    """Add the commands."""
    validate = typer.Typer(
        no_args_is_help=True, help="Ask people about a sample, and compare traits with their answers."
    )
    group.add_typer(validate, name="validate")
    _add_export(validate)
    _add_compare(validate)


_EXPORTED = ("label_studio.tasks.json", "argilla.records.json", "sheet.csv")
"""The files of which an export leaves one."""


def _add_export(group: typer.Typer) -> None:
    @group.command("export", epilog=EXPORT)
    def command(
        ctx: typer.Context,
        study: StudyArgument,
        folder: FolderOption = None,
        people: Annotated[int, typer.Option(min=1, help="How many, at random.")] = 200,
        by: Annotated[str, typer.Option(help="Columns of the strata, with commas.")] = "",
        allocation: Annotated[
            Literal["proportional", "equal", "information"],
            typer.Option(
                help="Of people to strata; equal favours small ones, information those whose scores are unsure."
            ),
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
        seed: StudySeedOption = None,
        again: Annotated[bool, typer.Option("--again", help="Draw a new sample in place of an old one.")] = False,
        out: FilesOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Draw people at random and write what raters are to see, for Label Studio, Argilla or a table."""
        from personax.stages import ExportSettings, export_sample

        if format_ != "argilla":
            refuse(ctx, ["raters"], f"to {format_}, only to --format argilla")
        loaded = load_study(study, folder=folder)
        with showing_progress() as progress:
            loaded.run(["collect"], progress=progress)
        settings = ExportSettings(
            people, _names(by), allocation, format_, _names(fields), hide_name, _names(ask), raters
        )
        where = own_folder(out, *_EXPORTED) if out else loaded.folder.path("traits", "validity", "export")
        chosen = loaded.plan.seed if seed is None else seed
        exported = export_sample(loaded.folder, loaded.plan, settings, where, seed=chosen, again=again)
        if as_json:
            emit(exported)
            return
        say(f"{exported['people']} of {exported['of']} people in {len(exported['strata'])} strata")
        for file in exported["files"]:
            say(f"wrote {file}")
        say(f"These files hold {', '.join(exported['fields'])} of people: whoever gets them can read that.")
        if loaded.folder.root.resolve() not in where.resolve().parents:
            say("They are outside the study folder now. Take care who can open them, and delete them afterwards.")


def _add_compare(group: typer.Typer) -> None:
    @group.command("compare", epilog=COMPARE)
    def command(
        ctx: typer.Context,
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
        seed: StudySeedOption = None,
        out: FilesOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Compare traits with what people answered, and correct what Level I concludes from them."""
        from personax.stages import ComparisonSettings, compare_humans

        if format_ in ("label-studio", "argilla"):
            refuse(ctx, ["id_column"], f"to an export of {format_}, which names people itself")
        loaded = load_study(study, folder=folder)
        settings = ComparisonSettings(
            format_, id_column, scale, _names(controls), _names(features) or None, reliability, random, epsilon,
            loaded.plan.seed if seed is None else seed, draws,
        )  # fmt: skip
        where = loaded.folder.path("traits", "validity")
        if out is not None:
            where = own_folder(out, "alt_test.json")
        with showing_progress() as progress:
            loaded.run(["annotate"], progress=progress)
            progress.stage("traits validate")
            comparison = compare_humans(loaded.folder, loaded.plan, humans, settings, where, progress)
        if as_json:
            tables = {"agreement": comparison.agreement.to_dicts(), "effects": comparison.effects.to_dicts()}
            emit({"out": str(where), **tables, "alt_test": comparison.alt_test, "notices": comparison.notices})
            return
        _show(comparison)
        say(f"wrote {where / 'agreement.csv'}, effects.csv, alt_test.json, summary.json, humans.parquet, agreement.svg")
        if out is None:
            say("`personax report STUDY` puts them on the report's page")


def _show(comparison: HumanComparison) -> None:
    import polars as pl

    value = {(r["trait"], r["rater"], r["measure"]): r["value"] for r in comparison.agreement.iter_rows(named=True)}
    for trait in comparison.agreement["trait"].unique(maintain_order=True):
        raters = comparison.agreement.filter(pl.col("trait") == trait)["rater"].unique(maintain_order=True)
        rows = [(rater, *(_two_decimals(value.get((trait, rater, name))) for name in SHOWN)) for rater in raters]
        table(trait, ["", *SHOWN], rows)
    tested = [
        (trait, rater, _two_decimals(one["winning_rate"]), _two_decimals(one["advantage"]), one["reason"] or "")
        for trait, raters_ in comparison.alt_test.items()
        for rater, one in raters_.items()
    ]
    table("Alt-test: humans whom an LLM may replace", ["trait", "rater", "winning rate", "advantage", ""], tested)
    known = comparison.effects.filter(pl.col("estimate").is_not_null())["method"].value_counts()
    counts = dict(known.iter_rows())
    say(f"effects.csv: {', '.join(f'{method} {number}' for method, number in sorted(counts.items())) or 'none'}")
    for reason in comparison.effects["reason"].drop_nulls().unique(maintain_order=True).head(5):
        say(f"effects missing: {reason}")
    for notice in comparison.notices:
        say(notice)


def _two_decimals(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
