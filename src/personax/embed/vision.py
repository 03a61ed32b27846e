"""Pictures by a model of the package transformers: CLIP, SigLIP, DINOv2 and others that give one vector a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from personax.embed.devices import Precision, place
from personax.embed.encoder import Card, Vectors
from personax.embed.pictures import open_picture
from personax.errors import InputError, require

__all__ = ["VisionEncoder"]


class VisionEncoder:
    """Encodes pictures with the model's own preprocessing.

    Parameters
    ----------
    model
        Its id on the hub, or a folder.
    revision
        A commit, tag or branch of the hub.
    normalise
        Whether vectors are scaled to length 1.
    device, precision
        See `place`.
    licence
        Of the weights, where the preset knows it.

    Raises
    ------
    InputError
        When the model cannot be had, or gives no vector of a whole picture.
    MissingExtraError
        Without transformers.

    Notes
    -----
    Models that pair pictures with texts (CLIP, SigLIP) give the vector in the space that they share; others their
    pooled one (DINOv2: of the class token). No code of a model is run and no pickled weights are read.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        normalise: bool = True,
        device: str | None = None,
        precision: Precision = "auto",
        licence: str = "",
    ) -> None:
        package, self._torch = require("transformers", extra="embed"), require("torch", extra="embed")
        self._device, self._kind = place(device, precision)
        had = {"revision": revision, "trust_remote_code": False} if revision else {"trust_remote_code": False}
        try:
            self._prepare: Any = package.AutoImageProcessor.from_pretrained(model, **had)
            self._model: Any = package.AutoModel.from_pretrained(model, use_safetensors=True, dtype=self._kind, **had)
        except (OSError, ValueError) as error:
            said = (str(error).strip().splitlines() or ["no reason given"])[0]
            raise InputError(f"embed.image: the model {model} cannot be had ({said})") from None
        self._model.eval().to(self._device)
        self._normalise = normalise
        self.card = Card(
            name=model,
            modality="image",
            dim=_dim(model, self._model),
            revision=revision or str(getattr(self._model.config, "_commit_hash", None) or ""),
            licence=licence,
            preprocessing={
                "package": f"transformers {package.__version__}",
                "processor": type(self._prepare).__name__,
                "normalise": normalise,
                "precision": str(self._kind).removeprefix("torch."),
            },
        )

    def encode(self, items: Sequence[Path]) -> Vectors:
        """Return one vector a picture, shape (pictures, dim)."""
        pixels = self._prepare(images=[open_picture(path) for path in items], return_tensors="pt")["pixel_values"]
        pixels = pixels.to(self._device, self._kind)
        with self._torch.inference_mode():
            if hasattr(self._model, "get_image_features"):
                found = self._model.get_image_features(pixel_values=pixels)
            else:
                found = self._model(pixel_values=pixels)
        # a tensor in version 4 of the package, an output with several fields in version 5
        found = getattr(found, "pooler_output", found)
        vectors = np.asarray(found.float().cpu().numpy(), dtype=np.float32)
        if self._normalise:
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return np.asarray(vectors, dtype=np.float32)


def _dim(name: str, model: object) -> int:
    """Return the length of the vectors, as the model's own configuration says."""
    config = getattr(model, "config", None)
    if hasattr(model, "get_image_features"):
        inner = getattr(config, "vision_config", config)
        found = getattr(config, "projection_dim", None) or getattr(inner, "hidden_size", None)
    else:
        found = getattr(config, "hidden_size", None)
    if not isinstance(found, int):
        raise InputError(f"embed.image: {name} ({type(model).__name__}) does not say how long its vectors are")
    return found
