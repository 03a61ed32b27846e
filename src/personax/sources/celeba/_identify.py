"""Which person of Wikidata an identity is: evidence of name, sex, age, occupation and fame, and the share of absentees.

Everybody who bears the name is a candidate. That there is one proves nothing: whoever is not in Wikidata has namesakes
there as well. Their number by chance is taken as negative binomial, so that with n candidates the odds that a given one
is meant are pi / (1 - pi) times its evidence / ((n - 1 + a) q), q = mu / (mu + a), where pi is the share of identities
that are in Wikidata and mu the expected number of namesakes. mu is learned from how many namesakes the other identities
with the same first or last word have, so that a single John Smith is worth less than a single bearer of a rare name.
pi, a, mu and the weights of all evidence are learned together by EM; see `personax.sources.record_linkage.fit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln

from personax.data import fold
from personax.sources.record_linkage import (
    CandidateLevels,
    FieldModel,
    FittedLinkage,
    fit,
    link_threshold,
    marginals,
)

__all__ = ["EVIDENCE", "IDENTIFIED", "WRONG", "identify"]

WRONG: Final = 0.005
"""Share of the links that is expected to be wrong."""

LEAST: Final = 0.9
"""No link is less probable."""

AMBIGUOUS: Final = 0.1
"""An identity whose candidates are together less probable is nobody's."""

EVIDENCE: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "query": pl.Int64, "id": pl.String, "match": pl.String, "gender": pl.String, "birth_year": pl.Int64,
    "death_year": pl.Int64, "occupations": pl.List(pl.String), "sitelinks": pl.Int64, "image": pl.String,
}  # fmt: skip
"""Columns of candidates; ``query`` is the row of the identity, what is not known is null."""

IDENTIFIED: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "row": pl.Int64, "id": pl.String, "status": pl.String, "probability": pl.Float64, "nobody": pl.Float64,
    "candidates": pl.Int64, "match": pl.String, "reason": pl.String,
}  # fmt: skip
"""Columns of what `identify` returns: the most probable candidate of each identity, and what speaks against nobody."""

_YEARS: Final = (1900, 1920, *range(1930, 2001, 5))
_AGES: Final = (0.2, 0.4, 0.6, 0.8)
"""Shares of young pictures; what is known of a year of birth is learned for each of the groups between them."""

_FAME: Final = (1, 2, 3, 5, 8, 13, 20, 40)
_DIED: Final = 1985
_OCCUPATIONS: Final = (
    *("actor", "musician", "athlete", "model", "media", "filmmaker", "dancer", "politician", "writer", "artist"),
    "business",
)
_KNOWN_SEX: Final = 0.8
"""Share of pictures that must agree on the sex, so that it is evidence."""


_TELLING: Final = 100
"""Candidates from which on it is learned what silence means: of obscure people less is stated."""


def _models(levels: Mapping[str, NDArray[np.int8]]) -> dict[str, FieldModel]:
    """Return what is expected before the data are seen: identities are public people of the last decades."""
    middle = np.array([1880, 1910, 1925, *range(1932, 2000, 5), 2005])
    width = np.array([60, 20, 10, *[5] * 14, 10])
    public = np.exp(-0.5 * ((middle - 1968) / 17) ** 2) * width + 1
    years = np.append(public / public.sum() * 0.94, [0.05, 0.01])
    others = np.append(width / width.sum() * 0.8, [0.05, 0.15])
    fame = np.array([0.02, 0.03, 0.04, 0.08, 0.1, 0.13, 0.15, 0.22, 0.23])
    stage = np.array([0.38, 0.17, 0.13, 0.06, 0.06, 0.04, 0.02, 0.04, 0.02, 0.01, 0.01, 0.01, 0.05])
    expected = {
        "match": ([0.85, 0.13, 0.02], [0.7, 0.25, 0.05], 20.0),
        "sex": ([0.01, 0.97, 0.02], [0.4, 0.58, 0.02], 200.0),
        **{f"born {age}": (years, others, 100.0) for age in range(len(_AGES) + 2)},
        "occupation": (stage, np.append(np.full(12, 0.95 / 12), 0.05), 30.0),
        "fame": (fame, fame[::-1], 30.0),
        "image": ([0.15, 0.85], [0.6, 0.4], 30.0),
    }
    return {name: FieldModel(np.array(m), np.array(u), strength, strength / 2)
            for name, (m, u, strength) in expected.items() if (levels[name] >= 0).any()}  # fmt: skip


