"""Latents of several seeds and a choice among them: what the study's stage and ``personax crl DATA`` share."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.config import CrlSection
from personax.crl import (
    Budget,
    EdgeStability,
    Estimator,
    IdentificationTable,
    Refit,
    Training,
    choose_dimension,
    diagnose,
    edge_stability,
    fit_seed,
    fit_seeds,
    halves_agreement,
    identify,
    method,
    to_graph,
    usable,
)
from personax.crl._edge_stability import other_seeds, refit_of
from personax.crl._lacking import describe_lacking, encode_all, has_every_measurement, people_to_fit, some_people
from personax.crl._reduce import WIDE, ReducedFit, ReducedMeasurement, describe_reductions, reduce_views
from personax.crl._scaler import check
from personax.crl._select import reported_fits
from personax.data.frames import write_parquet
from personax.errors import ComputationError, InputError
from personax.files import write_text, written_aside
from personax.independence import hsic, kci
from personax.progress import Progress
from personax.schema import Graph, Notice
from personax.stages._base import versions
from personax.stages._graph_check import AGREED, GraphCheck, check_graph, without_modalities

if TYPE_CHECKING:
    from personax.crl import SeedSelection
    from personax.crl._estimator import Arrays, Fitted, Method

__all__ = [
    "LatentResults",
    "choose_latents",
    "describe_numbers",
    "fingerprint",
    "learn",
    "learn_seed",
    "make_method",
    "write_latents",
]

Array = NDArray[np.float64]

DIAGNOSED = 1000
"""People on whom assumptions are tested; more make tests surer of what is too small to matter."""

FEWEST_DIAGNOSED = 100
"""People who have every measurement below whom, where others lack some, no assumption is tested."""

CHUNK = 4096
"""People looked at together."""

NEWER = {"prior": None, "device": "cpu", "compiled": False, "half": False, "halves": False}
"""What folders of seeds name only where it is not this."""

HALVES = 1_000_000
"""Key of the generators of halves, beyond those of all seeds."""

UNSTABLE = 0.8
"""Mean correlation between seeds below which a latent is said to be another one in every seed."""


def make_method(settings: CrlSection) -> Method:
    """Return the method that a study asks for, not fitted.

    Raises
    ------
    InputError
        For an unknown method, a contradictory prior, or options that the method does not have.
    """
    made = method(settings.method)
    own = made.get_params(deep=False) if isinstance(made, Estimator) else {}
    accelerated = isinstance(made, Estimator) and made.accelerated
    faster = [name for name in ("compiled", "half") if getattr(settings, name)]
    if faster and not accelerated:
        raise InputError(f"{' and '.join(faster)}: {settings.method} has no such steps; {_who(_accelerated)} have")
    params: dict[str, Any] = {}
    if "budget" in own:
        params["budget"] = Budget(**{name: getattr(settings, name) for name in Training.model_fields})
    if settings.prior is not None:
        if "prior" not in own:
            raise InputError(f"prior: {settings.method} learns no graph that knows one; {_who(_takes_prior)} do")
        settings.prior.check(list(settings.latents))
        params["prior"] = settings.prior
    return made.set_params(**params) if isinstance(made, Estimator) else made


def _who(has: Callable[[Estimator], bool]) -> str:
    """Return the names of the methods that have something, as a phrase."""
    known = (method(name) for name in usable())
    return " and ".join(one.name for one in known if isinstance(one, Estimator) and has(one))


def _accelerated(one: Estimator) -> bool:
    return one.accelerated


def _takes_prior(one: Estimator) -> bool:
    return "prior" in one.get_params(deep=False)


@dataclass(frozen=True)
class LatentResults:
    """What was found.

    Parameters
    ----------
    chosen
        All seeds and the chosen one.
    latents
        ``id`` and the chosen seed's latents.
    seeds
        One row a seed: objective, agreement, chosen, reason.
    diagnostics
        One row an assumption: verdict, the number behind it, a sentence, and its parts.
    graph
        None where the method learns none.
    history
        The course of every seed, with the column ``seed`` where there are several; None where the method keeps none.
    notices
        What a reader must know.
    reduced
        Of wide measurements, the components that the fits read.
    halves
        Of each latent, the agreement of fits to two halves of the people; None where these were not fitted.
    stability
        Which edges other seeds and halves find again; None where the method learns no graph.
    graph_check
        The graph beside PC's; None where there is none.
    without
        What PC says of the latents of the others when a modality is left out; see `without_modalities`.
    """

    chosen: SeedSelection
    latents: pl.DataFrame
    seeds: pl.DataFrame
    diagnostics: list[dict[str, Any]]
    graph: Graph | None
    history: pl.DataFrame | None
    notices: list[Notice]
    reduced: Mapping[str, Mapping[str, ReducedMeasurement]] = field(default_factory=dict)
    halves: list[float] | None = None
    stability: EdgeStability | None = None
    graph_check: GraphCheck | None = None
    without: Sequence[Mapping[str, Any]] = ()

    def diagnostics_json(self) -> str:
        """Return the diagnostics as JSON; numbers that are none are null."""
        found = {
            "assumptions": _plain(self.diagnostics),
            "identification": _plain([row.to_dict() for row in self.identification]),
            "claim": self.identification.claim,
        }
        if self.stability is not None:
            found["edges under refitting"] = {
                "refits": self.stability.refits, "edges": _plain(self.stability.to_frame().to_dicts())
            }  # fmt: skip
        if self.graph_check is not None:
            found["PC on the same latents"] = self.graph_check.to_dict()
        if self.without:
            found["without a modality"] = list(self.without)
        return json.dumps(found, indent=1, allow_nan=False)

    @property
    def identification(self) -> IdentificationTable:
        """What may be claimed of each latent of the chosen fit."""
        return identify(self.chosen.best, seeds=self.chosen.stability, halves=self.halves)

    def save_model(self, path: Path) -> None:
        """Write the chosen fit; `personax.crl.load_fit` reads it."""
        from personax.crl import save_fit  # late: torch

        best = self.chosen.best
        save_fit(ReducedFit(best, self.reduced) if self.reduced else best, path)

    @property
    def metrics(self) -> dict[str, Any]:
        """Numbers of the choice and of the chosen fit, by group."""
        rows = [row for row in self.seeds.iter_rows(named=True) if row["objective"] is not None]
        found: dict[str, Any] = {
            "choice": {
                "seeds fitted": len(rows),
                "seed chosen": self.chosen.index,
                "validation objective of the chosen seed": round(float(self.chosen.best.objective), 4),
                "spread of the objective (largest minus smallest)": round(
                    max(row["objective"] for row in rows) - min(row["objective"] for row in rows), 4
                ),
            }
        }
        if len(rows) > 1:
            found["choice"]["agreement of seeds (mean Spearman MCC)"] = round(self.chosen.agreement.mean, 4)
            stability = dict(zip(self.chosen.best.names, self.chosen.stability, strict=True))
            found["agreement of each latent with the other seeds"] = {k: round(v, 4) for k, v in stability.items()}
        return found


def learn(
    ids: Sequence[str],
    views: Arrays,
    settings: CrlSection,
    rng: np.random.Generator,
    progress: Progress,
    *,
    keep: Path | None = None,
) -> LatentResults:
    """Fit every seed, choose one without any truth, and say how far the seeds agree.

    Parameters
    ----------
    ids, views
        People and their measurements.
    settings
        What is to be learned, and how.
    rng
        Of seeds and of diagnostics.
    progress
        Told of every seed's steps.
    keep
        A folder for finished seeds, from which an interrupted run goes on; see `personax.crl.fit_seeds`.

    Raises
    ------
    InputError
        Measurements that nothing can be learned from, an unknown method, a folder with seeds of another run.
    ComputationError
        When no seed can be fitted.
    """
    made = make_method(settings)
    everybody, views = views, fitted_on(made, views, settings)
    progress.step(0, 1, "reducing wide measurements")
    views, reduced = reduce_views(views, settings.reduce)
    if keep is not None:
        _same_run(keep, views, settings, rng)
    for sentence in made.foresee(views, settings.latents) if isinstance(made, Estimator) else []:
        progress.message(f"note: {sentence}")
    chosen = fit_seeds(
        made, views, latents=settings.latents, shared=settings.shared, seeds=settings.seeds, by=settings.choose,
        rng=rng, progress=_reporter(progress, made, settings.seeds), keep=keep, conditional=_conditional,
    )  # fmt: skip
    best = chosen.best
    whole = ReducedFit(best, reduced) if reduced else best
    encoded = encode_all(whole, everybody)
    latents = pl.DataFrame({"id": list(ids)} | dict(zip(best.names, encoded.T, strict=True))).fill_nan(None)
    schema = {"seed": pl.Int64, "objective": pl.Float64, "agreement": pl.Float64, "crossings": pl.Int64,
              "chosen": pl.Boolean, "reason": pl.String}  # fmt: skip
    # refits draw from generators of their own: diagnostics stay what they were without them
    halves = _fit_halves(made, views, settings, chosen, rng, progress, keep) if settings.halves else _Halves([], None)
    known = identify(best, seeds=chosen.stability, halves=halves.agreement)
    stability = None
    if best.adjacency is not None:
        refits = [*other_seeds(chosen, views), *halves.refits]
        counts = {m: settings.latents[m] for m in views}
        stability = edge_stability(best.encode(views), best.names, refits, counts=counts, shared=settings.shared)
    graph = _graph(best, stability, known)
    complete = latents.drop("id").drop_nulls()
    checked = None if graph is None else check_graph(graph, complete)
    without = [] if graph is None else without_modalities(complete, {node.id: node.group for node in graph.nodes})
    progress.step(1, 1, "diagnostics")
    found = _diagnosed(best, views, rng)
    seeds = pl.DataFrame(chosen.seeds(), schema=schema)
    lacking = [Notice(text, people) for text, people in describe_lacking(made, everybody)]
    notices = [Notice(known.claim), *lacking, *map(Notice, describe_reductions(reduced)), *_notices(chosen, found)]
    notices += [Notice(text) for text in (halves.failed, _disagreement(checked)) if text]
    return LatentResults(
        chosen,
        latents,
        seeds,
        found,
        graph,
        _history(chosen),
        notices,
        reduced,
        halves.agreement,
        stability,
        checked,
        without,
    )


@dataclass(frozen=True)
class _Halves:
    """Fits to two halves of the people: as refits, and how far their latents agree."""

    refits: list[Refit]
    agreement: list[float] | None
    failed: str = ""


def _fit_halves(
    made: Method, views: Arrays, settings: CrlSection, chosen: SeedSelection, rng: np.random.Generator,
    progress: Progress, keep: Path | None,
) -> _Halves:  # fmt: skip
    """Fit each half of the people anew, from starts of its own, and encode everybody with both."""
    n = len(next(iter(next(iter(views.values())).values())))
    drawn = np.random.default_rng(n).permutation(n)
    refits = []
    for at, name in enumerate(("first half", "second half")):
        rows = np.sort(drawn[at::2])
        part = {m: {k: x[rows] for k, x in by.items()} for m, by in views.items()}
        try:
            one = fit_seeds(
                made, part, latents=settings.latents, shared=settings.shared, seeds=1, rng=_beside(rng, HALVES + at),
                progress=_reporter(progress, made, 1), keep=None if keep is None else keep / f"half-{at + 1}",
            ).best  # fmt: skip
        except ComputationError as error:
            return _Halves([], None, f"The {name} of the people could not be fitted: {error}")
        refits.append(refit_of(name, one, views))
    counts = {m: settings.latents[m] for m in views}
    encoded = chosen.best.encode(views), refits[0].latents, refits[1].latents
    return _Halves(refits, [float(v) for v in halves_agreement(*encoded, counts, settings.shared)])


def _beside(rng: np.random.Generator, key: int) -> np.random.Generator:
    """Return a generator that depends on neither the draws nor the number of the seeds before."""
    own = rng.bit_generator.seed_seq
    assert isinstance(own, np.random.SeedSequence)
    return np.random.default_rng(np.random.SeedSequence(own.entropy, spawn_key=(*own.spawn_key, key)))


def _graph(best: Fitted, stability: EdgeStability | None, known: IdentificationTable) -> Graph | None:
    """Return the learned graph: edges by how often refits find them again, grey where an end is not told apart."""
    if best.adjacency is None or stability is None:
        return None
    inner = getattr(best, "fit", best)
    more = {"weight": inner.edge_weight} if hasattr(inner, "edge_weight") else {}
    return to_graph(
        best.adjacency, best.names, found_again=stability.shares, refits=stability.refits,
        identified=known.identified, sure=getattr(inner, "directed_from", None), **more,
    )  # fmt: skip


def _disagreement(checked: GraphCheck | None) -> str:
    """Return where PC disagrees, if that is more than a tenth of the edges."""
    return "" if checked is None or checked.share is None or checked.share >= AGREED else checked.sentence


def fitted_on(made: Method, views: Arrays, settings: CrlSection) -> Arrays:
    """Return the measurements of the people whom a method can be fitted on, checked.

    Raises
    ------
    InputError
        As `personax.crl._scaler.check`.
    """
    check(views, settings.latents, settings.shared, lacking=True)
    views = some_people(views, people_to_fit(made, views))
    check(views, settings.latents, settings.shared, lacking=True)
    return views


def _diagnosed(fit: Fitted, views: Arrays, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return the diagnostics of some people who have every measurement; none where these are too few."""
    complete = np.flatnonzero(has_every_measurement(views))
    people = np.sort(complete[rng.permutation(len(complete))[:DIAGNOSED]])
    if len(people) < FEWEST_DIAGNOSED < len(next(iter(next(iter(views.values())).values()))):
        return []
    sample = {m: {k: x[people] for k, x in by.items()} for m, by in views.items()}
    return diagnose(fit, sample, independence=_independence, conditional=_conditional, rng=rng)


