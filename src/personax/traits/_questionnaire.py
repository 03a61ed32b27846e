"""Trait scores from the answers to questionnaire items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.frames import read_csv
from personax.errors import InputError
from personax.schema import Notice, TraitFramework
from personax.strict import nearest
from personax.traits._frameworks import BIG_FIVE

__all__ = ["cronbach_alpha", "read_scoring_key", "score_items"]

ScoringKey = Mapping[str, Sequence[str]]
"""Trait -> signed item names; ``-A1`` is reverse-keyed."""


def read_scoring_key(path: Path, framework: TraitFramework = BIG_FIVE) -> dict[str, list[str]]:
    """Read a key file: one column a trait (its name, or a beginning of it such as ``agree``), cells are signed items.

    Raises
    ------
    InputError
        When the file is missing or no column names a trait.
    """
    if not path.is_file():
        raise InputError(f"there is no key file {path}; it has one column a trait and cells such as A2 or -A1")
    frame = read_csv(path, infer_schema=False)
    key = {}
    for series in frame:
        start = series.name.strip().lower()
        traits = [trait for trait in framework.names if len(start) >= 4 and trait.startswith(start)]
        if len(traits) == 1:
            key[traits[0]] = [item.strip() for item in series.drop_nulls() if item.strip()]
    if not key:
        raise InputError(f"{path}: no column names a trait; call them {', '.join(framework.names)}")
    return key


def score_items(
    items: pl.DataFrame,
    key: ScoringKey,
    *,
    low: int,
    high: int,
    min_answered: int = 3,
    framework: TraitFramework = BIG_FIVE,
) -> tuple[pl.DataFrame, list[Notice]]:
    """Score each trait as the mean of its answered items, reverse-keyed ones turned round.

    Parameters
    ----------
    items
        ``id`` and one column an item; numbers or text of numbers, null where unanswered.
    key
        Trait -> signed item names.
    low, high
        Ends of the answer scale; an answer outside counts as unanswered and is reported.
    min_answered
        With fewer answers a trait has no score.
    framework
        Whose traits the items score.

    Returns
    -------
    tuple of polars.DataFrame and list of Notice
        ``id`` and ``final_o`` ... (null for traits without a key); what a reader must know, with Cronbach's alphas.

    Raises
    ------
    InputError
        When an item of the key is no column of ``items``.

    Examples
    --------
    >>> answers = pl.DataFrame({"id": ["a"], "A1": [1], "A2": [5], "A3": [6]})
    >>> scores, _ = score_items(answers, {"agreeableness": ["-A1", "A2", "A3"]}, low=1, high=6)
    >>> round(scores["final_a"][0], 4)
    5.6667
    """
    result = items.select(pl.col("id").cast(pl.String))
    notices: list[Notice] = []
    for trait, letter in framework.letters.items():
        name = f"final_{letter}"
        if trait not in key:
            result = result.with_columns(pl.lit(None, pl.Float64).alias(name))
            continue
        answers, strange = _answers(items, key[trait], low, high)
        if strange:
            notices.append(Notice(f"{trait}: answers outside {low} to {high} count as unanswered.", strange))
        answered = (~np.isnan(answers)).sum(axis=1)
        total = np.nansum(answers, axis=1)
        enough = answered >= min(min_answered, answers.shape[1])
        scores = np.divide(total, answered, out=np.full(len(total), np.nan), where=enough)
        result = result.with_columns(pl.Series(name, scores).fill_nan(None))
        notices += _words(trait, answers, int((~enough).sum()), min_answered)
    return result, notices


def cronbach_alpha(answers: NDArray[np.float64]) -> float:
    """Return Cronbach's alpha of people who answered every item, shape (people, items).

    References
    ----------
    Cronbach 1951, doi:10.1007/BF02310555.

    Examples
    --------
    >>> cronbach_alpha(np.array([[1.0, 1], [2, 2], [4, 4]]))
    1.0
    """
    whole = answers[~np.isnan(answers).any(axis=1)]
    k = whole.shape[1]
    if len(whole) < 2 or k < 2 or whole.sum(axis=1).var() == 0:
        return float("nan")
    return float(k / (k - 1) * (1 - whole.var(axis=0, ddof=1).sum() / whole.sum(axis=1).var(ddof=1)))


def _answers(items: pl.DataFrame, keyed: Sequence[str], low: int, high: int) -> tuple[NDArray[np.float64], int]:
    """Return answers with reverse-keyed items turned round, shape (people, items), and how many were off the scale."""
    columns, strange = [], 0
    for signed in keyed:
        item = signed.removeprefix("-")
        if item not in items.columns:
            raise InputError(f"the key names the item {item}, which is no column; {nearest(item, items.columns)}")
        raw = items[item]
        values = raw.cast(pl.Float64, strict=False).to_numpy().astype(float, copy=True)
        unreadable = int(raw.set(raw.cast(pl.String) == "", None).count()) - int(np.isfinite(values).sum())
        outside = np.isfinite(values) & ((values < low) | (values > high))
        strange += int(outside.sum()) + max(unreadable, 0)
        values[outside | ~np.isfinite(values)] = np.nan
        columns.append(low + high - values if signed.startswith("-") else values)
    return np.column_stack(columns), strange


def _words(trait: str, answers: NDArray[np.float64], unscored: int, min_answered: int) -> list[Notice]:
    notices = [Notice(f"{trait}: Cronbach's alpha of its {answers.shape[1]} items is {cronbach_alpha(answers):.2f}.")]
    if unscored:
        notices.append(Notice(f"{trait}: people with fewer than {min_answered} answers have no score.", unscored))
    return notices
