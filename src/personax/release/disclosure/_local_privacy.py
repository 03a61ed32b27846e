"""Noise with a differential privacy statement, in the local model; OpenDP calibrates and draws it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import ComputationError, InputError, require
from personax.release.disclosure._privacy_statement import (
    Bounds,
    Categories,
    Clip,
    Mechanism,
    PrivacyStatement,
    Sphere,
    expected_cosine,
)

__all__ = ["add_noise", "calibrate_noise"]

GRANULARITY = 40
"""The noise is exact on a grid of 2^-40 of its scale; OpenDP counts the rounding in."""

MAX_EPSILON = 100.0
"""A larger epsilon gives no protection."""


def calibrate_noise(
    columns: Mapping[str, Clip],
    *,
    epsilon: float,
    delta: float = 0.0,
    weights: Mapping[str, float] | None = None,
) -> PrivacyStatement:
    """Split a budget over columns and calibrate the noise of each; looks at no data.

    Parameters
    ----------
    columns
        Column -> what is stated of its values. Columns of several tables of the same people belong together here.
    epsilon, delta
        The budget of a whole row. Only vectors use delta; it is 0 where there is none.
    weights
        Column -> its part of epsilon, in proportion; 1 where it is not named. Delta is split evenly over vectors.

    Returns
    -------
    Statement
        For `add_noise`.

    Raises
    ------
    InputError
        A budget, bound or category that means nothing.
    MissingExtraError
        OpenDP is not installed.

    Notes
    -----
    Laplace: scale (high - low) / epsilon. Gaussian: OpenDP's bound by zero-concentrated privacy, a little wider than
    the exact one of Balle and Wang. Randomised response among m categories: the truth with probability
    e^epsilon / (e^epsilon + m - 1), else one of the others. Sensitivity of a vector is twice the radius, because a
    whole row may be replaced.

    References
    ----------
    Dwork, Roth 2014, doi:10.1561/0400000042; Balle, Wang 2018, arXiv:1805.06530; Warner 1965,
    doi:10.1080/01621459.1965.10480775.

    Examples
    --------
    >>> made = calibrate_noise({"height_cm": Bounds(140, 220), "gender": Categories(("female", "male"))}, epsilon=4)
    >>> [round(mechanism.scale, 3) for mechanism in made.mechanisms]
    [40.0, 0.881]
    """
    vectors = [name for name, clip in columns.items() if isinstance(clip, Sphere)]
    _check(columns, epsilon, delta, vectors, weights or {})
    total = sum((weights or {}).get(name, 1.0) for name in columns)
    made = []
    for name, clip in columns.items():
        share = epsilon * (weights or {}).get(name, 1.0) / total
        made.append(_calibrate(name, clip, share, delta / len(vectors) if isinstance(clip, Sphere) else 0.0))
    return PrivacyStatement(
        epsilon=sum(mechanism.epsilon for mechanism in made),
        delta=sum(mechanism.delta for mechanism in made),
        mechanisms=tuple(made),
        not_covered=(
            "columns that are not named here",
            "whether a value is missing",
            "ids, pseudonyms and whether somebody is in the release",
            "further releases of the same people, whose epsilon and delta add up",
        ),
    )


def add_noise(frame: pl.DataFrame, statement: PrivacyStatement) -> pl.DataFrame:
    """Return a table whose stated columns carry noise, drawn anew for every person.

    Parameters
    ----------
    frame
        One row a person. Columns that the statement names and the table lacks are passed over: they may be in another
        table. Draw the noise of a column once: a second draw of the same values spends the budget again.
    statement
        Of `calibrate_noise`.

    Raises
    ------
    InputError
        A value is not finite, no number, no vector of this length, or none of the categories.

    Notes
    -----
    The noise comes from the operating system through OpenDP and cannot be seeded: whoever knew a seed could
    take it off. A release with noise is not the same bytes twice. Missing values stay missing. About 40,000 numbers
    a second: 10,000 vectors of 1,024 take minutes.

    Examples
    --------
    >>> made = calibrate_noise({"height_cm": Bounds(140, 220)}, epsilon=1)
    >>> add_noise(pl.DataFrame({"height_cm": [180.0, None]}), made)["height_cm"].null_count()
    1
    """
    for mechanism in statement.mechanisms:
        if mechanism.column in frame.columns:
            frame = frame.with_columns(_noisy(frame[mechanism.column], mechanism))
    return frame


def _check(
    columns: Mapping[str, Clip], epsilon: float, delta: float, vectors: Sequence[str], weights: Mapping[str, float]
) -> None:
    if not columns:
        raise InputError("noise needs columns; say which, and the bounds of each")
    if not (0 < epsilon <= MAX_EPSILON and 0 <= delta < 1):
        text = f"epsilon = {epsilon:g}, delta = {delta:g}: epsilon is above 0, at most {MAX_EPSILON:g}, delta in [0, 1)"
        raise InputError(text)
    if vectors and delta == 0:
        raise InputError(f"noise on the vectors {vectors[0]} needs a delta above 0, well below 1 / people")
    for name, weight in weights.items():
        if name not in columns or not 0 < weight < math.inf:
            raise InputError(f"the weight {weight:g} of {name} is invalid; columns with noise have positive weights")
    for name, clip in columns.items():
        if isinstance(clip, Bounds) and not (math.isfinite(clip.high - clip.low) and clip.low < clip.high):
            text = f"the bounds {clip.low:g} and {clip.high:g} of {name} are invalid"
            raise InputError(f"{text}; state finite bounds, the lower one first")
        if isinstance(clip, Sphere) and not (0 < clip.radius < math.inf and clip.dim >= 1):
            raise InputError(f"{name} needs a radius above 0 and its length; state them, not from the data")
        if isinstance(clip, Categories) and not 1 < len(clip.names) == len(set(clip.names)):
            raise InputError(f"{name} needs two or more different categories; state all that can be")


def _calibrate(name: str, clip: Clip, epsilon: float, delta: float) -> Mechanism:
    """Return the least noise that OpenDP accepts for the budget."""
    dp: Any = _opendp()
    if isinstance(clip, Bounds):
        gap = clip.high - clip.low
        scale = _least_scale(lambda b: _laplace(dp, b, gap / epsilon), gap, epsilon, gap / epsilon)
        return Mechanism(name, clip, epsilon, 0.0, gap, scale)
    if isinstance(clip, Categories):
        names = list(clip.names)
        closed = 1 / (1 + (len(names) - 1) * math.exp(-epsilon))
        found = dp.binary_search_param(
            lambda p: dp.m.make_randomized_response(names, prob=p, T=str),
            d_in=1, d_out=epsilon, bounds=(1 / len(names), min(1.0, closed * (1 + 1e-6))), T=float,
        )  # fmt: skip
        return Mechanism(name, clip, epsilon, 0.0, 1.0, float(found))
    gap, log = 2 * clip.radius, math.log(1 / delta)
    # rho for which rho + 2 sqrt(rho log(1 / delta)) = epsilon (Bun, Steinke 2016): enough, and not far from the least
    enough = gap / (math.sqrt(2) * (math.sqrt(log + epsilon) - math.sqrt(log)))
    scale = _least_scale(lambda s: _gaussian(dp, s, enough, clip.dim, delta), gap, (epsilon, delta), enough)
    return Mechanism(name, clip, epsilon, delta, gap, scale, expected_cosine(clip.radius, scale, clip.dim))


def _least_scale(make: Callable[[float], Any], gap: float, budget: float | tuple[float, float], enough: float) -> float:
    dp: Any = _opendp()

    def private(scale: float) -> bool:
        try:
            return bool(make(scale).check(gap, budget))
        except dp.OpenDPException:
            # so little noise that epsilon is beyond all numbers
            return False

    return float(dp.binary_search(private, bounds=(enough / 64, enough * (1 + 1e-6)), T=float))


def _opendp() -> Any:  # noqa: ANN401 - OpenDP makes its functions when it is imported
    dp = require("opendp.prelude", extra="release")
    dp.enable_features("contrib")
    return dp


def _granularity(scale: float) -> int:
    return math.floor(math.log2(scale)) - GRANULARITY


def _laplace(dp: Any, scale: float, near: float) -> Any:  # noqa: ANN401 - of OpenDP
    numbers = dp.vector_domain(dp.atom_domain(T=float, nan=False), size=1)
    return dp.m.make_laplace(numbers, dp.l1_distance(T=float), scale=scale, k=_granularity(near))


def _gaussian(dp: Any, scale: float, near: float, dim: int, delta: float) -> Any:  # noqa: ANN401 - of OpenDP
    vectors = dp.vector_domain(dp.atom_domain(T=float, nan=False), size=dim)
    plain = dp.m.make_gaussian(vectors, dp.l2_distance(T=float), scale=scale, k=_granularity(near))
    return dp.c.make_fix_delta(dp.c.make_zCDP_to_approxDP(plain), delta)


def _noisy(series: pl.Series, mechanism: Mechanism) -> pl.Series:
    dp: Any = _opendp()
    clip, scale, name = mechanism.clip, mechanism.scale, series.name
    if isinstance(clip, Categories):
        unknown = series.drop_nulls().cast(pl.String).is_in(list(clip.names)).not_().sum()
        if unknown:
            raise InputError(f"{unknown} values of {name} are none of its categories; state all that can be")
        respond = dp.m.make_randomized_response(list(clip.names), prob=scale, T=str)
        texts = series.cast(pl.String)
        return pl.Series(name, [None if value is None else respond(value) for value in texts], dtype=pl.String)
    rows = _clipped_rows(series, clip)
    known = series.is_not_null().to_numpy()
    if isinstance(clip, Bounds):
        draw = _laplace(dp, scale, mechanism.sensitivity / mechanism.epsilon)
    else:
        # a grid as fine as this or finer than that of the calibration
        draw = _gaussian(dp, scale, scale, clip.dim, mechanism.delta)
    budget = mechanism.epsilon if isinstance(clip, Bounds) else (mechanism.epsilon, mechanism.delta)
    if not draw.check(mechanism.sensitivity, budget):
        raise ComputationError(f"the noise of {name} does not keep its budget; state it anew, and report this")
    made = np.array([draw(row.tolist()) for row in rows[known]], dtype=np.float64).reshape(-1, rows.shape[1])
    rows[known] = made
    hidden = pl.Series(~known)
    if isinstance(clip, Bounds):
        return pl.select(pl.when(~hidden).then(pl.Series(rows[:, 0])))[:, 0].alias(name)
    vectors = pl.Series(rows, dtype=pl.Array(pl.Float32, clip.dim))
    return pl.select(pl.when(~hidden).then(vectors))[:, 0].alias(name)


def _clipped_rows(series: pl.Series, clip: Bounds | Sphere) -> NDArray[np.float64]:
    """Return the clipped values, one row a person, 0 where missing."""
    width = clip.dim if isinstance(clip, Sphere) else 1
    if isinstance(clip, Sphere):
        if not series.dtype.is_nested() or {len(row) for row in series.drop_nulls()} - {width}:
            raise InputError(f"{series.name} holds no vectors of {width} numbers; state the length that they have")
        values = [[0.0] * width if row is None else row for row in series.to_list()]
    elif series.dtype.is_numeric():
        values = [[0.0 if value is None else value] for value in series.to_list()]
    else:
        raise InputError(f"{series.name} holds {series.dtype}, no numbers; state categories for it")
    rows = np.array(values, dtype=np.float64).reshape(-1, width)
    broken = int((~np.isfinite(rows)).any(axis=1).sum())
    if broken:
        raise InputError(f"{broken} values of {series.name} are not finite; make them missing first")
    if isinstance(clip, Bounds):
        return np.clip(rows, clip.low, clip.high)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    # a hair inside, so that rounding cannot put a vector outside
    return np.asarray(rows * np.minimum(1, clip.radius * (1 - 2.0**-40) / np.maximum(norms, 1e-300)))
