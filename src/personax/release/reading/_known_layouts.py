"""What the columns of known layouts are: one table a layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from personax.schema import Column

__all__ = ["IDS", "LAYOUTS", "SCORE", "KnownLayout", "modality_of", "recognise"]

IDS = ("id", "ids", "index", "idx", "person_id", "Unnamed: 0", "", "__index_level_0__")
"""Columns that name the rows, the first that is there; pandas writes the last three."""

SCORE = re.compile(r".+_[ocean]$")
"""``final_o`` or ``<model>_o``."""

_MODALITIES = {
    "image": re.compile(r"image|img|face|visual|vision|photo", re.IGNORECASE),
    "text": re.compile(r"text|txt|desc|language|gte", re.IGNORECASE),
}

CELEBA = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips",
    "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin",
    "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open",
    "Mustache", "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline",
    "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat",
    "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip
"""The 40 attributes of CelebA (Liu et al. 2015, doi:10.1109/ICCV.2015.425): present or not."""


@dataclass(frozen=True)
class KnownLayout:
    """A layout of tables.

    Parameters
    ----------
    name
        Of the layout.
    signature
        Columns that all must be there for the layout to be recognised.
    columns
        Column -> what it is.
    lengths
        Length of a vector -> its modality, where names do not say it.
    """

    name: str
    signature: frozenset[str]
    columns: Mapping[str, Column]
    lengths: Mapping[int, str] = field(default_factory=dict)


def _table(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


_PLACE = (
    Column("Latitude", "feature", "continuous", "degrees"),
    Column("Longitude", "feature", "cyclic", "degrees", 360.0),
)

# Li et al. 2026 (PersonaX, arXiv:2509.11362): ImageBind vectors of 1024 numbers, gte-Qwen2 vectors of 3584.
_LENGTHS = {1024: "image", 3584: "text"}

LAYOUTS = (
    KnownLayout(
        "CelebPersona",
        frozenset({"Occupation_idx", "Gender_idx"}),
        _table(
            Column("Height(cm)", "feature", "continuous", "cm"),
            Column("Weight(kg)", "feature", "continuous", "kg"),
            Column("Year", "feature", "continuous", "years"),
            Column("Month", "feature", "cyclic", period=12.0),
            Column("Day", "feature", "cyclic", period=31.0),
            Column("Day index", "feature", "cyclic", period=366.0),
            Column("Day_sin", "feature", "continuous"),
            Column("Day_cos", "feature", "continuous"),
            *_PLACE,
            Column("Occupation_idx", "feature", "nominal"),
            Column("Gender_idx", "feature", "nominal"),
            *(Column(name, "feature", "nominal") for name in CELEBA),
        ),
        _LENGTHS,
    ),
    KnownLayout(
        "AthlePersona",
        frozenset({"Birthyear", "Birthmonth", "Birthday"}),
        _table(
            Column("Birthyear", "feature", "continuous", "years"),
            Column("Birthmonth", "feature", "cyclic", period=12.0),
            Column("Birthday", "feature", "cyclic", period=31.0),
            Column("Type", "feature", "nominal"),
            *_PLACE,
            # the papers name no unit for athletes
            Column("Height", "feature", "continuous"),
            Column("Weight", "feature", "continuous"),
        ),
        _LENGTHS,
    ),
)


def recognise(names: Iterable[str]) -> KnownLayout | None:
    """Return the layout that these columns are of, or None.

    Examples
    --------
    >>> recognise(["Occupation_idx", "Gender_idx", "Year", "final_o"]).name
    'CelebPersona'
    >>> recognise(["height", "final_o"])
    """
    found = set(names)
    if not any(SCORE.match(name) for name in found):
        return None
    return next((layout for layout in LAYOUTS if layout.signature <= found), None)


def modality_of(names: Iterable[str]) -> str | None:
    """Return the modality by the first of these names that indicates one.

    Examples
    --------
    >>> modality_of(["embedding", "img_vectors"])
    'image'
    """
    for name in names:
        named = [modality for modality, pattern in _MODALITIES.items() if pattern.search(name)]
        if len(named) == 1:
            return named[0]
    return None
