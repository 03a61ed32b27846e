"""Scores between the levels, from the probabilities of tokens: what a model says on average, not what it says once."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

__all__ = ["expected_scores", "mean_expected"]

MAX_TOKENS: Final = 20_000
"""Tokens of a reply that are looked at."""

_OPENED: Final = r'"(?P<outer>[A-Za-z][A-Za-z0-9_]{0,60})"\s*:\s*\{'
_SCORED: Final = r'"(?P<key>[A-Za-z][A-Za-z0-9_]{0,60})"\s*:\s*"?(?P<digit>\d)(?!\d)'
_SCORES: Final = re.compile(f"{_OPENED}|{_SCORED}")


def expected_scores(tokens: object) -> dict[str, float]:
    """Return the expected score of each key of an answer in numbers.

    For a score that stands as one digit in one token, the alternatives to that token that are digits from 1 to 9 are
    weighted by their probabilities, which sum to one over them: 0, "insufficient information", is no score. Of a key
    that stands several times the last counts, as in a reply with reasoning before it.

    Parameters
    ----------
    tokens
        Each with ``token``, ``logprob`` and ``top_logprobs``, as chat completions give them; anything else is no reason
        to fail, and gives nothing.

    Examples
    --------
    >>> other = [{"token": "3", "logprob": -0.6931}, {"token": "2", "logprob": -0.6931}]
    >>> words = [{"token": '{"zeal": {"score": '}, {"token": "3", "top_logprobs": other}, {"token": "}}"}]
    >>> expected_scores(words)
    {'zeal': 2.5}
    """
    known = [one for one in tokens[:MAX_TOKENS] if isinstance(one, Mapping)] if isinstance(tokens, list) else []
    texts = [one["token"] if isinstance(one.get("token"), str) else "" for one in known]
    ends = list(accumulate(map(len, texts)))
    found: dict[str, float] = {}
    for key, place in _places("".join(texts)):
        at = bisect_right(ends, place)
        mean = _expected(known[at], texts[at])
        if mean is not None:
            found[key] = mean
        else:
            found.pop(key, None)
    return found


def _places(text: str) -> Iterator[tuple[str, int]]:
    """Yield keys of scores in lower case, and where their digit stands."""
    outer = ""
    for match in _SCORES.finditer(text):
        if match["outer"]:
            outer = match["outer"]
        elif match["key"] == "score" and outer:
            yield outer.lower(), match.start("digit")
        elif match["key"] not in ("score", "description", "evidence"):
            yield match["key"].lower(), match.start("digit")


def _expected(token: Mapping[str, Any], text: str) -> float | None:
    """Return the mean digit at a token that is one digit, spaces and quotes aside; None where that is not known."""
    offered = token.get("top_logprobs")
    if not re.fullmatch(r'[\s":]*\d[\s",}]*', text) or not isinstance(offered, list):
        return None
    weights: dict[int, float] = {}
    for one in offered:
        digit = re.fullmatch(r'[\s":]*([1-9])[\s",}]*', str(one.get("token"))) if isinstance(one, Mapping) else None
        chance = one.get("logprob") if digit else None
        if digit and isinstance(chance, int | float) and not isinstance(chance, bool) and math.isfinite(chance):
            weights[int(digit[1])] = weights.get(int(digit[1]), 0.0) + math.exp(min(chance, 0.0))
    total = sum(weights.values())
    return round(sum(level * weight for level, weight in weights.items()) / total, 4) if total > 0 else None


def mean_expected(values: Sequence[float | None]) -> float | None:
    """Return the mean of expected scores; None where one of them is not known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
