"""Pictures of people: verified before they are decoded, made alike, kept in the private part of a study."""

from personax.sources.pictures._decode import encode, fitted, open_picture, upright_rgb
from personax.sources.pictures._faces import face_finder
from personax.sources.pictures._perceptual_hash import near_pairs, perceptual_hash
from personax.sources.pictures._store import Downloaded, Stored, download_headshots, keep_pictures, read_folder

__all__ = [
    "Downloaded",
    "Stored",
    "download_headshots",
    "encode",
    "face_finder",
    "fitted",
    "keep_pictures",
    "near_pairs",
    "open_picture",
    "perceptual_hash",
    "read_folder",
    "upright_rgb",
]
