"""personax crl DATA: Level II on embeddings of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast, get_args

import numpy as np
import polars as pl
import typer

from personax.cli.console import emit, say, table, watching
from personax.cli.faster import CompiledOption, DeviceOption, HalfOption, device_of
from personax.cli.run import JsonOption
from personax.config import Crl, read_modalities
from personax.crl._select import Criterion
from personax.crl.methods import usable
from personax.embed import read_measurements
from personax.errors import PlanError
from personax.files import written_aside
from personax.stages.fit_latents import Learned, choose_latents, learn, write_learned
from personax.strict import nearest

__all__ = ["register"]

EXAMPLE = "Example: personax crl data embeddings.npz --modalities mod.yaml --seeds 5 --out latents"


def register(group: typer.Typer) -> None:
    """Add the command."""

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
        upto: Annotated[
            int | None,
            typer.Option(min=1, help="Choose each modality's number of latents, this at most; see docs/crl.md."),
        ] = None,
        device: DeviceOption = "cpu",
        compiled: CompiledOption = False,
        half: HalfOption = False,
        as_json: JsonOption = False,
    ) -> None:
        """Learn latents from embeddings of one's own; the word ``data`` may be left out."""
        asked = read_modalities(modalities)
        known = usable()
        if method not in known:
            raise PlanError(f"--method: there is no {method}; {nearest(method, known)}")
        if choose not in get_args(Criterion):
            raise PlanError(f"--choose is objective, agreement or exclusivity, not {choose}")
        ids, views = read_measurements(data, asked.measurements)
        wanted = Crl(
            latents=asked.latents, shared=asked.shared, method=method, seeds=seeds, choose=cast(Criterion, choose),
            epochs=epochs, device=device_of(device), compiled=compiled, half=half, prior=asked.prior,
        )  # fmt: skip
        rng, tried = np.random.default_rng(seed), None
        try:
            with watching() as progress:
                progress.stage("crl")
                if upto is not None:
                    wanted, tried = choose_latents(views, wanted, upto, rng.spawn(1)[0], progress)
                learned = learn(ids, views, wanted, rng, progress, keep=out / "fits")
        except KeyboardInterrupt:
            say(f"stopped; finished seeds are in {out / 'fits'}, and the same command goes on from there")
            raise
        files = write_learned(learned, out)
        if tried is not None:
            with written_aside(out / "dimensions.parquet") as aside:
                tried.write_parquet(aside)
            files = sorted([*files, "dimensions.parquet"])
        if as_json:
            facts = {"latents": dict(wanted.latents), "seeds": learned.seeds.to_dicts(), "metrics": learned.metrics}
            emit({"out": str(out), "files": files, **facts, "notices": [notice.text for notice in learned.notices]})
            return
        if tried is not None:
            _show_tried(tried)
        _show(learned, out, files)


def _show_tried(tried: pl.DataFrame) -> None:
    rows = [
        (row["modality"], str(row["latents"]), _number(row["objective"]), _number(row["agreement"]),
         "chosen" if row["chosen"] else "", row["reason"] or "")
        for row in tried.iter_rows(named=True)
    ]  # fmt: skip
    table("Numbers of latents", ("modality", "latents", "objective", "agreement", "", "reason"), rows)


def _show(learned: Learned, out: Path, files: list[str]) -> None:
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
    for notice in learned.notices:
        say(notice.text)
    say(f"wrote {', '.join(files)} to {out}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
