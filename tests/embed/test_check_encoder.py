"""The conformance kit of encoders: ours pass it, each broken one is told what is wrong; what is registered is true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from personax.embed import Encoder, EncoderCard, EncoderOptions, Truncation, Vectors, encoder_names, text_encoder
from personax.errors import InputError
from personax.registry import describe, forget, get, names, parts, register
from personax.testing import check_encoder


class Letters:
    """Counts a and b: a sound encoder, of which each fault below is a child."""

    def __init__(self, **card: Any) -> None:
        facts: dict[str, Any] = {"name": "letters", "modality": "text", "dim": 2}
        self.card = EncoderCard(**(facts | card))

    def encode(self, items: Sequence[str]) -> Vectors:
        return np.array([[text.count("a"), text.count("b") + 1] for text in items], dtype=np.float32).reshape(-1, 2)

    def truncation(self, texts: Sequence[str]) -> Truncation:
        return Truncation()


class Doubles(Letters):
    def encode(self, items: Sequence[str]) -> Any:
        return super().encode(items).astype(np.float64)


class Batched(Letters):
    def encode(self, items: Sequence[str]) -> Vectors:
        return super().encode(items) + np.float32(len(items))


class Ordered(Letters):
    def encode(self, items: Sequence[str]) -> Vectors:
        found = super().encode(items)
        return found + np.arange(len(items), dtype=np.float32)[:, None] * (len(items) > 1)


class Random(Letters):
    def encode(self, items: Sequence[str]) -> Vectors:
        return super().encode(items) + np.random.default_rng().normal(size=(len(items), 2)).astype(np.float32)


class Constant(Letters):
    def encode(self, items: Sequence[str]) -> Vectors:
        return np.ones((len(items), 2), dtype=np.float32)


class Flat(Letters):
    def encode(self, items: Sequence[str]) -> Vectors:
        return super().encode(items) if items else np.zeros(0, dtype=np.float32)


class Infinite(Letters):
    def encode(self, items: Sequence[str]) -> Vectors:
        return super().encode(items) / np.float32(0)


class Ascii(Letters):
    def encode(self, items: Sequence[str]) -> Vectors:
        for text in items:
            text.encode()
        return super().encode(items)


class Silent(Letters):
    def truncation(self, texts: Sequence[str]) -> Truncation:
        return Truncation(limit=10, texts=1, longest=5)


class Changing(Letters):
    def encode(self, items: Sequence[str]) -> Vectors:
        found = super().encode(items)
        if isinstance(items, list):
            items.sort()
        return found


@pytest.mark.parametrize("name", ["hashed", "descriptors"])
def test_ours_pass(name: str) -> None:
    check_encoder(name)


def test_a_sound_one_passes() -> None:
    check_encoder(Letters())


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize(
    ("encoder", "why"),
    [
        (object(), "it has no card"),
        (Letters(name=""), "card.name is empty"),
        (Letters(dim=3), r"\(7, 2\); return \(7, 3\)"),
        (Letters(preprocessing={"a": [1]}), "JSON has no word"),
        (Doubles(), "return float32"),
        (Batched(), "what else is in the batch"),
        (Ordered(), "what else is in the batch"),
        (Random(), "otherwise each time"),
        (Constant(), "read the items"),
        (Flat(), r"return \(0, 2\)"),
        (Infinite(), "missing or infinite"),
        (Ascii(), "UnicodeEncodeError"),
        (Silent(), "longest is over limit"),
        (Changing(), "changes the list"),
    ],
)
def test_a_broken_one_is_told_what_is_wrong(encoder: Encoder[str], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check_encoder(encoder)


@pytest.mark.parametrize(("facts", "why"), [({}, "put modality="), ({"modality": "image"}, "its card says text")])
def test_a_registration_that_says_nothing_or_otherwise(facts: dict[str, Any], why: str) -> None:
    register("encoders", "toy", **facts)(lambda options: Letters())
    try:
        with pytest.raises(AssertionError, match=why):
            check_encoder("toy")
    finally:
        forget("encoders", "toy")


def test_an_encoder_of_another_is_had_by_its_name_with_what_was_asked() -> None:
    asked: list[EncoderOptions] = []

    def make(options: EncoderOptions) -> Letters:
        asked.append(options)
        return Letters()

    register("encoders", "toy", modality="text")(make)
    try:
        check_encoder("toy")
        assert isinstance(text_encoder("toy", tokens=5, dim=2), Letters)
        assert asked[-1] == EncoderOptions(tokens=5, dim=2)
        assert "toy" in encoder_names("text")
        assert "toy" not in encoder_names("image")
        with pytest.raises(InputError, match="no preset of a text model"):
            text_encoder("toy", like="toy")
    finally:
        forget("encoders", "toy")


def test_every_encoder_says_what_it_reads_how_long_its_vectors_are_and_its_licence() -> None:
    for part in parts("encoders"):
        assert part.facts["modality"] in ("text", "image")
        assert "numbers" in part.help
        licence = getattr(get("encoders", part.name), "licence", None)
        assert licence is None or part.help.endswith(f"; {licence}")
    assert describe("encoders", "gte-qwen2-7b").help == "the paper's; 3,584 numbers; Apache-2.0"
    assert describe("encoders", "imagebind").help.endswith("CC-BY-NC-SA-4.0: no commercial use")
    assert set(names("encoders")) == {*encoder_names("text"), *encoder_names("image")} - {"offline"}
