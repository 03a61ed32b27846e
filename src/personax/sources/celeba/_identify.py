"""Which person of Wikidata an identity is: evidence of name, sex, age, occupation and fame, and the share of absentees.

Everybody who bears the name is a candidate. That there is one proves nothing: whoever is not in Wikidata has namesakes
there as well. Their number by chance is taken as negative binomial, so that with n candidates the odds that a given one
is meant are pi / (1 - pi) times its evidence / ((n - 1 + a) (1 - p)), where pi is the share of identities that are in
Wikidata. pi, a, p and the weights of all evidence are learned together by EM; see
`personax.sources.record_linkage.fit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

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

LEAST: Final = 0.95
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

_YEARS: Final = (1900, 1930, 1945, 1955, 1965, 1975, 1985, 1995)
_FAME: Final = (2, 5, 10, 20, 40)
_AGES: Final = 3
_OCCUPATIONS: Final = ("actor", "musician", "athlete", "model", "media", "filmmaker", "dancer", "politician")
_KNOWN_SEX: Final = 0.8
"""Share of pictures that must agree on the sex, so that it is evidence."""


def _models(levels: Mapping[str, NDArray[np.int8]]) -> dict[str, FieldModel]:
    """Return what is expected before the data are seen: identities are public people of the last decades."""
    years = np.array([0.01, 0.03, 0.08, 0.12, 0.18, 0.23, 0.23, 0.11, 0.01])
    others = np.array([0.15, 0.1, 0.1, 0.1, 0.12, 0.13, 0.15, 0.1, 0.05])
    fame = np.array([0.03, 0.07, 0.12, 0.2, 0.25, 0.33])
    stage = np.array([0.4, 0.18, 0.14, 0.06, 0.06, 0.04, 0.02, 0.04, 0.06])
    expected = {
        "match": ([0.85, 0.13, 0.02], [0.7, 0.25, 0.05], 20.0),
        "gender": ([0.01, 0.99], [0.4, 0.6], 200.0),
        "born": (np.repeat(years / _AGES, _AGES), np.repeat(others / _AGES, _AGES), 50.0),
        "died": ([0.03, 0.97], [0.25, 0.75], 50.0),
        "occupation": (stage, np.full(9, 1 / 9), 30.0),
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
        One row an identity with a name: ``male_share`` and ``young_share``, the shares of its pictures; null where
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
    pairs = CandidateLevels(rows.astype(np.intp), right, levels, identities.height, None)
    fitted, odds = _fitted(pairs)
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


def _fitted(pairs: CandidateLevels) -> tuple[FittedLinkage, NDArray[np.float64]]:
    """Return the fit with the number of namesakes by chance as learned, and the log odds of every pair."""
    counts = np.bincount(pairs.left, minlength=pairs.n_left)
    fields = _models(pairs.levels)
    shape, mean = 0.3, 0.5
    matches: float | None = None
    for most in (*[4] * 8, 60):
        chance = (counts - 1 + shape) * (mean / (mean + shape))
        fitted = fit(replace(pairs, base=-np.log(chance[pairs.left])), fields, matches=matches, most=most)
        matches = fitted.matches
        strangers = counts - np.bincount(pairs.left, weights=fitted.probability, minlength=pairs.n_left)
        shape, mean = _negative_binomial(np.maximum(strangers, 0.0))
    prior = np.log(fitted.matches + 0.5) - np.log(pairs.n_left - fitted.matches + 1)
    return fitted, fitted.weight * np.log(2) + prior


def _negative_binomial(counts: NDArray[np.float64]) -> tuple[float, float]:
    """Return shape and mean by moments, with ten identities of the expected ones beside the data."""
    size, weight = len(counts), 10.0
    mean = (counts.sum() + 0.5 * weight) / (size + weight)
    second = ((counts**2).sum() + weight * (0.5**2 + 0.5 + 0.5**2 / 0.3)) / (size + weight)
    excess = second - mean**2 - mean
    return float(np.clip(mean**2 / max(excess, 1e-9), 0.02, 50.0)), float(mean)


def _best(left: NDArray[np.intp], probability: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Return the most probable candidate of every identity, the first of equal ones; -1 without any."""
    best = np.full(n, -1, dtype=np.intp)
    order = np.lexsort((-np.arange(len(left)), probability))
    best[left[order]] = order
    return best


def _levels(identities: pl.DataFrame, candidates: pl.DataFrame) -> dict[str, NDArray[np.int8]]:
    rows = candidates["query"].to_numpy()
    male, young = (_numbers(identities[name])[rows] for name in ("male_share", "young_share"))
    born, died, links = (_numbers(candidates[name]) for name in ("birth_year", "death_year", "sitelinks"))
    sex = candidates["gender"].replace_strict({"male": 1, "female": 0}, default=-1, return_dtype=pl.Int8).to_numpy()
    shown = np.select([male >= _KNOWN_SEX, male <= 1 - _KNOWN_SEX], [1, 0], -1)
    age = np.select([np.isnan(young), young < 1 / 3, young <= 2 / 3], [1, 0, 1], 2)
    matches = candidates["match"].replace_strict({"label": 0, "alias": 1, "reordered": 2}, return_dtype=pl.Int8)
    found = {
        "match": matches.to_numpy(),
        "gender": np.where((sex < 0) | (shown < 0), -1, sex == shown),
        "born": np.where(np.isnan(born), -1, np.searchsorted(_YEARS, np.nan_to_num(born), side="right") * _AGES + age),
        "died": np.where(np.isnan(born) & np.isnan(died), -1, ~(died < 1985)),
        "occupation": np.array([_occupation(groups) for groups in candidates["occupations"].to_list()]),
        "fame": np.where(np.isnan(links), -1, np.searchsorted(_FAME, np.nan_to_num(links), side="right")),
        "image": np.full(len(rows), -1) if candidates["image"].null_count() == len(rows)
        else candidates["image"].is_not_null().to_numpy(),
    }  # fmt: skip
    return {name: np.asarray(levels, dtype=np.int8).reshape(len(rows)) for name, levels in found.items()}


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _occupation(groups: Sequence[str] | None) -> int:
    """Return the place of the group that a face is known for; the last one for others, -1 where nothing is stated."""
    if groups is None:
        return -1
    return next((place for place, group in enumerate(_OCCUPATIONS) if group in groups), len(_OCCUPATIONS))
