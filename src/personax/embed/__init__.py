"""Texts and images as vectors: by models of a hub or a folder, by two small offline encoders, or made elsewhere.

A map, each line using the ones above it:

- ``_encoder``: what an encoder is: its card, its options, devices and precision, recipes of text models
- ``_pictures``: opening a picture without trusting it; ``_checkpoint``: a model's files, their hash, no code of theirs
- ``_offline``, ``_sentences``, ``_packaged``, ``_vision``, ``_imagebind``: the encoders, registered
- ``_presets``: encoders by name (`personax.registry`, kind ``encoders``), models of a hub, folders
- ``_encode``: many items, each once, in batches that fit
- ``_vectors``, ``_measurements``: vectors made elsewhere, of one measurement and of several modalities
- ``_conformance``: `personax.testing.check_encoder`
"""

from personax.embed._checkpoint import weights_hash
from personax.embed._encode import encode_all
from personax.embed._encoder import (
    Encoder,
    EncoderCard,
    EncoderOptions,
    Pooling,
    Precision,
    Recipe,
    TextEncoder,
    Truncation,
    Vectors,
)
from personax.embed._measurements import read_measurements
from personax.embed._offline import encode_images, encode_texts
from personax.embed._presets import encoder_names, image_encoder, local_weights_hash, text_encoder
from personax.embed._vectors import read_vectors

__all__ = [
    "Encoder",
    "EncoderCard",
    "EncoderOptions",
    "Pooling",
    "Precision",
    "Recipe",
    "TextEncoder",
    "Truncation",
    "Vectors",
    "encode_all",
    "encode_images",
    "encode_texts",
    "encoder_names",
    "image_encoder",
    "local_weights_hash",
    "read_measurements",
    "read_vectors",
    "text_encoder",
    "weights_hash",
]
