"""Every preset gives its makers' vectors: small models of its class, against tests/reference/makers.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

pytest.importorskip("safetensors", reason="safetensors is not installed: pip install personax[embed]")
from tests.embed.small import END, LETTERS, NEEDS_MODELS, edit, ids, picture_model, qwen, text_model
from tests.reference import makers

from personax.data.pictures import read_rgb
from personax.embed import encoder_names, image_encoder, text_encoder
from personax.embed._encode import encode_all
from personax.embed._imagebind import prepared
from personax.embed._sentences import SentenceEncoder
from personax.errors import InputError
from personax.registry import get

pytestmark = [
    NEEDS_MODELS,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

Array = NDArray[np.float64]
TEXTS = ["she sings", "she plays tennis in lima . she sings .", "a", "b sings in lima : a b a b"]


def mean(x: Array) -> Array:
    return makers.unit(x.mean(axis=0))


def first(x: Array) -> Array:
    return makers.unit(x[0])


def bert(w: makers.Weights, text: str) -> Array:
    return makers.bert(w, ids(text), heads=4)


def mpnet(w: makers.Weights, text: str) -> Array:
    return makers.mpnet(w, ids(text), heads=4)


def xlmr(w: makers.Weights, text: str) -> Array:
    return makers.bert(w, ids(text), heads=4, first=2)


def letters(text: str) -> list[int]:
    return [LETTERS.index("Ġ" if sign == " " else sign) for sign in text]


def gte_qwen(w: makers.Weights, text: str, *, causal: bool = False, end: bool = True) -> Array:
    tokens = letters(text) + [END] * end
    return makers.unit(makers.qwen2(w, tokens, heads=4, groups=2, base=10000.0, causal=causal)[-1])


MAKERS: dict[str, tuple[str, Callable[[makers.Weights, str], Array]]] = {
    # sbert.net: the mean of the tokens, length 1
    "minilm": ("bert", lambda w, text: mean(bert(w, text))),
    "mpnet": ("mpnet", lambda w, text: mean(mpnet(w, text))),
    # the E5 cards: "query: " before texts that are features
    "e5": ("bert", lambda w, text: mean(bert(w, f"query: {text}"))),
    "multilingual-e5": ("xlm-roberta", lambda w, text: mean(xlmr(w, f"query: {text}"))),
    # the bge card: the first token, no instruction but for queries
    "bge": ("bert", lambda w, text: first(bert(w, text))),
    "gte": ("bert", lambda w, text: mean(bert(w, text))),
    # the gte-Qwen2 cards: every token sees all, the vector of the end token, no instruction but for queries
    "gte-qwen2-7b": ("qwen", gte_qwen),
    "gte-qwen2-1.5b": ("qwen", gte_qwen),
}


def text_folder(folder: Path, kind: str) -> Path:
    return qwen(folder) if kind == "qwen" else text_model(folder, kind)


@pytest.mark.parametrize("name", [name for name in encoder_names("text") if name in MAKERS])
def test_texts_have_their_makers_vectors_whatever_is_beside_them(name: str, tmp_path: Path) -> None:
    kind, recipe = MAKERS[name]
    folder = text_folder(tmp_path, kind)
    wanted = np.array([recipe(makers.weights(folder), text) for text in TEXTS])
    encoder = text_encoder(str(folder), like=name, device="cpu")
    assert encoder.card.dim == 32
    np.testing.assert_allclose(encoder.encode(TEXTS), wanted, atol=2e-6)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1])[::-1], wanted, atol=2e-6)
    np.testing.assert_allclose(np.vstack([encoder.encode([text]) for text in TEXTS]), wanted, atol=2e-6)
    together = encoder.encode([*TEXTS, "she sings " * 18])[:4]
    np.testing.assert_allclose(together, encoder.encode(TEXTS), atol=1e-6)


@pytest.fixture(scope="module", params=["mpnet", "gte-qwen2-7b", "e5"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SentenceEncoder:
    folder = text_folder(tmp_path_factory.mktemp("model"), MAKERS[request.param][0])
    return SentenceEncoder(str(folder), recipe=get("encoders", request.param).recipe, device="cpu")


@settings(max_examples=25)
@given(
    texts=st.lists(st.text(alphabet="abeq :\u4e2d\x00\ud800", max_size=60), min_size=1, max_size=12),
    batch=st.integers(1, 13),
    seed=st.integers(0, 99),
)
def test_vectors_depend_on_no_batch_no_order_and_no_size(
    encoder: SentenceEncoder, texts: list[str], batch: int, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(texts))
    shuffled = [texts[place] for place in order]
    found = encode_all(encoder, shuffled, shuffled, batch=batch)
    alone = np.vstack([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(found, alone[order], atol=1e-6)


def test_a_decoder_read_as_a_decoder_gives_other_vectors(tmp_path: Path) -> None:
    """What this package did before there were recipes: the attention of a decoder, and no end token."""
    folder = qwen(tmp_path)
    with pytest.raises(InputError, match=r"brings code of its own, which is never run.*\(like: NAME\)"):
        text_encoder(str(folder))
    edit(folder, auto_map=None)
    w = makers.weights(folder)
    wanted = np.array([gte_qwen(w, text) for text in TEXTS])
    before = text_encoder(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(before, [gte_qwen(w, text, causal=True, end=False) for text in TEXTS], atol=2e-6)
    assert (np.abs((before * wanted).sum(axis=1)) < 0.8).all()
    mended = text_encoder(str(folder), like="gte-qwen2-7b", device="cpu")
    np.testing.assert_allclose((mended.encode(TEXTS) * wanted).sum(axis=1), 1, atol=1e-6)


def test_what_a_models_files_put_before_a_text_is_put_there_once(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    modules = [Transformer(str(text_model(tmp_path / "inner", "bert"))), Pooling(32)]
    prompts = {"document": "query: ", "search": "b b b: "}
    made = SentenceTransformer(modules=modules, prompts=prompts, default_prompt_name="document")
    made.save(str(tmp_path / "outer"))
    w = makers.weights(tmp_path / "inner")
    own = text_encoder(str(tmp_path / "outer"), device="cpu")
    assert own.card.preprocessing["prompt"] == "query: "
    np.testing.assert_allclose(own.encode(TEXTS), [mean(bert(w, f"query: {text}")) for text in TEXTS], atol=2e-6)
    told = text_encoder(str(tmp_path / "outer"), instruction="a : ", device="cpu")
    np.testing.assert_allclose(told.encode(TEXTS), [mean(bert(w, f"a : {text}")) for text in TEXTS], atol=2e-6)


def test_a_cut_text_still_ends_by_the_end_token(tmp_path: Path) -> None:
    folder = qwen(tmp_path)
    encoder = text_encoder(str(folder), like="gte-qwen2-7b", tokens=6, device="cpu")
    np.testing.assert_allclose(encoder.encode(["abcdefgh"])[0], gte_qwen(makers.weights(folder), "abcde"), atol=2e-6)


def test_attention_that_cannot_be_had_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where transformers is too old to let a decoder see ahead."""
    from transformers.models.qwen2 import modeling_qwen2

    own = modeling_qwen2.create_causal_mask  # type: ignore[attr-defined, unused-ignore]

    def always(config: Any, **more: Any) -> Any:
        monkeypatch.setattr(config, "is_causal", True, raising=False)
        return own(config=config, **more)

    monkeypatch.setattr(modeling_qwen2, "create_causal_mask", always)
    with pytest.raises(InputError, match=r"is not bidirectional, as its makers' is; install transformers 5.2 or newer"):
        text_encoder(str(qwen(tmp_path)), like="gte-qwen2-7b", device="cpu")


