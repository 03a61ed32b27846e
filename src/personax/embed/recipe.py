"""How a model's tokens become the vector that its makers mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Attention", "Pooling", "Recipe"]

Attention = Literal["bidirectional", "causal"]
Pooling = Literal["mean", "cls", "lasttoken"]


@dataclass(frozen=True)
class Recipe:
    """What the makers of a text model do to a text and to its tokens; checked on the loaded model where it can be.

    Parameters
    ----------
    attention
        Whether a token sees those after it. Weights of decoders say nothing of it, and the wrong one gives vectors of
        no use.
    pooling
        Which tokens' vectors become the text's.
    end
        A token put after every text, which pooling by the last token needs; empty where the tokenizer ends a text
        itself.
    prompt
        Put before every text that is no query.
    query
        What the makers put before a search query; told, never used, because a biography is none.
    normalise
        Whether the vector has length 1.
    tokens
        Where the makers cut a text; None for what the model's own files say.
    half
        Whether 16 bits with a short exponent (float16) are enough; what overflows there gives vectors of no use.
    own_code
        The makers' repository brings code of its own, and this recipe says what that code does; it is not run.
    """

    attention: Attention
    pooling: Pooling
    end: str = ""
    prompt: str = ""
    query: str = ""
    normalise: bool = True
    tokens: int | None = None
    half: bool = True
    own_code: bool = False
