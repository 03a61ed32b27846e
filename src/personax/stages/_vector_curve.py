"""Less of the vectors, more or less useful: privacy and utility for every number of components and amount of noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError, PlanError
from personax.independence import hsic
from personax.progress import Progress
from personax.release import ReleaseInput, ReleaseKey
from personax.release.vectors import Reduction, ReductionMethod, clip_norms, project
from personax.stages._base import Reader, stage_rng
from personax.stages._independence import people_with_scores
from personax.stages._reduced_vectors import sources
from personax.stages._release import key_of, settings_of
from personax.stages._release_input import contents_of
from personax.strict import nearest

__all__ = ["PrivacyCurve", "measured", "privacy_curve"]

Floats = NDArray[np.float64]

PEOPLE = 1_000
"""At most so many people are tested; the attacker of rank 1 looks among all."""
FOLDS = 5
SMALLEST = 10
"""People of the smaller group of an attribute."""
RIDGE = 0.01
"""Of standardised numbers, as a share of the people."""


@dataclass(frozen=True)
class PrivacyCurve:
    """One row a number of components and amount of noise, and the row that is proposed.

    Parameters
    ----------
    table
        ``keep``, ``numbers``, ``noise``, ``epsilon``, ``rank_1``, ``auc``, ``decisions``, ``effects``; the first row
        is of the vectors as they are.
    chosen
        Place in the table; None where nothing keeps the limit.
    """

    table: pl.DataFrame
    chosen: int | None


def privacy_curve(
    reader: Reader,
    left: ReleaseInput,
    key: ReleaseKey,
    reduction: Reduction,
    *,
    numbers: Sequence[int],
    noises: Sequence[float],
    most: float,
    progress: Progress,
) -> PrivacyCurve:
    """Measure what every choice gives away and what it keeps.

    Parameters
    ----------
    left, key, reduction
        The people who are left, the study's key, and what is kept and clipped.
    numbers, noises
        What is tried.
    most
        Rank 1 that a choice may reach to be proposed.

    Returns
    -------
    Curve
        ``rank_1``: how often the nearest among all is the right person, for an attacker who holds all numbers before
        the noise and knows the axes; ``auc``: how well a ridge regression tells the attributes of two values apart
        (mean over attributes, on people it has not seen); ``decisions``: the share of HSIC tests of measurements
        against traits and numbers that decide at .05 as on the vectors as they are; ``effects``: correlation of their
        effect sizes. The noise of the measurements is pseudo-random here and of the operating system in a release.

    Raises
    ------
    InputError
        There are no vectors.
    """
    rng = stage_rng(reader.plan.seed, "release curve")
    views, ids = _views(sources(reader, left, reduction), left.people.select("id"))
    attributes, variables = _known(reader, ids)
    rows = rng.permutation(ids.height)[:PEOPLE]
    before = _tests(views, variables, rows)
    found = [_row(None, views, views, attributes, before, before, rows)]
    tried = [reduction.replaced(numbers=k, noise=s) for k in numbers for s in noises if _fits(k, views, reduction)]
    for place, one in enumerate(tried):
        progress.step(place, len(tried), f"{one.numbers} numbers, noise {one.noise:g}")
        clean = {label: clip_norms(project(x, one, key, label), one.clip) for label, x in views.items()}
        noisy = {label: x + rng.normal(0, one.noise, x.shape) if one.noise else x for label, x in clean.items()}
        found.append(_row(one, clean, noisy, attributes, before, _tests(noisy, variables, rows), rows))
    table = pl.DataFrame(found, infer_schema_length=None)
    return PrivacyCurve(table, _chosen(table, most))


def _views(frames: Mapping[str, pl.DataFrame], ids: pl.DataFrame) -> tuple[dict[str, Floats], pl.DataFrame]:
    """Return the vectors of all measurements, of the people who have all of them."""
    for frame in frames.values():
        ids = ids.join(frame.select("id"), on="id", how="semi", maintain_order="left")
    if not frames or ids.is_empty():
        raise InputError("nobody has vectors of all modalities; add an embed section to the plan, or embed again")
    rows = {m: ids.join(frame, on="id", how="left", maintain_order="left") for m, frame in frames.items()}
    views = {
        f"{m}/{name}": own[name].to_numpy().astype(np.float64) for m, own in rows.items() for name in own.columns[1:]
    }
    return views, ids


def measured(
    reader: Reader, keep: str | None, numbers: Sequence[float], noises: Sequence[float], most: float, progress: Progress
) -> PrivacyCurve:
    """Return the curve of a study as it is, under the settings of its plan.

    Raises
    ------
    PlanError
        The plan has no release, or ``keep`` is none of the three.
    InputError
        Numbers that mean nothing.
    """
    section = reader.plan.release
    if section is None:
        raise PlanError("the plan has no section release; add `release:` to the study file")
    vectors = section.vectors or Reduction()
    if keep is not None and keep not in get_args(ReductionMethod):
        raise PlanError(f"--keep {keep}: {nearest(keep, list(get_args(ReductionMethod)))}")
    if not all(k >= 1 and k == int(k) for k in numbers) or not all(0 <= s < math.inf for s in noises):
        raise InputError("numbers are whole and at least 1, and noise is at least 0")
    reduction = vectors if keep is None else vectors.replaced(keep=keep)
    left = contents_of(reader).drop_people(settings_of(reader).removed)
    return privacy_curve(
        reader,
        left,
        key_of(reader),
        reduction,
        numbers=[int(k) for k in numbers],
        noises=noises,
        most=most,
        progress=progress,
    )


def _fits(k: int, views: Mapping[str, Floats], reduction: Reduction) -> bool:
    return reduction.keep == "latents" or all(k <= min(x.shape) for x in views.values())


def _known(reader: Reader, ids: pl.DataFrame) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return attributes of two values as 0 and 1, and numbers; NaN where they are missing."""
    table = people_with_scores(reader)
    frame, columns = table.frame, [column for column in table.columns if column.role != "id"]
    frame = ids.join(frame, on="id", how="left", maintain_order="left")
    attributes: dict[str, Floats] = {}
    variables: dict[str, Floats] = {}
    for column in columns:
        series = frame[column.name]
        codes = series.cast(pl.String)
        counts = dict(codes.drop_nulls().value_counts().iter_rows())
        if len(counts) == 2 and min(counts.values()) >= SMALLEST:
            largest = max(counts, key=lambda value: (counts[value], value))
            attributes[column.name] = np.array([math.nan if c is None else float(c == largest) for c in codes])
        own = column.role == "feature" or column.name.startswith("final_")
        if series.dtype.is_numeric() and own and series.drop_nulls().n_unique() > 1:
            variables[column.name] = series.cast(pl.Float64).fill_null(math.nan).to_numpy()
    return attributes, variables