NAMES = {
    "hf": {"block": "encoder.layer.{}.", "norm1": "layernorm_before", "norm2": "layernorm_after",
           "q": "attention.attention.query", "k": "attention.attention.key", "v": "attention.attention.value",
           "o": "attention.output.dense", "in": "intermediate.dense", "out": "output.dense"},
    "clip": {"block": "encoder.layers.{}.", "norm1": "layer_norm1", "norm2": "layer_norm2", "q": "self_attn.q_proj",
             "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.out_proj", "in": "mlp.fc1",
             "out": "mlp.fc2"},
}  # fmt: skip
NAMES["dinov2"] = NAMES["hf"] | {"norm1": "norm1", "norm2": "norm2", "in": "mlp.fc1", "out": "mlp.fc2"}


def class_token(w: makers.Weights, pixels: Array, names: str, eps: float) -> Array:
    x = makers.patches(w, "embeddings.patch_embeddings.projection", pixels)
    x = np.vstack([w["embeddings.cls_token"][0], x]) + w["embeddings.position_embeddings"][0]
    return np.asarray(makers.layer_norm(w, "layernorm", makers.blocks(w, x, 4, NAMES[names], eps, makers.gelu), eps)[0])


def vit(w: makers.Weights, pixels: Array) -> Array:
    return class_token(w, pixels, "hf", 1e-12)


def pooled_vit(w: makers.Weights, pixels: Array) -> Array:
    return np.tanh(makers.linear(w, "pooler.dense", vit(w, pixels)))


def dinov2(w: makers.Weights, pixels: Array) -> Array:
    return class_token(w, pixels, "dinov2", 1e-6)


def clip(w: makers.Weights, pixels: Array) -> Array:
    v = makers.below(w, "vision_model.")
    x = np.vstack([v["embeddings.class_embedding"], makers.patches(v, "embeddings.patch_embedding", pixels)])
    x = makers.layer_norm(v, "pre_layrnorm", x + v["embeddings.position_embedding.weight"], 1e-5)
    x = makers.blocks(v, x, 4, NAMES["clip"], 1e-5, makers.quick_gelu)
    return makers.linear(w, "visual_projection", makers.layer_norm(v, "post_layernorm", x[0], 1e-5))


