"""Level II against the truth: every method on the same simulated people, scored on people held out.

Of each fit a folder of parts has the scores, and what figures are drawn from, as NPZ.
"""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax import registry
from personax.crl import Budget, Device, Epoch, Estimator, Fitted, Method, OnEpoch, method, regret, summary, traverse
from personax.crl._stability import columns
from personax.engine import find_engine
from personax.errors import InputError, PersonaxError, PlanError
from personax.files import write_text, written_aside
from personax.progress import Progress
from personax.simulate import LatentData, numerical, variant_mnist
from personax.stages._benchmark_worlds import draw_benchmark_world
from personax.stages._crl_protocols import (
    HONEST,
    PAPER,
    PROTOCOLS,
    BestEpoch,
    published_floors,
    published_mcc,
    take_paper_options,
)
from personax.strict import nearest

__all__ = ["CrlBenchmark", "KeptFit", "history_of", "load_kept", "part_of", "run_benchmark", "save_kept"]

NEWER: Final = {"runs": 1, "convolutional": False, "device": "cpu", "compiled": False, "half": False, "rate": None,
                "batch": None}  # fmt: skip
"""Arguments that older folders do not name, and what they were."""

DATA: Final = ("worlds", "variant-mnist", "numerical")
"""What can be asked for, in the order of the table."""

SCORING_SEED: Final = 0
"""Of halves and floors, the same for all methods and seeds."""


@dataclass(frozen=True)
class CrlBenchmark:
    """What is compared.

    Parameters
    ----------
    data
        One of `DATA`.
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
    folders
        Argument of the generator -> folder; of worlds ``cache``, where vectors are kept.
    protocols
        ``honest``, ``paper`` or both; see `personax.stages._crl_protocols`.
    rate, batch
        Of the budget all methods share, in place of the standard ones.
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
    protocols: tuple[str, ...] = (HONEST,)
    rate: float | None = None
    batch: int | None = None

    def check(self) -> None:
        """Refuse what cannot be run.

        Raises
        ------
        PlanError
            Unknown data or methods, no seeds, too few people.
        """
        if self.data not in DATA:
            raise PlanError(f"--data: there is no {self.data}; {nearest(self.data, list(DATA))}")
        known = registry.names("methods")
        for name in self.methods:
            if name not in known:
                raise PlanError(f"--methods: there is no {name}; {nearest(name, known)}")
        for name in self.protocols:
            if name not in PROTOCOLS:
                raise PlanError(f"--protocol: there is no {name}; {nearest(name, [*PROTOCOLS, 'both'])}")
        if (self.rate is not None and not self.rate > 0) or (self.batch is not None and self.batch < 1):
            raise PlanError("--rate is a number above 0, --batch one from 1")
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
            if self.data == "worlds":
                return draw_benchmark_world(self.options, people=self.n, seed=seed, cache=folders.get("cache"))
            if self.data == "numerical":
                return numerical(**self.options, n=self.n, rng=rng)
            return variant_mnist(**self.options, **folders, n=self.n, rng=rng)
        except (TypeError, ValueError) as error:
            raise PlanError(f"{self.data}: {error}") from None


def run_benchmark(benchmark: CrlBenchmark, parts: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield the result of every seed, method and protocol, from the folder of parts where it is there already.

    A method that fails is a result with a reason. Parts of other arguments in the same folder are refused.
    """
    benchmark.check()
    _same_run(benchmark, parts)
    seeds = range(benchmark.first, benchmark.first + benchmark.seeds)
    units = [(seed, name, protocol) for seed in seeds for name in benchmark.methods for protocol in benchmark.protocols]
    left = [unit for unit in units if not _part(parts, unit).is_file()]
    done = len(units) - len(left)
    # torch has one number of threads for a whole process, which every fit sets
    engine = find_engine("processes", threads_do=False, gpu=benchmark.device != "cpu")
    for place, (result, part) in engine.map(_work, left, shared=_Drawn(benchmark)):
        path = _part(parts, left[place])
        if part is not None:
            save_kept(path.with_suffix(".npz"), part)
        write_text(path, json.dumps(result))  # last: where it is, the part is done
        done += 1
        seed, name, protocol = left[place]
        progress.step(done, len(units), f"seed {seed}, {name}{'' if protocol == HONEST else f', {protocol}'}")
    for unit in units:
        yield json.loads(_part(parts, unit).read_text(encoding="utf-8"))


