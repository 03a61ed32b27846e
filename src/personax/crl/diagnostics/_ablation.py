"""Ablation: how the latents change when a measurement or modality is left out, or an edge costs more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from personax.crl._estimator import Arrays, Method
from personax.crl._fits import FitTask, run_fits
from personax.crl._stability import agreement, columns
from personax.crl.diagnostics._verdict import Diagnosis, Verdict
from personax.engine import ordered
from personax.errors import ComputationError

__all__ = ["ablation", "sparsity_path"]

STABLE: Final = 0.8
"""Agreement of two seeds on everything, below which a change says nothing: seeds alone change as much."""

SLIGHT: Final = 0.1
"""Loss of agreement, relative to two seeds on everything, that is no more than other people would cause."""

GREAT: Final = 0.3
"""Loss of agreement from which the latents are others than before."""

_ASSUMPTION: Final = "latents do not depend on a single measurement or modality"


def ablation(
    make_method: Callable[[], Method],
    views: Arrays,
    *,
    latents: Mapping[str, int],
    shared: int = 0,
    rng: np.random.Generator,
) -> Diagnosis:
    """Fit on everything, then without each modality and each measurement, and compare the other latents.

    A modality is left out where two remain, a measurement where its modality keeps one. Agreement is that of
    `personax.crl._stability`, within modalities. The yardstick is a second fit on everything: it and all fits with
    something left out draw the same random numbers, others than the first.

    Parameters
    ----------
    make_method
        Called once a fit.
    views, latents, shared
        As in `personax.crl._estimator.Method`.
    rng
        Seeds the fits.

    Returns
    -------
    Diagnosis
        The number is the smallest agreement. Rows: ``without``, ``agreement``, ``loss`` (beside the yardstick),
        ``verdict``, ``reason`` (why a fit failed).

    Raises
    ------
    ComputationError
        When a fit on everything fails.
    """
    first, second = (int(seed) for seed in rng.integers(2**63, size=2))
    left_out = list(_without(views))
    kept = [views, views, *(some for _, some in left_out)]
    tasks = [
        FitTask(make_method(), np.random.default_rng(seed), {m: latents[m] for m in some},
                {m: list(by) for m, by in some.items()})
        for seed, some in zip([first, *[second] * (len(kept) - 1)], kept, strict=True)
    ]  # fmt: skip
    fits = list(ordered(run_fits(tasks, views, shared=shared)))
    if failed := [fit for fit in fits[:2] if isinstance(fit, str)]:
        raise ComputationError(failed[0])
    encoded = [fit if isinstance(fit, str) else fit.encode(some) for fit, some in zip(fits, kept, strict=True)]
    full = cast("NDArray[np.float64]", encoded[0])
    order = {modality: latents[modality] for modality in views}
    yardstick = agreement([full, cast("NDArray[np.float64]", encoded[1])], counts=order, shared=shared).mean
    rows: list[dict[str, Any]] = []
    for (name, some), found in zip(left_out, encoded[2:], strict=True):
        counts = {modality: latents[modality] for modality in some}
        row: dict[str, Any] = {"without": name, "agreement": None, "loss": None, "verdict": "not testable"}
        if isinstance(found, str):
            rows.append(row | {"reason": found})
            continue
        blocks = columns(order, shared)
        left = [i for group in (["shared"] if shared else []) + list(some) for i in blocks[group]]
        value = agreement([full[:, left], found], counts=counts, shared=shared).mean
        loss = yardstick - value
        rows.append(row | {"agreement": value, "loss": loss, "verdict": _lost(loss, yardstick), "reason": ""})
    return _gathered(rows, yardstick)


def sparsity_path(
    make_method_of_strength: Callable[[float], Method],
    strengths: Sequence[float],
    views: Arrays,
    *,
    latents: Mapping[str, int],
    shared: int = 0,
    rng: np.random.Generator,
    threshold: float = 0.5,
) -> list[dict[str, Any]]:
    """Fit with each weight of sparsity, from the same random numbers, and return what it costs and how many edges stay.

    A plateau of edges over a range of weights supports the graph; a number that falls all the way is due to the weight.

    Parameters
    ----------
    make_method_of_strength
        Takes a weight and returns the method.
    strengths
        Weights to try.
    views, latents, shared
        As in `personax.crl._estimator.Method`.
    rng
        Seeds the fits.
    threshold
        An edge is there where the adjacency is greater.

    Returns
    -------
    list of dict
        ``strength``, ``objective`` (comparable only where it leaves the weight out), ``information`` (None where the
        method does not tell it), ``edges``, ``across`` (edges between modalities), ``reason`` (why a fit failed).
    """
    seed = int(rng.integers(2**63))
    order = {modality: latents[modality] for modality in views}
    sizes = [len(own) for own in columns(order, shared).values()]
    group = np.repeat(np.arange(len(sizes)), sizes)
    made = [make_method_of_strength(strength) for strength in strengths]
    tasks = [FitTask(method, np.random.default_rng(seed), latents) for method in made]
    rows = []
    for strength, fitted in zip(strengths, ordered(run_fits(tasks, views, shared=shared)), strict=True):
        row: dict[str, Any] = {"strength": strength}
        row |= dict.fromkeys(("objective", "information", "edges", "across")) | {"reason": ""}
        if isinstance(fitted, str):
            rows.append(row | {"reason": fitted})
            continue
        row |= {"objective": float(fitted.objective), "information": getattr(fitted, "information", None)}
        if fitted.adjacency is not None:
            edges = (fitted.adjacency > threshold) & ~np.eye(len(group), dtype=bool)
            row["edges"] = int(edges.sum())
            row["across"] = int((edges & (group[:, None] != group)).sum())
        rows.append(row)
    return rows


def _without(views: Arrays) -> Iterator[tuple[str, Arrays]]:
    if len(views) > 2:
        for modality in views:
            yield modality, {m: by for m, by in views.items() if m != modality}
    for modality, by in views.items():
        if len(by) > 1:
            for measurement in by:
                kept = {k: x for k, x in by.items() if k != measurement}
                yield f"{modality}/{measurement}", {m: kept if m == modality else other for m, other in views.items()}


def _lost(loss: float, yardstick: float) -> Verdict:
    if yardstick < STABLE:
        return "doubtful"
    return "holds" if loss < SLIGHT else "violated" if loss >= GREAT else "doubtful"


def _gathered(rows: list[dict[str, Any]], yardstick: float) -> Diagnosis:
    known = [row for row in rows if row["agreement"] is not None]
    if not known:
        text = "Nothing can be left out: too few modalities and measurements, or every such fit failed."
        return Diagnosis(_ASSUMPTION, "not testable", None, text, rows)
    least = min(known, key=lambda row: row["agreement"])
    value, where = least["agreement"], least["without"]
    # all losses are beside the same yardstick, so the smallest agreement has the worst verdict
    verdict: Verdict = least["verdict"]
    beside = f"agreement {value:.2f}; two seeds on everything: {yardstick:.2f}"
    if yardstick < STABLE:
        text = f"Two seeds do not agree even on everything, so leaving {where} out says little ({beside})."
    else:
        text = {
            "holds": f"The latents stay what they are whatever is left out, least without {where} ({beside}).",
            "doubtful": f"Without {where} the other latents change somewhat ({beside}).",
            "violated": f"Without {where} the other latents are different ones ({beside}).",
        }[verdict]
    return Diagnosis(_ASSUMPTION, verdict, value, text, rows)
