"""Noise with a differential privacy statement, in the local model; OpenDP calibrates and draws it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln, hyp1f1

from personax.errors import InputError, require

__all__ = ["Bounds", "Categories", "Mechanism", "Statement", "Sphere", "add_noise", "expected_cosine", "state"]

GRAIN = 40
"""The noise is exact on a grid of 2^-40 of its scale; OpenDP counts the rounding in."""

UNIT = "one person's row: any values may be replaced by any others within the clip"


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number, clipped to stated bounds; Laplace noise. Bounds taken from the data would tell of them."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sphere:
    """A vector of ``dim`` numbers, clipped to a stated length; Gaussian noise."""

    radius: float
    dim: int


@dataclass(frozen=True, slots=True)
class Categories:
    """A category among those stated; randomised response."""

    names: tuple[str, ...]


Clip = Bounds | Sphere | Categories


@dataclass(frozen=True, slots=True)
class Mechanism:
    """What is done to a column.

    Parameters
    ----------
    column, clip
        Its name, and what is stated of its values.
    epsilon, delta
        Its part of the budget.
    sensitivity
        How far two people can be apart: L1 of a number, L2 of a vector, 1 of a category.
    scale
        Of the noise: b of Laplace, standard deviation of each coordinate of Gaussian; of randomised response
        the probability that the answer is the true one.
    cosine
        Mean cosine between a vector of full length and the same with noise; None of other columns.
    """

    column: str
    clip: Clip
    epsilon: float
    delta: float
    sensitivity: float
    scale: float
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What is guaranteed, to whom, and what is not.

    Parameters
    ----------
    epsilon, delta
        Of a person's row as a whole: the sums over columns (basic composition).
    mechanisms
        One a column.
    not_covered
        What the guarantee says nothing of.
    """

    epsilon: float
    delta: float
    mechanisms: tuple[Mechanism, ...]
    not_covered: tuple[str, ...]
    unit: str = UNIT
    model: str = "local"

    @property
    def sentence(self) -> str:
        """What a card says of it."""
        spheres = [mechanism for mechanism in self.mechanisms if mechanism.cosine is not None]
        lost = "".join(
            f" A vector of {mechanism.column} has a mean cosine of {mechanism.cosine:.3f} with itself without noise."
            for mechanism in spheres
        )
        names = ", ".join(mechanism.column for mechanism in self.mechanisms)
        return (
            f"{names} carry noise with local differential privacy, epsilon = {self.epsilon:g} and delta = {self.delta:g} "
            f"for {self.unit}.{lost} Not covered: {'; '.join(self.not_covered)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as a JSON file holds them."""
        return asdict(self)


def state(
    columns: Mapping[str, Clip],
    *,
    epsilon: float,
    delta: float = 0.0,
    weights: Mapping[str, float] | None = None,
) -> Statement:
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
    e^epsilon / (e^epsilon + m - 1), else one of the others. Sensitivity of a vector is twice the radius, because a whole
    row may be replaced.

    References
    ----------
    Dwork, Roth 2014, doi:10.1561/0400000042; Balle, Wang 2018, arXiv:1805.06530; Warner 1965,
    doi:10.1080/01621459.1965.10480775.

    Examples
    --------
    >>> made = state({"height_cm": Bounds(140, 220), "gender": Categories(("female", "male"))}, epsilon=4)
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
    return Statement(
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


def add_noise(frame: pl.DataFrame, statement: Statement) -> pl.DataFrame:
    """Return a table whose stated columns carry noise, drawn anew for every person.

    Parameters
    ----------
    frame
        One row a person. Columns that the statement names and the table lacks are passed over: they may be in another
        table. Draw the noise of a column once: a second draw of the same values spends the budget again.
    statement
        Of `state`.

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
    >>> made = state({"height_cm": Bounds(140, 220)}, epsilon=1)
    >>> add_noise(pl.DataFrame({"height_cm": [180.0, None]}), made)["height_cm"].null_count()
    1
    """
    for mechanism in statement.mechanisms:
        if mechanism.column in frame.columns:
            frame = frame.with_columns(_noisy(frame[mechanism.column], mechanism))
    return frame


def expected_cosine(radius: float, scale: float, dim: int) -> float:
    """Return the mean cosine between a vector of this length and itself with normal noise of this scale.

    Notes
    -----
    The mean resultant length of a projected normal distribution (Mardia and Jupp 2000, section 9.3); by its
    limit, r / sqrt(r^2 + d s^2), where the series is out of range.

    Examples
    --------
    >>> round(expected_cosine(1.0, 0.5, 1024), 3)
    0.062
    """
    a = radius / scale
    if a > 30 or dim > 1000:
        return a / math.sqrt(a * a + dim - 1)
    ratio = math.exp(gammaln((dim + 1) / 2) - gammaln(dim / 2 + 1))
    return float(a / math.sqrt(2) * ratio * hyp1f1(0.5, dim / 2 + 1, -a * a / 2))


def _check(
    columns: Mapping[str, Clip], epsilon: float, delta: float, vectors: Sequence[str], weights: Mapping[str, float]
) -> None:
    if not columns:
        raise InputError("noise needs columns; say which, and the bounds of each")
    if not (0 < epsilon < math.inf and 0 <= delta < 1):
        raise InputError(f"epsilon = {epsilon:g}, delta = {delta:g}: epsilon is above 0, delta at least 0 and below 1")
    if vectors and delta == 0:
        raise InputError(f"noise on the vectors {vectors[0]} needs a delta above 0, well below 1 / people")
    for name, weight in weights.items():
        if name not in columns or not 0 < weight < math.inf:
            raise InputError(f"the weight {weight:g} of {name} means nothing; give positive ones to columns with noise")
    for name, clip in columns.items():
        if isinstance(clip, Bounds) and not (math.isfinite(clip.high - clip.low) and clip.low < clip.high):
            raise InputError(f"the bounds {clip.low:g} and {clip.high:g} of {name} are none; state what values can be")
        if isinstance(clip, Sphere) and not (0 < clip.radius < math.inf and clip.dim >= 1):
            raise InputError(f"{name} needs a radius above 0 and its length; state them, not from the data")
        if (
            isinstance(clip, Categories)
            and len(set(clip.names)) != len(clip.names)
            or (isinstance(clip, Categories) and len(clip.names) < 2)
        ):
            raise InputError(f"{name} needs two or more different categories; state all that can be")


def _calibrate(name: str, clip: Clip, epsilon: float, delta: float) -> Mechanism:
    """Return the least noise that OpenDP says is enough."""
    dp: Any = _opendp()
    if isinstance(clip, Bounds):
        gap = clip.high - clip.low
        scale = _least(lambda b: _laplace(dp, b, gap / epsilon), gap, epsilon, gap / epsilon)
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
    scale = _least(lambda s: _gaussian(dp, s, enough, clip.dim, delta), gap, (epsilon, delta), enough)
    return Mechanism(name, clip, epsilon, delta, gap, scale, expected_cosine(clip.radius, scale, clip.dim))


def _least(make: Callable[[float], Any], gap: float, budget: float | tuple[float, float], enough: float) -> float:
    dp: Any = _opendp()
    bounds = (enough / 64, enough * (1 + 1e-6))
    return float(dp.binary_search_param(make, d_in=gap, d_out=budget, bounds=bounds, T=float))


def _opendp() -> Any:  # noqa: ANN401 - OpenDP makes its functions when it is imported
    dp = require("opendp.prelude", extra="release")
    dp.enable_features("contrib")
    return dp


def _grain(scale: float) -> int:
    return math.floor(math.log2(scale)) - GRAIN


def _laplace(dp: Any, scale: float, near: float) -> Any:  # noqa: ANN401
    numbers = dp.vector_domain(dp.atom_domain(T=float, nan=False), size=1)
    return dp.m.make_laplace(numbers, dp.l1_distance(T=float), scale=scale, k=_grain(near))


def _gaussian(dp: Any, scale: float, near: float, dim: int, delta: float) -> Any:  # noqa: ANN401
    vectors = dp.vector_domain(dp.atom_domain(T=float, nan=False), size=dim)
    plain = dp.m.make_gaussian(vectors, dp.l2_distance(T=float), scale=scale, k=_grain(near))
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
    rows = _rows(series, clip)
    known = series.is_not_null().to_numpy()
    if isinstance(clip, Bounds):
        draw = _laplace(dp, scale, mechanism.sensitivity / mechanism.epsilon)
    else:
        draw = _gaussian(dp, scale, scale, clip.dim, mechanism.delta)
    made = np.array([draw(row.tolist()) for row in rows[known]], dtype=np.float64).reshape(-1, rows.shape[1])
    rows[known] = made
    hidden = pl.Series(~known)
    if isinstance(clip, Bounds):
        return pl.select(pl.when(~hidden).then(pl.Series(rows[:, 0])))[:, 0].alias(name)
    vectors = pl.Series(rows, dtype=pl.Array(pl.Float32, clip.dim))
    return pl.select(pl.when(~hidden).then(vectors))[:, 0].alias(name)


def _rows(series: pl.Series, clip: Bounds | Sphere) -> NDArray[np.float64]:
    """Return the clipped values, one row a person, 0 where missing."""
    width = clip.dim if isinstance(clip, Sphere) else 1
    if isinstance(clip, Sphere):
        lengths = set(series.drop_nulls().to_list().__len__() and map(len, series.drop_nulls().to_list()))
        if not series.dtype.is_nested() or lengths - {width}:
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
