"""Level II against the truth: every method on the same simulated people, scored on people held out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax import registry
from personax.crl import Budget, Estimator, Fitted, Method, method, regret, summary, traverse
from personax.crl._budget import Device
from personax.errors import InputError, PersonaxError, PlanError
from personax.files import write_text
from personax.progress import Progress
from personax.simulate import LatentData, numerical, variant_mnist
from personax.stages.crl_benchmark_parts import Part, history_of, keep
from personax.strict import nearest

__all__ = ["FLOORS", "METRICS", "CrlBenchmark", "as_markdown", "reject_none", "rows_of", "run_benchmark"]

METRICS: Final = (
    "r2",
    "r2_blocks",
    "mcc_pearson",
    "mcc_spearman",
    "mcc_monotone",
    "shd_across",
    "shd",
    "seconds",
    "regret",
)
FLOORS: Final = {
    "floor: rotation within blocks of the truth": "rotation_blocks",
    "floor: noisy copies of the root": "root_copies",
    "floor: noise in place of latents": "noise_only",
}
NEWER: Final = {"runs": 1, "convolutional": False, "device": "cpu", "compiled": False, "half": False}
"""Arguments that older folders do not name, and what they were."""

SCORING_SEED: Final = 0
"""Of halves and floors, the same for all methods and seeds."""


@dataclass(frozen=True)
class CrlBenchmark:
    """What is compared.

    Parameters
    ----------
    data
        ``variant-mnist`` or ``numerical``.
    options
        Of the generator.
    methods, seeds
        Names, and the number of seeds from ``first``: data and methods of a seed begin from it.
    held_out
        Share of people whom no method sees; they are scored.
    epochs
        Of the budget all methods share.
    runs
        Fits of a method on the data of a seed; the one of the least objective on validation people is scored. Regret is
        how much higher the best run's Pearson MCC is, which nothing but the truth tells.
    convolutional
        Whether methods that can (`paper`, `mmcrl`) read images by convolutions.
    device
        Of the budget all methods share.
    compiled, half
        Faster steps of `paper` and `mmcrl`.
    """

    data: str
    options: dict[str, Any]
    methods: list[str]
    seeds: int = 5
    first: int = 0
    n: int = 10_000
    held_out: float = 0.1
    epochs: int = 60
    runs: int = 1
    convolutional: bool = False
    device: Device = "cpu"
    compiled: bool = False
    half: bool = False
    folders: dict[str, str] | None = None

    def check(self) -> None:
        """Refuse what cannot be run.

        Raises
        ------
        PlanError
            Unknown data or methods, no seeds, too few people.
        """
        if self.data not in ("variant-mnist", "numerical"):
            raise PlanError(f"--data: there is no {self.data}; {nearest(self.data, ['variant-mnist', 'numerical'])}")
        known = registry.names("methods")
        for name in self.methods:
            if name not in known:
                raise PlanError(f"--methods: there is no {name}; {nearest(name, known)}")
        if min(self.seeds, self.epochs, self.runs) < 1 or self.first < 0:
            raise PlanError("--seeds, --epochs and --runs are numbers from 1, --first from 0")
        if self.n * self.held_out < 40:
            raise PlanError(
                f"--n: {self.n} people leave too few to score on; give at least {round(40 / self.held_out)}"
            )

    def draw(self, seed: int) -> LatentData:
        """Return the data of a seed.

        Raises
        ------
        PlanError
            When the generator refuses its options.
        """
        rng = np.random.default_rng(seed)
        folders: dict[str, Any] = {name: Path(path) for name, path in (self.folders or {}).items()}
        try:
            if self.data == "numerical":
                return numerical(**self.options, n=self.n, rng=rng)
            return variant_mnist(**self.options, **folders, n=self.n, rng=rng)
        except (TypeError, ValueError) as error:
            raise PlanError(f"{self.data}: {error}") from None


def run_benchmark(asked: CrlBenchmark, parts: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield the result of every seed and method, from the folder of parts where it is there already.

    A method that fails is a result with a reason. Parts of other arguments in the same folder are refused.
    """
    asked.check()
    _same_run(asked, parts)
    total, done = asked.seeds * len(asked.methods), 0
    for seed in range(asked.first, asked.first + asked.seeds):
        data: LatentData | None = None
        for name in asked.methods:
            path = parts / f"{seed}-{name}.json"
            if path.is_file():
                result = json.loads(path.read_text(encoding="utf-8"))
            else:
                data = data if data is not None else asked.draw(seed)
                progress.step(done, total, f"seed {seed}, {name}")
                result, part = _one(data, name, seed, asked)
                if part is not None:
                    keep(path.with_suffix(".npz"), part)
                write_text(path, json.dumps(result))  # last: where it is, the part is done
            done += 1
            progress.step(done, total, f"seed {seed}, {name}")
            yield result


def _same_run(asked: CrlBenchmark, parts: Path) -> None:
    parts.mkdir(parents=True, exist_ok=True)
    path = parts / "arguments.json"
    wanted = {k: v for k, v in asdict(asked).items() if k not in ("methods", "seeds", "folders")}
    wanted = {k: v for k, v in wanted.items() if k not in NEWER or v != NEWER[k]}
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise PlanError(f"{parts.parent} holds a run of other arguments; give another --out")
    write_text(path, json.dumps(wanted))