def learn_seed(
    views: Arrays, settings: CrlSection, seed: int, rng: np.random.Generator, progress: Progress, *, keep: Path
) -> None:
    """Fit one seed into the folder from which `learn` takes finished ones, as one of several jobs.

    Raises
    ------
    InputError
        As `learn`; a seed that there is not.
    """
    if not 0 <= seed < settings.seeds:
        raise InputError(f"there is no seed {seed}: {settings.seeds} seeds are 0 to {settings.seeds - 1}")
    made = make_method(settings)
    views, _ = reduce_views(fitted_on(made, views, settings), settings.reduce)
    _same_run(keep, views, settings, rng)
    fit_seed(
        made, views, latents=settings.latents, shared=settings.shared, seed=seed, rng=rng, keep=keep,
        progress=lambda done, total, objective: progress.step(done, total, f"seed {seed}{_objective(objective)}"),
    )  # fmt: skip


def fingerprint(views: Arrays, settings: CrlSection, rng: np.random.Generator) -> str:
    """Return a name of all that a seed's fit depends on: how many seeds, and how one is chosen, it does not."""
    return hashlib.sha256(_facts(views, settings, rng).encode()).hexdigest()[:16]


def _facts(views: Arrays, settings: CrlSection, rng: np.random.Generator) -> str:
    people = hashlib.sha256()
    for m, by in views.items():
        for k, x in by.items():
            people.update(f"{m}/{k} {x.shape} {x.dtype};".encode())
            for start in range(0, len(x), CHUNK):
                people.update(np.ascontiguousarray(x[start : start + CHUNK]).data)
    facts = {k: v for k, v in settings.model_dump().items() if k not in ("seeds", "choose", "halves")}
    if any(x.shape[1] > WIDE for by in views.values() for x in by.values()):
        facts["reduce"] = settings.reduce
    if settings.device != "cpu":
        from personax.crl._device import torch_device  # late: torch

        facts["device"] = torch_device(settings.device).type  # numbers are those of where it runs
    facts = {k: v for k, v in facts.items() if k not in NEWER or v != NEWER[k]}
    facts |= {"people": people.hexdigest(), "generator": str(rng.bit_generator.state)}
    installed = versions()  # closed forms need no torch
    return json.dumps(facts | {name: installed.get(name, "none") for name in ("personax", "torch")}, indent=1)


