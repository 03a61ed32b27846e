"""What protection costs: Level I and Level II before and after each transform, one row each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax import crl
from personax.crl import Budget, align, match, shd
from personax.errors import InputError
from personax.independence import hsic
from personax.release import PRESETS, Chain, ReleaseKey
from personax.release.transforms import Preset
from personax.release.vectors import cka, neighbours_kept

__all__ = ["cost_of_protection"]

Arrays = Mapping[str, Mapping[str, NDArray[np.float32]]]
SAMPLE = 400
"""At most so many people are tested and compared; Level II sees all."""


def cost_of_protection(
    views: Arrays,
    targets: Mapping[str, NDArray[Any]],
    *,
    transforms: Sequence[Preset] = tuple(PRESETS),
    latents: Mapping[str, int],
    shared: int = 0,
    truth: NDArray[np.float64] | None = None,
    method: str = "paper",
    epochs: int = 15,
    alpha: float = 0.05,
    seed: int = 0,
) -> pl.DataFrame:
    """Return one row a transform, the first for none.

    Parameters
    ----------
    views
        Modality -> measurement -> vectors, shape (n, dim).
    targets
        Name -> one number a person; each is tested against each measurement by HSIC.
    latents, shared, truth
        Of Level II; the true latents, shape (n, d), where they are known.
    method, epochs
        Level II method and its budget. The same seed is used for all, so that only the vectors differ.
    alpha
        Level at which decisions are counted.

    Returns
    -------
    polars.DataFrame
        ``transform``; ``cka``, ``neighbours`` (least over measurements); ``tests``, ``log10 p`` (largest change),
        ``decisions`` (tests that decide otherwise); ``mcc with the originals`` (learned latents after against before);
        ``mcc`` (against the truth, null where unknown); ``edges`` (changed against those of the originals, latents
        paired by correlation; null where the method learns no graph).

    Raises
    ------
    InputError
        No targets, or other people in them.
    """
    n = len(next(iter(next(iter(views.values())).values())))
    if not targets or any(len(values) != n for values in targets.values()):
        raise InputError(f"the cost of protection needs at least one target with a number for each of the {n} people")
    key, rows, before = ReleaseKey(bytes(32)), [], None
    for name in (None, *transforms):
        after = {m: {k: _transformed(name, x, key, f"{m}/{k}") for k, x in by.items()} for m, by in views.items()}
        tested = _tests(after, targets)
        fitted = crl.method(method, budget=Budget(epochs=epochs)).fit(
            after, latents=latents, shared=shared, rng=np.random.default_rng(seed)
        )
        z, graph = fitted.encode(after), None if fitted.adjacency is None else fitted.adjacency > 0.5
        before = before or (views, tested, z, graph)
        same = match(z, before[2])
        rows.append(
            {
                "transform": name or "none",
                **_geometry(before[0], after),
                "tests": len(tested),
                "log10 p": float(np.abs(np.log10(tested / before[1])).max()),
                "decisions": int(((tested < alpha) != (before[1] < alpha)).sum()),
                "mcc with the originals": same.mcc,
                "mcc": None if truth is None else match(z, truth).mcc,
                "edges": None if graph is None or before[3] is None else
                shd(align(graph, same.pairs, len(graph)), before[3]),
            }
        )  # fmt: skip
    return pl.DataFrame(rows)


def _transformed(name: Preset | None, x: NDArray[np.float32], key: ReleaseKey, context: str) -> NDArray[np.float32]:
    return x if name is None else Chain(name, x.shape[1], key, context).fit(x).transform(x)


def _tests(views: Arrays, targets: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return p-values, each at least 1e-12: smaller ones say no more."""
    pairs = [(x, y) for by in views.values() for x in by.values() for y in targets.values()]
    found = [hsic(x[:SAMPLE], y[:SAMPLE], null="gamma").p_value for x, y in pairs]
    return np.array(found, dtype=np.float64).clip(min=1e-12)


def _geometry(before: Arrays, after: Arrays) -> dict[str, float]:
    pairs = [(x[:SAMPLE], after[m][k][:SAMPLE]) for m, by in before.items() for k, x in by.items()]
    return {"cka": min(cka(*pair) for pair in pairs), "neighbours": min(neighbours_kept(*pair) for pair in pairs)}
