"""Small work of every room that runs on an engine, as bytes to compare."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from personax.crl import Budget, Estimator, fit_seeds, method
from personax.crl.diagnostics import ablation
from personax.discovery import bootstrap_edges, pc
from personax.embed import encode_all, text_encoder
from personax.engine import Engine, parallel_config
from personax.independence import screen


def people() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    x[:, 1:] += 0.6 * x[:, :-1]
    return pl.DataFrame({f"v{i}": x[:, i].round(2) for i in range(4)} | {"team": list("abcde") * 40})


def views() -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(1)
    z = rng.normal(size=(80, 2))

    def seen(k: int) -> Any:
        return (np.tanh(z @ rng.normal(size=(2, k))) + 0.1 * rng.normal(size=(80, k))).astype("f4")

    return {"text": {"a": seen(6), "b": seen(6)}, "image": {"c": seen(5)}}


def seeds() -> bytes:
    made = method("mmcrl")
    assert isinstance(made, Estimator)
    made.set_params(budget=Budget(epochs=1, hidden=8))
    latents = {"text": 1, "image": 1}
    found = fit_seeds(made, views(), latents=latents, seeds=3, rng=np.random.default_rng(5))
    assert all(fit is not None for fit in found.fits)
    return b"".join(fit.encode(views()).tobytes() for fit in found.fits if fit is not None)


def refits() -> bytes:
    made = partial(method, "pca")
    found = ablation(made, views(), latents={"text": 1, "image": 1}, rng=np.random.default_rng(5))
    return json.dumps(found.rows, default=str).encode()


def pairs() -> bytes:
    columns = people().columns
    options = {"hsic": {"null": "permutation", "permutations": 50}}
    found = screen(people(), columns[:3], columns[3:], tests=["kci", "hsic", "chisq"], options=options)
    return found.write_csv().encode()


def draws() -> bytes:
    search = partial(pc, alpha=0.05)
    frame = people().select("v0", "v1", "v2", "v3")
    return bootstrap_edges(frame, search, times=5, rng=np.random.default_rng(3))[1].write_csv().encode()


def vectors() -> bytes:
    texts = [f"a {word} person of town {i % 7}" for i, word in enumerate(["kind", "shy", "moody"] * 20)]
    return encode_all(text_encoder("hashed"), texts, texts, batch=8).tobytes()


ROOMS = {"seeds": seeds, "refits": refits, "pairs": pairs, "draws": draws, "vectors": vectors}


def results(engine: str | Engine, jobs: int | None = None) -> dict[str, bytes]:
    """Return what every room gives on an engine."""
    with parallel_config(engine, jobs):
        return {name: room() for name, room in ROOMS.items()}