def _same_run(keep: Path, views: Arrays, settings: CrlSection, rng: np.random.Generator) -> None:
    """Refuse a folder with seeds of another run."""
    path, text = keep / "arguments.json", _facts(views, settings, rng)
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != json.loads(text):
        raise InputError(
            f"{keep} holds seeds of other people, arguments or versions; give another --out, or remove the folder"
        )
    write_text(path, text)


def choose_latents(
    views: Arrays, settings: CrlSection, upto: int, rng: np.random.Generator, progress: Progress
) -> tuple[CrlSection, pl.DataFrame]:
    """Choose the number of every modality's latents, up to ``upto``; see `personax.crl.choose_dimension`.

    Returns
    -------
    tuple
        The settings with the chosen numbers, and one row a number that was tried.
    """

    def report(done: int, total: int, objective: float) -> None:
        progress.step(done, total, f"numbers of latents{_objective(objective)}")

    made = make_method(settings)
    views, _ = reduce_views(some_people(views, people_to_fit(made, views)), settings.reduce)
    found = choose_dimension(
        made, views, upto=upto, start={m: min(k, upto) for m, k in settings.latents.items()},
        shared=settings.shared, seeds=settings.seeds, rng=rng, progress=report,
    )  # fmt: skip
    rows = [row | {"others": json.dumps(row["others"])} for row in found.table]
    return settings.model_copy(update={"latents": found.latents}), pl.DataFrame(rows, infer_schema_length=None)


