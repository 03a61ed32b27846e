"""Replies and keys as a journal keeps them: short; a million people, three models, five repeats are 15 million.

A reply is deflated by a fixed dictionary of what such replies have in common; it holds nothing of anybody, so that what
is forgotten is gone. A key that is a SHA-256 is 32 bytes in place of 64 letters.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["deflated", "earlier_text", "inflated", "reply_text", "stored_key", "text_key"]

MAX_BYTES: Final = 2**30
"""Of one reply, or of a block of them, unpacked."""

MARK: Final = b"\x01"
"""Begins a reply that was deflated by `DICTIONARY`; a later dictionary has another one."""

_TRAITS: Final = (
    "honesty_humility", "emotionality", "openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism",
)  # fmt: skip

_WORDS: Final = (
    "a able about above achievement across active after again all also always am among an and anxious any "
    "appear appears are aspects assertive at attention balanced be because been before behaviour behavior "
    "being between both but by calm calmness can career caring challenges clear collaboration commitment "
    "committed community competitive confidence confident consistent consistently cooperative could creative "
    "creativity critical curious curiosity dedicated dedication demonstrates described description detail "
    "determination determined direct disciplined discipline does driven during each emotional emotionally "
    "empathy energetic engaged engagement enthusiasm even evidence exhibits explicit explicitly expresses "
    "expressive focus focused for forms friendly from generally generous given goals had handles hard-working "
    "has have he helpful her high highly him his how however humble ideas if imaginative in independent "
    "indicate indicated indicates indicating information innovative insufficient interest interests interviews "
    "into involvement is it its kind known leadership leading lack leads less level like likely limited little "
    "long low maintains making may medium mentioned mentions might mixed moderate more most much neither new "
    "no not nothing of often on one open openness or organised organized other others out outgoing outspoken "
    "over particular passion patient people performance persistence persistent person personal personality "
    "philanthropy planning play positive practical prepared presence pressure private professional provided "
    "public publicly rarely rather reflects reliable reserved resilience resilient respect responsible role "
    "said seems self-control sensitive several she shown shows signs situations sociable social some speaks "
    "specific stability stable stated statements strong stress style such suggest suggests supportive team "
    "teamwork temperament tends tense text than that the their them there these they this though thoughtful "
    "through to toward towards training traits trusting under unclear unknown usually values variety very warm "
    "was well were what when where which while who willing willingness with without work working works worry "
    "would years yet young "
)


def _dictionary() -> bytes:
    """Return what replies have in common, the commonest last, where deflating finds it soonest."""
    answers = [{trait: {"description": "", "score": level} for trait in _TRAITS} for level in (3, 1, 2)]
    words = " " + _WORDS
    starts = " The person is described as Shows a Known for There is no information on Appears to be"
    frames = [
        json.dumps({"content": json.dumps(answer), "refusal": None, "finish": "stop",
                    "upstream": {"model": "gpt", "system_fingerprint": "fp_", "id": "chatcmpl-", "choices": 1}})
        for answer in answers
    ]  # fmt: skip
    return "".join([words, starts, *frames]).encode()


DICTIONARY: Final = _dictionary()


def deflated(text: bytes) -> bytes:
    """Return a text deflated by `DICTIONARY`."""
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    return MARK + deflating.compress(text) + deflating.flush()


def inflated(kept: object) -> bytes:
    """Return a text that was deflated.

    Raises
    ------
    ValueError
        It is none.
    """
    if not isinstance(kept, bytes) or kept[:1] != MARK:
        raise ValueError("no reply")
    inflating = zlib.decompressobj(-zlib.MAX_WBITS, DICTIONARY)
    try:
        text = inflating.decompress(kept[1:], MAX_BYTES)
    except zlib.error:
        raise ValueError("no reply") from None
    if not inflating.eof:
        raise ValueError("no whole reply")
    return text


def reply_text(reply: Mapping[str, Any]) -> bytes:
    """Return a reply as JSON; halves of characters are marked, for no file takes them."""
    return json.dumps(reply, ensure_ascii=False).encode("utf-8", "replace")


def earlier_text(kept: object) -> bytes:
    """Return the text of a reply as formats 1 and 2 kept it; what was changed by hand stays as it is."""
    if isinstance(kept, str):
        return kept.encode("utf-8", "replace")
    try:
        return inflated(kept)
    except ValueError:
        return kept if isinstance(kept, bytes) else str(kept).encode()


_SHA256: Final = re.compile("[0-9a-f]{64}")


def stored_key(key: str | bytes) -> str | bytes:
    """Return a key as a journal keeps it."""
    return bytes.fromhex(key) if isinstance(key, str) and _SHA256.fullmatch(key) else key


def text_key(key: object) -> str:
    """Return a key as everything else knows it.

    Examples
    --------
    >>> text_key(stored_key("a" * 64)) == "a" * 64, text_key(stored_key("k"))
    (True, 'k')
    """
    return key.hex() if isinstance(key, bytes) else str(key)
