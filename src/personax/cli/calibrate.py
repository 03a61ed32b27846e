"""personax calibrate: do the tests keep their level on a table like this one? A certificate beside the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from personax.cli.console import emit, say, showing_progress, table
from personax.cli.options import refuse
from personax.cli.run import JsonOption, comma_separated
from personax.cli.trust import load_study

if TYPE_CHECKING:
    from personax.independence import Correction
    from personax.stages import Calibration

__all__ = ["register"]


def _print(found: Calibration, out: Path, *, as_json: bool) -> None:
    from personax.independence import family_sentences, verdicts

    sentences = verdicts(found.rates, found.alpha)
    if as_json:
        grids = {"family_wise": found.families.to_dicts()}
        emit({"out": str(out), **found.counts, "verdicts": sentences, "rates": found.rates.to_dicts(), **grids})
        return
    rows = ((c.name, c.kind, c.why if c.inferred else "given") for c in found.columns)
    table("Columns", ("name", "kind", "why"), rows)
    for sentence in sentences.values():
        say(sentence)
    for sentence in family_sentences(found.families):
        say(sentence)
    say(f"wrote {out / 'certificate.md'}")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples: personax calibrate people.csv --features Height,Weight --targets final_o --like-mine   |   "
        "personax calibrate study.yaml --like-mine"
    )
    def calibrate(
        ctx: typer.Context,
        file: Annotated[Path, typer.Argument(help="A study file, or a table: CSV, TSV, Parquet, JSON, JSONL.")],
        features: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        targets: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        given: Annotated[str, typer.Option(help="Columns that are given, separated by commas.")] = "",
        tests: Annotated[str, typer.Option(help="Names of tests; a wrong one is answered with all.")] = "kci,chisq,gsq",
        times: Annotated[int, typer.Option(help="Nulls a cell.")] = 1000,
        alpha: Annotated[float, typer.Option(help="Level that the verdicts are about.")] = 0.05,
        like_mine: Annotated[
            bool, typer.Option("--like-mine/--synthetic", help="Nulls made of these columns, or invented people.")
        ] = False,
        all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Every pair, not one of each two kinds.")] = False,
        correction: Annotated[str, typer.Option(help="Of the grid: fdr_bh, fdr_by, holm, none.")] = "fdr_bh",
        grids: Annotated[int, typer.Option(help="With --like-mine: whole grids, for the family-wise error.")] = 100,
        seed: Annotated[int, typer.Option(help="Where the random numbers begin.")] = 0,
        missing: Annotated[str, typer.Option(help="Texts that mean missing, separated by commas.")] = "",
        out: Annotated[
            Path | None, typer.Option(help="Folder; default: independence, of a study its folder calibration.")
        ] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Level I: say how often the tests reject where there is nothing to find, on data like these."""
        from personax.stages import CalibrationSettings, calibrate_file, calibrate_study

        if not like_mine:
            refuse(ctx, ["all_pairs", "correction", "grids"], "to invented people; add --like-mine, or leave it out")
        settings = CalibrationSettings(
            comma_separated(features), comma_separated(targets), comma_separated(given) or [],
            comma_separated(tests) or [], times, alpha, seed, like_mine, all_pairs,
            cast("Correction", correction), grids,
        )  # fmt: skip
        if file.suffix.lower() in (".yaml", ".yml"):
            refuse(ctx, ["missing"], "to a study, whose file says what is missing; leave it out")
            study = load_study(file)
            place = out or study.folder.root / "calibration"
            with showing_progress() as progress:
                found = calibrate_study(study.reader, settings, place, progress=progress)
        else:
            place = out or Path("independence")
            with showing_progress() as progress:
                found = calibrate_file(file, settings, place, missing=["", *missing.split(",")], progress=progress)
        _print(found, place, as_json=as_json)