Unit = tuple[int, str, str]
"""Seed, method, protocol."""


def part_of(parts: Path, result: Mapping[str, Any]) -> Path:
    """Return where the arrays of a result lie."""
    return _part(parts, (result["seed"], result["method"], result.get("protocol", HONEST))).with_suffix(".npz")


def _part(parts: Path, unit: Unit) -> Path:
    seed, name, protocol = unit
    return parts / f"{seed}-{name}{'' if protocol == HONEST else f'-{protocol}'}.json"


@dataclass
class _Drawn:
    """A benchmark, and what a worker drew and fitted last.

    Parameters
    ----------
    benchmark
        What is compared.
    seed, data
        Of the last seed.
    fits
        Method and fits of that seed to the same options in both protocols, because it is not trained in epochs.
    """

    benchmark: CrlBenchmark
    seed: int = -1
    data: LatentData | None = None
    fits: tuple[str, list[Fitted], float] | None = None

    def of(self, seed: int) -> LatentData:
        """Return the data of a seed."""
        if self.data is None or self.seed != seed:
            self.seed, self.data, self.fits = seed, self.benchmark.draw(seed), None
        return self.data


def _work(drawn: _Drawn, unit: Unit) -> tuple[dict[str, Any], KeptFit | None]:
    seed, name, protocol = unit
    return _one(drawn.of(seed), name, seed, drawn.benchmark, protocol, drawn)


def _same_run(benchmark: CrlBenchmark, parts: Path) -> None:
    parts.mkdir(parents=True, exist_ok=True)
    path = parts / "arguments.json"
    wanted = {k: v for k, v in asdict(benchmark).items() if k not in ("methods", "seeds", "folders", "protocols")}
    wanted = {k: v for k, v in wanted.items() if k not in NEWER or v != NEWER[k]}
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise PlanError(f"{parts.parent} holds a run of other arguments; give another --out")
    write_text(path, json.dumps(wanted))


def _one(
    data: LatentData, name: str, seed: int, benchmark: CrlBenchmark, protocol: str = HONEST, drawn: _Drawn | None = None
) -> tuple[dict[str, Any], KeptFit | None]:
    """Return the scores of a method; whatever stops it is a reason, so that the others are still compared."""
    maker = _made(name, data, benchmark)
    result: dict[str, Any] = {"seed": seed, "method": name, "needs": maker.needs, "source": data.source}
    if protocol != HONEST:
        result["protocol"] = protocol
    try:
        facts, part = _compared(maker, data, result, benchmark, drawn)
    except Exception as error:  # noqa: BLE001 - methods of others may raise anything
        return result | {"reason": _reason(error)}, None
    return result | facts, part


def _reason(error: Exception) -> str:
    if isinstance(error, PersonaxError):
        return str(error)
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {first}"


