"""Pictures by a model of the package transformers, as its makers read them: CLIP, SigLIP, DINOv2, ViT, ConvNeXt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from PIL import Image

from personax.data.pictures import read_rgb
from personax.embed._checkpoint import (
    Checkpoint,
    PretrainedEncoder,
    first_line,
    mark_missing_weights,
    model_files_hash,
    refuse_missing_weights,
)
from personax.embed._encoder import EncoderOptions, Precision, Vectors
from personax.errors import InputError, require
from personax.registry import register

__all__ = ["VisionEncoder", "VisionPreset"]

Vector = Literal["shared with texts", "pooled", "class token"]
CLASS_TOKEN: Final = ("vit", "deit", "vit_mae", "vit_msn", "dinov2")
"""Kinds whose first token, after the last normalisation, is their makers' vector of a picture where nothing is pooled:
their classifiers read it."""
SAME: Final = 1e-3
"""Two vectors of one picture differ by no more, relative to their size, but for randomness in a model."""


class VisionEncoder(PretrainedEncoder):
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
        See `resolve_device`.
    licence
        Of the weights, where the preset knows it.
    name
        What the card calls the model.
    cache
        A file that remembers the hashes of large files.

    Raises
    ------
    InputError
        When the model cannot be had, brings its own code, gives no vector of a whole picture, another one each time, or
        lacks weights that it needs.
    MissingExtraError
        Without transformers.

    Notes
    -----
    Models that pair pictures with texts (CLIP, SigLIP) give the vector in the space that they share; others their
    pooled one (DINOv2: of the class token; ConvNeXt: the mean over the picture); a ViT whose checkpoint has no weights
    for pooling, and a masked autoencoder, that of the class token. An autoencoder sees the whole picture: nothing is
    masked. No code of a model is run and no pickled weights are read.
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
        name: str = "",
        cache: Path | None = None,
    ) -> None:
        package, self._torch = require("transformers", extra="embed"), require("torch", extra="embed")
        super().__init__(
            "image", model, revision=revision, device=device, precision=precision, licence=licence, name=name,
            cache=cache,
        )  # fmt: skip
        found = self._checkpoint
        self._prepare, self._model, missing = _loaded(package, found, self._kind)
        self._model.eval().to(self._device)
        self._normalise = normalise
        self._vector, dim = self._chosen(found, mark_missing_weights(self._model, missing))
        self.card = self._described(
            dim,
            {
                "package": f"transformers {package.__version__}",
                "processor": type(self._prepare).__name__,
                "orientation": "as its EXIF says",
                "vector": self._vector,
                "normalise": normalise,
            },
        )

    def encode(self, items: Sequence[Path]) -> Vectors:
        """Return one vector a picture, shape (pictures, dim)."""
        if not items:
            return np.zeros((0, self.card.dim), dtype=np.float32)
        vectors = self._seen([read_rgb(path) for path in items], self._vector)
        assert vectors is not None, "this vector was had before"
        return self._scaled(vectors, self._normalise)

    def _seen(self, pictures: Sequence[Image.Image], vector: Vector) -> Vectors | None:
        """Return vectors before they are scaled; None where the model has none of this kind."""
        pixels = self._prepare(images=list(pictures), return_tensors="pt")["pixel_values"]
        pixels = pixels.to(self._device, self._kind)
        with self._torch.inference_mode():
            if vector == "shared with texts":
                found = self._model.get_image_features(pixel_values=pixels)
            else:
                found = self._model(pixel_values=pixels, **self._whole(pixels))
        if vector == "class token":
            found = found.last_hidden_state[:, 0]
        elif not self._torch.is_tensor(found):
            # half of a CLIP has the vector in the shared space beside the pooled one
            found = found.get("image_embeds", found.get("pooler_output"))
        if found is None:
            return None
        if found.ndim == 4 and found.shape[2:] == (1, 1):
            found = found.flatten(1)
        return np.asarray(found.float().cpu().numpy(), dtype=np.float32) if found.ndim == 2 else None

    def _whole(self, pixels: Any) -> dict[str, Any]:  # noqa: ANN401 - tensors
        """Return what keeps the patches of an autoencoder in their order: it sorts them by random numbers otherwise."""
        if self._model.config.model_type != "vit_mae":
            return {}
        side = self._model.config.patch_size
        patches = (pixels.shape[-2] // side) * (pixels.shape[-1] // side)
        return {"noise": self._torch.arange(patches, device=pixels.device).expand(len(pixels), -1)}

    def _chosen(self, found: Checkpoint, missing: int) -> tuple[Vector, int]:
        """Return which vector is the makers', and its length: tried on a picture, twice."""
        kinds: list[Vector] = ["shared with texts"] if hasattr(self._model, "get_image_features") else ["pooled"]
        if self._model.config.model_type in CLASS_TOKEN:
            kinds.append("class token")
        tried = [(kind, self._seen([_shades()], kind)) for kind in kinds]
        had = [(kind, vector) for kind, vector in tried if vector is not None]
        for kind, vector in had:
            if np.isfinite(vector).all():
                again = self._seen([_shades()], kind)
                if again is None or not np.allclose(vector, again, rtol=SAME, atol=SAME * float(np.abs(vector).max())):
                    text = f"embed.image: {found.model} gives another vector of the same picture each time"
                    raise InputError(f"{text}; take another model")
                return kind, vector.shape[1]
        if had and missing:
            refuse_missing_weights("embed.image", found.model, missing)
        text = f"embed.image: {found.model} ({type(self._model).__name__}) gives no vector of a whole picture"
        raise InputError(f"{text}; take a model that pools, such as dinov2, clip or a ViT")


