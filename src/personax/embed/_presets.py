"""Encoders by a short name: the paper's, some with a permissive licence, and the offline ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from personax.embed._checkpoint import seen
from personax.embed._encoder import Encoder, Pooling, Precision, Recipe, TextEncoder
from personax.errors import InputError
from personax.strict import nearest

__all__ = ["IMAGE_PRESETS", "TEXT_PRESETS", "Preset", "image_encoder", "text_encoder", "weights_seen"]

SEARCH: Final = "Given a web search query, retrieve relevant passages that answer the query"
GTE_QWEN: Final = Recipe(
    "bidirectional",
    "lasttoken",
    end="<|endoftext|>",
    query=f"Instruct: {SEARCH}\nQuery: ",
    tokens=8192,
    half=False,
    own_code=True,
)
MEAN: Final = Recipe("bidirectional", "mean")
E5: Final = Recipe("bidirectional", "mean", prompt="query: ", query="query: ", tokens=512)
"""Its makers put ``query:`` before texts whose vectors are features, and ``passage:`` only before what is searched."""
BGE: Final = Recipe(
    "bidirectional", "cls", query="Represent this sentence for searching relevant passages: ", tokens=512
)


@dataclass(frozen=True)
class Preset:
    """A model and what is known of it; that vectors are its makers' is tested for each, on small models of its class.

    Parameters
    ----------
    model
        Its id on the hub.
    dim
        Length of its vectors.
    licence
        Of the weights, as its hub page says.
    kind
        Which of our classes loads it.
    recipe
        How its makers use it; of texts.
    revision
        Where its weights lie as safetensors, when not on the main branch.
    """

    model: str
    dim: int
    licence: str
    kind: Literal["sentences", "vision", "imagebind", "offline"]
    recipe: Recipe | None = None
    revision: str | None = None


TEXT_PRESETS: Final[Mapping[str, Preset]] = {
    "offline": Preset("hashed n-grams", 384, "Apache-2.0", "offline"),
    "gte-qwen2-7b": Preset("Alibaba-NLP/gte-Qwen2-7B-instruct", 3584, "Apache-2.0", "sentences", GTE_QWEN),
    "gte-qwen2-1.5b": Preset("Alibaba-NLP/gte-Qwen2-1.5B-instruct", 1536, "Apache-2.0", "sentences", GTE_QWEN),
    "minilm": Preset("sentence-transformers/all-MiniLM-L6-v2", 384, "Apache-2.0", "sentences", MEAN),
    "mpnet": Preset("sentence-transformers/all-mpnet-base-v2", 768, "Apache-2.0", "sentences", MEAN),
    "e5": Preset("intfloat/e5-base-v2", 768, "MIT", "sentences", E5),
    "multilingual-e5": Preset("intfloat/multilingual-e5-large", 1024, "MIT", "sentences", E5),
    "bge": Preset("BAAI/bge-base-en-v1.5", 768, "MIT", "sentences", BGE),
    "gte": Preset("thenlper/gte-base", 768, "MIT", "sentences", MEAN),
}
"""``gte-qwen2-7b`` is the paper's."""

IMAGE_PRESETS: Final[Mapping[str, Preset]] = {
    "offline": Preset("colours and edges", 512, "Apache-2.0", "offline"),
    "imagebind": Preset("imagebind_huge", 1024, "CC-BY-NC-SA-4.0", "imagebind"),
    "clip": Preset("openai/clip-vit-base-patch32", 512, "MIT", "vision", revision="refs/pr/66"),
    "dinov2": Preset("facebook/dinov2-base", 768, "Apache-2.0", "vision"),
    "siglip": Preset("google/siglip-base-patch16-224", 768, "Apache-2.0", "vision"),
    "vit": Preset("google/vit-base-patch16-224", 768, "Apache-2.0", "vision"),
}
"""``imagebind`` is the paper's; its weights are for non-commercial use."""


