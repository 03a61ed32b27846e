"""personax crl: Level II on simulated people with known latents, every method side by side."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from personax import registry
from personax.cli.console import emit, say, watching
from personax.cli.faster import CompiledOption, DeviceOption, HalfOption, device_of
from personax.cli.latents import register as register_data
from personax.cli.named import group_meaning
from personax.cli.run import FolderOption, ForceOption, JsonOption, StudyArgument, perform
from personax.errors import MissingExtraError
from personax.files import write_text
from personax.progress import Progress
from personax.stages.crl_benchmark import CrlBenchmark, as_markdown, reject_none, rows_of, run_benchmark
from personax.stages.crl_benchmark_figures import draw_benchmark
from personax.study import Study

__all__ = ["register"]

_STUDY = "study"
_DATA = "data"


def _meant(args: Sequence[str]) -> str:
    """Say what is meant where no command is named: data where modalities are given, else a study."""
    return _DATA if any(arg.split("=")[0] == "--modalities" for arg in args) else _STUDY


VERSIONED = ("personax", "numpy", "scipy", "torch")


def _order() -> list[str]:
    """Return all methods, ours first and the ceiling last."""
    others = [name for name in registry.names("methods") if name not in ("default", "supervised")]
    return ["default", *others, "supervised"]


def _perform(asked: CrlBenchmark, out: Path, *, figures: bool, as_json: bool) -> None:
    results: list[dict[str, Any]] = []
    asked.check()
    try:
        with watching() as progress:
            progress.stage("crl benchmark")
            results.extend(run_benchmark(asked, out / "parts", progress))
    except KeyboardInterrupt:
        say(f"stopped; the same command goes on from what is in {out / 'parts'}")
        raise
    rows = [row for result in results for row in rows_of(result)]
    reject_none([row for row in rows if not row["method"].startswith("floor")])
    order = [name for name in _order() if name in asked.methods]
    table = _write(asked, rows, order, out)
    drawn, notice = None, None
    if figures:
        with watching() as progress:
            drawn, notice = _draw(results, table, order, out, progress)
    if as_json:
        facts = {"figures": str(drawn) if drawn else None, "notices": [notice] if notice else []}
        emit({"out": str(out), "scores": table.to_dicts(), **facts})
        return
    say(as_markdown(table, order))
    failed = table.filter(pl.col("reason").is_not_null() & (pl.col("metric") == "r2"))
    for row in failed.iter_rows(named=True):
        say(f"{row['method']}, seed {row['seed']}: {row['reason']}")
    say(f"wrote {out / 'scores.parquet'}, scores.csv, summary.md, run.json")
    if drawn or notice:
        say(f"figures, SVG and PNG: {drawn}" if drawn else str(notice))


def _write(asked: CrlBenchmark, rows: list[dict[str, Any]], order: list[str], out: Path) -> pl.DataFrame:
    """Write tables and what they come from; return the tidy one."""
    schema = {"seed": pl.Int64, "method": pl.String, "needs": pl.String, "metric": pl.String, "value": pl.Float64,
              "reason": pl.String}  # fmt: skip
    table = pl.DataFrame(rows, schema=schema).unique(["seed", "method", "metric"], keep="first", maintain_order=True)
    table.write_parquet(out / "scores.parquet")
    table.write_csv(out / "scores.csv")
    write_text(out / "summary.md", as_markdown(table, order))
    facts = {name: value for name, value in asdict(asked).items() if name not in ("first", "folders")}
    facts |= {"seeds": list(range(asked.first, asked.first + asked.seeds)), "python": platform.python_version(),
              "versions": {name: version(name) for name in VERSIONED}}  # fmt: skip
    write_text(out / "run.json", json.dumps(facts, indent=1))
    return table


def _draw(
    results: list[dict[str, Any]], table: pl.DataFrame, order: list[str], out: Path, progress: Progress
) -> tuple[Path | None, str | None]:
    """Return the folder of the figures, or why there is none."""
    progress.stage("figures")
    try:
        draw_benchmark(results, table, order, out / "parts", out / "figures", progress)
    except MissingExtraError:
        return None, "No figures were drawn: they need matplotlib (pip install 'personax[figures]')."
    return out / "figures", None


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(cls=group_meaning(_meant), no_args_is_help=True)
    app.add_typer(group, name="crl")

    @group.callback(
        epilog="Examples: personax crl study.yaml; personax crl embeddings.npz --modalities mod.yaml --out latents"
    )
    def _group() -> None:
        """Level II: latent causes of a study, of embeddings, or (``benchmark``) of people whose latents are known."""

    register_data(group)

    @group.command(_STUDY, epilog="Example: personax crl my-study/study.yaml")
    def study(
        study: StudyArgument, folder: FolderOption = None, force: ForceOption = False, as_json: JsonOption = False
    ) -> None:
        """Learn the latent causes behind a study's embeddings; the word ``study`` may be left out."""
        perform(Study.load(study, folder=folder), ["crl"], force=force, as_json=as_json)

    @group.command(
        epilog="Example: personax crl benchmark --data numerical --case 1 --methods default,pca,supervised --out bench"
    )
    def benchmark(
        out: Annotated[Path, typer.Option(help="Folder of the results; a run that was stopped goes on there.")],
        data: Annotated[str, typer.Option(help="variant-mnist or numerical.")] = "numerical",
        case: Annotated[int, typer.Option(help="Of numerical: 1, 2 or 3.")] = 1,
        instances: Annotated[str, typer.Option(help="Of variant-mnist: fixed, shared or random.")] = "fixed",
        modalities: Annotated[int | None, typer.Option(help="Of numerical, in place of the case's.")] = None,
        latents: Annotated[int | None, typer.Option(help="Of each modality of numerical.")] = None,
        shared: Annotated[int, typer.Option(help="Shared latents of numerical.")] = 0,
        measurements: Annotated[int, typer.Option(help="Of each modality of numerical.")] = 1,
        mechanism: Annotated[str | None, typer.Option(help="additive, folded, scale, linear or mlp.")] = None,
        noise: Annotated[str, typer.Option(help="gaussian, laplace or uniform.")] = "gaussian",
        any_graph: Annotated[
            bool, typer.Option("--any-graph", help="Of numerical: also graphs that leave latents mixable.")
        ] = False,
        n: Annotated[int, typer.Option(help="People; a tenth is held out.")] = 10_000,
        digits: Annotated[Path | None, typer.Option(help="Folder with MNIST's files.")] = None,
        clothes: Annotated[Path | None, typer.Option(help="Folder with Fashion-MNIST's files.")] = None,
        methods: Annotated[str, typer.Option(help="Names separated by commas, or all.")] = "all",
        seeds: Annotated[int, typer.Option(help="How many.")] = 5,
        first: Annotated[int, typer.Option(help="The first seed.")] = 0,
        epochs: Annotated[int, typer.Option(help="Of the budget that all methods share.")] = 60,
        runs: Annotated[
            int, typer.Option(help="Fits a seed; validation chooses the one that is scored, beside its regret.")
        ] = 1,
        convolutional: Annotated[
            bool, typer.Option("--convolutional", help="paper and mmcrl read images by convolutions.")
        ] = False,
        device: DeviceOption = "cpu",
        compiled: CompiledOption = False,
        half: HalfOption = False,
        figures: Annotated[bool, typer.Option(help="Draw scores, training, latents and graphs, SVG and PNG.")] = True,
        as_json: JsonOption = False,
    ) -> None:
        """Compare methods on data whose latents are known: people held out, every seed reported, floors beside."""
        chosen = (
            registry.names("methods")
            if methods == "all"
            else [name.strip() for name in methods.split(",") if name.strip()]
        )
        if data == "numerical":
            asked = {"case": case, "modalities": modalities, "per_modality": latents, "shared": shared,
                     "measurements": measurements, "mechanism": mechanism, "noise": noise,
                     "identified": False if any_graph else None}  # fmt: skip
        else:
            asked = {"instances": instances, "mechanism": mechanism, "noise": noise}
        options = {name: value for name, value in asked.items() if value is not None}
        folders = {name: str(path) for name, path in {"digits": digits, "clothes": clothes}.items() if path is not None}
        wanted = CrlBenchmark(
            data,
            options,
            chosen,
            seeds,
            first,
            n,
            epochs=epochs,
            runs=runs,
            convolutional=convolutional,
            device=device_of(device),
            compiled=compiled,
            half=half,
            folders=folders,
        )
        _perform(wanted, out, figures=figures, as_json=as_json)
