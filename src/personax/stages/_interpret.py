"""What a latent tracks: correlations with columns, the words and people at both ends, and sentences for the edges.

All of it is a proposal: a correlation names a latent no more than it names a cause.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from personax.data.table import Table
from personax.independence import screen
from personax.schema import Column, Edge, Graph

__all__ = [
    "EXEMPLARS",
    "UsedWords",
    "associations",
    "exemplars",
    "proposals",
    "sentences",
    "telling_words",
    "used_words",
]

EXEMPLARS = 5
LEADING = 5
"""Associations kept for each latent."""

ALPHA = 0.05
WEAK = 0.1
"""Effect size below which a rejected association is too weak to name a latent by."""

UNNAMED = "no name"

SHARED_BY = 10
"""People who must use a word before it is told: a rarer one could tell who they are."""

TOLD_WORDS = 5
"""Words told of each end of a latent."""

WORD = re.compile(r"[^\W\d_]{3,}")


def associations(latents: pl.DataFrame, described: Table, *, seed: int = 0) -> pl.DataFrame:
    """Test every latent against every column by Level I's KCI and keep the strongest of each latent.

    Parameters
    ----------
    latents, described
        With a column ``id``; people of both are used.

    Returns
    -------
    polars.DataFrame
        latent, column, p_corrected (over all pairs), effect_size, direction: Spearman's correlation of ordered columns,
        otherwise the category with the highest mean; strongest first. r: the same correlation, for categories that of
        being in the one with the highest mean; low and high: an approximate interval of 95 % over all r together
        (Bonferroni over latents and columns, a category counting as a column). None where r does not exist.

    References
    ----------
    Bonett and Wright 2000, doi:10.1007/BF02294183 (standard error of Spearman's correlation).
    """
    known = {column.name: column for column in described.columns if column.role != "id"}
    names = [name for name in latents.columns if name != "id"]
    joined = latents.join(described.frame, on="id", how="inner", maintain_order="left")
    schema = {"latent": pl.String, "column": pl.String, "p_corrected": pl.Float64, "effect_size": pl.Float64,
              "direction": pl.String, "r": pl.Float64, "low": pl.Float64, "high": pl.Float64}  # fmt: skip
    if not known or not names:
        return pl.DataFrame(schema=schema)
    table = screen(
        joined, list(known), names, kinds={name: column.kind for name, column in known.items()}, tests=["kci"],
        alpha=ALPHA, seed=seed,
        periods={n: c.period for n, c in known.items() if c.period is not None},
    )  # fmt: skip
    ranked = table.filter(pl.col("p_corrected").is_not_null()).sort(
        ["target", "effect_size", "feature"], descending=[False, True, False]
    )
    compared = len(names) * sum(_comparisons(joined, column) for column in known.values())
    rows = [
        {"latent": row["target"], "column": row["feature"], "p_corrected": row["p_corrected"],
         "effect_size": row["effect_size"], **_correlation(joined, row["target"], known[row["feature"]], compared)}
        for name in names for row in ranked.filter(pl.col("target") == name).head(LEADING).iter_rows(named=True)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _categorical(frame: pl.DataFrame, column: Column) -> bool:
    return column.kind == "nominal" or not frame[column.name].dtype.is_numeric()


def _comparisons(frame: pl.DataFrame, column: Column) -> int:
    return frame[column.name].n_unique() if _categorical(frame, column) else 1


def _correlation(joined: pl.DataFrame, latent: str, column: Column, compared: int) -> dict[str, str | float | None]:
    pair = joined.select(latent, column.name).drop_nulls()
    values = pair[column.name]
    if _categorical(pair, column):
        means = pair.group_by(column.name).agg(pl.col(latent).mean(), pl.len()).filter(pl.col("len") >= EXEMPLARS)
        if means.is_empty():
            return {"direction": "too few of each category", "r": None, "low": None, "high": None}
        highest = means.sort(latent, column.name)[column.name][-1]
        return {"direction": f"highest for {highest}", **_interval(pair[latent], values == highest, compared)}
    if column.kind == "cyclic":  # the order of hours or months has no ends to correlate with
        return {"direction": "around a circle", "r": None, "low": None, "high": None}
    found = _interval(pair[latent], values, compared)
    return {"direction": "constant" if found["r"] is None else f"{found['r']:+.2f}", **found}


def _interval(latent: pl.Series, values: pl.Series, compared: int) -> dict[str, float | None]:
    """Return Spearman's correlation and its interval by Fisher's transform, corrected for the number compared."""
    n, x, y = len(latent), rankdata(latent.to_numpy()), rankdata(values.to_numpy())
    if n < EXEMPLARS or x.std() == 0 or y.std() == 0:
        return {"r": None, "low": None, "high": None}
    r = float(np.corrcoef(x, y)[0, 1])
    half = ndtri(1 - ALPHA / (2 * max(compared, 1))) * np.sqrt((1 + r**2 / 2) / (n - 3))
    centre = np.arctanh(np.clip(r, -1 + 1e-9, 1 - 1e-9))
    return {"r": r, "low": float(np.tanh(centre - half)), "high": float(np.tanh(centre + half))}


def proposals(table: pl.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """Return for each latent what it tracks, or that it has no name.

    It tracks the column of its strongest association whose correlation's interval leaves out zero. A column that it
    goes with but neither up nor down (a cyclic one, a parabola) gives no name: no correlation tells it.

    Examples
    --------
    >>> rows = {"latent": ["text_1"], "column": ["height"], "p_corrected": [0.0], "effect_size": [0.4]}
    >>> rows |= {"direction": ["-0.60"], "r": [-0.6], "low": [-0.66], "high": [-0.53]}
    >>> proposals(pl.DataFrame(rows), ["text_1", "text_2"])
    {'text_1': 'tracks height, r = -.60, -.66 to -.53', 'text_2': 'no name'}
    """
    fits = table.filter(
        (pl.col("p_corrected") < ALPHA) & (pl.col("effect_size") >= WEAK) & (pl.col("low") * pl.col("high") > 0)
    )
    return {name: _tracked(fits.filter(pl.col("latent") == name)) for name in names}


def _tracked(fits: pl.DataFrame) -> str:
    if fits.is_empty():
        return UNNAMED
    row = fits.row(0, named=True)
    category = f" ({row['direction']})" if row["direction"].startswith("highest for ") else ""
    return f"tracks {row['column']}{category}, r = {_two(row['r'])}, {_two(row['low'])} to {_two(row['high'])}"


def _two(r: float) -> str:
    """Return a correlation as it is printed: .61, -.05, 1.00."""
    text = f"{r:.2f}"
    return text.replace("-0.00", "0.00").replace("0.", ".", 1) if abs(r) < 0.995 else text


def exemplars(
    latents: pl.DataFrame, used: UsedWords | None = None, words: Mapping[str, Mapping[str, Sequence[str]]] | None = None
) -> pl.DataFrame:
    """Return the people at both extremes of every latent: latent, end (low or high), rank, id, value, code, words.

    Ids stay in the study folder. A code stands for a person where others read: p1, p2 ... in the order in which people
    appear here, so that it tells neither an id nor a place in any list.

    Parameters
    ----------
    latents
        With a column ``id``.
    used, words
        From `used_words` and `telling_words`: each person's words are those of the end that their own texts use.
    """
    rows = []
    codes: dict[str, str] = {}
    for name in (column for column in latents.columns if column != "id"):
        ordered = latents.select("id", name).drop_nulls().sort(name, "id")
        for end, part in (("low", ordered.head(EXEMPLARS)), ("high", ordered.tail(EXEMPLARS).reverse())):
            telling = (words or {}).get(name, {}).get(end, ())
            rows += [
                {"latent": name, "end": end, "rank": i + 1, "id": person, "value": value,
                 "code": codes.setdefault(person, f"p{len(codes) + 1}"),
                 "words": [] if used is None else used.of(person, telling)}
                for i, (person, value) in enumerate(part.iter_rows())
            ]  # fmt: skip
    schema: dict[str, pl.DataType] = {
        "latent": pl.String(), "end": pl.String(), "rank": pl.Int64(), "id": pl.String(), "value": pl.Float64(),
        "code": pl.String(), "words": pl.List(pl.String()),
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


@dataclass(frozen=True)
class UsedWords:
    """Words that ten people or more use and ten do not, none of a private text.

    Parameters
    ----------
    ids
        People who have a latent and a text.
    users
        Word -> places of its users among them, rising.
    """

    ids: list[str]
    users: Mapping[str, NDArray[np.intp]]
    _places: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._places.update({person: place for place, person in enumerate(self.ids)})

    def of(self, person: str, words: Sequence[str]) -> list[str]:
        """Return those of some words that a person's texts use."""
        place = self._places.get(person)
        return [] if place is None else [word for word in words if place in self.users.get(word, ())]


def used_words(latents: pl.DataFrame, texts: pl.DataFrame, private: Collection[str]) -> UsedWords:
    """Return the words that may be told of people's texts.

    Parameters
    ----------
    latents, texts
        With a column ``id``; of texts, every column of strings is read.
    private
        Texts whose words are never told: names.
    """
    joined = latents.drop_nulls().select("id").join(texts, on="id", how="inner", maintain_order="left")
    columns = [name for name in texts.columns if name != "id" and texts[name].dtype == pl.String]
    hidden = {word for text in private for word in _words(text)}
    users: dict[str, list[int]] = {}
    for place, row in enumerate(joined.select(columns).iter_rows()):
        for word in {word for text in row if text for word in _words(text)} - hidden:
            users.setdefault(word, []).append(place)
    most = joined.height - SHARED_BY
    told = {word: np.array(at) for word, at in sorted(users.items()) if SHARED_BY <= len(at) <= most}
    return UsedWords(joined["id"].to_list(), told)


def telling_words(latents: pl.DataFrame, used: UsedWords) -> dict[str, dict[str, list[str]]]:
    """Return latent -> end (low, high) -> the words whose users stand nearest to it.

    A word is told where the mean rank of those who use it differs from the others' by a rank test at .05, corrected for
    all words and latents.

    Parameters
    ----------
    latents
        With a column ``id``.
    used
        From `used_words`.
    """
    people = pl.DataFrame({"id": used.ids}, schema={"id": pl.String})
    joined = people.join(latents, on="id", how="left", maintain_order="left")
    names = [name for name in latents.columns if name != "id"]
    least = ndtri(1 - ALPHA / (2 * max(len(used.users) * len(names), 1)))
    return {name: _ends(rankdata(joined[name].to_numpy()), used.users, float(least)) for name in names}


def _words(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


def _ends(ranks: NDArray[np.float64], users: Mapping[str, NDArray[np.intp]], least: float) -> dict[str, list[str]]:
    n = len(ranks)
    # the mean rank of m of n people has variance (n - m)(n + 1) / 12 m where they are any m
    z = {
        word: float((ranks[at].mean() - (n + 1) / 2) / np.sqrt((n - len(at)) * (n + 1) / (12 * len(at))))
        for word, at in users.items()
    }
    ordered = sorted(z, key=lambda word: (z[word], word))
    return {
        "low": [word for word in ordered[:TOLD_WORDS] if z[word] < -least],
        "high": [word for word in ordered[::-1][:TOLD_WORDS] if z[word] > least],
    }


def sentences(graph: Graph, proposed: dict[str, str]) -> list[str]:
    """Return one sentence an edge, that of the largest weight first; the graph says what its weight is.

    Examples
    --------
    >>> from personax.schema import Edge, Node
    >>> nodes = [Node("z_1", "z 1", "z"), Node("z_2", "z 2", "z")]
    >>> graph = Graph(nodes, [Edge("z_1", "z_2", "directed", 0.98)], "", "share of bootstrap samples", {})
    >>> sentences(graph, {"z_1": "tracks height, r = .61, .55 to .66", "z_2": "no name"})
    ['z_1 (tracks height, r = .61, .55 to .66) -> z_2 (no name): .98 (share of bootstrap samples)']
    """
    edges = sorted(graph.edges, key=lambda edge: (-(edge.weight or 0), edge.source, edge.target))

    def called(name: str) -> str:
        return f"{name} ({proposed.get(name, UNNAMED)})"

    def told(edge: Edge) -> str:
        number = f"{_two(edge.weight or 0.0)} ({graph.weight})"
        return edge.label if " refits" in edge.label else ", ".join([number, *filter(None, [edge.label])])

    return [f"{called(e.source)} {'->' if e.kind == 'directed' else '-'} {called(e.target)}: {told(e)}" for e in edges]
