"""CelebA as a people table: settings, attributes of people from those of pictures, one row an identity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, get_args

import polars as pl
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from personax.data.table import Table
from personax.errors import InputError
from personax.files import sha256
from personax.registry import register
from personax.schema import Column, Notice, Provenance
from personax.sources._people_table import BAD_CELLS, PeopleTable, check_ids, table_notices
from personax.sources._source import FileSource
from personax.sources.celeba._best_pictures import select_images
from personax.sources.celeba._label_files import (
    read_attributes,
    read_boxes,
    read_identities,
    read_landmarks,
    read_names,
    read_partition,
)
from personax.sources.celeba._linkage import majority_names
from personax.strict import OutsidePath, nearest

__all__ = ["STABLE", "TRANSIENT", "CollectCelebA", "Tie", "aggregate", "read_celeba"]


STABLE = (
    *("Arched_Eyebrows", "Big_Nose", "Pointy_Nose", "Bushy_Eyebrows", "Big_Lips", "Oval_Face", "Chubby", "Double_Chin"),
    *("Receding_Hairline", "Narrow_Eyes", "High_Cheekbones"),
)
"""The eleven attributes of the face that PersonaX analyses."""

_WORN = "worn that day"
_GROOMED = "grooming: it changes within weeks"
_HAIR = "hair is dyed, cut and styled"
_MOMENT = "an expression of the moment"
_AGE = "it changes with age, and photographs of one identity span decades"
_PHOTO = "it says something of the photograph"

TRANSIENT: Mapping[str, str] = {
    "5_o_Clock_Shadow": _GROOMED,
    "Attractive": "a judgement of whoever labelled the picture",
    "Bags_Under_Eyes": "it changes from day to day, and with the light",
    "Bald": _AGE,
    "Bangs": _HAIR,
    "Black_Hair": _HAIR,
    "Blond_Hair": _HAIR,
    "Blurry": _PHOTO,
    "Brown_Hair": _HAIR,
    "Eyeglasses": _WORN,
    "Goatee": _GROOMED,
    "Gray_Hair": _AGE,
    "Heavy_Makeup": _WORN,
    "Male": "no attribute of the face; Wikidata states the gender",
    "Mouth_Slightly_Open": _MOMENT,
    "Mustache": _GROOMED,
    "No_Beard": _GROOMED,
    "Pale_Skin": _PHOTO,
    "Rosy_Cheeks": _WORN,
    "Sideburns": _GROOMED,
    "Smiling": _MOMENT,
    "Straight_Hair": _HAIR,
    "Wavy_Hair": _HAIR,
    "Wearing_Earrings": _WORN,
    "Wearing_Hat": _WORN,
    "Wearing_Lipstick": _WORN,
    "Wearing_Necklace": _WORN,
    "Wearing_Necktie": _WORN,
    "Young": _AGE,
}
"""The other twenty-nine -> why they are no property of a person."""


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


_FILES = {
    "attributes": "list_attr_celeba",
    "identities": "identity_CelebA",
    "partition": "list_eval_partition",
    "boxes": "list_bbox_celeba",
    "landmarks": "list_landmarks_align_celeba",
}


@register(
    "sources", "celeba", title="CelebA", reads="file", order=4,
    terms={
        "licence": "non-commercial research only (the data set's own agreement)",
        "clauses": ("consent", "non-commercial", "attribution"),
        "reference": "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        "attribution": "CelebA, by MMLAB, The Chinese University of Hong Kong (Liu et al., ICCV 2015)",
        "note": "No portion of it may be copied, published or distributed further, and data derived from it may not be "
        "used commercially; identities are given by its authors on request only.",
    },
)  # fmt: skip
class CollectCelebA(FileSource):
    """People from CelebA's label files, which you have from its authors for non-commercial research.

    Parameters
    ----------
    path
        Folder with ``list_attr_celeba``, ``identity_CelebA`` and, where they are wanted, ``list_eval_partition``,
        ``list_bbox_celeba``, ``list_landmarks_align_celeba``; ``.txt`` or ``.csv``, in it or one folder below.
    attributes
        ``stable`` (the eleven of PersonaX), ``all``, or names.
    tie
        What an attribute is that half of a person's pictures have.
    min_images
        Identities with fewer pictures are left out.
    partitions
        Pictures of these only: train, valid, test.
    keep_shares
        Keep the share of pictures behind each majority, beside it and out of the analysis.
    names
        A file of names that you were given; names are private.
    wikidata
        Look the names up in Wikidata, and add what it says of those who are found; only within several sources.
    extract
        Folder of an extract of Wikidata, which is asked in place of the site: no name is sent anywhere, and the
        evidence has the number of articles and years of death too. `personax wikidata extract` makes one.
    images
        Folder with the pictures, to choose each identity's by sharpness too.
    choose_images
        Choose a picture of each identity, by what is there of landmarks, boxes and pictures.
    """

    source: Literal["celeba"] = "celeba"
    attributes: Literal["stable", "all"] | list[str] = "stable"
    tie: Tie = "missing"
    min_images: Annotated[int, Field(ge=1)] = 1
    partitions: list[Literal["train", "valid", "test"]] | None = None
    keep_shares: bool = True
    names: OutsidePath | None = None
    wikidata: bool = False
    extract: OutsidePath | None = None
    images: OutsidePath | None = None
    choose_images: bool = False

    @field_validator("attributes")
    @classmethod
    def _each_once(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, list) and (not value or len(set(value)) < len(value)):
            raise PydanticCustomError("attributes", "name at least one attribute, and none twice")
        return value

    def read(self, root: Path) -> PeopleTable:
        """Read one row an identity; see `read_celeba`."""
        return read_celeba(self, root)


def read_celeba(settings: CollectCelebA, root: Path | None = None) -> PeopleTable:
    """Read one row an identity; see `CollectCelebA`.

    Parameters
    ----------
    settings
        What to read, and how.
    root
        Folder that relative paths start from.

    Raises
    ------
    InputError
        What is wrong with which file.
    """
    base = root or Path()
    folder = base / settings.path
    paths = {name: _find(folder, stem) for name, stem in _FILES.items()}
    both = [_required(folder, paths, name) for name in ("attributes", "identities")]
    labels, identities = read_attributes(both[0]), read_identities(both[1])
    images = _joined(folder, labels, identities)
    if settings.partitions is not None:
        part = read_partition(_required(folder, paths, "partition"))
        images = images.join(part.filter(pl.col("partition").is_in(settings.partitions)), on="image", how="semi")
    names = [name for name in labels.columns if name != "image"]
    wanted = {"stable": list(STABLE), "all": names}.get(str(settings.attributes), settings.attributes)
    people = aggregate(images, list(wanted), tie=settings.tie).filter(pl.col("images") >= settings.min_images)
    if people.height == 0:
        raise InputError(f"{folder}: no identity is left; lower min_images or name other partitions")
    bad: list[dict[str, object]] = []
    if settings.names is not None:
        people = _named(people, identities, read_names(base / settings.names), bad)
        people = people.join(_seen(images), on="identity", how="left", maintain_order="left")
    if settings.choose_images or settings.images is not None:
        people = _with_pictures(people, images, paths, None if settings.images is None else base / settings.images, bad)
    hashed = hashlib.sha256("".join(map(sha256, both)).encode()).hexdigest()
    provenance = Provenance("celeba", folder.name, hashed, people.height)
    return _table(people, list(wanted), bad, provenance, keep_shares=settings.keep_shares)


def _seen(images: pl.DataFrame) -> pl.DataFrame:
    """Return the shares of pictures that look male and young: evidence of who a name means, and no attributes."""
    seen = {"male_share": "Male", "young_share": "Young"}
    here = {name: attribute for name, attribute in seen.items() if attribute in images.columns}
    return images.group_by("identity").agg(
        (pl.col(attribute) == 1).mean().alias(name) for name, attribute in here.items()
    )


def _find(folder: Path, stem: str) -> Path | None:
    """Return a label file in a folder or in its folders Anno and Eval."""
    places = [folder / part / f"{stem}{ending}" for part in ("", "Anno", "Eval") for ending in (".txt", ".csv")]
    return next((path for path in places if path.is_file()), None)


def _required(folder: Path, paths: dict[str, Path | None], name: str) -> Path:
    path = paths[name]
    if path is None:
        raise InputError(f"{folder} has no {_FILES[name]}.txt or .csv; put CelebA's label files there")
    return path


def _joined(folder: Path, labels: pl.DataFrame, identities: pl.DataFrame) -> pl.DataFrame:
    images = identities.join(labels, on="image", how="inner")
    if images.height != labels.height or images.height != identities.height:
        text = (
            f"{folder}: of {labels.height} images with attributes and {identities.height} with an identity, "
            f"{images.height} are the same; the files belong to different copies, fetch both again"
        )
        raise InputError(text)
    return images


def _named(
    people: pl.DataFrame, identities: pl.DataFrame, names: pl.DataFrame, bad: list[dict[str, object]]
) -> pl.DataFrame:
    named, undecided = majority_names(identities, names)
    people = people.join(named, on="identity", how="left", maintain_order="left")
    for identity, several in people.join(undecided, on="identity").select("identity", "names").iter_rows():
        _note(bad, people, identity, "name", f"{several} names", "no name has more than half of the pictures")
    return people


def _with_pictures(
    people: pl.DataFrame,
    images: pl.DataFrame,
    paths: dict[str, Path | None],
    folder: Path | None,
    bad: list[dict[str, object]],
) -> pl.DataFrame:
    marks, boxes = paths["landmarks"], paths["boxes"]
    kept = images.join(people, on="identity", how="semi")
    chosen, refused = select_images(
        kept,
        landmarks=None if marks is None else read_landmarks(marks),
        boxes=None if boxes is None else read_boxes(boxes),
        folder=folder,
    )
    owner = dict(kept.select("image", "identity").iter_rows())
    for image, reason in refused:
        _note(bad, people, owner[image], "image", image, reason)
    picture = chosen.select("identity", "image", pl.col("score").alias("image_score"))
    return people.join(picture, on="identity", how="left", maintain_order="left")


def _note(
    bad: list[dict[str, object]], people: pl.DataFrame, identity: int, column: str, value: str, reason: str
) -> None:
    row = people["identity"].search_sorted(identity) + 1
    bad.append({"row": row, "column": column, "value": value, "reason": reason})


def _table(
    people: pl.DataFrame,
    wanted: list[str],
    bad: list[dict[str, object]],
    provenance: Provenance,
    *,
    keep_shares: bool,
) -> PeopleTable:
    if not keep_shares:
        people = people.drop(f"{name}_share" for name in wanted)
    people = people.rename({"identity": "id"}).with_columns(pl.col("id").cast(pl.String))
    check_ids(people["id"].to_list())
    bad_cells = pl.DataFrame(bad, schema=BAD_CELLS)
    notices = [*_notices(people, wanted), *table_notices(people, bad_cells)]
    table = Table(people, [_column(name, wanted) for name in people.columns], provenance)
    return PeopleTable(table, bad_cells, notices)


def _column(name: str, wanted: list[str]) -> Column:
    if name == "id":
        return Column("id", "id", "nominal")
    if name in wanted:
        return Column(name, "feature", "nominal")
    if name.endswith("_share"):
        return Column(name, "private", "continuous", why="the share behind a majority; not analysed beside it")
    if name in ("male_share", "young_share"):
        return Column(name, "private", "continuous", why="of the pictures; evidence of who the name means")
    kinds = {"images": "continuous", "image_score": "continuous"}
    return Column(name, "private", "continuous" if name in kinds else "nominal")


def _notices(people: pl.DataFrame, wanted: list[str]) -> list[Notice]:
    notices = [
        Notice("CelebA may be used for non-commercial research only, and no part of it may be passed on."),
        Notice("An attribute is what most pictures of an identity show; labels and identities of CelebA have errors."),
    ]
    ties = sum(people[name].null_count() for name in wanted)
    if ties:
        notices.append(Notice("Attributes that half of the pictures have are missing.", ties))
    passing = [name for name in wanted if name in TRANSIENT]
    if passing:
        shown = ", ".join(passing[:5]) + (f" and {len(passing) - 5} more" if len(passing) > 5 else "")
        notices.append(Notice(f"These attributes are of the picture rather than of the person: {shown}.", len(passing)))
    return notices
