"""Level II: methods against known latents, and how fast; writes benchmarks/results/crl.md.

python benchmarks/crl.py table BENCH [--more]  # folders that `personax crl benchmark --out BENCH/<data>` wrote
python benchmarks/crl.py worlds --cache DIR [--worlds all] [--people 6000,1500,500] [--seeds 1] [--first 0]
                                [--methods default,multiview,supervised] [--kept DIR] [--prepare]
python benchmarks/crl.py step [--batch 64,256] [--steps 100] [--compile] [--device cpu]
python benchmarks/crl.py wide [--people 9444] [--epochs 60] [--device cpu]
python benchmarks/crl.py memory [--people 10000,40000,160000] [--methods all]
python benchmarks/crl.py fits [--data mnist-fixed] [--seed 0] [--batch 64,256] [--digits DIR --clothes DIR]
python benchmarks/crl.py ablation [--data numerical-1,mnist-fixed] [--seeds 300,301] [--digits DIR --clothes DIR]
                                  [--kept FILE]

``step`` times a training step of the preset `paper` (its size on variant MNIST: 4 views of 196 numbers) beside a plain
transcription of the paper's forward pass, one network a latent in a Python loop. ``wide`` fits the default method
to embeddings of the paper's sizes: 1,024 numbers of a face and 3 x 3,584 of texts, drawn from known latents.
``memory`` fits every method for one epoch to 3 x 512 numbers of a person that lie in files, each fit in a process of
its own (`benchmarks/crl_memory.py`). ``fits`` times whole fits of `paper` at one budget, as they are, compiled and in
half precision. ``ablation`` fits the default method with one choice of it changed at a time; each fit is kept in FILE,
and what was stopped goes on from there. ``worlds`` fits methods to the fixed worlds of `personax.simulate.worlds`,
whose texts are embedded by real encoders (extra ``worlds``) once, into DIR. Each part rewrites its own section of
the results.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

import crl_memory
from personax.crl import (
    Budget,
    Default,
    Paper,
    ReductionSetting,
    held_out_r2,
    match,
    reduce_views,
    summary,
)
from personax.crl._budget import Device
from personax.crl._device import torch_device
from personax.crl._scaler import chunks
from personax.crl._train import CLIP, Trainer
from personax.crl.methods import NAMES, method
from personax.crl.methods._layout import Layout
from personax.crl.methods._networks import mlp
from personax.crl.methods.default import _components
from personax.crl.methods.default._components import Search
from personax.crl.methods.paper._method import GATE_RATE, PAPER_BUDGET
from personax.crl.methods.paper._model import LatentModel
from personax.crl.methods.paper._objective import PAPER, PaperObjective
from personax.progress import Silent
from personax.simulate import LatentData, numerical
from personax.simulate.worlds import FIXED_WORLDS
from personax.stages import FLOORS, SCORING_SEED, CrlBenchmark, rows_of, run_benchmark, summary_table

RESULTS = Path(__file__).parent / "results" / "crl.md"
MNIST = {"digit": {"red": 196, "green": 196, "blue": 196}, "clothing": {"gray": 196}}
LATENTS = {"digit": 2, "clothing": 2}


class Transcription(nn.Module):
    """The paper's forward pass, equation by equation: a network a measurement, and one a latent in a loop."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout, d = layout, len(layout.names)
        sizes = [(layout.latents[m] + layout.shared + layout.eta, dim) for m, dim in layout.measurements.values()]
        self.encoders = nn.ModuleList(mlp(dim, layout.hidden, 2 * size) for size, dim in sizes)
        self.decoders = nn.ModuleList(mlp(size, layout.hidden, dim) for size, dim in sizes)
        self.conditioners = nn.ModuleList(mlp(d, 16, 2) for _ in range(d))
        self.gates = nn.Parameter(torch.zeros(d, d))

    def forward(self, views: dict[str, dict[str, Tensor]]) -> Tensor:
        """Return the three terms' sum."""
        own: dict[str, list[Tensor]] = {m: [] for m in self.layout.dims}
        etas, kl = {}, self.gates.new_zeros(())
        for encoder, (m, k) in zip(self.encoders, self.layout.measurements, strict=True):
            mean, logvar = encoder(views[m][k]).chunk(2, dim=1)
            kl = kl + 0.5 * (logvar.exp() - 1 - logvar).sum(1).mean()
            drawn = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
            own[m].append(drawn[:, : self.layout.latents[m]])
            etas[m, k] = drawn[:, self.layout.latents[m] :]
        z = torch.cat([torch.stack(found).mean(0) for found in own.values()], dim=1)
        places, noises = torch.arange(z.shape[1], device=z.device), []
        for i, conditioner in enumerate(self.conditioners):
            gate = torch.sigmoid(self.gates[i]) * (places != i)
            mean, log_scale = conditioner(z * gate).unbind(1)
            noises.append((z[:, i] - mean) * torch.exp(-log_scale))
            kl = kl + (0.5 * noises[-1].square() + log_scale).mean()
        for eta in etas.values():
            kl = kl + 0.5 * eta.square().sum(1).mean()
        errors, first = [], 0
        columns = {}
        for m, count in self.layout.latents.items():
            columns[m], first = z[:, first : first + count], first + count
        for decoder, (m, k) in zip(self.decoders, self.layout.measurements, strict=True):
            rebuilt = decoder(torch.cat([columns[m], etas[m, k]], dim=1))
            errors.append((rebuilt - views[m][k]).square().sum(1).mean())
        return torch.stack(errors).mean() + 0.1 * kl + 0.01 * torch.sigmoid(self.gates).sum()