def identify(identities: pl.DataFrame, candidates: pl.DataFrame, *, wrong: float = WRONG) -> pl.DataFrame:
    """Say which candidate every identity is.

    Parameters
    ----------
    identities
        One row an identity: ``name``, ``male_share`` and ``young_share``, the shares of its pictures; null where
        they are not known.
    candidates
        Everybody who bears the name of one; columns as in `EVIDENCE`.
    wrong
        Share of the found that may be expected wrong.

    Returns
    -------
    polars.DataFrame
        Columns as in `IDENTIFIED`, one row an identity. ``found`` are those that can be linked; ``same``, where
        several identities are most probably one person; ``ambiguous``, where the evidence is not enough; ``none``,
        where probably nobody of the candidates is meant.
    """
    rows, items = candidates["query"].to_numpy(), candidates["id"].to_list()
    numbers = {item: number for number, item in enumerate(dict.fromkeys(items))}
    right = np.array([numbers[item] for item in items], dtype=np.intp)
    levels = _levels(identities, candidates)
    words = _name_words(identities["name"].to_list())
    chance = {"sex": _sex_by_chance(rows.astype(np.intp), _sex(candidates), words[0])}
    pairs = CandidateLevels(rows.astype(np.intp), right, levels, identities.height, None, chance)
    fitted, odds = _fitted(pairs, words)
    alone = marginals(pairs.left, np.arange(len(right)), odds)  # as if no other identity could be the same person
    best = _best(pairs.left, fitted.probability, identities.height)
    threshold = link_threshold(fitted.probability, wrong, least=LEAST)
    together = np.bincount(pairs.left, weights=np.minimum(alone, 1.0), minlength=identities.height)
    claimed = np.bincount(right[alone > 0.5], minlength=len(numbers))
    counts = np.bincount(pairs.left, minlength=identities.height)
    found: list[tuple[object, ...]] = []
    for row, at in enumerate(best.tolist()):
        if at < 0:
            found.append((row, None, "none", None, 1.0, 0, None, "nobody bears the name"))
            continue
        probability, nobody = float(fitted.probability[at]), float(max(0.0, 1 - together[row]))
        if probability >= threshold:
            status, reason = "found", "the evidence is enough"
        elif alone[at] > 0.5 and claimed[right[at]] > 1:
            status, reason = "same", "several identities may be this person"
        elif together[row] < AMBIGUOUS:
            status, reason = "none", "probably none of those who bear the name"
        else:
            status, reason = "ambiguous", "another of the name, or somebody who is not in Wikidata, may be meant"
        match = candidates["match"][at]
        found.append((row, items[at], status, round(probability, 6), round(nobody, 6), int(counts[row]), match, reason))
    return pl.DataFrame(found, schema=IDENTIFIED, orient="row")


def _fitted(pairs: CandidateLevels, words: Sequence[NDArray[np.intp]]) -> tuple[FittedLinkage, NDArray[np.float64]]:
    """Return the fit with the number of namesakes by chance as learned, and the log odds of every pair."""
    counts = np.bincount(pairs.left, minlength=pairs.n_left)
    fields = _models(pairs.levels)
    shape, mean = 0.3, np.full(pairs.n_left, 0.5)
    matches: float | None = None
    for most in (*[4] * 8, 60):
        chance = (counts - 1 + shape) * (mean / (mean + shape))
        fitted = fit(replace(pairs, base=-np.log(chance[pairs.left])), fields, matches=matches, most=most)
        matches = fitted.matches
        strangers = counts - np.bincount(pairs.left, weights=fitted.probability, minlength=pairs.n_left)
        strangers = np.maximum(strangers, 0.0)
        mean = _expected_namesakes(strangers, words, shape)
        shape = _shape(strangers, mean)
    prior = np.log(fitted.matches + 0.5) - np.log(pairs.n_left - fitted.matches + 1)
    return fitted, fitted.weight * np.log(2) + prior


def _name_words(names: Sequence[str]) -> list[NDArray[np.intp]]:
    """Return numbers of the first and of the last word of every name; equal words have equal numbers."""
    words = [fold(name).split() or [""] for name in names]
    return [np.unique([one[place] for one in words], return_inverse=True)[1] for place in (0, -1)]


def _expected_namesakes(
    strangers: NDArray[np.float64], words: Sequence[NDArray[np.intp]], shape: float
) -> NDArray[np.float64]:
    """Return how many namesakes each name has by chance: a regression on what the other names tell.

    What they tell: how many other names have the same word, and how many namesakes these have, both without the name
    itself, so that no name predicts its own count. Counts are negative binomial with a logarithmic link; a ridge of
    ten names keeps small data at the common mean.
    """
    if not len(strangers):
        return strangers
    overall = (strangers.sum() + 5) / (len(strangers) + 10)
    features = [np.ones(len(strangers))]
    for word in words:
        sharing = np.bincount(word)[word] - 1.0
        theirs = np.bincount(word, weights=strangers)[word] - strangers
        features += [np.log1p(sharing), np.log((np.maximum(theirs, 0.0) + overall) / (sharing + 1))]
    design = np.column_stack(features)
    design[:, 1:] -= design[:, 1:].mean(axis=0)
    beta = np.array([np.log(overall), *[0.0] * (design.shape[1] - 1)])
    ridge = np.diag([1e-9, *[10.0] * (design.shape[1] - 1)])
    for _ in range(25):
        mean = np.exp(np.clip(design @ beta, -12, 8))
        weight = 1 / (1 + mean / shape)
        gradient = design.T @ ((strangers - mean) * weight) - ridge @ beta
        step = np.linalg.solve((design * (mean * weight)[:, None]).T @ design + ridge, gradient)
        beta += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-6:
            break
    return np.exp(np.clip(design @ beta, -12, 8))