def _one(data: LatentData, name: str, seed: int, asked: CrlBenchmark) -> tuple[dict[str, Any], Part | None]:
    cut = round(len(data.latents) * (1 - asked.held_out))
    learn, held = data.rows(np.arange(cut)), data.rows(np.arange(cut, len(data.latents)))
    began = time.perf_counter()
    maker = _made(name, data, asked)
    result: dict[str, Any] = {"seed": seed, "method": name, "needs": maker.needs, "source": data.source}
    generators = [np.random.default_rng(seed), *np.random.default_rng(seed).spawn(asked.runs - 1)]
    try:
        fits = [
            maker.fit(learn.views, latents=data.counts, shared=data.shared, truth=learn.latents, rng=rng)
            for rng in generators
        ]
    except PersonaxError as error:
        return result | {"reason": str(error)}, None
    seconds = (time.perf_counter() - began) / asked.runs
    found = [_scored(fitted, held, data) for fitted in fits]
    chosen = min(range(asked.runs), key=lambda run: fits[run].objective)
    fitted, (encoded, scores) = fits[chosen], found[chosen]
    if asked.runs > 1:
        result["regret"] = regret(chosen, [scores["mcc_pearson"] for _, scores in found])
    images, people = _moved(fitted, held, encoded)
    part = Part(
        encoded, held.latents, fitted.names, data.names, fitted.adjacency, data.adjacency, history_of(fitted), images,
        people,
    )  # fmt: skip
    return result | {"seconds": seconds, "objective": fitted.objective, "scores": scores}, part


def _made(name: str, data: LatentData, asked: CrlBenchmark) -> Method:
    """Return the method with the budget that all share, faster and by convolutions where it can."""
    made = method(name)
    if not isinstance(made, Estimator):
        return made
    own = made.get_params(deep=False)
    faster = made.accelerated
    if "budget" in own:
        made.set_params(
            budget=Budget(
                epochs=asked.epochs, device=asked.device,
                compiled=asked.compiled and faster, half=asked.half and faster,
            )
        )  # fmt: skip
    if "images" in own and asked.convolutional:
        made.set_params(images=data.image)
    return made


def _moved(
    fitted: Fitted, held: LatentData, encoded: NDArray[np.float64]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.intp]]]:
    """Return the mean images of a modality's first measurement as each of its learned latents moves."""
    images, people = {}, {}
    for modality, shape in held.image.items():
        which = [i for i, name in enumerate(fitted.names) if name.rpartition("_")[0] == modality]
        pixels = next(iter(held.views[modality].values()))
        moved = traverse(encoded, pixels, which, rng=np.random.default_rng(SCORING_SEED))
        for i, one in zip(which, moved, strict=True):
            images[fitted.names[i]], people[fitted.names[i]] = one.means.reshape(-1, *shape), one.people
    return images, people


def _scored(fitted: Fitted, held: LatentData, data: LatentData) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the latents of people held out, and their scores."""
    encoded = fitted.encode(held.views)
    return encoded, summary(
        encoded, held.latents, names=data.names, counts=data.counts, shared=data.shared, adjacency=fitted.adjacency,
        true_adjacency=data.adjacency, rng=np.random.default_rng(SCORING_SEED),
    )  # fmt: skip


def rows_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return tidy rows (seed, method, metric, value, reason) of a result; floors are methods of their own."""
    key = {"seed": result["seed"], "method": result["method"], "needs": result["needs"]}
    if "reason" in result:
        return [key | {"metric": metric, "value": None, "reason": result["reason"]} for metric in METRICS]
    scores = result["scores"]
    values = {m: scores.get(m) for m in METRICS} | {"seconds": result["seconds"]}
    values["shd_across"] = (scores.get("edges_cross") or {}).get("shd")
    values["regret"] = result.get("regret")
    none = {"regret": "a single run"}
    rows = [
        key | {"metric": m, "value": v, "reason": None if v is not None else none.get(m, "the method learns no graph")}
        for m, v in values.items()
    ]
    for label, floor in FLOORS.items():
        found = scores["floors"].get(floor) or {}
        rows += [
            {"seed": result["seed"], "method": label, "needs": "the truth", "metric": m, "value": found.get(m),
             "reason": None}
            for m in ("r2", "mcc_pearson", "mcc_spearman", "mcc_monotone") if found.get(m) is not None
        ]  # fmt: skip
    return rows


def as_markdown(table: pl.DataFrame, order: Sequence[str]) -> str:
    """Return mean and standard deviation over seeds as a table, methods in their order, floors last."""
    rated = table.drop_nulls("value").group_by("method", "metric").agg(
        pl.col("value").mean().alias("mean"), pl.col("value").std().alias("sd"), pl.len().alias("seeds")
    )  # fmt: skip
    cells = {(m, k): (mean, sd) for m, k, mean, sd, _ in rated.iter_rows()}
    metrics = [metric for metric in METRICS if metric != "regret" or any(m == metric for _, m in cells)]
    lines = ["| method | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 1) + "|"]
    for name in (*order, *FLOORS):
        written = [_cell(*cells[name, metric]) if (name, metric) in cells else "–" for metric in metrics]
        lines.append(f"| {name} | " + " | ".join(written) + " |")
    return "\n".join(lines) + "\n"


def _cell(mean: float, sd: float | None) -> str:
    digits = 3 if abs(mean) < 10 else 0
    return f"{mean:.{digits}f}" if sd is None else f"{mean:.{digits}f} ± {sd:.{digits}f}"


def reject_none(rows: Sequence[dict[str, Any]]) -> None:
    """Refuse a run in which nothing could be scored."""
    if all(row["value"] is None for row in rows):
        reasons = sorted({str(row["reason"]) for row in rows})
        raise InputError(f"no method could be scored: {'; '.join(reasons)}")
