"""`check_encoder`: whether an encoder of texts or images keeps the contract that the stage embed relies on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
from PIL import Image

from personax.conformance import Demand, described, kit, raised, registered
from personax.embed._encoder import Encoder, EncoderCard, EncoderOptions, ReadModality, Truncation, Vectors

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


@kit
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
    if isinstance(encoder, str):
        demand, found = _made(encoder)
    else:
        demand, found = Demand(described(encoder)), encoder
        demand(not isinstance(encoder, type), "a class is given; give an encoder, or the name of a registered one")
    with tempfile.TemporaryDirectory() as folder:
        with demand.rule("ordinary items give vectors"):
            checked = _Checked(demand, found, items, Path(folder), tolerance)
        demand.hold(_RULES, checked)


def _made(name: str) -> tuple[Demand, Encoder[Any]]:
    """Return the encoder that is registered under a name, after looking at the registration."""
    demand, part, make = registered("encoders", name)
    modality = part.facts.get("modality")
    text = f'the registration says modality={modality!r}; put modality="text" or "image" into @register'
    demand(modality in get_args(ReadModality), text)
    with demand.rule("it is called with EncoderOptions()", "return an encoder"):
        encoder: Encoder[Any] = make(EncoderOptions())
        says = getattr(getattr(encoder, "card", None), "modality", modality)
    demand(says == modality, f"it is registered for {modality}, and its card says {says}; say the same")
    return demand, encoder


class _Checked:
    """An encoder and items for it."""

    def __init__(
        self, demand: Demand, encoder: Encoder[Any], items: Sequence[Any] | None, folder: Path, tolerance: float
    ) -> None:
        self.demand, self.encoder, self.tolerance = demand, encoder, tolerance
        card = getattr(encoder, "card", None)
        self.demand(isinstance(card, EncoderCard), "it has no card; set self.card to a personax.embed.EncoderCard")
        self.card: EncoderCard = encoder.card
        self.items = list(items if items is not None else TEXTS if self.card.modality == "text" else _pictures(folder))
        self.vectors = self.encode(self.items, "ordinary items")

    def encode(self, items: Sequence[Any], what: str) -> Vectors:
        given = list(items)
        try:
            found = self.encoder.encode(given)
        except Exception as error:
            raise self.demand.error(f"on {what} it raises {raised(error)}; return one vector an item") from error
        self.demand(given == list(items), "it changes the list of items; leave it as it is")
        text = f"on {what} it returns {described(found)}; return a numpy array of float32"
        self.demand(isinstance(found, np.ndarray) and found.dtype.kind == "f", text)
        return found

    def demand_same(self, found: Vectors, wanted: Vectors, text: str) -> None:
        self.demand(found.shape == wanted.shape, f"{text}: the shape is {found.shape}, not {wanted.shape}")
        scale = float(np.abs(wanted).max(initial=0.0)) or 1.0
        apart = float(np.abs(found - wanted).max(initial=0.0)) / scale  # NaN is no agreement
        self.demand(apart <= self.tolerance, f"{text}: vectors differ by {apart:.1e} of their size")


def _card(checked: _Checked) -> None:
    checked.demand(checked.card.name, "card.name is empty; name the model")
    checked.demand(
        checked.card.modality in get_args(ReadModality),
        f"card.modality is {checked.card.modality!r}; say text or image",
    )
    checked.demand(
        isinstance(checked.card.dim, int) and checked.card.dim > 0,
        f"card.dim is {checked.card.dim!r}; give the length of a vector",
    )
    checked.demand(
        all(isinstance(value, str | int | float | bool) for value in checked.card.preprocessing.values()),
        "card.preprocessing holds a value that JSON has no word for; give texts, numbers, true or false",
    )


def _shape(checked: _Checked) -> None:
    wanted = (len(checked.items), checked.card.dim)
    checked.demand(
        checked.vectors.shape == wanted,
        f"{len(checked.items)} items give the shape {checked.vectors.shape}; return {wanted}, as card.dim says",
    )
    checked.demand(checked.vectors.dtype == np.float32, f"vectors are {checked.vectors.dtype}; return float32")
    checked.demand(
        np.isfinite(checked.vectors).all(), "some numbers are missing or infinite; try float32 inside the model"
    )
    checked.demand(len(np.unique(checked.vectors, axis=0)) > 1, "all items have the same vector; read the items")


def _repeats(checked: _Checked) -> None:
    again = checked.encode(checked.items, "the same items again")
    checked.demand_same(
        again, checked.vectors, "the same items are encoded otherwise each time; draw nothing, or from a fixed seed"
    )


def _batches(checked: _Checked) -> None:
    alone = np.vstack([checked.encode([item], "one item") for item in checked.items])
    checked.demand_same(
        alone, checked.vectors, "a vector depends on what else is in the batch; mask what pads the batch"
    )
    turned = checked.encode(checked.items[::-1], "items in another order")[::-1]
    checked.demand_same(turned, checked.vectors, "a vector depends on the order of the batch")


def _empty(checked: _Checked) -> None:
    none = checked.encode([], "no items")
    checked.demand(
        np.shape(none) == (0, checked.card.dim),
        f"no items give the shape {np.shape(none)}; return (0, {checked.card.dim})",
    )


def _truncation(checked: _Checked) -> None:
    if checked.card.modality != "text":
        return
    checked.demand(hasattr(checked.encoder, "truncation"), "it has no method truncation(texts); return a Truncation()")
    cut = checked.encoder.truncation(checked.items)  # type: ignore[attr-defined]
    checked.demand(isinstance(cut, Truncation), f"truncation returns {type(cut).__name__}; return a Truncation")
    checked.demand(
        cut.limit >= 0 and 0 <= cut.texts <= len(checked.items) and 0 <= cut.unread < 1,
        f"truncation says {cut}; count texts, and give the share of tokens that are not read",
    )
    checked.demand(
        (cut.texts > 0) == (cut.longest > cut.limit > 0),
        f"truncation says {cut}; longest is over limit where, and only where, texts are cut",
    )


_RULES: Final[dict[str, Callable[[_Checked], None]]] = {
    "the card describes the encoder": _card,
    "every item has one finite vector of the card's length": _shape,
    "the same items give the same vectors": _repeats,
    "a vector does not depend on the batch": _batches,
    "an empty batch gives no vectors": _empty,
    "it says which texts are cut": _truncation,
}


def _pictures(folder: Path) -> list[Path]:
    """Write five small pictures: other sizes and shades, with and without transparency."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(5)]
    for number, path in enumerate(paths):
        bands = 4 if number == 3 else 3
        pixels = rng.integers(0, 50 * (number + 1), (24 + 8 * number, 40, bands), dtype=np.uint8)
        Image.fromarray(pixels, "RGBA" if bands == 4 else "RGB").save(path)
    return paths
