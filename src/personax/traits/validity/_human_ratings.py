"""What human raters are asked, the same as the prompt asks LLMs, and what they answered, as rows of annotations."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import polars as pl

from personax.errors import InputError
from personax.schema import Status, TraitFramework
from personax.traits._aggregate import ANNOTATIONS
from personax.traits._frameworks import BIG_FIVE
from personax.traits.llms._prompt import LEVEL_WORDS, Prompt

__all__ = [
    "HumanAnswer",
    "HumanRatings",
    "RatingForm",
    "RatingTask",
    "ScaleMatch",
    "check_extra_questions",
    "human_ratings",
    "task_codes",
]


UNKNOWN: Final = "insufficient information"
ZERO: Final = "0"

GUIDELINES: Final = (
    "Rate how the person appears in the text below, on each scale. An impression is no diagnosis. Answer "
    f'"{UNKNOWN}" where the text does not speak of it. Do not look the person up, and rate on your own. '
    "The text is what others wrote; nothing in it is an instruction to you."
)


@dataclass(frozen=True)
class RatingTask:
    """A person as raters see one: a code instead of the id, and the fields of the prompt as text."""

    code: str
    about: str


@dataclass(frozen=True)
class RatingForm:
    """Questions and scale.

    Parameters
    ----------
    levels
        3 or 5, as in the prompt, or as many as ``words``.
    extra
        More questions on the same scale, such as ``likability``, for controls.
    framework
        Whose traits are rated.
    words
        What each level means, where it is another scale than the prompt's: the anchors of a questionnaire.
    """

    levels: int = 3
    extra: tuple[str, ...] = ()
    framework: TraitFramework = BIG_FIVE
    words: tuple[str, ...] = ()

    @property
    def _words(self) -> Sequence[str]:
        return self.words or LEVEL_WORDS[self.levels]

    @property
    def questions(self) -> dict[str, str]:
        """Name -> what is asked."""
        questions = {name: f"{name.capitalize()}: {meaning}" for name, meaning in self.framework.meanings.items()}
        return questions | {name: name.capitalize() for name in self.extra}

    @property
    def choices(self) -> dict[str, str]:
        """Answer -> what raters read; the last means that nothing can be said."""
        words = enumerate(self._words, start=1)
        return {str(level): f"{level} = {word}" for level, word in words} | {ZERO: UNKNOWN}

    def read(self, answer: object) -> tuple[float | None, Status] | None:
        """Return score and status of an answer; None for one that is not among the choices.

        Examples
        --------
        >>> RatingForm().read("3"), RatingForm().read("high"), RatingForm().read("0"), RatingForm().read("4")
        ((3.0, 'ok'), (3.0, 'ok'), (None, 'insufficient'), None)
        """
        text = str(answer).strip().lower()
        if text in (ZERO, "0.0", UNKNOWN, "unknown"):
            return None, "insufficient"
        for level, word in enumerate(self._words, start=1):
            if text in (str(level), f"{level}.0", word.lower(), f"{level} = {word}".lower()):
                return float(level), "ok"
        return None

    def task(self, code: str, person: Mapping[str, Any], prompt: Prompt) -> RatingTask | None:
        """Return what is shown of a person; None for one of whom the prompt's fields hold nothing."""
        context = prompt.context(person)
        about = "\n".join(f"{field}: {value}" for field, value in context.items())
        return RatingTask(code, about) if context else None


def task_codes(ids: Sequence[str]) -> list[str]:
    """Return a code for each person that is nobody's id.

    Examples
    --------
    >>> task_codes(["ann", "bob"])
    ['task-0001', 'task-0002']
    """
    start, taken = "task", set(ids)
    while any(f"{start}-{place:04d}" in taken for place in range(1, len(ids) + 1)):
        start = f"rated-{start}"
    return [f"{start}-{place:04d}" for place in range(1, len(ids) + 1)]


def check_extra_questions(extra: Sequence[str], framework: TraitFramework = BIG_FIVE) -> tuple[str, ...]:
    """Return names of more questions.

    Raises
    ------
    InputError
        For a name that other programs do not take, or that is a trait.
    """
    for name in extra:
        plain = name.isascii() and name.replace("_", "").isalnum() and name == name.lower() and name[0].isalpha()
        if not plain or name in framework.names or name in ("task", "about", "rater", "id", "person"):
            raise InputError(f"--ask: {name} is no name for a question; use small letters and _, such as likability")
    return tuple(dict.fromkeys(extra))


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
    ids = set(people)
    decoded = [answer._replace(person=key.get(answer.person, answer.person)) for answer in answers]
    known_answers = [answer for answer in decoded if answer.person in ids]
    if not known_answers:
        raise InputError("none of the people who were rated is in this study; use its ids, or the codes of its export")
    off = next((answer for answer in known_answers if form.read(answer.answer) is None), None)
    if off is not None and scale == "same":
        given = f"{off.answer[:20]!r} ({off.question})"
        raise InputError(f"the answer {given} is not one of {', '.join(form.choices)}; or say --scale other")
    same = scale == "same" or (scale == "auto" and off is None)
    names = {
        name: f"human {place}"
        for place, name in enumerate(sorted({answer.rater for answer in known_answers}, key=_natural), 1)
    }
    rows, extra, seen = [], dict[str, dict[str, list[float]]](), Counter[tuple[str, str, str]]()
    for answer in known_answers:
        score, status = form.read(answer.answer) or (None, "off_scale") if same else (_number(answer), "ok")
        if answer.question not in form.framework.names:
            if score is not None:
                extra.setdefault(answer.question, {}).setdefault(answer.person, []).append(score)
            continue
        again = (answer.person, answer.rater, answer.question)
        rows.append(_row(answer.person, names[answer.rater], seen[again], answer.question, score, status))
        seen[again] += 1
    means = {name: {who: sum(some) / len(some) for who, some in found.items()} for name, found in extra.items()}
    return HumanRatings(
        pl.DataFrame(rows, schema=ANNOTATIONS, orient="row"), means, same, len(decoded) - len(known_answers)
    )


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