def _shape(counts: NDArray[np.float64], mean: NDArray[np.float64]) -> float:
    """Return the most probable shape of the negative binomial, by a grid; its prior has its peak at 1."""
    grid = np.geomspace(0.05, 50, 41)
    chance = [a / (a + mean) for a in grid]
    likelihood = [
        float((gammaln(counts + a) - gammaln(a) + a * np.log(p) + counts * np.log1p(-p)).sum())
        for a, p in zip(grid, chance, strict=True)
    ]
    return float(grid[np.argmax(np.array(likelihood) - 0.5 * np.log(grid) ** 2)])


def _best(left: NDArray[np.intp], probability: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Return the most probable candidate of every identity, the first of equal ones; -1 without any."""
    best = np.full(n, -1, dtype=np.intp)
    order = np.lexsort((-np.arange(len(left)), probability))
    best[left[order]] = order
    return best


def _levels(identities: pl.DataFrame, candidates: pl.DataFrame) -> dict[str, NDArray[np.int8]]:
    """Return the level of every candidate in every field; what is learned of one sex or age is a field of its own."""
    rows = candidates["query"].to_numpy()
    male, young = (_numbers(identities[name])[rows] for name in ("male_share", "young_share"))
    born, died, links = (_numbers(candidates[name]) for name in ("birth_year", "death_year", "sitelinks"))
    sex = _sex(candidates)
    shown = np.select([male >= _KNOWN_SEX, male <= 1 - _KNOWN_SEX], [1, 0], -1)
    agrees = np.where(sex < 0, _silent(candidates["gender"], 2), sex == shown)
    age = np.where(np.isnan(young), len(_AGES) + 1, np.searchsorted(_AGES, np.nan_to_num(young), side="right"))
    unknown = _silent(candidates["birth_year"], len(_YEARS) + 1)
    year = np.where(np.isnan(born), unknown, np.searchsorted(_YEARS, np.nan_to_num(born), side="right"))
    year = np.where(died < _DIED, len(_YEARS) + 2, year)  # who died early was born early: one field, not two
    nothing = _silent(candidates["occupations"], len(_OCCUPATIONS) + 1)
    matches = candidates["match"].replace_strict({"label": 0, "alias": 1, "reordered": 2}, return_dtype=pl.Int8)
    found = {
        "match": matches.to_numpy(),
        "sex": np.where(shown < 0, -1, agrees),
        **{f"born {one}": np.where(age == one, year, -1) for one in range(len(_AGES) + 2)},
        "occupation": np.array([_occupation(groups, nothing) for groups in candidates["occupations"].to_list()]),
        "fame": np.where(np.isnan(links), -1, np.searchsorted(_FAME, np.nan_to_num(links), side="right")),
        "image": np.full(len(rows), -1) if candidates["image"].null_count() == len(rows)
        else candidates["image"].is_not_null().to_numpy(),
    }  # fmt: skip
    return {name: np.asarray(levels, dtype=np.int8).reshape(len(rows)) for name, levels in found.items()}


def _sex(candidates: pl.DataFrame) -> NDArray[np.int8]:
    codes = {"male": 1, "female": 0}
    return candidates["gender"].replace_strict(codes, default=-1, return_dtype=pl.Int8).to_numpy()


def _sex_by_chance(rows: NDArray[np.intp], sex: NDArray[np.int8], first: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the log probability of each candidate's sex among namesakes, who mostly have the sex of their first name.

    It is the share among those who bear the other names with the same first word, beside twenty of all candidates: that
    the only Maria is a woman says nothing, that the only Andrea is one says something.
    """
    kinds, word = np.where(sex < 0, 2, sex), first[rows]
    shares = (np.bincount(kinds, minlength=3) + np.array([49, 49, 2])) / (len(kinds) + 100)
    counted = np.zeros((2, len(rows), 2))
    for place, groups in enumerate((word, rows)):
        for kind in (0, 1):
            counted[place, :, kind] = np.bincount(groups, weights=kinds == kind)[groups]
    others = counted[0] - counted[1] + 20 * shares[:2] / shares[:2].sum()
    chance = others / others.sum(axis=1, keepdims=True) * shares[:2].sum()
    return np.log(np.where(kinds == 2, shares[2], chance[np.arange(len(rows)), np.minimum(kinds, 1)]))


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _silent(series: pl.Series, level: int) -> int:
    """Return the level of those of whom nothing is stated; -1 where few candidates could tell what it means."""
    return -1 if series.null_count() == len(series) or len(series) < _TELLING else level


def _occupation(groups: Sequence[str] | None, nothing: int) -> int:
    """Return the place of the group that a face is known for; the last one but one for others."""
    if groups is None:
        return nothing
    return next((place for place, group in enumerate(_OCCUPATIONS) if group in groups), len(_OCCUPATIONS))
