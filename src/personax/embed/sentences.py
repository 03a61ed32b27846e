"""Texts by a model of the package sentence-transformers: any of a hub, or of a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from personax.embed.devices import Precision, place
from personax.embed.encoder import Card, Vectors
from personax.errors import InputError, require

__all__ = ["SentenceEncoder"]


class SentenceEncoder:
    """Encodes texts; a long text is cut at the model's own limit.

    Parameters
    ----------
    model
        Its id on the hub, or a folder.
    revision
        A commit, tag or branch of the hub; without one the newest is taken, and which that was stands in the card.
    instruction
        Put before every text. The paper's model wants none for documents.
    tokens
        Texts are cut there; None for the model's own limit.
    normalise
        Whether vectors are scaled to length 1.
    device, precision
        See `place`.
    licence
        Of the weights, where the preset knows it.

    Raises
    ------
    InputError
        When the model cannot be had; models that bring their own code are refused.
    MissingExtraError
        Without sentence-transformers.

    Notes
    -----
    No code of a model is run (``trust_remote_code`` stays off) and no pickled weights are read (safetensors only).
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        instruction: str = "",
        tokens: int | None = None,
        normalise: bool = True,
        device: str | None = None,
        precision: Precision = "auto",
        licence: str = "",
    ) -> None:
        package = require("sentence_transformers", extra="embed")
        where, kind = place(device, precision)
        try:
            self._model: Any = package.SentenceTransformer(
                model,
                device=where,
                revision=revision,
                trust_remote_code=False,
                model_kwargs={"dtype": kind, "use_safetensors": True},
            )
        except (OSError, ValueError) as error:
            said = (str(error).strip().splitlines() or ["no reason given"])[0]
            raise InputError(f"embed.text: the model {model} cannot be had ({said})") from None
        if tokens is not None:
            self._model.max_seq_length = tokens
        self._instruction, self._normalise = instruction, normalise
        self.card = Card(
            name=model,
            modality="text",
            dim=int(self._model.get_sentence_embedding_dimension() or 0),
            revision=revision or _commit(self._model),
            licence=licence,
            preprocessing={
                "package": f"sentence-transformers {package.__version__}",
                "instruction": instruction,
                "tokens": int(self._model.max_seq_length or 0),
                "normalise": normalise,
                "precision": str(kind).removeprefix("torch."),
            },
        )

    def encode(self, items: Sequence[str]) -> Vectors:
        """Return one vector a text, shape (texts, dim)."""
        # half a surrogate pair breaks tokenisers, and some make no token at all of nothing
        texts = [self._instruction + (text.encode("utf-8", "replace").decode() or " ") for text in items]
        vectors = self._model.encode(
            texts,
            batch_size=len(texts),
            normalize_embeddings=self._normalise,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)


def _commit(model: Iterable[object]) -> str:
    """Return the commit of the weights that a hub's file names; empty for a folder."""
    for module in model:
        config = getattr(getattr(module, "auto_model", None) or getattr(module, "model", None), "config", None)
        commit = getattr(config, "_commit_hash", None)
        if commit:
            return str(commit)
    return ""
