"""What people answered, as rows of annotations like those of LLMs; raters are numbered, never named."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import polars as pl

from personax.errors import InputError
from personax.traits._aggregate import ANNOTATIONS

if TYPE_CHECKING:
    from personax.traits.validity._rating_form import RatingForm

__all__ = ["HumanAnswer", "HumanRatings", "ScaleMatch", "human_ratings"]

ScaleMatch = Literal["auto", "same", "other"]


class HumanAnswer(NamedTuple):
    """One cell of what came back; ``person`` is a code or an id, ``question`` a trait or another question."""

    person: str
    rater: str
    question: str
    answer: str


@dataclass(frozen=True)
class HumanRatings:
    """What people answered.

    Parameters
    ----------
    annotations
        Rows as in `ANNOTATIONS`, traits only; ``prompt`` is ``human``.
    extra
        Other question -> person -> mean score.
    same_scale
        Whether scores are on the scale of the LLMs.
    unknown_people
        Answers about people who are not in the study; left out.
    """

    annotations: pl.DataFrame
    extra: dict[str, dict[str, float]]
    same_scale: bool
    unknown_people: int


def human_ratings(
    answers: Sequence[HumanAnswer],
    form: RatingForm,
    people: Sequence[str],
    key: Mapping[str, str],
    *,
    scale: ScaleMatch = "auto",
) -> HumanRatings:
    """Put answers in the shape of annotations.

    Parameters
    ----------
    answers
        From a reader.
    form
        The LLMs' scale.
    people
        Ids of the study.
    key
        Code -> id, of an exported sample.
    scale
        ``same``: an answer off the scale is an error. ``other``: any number, and what compares numbers of one scale is
        missing. ``auto``: same where every answer is one of the choices.

    Raises
    ------
    InputError
        Nobody of the study, an answer that is no number, or one off the scale.
    """
    known = set(people)
    placed = [one._replace(person=key.get(one.person, one.person)) for one in answers]
    mine = [one for one in placed if one.person in known]
    if not mine:
        raise InputError("none of the people who were rated is in this study; use its ids, or the codes of its export")
    off = next((one for one in mine if form.read(one.answer) is None), None)
    if off is not None and scale == "same":
        given = f"{off.answer[:20]!r} ({off.question})"
        raise InputError(f"the answer {given} is not one of {', '.join(form.choices)}; or say --scale other")
    same = scale == "same" or (scale == "auto" and off is None)
    names = {name: f"human {place}" for place, name in enumerate(sorted({one.rater for one in mine}, key=_natural), 1)}
    rows, extra, seen = [], dict[str, dict[str, list[float]]](), Counter[tuple[str, str, str]]()
    for one in mine:
        score, status = form.read(one.answer) or (None, "off_scale") if same else (_number(one), "ok")
        if one.question not in form.framework.names:
            if score is not None:
                extra.setdefault(one.question, {}).setdefault(one.person, []).append(score)
            continue
        again = (one.person, one.rater, one.question)
        rows.append(_row(one.person, names[one.rater], seen[again], one.question, score, status))
        seen[again] += 1
    means = {name: {who: sum(some) / len(some) for who, some in found.items()} for name, found in extra.items()}
    return HumanRatings(pl.DataFrame(rows, schema=ANNOTATIONS, orient="row"), means, same, len(placed) - len(mine))


def _row(person: str, rater: str, repeat: int, trait: str, score: float | None, status: str) -> tuple[Any, ...]:
    return (person, rater, "human", repeat, trait, score, "", status, None, None, None)


def _natural(name: str) -> tuple[int, str]:
    return len(name), name


def _number(one: HumanAnswer) -> float:
    try:
        value = float(one.answer)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"the answer {one.answer[:20]!r} ({one.question}) is no number; leave the cell empty instead")
    return value
