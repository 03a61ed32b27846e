"""Families of texts: how one measurement says the latents of its modality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from personax.simulate.worlds._vocabulary import NUMBERS, WORDS, grade_of, phrases

__all__ = ["TextFamily", "Writer", "add_family", "family_names", "find_family"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Writer:
    """What one measurement is written from; every draw is by a generator of its own, so that first people stay.

    Parameters
    ----------
    concepts
        What the latents are about, in their order.
    latents
        Shape (n, latents), standardised.
    measurement
        From 0: which of the family's wordings is used.
    nuisance
        Whether names, places and hobbies vary from person to person.
    filler
        Sentences that say nothing, for the families that have some.
    spread
        Deviation of the judgement of a grade, in grades.
    omitted
        Share of clauses left out, for the families that leave some out; never all of a person's.
    rng
        Draws everything.
    """

    concepts: Sequence[str]
    latents: Array
    measurement: int
    nuisance: bool
    filler: int
    spread: float
    omitted: float
    rng: np.random.Generator

    def said(self, language: str = "english") -> list[list[str]]:
        """Return for each latent the phrase of each person."""
        found = []
        for concept, latent in zip(self.concepts, self.latents.T, strict=True):
            ways = phrases(concept, language)
            judge, choose = self.rng.spawn(2)
            grades = grade_of(latent, self.spread, rng=judge)
            which = choose.integers(len(ways[0]), size=len(latent))
            found.append([ways[g][w] for g, w in zip(grades.tolist(), which.tolist(), strict=True)])
        return found

    def counted(self) -> list[list[str]]:
        """Return for each latent the clause with the number of each person."""
        found = []
        for concept, latent in zip(self.concepts, self.latents.T, strict=True):
            quantity = NUMBERS[concept]
            judged = latent + self.spread / 2 * self.rng.spawn(1)[0].standard_normal(len(latent))
            found.append([quantity.clause.format(n=f"{n:,}") for n in quantity.value(judged).tolist()])
        return found

    def names(self, fixed: str) -> list[str]:
        """Return a name a person, the fixed words where nothing but the latents may vary."""
        return self.drawn(WORDS.names) if self.nuisance else [fixed] * len(self.latents)

    def drawn(self, words: Sequence[str]) -> list[str]:
        """Return a word a person; always the first without nuisance."""
        which = self.rng.spawn(1)[0].integers(len(words), size=len(self.latents))
        return [words[i if self.nuisance else 0] for i in which.tolist()]

    def orders(self, items: int) -> Places:
        """Return an order of the items a person, shape (n, items)."""
        return np.argsort(self.rng.spawn(1)[0].random((len(self.latents), items)), axis=1)

    def kept(self) -> NDArray[np.bool_]:
        """Return which latents are said of whom, shape (n, latents); at least one."""
        drawn = self.rng.spawn(1)[0].random(self.latents.shape)
        return np.asarray((drawn >= self.omitted) | (drawn == drawn.max(axis=1, keepdims=True)))


TextFamily = Callable[[Writer], list[str]]
"""One measurement's texts, one a person."""

_FAMILIES: Final[dict[str, TextFamily]] = {}


def add_family(name: str) -> Callable[[TextFamily], TextFamily]:
    """Return a decorator that makes a family of texts known under a name.

    Raises
    ------
    ValueError
        When the name is taken.

    Examples
    --------
    >>> @add_family("shouts")
    ... def shouts(writer):
    ...     return [first.upper() for first in writer.said()[0]]
    >>> "shouts" in family_names()
    True
    >>> _ = _FAMILIES.pop("shouts")
    """
    if name in _FAMILIES:
        raise ValueError(f"there is a family {name!r} already; choose another name")

    def add(family: TextFamily) -> TextFamily:
        _FAMILIES[name] = family
        return family

    return add


def family_names() -> list[str]:
    """Return the names of the families of texts."""
    return list(_FAMILIES)


def find_family(name: str) -> TextFamily | None:
    """Return the family of a name, None where there is none."""
    return _FAMILIES.get(name)


_FRAMES: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "english": (
        ("{N} is ", " and ", "."),
        ("Those who have met {N} say that {N} is ", ", but above all ", "; so it is told."),
        ("The description suggests a person who is ", ", and who is also ", "."),
        ("In short: ", ", ", ", all in all."),
    ),
    "german": (
        ("{N} ist ", " und ", "."),
        ("Wer {N} kennt, sagt: {N} ist ", ", vor allem aber ", "; so erzählt man."),
        ("Die Beschreibung handelt von einem Menschen, der als Person ", " und außerdem ", " ist."),
        ("Kurz gesagt: ", ", ", ", alles in allem."),
    ),
}
"""What stands before the first phrase, between two, and after the last; a measurement each, again from the first."""