def _compared(
    maker: Method, data: LatentData, result: Mapping[str, Any], benchmark: CrlBenchmark, drawn: _Drawn | None
) -> tuple[dict[str, Any], KeptFit]:
    cut = round(len(data.latents) * (1 - benchmark.held_out))
    learn, held = data.rows(np.arange(cut)), data.rows(np.arange(cut, len(data.latents)))
    protocol, name = result.get("protocol", HONEST), result["method"]
    if protocol == PAPER and isinstance(maker, Estimator):
        take_paper_options(maker, benchmark.data, benchmark.epochs)
    generators = _generators(result["seed"], benchmark.runs)
    looked = [BestEpoch(held.views, held.latents) if protocol == PAPER else _Count() for _ in generators]
    if protocol == PAPER and drawn is not None and drawn.fits is not None and drawn.fits[0] == name:
        _, fits, seconds = drawn.fits
    else:
        began = time.perf_counter()
        fits = [_fit(maker, learn, data, rng, told) for rng, told in zip(generators, looked, strict=True)]
        seconds = (time.perf_counter() - began) / benchmark.runs
    if drawn is not None:
        drawn.fits = None if any(told.number for told in looked) else (name, fits, seconds)
    found = [_scored_epoch(fit, told, held, data) for fit, told in zip(fits, looked, strict=True)]
    chosen = _chosen(fits, found, protocol)
    fitted, (encoded, scores) = fits[chosen], found[chosen]
    facts: dict[str, Any] = {"seconds": seconds, "objective": fitted.objective, "scores": scores}
    if benchmark.runs > 1:
        facts["regret"] = regret(chosen, [scores["mcc_pearson"] for _, scores in found])
    facts |= _epoch_facts(looked[chosen], benchmark, held, data) if protocol == PAPER else {}
    images, people = _moved(fitted, held, encoded)
    kept_graph = None if isinstance(looked[chosen], BestEpoch) and looked[chosen].number else fitted.adjacency
    part = KeptFit(
        encoded, held.latents, fitted.names, data.names, kept_graph, data.adjacency, history_of(fitted), images, people
    )
    return facts, part


@dataclass
class _Count:
    """Notes whether a method is trained in epochs."""

    number: int = 0

    def __call__(self, epoch: Epoch) -> None:
        self.number = epoch.number


def _generators(seed: int, runs: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed), *np.random.default_rng(seed).spawn(runs - 1)]


def _fit(maker: Method, learn: LatentData, data: LatentData, rng: np.random.Generator, told: OnEpoch) -> Fitted:
    more: dict[str, Any] = {"on_epoch": told} if isinstance(maker, Estimator) else {}
    return maker.fit(learn.views, latents=data.counts, shared=data.shared, truth=learn.latents, rng=rng, **more)


def _chosen(fits: Sequence[Fitted], found: Sequence[tuple[Any, Mapping[str, Any]]], protocol: str) -> int:
    """Return the run that is scored: by validation people, or as the paper chooses, by the truth."""
    if protocol == PAPER:
        return int(np.argmax([scores["mcc_paper"] for _, scores in found]))
    return min(range(len(fits)), key=lambda run: fits[run].objective)


