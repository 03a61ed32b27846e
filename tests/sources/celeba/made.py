"""Label files in CelebA's format, of any size, about invented pictures. No line of CelebA stands here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personax.sources.celeba._label_files import ATTRIBUTES, BOX, LANDMARKS


def image_names(n: int) -> list[str]:
    return [f"{number:06d}.jpg" for number in range(1, n + 1)]


def write_celeba(
    folder: Path, images: int, identities: int, *, rng: np.random.Generator
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Write all five files, right-aligned as CelebA's are, and return the attributes and the identities."""
    folder.mkdir(parents=True, exist_ok=True)
    names = image_names(images)
    rates = rng.uniform(0.05, 0.6, len(ATTRIBUTES))
    labels = np.where(rng.random((images, len(ATTRIBUTES))) < rates, 1, -1).astype(np.int8)
    owners = rng.integers(1, identities + 1, images)
    owners[:identities] = np.arange(1, identities + 1)  # nobody is without a picture
    texts = np.where(labels == 1, " 1", "-1")
    rows = [f"{name} {' '.join(row)}" for name, row in zip(names, texts.tolist(), strict=True)]
    write(folder / "list_attr_celeba.txt", [str(images), " ".join(ATTRIBUTES) + " ", *rows])
    write(
        folder / "identity_CelebA.txt", [f"{name} {owner}" for name, owner in zip(names, owners.tolist(), strict=True)]
    )
    place = np.arange(images) / images
    parts = (place >= 0.8).astype(int) + (place >= 0.9)
    write(
        folder / "list_eval_partition.txt", [f"{name} {part}" for name, part in zip(names, parts.tolist(), strict=True)]
    )
    frontal = np.array([70, 110, 106, 110, 88, 136, 72, 152, 104, 152])
    marks = frontal + rng.integers(-4, 5, (images, 10))
    boxes = np.column_stack([rng.integers(0, 100, (images, 2)), rng.integers(40, 400, (images, 2))])
    for stem, header, numbers in (("list_landmarks_align_celeba", LANDMARKS, marks), ("list_bbox_celeba", BOX, boxes)):
        head = " ".join(header if header is LANDMARKS else ("image_id", *header))
        lines = [
            f"{name} {' '.join(f'{n:>3}' for n in row)}" for name, row in zip(names, numbers.tolist(), strict=True)
        ]
        write(folder / f"{stem}.txt", [str(images), head, *lines])
    return labels, owners


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
