"""Portraits: downloaded, decoded with bounds, brought to one form and size, kept in the private part of a study.

``_decode`` opens untrusted bytes, ``_store`` finds the face and near duplicates (perceptual hash), and writes.
"""

from personax.sources.pictures._decode import crop_and_resize, encode, open_picture, upright_rgb
from personax.sources.pictures._store import (
    DownloadedPictures,
    StoredPictures,
    download_headshots,
    face_finder,
    keep_pictures,
    near_duplicates,
    perceptual_hash,
    read_folder,
)

__all__ = [
    "DownloadedPictures",
    "StoredPictures",
    "crop_and_resize",
    "download_headshots",
    "encode",
    "face_finder",
    "keep_pictures",
    "near_duplicates",
    "open_picture",
    "perceptual_hash",
    "read_folder",
    "upright_rgb",
]
