"""What moves as one latent moves and its modality's others rest: attributes, words and measurements."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl import Traversal, traverse_all
from personax.data.table import Table
from personax.schema import Column
from personax.stages._interpret import ALPHA, SHARED_BY, WEAK, UsedWords

__all__ = ["PLACES", "TRAVERSALS", "traversals", "traversals_shown"]

PLACES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of the latent that moves."""

FEWEST: Final = 100
"""People below which no regression is asked what moves."""

CATEGORIES: Final = 12
"""Categories of a column that are looked at, those of most people."""

SHOWN: Final = 4
"""Attributes, and words, shown of a latent: those that move most."""

EQUALS: Final = " = "
"""Between a column and its category."""

TRAVERSALS: Final = {
    "latent": pl.String, "quantile": pl.Float64, "value": pl.Float64, "people": pl.Int64, "kind": pl.String,
    "name": pl.String, "mean": pl.Float64, "explained": pl.Float64, "nearest": pl.String,
}  # fmt: skip

Array = NDArray[np.float64]
Arrays = Mapping[str, Mapping[str, NDArray[Any]]]


def traversals(
    latents: pl.DataFrame,
    views: Arrays,
    described: Table,
    used: UsedWords,
    words: Mapping[str, Mapping[str, Sequence[str]]],
    *,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Move each latent through its quantiles, the others of its modality at their medians; say what else moves.

    Latents of other modalities are left as they go along with these: held at their medians as well, nobody would be
    near.

    Parameters
    ----------
    latents
        With a column ``id``.
    views
        Modality -> measurement -> vectors of the same people, shape (n, dim).
    described
        People's features and traits, with a column ``id``.
    used, words
        From `used_words` and `telling_words`; only words that tell an end of some latent are looked at.
    rng
        Draws 2,000 people at most, half to fit on.

    Returns
    -------
    polars.DataFrame
        A row for each latent, quantile, kind and name. ``people`` stand near the place; where none do, the rest is an
        extrapolation. ``mean`` is, of an attribute, deviations from its mean (of a category: share of people); of a
        word, the share of people whose texts use it; of a measurement, how far its mean moves from where the latent is
        at its median, in deviations of the measurement. ``explained`` is the share of variance of the kind, or of the
        measurement, that the latents of the modality explain on people held out. ``nearest``: of a measurement, the id
        of the person whose vector is nearest to the mean there; it stays in the study folder. Empty where there are
        fewer than 100 people.
    """
    if latents.height < FEWEST:
        return pl.DataFrame(schema=TRAVERSALS)
    names = [name for name in latents.columns if name != "id"]
    attributes = _attributes(latents.select("id"), described)
    told = sorted({word for ends in words.values() for end in ends.values() for word in end})
    measured = {name: x for by in views.values() for name, x in by.items()}
    targets: dict[str, NDArray[Any]] = {f"measurement {name}": x for name, x in measured.items()}
    if attributes:
        targets["attribute"] = np.column_stack(list(attributes.values()))
    if told:
        targets["word"] = _indicators(latents["id"].to_list(), used, told)
    rows: list[dict[str, Any]] = []
    for own in _by_modality(names).values():
        found = traverse_all(latents.select(own).to_numpy(), targets, range(len(own)), quantiles=PLACES, rng=rng)
        for at, latent in enumerate(own):
            for kind, columns in (("attribute", list(attributes)), ("word", told)):
                if kind in found:
                    rows += _moved(latent, kind, columns, found[kind][at])
            for name, x in measured.items():
                rows += _measured(latent, name, x, found[f"measurement {name}"][at], latents["id"])
    return pl.DataFrame(rows, schema=TRAVERSALS)


def _by_modality(names: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.rpartition("_")[0], []).append(name)
    return found


def _attributes(ids: pl.DataFrame, described: Table) -> dict[str, Array]:
    """Return a column of numbers for each ordered attribute, in deviations, and for each common category."""
    frame = ids.join(described.frame, on="id", how="left", maintain_order="left")
    found: dict[str, Array] = {}
    for column in described.columns:
        if column.role != "id" and column.kind != "cyclic":  # hours and months have no mean
            found |= _numbers(frame[column.name], column)
    return found


def _numbers(values: pl.Series, column: Column) -> dict[str, Array]:
    if column.kind == "nominal" or not values.dtype.is_numeric():
        common = values.drop_nulls().value_counts(sort=True).filter(pl.col("count") >= SHARED_BY).head(CATEGORIES)
        return {
            f"{column.name}{EQUALS}{category}": (values == category)
            .fill_null(value=False)
            .to_numpy()
            .astype(np.float64)
            for category in common[values.name]
        }
    x = values.cast(pl.Float64).fill_nan(None)
    spread = x.std()
    if not isinstance(spread, float) or not spread > 0:
        return {}
    # who lacks a value stands at its mean: it moves with nothing
    return {column.name: ((x - x.mean()) / spread).fill_null(0.0).to_numpy()}


def _indicators(ids: Sequence[str], used: UsedWords, words: Sequence[str]) -> Array:
    places = {person: place for place, person in enumerate(ids)}
    own = np.array([places[person] for person in used.ids], dtype=np.intp)
    found = np.zeros((len(ids), len(words)))
    for at, word in enumerate(words):
        found[own[used.users[word]], at] = 1.0
    return found


def _moved(latent: str, kind: str, columns: Sequence[str], moved: Traversal) -> list[dict[str, Any]]:
    # a regression of a share may leave what a share can be
    shares = np.array([kind == "word" or EQUALS in name for name in columns])
    means = np.where(shares, moved.means.clip(0, 1), moved.means)
    return [
        {"latent": latent, "quantile": quantile, "value": moved.values[place], "people": int(moved.people[place]),
         "kind": kind, "name": name, "mean": float(means[place, at]), "explained": moved.r2, "nearest": None}
        for at, name in enumerate(columns) for place, quantile in enumerate(PLACES)
    ]  # fmt: skip


def _measured(latent: str, name: str, x: NDArray[Any], moved: Traversal, ids: pl.Series) -> list[dict[str, Any]]:
    """Return how far a measurement moves, and whose vector is nearest to its mean at each place."""
    middle = moved.means[PLACES.index(0.5)]
    spread = float(np.sqrt(x.var(axis=0, dtype=np.float64).sum())) or 1.0
    # |x - m|^2 less what does not depend on the person
    away = np.square(x, dtype=np.float64).sum(axis=1)[:, None] - 2 * (x @ moved.means.T.astype(x.dtype))
    nearest = away.argmin(axis=0)
    return [
        {"latent": latent, "quantile": quantile, "value": moved.values[place], "people": int(moved.people[place]),
         "kind": "measurement", "name": name, "mean": float(np.linalg.norm(moved.means[place] - middle)) / spread,
         "explained": moved.r2, "nearest": ids[int(nearest[place])]}
        for place, quantile in enumerate(PLACES)
    ]  # fmt: skip


def traversals_shown(
    table: pl.DataFrame, associated: pl.DataFrame, words: Mapping[str, Mapping[str, Sequence[str]]]
) -> dict[str, dict[str, Any]]:
    """Return of each latent what a report shows: places, people near, and what moves most; no id of anybody.

    A mean moves a little with every latent by chance. So attributes are shown that Level I's test associates with the
    latent, and words that tell one of its ends: both are corrected for all that was compared.

    Parameters
    ----------
    table
        From `traversals`.
    associated, words
        From `associations` and `telling_words`.

    Examples
    --------
    >>> traversals_shown(pl.DataFrame(schema=TRAVERSALS), pl.DataFrame(), {})
    {}
    """
    return {
        str(latent): {
            "places": list(PLACES),
            "people": own.sort("quantile").unique("quantile", keep="first", maintain_order=True)["people"].to_list(),
            "attributes": _most(_means(own, "attribute"), _associated(associated, str(latent))),
            "words": _most(_means(own, "word"), {w for end in words.get(str(latent), {}).values() for w in end}),
            "measurements": _means(own, "measurement"),
        }
        for (latent,), own in table.group_by("latent", maintain_order=True)
    }


def _associated(table: pl.DataFrame, latent: str) -> set[str]:
    found = table.filter(
        (pl.col("latent") == latent) & (pl.col("p_corrected") < ALPHA) & (pl.col("effect_size") >= WEAK)
    )
    return set(found["column"])


def _means(own: pl.DataFrame, kind: str) -> dict[str, list[float]]:
    """Return name -> means place by place."""
    rows = own.filter(pl.col("kind") == kind).sort("quantile")
    return {
        str(name): [round(mean, 3) for mean in part["mean"].to_list()]
        for (name,), part in rows.group_by("name", maintain_order=True)
    }


def _most(means: Mapping[str, list[float]], named: Container[str]) -> dict[str, list[float]]:
    """Return those that move most of the ones named; a category is named by its column."""
    moves = {name: max(values) - min(values) for name, values in means.items() if name.split(EQUALS)[0] in named}
    return {name: means[name] for name in sorted(moves, key=lambda name: (-moves[name], name))[:SHOWN]}