def _row(
    reduction: Reduction | None,
    clean: Mapping[str, Floats],
    noisy: Mapping[str, Floats],
    attributes: Mapping[str, Floats],
    before: Sequence[tuple[float, float]],
    after: Sequence[tuple[float, float]],
    rows: NDArray[np.intp],
) -> dict[str, Any]:
    old, new = (np.array(found).reshape(-1, 2) for found in (before, after))
    together = np.hstack(list(noisy.values()))
    areas = [_auc(together, values) for values in attributes.values()]
    same = len(old) < 3 or np.ptp(old[:, 1]) == 0 or np.ptp(new[:, 1]) == 0
    epsilon = reduction.epsilon(len(clean)) if reduction is not None else math.inf
    return {
        "keep": "vectors" if reduction is None else reduction.keep,
        "numbers": None if reduction is None else reduction.numbers,
        "noise": None if reduction is None else reduction.noise,
        "epsilon": epsilon if math.isfinite(epsilon) else None,
        "rank_1": _rank_1(np.hstack(list(clean.values())), together, rows),
        "auc": float(np.mean(areas)) if areas else None,
        "decisions": float(((old[:, 0] < 0.05) == (new[:, 0] < 0.05)).mean()) if len(old) else None,
        "effects": None if same else float(np.corrcoef(old[:, 1], new[:, 1])[0, 1]),
    }


def _rank_1(clean: Floats, noisy: Floats, rows: NDArray[np.intp]) -> float:
    """Return how often the nearest of all clean rows is one's own."""
    distances = np.square(clean).sum(axis=1)[None] - 2 * noisy[rows] @ clean.T
    return float((distances.argmin(axis=1) == rows).mean())


def _auc(x: Floats, values: Floats) -> float:
    """Return the area under the curve of ridge scores, each person scored by a fit that has not seen them."""
    known = ~np.isnan(values)
    x, y = x[known], values[known]
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-12)
    predicted = np.empty(len(y))
    for fold in range(FOLDS):
        out = np.arange(len(y)) % FOLDS == fold
        own = x[~out]
        gram = own.T @ own + RIDGE * len(own) * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, own.T @ (y[~out] - y[~out].mean()))
        predicted[out] = x[out] @ weights
    ranks = predicted.argsort().argsort() + 1
    ones = int(y.sum())
    return float((ranks[y == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones)))


def _tests(
    views: Mapping[str, Floats], variables: Mapping[str, Floats], rows: NDArray[np.intp]
) -> list[tuple[float, float]]:
    """Return p-value and effect size of every measurement against every variable."""
    found = []
    for x in views.values():
        for values in variables.values():
            own = rows[~np.isnan(values[rows])]
            result = hsic(x[own], values[own], null="gamma")
            found.append((result.p_value, result.effect_size))
    return found


def _chosen(table: pl.DataFrame, most: float) -> int | None:
    """Return the most useful row whose rank 1 keeps the limit; of equals the one with more noise."""
    fits = table.with_row_index("place").slice(1).filter(pl.col("rank_1") <= most)
    if not fits.height:
        return None
    ranked = fits.sort(["decisions", "effects", "noise"], descending=True, nulls_last=True)
    return int(ranked["place"][0])
