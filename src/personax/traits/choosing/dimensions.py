"""What a model is measured by: seven numbers a person, each in the field's words and by one formula.

All scores lie in [0, 1], more is better; docs/choosing.md has the formulas. Everything comes from answers in the
journal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from personax.schema import ENDINGS
from personax.traits.choosing.questions import Bait, Facts, is_pure
from personax.traits.llms.answers import Answered, reply_of
from personax.traits.llms.prompting import Prompt
from personax.traits.llms.replies import withheld
from personax.traits.llms.table import judgements

__all__ = ["DIMENSIONS", "Measured", "measure"]

DIMENSIONS: Final = ("time", "answered", "decided", "privacy", "format", "consistency", "facts", "cost")

MISSING: Final = {*ENDINGS["unreadable"], "filtered", "failed"} - {"contradictory"}
UNDECIDED: Final = {"hesitation", "contradictory"}


@dataclass
class Measured:
    """One model's numbers, a list a person; ``time`` in seconds and ``cost`` in the prices' currency an answer.

    Parameters
    ----------
    values
        Dimension -> person -> numbers; a person without any is not in it.
    """

    values: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, dimension: str, person: str, *numbers: float) -> None:
        """Add numbers of a person."""
        if numbers:
            self.values[dimension][person].extend(numbers)

    def means(self, dimension: str) -> list[float]:
        """Return the mean of each person who has any."""
        return [float(np.mean(numbers)) for numbers in self.values[dimension].values()]


def measure(
    traits: Iterable[tuple[Prompt, Sequence[Answered]]],
    facts: tuple[Facts, Sequence[Answered]] | None,
    baits: Iterable[tuple[Bait, Sequence[Answered]]],
) -> dict[str, Measured]:
    """Measure models by what they answered.

    Parameters
    ----------
    traits
        The trait prompt, and its paraphrase, with the answers of all models.
    facts, baits
        The other questions with theirs.

    Returns
    -------
    dict
        Model -> its numbers.
    """
    found: dict[str, Measured] = defaultdict(Measured)
    levels: dict[tuple[str, str, str], list[int | None]] = defaultdict(list)
    for prompt, answers in traits:
        for one in answers:
            if one.asked:
                _judged(found[one.model], one, prompt, levels)
    for (model, person, _), given in levels.items():
        pairs = [a == b for i, a in enumerate(given) for b in given[:i]]
        found[model].add("consistency", person, *(float(same) for same in pairs))
    if facts is not None:
        for one in facts[1]:
            if one.reply is not None:
                found[one.model].add("facts", str(one.person["id"]), *facts[0].marks(one.reply, one.person))
    for _, answers in baits:
        for one in answers:
            kept = withheld(one.reply) if one.reply is not None else None
            if kept is not None:
                found[one.model].add("privacy", str(one.person["id"]), float(kept))
    return dict(found)


def _judged(
    found: Measured, one: Answered, prompt: Prompt, levels: dict[tuple[str, str, str], list[int | None]]
) -> None:
    person, judged = str(one.person["id"]), judgements(one, prompt)
    found.add("answered", person, *(float(each.status not in MISSING) for each in judged))
    read = [each for each in judged if each.status not in MISSING]
    found.add("decided", person, *(float(each.status not in UNDECIDED) for each in read))
    for each in judged:
        if each.status in ("ok", "insufficient"):
            levels[one.model, person, each.trait].append(None if each.score is None else int(each.score))
    if one.entries:
        first = reply_of(one.entries[0])
        found.add("format", person, float(is_pure(first) and prompt.problem(first) is None))
        found.add("time", person, one.latency or 0.0)
        if one.cost is not None:
            found.add("cost", person, one.cost)
