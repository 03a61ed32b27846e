"""Encoders of texts and pictures by models: real classes, tiny random weights made here; nothing is fetched."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.embed.small import NEEDS_MODELS

from personax.embed import image_encoder, text_encoder
from personax.embed._encode import encode_all
from personax.embed._encoder import EncoderCard, Vectors
from personax.embed._imagebind import ImageBindEncoder
from personax.errors import ComputationError, InputError

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the package is first imported

pytestmark = [
    NEEDS_MODELS,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "she", "sings", "plays", "tennis", "in", "lima", ".", "##s"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder of the classes of MiniLM."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    inner, outer = tmp_path_factory.mktemp("bert"), tmp_path_factory.mktemp("sentence-bert")
    BertTokenizer(vocab={word: place for place, word in enumerate(WORDS)}).save_pretrained(inner)
    config = BertConfig(vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=37, max_position_embeddings=40)  # fmt: skip
    BertModel(config).save_pretrained(inner)
    transformer = Transformer(str(inner), max_seq_length=32)
    SentenceTransformer(modules=[transformer, Pooling(32)]).save(str(outer))
    return outer


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder of the classes of gte-Qwen2: a decoder whose last token is the vector."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import pre_tokenizers
    from transformers import Qwen2Config, Qwen2Model, Qwen2Tokenizer

    inner, outer = tmp_path_factory.mktemp("qwen"), tmp_path_factory.mktemp("sentence-qwen")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {sign: place for place, sign in enumerate([*letters, "<|endoftext|>"])}
    Qwen2Tokenizer(vocab=vocabulary, merges=[]).save_pretrained(inner)
    config = Qwen2Config(vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, intermediate_size=37, max_position_embeddings=64)  # fmt: skip
    Qwen2Model(config).save_pretrained(inner)
    transformer = Transformer(str(inner), max_seq_length=32)
    SentenceTransformer(modules=[transformer, Pooling(32, pooling_mode="lasttoken")]).save(str(outer))
    return outer


def vision(folder: Path, kind: str) -> Path:
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        Dinov2Config,
        Dinov2Model,
        SiglipConfig,
        SiglipModel,
    )

    small: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2,
                             "num_attention_heads": 4}  # fmt: skip
    seen = small | {"image_size": 32, "patch_size": 8}
    if kind == "clip":
        model: Any = CLIPModel(
            CLIPConfig(text_config=small | {"vocab_size": 99}, vision_config=seen, projection_dim=16)
        )
    elif kind == "siglip":
        model = SiglipModel(SiglipConfig(text_config=small | {"vocab_size": 99}, vision_config=seen))
    else:
        model = Dinov2Model(Dinov2Config(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, image_size=32,
                                         patch_size=8))  # fmt: skip
    model.save_pretrained(folder)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor.save_pretrained(folder)
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(path)
    return paths


TEXTS = ["she sings", "she plays tennis in lima", "", "she plays tennis in lima . " * 40, "half \ud800 a pair 🙂"]


@pytest.mark.parametrize("kind", ["bert", "qwen"])
def test_texts_have_the_same_vector_whatever_else_is_in_the_batch(kind: str, request: pytest.FixtureRequest) -> None:
    encoder = text_encoder(str(request.getfixturevalue(kind)), device="cpu")
    together = encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), encoder.card.dim)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.vstack([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert encoder.card.preprocessing["tokens"] == 32
    assert encoder.card.preprocessing["precision"] == "float32"


def test_instruction_and_length_are_kept_to(bert: Path) -> None:
    plain, told = text_encoder(str(bert)), text_encoder(str(bert), instruction="she sings in ")
    np.testing.assert_allclose(told.encode(["lima"]), plain.encode(["she sings in lima"]), atol=1e-6)
    short = text_encoder(str(bert), tokens=4)
    np.testing.assert_allclose(short.encode(["she sings in lima"]), short.encode(["she sings"]), atol=1e-6)
    assert short.card.preprocessing["tokens"] == 4


@pytest.mark.parametrize(("kind", "dim"), [("clip", 16), ("siglip", 32), ("dinov2", 32)])
def test_pictures_have_the_same_vector_whatever_else_is_in_the_batch(
    kind: str, dim: int, tmp_path_factory: pytest.TempPathFactory, pictures: list[Path]
) -> None:
    encoder = image_encoder(str(vision(tmp_path_factory.mktemp(kind), kind)), device="cpu")
    together = encoder.encode(pictures)
    assert together.shape == (5, dim)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(together, np.vstack([encoder.encode([path]) for path in pictures]), atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-4
    (pictures[0].parent / "bad.png").write_bytes(b"PK\x03\x04 not a picture")
    with pytest.raises(InputError, match="cannot be read as a picture"):
        encoder.encode([pictures[0].parent / "bad.png"])


def test_what_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, said in ((str(tmp_path / "empty"), "cannot be had"), ("minilmm", "did you mean minilm"),
                       ("nobody/no-such-model", "cannot be had")):  # fmt: skip
        with pytest.raises(InputError, match=said):
            text_encoder(name)
    for name, said in ((str(tmp_path / "empty"), "cannot be had"), ("dinov", "did you mean dinov2")):
        with pytest.raises(InputError, match=said):
            image_encoder(name)
    with pytest.raises(InputError, match="cannot be used here"):
        text_encoder("minilm", device="cuda:7")


@pytest.mark.skipif("PERSONAX_MINILM" not in os.environ, reason="opt-in: PERSONAX_MINILM names a folder with MiniLM")
def test_a_real_model_knows_what_is_alike() -> None:
    encoder = text_encoder(os.environ["PERSONAX_MINILM"])
    sport, same, cooking = encoder.encode(["She plays tennis.", "A tennis player.", "How to boil rice."])
    assert encoder.card.dim == 384
    assert sport @ same > sport @ cooking + 0.2


class Counting:
    """An encoder whose vectors are known, that has memory for few, and that may break."""

    def __init__(self, dim: int = 3, room: int = 100, breaks_at: int | None = None) -> None:
        self.card = EncoderCard("counting", "text", 3)
        self.dim, self.room, self.breaks_at = dim, room, breaks_at
        self.seen: list[str] = []
        self.sizes: list[int] = []

    def encode(self, items: Sequence[str]) -> Vectors:
        if len(items) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
        if self.breaks_at is not None and len(self.seen) >= self.breaks_at:
            raise KeyboardInterrupt
        self.seen += items
        self.sizes.append(len(items))
        return np.array([[len(item)] * self.dim for item in items], dtype=np.float32)


def test_each_item_is_encoded_once_and_stands_where_it_was() -> None:
    encoder, items = Counting(), ["a", "bb", "a", "ccc", "bb"]
    found = encode_all(encoder, items, items, batch=2)
    assert found[:, 0].tolist() == [1, 2, 1, 3, 2]
    assert sorted(encoder.seen) == ["a", "bb", "ccc"]
    assert encode_all(Counting(), [], []).shape == (0, 3)
    known = {"a": np.full(3, 9, dtype=np.float32)}
    again = Counting()
    assert encode_all(again, items, items, known=known)[:, 0].tolist() == [9, 2, 9, 3, 2]
    assert "a" not in again.seen


def test_a_batch_that_does_not_fit_is_halved() -> None:
    items = [f"{'x' * i}" for i in range(1, 40)]
    encoder = Counting(room=5)
    assert encode_all(encoder, items, items, batch=32)[:, 0].tolist() == list(range(1, 40))
    assert 1 < max(encoder.sizes) <= 5
    with pytest.raises(ComputationError, match="no memory to encode one item"):
        encode_all(Counting(room=0), items, items)


def test_long_texts_come_first_and_short_ones_fit_in_larger_batches() -> None:
    class Room(Counting):
        def encode(self, items: Sequence[str]) -> Vectors:
            if len(items) * max(map(len, items)) > 400:
                raise MemoryError
            return super().encode(items)

    items = ["x" * (1 + 7 * i % 97) for i in range(97)]
    encoder = Room()
    assert encode_all(encoder, items, items, batch=32)[:, 0].tolist() == [len(item) for item in items]
    lengths = [len(item) for item in encoder.seen]
    assert lengths == sorted(lengths, reverse=True), "a batch holds texts of one length, so little is padded"
    assert encoder.sizes[0] < 5 < max(encoder.sizes)


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.embed._encode.SHARD_SIZE", 4)
    items = [f"{'x' * i}" for i in range(1, 30)]
    with pytest.raises(KeyboardInterrupt):
        encode_all(Counting(breaks_at=16), items, items, batch=4, keep=tmp_path)
    (tmp_path / "000001.npz").write_bytes(b"half a file")
    second = Counting()
    found = encode_all(second, items, items, batch=4, keep=tmp_path)
    assert found[:, 0].tolist() == list(range(1, 30))
    assert len(second.seen) == 29 - 12, "what was kept whole is not encoded again"


def test_vectors_that_cannot_be_right_are_refused() -> None:
    class Nan(Counting):
        def encode(self, items: Sequence[str]) -> Vectors:
            return np.full((len(items), 3), np.nan, dtype=np.float32)

    with pytest.raises(ComputationError, match=r"3 numbers, and gave \(1, 4\)"):
        encode_all(Counting(dim=4), ["a"], ["a"])
    with pytest.raises(ComputationError, match="1 of 1 items missing or infinite"):
        encode_all(Nan(), ["a"], ["a"])


def test_imagebind_gets_the_middle_of_the_picture_as_clip_would_see_it() -> None:
    from personax.embed._imagebind import MEAN, SD, SIDE, prepared

    wide = Image.new("RGB", (900, 300), (255, 0, 0))
    wide.paste((0, 0, 255), (300, 0, 600, 300))
    pixels = prepared(wide)
    assert pixels.shape == (3, SIDE, SIDE)
    blue = ((np.array([0, 0, 255], dtype=np.float32) / 255) - MEAN) / SD
    np.testing.assert_allclose(pixels[:, 100, 60:160], np.repeat(blue[:, None], 100, axis=1), atol=1e-5)


@pytest.mark.skipif("PERSONAX_IMAGEBIND" not in os.environ, reason="opt-in: PERSONAX_IMAGEBIND, with its package there")
def test_a_tiny_imagebind_of_the_real_class(pictures: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    # its loader of sound and film wants packages that no longer install; pictures do not need it
    monkeypatch.setitem(sys.modules, "imagebind.data", types.ModuleType("imagebind.data"))
    models = importlib.import_module("imagebind.models.imagebind_model")
    small = {f"{name}_embed_dim": 16 for name in ("audio", "text", "depth", "thermal", "imu", "vision")}
    small |= {name.replace("embed_dim", "num_blocks"): 1 for name in small}
    small |= {name.replace("embed_dim", "num_heads"): 2 for name in small if name.endswith("embed_dim")}
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    encoder = ImageBindEncoder(models.ImageBindModel(out_embed_dim=16, **small), dim=16)
    found = encoder.encode(pictures)
    assert found.shape == (len(pictures), 16)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(encoder.encode(pictures[1:2]), found[1:2], atol=1e-6)


def test_imagebind_without_its_package_says_what_to_do() -> None:
    if importlib.util.find_spec("imagebind"):
        pytest.skip("imagebind is installed")
    with pytest.raises(InputError, match=r"accept its licence \(CC BY-NC-SA 4.0\)"):
        image_encoder("imagebind")
