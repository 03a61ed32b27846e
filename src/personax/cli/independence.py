"""personax independence: Level I of a study, or of anybody's table with no study at all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from personax.cli.console import emit, say, table, watching
from personax.cli.run import FolderOption, ForceOption, JsonOption, perform
from personax.columns import infer_columns
from personax.errors import PlanError
from personax.files import sha256
from personax.plan import Independence
from personax.schema import Column
from personax.sources import read_table
from personax.stages.independence import analyse, count, write_results
from personax.store import Manifest, StudyFolder
from personax.study import Study

__all__ = ["register"]

_SHOWN = 15


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text is not None else None


def _section(features: str | None, targets: str | None, tests: str, alpha: float, correction: str) -> Independence:
    raw = {
        "features": _names(features),
        "targets": _names(targets),
        "tests": _names(tests),
        "alpha": alpha,
        "correction": correction,
    }
    try:
        return Independence.model_validate(raw)
    except ValueError as error:
        first = error.errors()[0]  # type: ignore[attr-defined]
        text = f"--{first['loc'][0]}: {first['msg']}"
        raise PlanError(text) from None


def _on_table(file: Path, section: Independence, out: Path, missing: list[str], *, as_json: bool) -> None:
    people = read_table(file, {}, missing=missing)
    wanted = {*(section.features or ()), *(section.targets or ())}
    columns = [_asked_for(column, section) for column in infer_columns(people.people) if column.name != "id" or wanted]
    folder = StudyFolder(out)
    with folder.lock(), folder.staging("independence") as staged, watching() as progress:
        progress.stage("independence")
        pvalues, graph = analyse(people.people, columns, section, progress)
        write_results(pvalues, graph, staged.path)
        plan = section.model_dump(mode="json")
        manifest = Manifest("independence", 1, 0, plan, {file.name: sha256(file)}, counts=count(pvalues))
        staged.commit(manifest)
    if as_json:
        emit({"out": str(out), **count(pvalues)})
        return
    used = [column for column in columns if column.name in {*pvalues["feature"], *pvalues["target"]}]
    table("Columns", ("name", "kind", "why"), ((c.name, c.kind, c.why if c.inferred else "given") for c in used))
    _show(pvalues)
    say(f"wrote {out}")


def _asked_for(column: Column, section: Independence) -> Column:
    """Give a column the role that the command line names it for."""
    if column.name in (section.targets or ()):
        return Column(column.name, "target", column.kind, column.unit, column.period, column.inferred, column.why)
    return column


def _show(pvalues: pl.DataFrame) -> None:
    """Print the strongest dependences, effect size beside p."""
    found = pvalues.filter(pl.col("reason").is_null()).sort("p_value", "effect_size", descending=[False, True])
    rows = (
        (r["feature"], r["target"], r["test"], str(r["n"]), f"{r['p_value']:.3g}", f"{r['p_corrected']:.3g}",
         f"{r['effect_size']:.3f} {r['effect_name']}")
        for r in found.head(_SHOWN).iter_rows(named=True)
    )  # fmt: skip
    title = f"The {min(_SHOWN, found.height)} smallest of {found.height} p-values"
    table(title, ("feature", "target", "test", "n", "p", "corrected p", "effect size"), rows)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples: personax independence my-study/study.yaml, "
        "personax independence people.csv --features Height,Weight --targets final_o,final_c --out results"
    )
    def independence(
        file: Annotated[Path, typer.Argument(help="A study file (.yaml), or a table: CSV, TSV, Parquet, JSON, JSONL.")],
        features: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        targets: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        tests: Annotated[str, typer.Option(help="Of kci, chisq, gsq.")] = "kci,chisq,gsq",
        alpha: Annotated[float, typer.Option(help="Level after correction.")] = 0.05,
        correction: Annotated[str, typer.Option(help="fdr_bh, fdr_by, holm or none.")] = "fdr_bh",
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
        section = _section(features, targets, tests, alpha, correction)
        _on_table(file, section, out, missing.split(","), as_json=as_json)