def step(batches: list[int], steps: int, where: torch.device, *, with_compiler: bool = False) -> str:
    """Time the true training step and the transcription's, in turns, and take the best of ten rounds of each."""
    torch.set_num_threads(1)
    layout = Layout(MNIST, LATENTS, 0)
    notes: list[str] = []
    ways = [(False, False), *([(False, True), (True, False), (True, True)] if with_compiler else [])]
    lines = [
        "| batch | step | ms a step | steps a second | times as fast | compilation, s |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for batch in batches:
        views = {m: {k: torch.randn(batch, dim, device=where) for k, dim in by.items()} for m, by in MNIST.items()}
        plain = Transcription(layout).to(where)
        optimiser = torch.optim.Adam(plain.parameters())
        rounds: list[tuple[Callable[[], Tensor], torch.optim.Optimizer, nn.Module]]
        rounds = [(partial(plain, views), optimiser, plain)]
        compilation = [0.0]
        for compiled, half in ways:
            generator = torch.Generator().manual_seed(0)
            budget = PAPER_BUDGET.replaced(batch=batch, compiled=compiled, half=half)
            latent = LatentModel(layout, generator=generator).to(where)
            objective, gates = PaperObjective(latent, PAPER, half=half), [latent.flow.gate_logits]
            trainer = Trainer(latent, objective, budget, generator, faster=(gates, GATE_RATE))
            began = time.perf_counter()
            if compiled:
                trainer._compile(views, where)
                assert trainer.eager_reason is None, trainer.eager_reason
            compilation.append(time.perf_counter() - began)
            for group in trainer.optimiser.adam.param_groups:
                group["lr"] = group["factor"] * budget.rate
            rounds.append((partial(ours, trainer, views), trainer.optimiser.adam, trainer.model))
        best = [math.inf] * len(rounds)
        with Busy(where) as busy:
            for _ in range(10):
                for at, (loss, adam, model) in enumerate(rounds):
                    best[at] = min(best[at], 1000 * timed(loss, adam, model, steps) / steps)
        names = ["transcription", *(f"ours{', compiled' * c}{', half precision' * h}" for c, h in ways)]
        for name, took, seconds in zip(names, best, compilation, strict=True):
            said = f"{seconds:.0f}" if "compiled" in name else ""
            lines.append(f"| {batch} | {name} | {took:.2f} | {1000 / took:.0f} | {best[0] / took:.2f} | {said} |")
        notes.append(f"Batches of {batch}: {busy.said}." if busy.said else "")
    said = "A step is drawing noise, forward, backward, clipping and Adam, on the same people each time."
    return "\n".join(
        [
            *lines,
            "",
            *filter(None, notes),
            said,
            "Ours also takes the exact log-determinant of any graph; the transcription none.",
            "",
        ]
    )


def ours(trainer: Trainer, views: dict[str, dict[str, Tensor]]) -> Tensor:
    noise = trainer.objective.noise(trainer.budget.batch, trainer.generator)
    done = torch.ones((), device=next(trainer.model.parameters()).device)
    return (trainer.compiled or trainer.objective.loss)(views, noise, done)[0]


class Busy:
    """Says how busy a GPU was, by its driver's own tool, every fifth of a second; of a processor nothing."""

    def __init__(self, where: torch.device) -> None:
        self.where, self.said = where, ""

    def __enter__(self) -> Busy:
        if self.where.type == "cuda":
            asked = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=200"]
            self.tool = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self.where.type == "cuda":
            self.tool.terminate()
            shares = [int(line) for line in self.tool.communicate()[0].split()]
            name = torch.cuda.get_device_name(self.where)
            self.said = f"{name}, busy {np.mean(shares):.0f}% of the time (nvidia-smi, mean of {len(shares)})"


def timed(loss: Callable[[], Tensor], optimiser: torch.optim.Optimizer, model: nn.Module, steps: int) -> float:
    """Return seconds of some training steps."""
    where = next(model.parameters()).device
    settle(where)
    began = time.perf_counter()
    for _ in range(steps):
        value = loss()
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
    settle(where)
    return time.perf_counter() - began


def settle(where: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if where.type == "cuda":
        torch.cuda.synchronize(where)


def wide(people: int, device: Device, epochs: int, seeds: list[int]) -> str:
    """Fit the default method to embeddings of the paper's sizes, all their numbers and their principal components."""
    data = numerical(1, n=people, rng=np.random.default_rng(200))
    rng = np.random.default_rng(201)
    views: dict[str, dict[str, Any]] = {"image": {}, "text": {}}
    for name, (m, dim) in {
        "face": ("image", 1024),
        "a": ("text", 3584),
        "b": ("text", 3584),
        "c": ("text", 3584),
    }.items():
        x = data.views["m1" if m == "image" else "m2"]["k1"]
        views[m][name] = (np.tanh(x @ rng.normal(size=(x.shape[1], dim)) / 4)).astype(np.float32)
    size = sum(x.nbytes for by in views.values() for x in by.values()) / 1024**3
    lines = [
        f"{people:,} people, 1,024 + 3 x 3,584 numbers ({size:.2f} GiB), `default`, {epochs} epochs, seeds "
        f"{', '.join(map(str, seeds))}; MCC and R2 on the people fitted on; memory is the peak so far with the data.\n",
        "| crl.reduce | numbers read | CPU s a fit | peak GiB | MCC | R2 |",
        "|---|---|---|---|---|---|",
    ]
    asked: tuple[ReductionSetting, ...] = ("auto", "none")
    for reduce in asked:
        began = time.process_time()
        seen, _ = reduce_views(views, reduce)
        reached = []
        for seed in seeds:
            fitted = method("default", budget=Budget(device=device, epochs=epochs)).fit(
                seen, latents={"image": 2, "text": 2}, rng=np.random.default_rng(seed)
            )
            found = fitted.encode(seen)
            r2 = held_out_r2(found, data.latents, rng=np.random.default_rng(0))
            reached.append((match(found, data.latents).mcc, r2))
            print(reduce, seed, [round(value, 3) for value in reached[-1]], flush=True)
        seconds = (time.process_time() - began) / len(seeds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        numbers = " + ".join(str(x.shape[1]) for by in seen.values() for x in by.values())
        mcc, r2s = (" ".join(f"{value:.3f}" for value in column) for column in zip(*reached, strict=True))
        lines.append(f"| {reduce} | {numbers} | {seconds:.0f} | {peak:.1f} | {mcc} | {r2s} |")
        print(lines[-1], flush=True)
    return "\n".join([*lines, ""])


def memory(people: list[int], methods: list[str]) -> str:
    """Fit every method to measurements that lie in files, each in a process of its own."""
    names = [f"{n:,}" for n in people]
    lines = [f"| method | {' | '.join(names)} | held before |", "|---" * (len(people) + 2) + "|"]
    with tempfile.TemporaryDirectory() as place:
        size = lay(Path(place), max(people)) / 1024**2
        for name in methods:
            found = []
            for n in people:
                asked = [sys.executable, str(Path(__file__).with_name("crl_memory.py")), name, place, str(n)]
                found.append(json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout))
            peaks = " | ".join(f"{one['peak']:.0f}" for one in found)
            lines.append(f"| {name} | {peaks} | {found[0]['before']:.0f} |")
            print(lines[-1], flush=True)
    said = (
        f"Peak MiB that belong to no file, by people; measurements of {names[-1]} are {size:,.0f} MiB in their files. "
        "One epoch; people are encoded after it."
    )
    return "\n".join([*lines, "", said, ""])


def lay(folder: Path, people: int) -> int:
    """Write measurements and the truth of so many people, in pieces; return the measurements' bytes."""
    data, rng, size = numerical(1, n=people, rng=np.random.default_rng(200)), np.random.default_rng(201), 0
    np.save(folder / "truth.npy", data.latents)
    for m, names in crl_memory.FILES.items():
        seen = data.views["m1" if m == "image" else "m2"]["k1"]
        for name in names:
            turned = rng.normal(size=(seen.shape[1], crl_memory.DIMS)) / 4
            x = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (people, crl_memory.DIMS))
            for rows in chunks(people):
                x[rows] = np.tanh(seen[rows] @ turned)
            size += x.nbytes
    return size


VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "no contents of several measurements": {"_method.fit_modality_contents": lambda *_, **__: {}},
    "nothing is made orthogonal": {"_method.fit_orthogonal_latents": lambda *_, **__: []},
    "edges are free": {"search": {"edges": 0.0}},
    "one restart a view": {"search": {"restarts": 4}},
    "edges within a modality are free": {"_critic.WITHIN": 0.0},
    "one view: small components enlarged": {"_components.VIEWS": _components.VIEWS[:1]},
    "one view: components of their own size, with noise": {"_components.VIEWS": _components.VIEWS[2:]},
    "edges cost four times as much": {"search": {"edges": 0.016}},
    "batches do not grow at the end": {"_components.LAST": 1},
}
"""What is changed: fields of `Search`, or names of modules of `personax.crl.methods.default`."""


