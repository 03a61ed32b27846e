"""What an encoder is: items in, one vector an item out; its options, where it runs, how tokens are pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from personax.errors import InputError, require

__all__ = [
    "Attention",
    "Encoder",
    "EncoderCard",
    "EncoderOptions",
    "Item",
    "Pooling",
    "Precision",
    "ReadModality",
    "Recipe",
    "TextEncoder",
    "Truncation",
    "Vectors",
    "resolve_device",
]


Precision = Literal["auto", "float32", "bfloat16", "float16"]

ReadModality = Literal["text", "image"]
"""What an encoder reads."""


def resolve_device(device: str | None, precision: Precision) -> tuple[str, Any]:
    """Return the device, and the type of a model's numbers.

    Parameters
    ----------
    device
        As torch calls it; a GPU where there is one if None.
    precision
        ``auto`` is bfloat16 on a GPU that has it, float16 on one that has not, float32 elsewhere.

    Raises
    ------
    InputError
        For a device that this machine lacks.
    """
    torch = require("torch", extra="embed")
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"embed.device: {device} cannot be used here ({str(error).splitlines()[0]})") from None
    if precision == "auto":
        if not device.startswith("cuda"):
            return device, torch.float32
        return device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return device, getattr(torch, precision)


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
        What the makers put before a search query; known, never used, because a biography is none.
    normalise
        Whether the vector has length 1.
    tokens
        Where the makers cut a text; None for what the model's own files say.
    float16
        Whether 16 bits with a short exponent (float16) are enough; what overflows there gives vectors of no use.
    custom_code
        The makers' repository brings code of its own, and this recipe says what that code does; it is not run.
    """

    attention: Attention
    pooling: Pooling
    end: str = ""
    prompt: str = ""
    query: str = ""
    normalise: bool = True
    tokens: int | None = None
    float16: bool = True
    custom_code: bool = False


Vectors = NDArray[np.float32]

Item = TypeVar("Item", contravariant=True)
"""A text, or the path of a picture."""


@dataclass(frozen=True)
class EncoderCard:
    """What the manifest and a release say of an encoder.

    Parameters
    ----------
    name
        Of the model, as its hub or package calls it.
    modality
        What it reads.
    dim
        Length of a vector.
    revision
        Which version of the weights; empty where nothing says so.
    licence
        Of the weights, which vectors inherit; empty where nobody has looked.
    weights
        SHA-256 of the files of the model; empty for an encoder without any.
    preprocessing
        All that is done to an item before the model sees it, and to a vector after.
    """

    name: str
    modality: ReadModality
    dim: int
    revision: str = ""
    licence: str = ""
    preprocessing: dict[str, str | int | float | bool] = field(default_factory=dict)
    weights: str = ""


@dataclass(frozen=True)
class Truncation:
    """What an encoder does not read of some texts.

    Parameters
    ----------
    limit
        Tokens that it reads of a text, its prompt and special tokens among them; 0 where it reads all.
    texts
        How many are longer.
    longest
        Tokens of the longest.
    unread
        Share of all tokens of all texts that is cut off.
    """

    limit: int = 0
    texts: int = 0
    longest: int = 0
    unread: float = 0.0


class Encoder(Protocol[Item]):
    """Turns items into vectors; the same item has the same vector, whatever else is in its batch."""

    card: EncoderCard

    def encode(self, items: Sequence[Item]) -> Vectors:
        """Return shape (len(items), card.dim).

        Raises
        ------
        MemoryError, torch.OutOfMemoryError
            When the batch is too large for the device; smaller ones are tried then.
        """


@dataclass(frozen=True)
class EncoderOptions:
    """What a study may ask of an encoder; what is registered under ``encoders`` is called with it.

    Parameters
    ----------
    revision
        A commit, tag or branch of a hub.
    recipe, pooling, instruction, tokens
        Of texts: in place of what the encoder itself says; see `personax.embed.text_encoder`.
    dim
        Length of a vector, where the encoder can choose.
    device, precision
        See `resolve_device`.
    cache
        A file that remembers the hashes of large files.
    """

    revision: str | None = None
    recipe: Recipe | None = None
    pooling: Pooling | None = None
    instruction: str = ""
    tokens: int | None = None
    dim: int | None = None
    device: str | None = None
    precision: Precision = "auto"
    cache: Path | None = None


class TextEncoder(Encoder[str], Protocol):
    """An encoder of texts, which says what it cuts off."""

    def truncation(self, texts: Sequence[str]) -> Truncation:
        """Return how many texts are longer than the encoder reads, and by how much."""