def _scored_epoch(
    fitted: Fitted, told: OnEpoch, held: LatentData, data: LatentData
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return latents and scores of the fit, or of the epoch that was kept of it, whose graph is not known."""
    if not isinstance(told, BestEpoch) or not told.number:
        return _scored(fitted, held, data)
    return told.encoded, _scores(told.encoded, None, held, data)


def _epoch_facts(told: OnEpoch, benchmark: CrlBenchmark, held: LatentData, data: LatentData) -> dict[str, Any]:
    """Return which epoch was kept, what it brought to choose it by the truth, and what chance brings so."""
    if not isinstance(told, BestEpoch) or not told.number:
        return {"epoch": None, "peeking": None}
    blocks = list(columns(data.counts, data.shared).values())
    rng = np.random.default_rng(SCORING_SEED)
    floor = published_floors(held.latents, blocks, benchmark.epochs, rng=rng)["best_rotation"]
    return {"epoch": told.number, "peeking": told.peeking, "best_rotation": floor}


def _made(name: str, data: LatentData, benchmark: CrlBenchmark) -> Method:
    """Return the method with the budget that all share, faster and by convolutions where it can."""
    made = method(name)
    if not isinstance(made, Estimator):
        return made
    own = made.get_params(deep=False)
    faster = made.accelerated
    if "budget" in own:
        made.set_params(
            budget=Budget(
                epochs=benchmark.epochs, device=benchmark.device,
                compiled=benchmark.compiled and faster, half=benchmark.half and faster,
                **{name: value for name in ("rate", "batch") if (value := getattr(benchmark, name)) is not None},
            )
        )  # fmt: skip
    if "images" in own and benchmark.convolutional:
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
    return encoded, _scores(encoded, fitted.adjacency, held, data)


def _scores(
    encoded: NDArray[np.float64], adjacency: NDArray[np.float64] | None, held: LatentData, data: LatentData
) -> dict[str, Any]:
    found = summary(
        encoded, held.latents, names=data.names, counts=data.counts, shared=data.shared, adjacency=adjacency,
        true_adjacency=data.adjacency, rng=np.random.default_rng(SCORING_SEED),
    )  # fmt: skip
    blocks = list(columns(data.counts, data.shared).values())
    floors = published_floors(held.latents, blocks, 1, rng=np.random.default_rng(SCORING_SEED))
    found["mcc_paper"] = published_mcc(encoded, held.latents)
    found["floors"]["rotation_blocks"] |= floors["rotation_blocks"]
    return found


MOST_PEOPLE: Final = 1000
"""People kept; more make a figure larger and not clearer."""

_HISTORY: Final = "history_"
_IMAGES: Final = "images_"
_PEOPLE: Final = "people_"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KeptFit:
    """One fitted method of one seed, on people it has not seen.

    Parameters
    ----------
    encoded, latents
        Shape (n, d) and (n, k): learned and true latents of the same people.
    learned_names, names
        Of the learned and of the true latents.
    adjacency, true_adjacency
        Shape (d, d) and (k, k), rows are children; how sure each edge is, None where no graph is learned.
    history
        Column -> one number an epoch; empty where nothing was trained or nothing was noted.
    images, people
        Learned latent -> mean images as it moves, shape (k, channels, height, width), and who stand near, shape (k,);
        empty where measurements are no images.
    """

    encoded: Array
    latents: Array
    learned_names: list[str]
    names: list[str]
    adjacency: Array | None
    true_adjacency: NDArray[np.bool_]
    history: Mapping[str, Array]
    images: Mapping[str, Array] = field(default_factory=dict)
    people: Mapping[str, NDArray[np.intp]] = field(default_factory=dict)


def history_of(fitted: object) -> dict[str, Array]:
    """Return what a fitted method has noted of its training, column by column.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> rows = [{"epoch": 1, "validation": 2.0}, {"epoch": 2, "validation": 1.5}]
    >>> {name: x.tolist() for name, x in history_of(SimpleNamespace(history=rows)).items()}
    {'epoch': [1.0, 2.0], 'validation': [2.0, 1.5]}
    >>> history_of(SimpleNamespace(log=None))
    {}
    """
    rows: Sequence[Mapping[str, Any]] = getattr(getattr(fitted, "log", None) or fitted, "history", None) or []
    columns = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in columns}


def save_kept(path: Path, part: KeptFit) -> None:
    """Write what is kept of a fit, the first 1,000 people of it, so that nobody sees half of one."""
    arrays: dict[str, NDArray[Any]] = {
        "encoded": part.encoded[:MOST_PEOPLE],
        "latents": part.latents[:MOST_PEOPLE],
        "learned_names": np.array(part.learned_names, dtype=np.str_),
        "names": np.array(part.names, dtype=np.str_),
        "true_adjacency": part.true_adjacency,
    }
    if part.adjacency is not None:
        arrays["adjacency"] = part.adjacency
    arrays |= {_HISTORY + name: x for name, x in part.history.items()}
    arrays |= {_IMAGES + name: x.astype(np.float32) for name, x in part.images.items()}
    arrays |= {_PEOPLE + name: x for name, x in part.people.items()}
    with written_aside(path) as aside, aside.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type] # its stub takes the names for its own options


def load_kept(path: Path) -> KeptFit | None:
    """Return what was kept of a fit, None where nothing was: the method failed, or the scores are older than figures.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        return KeptFit(
            found["encoded"],
            found["latents"],
            found["learned_names"].tolist(),
            found["names"].tolist(),
            found.get("adjacency"),
            found["true_adjacency"],
            *(
                {name.removeprefix(first): x for name, x in found.items() if name.startswith(first)}
                for first in (_HISTORY, _IMAGES, _PEOPLE)
            ),
        )
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        text = f"{path} cannot be read ({error}); remove it and its .json, and the same command makes them anew"
        raise InputError(text) from None