def ablation(names: list[str], seeds: list[int], folders: dict[str, str], kept: Path | None) -> str:
    """Fit every variant to the same people and score it on the others."""
    done: dict[tuple[str, str, int], dict[str, float]] = {}
    if kept is not None and kept.is_file():
        for line in kept.read_text(encoding="utf-8").splitlines():
            name, variant, seed, row = json.loads(line)
            done[name, variant, seed] = row
    worlds = {(name, seed): world(name, seed, folders) for name in names for seed in seeds}
    for seed, variant, name in product(seeds, VARIANTS, names):
        if "contents" in variant and all(len(by) == 1 for by in worlds[name, seed].views.values()):
            continue
        if (name, variant, seed) not in done:
            row = done[name, variant, seed] = scored(worlds[name, seed], VARIANTS[variant], seed)
            print(name, variant, seed, row, flush=True)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps([name, variant, seed, row]) + "\n")
    return ablation_table(names, seeds, done)


def ablation_table(names: list[str], seeds: list[int], done: dict[tuple[str, str, int], dict[str, float]]) -> str:
    """Return a row a variant, of the seeds it was fitted on."""
    shown = (("r2", 3), ("mcc_pearson", 3), ("mcc_spearman", 3), ("shd", 1), ("seconds", 0))
    lines = ["| data | choice changed | R2 | MCC | Spearman MCC | SHD | CPU seconds |", "|---|---|---|---|---|---|---|"]
    for name in names:
        for variant in VARIANTS:
            rows = [done[name, variant, seed] for seed in seeds if (name, variant, seed) in done]
            if rows:
                cells = [cell([row[key] for row in rows], digits) for key, digits in shown]
                lines.append(f"| {name} | {variant} | {' | '.join(cells)} |")
    said = (
        f"Means, and in brackets seeds {', '.join(map(str, seeds))}, as many as were run; 10,000 people, 10 % held out."
    )
    return "\n".join([*lines, "", said, ""])