def text_encoder(
    name: str,
    *,
    revision: str | None = None,
    like: str | None = None,
    pooling: Pooling | None = None,
    instruction: str = "",
    tokens: int | None = None,
    dim: int | None = None,
    device: str | None = None,
    precision: Precision = "auto",
    base: Path | None = None,
    cache: Path | None = None,
) -> TextEncoder:
    """Return the encoder of a preset of texts, or of any model of sentence-transformers by its id or folder.

    Parameters
    ----------
    name
        A preset, an id of a hub or a folder.
    revision
        A commit, tag or branch of the hub.
    like
        The preset whose recipe an own copy, or a child, of its model follows.
    pooling, instruction, tokens, device, precision
        See `SentenceEncoder`.
    dim
        Length of the offline encoder's vectors.
    base
        Folder from which the path of a model starts.
    cache
        A file that remembers the hashes of large files.

    Raises
    ------
    InputError
        For a name that is none of these.
    """
    from personax.embed._offline import HashedEncoder
    from personax.embed._sentences import SentenceEncoder

    preset = _preset("text", name, TEXT_PRESETS, base)
    if preset is not None and preset.kind == "offline":
        return HashedEncoder(dim or preset.dim)
    recipe = preset.recipe if preset else None
    if like is not None:
        if like not in TEXT_PRESETS or TEXT_PRESETS[like].recipe is None:
            known = [one for one, its in TEXT_PRESETS.items() if its.recipe]
            raise InputError(f"embed.text: like: {like} is no preset of a text model; {nearest(like, known)}")
        recipe = TEXT_PRESETS[like].recipe
    return SentenceEncoder(
        preset.model if preset else _place(name, base), revision=revision, recipe=recipe, pooling=pooling,
        instruction=instruction, tokens=tokens, device=device, precision=precision,
        licence=preset.licence if preset else "", name=preset.model if preset else name, cache=cache,
    )  # fmt: skip


def image_encoder(
    name: str,
    *,
    revision: str | None = None,
    dim: int | None = None,
    device: str | None = None,
    precision: Precision = "auto",
    base: Path | None = None,
    cache: Path | None = None,
) -> Encoder[Path]:
    """Return the encoder of a preset of pictures, or of any model of transformers by its id or folder.

    Parameters
    ----------
    name, revision, dim, device, precision, base, cache
        See `text_encoder`.

    Raises
    ------
    InputError
        For a name that is neither.
    """
    from personax.embed._imagebind import ImageBindEncoder
    from personax.embed._offline import DescriptorEncoder
    from personax.embed._vision import VisionEncoder

    preset = _preset("image", name, IMAGE_PRESETS, base)
    if preset is not None and preset.kind == "offline":
        return DescriptorEncoder(dim or preset.dim)
    how: dict[str, Any] = {"device": device, "precision": precision, "cache": cache}
    if preset is not None and preset.kind == "imagebind":
        return ImageBindEncoder(**how)
    if preset is None:
        return VisionEncoder(_place(name, base), revision=revision, name=name, **how)
    return VisionEncoder(preset.model, revision=revision or preset.revision, licence=preset.licence, **how)


def weights_seen(
    modality: Literal["text", "image"],
    name: str,
    revision: str | None = None,
    *,
    base: Path | None = None,
    cache: Path | None = None,
) -> str | None:
    """Return the hash of the files of an encoder's model as they are on this machine now; None where none are here."""
    preset = (TEXT_PRESETS if modality == "text" else IMAGE_PRESETS).get(name)
    if preset is not None and preset.kind == "offline":
        return None
    if preset is not None and preset.kind == "imagebind":
        from personax.embed._imagebind import imagebind_weights

        return imagebind_weights(cache)
    if preset is not None:
        return seen(preset.model, revision or preset.revision, cache)
    return seen(_place(name, base), revision, cache)


def _place(name: str, base: Path | None) -> str:
    """Return a folder as this process finds it; an id of a hub as it is."""
    return str(base / name) if base is not None and (base / name).is_dir() else name


def _preset(modality: str, name: str, presets: Mapping[str, Preset], base: Path | None) -> Preset | None:
    """Return a preset; None for an id with a slash, or a folder, which a model may have."""
    if name in presets:
        return presets[name]
    if "/" not in name and not Path(_place(name, base)).is_dir():
        text = f"embed.{modality}: {name} is no preset, no id such as maker/model and no folder"
        raise InputError(f"{text}; {nearest(name, list(presets))}")
    return None
