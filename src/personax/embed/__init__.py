"""Texts and images as vectors: two small offline encoders, and vectors made elsewhere."""

from personax.embed._checkpoint import weights_hash
from personax.embed._encode import encode_all
from personax.embed._encoder import Card, Encoder, Pooling, Precision, Truncation
from personax.embed._measurements import read_measurements
from personax.embed._offline import encode_images, encode_texts
from personax.embed._presets import image_encoder, text_encoder, weights_seen
from personax.embed._vectors import read_vectors

__all__ = [
    "Card",
    "Encoder",
    "Pooling",
    "Precision",
    "Truncation",
    "encode_all",
    "encode_images",
    "encode_texts",
    "image_encoder",
    "read_measurements",
    "read_vectors",
    "text_encoder",
    "weights_hash",
    "weights_seen",
]