def describe_numbers(tried: pl.DataFrame) -> list[str]:
    """Say in a sentence a modality how many latents were chosen, and what other numbers are possible.

    Examples
    --------
    >>> rows = {"modality": ["text"] * 3, "latents": [1, 2, 3], "candidate": [False, True, True]}
    >>> describe_numbers(pl.DataFrame(rows | {"chosen": [False, True, False]}))
    ['text: 2 latents were chosen of 1 to 3 tried; 2 to 3 are possible.']
    """
    told = []
    for modality in tried["modality"].unique(maintain_order=True).to_list():
        rows = tried.filter(pl.col("modality") == modality)
        chosen, possible = rows.filter("chosen")["latents"].item(), rows.filter("candidate")["latents"].to_list()
        low, high = (min(possible), max(possible)) if possible else (chosen, chosen)
        others = "no other number is possible" if low == high else f"{low} to {high} are possible"
        were = "s were" if chosen != 1 else " was"
        number = f"{chosen} latent{were} chosen of 1 to {max(rows['latents'].to_list())} tried"
        told.append(f"{modality}: {number}; {others}.")
    return told


def _independence(x: Array, y: Array) -> float:
    return float(hsic(x, y).p_value)


def _conditional(x: Array, y: Array, z: Array) -> float:
    return float(kci(x, y, z).p_value)


