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
from personax.crl import Budget, Device, Estimator, Fitted, Method, method, regret, summary, traverse
from personax.engine import find_engine
from personax.errors import InputError, PersonaxError, PlanError
from personax.files import write_text, written_aside
from personax.progress import Progress
from personax.simulate import LatentData, numerical, variant_mnist
from personax.stages._benchmark_worlds import draw_benchmark_world
from personax.strict import nearest

__all__ = ["CrlBenchmark", "KeptFit", "history_of", "load_kept", "run_benchmark", "save_kept"]

NEWER: Final = {"runs": 1, "convolutional": False, "device": "cpu", "compiled": False, "half": False}
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
        if self.data not in DATA:
            raise PlanError(f"--data: there is no {self.data}; {nearest(self.data, DATA)}")
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
            if self.data == "worlds":
                return draw_benchmark_world(self.options, people=self.n, seed=seed, cache=folders.get("cache"))
            if self.data == "numerical":
                return numerical(**self.options, n=self.n, rng=rng)
            return variant_mnist(**self.options, **folders, n=self.n, rng=rng)
        except (TypeError, ValueError) as error:
            raise PlanError(f"{self.data}: {error}") from None


def run_benchmark(benchmark: CrlBenchmark, parts: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield the result of every seed and method, from the folder of parts where it is there already.

    A method that fails is a result with a reason. Parts of other arguments in the same folder are refused.
    """
    benchmark.check()
    _same_run(benchmark, parts)
    seeds = range(benchmark.first, benchmark.first + benchmark.seeds)
    units = [(seed, name) for seed in seeds for name in benchmark.methods]
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
        progress.step(done, len(units), f"seed {left[place][0]}, {left[place][1]}")
    for unit in units:
        yield json.loads(_part(parts, unit).read_text(encoding="utf-8"))


def _part(parts: Path, unit: tuple[int, str]) -> Path:
    return parts / f"{unit[0]}-{unit[1]}.json"


@dataclass
class _Drawn:
    """A benchmark, and the data of the seed that a worker drew last."""

    benchmark: CrlBenchmark
    seed: int = -1
    data: LatentData | None = None

    def of(self, seed: int) -> LatentData:
        """Return the data of a seed."""
        if self.data is None or self.seed != seed:
            self.seed, self.data = seed, self.benchmark.draw(seed)
        return self.data


def _work(drawn: _Drawn, unit: tuple[int, str]) -> tuple[dict[str, Any], KeptFit | None]:
    seed, name = unit
    return _one(drawn.of(seed), name, seed, drawn.benchmark)


def _same_run(benchmark: CrlBenchmark, parts: Path) -> None:
    parts.mkdir(parents=True, exist_ok=True)
    path = parts / "arguments.json"
    wanted = {k: v for k, v in asdict(benchmark).items() if k not in ("methods", "seeds", "folders")}
    wanted = {k: v for k, v in wanted.items() if k not in NEWER or v != NEWER[k]}
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise PlanError(f"{parts.parent} holds a run of other arguments; give another --out")
    write_text(path, json.dumps(wanted))


def _one(data: LatentData, name: str, seed: int, benchmark: CrlBenchmark) -> tuple[dict[str, Any], KeptFit | None]:
    cut = round(len(data.latents) * (1 - benchmark.held_out))
    learn, held = data.rows(np.arange(cut)), data.rows(np.arange(cut, len(data.latents)))
    began = time.perf_counter()
    maker = _made(name, data, benchmark)
    result: dict[str, Any] = {"seed": seed, "method": name, "needs": maker.needs, "source": data.source}
    generators = [np.random.default_rng(seed), *np.random.default_rng(seed).spawn(benchmark.runs - 1)]
    try:
        fits = [
            maker.fit(learn.views, latents=data.counts, shared=data.shared, truth=learn.latents, rng=rng)
            for rng in generators
        ]
    except PersonaxError as error:
        return result | {"reason": str(error)}, None
    seconds = (time.perf_counter() - began) / benchmark.runs
    found = [_scored(fitted, held, data) for fitted in fits]
    chosen = min(range(benchmark.runs), key=lambda run: fits[run].objective)
    fitted, (encoded, scores) = fits[chosen], found[chosen]
    if benchmark.runs > 1:
        result["regret"] = regret(chosen, [scores["mcc_pearson"] for _, scores in found])
    images, people = _moved(fitted, held, encoded)
    part = KeptFit(
        encoded, held.latents, fitted.names, data.names, fitted.adjacency, data.adjacency, history_of(fitted), images,
        people,
    )  # fmt: skip
    return result | {"seconds": seconds, "objective": fitted.objective, "scores": scores}, part


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
    return encoded, summary(
        encoded, held.latents, names=data.names, counts=data.counts, shared=data.shared, adjacency=fitted.adjacency,
        true_adjacency=data.adjacency, rng=np.random.default_rng(SCORING_SEED),
    )  # fmt: skip


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