def siglip(w: makers.Weights, pixels: Array) -> Array:
    v = makers.below(w, "vision_model.")
    x = makers.patches(v, "embeddings.patch_embedding", pixels) + v["embeddings.position_embedding.weight"]
    x = makers.layer_norm(v, "post_layernorm", makers.blocks(v, x, 4, NAMES["clip"], 1e-6, makers.gelu_tanh), 1e-6)
    own = np.split(v["head.attention.in_proj_weight"], 3), np.split(v["head.attention.in_proj_bias"], 3)
    q, k, u = (makers.split(y @ m.T + b, 4) for y, m, b in zip((v["head.probe"][0], x, x), *own, strict=True))
    y = makers.linear(v, "head.attention.out_proj", makers.attend(q, k, u))
    inner = makers.gelu_tanh(makers.linear(v, "head.mlp.fc1", makers.layer_norm(v, "head.layernorm", y, 1e-6)))
    return np.asarray((y + makers.linear(v, "head.mlp.fc2", inner))[0])


def convnext(w: makers.Weights, pixels: Array) -> Array:
    return makers.convnext(w, pixels, [1, 2])


SEERS: dict[str, Callable[[makers.Weights, Array], Array]] = {
    "clip": clip, "clip half": clip, "siglip": siglip, "dinov2": dinov2, "vit": pooled_vit, "vit_mae": vit,
    "convnext": convnext,
}  # fmt: skip


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    for i, path in enumerate(paths):
        rough = rng.integers(0, 256, (6 + i, 9, 3), dtype=np.uint8)
        Image.fromarray(rough).resize((47 + i, 60 - 5 * i), Image.Resampling.BILINEAR).save(path)
    return paths


@pytest.mark.parametrize("kind", list(SEERS))
def test_pictures_have_their_makers_vectors_whatever_is_beside_them(
    kind: str, tmp_path: Path, pictures: list[Path]
) -> None:
    folder = picture_model(tmp_path / "model", kind)
    w = makers.weights(folder)
    wanted = np.array([makers.unit(SEERS[kind](w, makers.clip_pixels(Image.open(path), 32))) for path in pictures])
    encoder = image_encoder(str(folder), device="cpu")
    together = encoder.encode(pictures)
    assert together.shape == (4, encoder.card.dim) == wanted.shape
    np.testing.assert_allclose(together, wanted, atol=5e-6)
    np.testing.assert_allclose(np.vstack([encoder.encode([path]) for path in pictures]), together, atol=1e-6)
    np.testing.assert_allclose(encoder.encode(pictures[::-1])[::-1], together, atol=1e-6)


def test_every_preset_is_compared_with_its_makers() -> None:
    # word vectors have no layers to compute again; tests/embed/test_packaged.py has theirs
    assert set(MAKERS) == set(encoder_names("text")) - {"offline", "hashed", "wordllama", "minilm-packaged"}
    assert set(encoder_names("image")) - set(SEERS) == {"offline", "descriptors", "imagebind"}


def test_a_vit_without_pooling_weights_is_read_by_its_class_token(tmp_path: Path, pictures: list[Path]) -> None:
    folder = picture_model(tmp_path / "model", "vit", add_pooling_layer=False)
    encoder = image_encoder(str(folder), device="cpu")
    assert encoder.card.preprocessing["vector"] == "class token"
    wanted = [makers.unit(vit(makers.weights(folder), makers.clip_pixels(Image.open(p), 32))) for p in pictures]
    np.testing.assert_allclose(encoder.encode(pictures), wanted, atol=5e-6)


def sizes(seed: int) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    drawn = [(int(a), int(b)) for a, b in rng.integers(60, 700, (5, 2))]
    # crops that are off the middle by half a pixel, rounded to even; long sides just below a whole number; no resizing
    return [*drawn, (224, 224), (227, 224), (224, 229), (500, 333), (641, 480), (225, 225)]


@pytest.mark.parametrize("size", sizes(0))
def test_imagebind_gets_the_pixels_that_its_authors_loader_gives(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(size))
    rough = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).resize(size, Image.Resampling.BILINEAR)
    wanted = makers.imagebind_pixels(np.asarray(rough))
    found = prepared(rough)
    assert found.shape == (3, 224, 224)
    # a step of one in 255 is .0146 of these units; Pillow's own arithmetic is of whole numbers
    differing = np.abs(found - wanted) > 1e-4
    assert differing.mean() < 2e-3, "places, sizes and kernel are the same"
    assert np.abs(found - wanted).max() < 0.016


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_their_camera_says(orientation: int, tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "p.png", exif=exif)
    with Image.open(tmp_path / "p.png") as raw:
        wanted = np.asarray(ImageOps.exif_transpose(raw).convert("RGB"))
    np.testing.assert_array_equal(np.asarray(read_rgb(tmp_path / "p.png")), wanted)
