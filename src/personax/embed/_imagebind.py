"""Pictures by ImageBind, the paper's choice: 1,024 numbers, weights for non-commercial use (CC BY-NC-SA 4.0).

Its package is on no registry of Python packages under its makers' name; docs/embed.md says how to install it. Pictures
are prepared here as its own loader does: short side to 224 by bicubic interpolation, the middle 224 x 224, CLIP's mean
and standard deviation; but a picture whose EXIF data say how it is to be turned is turned first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from personax.data.pictures import read_rgb
from personax.embed._checkpoint import cached_file_hash
from personax.embed._encoder import EncoderCard, EncoderOptions, Precision, Vectors, resolve_device
from personax.errors import InputError, require
from personax.registry import register

__all__ = ["ImageBindEncoder", "prepared"]

SIDE: Final = 224
MEAN: Final = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
SD: Final = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
FILE: Final = Path(".checkpoints", "imagebind_huge.pth")
"""Where its package keeps the weights, from the folder that a command runs in."""
HOW: Final = "install the package imagebind as docs/embed.md says, and accept its licence (CC BY-NC-SA 4.0)"


class ImageBindEncoder:
    """Encodes pictures.

    Parameters
    ----------
    model
        A loaded ``ImageBindModel``; its published weights ("huge") are fetched by its own package where left out.
    dim
        Length of its vectors.
    device, precision
        See `resolve_device`.
    cache
        A file that remembers the hashes of large files.

    Raises
    ------
    InputError
        Without the package.
    """

    def __init__(
        self,
        model: object = None,
        *,
        dim: int = 1024,
        device: str | None = None,
        precision: Precision = "auto",
        cache: Path | None = None,
    ) -> None:
        self._torch = require("torch", extra="embed")
        self._device, self._kind = resolve_device(device, precision)
        try:
            from imagebind.models import imagebind_model
        except ImportError as error:
            raise InputError(f"embed.image: imagebind cannot be imported ({error}); {HOW}") from None
        self._vision = imagebind_model.ModalityType.VISION
        loaded: Any = imagebind_model.imagebind_huge(pretrained=True) if model is None else model
        self._model = loaded.eval().to(self._device, self._kind)
        self.card = EncoderCard(
            name="imagebind_huge",
            modality="image",
            dim=dim,
            licence="CC-BY-NC-SA-4.0",
            weights=(_weights_hash(cache) or "") if model is None else "",
            preprocessing={
                "orientation": "as its EXIF says",
                "resize": "short side 224, bicubic",
                "crop": "middle 224 x 224",
                "mean_sd": "CLIP",
                "precision": str(self._kind).removeprefix("torch."),
            },
        )

    def encode(self, items: Sequence[Path]) -> Vectors:
        """Return one vector a picture, shape (pictures, dim)."""
        if not items:
            return np.zeros((0, self.card.dim), dtype=np.float32)
        pixels = np.stack([prepared(read_rgb(path)) for path in items])
        with self._torch.inference_mode():
            found = self._model({self._vision: self._torch.from_numpy(pixels).to(self._device, self._kind)})
        return np.asarray(found[self._vision].float().cpu().numpy(), dtype=np.float32)


class ImageBindPreset:
    """The published weights."""

    def __call__(self, options: EncoderOptions) -> ImageBindEncoder:
        """Load the model."""
        return ImageBindEncoder(device=options.device, precision=options.precision, cache=options.cache)

    def weights_hash(self, options: EncoderOptions) -> str | None:
        """Return the hash of the weights that its package keeps; None where none are there."""
        return _weights_hash(options.cache)


register(
    "encoders", "imagebind", title="ImageBind", help="the paper's; 1,024 numbers; CC-BY-NC-SA-4.0: no commercial use",
    modality="image", order=30,
)(ImageBindPreset())  # fmt: skip


def _weights_hash(cache: Path | None) -> str | None:
    """Return the SHA-256 of the weights that the package keeps in the folder it runs in; None where none are there."""
    return cached_file_hash(FILE, cache) if FILE.is_file() else None


def prepared(picture: Image.Image) -> NDArray[np.float32]:
    """Return a picture as ImageBind's own loader does, shape (3, 224, 224): the long side is rounded down.

    That loader resizes and crops by torchvision, which rounds half a pixel of the crop to the even number.
    """
    short = min(picture.size)
    wide, high = (SIDE * side // short for side in picture.size)
    resized = picture.resize((wide, high), Image.Resampling.BICUBIC)
    left, top = round((wide - SIDE) / 2), round((high - SIDE) / 2)
    pixels = np.asarray(resized.crop((left, top, left + SIDE, top + SIDE)), dtype=np.float32) / np.float32(255)
    return np.ascontiguousarray(((pixels - MEAN) / SD).transpose(2, 0, 1))
