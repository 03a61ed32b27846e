"""Texts and images as vectors: two small offline encoders, and vectors made elsewhere."""

from personax.embed.descriptors import encode_images
from personax.embed.hashed import encode_texts
from personax.embed.measurements import read_measurements
from personax.embed.vectors import read_vectors

__all__ = ["encode_images", "encode_texts", "read_measurements", "read_vectors"]