def _reporter(progress: Progress, made: Method, seeds: int) -> Callable[[int], Callable[[int, int, float], None]]:
    fits = reported_fits(made, seeds)

    def of(seed: int) -> Callable[[int, int, float], None]:
        what = f"seed {seed + 1} of {seeds}" if seed < seeds else "checks of the seed that was chosen"

        def report(done: int, total: int, objective: float) -> None:
            progress.step(seed * total + done, fits * total, f"{what}{_objective(objective)}")

        return report

    return of


def _history(chosen: SeedSelection) -> pl.DataFrame | None:
    """Return the course of every seed that has one, with the column ``seed`` where there are several."""
    courses = [(seed, rows) for seed, fit in enumerate(chosen.fits) if (rows := _course(fit))]
    frames = [pl.DataFrame(rows).with_columns(pl.lit(seed, pl.Int64).alias("seed")) for seed, rows in courses]
    if len(frames) < 2:
        return frames[0].drop("seed") if frames else None
    return pl.concat(frames, how="diagonal_relaxed")


def _course(fit: Any) -> list[Any]:  # noqa: ANN401 - each method keeps its own, or none
    return getattr(getattr(fit, "log", None), "history", None) or getattr(fit, "history", None) or []


def _notices(chosen: SeedSelection, diagnostics: Sequence[Mapping[str, Any]]) -> list[Notice]:
    found = [Notice(f"{row['assumption']}: {row['sentence']}") for row in diagnostics if row["verdict"] == "violated"]
    found += [Notice(note) for note in getattr(chosen.best, "notes", [])]
    uncompiled = getattr(chosen.best, "eager_reason", None)
    if uncompiled:
        found.append(Notice(f"Steps were not compiled, which changes nothing but the time: {uncompiled}."))
    failed = sorted({reason for reason in chosen.reasons if reason})
    if failed:
        number = sum(reason is not None for reason in chosen.reasons)
        found.append(Notice(f"{number} seeds could not be fitted: {'; '.join(failed)}", number))
    if len(chosen.fits) < 2:
        text = (
            "One seed was run: how stable the latents and their graph are is not known. Read them as a hypothesis; "
            "more seeds, and halves of the people (crl.halves: true, or --halves), tell."
        )
        return [*found, Notice(text)]
    loose = [n for n, s in zip(chosen.best.names, chosen.stability, strict=True) if not s >= UNSTABLE]
    if loose:
        text = f"Other seeds find other latents in place of {', '.join(loose)} (mean correlation below {UNSTABLE}); "
        found.append(Notice(text + "do not read them one by one.", len(loose)))
    return found


def write_latents(learned: LatentResults, out: Path) -> list[str]:
    """Write all that was found into a folder and return the names of the files."""
    out.mkdir(parents=True, exist_ok=True)
    frames = {"latents": learned.latents, "seeds": learned.seeds, "history": learned.history}
    for name, frame in frames.items():
        if frame is not None:
            with written_aside(out / f"{name}.parquet") as aside:
                write_parquet(frame, aside, compression="zstd", statistics=False)
    if learned.graph is not None:
        write_text(out / "graph.json", learned.graph.to_json())
    write_text(out / "diagnostics.json", learned.diagnostics_json())
    write_text(out / "metrics.json", json.dumps(learned.metrics, indent=1, allow_nan=False))
    learned.save_model(out / "model.safetensors")
    return sorted(path.name for path in out.iterdir() if path.is_file())


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever rows hold, as JSON has it
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _objective(value: float) -> str:
    """Return the objective of people held out for a line of progress; nothing where a step has none."""
    return "" if math.isnan(value) else f", validation {value:.3g}"
