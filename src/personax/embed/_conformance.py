"""`check_encoder`: whether an encoder of texts or images keeps the contract that the stage embed relies on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
from PIL import Image

from personax.embed._encoder import Card, Encoder, EncoderOptions, ReadModality, Truncation, Vectors
from personax.errors import PersonaxError
from personax.registry import describe, get

__all__ = ["check_encoder"]

TEXTS: Final = (
    "She sings in Lima.",
    "He was born in Zürich and plays the violin; 東京, 🙂.",
    "a",
    "",
    "half \ud800 a pair",
    "A long text of many words. " * 200,
    "She sings in Lima.",
)


def check_encoder(encoder: str | Encoder[Any], items: Sequence[Any] | None = None, *, tolerance: float = 1e-5) -> None:
    """Check that an encoder does what the stage embed relies on.

    Checked are: the registration; the card; one finite float32 vector of the card's length an item; that items are left
    as they are; that the same items give the same vectors, whatever else is in the batch and in whatever order; an
    empty batch; of texts, empty and broken ones, and what is said of texts that are cut.

    Parameters
    ----------
    encoder
        As registered under ``encoders``, called with the default `EncoderOptions`; or an encoder itself.
    items
        Texts, or paths of pictures; by default seven texts, or five small pictures. At least two different ones.
    tolerance
        How far vectors of one item may differ between batches, relative to their largest number.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.

    Examples
    --------
    >>> check_encoder("hashed")
    """
    name, found = _made(encoder) if isinstance(encoder, str) else (type(encoder).__name__, encoder)
    with tempfile.TemporaryDirectory() as folder:
        checked = _Checked(name, found, items, Path(folder), tolerance)
        for check in _CHECKS:
            check(checked)


def _made(name: str) -> tuple[str, Encoder[Any]]:
    """Return the encoder that is registered under a name, after looking at the registration."""
    try:
        part, make = describe("encoders", name), get("encoders", name)
    except PersonaxError as error:
        raise AssertionError(f"{name}: {error}") from None
    modality = part.facts.get("modality")
    if modality not in get_args(ReadModality):
        text = f'{name}: the registration says modality={modality!r}; put modality="text" or "image" into @register'
        raise AssertionError(text)
    try:
        encoder: Encoder[Any] = make(EncoderOptions())
    except Exception as error:
        text = f"{name}: calling it with EncoderOptions() raises {type(error).__name__} ({error}); return an encoder"
        raise AssertionError(text) from error
    told = getattr(getattr(encoder, "card", None), "modality", modality)
    if told != modality:
        raise AssertionError(f"{name}: it is registered for {modality}, and its card says {told}; say the same")
    return name, encoder


class _Checked:
    """An encoder and items for it."""

    def __init__(
        self, name: str, encoder: Encoder[Any], items: Sequence[Any] | None, folder: Path, tolerance: float
    ) -> None:
        self.name, self.encoder, self.tolerance = name, encoder, tolerance
        card = getattr(encoder, "card", None)
        self.demand(isinstance(card, Card), "it has no card; set self.card to a personax.embed.Card")
        self.card: Card = encoder.card
        self.items = list(items if items is not None else TEXTS if self.card.modality == "text" else _pictures(folder))
        self.vectors = self.encode(self.items, "ordinary items")

    def demand(self, holds: object, text: str) -> None:
        if not holds:
            raise AssertionError(f"{self.name}: {text}")

    def encode(self, items: Sequence[Any], what: str) -> Vectors:
        given = list(items)
        try:
            found = self.encoder.encode(given)
        except Exception as error:
            text = f"{self.name}: on {what} it raises {type(error).__name__} ({error}); return one vector an item"
            raise AssertionError(text) from error
        self.demand(given == list(items), "it changes the list of items; leave it as it is")
        return found

    def demand_same(self, found: Vectors, wanted: Vectors, text: str) -> None:
        self.demand(found.shape == wanted.shape, f"{text}: the shape is {found.shape}, not {wanted.shape}")
        scale = float(np.abs(wanted).max(initial=0.0)) or 1.0
        apart = float(np.abs(found - wanted).max(initial=0.0)) / scale
        self.demand(apart <= self.tolerance, f"{text}: vectors differ by {apart:.1e} of their size")


def _card(of: _Checked) -> None:
    of.demand(of.card.name, "card.name is empty; name the model")
    of.demand(of.card.modality in get_args(ReadModality), f"card.modality is {of.card.modality!r}; say text or image")
    of.demand(
        isinstance(of.card.dim, int) and of.card.dim > 0,
        f"card.dim is {of.card.dim!r}; give the length of a vector",
    )
    of.demand(
        all(isinstance(value, str | int | float | bool) for value in of.card.preprocessing.values()),
        "card.preprocessing holds a value that JSON has no word for; give texts, numbers, true or false",
    )


def _shape(of: _Checked) -> None:
    wanted = (len(of.items), of.card.dim)
    of.demand(isinstance(of.vectors, np.ndarray), f"it returns {type(of.vectors).__name__}; return a numpy array")
    of.demand(
        of.vectors.shape == wanted,
        f"{len(of.items)} items give the shape {of.vectors.shape}; return {wanted}, as card.dim says",
    )
    of.demand(of.vectors.dtype == np.float32, f"vectors are {of.vectors.dtype}; return float32")
    of.demand(np.isfinite(of.vectors).all(), "some numbers are missing or infinite; try float32 inside the model")
    of.demand(len(np.unique(of.vectors, axis=0)) > 1, "all items have the same vector; read the items")


def _repeats(of: _Checked) -> None:
    again = of.encode(of.items, "the same items again")
    of.demand_same(
        again, of.vectors, "the same items are encoded otherwise each time; draw nothing, or from a fixed seed"
    )


def _batches(of: _Checked) -> None:
    alone = np.vstack([of.encode([item], "one item") for item in of.items])
    of.demand_same(alone, of.vectors, "a vector depends on what else is in the batch; mask what pads the batch")
    turned = of.encode(of.items[::-1], "items in another order")[::-1]
    of.demand_same(turned, of.vectors, "a vector depends on the order of the batch")


def _empty(of: _Checked) -> None:
    none = of.encode([], "no items")
    of.demand(
        np.shape(none) == (0, of.card.dim), f"no items give the shape {np.shape(none)}; return (0, {of.card.dim})"
    )


def _truncation(of: _Checked) -> None:
    if of.card.modality != "text":
        return
    of.demand(hasattr(of.encoder, "truncation"), "it has no method truncation(texts); return a Truncation()")
    told = of.encoder.truncation(of.items)  # type: ignore[attr-defined]
    of.demand(isinstance(told, Truncation), f"truncation returns {type(told).__name__}; return a Truncation")
    of.demand(
        told.limit >= 0 and 0 <= told.texts <= len(of.items) and 0 <= told.unread < 1,
        f"truncation says {told}; count texts, and give the share of tokens that are not read",
    )
    of.demand(
        (told.texts > 0) == (told.longest > told.limit > 0),
        f"truncation says {told}; longest is over limit where, and only where, texts are cut",
    )


_CHECKS: Final[tuple[Callable[[_Checked], None], ...]] = (_card, _shape, _repeats, _batches, _empty, _truncation)


def _pictures(folder: Path) -> list[Path]:
    """Write five small pictures: other sizes and shades, with and without transparency."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(5)]
    for number, path in enumerate(paths):
        bands = 4 if number == 3 else 3
        pixels = rng.integers(0, 50 * (number + 1), (24 + 8 * number, 40, bands), dtype=np.uint8)
        Image.fromarray(pixels, "RGBA" if bands == 4 else "RGB").save(path)
    return paths