def _graded(writer: Writer, language: str, fixed: str) -> list[str]:
    """Write one sentence of graded phrases; measurements differ in words and in which latent comes first."""
    before, between, after = _FRAMES[language][writer.measurement % len(_FRAMES[language])]
    said, names = writer.said(language), writer.names(fixed)
    first = writer.measurement % len(said)
    turned = said[first:] + said[:first]
    return [(before + between.join(one) + after).format(N=n) for n, *one in zip(names, *turned, strict=True)]


@add_family("adjectives")
def _adjectives(writer: Writer) -> list[str]:
    return _graded(writer, "english", "This person")


@add_family("german")
def _german(writer: Writer) -> list[str]:
    return _graded(writer, "german", "Diese Person")


_SAYS: Final = ("{N} is {p}", "{N} seems to be {p}", "friends call {N} {p}", "as a rule {N} is {p}", "{N} remains {p}")


@add_family("clauses")
def _clauses(writer: Writer) -> list[str]:
    """Write a clause a latent, in random order, some left out, with varying verbs and joining words."""
    said, names, orders, kept = writer.said(), writer.names("this person"), writer.orders(len(writer.concepts)), None
    kept, opens = writer.kept(), writer.rng.spawn(1)[0].integers(len(_SAYS), size=writer.latents.shape)
    joins = writer.rng.spawn(1)[0].integers(len(WORDS.joins), size=writer.latents.shape)
    texts = []
    for i, name in enumerate(names):
        clauses = [(_SAYS[opens[i, j]].format(N=name, p=said[j][i]), joins[i, j]) for j in orders[i] if kept[i, j]]
        text = clauses[0][0] + "".join(WORDS.joins[join] + clause for clause, join in clauses[1:])
        texts.append(text[0].upper() + text[1:] + ".")
    return texts


_RECORDS: Final = (
    ("{N} ", " and ", "."),
    ("Figures for the register: {N} ", "; {N} ", "."),
    ("According to the survey, {N} ", ", and also ", ", as far as is known."),
)


@add_family("numbers")
def _numbers(writer: Writer) -> list[str]:
    """Write a number for every latent, with an error of its own."""
    before, between, after = _RECORDS[writer.measurement % len(_RECORDS)]
    said, names = writer.counted(), writer.names("this person")
    texts = [(before + between.join(one) + after).format(N=n) for n, *one in zip(names, *said, strict=True)]
    return [text[0].upper() + text[1:] for text in texts]


_SENTENCES: Final = ("{N} is {p}.", "They describe {N} as someone who is {p}.", "It is clear that {N} is {p}.")


@add_family("filler")
def _filler(writer: Writer) -> list[str]:
    """Write a sentence a latent among sentences that say nothing, all in random order."""
    frame, names = _SENTENCES[writer.measurement % len(_SENTENCES)], writer.names("this person")
    said = [[frame.format(N=n, p=p) for n, p in zip(names, one, strict=True)] for one in writer.said()]
    said += [writer.drawn(WORDS.filler) for _ in range(writer.filler)]
    orders = writer.orders(len(said))
    texts = [" ".join(said[j][i] for j in order) for i, order in enumerate(orders)]
    return [text[0].upper() + text[1:] for text in texts]


_LIVES: Final = (
    ("{N}, born in {C}, likes {H}. ", "Today {N} is ", ". {N} is also ", "."),
    ("Biography: grew up in {C}; hobby: {H}. ", "Now ", "; ", "."),
    ("{N} moved to {C} as a child and has loved {H} since. ", "Later reports call {N} ", " and ", "."),
)


@add_family("biographies")
def _biographies(writer: Writer) -> list[str]:
    """Write a short life with places and hobbies, then the latents."""
    opening, before, between, after = _LIVES[writer.measurement % len(_LIVES)]
    said, names = writer.said(), writer.names("This person")
    cities, hobbies = writer.drawn(WORDS.cities), writer.drawn(WORDS.hobbies)
    return [
        (opening + before + between.join(one) + after).format(N=n, C=c, H=h)
        for n, c, h, *one in zip(names, cities, hobbies, *said, strict=True)
    ]
