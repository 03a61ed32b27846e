"""Attributes of pictures -> attributes of people: the majority, what a tie is, and the share behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import polars as pl

from personax.errors import InputError
from personax.strict import nearest

__all__ = ["Tie", "aggregate"]

Tie = Literal["missing", "present", "absent"]
"""What an attribute is that half of a person's pictures have."""


def aggregate(images: pl.DataFrame, attributes: Sequence[str], *, tie: Tie = "missing") -> pl.DataFrame:
    """Return one row an identity.

    Parameters
    ----------
    images
        ``identity``, and the attributes as 1 and -1; one row a picture.
    attributes
        Which of them.
    tie
        What stands where exactly half of the pictures have the attribute.

    Returns
    -------
    polars.DataFrame
        ``identity`` in rising order, ``images`` (how many), each attribute (1 present, 0 absent) and its share of the
        pictures as ``<attribute>_share``.

    Raises
    ------
    InputError
        For an attribute that is not in the file.

    Examples
    --------
    >>> images = pl.DataFrame({"identity": [7, 7, 7, 8, 8], "Chubby": [1, 1, -1, 1, -1]})
    >>> aggregate(images, ["Chubby"]).rows()
    [(7, 3, 1, 0.6666666666666666), (8, 2, None, 0.5)]
    """
    if tie not in get_args(Tie):
        raise InputError(f"the tie rule {tie!r} is not known; {nearest(str(tie), list(get_args(Tie)))}")
    for name in attributes:
        if name not in images.columns:
            known = [column for column in images.columns if column not in ("image", "identity")]
            raise InputError(f"CelebA has no attribute {name}; {nearest(name, known)}")
    counted = images.group_by("identity").agg(
        pl.len().alias("images"), *((pl.col(name) == 1).sum().cast(pl.Int64).alias(name) for name in attributes)
    )
    half = {"missing": None, "present": 1, "absent": 0}[tie]
    shares = [(pl.col(name) / pl.col("images")).alias(f"{name}_share") for name in attributes]
    twice = {name: 2 * pl.col(name) for name in attributes}  # compared as whole numbers: a half is exact
    votes = [
        pl.when(twice[name] > pl.col("images")).then(1).when(twice[name] < pl.col("images")).then(0).otherwise(half)
        for name in attributes
    ]
    majority = [vote.cast(pl.Int64).alias(name) for name, vote in zip(attributes, votes, strict=True)]
    ordered = ["identity", "images", *(each for name in attributes for each in (name, f"{name}_share"))]
    return (
        counted.select("identity", pl.col("images").cast(pl.Int64), *majority, *shares).select(ordered).sort("identity")
    )
