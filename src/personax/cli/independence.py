"""personax independence: Level I of a study, or of anybody's table with no study at all."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from personax import registry
from personax.cli.console import emit, say, table, watching
from personax.cli.run import FolderOption, ForceOption, JsonOption, perform
from personax.columns import infer_columns
from personax.config import Independence
from personax.errors import PlanError
from personax.files import sha256
from personax.schema import Column, Notice
from personax.sources import read_table
from personax.stages.independence import INDEPENDENCE, analyse, count, everybody, write_results
from personax.stages.noisy_independence import analyse_statistics
from personax.store import Manifest, StudyFolder
from personax.study import Study

__all__ = ["register"]

_SHOWN = 15

_LARGE = 200_000_000
"""Bytes of a Parquet file above which it is counted in pieces and never read whole."""

_SEEN = 100_000
"""Rows of such a file from which kinds are inferred."""


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text is not None else None


def _section(raw: dict[str, Any]) -> Independence:
    try:
        return Independence.model_validate(raw)
    except ValueError as error:
        first = error.errors()[0]  # type: ignore[attr-defined]
        text = f"--{first['loc'][0]}: {first['msg']}"
        raise PlanError(text) from None


def _options(draws: int, permutations: int) -> dict[str, dict[str, Any]]:
    """Return the options of randomised tests that the command line sets."""
    options: dict[str, dict[str, Any]] = {}
    for part in registry.parts("tests"):
        if draws > 1 and part.facts.get("draws"):
            options.setdefault(part.name, {})["draws"] = draws
        if permutations and part.facts.get("permutes"):
            options.setdefault(part.name, {}).update(null="permutation", permutations=permutations)
    return options


def _that(fact: str) -> str:
    """Name the tests that take an option, as its help does."""
    return ", ".join(part.title for part in registry.parts("tests") if part.facts.get(fact))


def _on_table(
    file: Path, section: Independence, out: Path, missing: list[str], *, seed: int, jobs: int, as_json: bool
) -> None:
    frame, sample = _read(file, missing)
    wanted = {*(section.features or ()), *(section.targets or ()), *section.given, section.by}
    columns = [_asked_for(column, section) for column in infer_columns(sample) if column.name != "id" or wanted]
    folder = StudyFolder(out)
    with folder.lock(), folder.staging(INDEPENDENCE.name) as staged, watching() as progress:
        progress.stage("independence")
        pvalues, graph = analyse(frame, columns, section, progress, seed=seed, jobs=jobs)
        notices = write_results(pvalues, graph, staged.path, section.alpha, figures=section.figures)
        manifest = Manifest(
            INDEPENDENCE.name,
            INDEPENDENCE.revision,
            seed,
            section.model_dump(mode="json"),
            {file.name: sha256(file)},
            counts=count(pvalues),
            notices=[asdict(notice) for notice in notices],
        )
        staged.commit(manifest)
    if as_json:
        emit({"out": str(out), **count(pvalues)})
        return
    used = [column for column in columns if column.name in {*pvalues["feature"], *pvalues["target"], *section.given}]
    table("Columns", ("name", "kind", "why"), ((c.name, c.kind, c.why if c.inferred else "given") for c in used))
    _show(everybody(pvalues))
    for notice in notices:
        say(notice.text)
    say(f"wrote {out}")


def _on_statistics(folder: Path, section: Independence, out: Path, *, seed: int, as_json: bool) -> None:
    """Test the noisy tables of a release that has no people."""
    from personax.release import load_release

    found = load_release(folder).statistics
    if found is None:
        raise PlanError(f"{folder} holds no study and no noisy statistics; name a table, or analyse the release")
    place = StudyFolder(out)
    with place.lock(), place.staging("independence") as staged, watching() as progress:
        progress.stage("independence")
        pvalues, graph = analyse_statistics(
            found, progress, features=section.features, targets=section.targets, alpha=section.alpha,
            correction=section.correction, seed=seed,
        )  # fmt: skip
        noisy = Notice(f"{found.sentence} P-values are corrected for the noise; the test is chi-square.")
        notices = [noisy, *write_results(pvalues, graph, staged.path, section.alpha, figures=section.figures)]
        plan = section.model_dump(mode="json") | {"tests": ["chisq"]}
        inputs = {"statistics.json": sha256(folder / "statistics.json")}
        said = [asdict(notice) for notice in notices]
        staged.commit(Manifest("independence", 2, seed, plan, inputs, counts=count(pvalues), notices=said))
    if as_json:
        emit({"out": str(out), **count(pvalues), "notices": said})
        return
    _show(pvalues)
    for notice in notices:
        say(notice.text)
    say(f"wrote {out}")


def _read(file: Path, missing: list[str]) -> tuple[pl.DataFrame | pl.LazyFrame, pl.DataFrame]:
    """Return the table, and the rows that kinds are inferred from; a large Parquet file stays where it is."""
    if file.suffix == ".parquet" and file.is_file() and file.stat().st_size > _LARGE:
        table = pl.scan_parquet(file)
        return table, table.head(_SEEN).collect()
    people = read_table(file, {}, missing=missing).people
    return people, people


def _asked_for(column: Column, section: Independence) -> Column:
    """Give a column the role that the command line names it for."""
    if column.name in (section.targets or ()):
        return Column(column.name, "target", column.kind, column.unit, column.period, column.inferred, column.why)
    return column


def _show(pvalues: pl.DataFrame) -> None:
    """Print the strongest dependences, effect size beside p."""
    found = pvalues.filter(pl.col("reason").is_null()).sort("p_value", "effect_size", descending=[False, True])
    rows = (
        (r["feature"], r["target"], r["test"], str(r["n"]), f"{r['p_value']:.2g}", f"{r['p_corrected']:.2g}",
         f"{r['effect_size']:.2f}", _interval(r), f"{r['consensus']}/{r['tests_run']}")
        for r in found.head(_SHOWN).iter_rows(named=True)
    )  # fmt: skip
    title = f"The {min(_SHOWN, found.height)} smallest of {found.height} p-values"
    table(title, ("feature", "target", "test", "n", "p", "corrected", "effect", "95 %", "reject"), rows)


def _interval(row: dict[str, Any]) -> str:
    return "" if row["effect_low"] is None else f"{row['effect_low']:.2f}-{row['effect_high']:.2f}"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples: personax independence my-study/study.yaml, "
        "personax independence people.csv --features Height,Weight --targets final_o,final_c --out results, "
        "personax independence people.csv --tests kci,rcit,gcm --given age,league --by gender"
    )
    def independence(
        file: Annotated[
            Path,
            typer.Argument(
                help="A study file (.yaml), a table (CSV, TSV, Parquet, JSON, JSONL), or a folder of noisy statistics."
            ),
        ],
        features: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        targets: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        tests: Annotated[
            str, typer.Option(help=f"Of {', '.join(registry.names('tests'))}; auto picks one a pair.")
        ] = "kci,chisq,gsq",
        given: Annotated[str, typer.Option(help="Columns to condition on, separated by commas.")] = "",
        by: Annotated[str | None, typer.Option(help="A column that splits people into subgroups.")] = None,
        alpha: Annotated[float, typer.Option(help="Level after correction.")] = 0.05,
        correction: Annotated[str, typer.Option(help="fdr_bh, fdr_by, holm or none.")] = "fdr_bh",
        draws: Annotated[
            int, typer.Option(min=1, help=f"{_that('draws')}: median p-value of so many random draws.")
        ] = 1,
        permutations: Annotated[
            int, typer.Option(min=0, help=f"{_that('permutes')}: permute so often; 0: formulas.")
        ] = 0,
        seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
        jobs: Annotated[int, typer.Option(min=1, help="Threads.")] = 1,
        figures: Annotated[bool, typer.Option(help="Draw heatmaps and the graph, SVG and PNG.")] = True,
        missing: Annotated[str, typer.Option(help="Texts that mean missing, separated by commas.")] = "",
        out: Annotated[Path, typer.Option(help="Folder for the results of a table.")] = Path("results"),
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
    ) -> None:
        """Level I: test every feature against every trait, in a study or in any table."""
        if file.suffix in (".yaml", ".yml") or (file / "study.yaml").is_file():
            perform(Study.load(file, folder=folder), ["independence"], force=force, as_json=as_json)
            return
        noisy = (file / "statistics.json").is_file()
        raw = {
            "features": _names(features),
            "targets": _names(targets),
            "tests": _names(tests),
            "given": _names(given),
            "by": by,
            "alpha": alpha,
            "correction": correction,
            "options": _options(draws, permutations),
            "figures": figures,
        }
        if noisy:
            _on_statistics(file, _section(raw), out, seed=seed, as_json=as_json)
            return
        _on_table(file, _section(raw), out, missing.split(","), seed=seed, jobs=jobs, as_json=as_json)