def fits(name: str, seed: int, batches: list[int], folders: dict[str, str]) -> str:
    """Fit `paper` whole, at one budget, in each way; patience does not end one sooner than another."""
    data = world(name, seed, folders)
    learn, held = data.rows(np.arange(9000)), data.rows(np.arange(9000, 10_000))
    lines = ["| batch | fit | CPU seconds | times as fast | objective | MCC |", "|---|---|---|---|---|---|"]
    for batch in batches:
        first = None
        for compiled, half in ((False, False), (False, True), (True, False), (True, True)):
            budget = PAPER_BUDGET.replaced(batch=batch, patience=PAPER_BUDGET.epochs, compiled=compiled, half=half)
            before = os.times()
            found = Paper(budget).fit(
                learn.views, latents=data.counts, shared=data.shared, rng=np.random.default_rng(seed)
            )
            seconds = sum(os.times()[:4]) - sum(before[:4])  # of the processor, compilers in other processes included
            assert found.eager_reason is None, found.eager_reason
            first = first or seconds
            said = f"paper{', compiled' * compiled}{', half precision' * half}"
            mcc = match(found.encode(held.views), held.latents).mcc
            lines.append(
                f"| {batch} | {said} | {seconds:.0f} | {first / seconds:.2f} | {found.objective:.3f} | {mcc:.3f} |"
            )
            print(lines[-1], flush=True)
    said = (
        f"{name}, seed {seed}, 9,000 people, {PAPER_BUDGET.epochs} epochs; compilation is counted; MCC on 1,000 others."
    )
    return "\n".join([*lines, "", said, ""])


