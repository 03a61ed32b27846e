"""What the makers of encoders compute, written anew in numpy from their model cards and papers, on weight files.

Texts: BERT (Devlin et al. 2019, arXiv:1810.04805), MPNet's relative positions (Song et al. 2020, arXiv:2004.09297; the
buckets of Raffel et al. 2020, arXiv:1910.10683), XLM-R's positions, and Qwen2 (Yang et al. 2024, arXiv:2407.10671) as
gte-Qwen2 uses it: every token sees all others, <|endoftext|> is put after a text, and its vector is the text's.
Pictures: ViT (Dosovitskiy et al. 2021, arXiv:2010.11929), as CLIP, SigLIP, DINOv2 and MAE vary it, and ConvNeXt (Liu et
al. 2022, arXiv:2201.03545). One item at a time, in 64 bits: nothing is padded, nothing batched, nothing masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file
from scipy.special import erf

Array = NDArray[np.float64]
Weights = Mapping[str, Array]


def weights(folder: Path) -> Weights:
    return {name: x.astype(np.float64) for name, x in load_file(folder / "model.safetensors").items()}


def below(w: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): x for name, x in w.items() if name.startswith(prefix)}


def linear(w: Weights, name: str, x: Array) -> Array:
    bias = w.get(f"{name}.bias")
    return x @ w[f"{name}.weight"].T + (0 if bias is None else bias)


def layer_norm(w: Weights, name: str, x: Array, eps: float) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])


def gelu(x: Array) -> Array:
    return np.asarray(x * 0.5 * (1 + erf(x / np.sqrt(2))))


def gelu_tanh(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))


def quick_gelu(x: Array) -> Array:
    return np.asarray(x / (1 + np.exp(-1.702 * x)))


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def split(x: Array, heads: int) -> Array:
    """Return (heads, tokens, size of a head)."""
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)


def attend(q: Array, k: Array, v: Array, bias: Array | float = 0.0) -> Array:
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1]) + bias
    return (softmax(scores) @ v).transpose(1, 0, 2).reshape(q.shape[1], -1)


def unit(x: Array) -> Array:
    return np.asarray(x / np.linalg.norm(x))


# texts


def bert(w: Weights, ids: Sequence[int], *, heads: int, first: int = 0, eps: float = 1e-12) -> Array:
    """Return the vectors of all tokens; ``first`` is the first position, 2 of XLM-R, which counts from its pad."""
    e = "embeddings."
    x = w[f"{e}word_embeddings.weight"][list(ids)] + w[f"{e}position_embeddings.weight"][first : first + len(ids)]
    x = layer_norm(w, f"{e}LayerNorm", x + w[f"{e}token_type_embeddings.weight"][0], eps)
    for layer in range(sum(name.endswith("attention.self.query.weight") for name in w)):
        o = f"encoder.layer.{layer}."
        q, k, v = (split(linear(w, f"{o}attention.self.{one}", x), heads) for one in ("query", "key", "value"))
        x = layer_norm(
            w, f"{o}attention.output.LayerNorm", x + linear(w, f"{o}attention.output.dense", attend(q, k, v)), eps
        )
        inner = gelu(linear(w, f"{o}intermediate.dense", x))
        x = layer_norm(w, f"{o}output.LayerNorm", x + linear(w, f"{o}output.dense", inner), eps)
    return x


def bucket(distance: int, buckets: int = 32, most: int = 128) -> int:
    """Return the class of how far, and on which side, another token stands: 16 to each side, wider and wider."""
    half = buckets // 2
    exact = half // 2
    side, far = (half, distance) if distance > 0 else (0, -distance)
    if far < exact:
        return side + far
    return side + min(half - 1, exact + int(np.log(far / exact) / np.log(most / exact) * (half - exact)))


def mpnet(w: Weights, ids: Sequence[int], *, heads: int, eps: float = 1e-12) -> Array:
    n = len(ids)
    x = w["embeddings.word_embeddings.weight"][list(ids)] + w["embeddings.position_embeddings.weight"][2 : 2 + n]
    x = layer_norm(w, "embeddings.LayerNorm", x, eps)
    table = w["encoder.relative_attention_bias.weight"]
    bias = np.array([[table[bucket(j - i)] for j in range(n)] for i in range(n)]).transpose(2, 0, 1)
    for layer in range(sum(name.endswith("attention.attn.q.weight") for name in w)):
        o = f"encoder.layer.{layer}."
        q, k, v = (split(linear(w, f"{o}attention.attn.{one}", x), heads) for one in "qkv")
        x = layer_norm(w, f"{o}attention.LayerNorm", x + linear(w, f"{o}attention.attn.o", attend(q, k, v, bias)), eps)
        inner = gelu(linear(w, f"{o}intermediate.dense", x))
        x = layer_norm(w, f"{o}output.LayerNorm", x + linear(w, f"{o}output.dense", inner), eps)
    return x


def rms_norm(scale: Array, x: Array, eps: float) -> Array:
    return np.asarray(scale * x / np.sqrt((x**2).mean(-1, keepdims=True) + eps))


def turned(x: Array, base: float) -> Array:
    """Return queries or keys turned by their place (Su et al. 2021, arXiv:2104.09864), halves of a head as pairs."""
    tokens, size = x.shape[1:]
    angle = np.arange(tokens)[:, None] * base ** (-np.arange(0, size, 2) / size)
    one, two = x[..., : size // 2], x[..., size // 2 :]
    return np.concatenate(
        [one * np.cos(angle) - two * np.sin(angle), two * np.cos(angle) + one * np.sin(angle)], axis=-1
    )


def qwen2(
    w: Weights, ids: Sequence[int], *, heads: int, groups: int, base: float, causal: bool, eps: float = 1e-6
) -> Array:
    x, n = w["embed_tokens.weight"][list(ids)], len(ids)
    hidden = np.triu(np.full((n, n), -np.inf), 1) if causal else 0.0
    for layer in range(sum(name.endswith("self_attn.q_proj.weight") for name in w)):
        o = f"layers.{layer}."
        y = rms_norm(w[f"{o}input_layernorm.weight"], x, eps)
        q = turned(split(linear(w, f"{o}self_attn.q_proj", y), heads), base)
        k = turned(split(linear(w, f"{o}self_attn.k_proj", y), groups), base)
        v = split(linear(w, f"{o}self_attn.v_proj", y), groups)
        k, v = (np.repeat(one, heads // groups, axis=0) for one in (k, v))
        x = x + linear(w, f"{o}self_attn.o_proj", attend(q, k, v, hidden))
        y = rms_norm(w[f"{o}post_attention_layernorm.weight"], x, eps)
        gate = linear(w, f"{o}mlp.gate_proj", y)
        x = x + linear(w, f"{o}mlp.down_proj", gate / (1 + np.exp(-gate)) * linear(w, f"{o}mlp.up_proj", y))
    return rms_norm(w["norm.weight"], x, eps)


# pictures


def patches(w: Weights, name: str, pixels: Array) -> Array:
    """Return the vectors of the patches, row by row; pixels have shape (3, height, width)."""
    kernel = w[f"{name}.weight"]
    side, (_, high, wide) = kernel.shape[-1], pixels.shape
    cut = pixels.reshape(3, high // side, side, wide // side, side).transpose(1, 3, 0, 2, 4)
    found = cut.reshape(-1, 3 * side * side) @ kernel.reshape(len(kernel), -1).T
    return np.asarray(found + w.get(f"{name}.bias", np.zeros(len(kernel))))


def blocks(w: Weights, x: Array, heads: int, names: Mapping[str, str], eps: float, act: Any) -> Array:
    """Run the blocks of a ViT, which normalise before; ``names`` says what a model calls their parts."""
    at = 0
    while f"{names['block'].format(at)}{names['norm1']}.weight" in w:
        o = names["block"].format(at)
        y = layer_norm(w, o + names["norm1"], x, eps)
        q, k, v = (split(linear(w, o + names[one], y), heads) for one in "qkv")
        x = x + linear(w, o + names["o"], attend(q, k, v)) * w.get(f"{o}layer_scale1.lambda1", 1.0)
        y = act(linear(w, o + names["in"], layer_norm(w, o + names["norm2"], x, eps)))
        x = x + linear(w, o + names["out"], y) * w.get(f"{o}layer_scale2.lambda1", 1.0)
        at += 1
    assert at, "no block has these names"
    return x


def squares(w: Weights, x: Array) -> Array:
    """ConvNeXt's 7 x 7 convolution, one channel at a time, zeros around."""
    kernel, wide = w["dwconv.weight"][:, 0], np.pad(x, ((0, 0), (3, 3), (3, 3)))
    seen = np.lib.stride_tricks.sliding_window_view(wide, (7, 7), axis=(1, 2))
    return np.asarray(np.einsum("chwij,cij->chw", seen, kernel) + w["dwconv.bias"][:, None, None])


