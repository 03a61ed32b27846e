"""personax independence: Level I of a study, or of anybody's table with no study at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personax import registry
from personax.cli.console import emit, fail, say, showing_progress, table
from personax.cli.options import refuse, refuse_others
from personax.cli.run import (
    OF_STUDY,
    OF_TABLE,
    STUDY_OPTIONS,
    EngineOption,
    FolderOption,
    ForceOption,
    JobsOption,
    JsonOption,
    StrictOption,
    comma_separated,
    from_options,
    is_study,
    run_study,
)
from personax.cli.signals import NOTHING_KEPT, kept_when_stopped
from personax.cli.trust import load_study
from personax.engine import parallel_config

if TYPE_CHECKING:
    import polars as pl

    from personax.stages import FileResults

__all__ = ["register"]

_SHOWN = 15

STATISTICS_OPTIONS = {"features", "targets", "alpha", "correction", "seed", "figures", "out"}
"""What noisy statistics take."""


def _options(draws: int, permutations: int, tests: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the options of randomised tests that the command line sets."""
    options: dict[str, dict[str, Any]] = {}
    for part in registry.parts("tests"):
        if part.name not in tests:
            continue
        if draws > 1 and part.facts.get("draws"):
            options.setdefault(part.name, {})["draws"] = draws
        if permutations and part.facts.get("permutes"):
            options.setdefault(part.name, {}).update(null="permutation", permutations=permutations)
    return options


def _that(fact: str) -> str:
    """Name the tests that take an option, as its help does."""
    return ", ".join(part.title for part in registry.parts("tests") if part.facts.get(fact))


def _check_draws(ctx: typer.Context, tests: Collection[str]) -> None:
    """Refuse options of randomised tests where none of them runs."""
    for option, fact in (("draws", "draws"), ("permutations", "permutes")):
        takes = [part.name for part in registry.parts("tests") if part.facts.get(fact)]
        if not {*takes, "auto"} & set(tests):
            refuse(ctx, [option], f"to {', '.join(tests)}; name one of {', '.join(takes)} by --tests")


def _print(found: FileResults, out: Path, *, as_json: bool) -> None:
    from personax.data.pvalues import everybody
    from personax.stages import count_tests

    counts = count_tests(found.pvalues)
    if as_json:
        told = {"notices": [asdict(notice) for notice in found.notices], "results": found.pvalues.to_dicts()}
        emit({"out": str(out), **counts, **told})
        _end_untested(found.pvalues)
        return
    if found.columns:
        rows = ((c.name, c.kind, c.why if c.inferred else "given") for c in found.columns)
        table("Columns", ("name", "kind", "why"), rows)
    _show(everybody(found.pvalues))
    for notice in found.notices:
        say(notice.text)
    say(f"wrote {out}")
    _end_untested(found.pvalues)


