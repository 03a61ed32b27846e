"""What a reply says of each trait, by its prompt: a rating, the score of a questionnaire, a quoted passage."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from personax.traits.llms._pictures import Picture
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._reply_parsing import Reply, TraitRating, read_reply
from personax.traits.llms._token_probabilities import mean_expected

__all__ = ["MIN_ANSWERED", "prompt_ratings"]

MIN_ANSWERED: Final = 0.5
"""Share of a trait's items that must be answered for a score; short scales lose too much reliability below."""

_DASHES_AND_QUOTES: Final = str.maketrans("‘’‛“”„«»‐‑‒–—", '\'\'\'"""""-----')


def prompt_ratings(
    reply: Reply, prompt: Prompt, person: Mapping[str, Any], expected: object = None
) -> list[TraitRating]:
    """Return one judgement a trait.

    Parameters
    ----------
    reply, prompt
        What came back, to what.
    person
        Whom it is about: quoted passages are looked for in what the prompt shows of them.
    expected
        Key of the answer -> expected score, by the probabilities of tokens.

    Examples
    --------
    >>> from personax.traits import trait_framework
    >>> prompt = Prompt(ask="items", framework=trait_framework("dark_triad"))
    >>> said = '{"m1": 5, "m2": 1, "m3": 4, "m4": 0, "n1": 0, "n2": 0, "n3": 3, "n4": 0}'
    >>> [(one.trait, one.score, one.status) for one in prompt_ratings(Reply(said), prompt, {})][:2]
    [('machiavellianism', 4.666666666666667, 'ok'), ('narcissism', None, 'insufficient')]
    """
    ratings = read_reply(reply, prompt)
    if isinstance(expected, Mapping):
        ratings = [_with_expected(rating, expected.get(rating.trait), prompt) for rating in ratings]
    if prompt.ask == "items":
        return _item_scores(ratings, prompt)
    if prompt.evidence:
        fields = {name: one for name, one in prompt.context(person).items() if not isinstance(one, Picture)}
        shown = _plain("\n".join(f"{name}: {one}" for name, one in fields.items()))  # as person.jinja has them
        return [_checked(rating, shown) for rating in ratings]
    return ratings


def _item_scores(items: Sequence[TraitRating], prompt: Prompt) -> list[TraitRating]:
    """Return the mean of each trait's items, reversed ones turned round; its words are the answers as they came.

    A trait with too few answers has the status of most of its items.
    """
    by_id = {rating.trait: rating for rating in items}
    found = []
    for trait in prompt.traits:
        own = [item for item in prompt.framework.items if item.trait == trait]
        ratings = [by_id[item.id.lower()] for item in own]
        if not own:
            found.append(TraitRating(trait, "malformed", None, "the framework has no items of it"))
            continue
        answered = [(item, rating) for item, rating in zip(own, ratings, strict=True) if rating.score is not None]
        values = [_turned(rating.score, item.reversed, prompt) for item, rating in answered]
        means = [_turned(rating.expected, item.reversed, prompt) for item, rating in answered]
        told = " ".join(
            f"{item.id}={rating.status if rating.score is None else f'{rating.score:g}'}"
            for item, rating in zip(own, ratings, strict=True)
        )
        if len(values) >= max(1.0, MIN_ANSWERED * len(own)):
            score = mean_expected(values)
            found.append(TraitRating(trait, "ok", score, told, expected=mean_expected(means)))
        else:
            statuses = [rating.status for rating in ratings if rating.score is None]
            words = told if len(set(statuses)) > 1 or values else ratings[0].text or told
            found.append(TraitRating(trait, max(statuses, key=statuses.count), None, words))
    return found


def _turned(value: float | None, reverse: bool, prompt: Prompt) -> float | None:
    return prompt.points + 1 - value if reverse and value is not None else value


def _with_expected(rating: TraitRating, value: object, prompt: Prompt) -> TraitRating:
    """Add the expected score to a rating; the answers of a prompt in words, or off its scale, have none."""
    if not isinstance(value, int | float) or rating.status != "ok" or prompt.format != "number":
        return rating
    return replace(rating, expected=float(value)) if 1 <= value <= prompt.points else rating


def _checked(rating: TraitRating, shown: str) -> TraitRating:
    """Flag a score whose passage is missing, or stands nowhere in what was shown; a flag that it has stays."""
    if rating.status != "ok" or rating.flag is not None:
        return rating
    quoted = _plain(rating.evidence or "").strip("\"' .")
    parts = [part.strip(" .\"'") for part in re.split(r"\.\.\.|…|\[\.\.\.\]", quoted)]
    parts = [part for part in parts if part]
    stands = bool(parts) and all(part in shown for part in parts)
    return rating if stands else replace(rating, flag="unsupported")


def _plain(text: str) -> str:
    """Return a text as it is compared: letters of one form and case, one kind of quotes and dashes, single spaces."""
    folded = unicodedata.normalize("NFKC", text).translate(_DASHES_AND_QUOTES).casefold()
    return " ".join(folded.split())