def over_channels(w: Weights, name: str, x: Array, eps: float) -> Array:
    return layer_norm(w, name, x.transpose(1, 2, 0), eps).transpose(2, 0, 1)


def convnext(w: Weights, pixels: Array, depths: Sequence[int]) -> Array:
    """Return the normalised mean over the picture."""

    def halved(name: str, x: Array) -> Array:
        side = w[f"{name}.weight"].shape[-1]
        channels, high, wide = x.shape
        cut = x.reshape(channels, high // side, side, wide // side, side).transpose(1, 3, 0, 2, 4)
        flat = cut.reshape(high // side, wide // side, -1) @ w[f"{name}.weight"].reshape(len(w[f"{name}.weight"]), -1).T
        return np.asarray((flat + w[f"{name}.bias"]).transpose(2, 0, 1))

    x = over_channels(w, "embeddings.layernorm", halved("embeddings.patch_embeddings", pixels), 1e-6)
    for stage, depth in enumerate(depths):
        o = f"encoder.stages.{stage}."
        if stage:
            x = halved(f"{o}downsampling_layer.1", over_channels(w, f"{o}downsampling_layer.0", x, 1e-6))
        for at in range(depth):
            own = below(w, f"{o}layers.{at}.")
            y = layer_norm(own, "layernorm", squares(own, x).transpose(1, 2, 0), 1e-6)
            y = linear(own, "pwconv2", gelu(linear(own, "pwconv1", y))) * own["layer_scale_parameter"]
            x = x + y.transpose(2, 0, 1)
    return layer_norm(w, "layernorm", x.mean(axis=(1, 2)), 1e-12)


def bicubic(picture: NDArray[np.uint8], wide: int, high: int) -> NDArray[np.uint8]:
    """Return an 8-bit picture resized as Pillow does: Keys' kernel, a = -1/2, widened where a picture shrinks; first
    across and then down, each time rounded to 8 bits."""

    def kernel(x: Array) -> Array:
        x = np.abs(x)
        near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
        return np.where(x < 1, near, np.where(x < 2, far, 0.0))

    def along(x: Array, size: int) -> Array:
        scale = x.shape[0] / size
        widened = max(scale, 1.0)
        made = []
        for at in range(size):
            centre = (at + 0.5) * scale
            low, top = max(0, int(centre - 2 * widened + 0.5)), min(x.shape[0], int(centre + 2 * widened + 0.5))
            share = kernel((np.arange(low, top) - centre + 0.5) / widened)
            made.append(np.tensordot(share / share.sum(), x[low:top], axes=1))
        return np.clip(np.floor(np.array(made) + 0.5), 0, 255)

    across = along(picture.astype(np.float64).transpose(1, 0, 2), wide).transpose(1, 0, 2)
    return along(across, high).astype(np.uint8)


def imagebind_pixels(picture: NDArray[np.uint8]) -> Array:
    """Return what ImageBind's loader gives: short side 224, long side rounded down, the middle, CLIP's scale."""
    high, wide = picture.shape[:2]
    short = min(high, wide)
    new_wide, new_high = int(224 * wide / short), int(224 * high / short)
    resized = bicubic(picture, new_wide, new_high)
    top, left = round((new_high - 224) / 2.0), round((new_wide - 224) / 2.0)
    middle = resized[top : top + 224, left : left + 224].astype(np.float64) / 255
    mean, sd = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    return np.asarray(((middle - mean) / sd).transpose(2, 0, 1))


def clip_pixels(picture: Image.Image, side: int) -> Array:
    """Return a picture as CLIP's processor prepares it, its short side first."""
    wide, high = picture.size
    short = min(wide, high)
    resized = np.asarray(picture.resize((int(side * wide / short), int(side * high / short)), Image.Resampling.BICUBIC))
    top, left = (resized.shape[0] - side) // 2, (resized.shape[1] - side) // 2
    middle = resized[top : top + side, left : left + side].astype(np.float64) / 255
    mean, sd = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    return np.asarray(((middle - mean) / sd).transpose(2, 0, 1))