def cell(values: list[float], digits: int) -> str:
    """Return a mean and what it is the mean of."""
    mean, *each = (f"{value:.{digits}f}" for value in [float(np.mean(values)), *values])
    return f"{mean} ({', '.join(each)})"


def world(name: str, seed: int, folders: dict[str, str]) -> LatentData:
    """Return the data that `personax crl benchmark` draws for a seed."""
    kind, which = name.split("-")
    if kind == "numerical":
        return CrlBenchmark("numerical", {"case": int(which)}, ["default"]).draw(seed)
    return CrlBenchmark("variant-mnist", {"instances": which}, ["default"], folders=folders).draw(seed)


def scored(data: LatentData, changes: dict[str, Any], seed: int) -> dict[str, float]:
    """Fit with some choices changed; metrics on people held out."""
    with contextlib.ExitStack() as changed:
        for where, value in changes.items():
            if where != "search":
                changed.enter_context(mock.patch(f"personax.crl.methods.default.{where}", value))
        learn, held = data.rows(np.arange(9000)), data.rows(np.arange(9000, 10_000))
        began = time.process_time()
        fitted = Default(search=Search(**changes.get("search", {}))).fit(
            learn.views, latents=data.counts, shared=data.shared, rng=np.random.default_rng(seed)
        )
        seconds = time.process_time() - began
        found = summary(
            fitted.encode(held.views), held.latents, names=data.names, counts=data.counts, shared=data.shared,
            adjacency=fitted.adjacency, true_adjacency=data.adjacency, rng=np.random.default_rng(SCORING_SEED),
        )  # fmt: skip
    return {**found, "seconds": seconds}


