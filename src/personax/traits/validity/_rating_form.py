"""What human raters are asked, the same as the prompt asks LLMs: scale, questions, what is shown of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from personax.errors import InputError
from personax.schema import Status, TraitFramework
from personax.traits._big_five import BIG_FIVE
from personax.traits.llms._prompt import LEVEL_WORDS, Prompt

__all__ = ["RatingForm", "RatingTask", "check_extra_questions", "task_codes"]

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
        3 or 5, as in the prompt.
    extra
        More questions on the same scale, such as ``likability``, for controls.
    framework
        Whose traits are rated.
    """

    levels: int = 3
    extra: tuple[str, ...] = ()
    framework: TraitFramework = BIG_FIVE

    @property
    def questions(self) -> dict[str, str]:
        """Name -> what is asked."""
        asked = {name: f"{name.capitalize()}: {meaning}" for name, meaning in self.framework.meanings.items()}
        return asked | {name: name.capitalize() for name in self.extra}

    @property
    def choices(self) -> dict[str, str]:
        """Answer -> what raters read; the last means that nothing can be said."""
        words = enumerate(LEVEL_WORDS[self.levels], start=1)
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
        for level, word in enumerate(LEVEL_WORDS[self.levels], start=1):
            if text in (str(level), f"{level}.0", word, f"{level} = {word}"):
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
