"""personax crl: Level II on simulated people with known latents, every method side by side."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from personax import registry
from personax.cli import crl_compare
from personax.cli.console import emit, say, showing_progress, table
from personax.cli.default_command import group_with_default
from personax.cli.options import refuse
from personax.cli.outputs import own_folder
from personax.cli.run import EngineOption, FolderOption, ForceOption, JobsOption, JsonOption, StudyArgument, run_study
from personax.cli.signals import kept_units, kept_when_stopped
from personax.cli.trust import load_study
from personax.engine import parallel_config
from personax.errors import MissingExtraError, PlanError
from personax.files import written_aside
from personax.progress import Progress

if TYPE_CHECKING:
    import polars as pl

    from personax.crl._budget import Device
    from personax.stages import CrlBenchmark, LatentResults
    from personax.study import Study

__all__ = ["register"]

_STUDY = "study"
_DATA = "data"


DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, or auto: a GPU where there is one.")]
CompiledOption = Annotated[
    bool, typer.Option("--compiled", help="Compile the steps of paper and mmcrl: faster in long fits.")
]
HalfOption = Annotated[bool, typer.Option("--half", help="Products of matrices of paper and mmcrl in bfloat16.")]


def device_of(name: str) -> Device:
    """Return the device that was asked for.

    Raises
    ------
    PlanError
        For one that has no name here.
    """
    from personax.crl._budget import Device

    if name not in get_args(Device):
        raise PlanError(f"--device is auto, cpu or cuda, not {name}")
    return cast(Device, name)


def _meant(args: Sequence[str]) -> str:
    """Say what is meant where no command is named: data where modalities are given, else a study."""
    return _DATA if any(arg.split("=")[0] == "--modalities" for arg in args) else _STUDY


def _order() -> list[str]:
    """Return all methods, ours first and the ceiling last."""
    others = [name for name in registry.names("methods") if name not in ("default", "supervised")]
    return ["default", *others, "supervised"]


def _perform(settings: CrlBenchmark, out: Path, *, figures: bool, as_json: bool) -> None:
    import polars as pl

    from personax.stages import reject_none, rows_of, run_benchmark, summary_table, write_benchmark

    results: list[dict[str, Any]] = []
    settings.check()
    own_folder(out, "parts")
    with kept_when_stopped(lambda: kept_units(out / "parts", "runs", "[0-9]*-*.json")), showing_progress() as progress:
        progress.stage("crl benchmark")
        results.extend(run_benchmark(settings, out / "parts", progress))
    rows = [row for result in results for row in rows_of(result)]
    reject_none([row for row in rows if not row["method"].startswith("floor")])
    order = [name for name in _order() if name in settings.methods]
    table = write_benchmark(settings, rows, order, out)
    drawn, notice = None, None
    if figures:
        with showing_progress() as progress:
            drawn, notice = _draw(results, table, order, out, progress)
    if as_json:
        facts = {"figures": str(drawn) if drawn else None, "notices": [notice] if notice else []}
        emit({"out": str(out), "scores": table.to_dicts(), **facts})
        return
    say(summary_table(table, order))
    failed = table.filter(pl.col("reason").is_not_null() & (pl.col("metric") == "r2"))
    for row in failed.iter_rows(named=True):
        under = "" if row["protocol"] == "honest" else f", {row['protocol']}"
        say(f"{row['method']}, seed {row['seed']}{under}: {row['reason']}")
    if "paper" in settings.protocols:
        say(PEEKS)
    say(f"wrote {out / 'scores.parquet'}, scores.csv, summary.md, run.json")
    if drawn or notice:
        say(f"figures, SVG and PNG: {drawn}" if drawn else str(notice))


def _draw(
    results: list[dict[str, Any]], table: pl.DataFrame, order: list[str], out: Path, progress: Progress
) -> tuple[Path | None, str | None]:
    """Return the folder of the figures, or why there is none."""
    from personax.stages import draw_benchmark

    progress.stage("figures")
    try:
        draw_benchmark(results, table, order, out / "parts", out / "figures", progress)
    except MissingExtraError:
        return None, "No figures were drawn: they need matplotlib (pip install 'personax[figures]')."
    return out / "figures", None


def _listed(given: str | None) -> list[str] | None:
    """Return the words between commas."""
    return None if given is None else [word.strip() for word in given.split(",") if word.strip()]


def _numbers(option: str, given: str | None) -> list[int] | None:
    """Return the numbers between commas.

    Raises
    ------
    PlanError
        When they are none.
    """
    try:
        return None if given is None else [int(word) for word in given.split(",")]
    except ValueError:
        raise PlanError(f"{option} is a number, or one a modality as in 3,2, not {given}") from None


def _one_number(option: str, given: str | None, otherwise: int | None) -> int | None:
    """Return the one number of all modalities.

    Raises
    ------
    PlanError
        When there are several.
    """
    found = _numbers(option, given)
    if found is None:
        return otherwise
    if len(found) != 1:
        raise PlanError(f"{option} is one number for all modalities of numerical, not {given}")
    return found[0]


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(cls=group_with_default(_meant), no_args_is_help=True)
    app.add_typer(group, name="crl")

    @group.callback(
        epilog="Examples: personax crl study.yaml; personax crl embeddings.npz --modalities mod.yaml --out latents"
    )
    def _group() -> None:
        """Level II: latent causes of a study, of embeddings, or (``benchmark``) of people whose latents are known."""

    _add_data(group)
    crl_compare.register(group)

    @group.command(_STUDY, epilog="Example: personax crl my-study/study.yaml")
    def study(
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        engine: EngineOption = None,
        jobs: JobsOption = None,
    ) -> None:
        """Learn the latent causes behind a study's embeddings; the word ``study`` may be left out."""
        loaded = load_study(study, folder=folder)
        run_study(loaded, ["crl"], force=force, as_json=as_json, engine=engine, jobs=jobs)
        if not as_json:
            _show_study(loaded)

    @group.command(
        epilog="Example: personax crl benchmark --data numerical --case 1 --methods default,pca,supervised --out bench"
    )
    def benchmark(
        ctx: typer.Context,
        out: Annotated[Path, typer.Option(help="Folder of the results; a run that was stopped goes on there.")],
        data: Annotated[str, typer.Option(help="worlds, variant-mnist or numerical.")] = "numerical",
        world: Annotated[str | None, typer.Option(help="Of worlds: a fixed one; see docs/crl.md.")] = None,
        world_file: Annotated[Path | None, typer.Option(help="Of worlds: one with its vectors, as NPZ.")] = None,
        family: Annotated[
            str | None, typer.Option(help="Of worlds: a family of measurements, or one a modality (clauses,numbers).")
        ] = None,
        encoder: Annotated[
            str | None, typer.Option(help="Of worlds: simulated, or encoders of embed, for measurements in turn.")
        ] = None,
        picture_encoder: Annotated[
            str | None, typer.Option(help="Of worlds with faces, which are pixels without one.")
        ] = None,
        filler: Annotated[int | None, typer.Option(help="Of worlds: sentences that say nothing.")] = None,
        links: Annotated[int | None, typer.Option(help="Of worlds: edges between modalities.")] = None,
        cache: Annotated[
            Path | None,
            typer.Option(help="Of worlds: folder that keeps vectors.", envvar="PERSONAX_WORLDS", show_envvar=True),
        ] = None,
        case: Annotated[int, typer.Option(help="Of numerical: 1, 2 or 3.")] = 1,
        instances: Annotated[str, typer.Option(help="Of variant-mnist: fixed, shared or random.")] = "fixed",
        pixel_noise: Annotated[
            float, typer.Option(help="Of variant-mnist: deviation of noise on pixels from 0 to 1.")
        ] = 0.0,
        background: Annotated[
            float, typer.Option(help="Of variant-mnist: brightness, below 1, of a picture behind that nobody knows.")
        ] = 0.0,
        modalities: Annotated[int | None, typer.Option(help="Of numerical, in place of the case's.")] = None,
        latents: Annotated[
            str | None, typer.Option(help="Of each modality of numerical (2); of worlds one number each (3,2).")
        ] = None,
        shared: Annotated[int, typer.Option(help="Shared latents of numerical and of worlds.")] = 0,
        measurements: Annotated[
            str | None, typer.Option(help="Of each modality: of numerical 1, of worlds 3,2 where not given.")
        ] = None,
        mechanism: Annotated[str | None, typer.Option(help="additive, folded, scale, linear or mlp.")] = None,
        noise: Annotated[str, typer.Option(help="gaussian, laplace or uniform.")] = "gaussian",
        any_graph: Annotated[
            bool, typer.Option("--any-graph", help="Of numerical: also graphs that leave latents mixable.")
        ] = False,
        n: Annotated[int, typer.Option("--n", "--people", help="People; a tenth is held out.")] = 10_000,
        digits: Annotated[Path | None, typer.Option(help="Folder with MNIST's files.")] = None,
        clothes: Annotated[Path | None, typer.Option(help="Folder with Fashion-MNIST's files.")] = None,
        methods: Annotated[str, typer.Option(help="Names separated by commas, or all.")] = "all",
        seeds: Annotated[int, typer.Option(help="How many.")] = 5,
        first: Annotated[int, typer.Option(help="The first seed.")] = 0,
        epochs: Annotated[int, typer.Option(help="Of the budget that all methods share.")] = 60,
        runs: Annotated[
            int, typer.Option(help="Fits a seed; validation chooses the one that is scored, beside its regret.")
        ] = 1,
        protocol: Annotated[
            str,
            typer.Option(help="honest: chosen by validation; paper: the best epoch by test MCC, which peeks; both."),
        ] = "honest",
        rate: Annotated[float | None, typer.Option(help="Highest learning rate, in place of .001.")] = None,
        batch: Annotated[int | None, typer.Option(help="People a step, in place of 256.")] = None,
        convolutional: Annotated[
            bool, typer.Option("--convolutional", help="paper and mmcrl read images by convolutions.")
        ] = False,
        device: DeviceOption = "cpu",
        compiled: CompiledOption = False,
        half: HalfOption = False,
        figures: Annotated[bool, typer.Option(help="Draw scores, training, latents and graphs, SVG and PNG.")] = True,
        engine: EngineOption = None,
        jobs: JobsOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Compare methods on data whose latents are known: people held out, every seed reported, floors beside."""
        from personax.stages import CrlBenchmark

        chosen = (
            registry.names("methods")
            if methods == "all"
            else [name.strip() for name in methods.split(",") if name.strip()]
        )
        _check_generator(ctx, data, chosen)
        given: dict[str, Any]
        if data == "worlds":
            given = {"world": world, "file": None if world_file is None else str(world_file),
                     "families": _listed(family), "encoders": _listed(encoder), "picture_encoder": picture_encoder,
                     "latents": _numbers("--latents", latents),
                     "measurements": _numbers("--measurements", measurements),
                     "shared": shared or None, "filler": filler, "links": links, "mechanism": mechanism,
                     "noise": None if noise == "gaussian" else noise}  # fmt: skip
        elif data == "numerical":
            given = {"case": case, "modalities": modalities, "per_modality": _one_number("--latents", latents, None),
                     "shared": shared, "measurements": _one_number("--measurements", measurements, 1),
                     "mechanism": mechanism, "noise": noise,
                     "identified": False if any_graph else None}  # fmt: skip
        else:
            given = {"instances": instances, "mechanism": mechanism, "noise": noise,
                     "pixel_noise": pixel_noise or None, "background": background or None}  # fmt: skip
        options = {name: value for name, value in given.items() if value is not None}
        folders = {
            name: str(path)
            for name, path in {"digits": digits, "clothes": clothes, "cache": cache}.items()
            if path is not None
        }
        settings = CrlBenchmark(
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
            protocols=("honest", "paper") if protocol == "both" else (protocol,),
            rate=rate,
            batch=batch,
        )
        with parallel_config(engine, jobs):
            _perform(settings, out, figures=figures, as_json=as_json)


_OF_DATA = {
    "worlds": {"world", "world_file", "family", "encoder", "picture_encoder", "filler", "links", "cache", "latents",
               "measurements", "shared"},
    "numerical": {"case", "modalities", "latents", "shared", "measurements", "any_graph"},
    "variant-mnist": {"instances", "pixel_noise", "background", "digits", "clothes"},
}  # fmt: skip
"""Kind of data -> the options that are its own."""

_FASTER = {"paper", "mmcrl"}
"""The methods that compiled steps, bfloat16 and convolutions are for."""


def _check_generator(ctx: typer.Context, data: str, methods: Collection[str]) -> None:
    """Refuse options of other data, and of methods that do not run."""
    if data in _OF_DATA:
        refuse(ctx, set().union(*_OF_DATA.values()) - _OF_DATA[data], f"to --data {data}; leave it out")
    if not _FASTER & set(methods):
        refuse(ctx, ["compiled", "half", "convolutional"], f"to {', '.join(methods)}, only to paper and mmcrl")


PEEKS = (
    "protocol paper: trained with the published options; the epoch reported is the one with the best MCC against the "
    "truth of the people it is scored on, so its rows are no estimate of what a user gets; peeking is what that choice "
    "adds, mcc_paper the MCC as published."
)

EXAMPLE = "Example: personax crl data embeddings.npz --modalities mod.yaml --seeds 5 --out latents"


def _add_data(group: typer.Typer) -> None:
    """Add the command for embeddings of one's own."""

    @group.command("data", epilog=EXAMPLE)
    def data(
        data: Annotated[Path, typer.Argument(help="Folder of embeddings, or one npz or Parquet file.")],
        modalities: Annotated[Path, typer.Option(help="YAML: measurements, latents and shared; see docs/crl.md.")],
        out: Annotated[Path, typer.Option(help="Folder of the results; a run that was stopped goes on there.")],
        seeds: Annotated[int, typer.Option(min=1, help="Fits, of which one is chosen without any truth.")] = 5,
        seed: Annotated[int, typer.Option(min=0, help="From which all random numbers come.")] = 0,
        method: Annotated[str, typer.Option(help="See personax crl benchmark.")] = "default",
        choose: Annotated[
            str,
            typer.Option(help="objective (on validation people), agreement (of seeds), exclusivity (of measurements)."),
        ] = "objective",
        epochs: Annotated[int, typer.Option(min=1, help="Of the budget.")] = 60,
        halves: Annotated[
            bool, typer.Option("--halves", help="Fit each half of the people too: whether both find the same latents.")
        ] = False,
        upto: Annotated[
            int | None,
            typer.Option(min=1, help="Choose each modality's number of latents, this at most; see docs/crl.md."),
        ] = None,
        only: Annotated[
            int | None,
            typer.Option(min=0, help="Fit this seed alone, from 0: one of several jobs; see docs/cluster.md."),
        ] = None,
        device: DeviceOption = "cpu",
        compiled: CompiledOption = False,
        half: HalfOption = False,
        engine: EngineOption = None,
        jobs: JobsOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Learn latents from embeddings of one's own; the word ``data`` may be left out."""
        import numpy as np

        from personax.config import CrlSection, read_modalities
        from personax.crl._select import Criterion
        from personax.crl.methods import usable
        from personax.data.frames import write_parquet
        from personax.embed import read_measurements
        from personax.stages import choose_latents, learn, learn_seed, write_latents
        from personax.strict import nearest

        named = read_modalities(modalities)
        known = usable()
        if method not in known:
            raise PlanError(f"--method: there is no {method}; {nearest(method, known)}")
        if choose not in get_args(Criterion):
            raise PlanError(f"--choose is objective, agreement or exclusivity, not {choose}")
        ids, views = read_measurements(data, named.measurements)
        settings = CrlSection(
            latents=named.latents, shared=named.shared, method=method, seeds=seeds, choose=cast(Criterion, choose),
            epochs=epochs, device=device_of(device), compiled=compiled, half=half, prior=named.prior,
            halves=halves,
        )  # fmt: skip
        if only is not None and upto is not None:
            raise PlanError("--only fits a seed of known numbers of latents; leave --upto out")
        own_folder(out, "fits")
        rng, tried = np.random.default_rng(seed), None
        kept = partial(kept_units, out / "fits", "seeds", "seed-*.safetensors", "seed-*.checkpoint")
        with kept_when_stopped(kept), parallel_config(engine, jobs), showing_progress() as progress:
            progress.stage("crl")
            if only is not None:
                learn_seed(views, settings, only, rng, progress, keep=out / "fits")
                text = f"seed {only} is in {out / 'fits'}; the same command without --only gathers all seeds"
                emit({"out": str(out), "seed": only, "next": text}) if as_json else say(text)
                return
            if upto is not None:
                settings, tried = choose_latents(views, settings, upto, rng.spawn(1)[0], progress)
            learned = learn(ids, views, settings, rng, progress, keep=out / "fits")
        files = write_latents(learned, out)
        if tried is not None:
            with written_aside(out / "dimensions.parquet") as aside:
                write_parquet(tried, aside)
            files = sorted([*files, "dimensions.parquet"])
        if as_json:
            facts = {"latents": dict(settings.latents), "seeds": learned.seeds.to_dicts(), "metrics": learned.metrics}
            emit({"out": str(out), "files": files, **facts, "notices": [notice.text for notice in learned.notices]})
            return
        if tried is not None:
            _show_tried(tried)
        _show(learned, out, files)


def _show_study(study: Study) -> None:
    """Show what may be claimed of a study's latents, and in one sentence what may not be believed."""
    told = study.reader.json("analysis", "crl", "diagnostics.json") or {}
    if told.get("identification"):
        show_claims(told["identification"])
        say(told["claim"])


def _show_tried(tried: pl.DataFrame) -> None:
    from personax.stages import describe_numbers

    rows = [
        (row["modality"], str(row["latents"]), _number(row["objective"]), _number(row["agreement"]),
         "chosen" if row["chosen"] else "possible" * row["candidate"], row["reason"] or "")
        for row in tried.iter_rows(named=True)
    ]  # fmt: skip
    table("Numbers of latents", ("modality", "latents", "objective", "agreement", "", "reason"), rows)
    for sentence in describe_numbers(tried):
        say(sentence)


def _show(learned: LatentResults, out: Path, files: list[str]) -> None:
    rows = [
        (str(row["seed"]), _number(row["objective"]), _number(row["agreement"]), "chosen" if row["chosen"] else "",
         row["reason"] or "")
        for row in learned.seeds.iter_rows(named=True)
    ]  # fmt: skip
    table("Seeds", ("seed", "objective", "agreement", "", "reason"), rows)
    found = [
        (row["assumption"], row["verdict"], _number(row["number"]), row["sentence"]) for row in learned.diagnostics
    ]
    table("Assumptions", ("assumption", "verdict", "number", ""), found)
    show_claims([row.to_dict() for row in learned.identification])
    for notice in learned.notices:
        say(notice.text)
    say(f"wrote {', '.join(files)} to {out}")


def show_claims(rows: Sequence[Mapping[str, Any]]) -> None:
    """Show what may be claimed of each latent, as diagnostics.json has it."""
    columns = ("finalists", "mixing", "left", "missed", "reliability", "seeds", "halves")
    table("What may be claimed", ("latent", "verdict", "criterion", *columns, "why"), [
        (row["latent"], row["verdict"], row["criterion"], *(_number(row.get(name)) for name in columns),
         row["sentence"])
        for row in rows
    ])  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