def table(folder: Path) -> str:
    """Gather the parts of every benchmark run in a folder."""
    sections = []
    for run in sorted(path for path in folder.iterdir() if (path / "parts" / "arguments.json").is_file()):
        asked = json.loads((run / "parts" / "arguments.json").read_text(encoding="utf-8"))
        rows, seeds, sources = [], set(), set()
        for part in sorted((run / "parts").glob("*-*.json")):
            result = json.loads(part.read_text(encoding="utf-8"))
            rows += rows_of(result)
            seeds.add(result["seed"])
            sources.add(re.sub(r"; \d+ links.*", "", result["source"]))
        frame = pl.DataFrame(rows, infer_schema_length=None).unique(
            ["seed", "method", "metric"], keep="first", maintain_order=True
        )
        ran = [name for name in ("default", *NAMES) if name in set(frame["method"])]
        order = list(dict.fromkeys(ran))
        counts = frame.filter(pl.col("metric") == "r2").group_by("method").agg(pl.col("seed").sort())
        each = {name: found for name, found in counts.iter_rows()}
        said = "; ".join(f"{name}: {', '.join(map(str, each[name]))}" for name in order)
        sections.append(
            f"### {run.name}\n\n{' '.join(sorted(sources))} Options {json.dumps(asked['options'])}, "
            f"n = {asked['n']:,}, {asked['held_out']:.0%} held out. Seeds: {said}.\n\n{summary_table(frame, order)}"
        )
        floors = sum(name in set(frame["method"]) for name in FLOORS)
        assert floors, f"{run} has no floors"
    return "\n".join(sections)


def write(name: str, text: str, command: str) -> None:
    """Put a section into the results, in place of an older one of the same name."""
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else "# Level II, measured\n"
    head, *parts = re.split(r"(?m)^## ", old)
    kept = [part for part in parts if not part.startswith(name + "\n")]
    machine = (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, torch {version('torch')}, "
        f"load average {os.getloadavg()[0]:.1f}"
    )
    section = f"{name}\n\n`{command}` on {date.today().isoformat()}; {machine}, one thread.\n\n{text}"
    RESULTS.write_text(head + "".join(f"## {part.rstrip()}\n\n" for part in [*kept, section]), encoding="utf-8")


WORLD_METRICS = (("r2", 3), ("r2_blocks", 3), ("mcc_pearson", 3), ("shd_across", 1), ("shd", 1), ("seconds", 0))


