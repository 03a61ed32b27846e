"""What can be done where measurements do not tell the latents of a modality apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["REMEDY", "same_source", "single_measurement"]

REMEDY: Final = (
    "give several measurements of each person that differ in all else (several texts, several pictures, several "
    "language models; two encoders of one picture share its pose and light)"
)


def single_measurement(modality: str, measurement: str) -> str:
    """Say what one measurement in a modality leaves unknown.

    Examples
    --------
    >>> single_measurement("image", "face")[:72]
    'image has one measurement, face: of its latents only those that tell of '
    """
    return (
        f"{modality} has one measurement, {measurement}: of its latents only those that tell of other modalities can "
        f"be identified; for the others {REMEDY}"
    )


def same_source(modality: str, measurements: Sequence[str], source: str) -> str:
    """Say that measurements are encodings of one source."""
    shared = "pose and light" if modality == "image" else "words and style"
    what = "picture" if modality == "image" else "text"
    return (
        f"{' and '.join(measurements)} encode the same {what} of a person ({source}): what they agree on includes its "
        f"{shared}, which then pass for the person's; {REMEDY}"
    )