def _end_untested(pvalues: pl.DataFrame) -> None:
    """End with 1, and the reasons, where no pair could be tested at all: nothing was found is another answer."""
    if pvalues["p_value"].null_count() < pvalues.height:
        return
    counted = pvalues.group_by("reason", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    reasons = [f"{reason or 'no reason was stored'} ({rows:,})" for reason, rows in counted.head(3).iter_rows()]
    fail(f"no pair could be tested: {'; '.join(reasons)}")
    raise typer.Exit(1)


def _show(pvalues: pl.DataFrame) -> None:
    """Print the strongest dependences, effect size beside p."""
    import polars as pl

    found = pvalues.filter(pl.col("reason").is_null()).sort("p_value", "effect_size", descending=[False, True])
    if found.is_empty():
        return
    rows = (
        (r["feature"], r["target"], r["test"], str(r["n"]), f"{r['p_value']:.2g}", f"{r['p_corrected']:.2g}",
         _effect(r), _interval(r), f"{r['consensus']}/{r['tests_run']}")
        for r in found.head(_SHOWN).iter_rows(named=True)
    )  # fmt: skip
    title = f"The {min(_SHOWN, found.height)} smallest of {found.height} p-values"
    table(title, ("feature", "target", "test", "n", "p", "corrected", "effect", "95 %", "reject"), rows)
    told = found.filter(pl.col("rejected"))["direction_text"].drop_nulls().unique(maintain_order=True)
    if len(told):
        say("What depends how:")
    for text in told.head(_SHOWN):
        say(f"  {text}")


def _effect(row: dict[str, Any]) -> str:
    return "" if row["effect_size"] is None else f"{row['effect_size']:.2f}"


def _interval(row: dict[str, Any]) -> str:
    return "" if row["effect_low"] is None else f"{row['effect_low']:.2f}-{row['effect_high']:.2f}"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples: personax independence my-study/study.yaml, "
        "personax independence people.csv --features Height,Weight --targets final_o,final_c --out independence, "
        "personax independence people.csv --tests kci,rcit,gcm --given age,league --by gender"
    )
    def independence(
        ctx: typer.Context,
        file: Annotated[
            Path,
            typer.Argument(
                help="A study file (.yaml), a table (CSV, Excel, SPSS, Parquet ...; s3:// and gs:// of Parquet), or a "
                "folder of noisy statistics."
            ),
        ],
        features: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        targets: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        tests: Annotated[
            str, typer.Option(help=f"Of {', '.join(registry.names('tests'))}; auto picks one a pair.")
        ] = "kci,chisq,gsq",
        given: Annotated[str, typer.Option(help="Columns to condition on, separated by commas.")] = "",
        by: Annotated[str | None, typer.Option(help="A column that splits people into subgroups.")] = None,
        cluster: Annotated[
            str | None, typer.Option(help="A column that says which rows belong together, such as the person.")
        ] = None,
        strata: Annotated[str | None, typer.Option(help="A column within whose values rows are exchanged.")] = None,
        alpha: Annotated[float, typer.Option(help="Level after correction.")] = 0.05,
        correction: Annotated[str, typer.Option(help="fdr_bh, fdr_by, holm, bonferroni or none.")] = "fdr_bh",
        draws: Annotated[
            int, typer.Option(min=1, help=f"{_that('draws')}: median p-value of so many random draws.")
        ] = 1,
        permutations: Annotated[
            int, typer.Option(min=0, help=f"{_that('permutes')}: permute so often; 0: formulas.")
        ] = 0,
        seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
        engine: EngineOption = None,
        jobs: JobsOption = None,
        figures: Annotated[bool, typer.Option(help="Draw heatmaps and the graph, SVG and PNG.")] = True,
        missing: Annotated[str, typer.Option(help="Texts that mean missing, separated by commas.")] = "",
        strict: StrictOption = False,
        out: Annotated[Path, typer.Option(help="Folder for the results of a table.")] = Path("independence"),
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
    ) -> None:
        """Level I: test every feature against every trait, in a study or in any table."""
        from personax.config import IndependenceSection
        from personax.stages import analyse_file, analyse_statistics

        if is_study(file):
            refuse_others(ctx, STUDY_OPTIONS, OF_STUDY.format("independence"))
            run_study(
                load_study(file, folder=folder),
                ["independence"],
                force=force,
                as_json=as_json,
                engine=engine,
                jobs=jobs,
                strict=strict,
            )
            return
        refuse(ctx, ["folder", "force"], OF_TABLE)
        if (file / "statistics.json").is_file():
            refuse_others(ctx, STATISTICS_OPTIONS, "to noisy statistics: their tables are tested by chi-square alone")
        _check_draws(ctx, comma_separated(tests) or [])
        raw = {
            "features": comma_separated(features),
            "targets": comma_separated(targets),
            "tests": comma_separated(tests),
            "given": comma_separated(given),
            "by": by,
            "cluster": cluster,
            "strata": strata,
            "alpha": alpha,
            "correction": correction,
            "options": _options(draws, permutations, comma_separated(tests) or []),
            "figures": figures,
        }
        section = from_options(IndependenceSection, raw)
        with kept_when_stopped(lambda: NOTHING_KEPT), parallel_config(engine, jobs), showing_progress() as progress:
            if (file / "statistics.json").is_file():
                found = analyse_statistics(file, section, out, seed=seed, progress=progress)
            else:
                found = analyse_file(
                    file, section, out, missing=["", *missing.split(",")], strict=strict, seed=seed, progress=progress
                )
        _print(found, out, as_json=as_json)
        if not found.pvalues["p_value"].count():
            raise typer.Exit(1)