def worlds(asked: argparse.Namespace) -> str:
    """Fit methods to the fixed worlds, vectors kept in a folder; a row a world, its number of people and a method."""
    names = list(FIXED_WORLDS) if asked.worlds == "all" else asked.worlds.split(",")
    metrics = [name for name, _ in WORLD_METRICS]
    lines = ["| world | encoders | row | people | method | " + " | ".join(metrics) + " |", "|---" * 11 + "|"]
    # the largest first: fewer people are its first ones, so that nothing is embedded twice
    for name, n in product(names, sorted(numbers(asked.people), reverse=True)):
        fixed = FIXED_WORLDS[name]
        settings = CrlBenchmark(
            "worlds", {"world": name}, asked.methods.split(","), asked.seeds, asked.first, n,
            epochs=asked.epochs, folders={"cache": str(asked.cache)},
        )  # fmt: skip
        if asked.prepare:
            for seed in range(asked.first, asked.first + asked.seeds):
                began = time.process_time()
                settings.draw(seed)
                print(name, n, seed, f"{time.process_time() - began:.0f} CPU seconds", flush=True)
            continue
        rows = [row for one in run_benchmark(settings, asked.kept / f"{name}-{n}" / "parts", Silent())
                for row in rows_of(one)]  # fmt: skip
        # floors stand in the result of every method of a seed, and are the same
        values = {(row["method"], row["metric"], row["seed"]): row["value"] for row in rows}
        for method_name in dict.fromkeys(row["method"] for row in rows):
            found = {metric: [value for (m, k, _), value in values.items() if (m, k) == (method_name, metric)
                              and value is not None] for metric in metrics}  # fmt: skip
            cells = [cell(found[metric], digits) if found[metric] else "–" for metric, digits in WORLD_METRICS]
            told = f"{name} | {', '.join(fixed.encoders)} | {fixed.row} | {n:,} | {method_name}"
            lines.append(f"| {told} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    said = f"Means, and in brackets the {asked.seeds} seeds from {asked.first}; a tenth of the people is held out."
    return "\n".join([*lines, "", said, ""])


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    gathering = parts.add_parser("table")
    gathering.add_argument("folder", type=Path)
    gathering.add_argument("--more", action="store_true", help="A section of its own beside the one that is there.")
    stepping = parts.add_parser("step")
    stepping.add_argument("--batch", default="64,256")
    stepping.add_argument("--steps", type=int, default=100)
    stepping.add_argument("--compile", action="store_true")
    widening = parts.add_parser("wide")
    widening.add_argument("--people", type=int, default=9444)
    widening.add_argument("--epochs", type=int, default=60)
    widening.add_argument("--seeds", default="200,201,202,203,204")
    for part in (stepping, widening):
        part.add_argument("--device", choices=["auto", "cpu", "cuda"], default="cpu")
    remembering = parts.add_parser("memory")
    remembering.add_argument("--people", default="10000,40000,160000")
    remembering.add_argument("--methods", default="all")
    changing = parts.add_parser("ablation")
    changing.add_argument("--data", default="numerical-1,mnist-fixed")
    changing.add_argument("--seeds", default="300,301")
    changing.add_argument("--kept", type=Path)
    telling = parts.add_parser("worlds")
    telling.add_argument("--worlds", default="all", help="Names of fixed ones, separated by commas.")
    telling.add_argument("--people", default="6000,1500,500")
    telling.add_argument("--seeds", type=int, default=1)
    telling.add_argument("--first", type=int, default=0)
    telling.add_argument("--epochs", type=int, default=60)
    telling.add_argument("--methods", default="default,multiview,cca,pca,random,supervised")
    telling.add_argument("--cache", type=Path, required=True, help="Folder that keeps vectors.")
    telling.add_argument("--kept", type=Path, default=Path("worlds-bench"), help="Folder of finished fits.")
    telling.add_argument("--prepare", action="store_true", help="Make the vectors, and nothing else.")
    whole = parts.add_parser("fits")
    whole.add_argument("--data", default="mnist-fixed")
    whole.add_argument("--seed", type=int, default=0)
    whole.add_argument("--batch", default="64,256")
    for part in (changing, whole):
        part.add_argument("--digits")
        part.add_argument("--clothes")
    asked = parser.parse_args()
    folders = {name: path for name in ("digits", "clothes") if (path := getattr(asked, name, None))}
    if asked.part == "table":
        name, text = "Methods against known latents", table(asked.folder)
        if asked.more:
            name = "Methods against known latents: more seeds"
    elif asked.part == "step":
        name, text = (
            "A training step",
            step(numbers(asked.batch), asked.steps, torch_device(asked.device), with_compiler=asked.compile),
        )
    elif asked.part == "worlds":
        name, text = "Worlds", worlds(asked)
        if asked.prepare:
            return
    elif asked.part == "ablation":
        names, seeds = asked.data.split(","), numbers(asked.seeds)
        text = ablation(names, seeds, folders, asked.kept)
        name = f"One choice changed at a time, seeds {asked.seeds}"
    elif asked.part == "memory":
        name = "Memory"
        text = memory(numbers(asked.people), NAMES if asked.methods == "all" else asked.methods.split(","))
    elif asked.part == "fits":
        name = "Whole fits of `paper`"
        text = fits(asked.data, asked.seed, numbers(asked.batch), folders)
    else:
        name, text = (
            "Wide embeddings",
            wide(asked.people, asked.device, asked.epochs, [int(seed) for seed in asked.seeds.split(",")]),
        )
    command = " ".join(["python benchmarks/crl.py", *(Path(a).name if "/" in a else a for a in sys.argv[1:])])
    write(name, text, command)
    print(text)


if __name__ == "__main__":
    main()
