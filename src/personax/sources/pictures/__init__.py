"""Pictures of people: verified before they are decoded, made alike, kept in the private part of a study."""

from personax.sources.pictures.download import Downloaded, download_headshots
from personax.sources.pictures.faces import face_finder
from personax.sources.pictures.guard import open_picture
from personax.sources.pictures.hashes import near_pairs, perceptual_hash
from personax.sources.pictures.normal import encode, fitted, upright_rgb
from personax.sources.pictures.store import Stored, keep_pictures, read_folder

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
