"""Small models of the makers' classes, with weights drawn from a seed; nothing is fetched and no file is kept."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the package is first imported

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "she", "sings", "plays", "tennis", "in", "lima", ".", "query", ":", "a", "b"]
SIZES: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4}
SEEN: dict[str, Any] = SIZES | {"image_size": 32, "patch_size": 8}
LETTERS = sorted([*map(chr, range(33, 127)), "Ġ"])
"""Of the byte-level tokens of Qwen2, those of plain English; the space is written Ġ."""
END = len(LETTERS)

NEEDS_MODELS = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("transformers", "sentence_transformers")),
    reason="transformers is not installed: pip install personax[embed]",
)
"""Looked for and not imported: whoever collects the tests need not wait for them."""


def drawn(model: Any, seed: int = 0, size: float = 0.25) -> Any:
    """Draw all weights anew, biases and scales too: as a class draws them, many are 0 or 1 and hide faults."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * size)
    return model.eval()


def words(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>",
        model_max_length=40,
    ).save_pretrained(folder)  # fmt: skip


def ids(text: str) -> list[int]:
    """Return the tokens of a text in lower case, as `words` makes them."""
    spaced = text.replace(":", " : ").replace(".", " . ")
    return [0, *(WORDS.index(word) if word in WORDS else 3 for word in spaced.split()), 2]


def text_model(folder: Path, kind: str, seed: int = 0) -> Path:
    """Save an encoder of words: ``bert``, ``mpnet`` or ``xlm-roberta``, as a bare model of transformers."""
    import transformers as t

    sizes = SIZES | {"vocab_size": len(WORDS), "max_position_embeddings": 48, "pad_token_id": 1}
    if kind == "bert":
        model: Any = t.BertModel(t.BertConfig(**sizes))
    elif kind == "mpnet":
        model = t.MPNetModel(t.MPNetConfig(**sizes))
    else:
        model = t.XLMRobertaModel(t.XLMRobertaConfig(**sizes, type_vocab_size=1, layer_norm_eps=1e-12))
    drawn(model, seed).save_pretrained(folder)
    words(folder)
    return folder


def qwen(folder: Path) -> Path:
    """Save what the hub has of gte-Qwen2: weights of a decoder, pooling, and the sign that it brings its own code."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import Qwen2Config, Qwen2Model, Qwen2Tokenizer

    inner = folder / "inner"
    vocabulary = {sign: place for place, sign in enumerate([*LETTERS, "<|endoftext|>"])}
    Qwen2Tokenizer(vocab=vocabulary, merges=[]).save_pretrained(inner)
    config = Qwen2Config(**SIZES, vocab_size=len(vocabulary), num_key_value_heads=2, max_position_embeddings=64,
                         rms_norm_eps=1e-6)  # fmt: skip
    drawn(Qwen2Model(config), size=0.5).save_pretrained(inner)
    outer = folder / "outer"
    modules = [Transformer(str(inner), max_seq_length=64), Pooling(32, pooling_mode="lasttoken")]
    SentenceTransformer(modules=modules).save(str(outer))
    edit(outer, architectures=["Qwen2ForCausalLM"], auto_map={"AutoModel": "modeling_qwen.Qwen2Model"})
    return outer


def edit(folder: Path, name: str = "config.json", **changes: Any) -> None:
    """Change what a model's configuration says; None takes a word out."""
    path = folder / name
    told = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({k: v for k, v in told.items() if v is not None}), encoding="utf-8")


def picture_model(folder: Path, kind: str, **more: Any) -> Path:
    """Save a model of pictures with CLIP's preprocessing at 32 x 32."""
    import transformers as t

    made: Any
    if kind == "clip":
        made = t.CLIPModel(t.CLIPConfig(text_config=SIZES | {"vocab_size": 99}, vision_config=SEEN, projection_dim=16))
    elif kind == "clip half":
        made = t.CLIPVisionModelWithProjection(t.CLIPVisionConfig(**SEEN, projection_dim=16))
    elif kind == "siglip":
        made = t.SiglipModel(t.SiglipConfig(text_config=SIZES | {"vocab_size": 99}, vision_config=SEEN))
    elif kind == "dinov2":
        made = t.Dinov2Model(t.Dinov2Config(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, image_size=32,
                                            patch_size=8))  # fmt: skip
    elif kind == "vit":
        made = t.ViTModel(t.ViTConfig(**SEEN), **more)
    elif kind == "vit_mae":
        made = t.ViTMAEModel(t.ViTMAEConfig(**SEEN))
    elif kind == "beit":
        made = t.BeitModel(t.BeitConfig(**SEEN), **more)
    else:
        made = t.ConvNextModel(t.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 2], num_stages=2))
    drawn(made).save_pretrained(folder)
    t.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
