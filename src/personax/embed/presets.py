"""Encoders by a short name: the paper's, some with a permissive licence, and the offline ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from personax.embed.devices import Precision
from personax.embed.encoder import Encoder
from personax.errors import InputError
from personax.strict import nearest

__all__ = ["IMAGE_PRESETS", "TEXT_PRESETS", "Preset", "image_encoder", "text_encoder"]


@dataclass(frozen=True)
class Preset:
    """A model and what is known of it.

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
    """

    model: str
    dim: int
    licence: str
    kind: Literal["sentences", "vision", "imagebind", "offline"]


TEXT_PRESETS: Final[Mapping[str, Preset]] = {
    "offline": Preset("hashed n-grams", 384, "Apache-2.0", "offline"),
    "gte-qwen2-7b": Preset("Alibaba-NLP/gte-Qwen2-7B-instruct", 3584, "Apache-2.0", "sentences"),
    "minilm": Preset("sentence-transformers/all-MiniLM-L6-v2", 384, "Apache-2.0", "sentences"),
}
"""``gte-qwen2-7b`` is the paper's."""

IMAGE_PRESETS: Final[Mapping[str, Preset]] = {
    "offline": Preset("colours and edges", 512, "Apache-2.0", "offline"),
    "imagebind": Preset("imagebind_huge", 1024, "CC-BY-NC-SA-4.0", "imagebind"),
    "clip": Preset("openai/clip-vit-base-patch32", 512, "MIT", "vision"),
    "dinov2": Preset("facebook/dinov2-base", 768, "Apache-2.0", "vision"),
    "siglip": Preset("google/siglip-base-patch16-224", 768, "Apache-2.0", "vision"),
}
"""``imagebind`` is the paper's; its weights are for non-commercial use."""


def text_encoder(
    name: str,
    *,
    revision: str | None = None,
    instruction: str = "",
    tokens: int | None = None,
    dim: int | None = None,
    device: str | None = None,
    precision: Precision = "auto",
) -> Encoder[str]:
    """Return the encoder of a preset of texts, or of any model of sentence-transformers by its id or folder.

    Raises
    ------
    InputError
        For a name that is neither.
    """
    from personax.embed.offline import HashedEncoder
    from personax.embed.sentences import SentenceEncoder

    preset = _preset("text", name, TEXT_PRESETS)
    if preset is not None and preset.kind == "offline":
        return HashedEncoder(dim or preset.dim)
    licence = preset.licence if preset else ""
    return SentenceEncoder(
        preset.model if preset else name, revision=revision, instruction=instruction, tokens=tokens, device=device,
        precision=precision, licence=licence,
    )  # fmt: skip


def image_encoder(
    name: str,
    *,
    revision: str | None = None,
    dim: int | None = None,
    device: str | None = None,
    precision: Precision = "auto",
) -> Encoder[Path]:
    """Return the encoder of a preset of pictures, or of any model of transformers by its id or folder.

    Raises
    ------
    InputError
        For a name that is neither.
    """
    from personax.embed.imagebind import ImageBindEncoder
    from personax.embed.offline import DescriptorEncoder
    from personax.embed.vision import VisionEncoder

    preset = _preset("image", name, IMAGE_PRESETS)
    if preset is not None and preset.kind == "offline":
        return DescriptorEncoder(dim or preset.dim)
    how: dict[str, Any] = {"device": device, "precision": precision}
    if preset is not None and preset.kind == "imagebind":
        return ImageBindEncoder(**how)
    licence = preset.licence if preset else ""
    return VisionEncoder(preset.model if preset else name, revision=revision, licence=licence, **how)


def _preset(modality: str, name: str, presets: Mapping[str, Preset]) -> Preset | None:
    """Return a preset; None for an id with a slash, or a folder, which a model may have."""
    if name in presets:
        return presets[name]
    if "/" not in name and not Path(name).is_dir():
        text = f"embed.{modality}: {name} is no preset, no id such as maker/model and no folder"
        raise InputError(f"{text}; {nearest(name, list(presets))}")
    return None
