"""Answers in words that have an order, such as *strongly disagree* to *strongly agree*, as numbers from 1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from personax.data.text import fold

__all__ = ["ordered_words", "scale_of"]

_SCALES_TEXT: Final = """
    strongly disagree / disagree / neither agree nor disagree | neutral | undecided | neither / agree / strongly agree
    strongly disagree / disagree / agree / strongly agree
    strongly disagree / somewhat disagree / neither agree nor disagree | neutral / somewhat agree / strongly agree
    strongly disagree / disagree / somewhat disagree | slightly disagree / neither agree nor disagree | neutral / \
        somewhat agree | slightly agree / agree / strongly agree
    disagree strongly / disagree a little / neither agree nor disagree | neutral, no opinion / agree a little / \
        agree strongly
    completely disagree / disagree / neutral / agree / completely agree
    never / rarely | seldom / sometimes | occasionally / often | frequently / always | very often
    never / seldom / sometimes / often / always
    never / sometimes / often / always
    not at all / slightly | a little | a little bit / moderately | somewhat / very | quite a bit / extremely | very much
    not at all / several days / more than half the days / nearly every day
    very dissatisfied / dissatisfied / neutral | neither satisfied nor dissatisfied / satisfied / very satisfied
    very unlikely / unlikely / neutral | neither likely nor unlikely / likely / very likely
    very poor / poor / fair | average / good / very good | excellent
    poor / fair / good / very good / excellent
    very bad / bad / neutral | ok | okay / good / very good
    very low / low / medium | moderate | average / high / very high
    low / medium | moderate / high
    very inaccurate / moderately inaccurate / neither accurate nor inaccurate | neither inaccurate nor accurate / \
        moderately accurate / very accurate
    not important | not at all important / slightly important / moderately important | important / very important / \
        extremely important
    not true / somewhat true / certainly true
    stimme gar nicht zu | stimme überhaupt nicht zu / stimme eher nicht zu | stimme nicht zu / teils teils | neutral | \
        weder noch / stimme eher zu | stimme zu / stimme voll zu | stimme voll und ganz zu
    trifft gar nicht zu | trifft überhaupt nicht zu / trifft eher nicht zu / teils teils / trifft eher zu / \
        trifft voll zu | trifft voll und ganz zu | trifft genau zu
    nie / selten / manchmal | gelegentlich / oft | häufig / immer | sehr oft
    pas du tout d'accord / plutôt pas d'accord | pas d'accord / ni d'accord ni pas d'accord | neutre / \
        plutôt d'accord | d'accord / tout à fait d'accord
    jamais / rarement / parfois | quelquefois / souvent / toujours
    trifft nicht zu | trifft überhaupt nicht zu / trifft eher nicht zu / trifft eher zu / trifft zu | trifft voll zu
    trifft nicht zu / trifft eher nicht zu / teils teils | teils/teils / trifft eher zu / trifft zu
    stimme nicht zu | stimme überhaupt nicht zu / stimme eher nicht zu / stimme eher zu / stimme zu | stimme voll zu
    pas du tout d'accord / plutôt pas d'accord / plutôt d'accord / tout à fait d'accord
    muy en desacuerdo / en desacuerdo / ni de acuerdo ni en desacuerdo | neutral / de acuerdo / muy de acuerdo
    muy en desacuerdo / en desacuerdo / de acuerdo / muy de acuerdo
    discordo totalmente / discordo / não concordo nem discordo | neutro / concordo / concordo totalmente
    per niente d'accordo / poco d'accordo / abbastanza d'accordo / molto d'accordo
    helemaal mee oneens | helemaal oneens / mee oneens | oneens / neutraal / mee eens | eens / helemaal mee eens | \
        helemaal eens
    zdecydowanie się nie zgadzam / raczej się nie zgadzam / raczej się zgadzam / zdecydowanie się zgadzam
    totalmente en desacuerdo / en desacuerdo / ni de acuerdo ni en desacuerdo | neutral / de acuerdo / \
        totalmente de acuerdo
    nunca / rara vez | casi nunca / a veces / a menudo | casi siempre / siempre
"""
"""One scale a line, from low to high, words between bars are one level; of scales that share words the first."""

_NUMBERED = re.compile(r"(\d{1,2})(?:\s*[-–—=:.(]\s*(\D.*)|\s+\D.*)?")
LEAST = 3
"""Distinct words that make a scale; two that both hold another level's word are none."""


@cache
def _scales() -> tuple[tuple[Mapping[str, int], tuple[str, ...]], ...]:
    lines = [line.strip() for line in _SCALES_TEXT.replace("\\\n", "").splitlines() if line.strip()]
    made = []
    for line in lines:
        levels = [[word.strip() for word in level.split("|")] for level in re.split(r"\s/\s", line)]
        ranks = {fold(word): at for at, words in enumerate(levels, 1) for word in words}
        made.append((ranks, tuple(words[0] for words in levels)))
    return tuple(made)


def scale_of(words: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]] | None:
    """Return word -> level from 1, and what the levels are called, where words are answers on a known scale.

    Parameters
    ----------
    words
        The distinct cells.

    Examples
    --------
    >>> scale_of(["Agree", "disagree", "Strongly Agree"])[0]
    {'Agree': 4, 'disagree': 2, 'Strongly Agree': 5}
    >>> scale_of(["often", "red", "never"]) is None
    True
    """
    folded = {word: fold(word) for word in words}
    if len({*folded.values()}) < LEAST:
        return None
    fits = [(ranks, names) for ranks, names in _scales() if all(word in ranks for word in folded.values())]
    if not fits:
        return None
    answered = {*folded.values()}
    # a scale all of whose answers were given, before another that has more
    exact = [fit for fit in fits if {fit[0][word] for word in answered} == {*fit[0].values()}]
    ranks, names = (exact or fits)[0]
    levels = {word: ranks[its] for word, its in folded.items()}
    said = {level: word for word, level in reversed(levels.items())}
    return levels, tuple(said.get(level, name) for level, name in enumerate(names, 1))


def ordered_words(words: Sequence[str]) -> dict[str, int] | None:
    """Return cell -> number, where cells are the numbers of a scale, some of them with its words.

    Examples
    --------
    >>> ordered_words(["1 - not at all", "2", "5 (very much)"])
    {'1 - not at all': 1, '2': 2, '5 (very much)': 5}
    """
    dated = re.compile(r"\b\d{4}\b")  # 3. Mai 1967 is no third answer
    found = {word: m for word in words if (m := _NUMBERED.fullmatch(word.strip())) and not dated.search(word)}
    said: dict[int, set[str]] = {}
    for match in found.values():
        said.setdefault(int(match[1]), set()).add(fold(match[2] or ""))
    twice = any(len(labels - {""}) > 1 for labels in said.values())
    if len(found) < len(words) or twice or len(said) < LEAST or len(said) > 12 or all(not m[2] for m in found.values()):
        return None
    return {word: int(match[1]) for word, match in found.items()}
