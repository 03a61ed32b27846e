"""Encoders by name: those that are registered, and models of a hub or a folder.

What is registered under ``encoders`` is called with `EncoderOptions` and returns an `Encoder`; the fact ``modality``
says what it reads. Where it has files of a model, a method ``weights_hash(options)`` returns the hash of those on this
machine, or None, so that a study runs again when they change.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from personax.embed._checkpoint import model_files_hash
from personax.embed._encoder import Encoder, EncoderOptions, Pooling, Precision, ReadModality, Recipe, TextEncoder
from personax.errors import InputError
from personax.registry import describe, get, names, parts
from personax.strict import nearest

__all__ = ["encoder_names", "image_encoder", "local_weights_hash", "text_encoder"]

OFFLINE: Final[dict[ReadModality, str]] = {"text": "hashed", "image": "descriptors"}
"""What ``offline`` stands for."""


def encoder_names(modality: ReadModality) -> list[str]:
    """Return the names of the encoders that read texts, or images; `personax.registry.describe` says more of each.

    Examples
    --------
    >>> encoder_names("image")[:3]
    ['offline', 'descriptors', 'imagebind']
    """
    return ["offline", *(part.name for part in parts("encoders") if part.facts.get("modality") == modality)]


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
    """Return a registered encoder of texts, or one of any model of sentence-transformers by its id or folder.

    Parameters
    ----------
    name
        A registered name (`encoder_names`), an id of a hub or a folder.
    revision
        A commit, tag or branch of the hub.
    like
        The preset whose recipe an own copy, or a child, of its model follows.
    pooling, instruction, tokens, device, precision
        See `SentenceEncoder`.
    dim
        Length of the vectors, where the encoder can choose.
    base
        Folder from which the path of a model starts.
    cache
        A file that remembers the hashes of large files.

    Raises
    ------
    InputError
        For a name that is none of these.
    """
    options = EncoderOptions(
        revision=revision, recipe=_recipe(like) if like is not None else None, pooling=pooling,
        instruction=instruction, tokens=tokens, dim=dim, device=device, precision=precision, cache=cache,
    )  # fmt: skip
    make = _registered("text", name, base)
    if make is not None:
        encoder: TextEncoder = make(options)
        return encoder
    from personax.embed._sentences import SentenceEncoder

    return SentenceEncoder(
        _folder_or_id(name, base), revision=revision, recipe=options.recipe, pooling=pooling, instruction=instruction,
        tokens=tokens, device=device, precision=precision, name=name, cache=cache,
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
    """Return a registered encoder of pictures, or one of any model of transformers by its id or folder.

    Parameters
    ----------
    name, revision, dim, device, precision, base, cache
        See `text_encoder`.

    Raises
    ------
    InputError
        For a name that is neither.
    """
    make = _registered("image", name, base)
    if make is not None:
        options = EncoderOptions(revision=revision, dim=dim, device=device, precision=precision, cache=cache)
        encoder: Encoder[Path] = make(options)
        return encoder
    from personax.embed._vision import VisionEncoder

    return VisionEncoder(
        _folder_or_id(name, base), revision=revision, name=name, device=device, precision=precision, cache=cache
    )


def local_weights_hash(
    modality: ReadModality,
    name: str,
    revision: str | None = None,
    *,
    base: Path | None = None,
    cache: Path | None = None,
) -> str | None:
    """Return the hash of the files of an encoder's model as they are on this machine now; None where none are here."""
    make = _found(modality, name)
    if make is None:
        return model_files_hash(_folder_or_id(name, base), revision, cache)
    weights_hash = getattr(make, "weights_hash", None)
    return None if weights_hash is None else weights_hash(EncoderOptions(revision=revision, cache=cache))


def _found(modality: ReadModality, name: str) -> Callable[[EncoderOptions], Any] | None:
    """Return what is registered under a name for a modality; None where nothing is."""
    name = OFFLINE[modality] if name == "offline" else name
    if name not in names("encoders"):
        return None
    part = describe("encoders", name)
    make: Callable[[EncoderOptions], Any] = get("encoders", name)  # of a broken package, this says what is wrong
    return make if part.facts.get("modality") == modality else None


def _registered(modality: ReadModality, name: str, base: Path | None) -> Callable[[EncoderOptions], Any] | None:
    """Return what is registered; None for an id with a slash, or a folder, which a model may have."""
    make = _found(modality, name)
    if make is None and "/" not in name and not Path(_folder_or_id(name, base)).is_dir():
        text = f"embed.{modality}: {name} is no preset, no id such as maker/model and no folder"
        raise InputError(f"{text}; {nearest(name, encoder_names(modality))}")
    return make


def _recipe(like: str) -> Recipe:
    recipe = getattr(_found("text", like), "recipe", None)
    if recipe is None:
        known = [name for name in encoder_names("text") if getattr(_found("text", name), "recipe", None)]
        raise InputError(f"embed.text: like: {like} is no preset of a text model; {nearest(like, known)}")
    return recipe  # type: ignore[no-any-return]


def _folder_or_id(name: str, base: Path | None) -> str:
    """Return a folder as this process finds it; an id of a hub as it is."""
    return str(base / name) if base is not None and (base / name).is_dir() else name
