"""CelebA's label files, read in blocks: 202,599 lines, every one of them checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import polars as pl

from personax.errors import InputError

__all__ = [
    "ATTRIBUTES",
    "BOX",
    "LANDMARKS",
    "read_attributes",
    "read_boxes",
    "read_identities",
    "read_landmarks",
    "read_names",
    "read_partition",
]

ATTRIBUTES = (
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose"),
    *("Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses"),
    *("Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache"),
    *("Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks"),
    *("Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick"),
    *("Wearing_Necklace", "Wearing_Necktie", "Young"),
)
"""The forty attributes in the order of the file; a file may hold others."""

LANDMARKS = tuple(
    f"{point}_{axis}" for point in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"
)
BOX = ("x_1", "y_1", "width", "height")
PARTITIONS = {0: "train", 1: "valid", 2: "test"}

BLOCK = 4 * 2**20
"""Bytes read at once; memory holds a block and the small numbers that it became."""

MAX_LINE_BYTES = 64 * 2**10
_IMAGE = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,100}\.(?:jpg|jpeg|png)$"
_COLUMN = re.compile(r"[A-Za-z0-9_]{1,60}")
_TO_BLANK = bytes.maketrans(b"\t,", b"  ")


def read_attributes(path: Path) -> pl.DataFrame:
    """Read ``list_attr_celeba``: ``image`` and one column an attribute, 1 present, -1 absent.

    Both forms are read: the original (a count, the names, then lines with one or more blanks) and the CSV.

    Raises
    ------
    InputError
        When there is no such file, or lines cannot be read: how many, and the numbers of the first.
    """
    names = _header(path)
    frame = _read(path, names, counted=True)
    _refuse(path, ~pl.all_horizontal(pl.col(names).is_in([1, -1])), frame, "an attribute is neither 1 nor -1")
    return frame.select("image", pl.col(names).cast(pl.Int8))


def read_identities(path: Path) -> pl.DataFrame:
    """Read ``identity_CelebA.txt``: ``image`` and ``identity``, a whole number.

    Raises
    ------
    InputError
        See `read_attributes`.
    """
    frame = _read(path, ["identity"], counted=False)
    _refuse(path, pl.col("identity") < 0, frame, "an identity is negative")
    return frame.drop("line")


def read_partition(path: Path) -> pl.DataFrame:
    """Read ``list_eval_partition``: ``image`` and ``partition``, which is train, valid or test.

    Raises
    ------
    InputError
        See `read_attributes`.
    """
    frame = _read(path, ["partition"], counted=False)
    _refuse(path, ~pl.col("partition").is_in(list(PARTITIONS)), frame, "a partition is not 0, 1 or 2")
    return frame.drop("line").with_columns(pl.col("partition").replace_strict(PARTITIONS, return_dtype=pl.String))


def read_landmarks(path: Path) -> pl.DataFrame:
    """Read ``list_landmarks_celeba`` or ``list_landmarks_align_celeba``: ``image`` and `LANDMARKS` in pixels."""
    return _read(path, LANDMARKS, counted=True).drop("line")


def read_boxes(path: Path) -> pl.DataFrame:
    """Read ``list_bbox_celeba``: ``image`` and `BOX` in pixels."""
    return _read(path, BOX, counted=True).drop("line")


def read_names(path: Path) -> pl.DataFrame:
    """Read a file of names that you were given: ``image`` or ``identity``, and ``name``.

    A line is an image or the number of an identity, then the name; underscores are blanks. A count and a header may
    stand before. CelebA hands names out on request only, for research; personax has none.

    Raises
    ------
    InputError
        See `read_attributes`.
    """
    rows: list[tuple[str, str]] = []
    bad: list[tuple[int, str]] = []
    for number, line in _lines(path):
        key, _, name = re.sub(r"[\t,]", " ", line, count=1).strip().partition(" ")
        name = " ".join(name.replace("_", " ").split())
        if re.fullmatch(_IMAGE[1:-1], key) or (key.isascii() and key.isdigit() and name):
            if name and name.isprintable() and len(name) <= 200:
                rows.append((key, name))
                continue
        elif not key or (number <= 2 and (not name or key in ("image_id", "identity", "id"))):
            continue
        bad.append((number, "not an image or an identity and a name"))
    _stop(path, bad)
    if not rows:
        raise InputError(f"{path} names nobody; each line is an image or an identity, and a name")
    kind = "identity" if rows[0][0].isdigit() else "image"
    if any(key.isdigit() != (kind == "identity") for key, _ in rows):
        raise InputError(f"{path} names images and identities; it must be either")
    frame = pl.DataFrame(rows, schema={kind: pl.String, "name": pl.String}, orient="row")
    return frame if kind == "image" else frame.with_columns(pl.col(kind).cast(pl.Int64))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    for _, block in _blocks(path, skip=0):
        for line in block.split(b"\n"):
            number += 1
            yield number, line.decode("utf-8", errors="replace").rstrip("\r")


def _header(path: Path) -> list[str]:
    """Return the names of the attributes, wherever they stand."""
    with _opened(path) as stream:
        first = [stream.readline(MAX_LINE_BYTES).decode("utf-8-sig", errors="replace").strip() for _ in range(2)]
    line = first[1] if first[0].isdigit() else first[0]
    names = line.replace(",", " ").split()
    names = names[1:] if names[:1] == ["image_id"] else names
    if not names or len(set(names)) < len(names) or any(_COLUMN.fullmatch(name) is None for name in names):
        raise InputError(f"{path} has no line of attribute names; its first line is a count, its second the names")
    return names


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        reason = "there is none" if isinstance(error, FileNotFoundError) else "it cannot be opened"
        raise InputError(f"{path}: {reason}; give the folder with CelebA's label files") from None


def _read(path: Path, columns: Sequence[str], *, counted: bool) -> pl.DataFrame:
    """Read lines of an image and whole numbers; ``counted`` files begin with a count and a header."""
    with _opened(path) as stream:
        first = stream.readline(MAX_LINE_BYTES).decode("utf-8-sig", errors="replace").strip()
    comma = "," in first
    count = int(first) if counted and first.isascii() and first.isdigit() and len(first) < 12 else None
    skip = 2 if count is not None else int(comma and not re.match(r"[^,]*\.(jpe?g|png)\b", first))
    if counted and not comma and count is None:
        raise InputError(f"{path}: the first line is {first[:30]!r} and no count of images; is this the file?")
    schema: dict[str, type[pl.DataType]] = {"image": pl.String, **dict.fromkeys(columns, pl.Int32)}
    frames = [_frame(path, number, block, schema) for number, block in _blocks(path, skip)]
    frame = pl.concat(frames) if frames else pl.DataFrame(schema={**schema, "line": pl.Int64})
    _refuse(path, ~pl.col("image").str.contains(_IMAGE), frame, "the image has no plain file name")
    if count is not None and count != frame.height:
        raise InputError(f"{path} says that it has {count} images and has {frame.height}; fetch it again")
    twice = frame.filter(pl.col("image").is_duplicated())
    if twice.height:
        raise InputError(f"{path}: {twice.height} lines are about an image of another line; fetch it again")
    if frame.height == 0:
        raise InputError(f"{path} has no image in it; is this the file?")
    return frame


def _blocks(path: Path, skip: int) -> Iterator[tuple[int, bytes]]:
    """Yield (number of its first line, whole lines) of a file, without the lines to skip."""
    with _opened(path) as stream:
        for _ in range(skip):
            stream.readline(MAX_LINE_BYTES)
        number, rest = skip + 1, b""
        while data := stream.read(BLOCK):
            whole, newline, after = (rest + data).rpartition(b"\n")
            if not newline and len(after) > MAX_LINE_BYTES:
                raise InputError(f"{path}, line {number}: longer than any line of CelebA; is this the file?")
            rest = after
            if newline:
                yield number, whole
                number += whole.count(b"\n") + 1
        if rest.strip():
            yield number, rest


def _frame(path: Path, number: int, block: bytes, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """Read a block of lines; when that fails, find the lines that are to blame."""
    cleaned = _cleaned(block)
    if not cleaned:
        return pl.DataFrame(schema={**schema, "line": pl.Int64})
    try:
        frame = pl.read_csv(BytesIO(cleaned), has_header=False, separator=" ", schema=schema, quote_char=None)
    except pl.exceptions.PolarsError:
        frame = None
    lines = cleaned.count(b"\n") + 1
    if frame is None or frame.height != lines or any(frame.null_count().row(0)):
        _stop(path, _bad_lines(number, block, len(schema)))
        raise InputError(f"{path}: lines from {number} on cannot be read; fetch it again")
    return frame.with_columns(line=_numbers(number, block, lines))


def _numbers(first: int, block: bytes, lines: int) -> pl.Series:
    """Return the numbers of the lines that hold something."""
    if block.count(b"\n") + 1 == lines:
        return pl.int_range(first, first + lines, eager=True)
    held = [number for number, line in enumerate(block.split(b"\n"), first) if line.strip()]
    return pl.Series(held, dtype=pl.Int64)


def _cleaned(block: bytes) -> bytes:
    """Return lines with single blanks and none at their ends; commas count as blanks."""
    single = block.translate(_TO_BLANK, delete=b"\r")
    for several, one in ((b"  ", b" "), (b" \n", b"\n"), (b"\n ", b"\n"), (b"\n\n", b"\n")):
        while several in single:  # a pattern would take ten times as long
            single = single.replace(several, one)
    return single.strip()


def _bad_lines(number: int, block: bytes, fields: int) -> list[tuple[int, str]]:
    bad = []
    for place, line in enumerate(block.split(b"\n"), number):
        parts = line.replace(b",", b" ").split()
        if parts and len(parts) != fields:
            bad.append((place, f"{len(parts)} fields and not {fields}"))
        elif parts and not all(re.fullmatch(rb"-?\d{1,9}", part) for part in parts[1:]):
            bad.append((place, "a field is no whole number"))
    return bad


def _stop(path: Path, bad: Sequence[tuple[int, str]]) -> None:
    if bad:
        shown = "; ".join(f"line {number}: {reason}" for number, reason in bad[:3])
        raise InputError(f"{path}: {len(bad)} lines cannot be read ({shown}); fetch it again or mend them")


def _refuse(path: Path, wrong: pl.Expr, frame: pl.DataFrame, reason: str) -> None:
    """Refuse a file with lines that say what cannot be."""
    lines = frame.filter(wrong.fill_null(value=True))["line"]
    _stop(path, [(line, reason) for line in lines])