def _loaded(package: Any, found: Checkpoint, kind: object) -> tuple[Any, Any, set[str]]:  # noqa: ANN401 - of packages that are imported late
    """Return the preprocessing, the model, and the names of the weights that its checkpoint lacks."""
    config = found.read_json(found.folder / "config.json")
    architecture = str((config.get("architectures") or [""])[0])
    # the automatic class leaves the last projection of half a CLIP out
    half = architecture.endswith("VisionModelWithProjection") and hasattr(package, architecture)
    own = getattr(package, architecture) if half else package.AutoModel
    more = {"mask_ratio": 0.0} if config.get("model_type") == "vit_mae" else {}
    try:
        # by Pillow, whether or not torchvision is there: the two give other pixels
        prepare = package.AutoImageProcessor.from_pretrained(found.folder, trust_remote_code=False, backend="pil")
        model, loading = own.from_pretrained(
            found.folder, use_safetensors=True, dtype=kind, output_loading_info=True, **more
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise InputError(f"embed.image: the model {found.model} cannot be had ({first_line(error)})") from None
    return prepare, model, set(loading["missing_keys"])


def _shades() -> Image.Image:
    return Image.linear_gradient("L").convert("RGB")


@dataclass(frozen=True)
class VisionPreset:
    """A model of a hub; tested for each on a small model of its class.

    Parameters
    ----------
    model
        Its id on the hub.
    licence
        Of the weights, as its hub page says.
    revision
        Where its weights lie as safetensors, when not on the main branch.
    """

    model: str
    licence: str
    revision: str | None = None

    def __call__(self, options: EncoderOptions) -> VisionEncoder:
        """Load the model."""
        return VisionEncoder(
            self.model, revision=options.revision or self.revision, licence=self.licence, device=options.device,
            precision=options.precision, cache=options.cache,
        )  # fmt: skip

    def weights_hash(self, options: EncoderOptions) -> str | None:
        """Return the hash of the model's files on this machine; None where they are not here."""
        return model_files_hash(self.model, options.revision or self.revision, options.cache)


register("encoders", "clip", title="CLIP", help="512 numbers; MIT", modality="image", order=31)(
    VisionPreset("openai/clip-vit-base-patch32", "MIT", "refs/pr/66")
)
register("encoders", "dinov2", title="DINOv2", help="768 numbers; Apache-2.0", modality="image", order=32)(
    VisionPreset("facebook/dinov2-base", "Apache-2.0")
)
register("encoders", "siglip", title="SigLIP", help="768 numbers; Apache-2.0", modality="image", order=33)(
    VisionPreset("google/siglip-base-patch16-224", "Apache-2.0")
)
register("encoders", "vit", title="ViT", help="768 numbers; Apache-2.0", modality="image", order=34)(
    VisionPreset("google/vit-base-patch16-224", "Apache-2.0")
)
