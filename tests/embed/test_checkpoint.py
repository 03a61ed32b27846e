"""A model's files: hashed whole, read without code, and refused where what the vectors need is not in them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.embed.small import NEEDS_MODELS, edit, ids, picture_model, text_model

from personax.embed import _checkpoint as checkpoint
from personax.embed import image_encoder, local_weights_hash, text_encoder
from personax.embed._checkpoint import weights_hash
from personax.errors import InputError
from personax.files import sha256

pytestmark = [
    NEEDS_MODELS,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


def without(folder: Path, part: str) -> Path:
    """Take tensors out of a checkpoint."""
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    held = load_file(path)
    left = {name: x for name, x in held.items() if part not in name}
    assert len(left) < len(held)
    save_file(left, path, metadata={"format": "pt"})
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.linear_gradient("L").save(tmp_path / "p.png")
    return tmp_path / "p.png"


@pytest.mark.parametrize("part", ["layer.1.intermediate", "embeddings.position", "LayerNorm"])
def test_texts_without_weights_that_they_need_are_refused(part: str, tmp_path: Path) -> None:
    folder = without(text_model(tmp_path, "bert"), part)
    with pytest.raises(InputError, match=r"embed.text: the checkpoint of .* lacks \d+ of its weights"):
        text_encoder(str(folder), like="minilm", device="cpu")


def test_weights_that_no_vector_needs_may_be_absent(tmp_path: Path) -> None:
    whole = text_model(tmp_path / "whole", "bert")
    wanted = text_encoder(str(whole), like="minilm", device="cpu").encode(["she sings"])
    folder = without(text_model(tmp_path / "less", "bert"), "pooler")
    np.testing.assert_array_equal(text_encoder(str(folder), like="minilm", device="cpu").encode(["she sings"]), wanted)


@pytest.mark.parametrize(
    ("kind", "part"),
    [("vit", "layer.1.output"), ("clip", "visual_projection"), ("siglip", "head.probe"), ("convnext", "stages.1"),
     ("vit_mae", "layernorm.weight"), ("dinov2", "lambda1"), ("beit", "pooler")],
)  # fmt: skip
def test_pictures_without_weights_that_they_need_are_refused(kind: str, part: str, tmp_path: Path) -> None:
    folder = without(picture_model(tmp_path, kind), part)
    with pytest.raises(InputError, match=r"embed.image: the checkpoint of .* lacks \d+ of its weights"):
        image_encoder(str(folder), device="cpu")


def test_the_half_of_clip_that_reads_texts_may_be_absent(tmp_path: Path, picture: Path) -> None:
    wanted = image_encoder(str(picture_model(tmp_path / "whole", "clip")), device="cpu").encode([picture])
    folder = without(picture_model(tmp_path / "half", "clip"), "text_model")
    np.testing.assert_array_equal(image_encoder(str(folder), device="cpu").encode([picture]), wanted)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_text_model_with_its_own_code_is_refused(name: str, tmp_path: Path) -> None:
    folder = text_model(tmp_path, "bert")
    edit(folder, name, auto_map={"AutoModel": "modeling_new.NewModel"})
    ways: list[dict[str, Any]] = [{"pooling": "mean"}, {"like": "gte"}]
    for how in ways:
        with pytest.raises(InputError, match=r"brings code of its own, which is never run"):
            text_encoder(str(folder), **how)


def test_modules_of_nobody_we_know_are_refused(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    inner = text_model(tmp_path / "inner", "bert")
    SentenceTransformer(modules=[Transformer(str(inner)), Pooling(32)]).save(str(tmp_path / "outer"))
    listed = json.loads((tmp_path / "outer" / "modules.json").read_text())
    listed[0]["type"] = "custom_st.Transformer"
    (tmp_path / "outer" / "modules.json").write_text(json.dumps(listed))
    with pytest.raises(InputError, match="brings code of its own"):
        text_encoder(str(tmp_path / "outer"))


def test_a_picture_model_with_its_own_code_is_refused(tmp_path: Path) -> None:
    folder = picture_model(tmp_path, "vit")
    edit(folder, auto_map={"AutoModel": "modeling_other.Other"})
    with pytest.raises(InputError, match=r"embed.image: .* brings code of its own"):
        image_encoder(str(folder))


def test_nothing_is_guessed_about_how_tokens_become_a_vector(tmp_path: Path) -> None:
    folder = text_model(tmp_path, "bert")
    with pytest.raises(InputError, match=r"has no modules.json.*like: NAME of a preset, or pooling"):
        text_encoder(str(folder))
    told = text_encoder(str(folder), pooling="cls", device="cpu")
    assert told.card.preprocessing["pooling"] == "cls"
    np.testing.assert_allclose(
        told.encode(["she sings"]), text_encoder(str(folder), like="bge", device="cpu").encode(["she sings"]), atol=1e-6
    )
    with pytest.raises(InputError, match="did you mean minilm"):
        text_encoder(str(folder), like="minilmm")


def test_the_tokenizer_of_another_model_is_named(tmp_path: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    folder = text_model(tmp_path, "bert")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer.add_tokens(["zebra"])
    tokenizer.save_pretrained(folder)
    encoder = text_encoder(str(folder), pooling="mean", device="cpu")
    assert encoder.encode(["she sings"]).shape[0] == 1
    with pytest.raises(InputError, match=r"tokenizer of .* makes tokens that the model has no weights for"):
        encoder.encode(["zebra"])


def test_a_picture_model_encodes_no_texts(tmp_path: Path) -> None:
    folder = picture_model(tmp_path, "vit")
    with pytest.raises(InputError, match=r"embed.text: the model .* (encodes no texts|cannot be had)"):
        text_encoder(str(folder), pooling="mean", device="cpu")


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no such folder, and no hub gives it"):
        text_encoder(str(tmp_path / "nowhere"), pooling="mean")


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    folder = text_model(tmp_path, "bert")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="cannot be had"):
        text_encoder(str(folder), like="minilm", device="cpu")


def test_a_model_that_draws_its_vectors_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    import transformers

    folder = picture_model(tmp_path, "convnext")
    own = transformers.ConvNextModel.forward

    def random(self: Any, **given: Any) -> Any:
        found = own(self, **given)
        found.pooler_output = found.pooler_output + torch.randn_like(found.pooler_output)
        return found

    monkeypatch.setattr(transformers.ConvNextModel, "forward", random)
    with pytest.raises(InputError, match="another vector of the same picture each time"):
        image_encoder(str(folder), device="cpu")


def test_a_model_without_a_vector_of_a_picture_is_refused(tmp_path: Path) -> None:
    import transformers

    folder = picture_model(tmp_path, "vit")
    heads = [1, 2, 2, 4]
    model = transformers.SegformerModel(
        transformers.SegformerConfig(hidden_sizes=[8, 8, 8, 8], num_attention_heads=heads)
    )
    model.save_pretrained(folder)
    with pytest.raises(InputError, match=r"\(SegformerModel\) gives no vector of a whole picture"):
        image_encoder(str(folder), device="cpu")


def test_the_hash_is_of_every_byte_that_is_read(tmp_path: Path) -> None:
    folder = text_model(tmp_path, "bert")
    first = weights_hash(folder)
    (folder / "README.md").write_text("of no effect")
    assert weights_hash(folder) == first
    raw = bytearray((folder / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (folder / "model.safetensors").write_bytes(raw)
    second = weights_hash(folder)
    assert second != first
    edit(folder, hidden_act="relu")
    assert weights_hash(folder) not in (first, second)


def test_files_that_did_not_change_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = text_model(tmp_path / "model", "bert"), tmp_path / "cache" / "weights.json"
    first = weights_hash(folder, cache)
    read: list[str] = []
    own = sha256

    def watched(path: Path) -> str:
        read.append(path.name)
        return own(path)

    monkeypatch.setattr(checkpoint, "sha256", watched)
    assert weights_hash(folder, cache) == first
    assert not read
    weights = folder / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    os.utime(weights, ns=(0, weights.stat().st_mtime_ns + 1))
    assert weights_hash(folder, cache) != first
    assert read == ["model.safetensors"]
    cache.write_text("half a fi")
    weights_hash(folder, cache)
    assert json.loads(cache.read_text())


def test_another_commit_behind_a_name_of_a_hub_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    held, commits = tmp_path / "models--maker--small", ["a" * 40, "b" * 40]
    for seed, commit in enumerate(commits):
        text_model(held / "snapshots" / commit, "bert", seed=seed)
    (held / "refs").mkdir()
    found = []
    for commit in commits:
        (held / "refs" / "main").write_text(commit)
        encoder = text_encoder("maker/small", like="minilm", device="cpu")
        assert encoder.card.revision == commit
        assert encoder.card.weights == local_weights_hash("text", "maker/small")
        found.append((encoder.card.weights, encoder.encode(["she sings"])))
    assert found[0][0] != found[1][0]
    assert np.abs(found[0][1] - found[1][1]).max() > 1e-3
    first = text_encoder("maker/small", revision=commits[0], like="minilm", device="cpu")
    assert first.card.weights == found[0][0]


def test_clips_weights_are_taken_from_where_they_are_safe_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    held = tmp_path / "models--openai--clip-vit-base-patch32"
    picture_model(held / "snapshots" / ("c" * 40), "clip")
    (held / "refs" / "refs" / "pr").mkdir(parents=True)
    (held / "refs" / "refs" / "pr" / "66").write_text("c" * 40)
    encoder = image_encoder("clip", device="cpu")
    assert (encoder.card.revision, encoder.card.licence) == ("c" * 40, "MIT")
    assert encoder.card.weights == local_weights_hash("image", "clip")


def test_weights_that_are_not_here_are_not_looked_for_elsewhere() -> None:
    assert local_weights_hash("text", "minilm") is None
    assert local_weights_hash("text", "offline") is None
    assert local_weights_hash("image", "imagebind") is None


def test_the_weights_of_imagebind_are_where_its_package_puts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".checkpoints").mkdir()
    found = []
    for content in (b"one", b"two"):
        (tmp_path / ".checkpoints" / "imagebind_huge.pth").write_bytes(content)
        found.append(local_weights_hash("image", "imagebind"))
    assert None not in found
    assert found[0] != found[1]


def test_numbers_too_short_for_a_model_are_refused() -> None:
    with pytest.raises(InputError, match="needs precision: bfloat16 or float32; float16 overflows"):
        text_encoder("gte-qwen2-7b", precision="float16", device="cpu")


def test_what_is_cut_off_is_counted(tmp_path: Path) -> None:
    encoder = text_encoder(str(text_model(tmp_path, "bert")), like="minilm", tokens=8, device="cpu")
    texts = ["she sings", "she plays tennis in lima", "a b " * 10, "", "a " * 6]
    lengths = np.array([len(ids(text)) for text in texts])
    cut = encoder.truncation(texts)
    assert (cut.limit, cut.texts, cut.longest) == (8, 1, 22) == (8, int((lengths > 8).sum()), int(lengths.max()))
    assert cut.unread == pytest.approx((22 - 8) / lengths.sum())
    prompted = text_encoder(str(tmp_path), like="e5", tokens=8, device="cpu")
    assert prompted.truncation(texts).texts == 3, "query: is two tokens more"
    assert text_encoder("offline").truncation(texts).texts == 0
