"""A scan of every file of a folder that leaves, to the bytes."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from personax.data.frames import parquet_schema, read_csv, read_parquet
from personax.data.text import decode, fold
from personax.errors import InputError
from personax.release.pii._contacts import contacts
from personax.release.pii._known_values import MIN_COMMON, KnownValues
from personax.release.pii._name_variants import bare, variants, written
from personax.release.pii._table_scan import TEXT, Finding, format_rows, holds_numbers, holds_text, scan_known

__all__ = ["refuse_folder", "scan_folder"]

_PACKED = {
    b"PK\x03\x04": "zip", b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ": "xz", b"BZh": "bzip2",
    b"7z\xbc\xaf": "7z", b"\x80\x04\x95": "pickle", b"SQLite format 3": "SQLite",
}  # fmt: skip
_PRINTED = re.compile(rb"[\x20-\x7e\x80-\xfd]{8,}")
_PARQUET = b"PAR1"


def scan_folder(
    folder: Path,
    private: Iterable[str],
    *,
    allowed: Collection[str] = (),
    common: int = MIN_COMMON,
    study: Path | None = None,
    secrets: Collection[bytes] = (),
    house: Sequence[str] = (),
) -> list[Finding]:
    """Look into every file of a folder for what must not leave.

    Parameters
    ----------
    folder
        What would leave.
    private, allowed, common
        See `personax.release.pii.KnownValues`. Addresses that may leave are allowed here as well.
    study
        The study's folder; its path must not be in any file.
    secrets
        Bytes that must not be in any file, such as those of the key.
    house
        Texts that every release has, whoever is in it: what they say too tells of nobody in a document. A comment
        "nothing to say" is in the terms of use.

    Returns
    -------
    list of Finding
        Sorted by file. Tables (Parquet, CSV) are read cell by cell, with the names of their columns and the metadata of
        the file; all other texts are documents; of other bytes, what can be printed is read. A link and a
        packed file are findings themselves, because they cannot be looked into. Names of files are looked at too.

    Raises
    ------
    InputError
        There is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder} to scan; build the release first")
    values = list(private)
    known = KnownValues(values, allowed, common=common)
    narrowed = _without_house(values, house)
    in_texts = known if narrowed is None else KnownValues(narrowed, allowed, common=common)
    # whole paths only: a study in the folder demo would find its name in any text
    places = {str(study.absolute()), study.absolute().as_posix(), str(study.resolve())} - {"/"} if study else set()
    needles = {"a secret of the study": [bytes(secret) for secret in secrets if secret],
               "the path of the study": [place.encode() for place in sorted(places)]}  # fmt: skip
    found = []
    for path in sorted(folder.rglob("*")):
        file = path.relative_to(folder).as_posix()
        found += [
            Finding(file, "its name", kind, count) for kind, count in known.find(path.name, document=True).items()
        ]
        if path.is_symlink():
            found.append(Finding(file, "the file", "a link", 1))
        elif path.is_file():
            found += _file(path, file, known, in_texts, needles)
    return found


def _without_house(values: Sequence[str], house: Sequence[str]) -> list[str] | None:
    """Return the values of which no spelling is in the house's own texts; None where all of them are such."""
    text = f" {' '.join(fold(decode(each)) for each in house)} "
    words = frozenset(text.split())

    def is_held(value: str) -> bool:
        if words.isdisjoint(fold(value).split()):
            return False
        forms = (form for each in written(value) for form, _ in variants(bare(each)))
        return any(words.issuperset(form) and f" {' '.join(form)} " in text for form in forms)

    held = {value for value in set(values) if is_held(value)}
    return [value for value in values if value not in held] if held else None


def _first_held(values: Sequence[str], text: str, allowed: Collection[str]) -> str | None:
    """Return a value that a text holds, by halving those that it may be."""

    def holds(some: Sequence[str]) -> bool:
        known, plain = KnownValues(some, allowed), decode(text)
        return bool(known.find(plain, document=True)) or bool(known.passages([plain]))

    left = list(dict.fromkeys(values))
    while len(left) > 1:
        half = left[: len(left) // 2]
        left = half if holds(half) else left[len(half) :]
    return left[0] if left and holds(left) else None


def refuse_folder(
    folder: Path,
    private: Iterable[str],
    *,
    allowed: Collection[str] = (),
    common: int = MIN_COMMON,
    study: Path | None = None,
    secrets: Collection[bytes] = (),
    house: Sequence[str] = (),
    origin: Callable[[str], str] | None = None,
) -> None:
    """Refuse a folder with something in it that must not leave.

    Parameters
    ----------
    folder, private, allowed, common, study, secrets, house
        See `scan_folder`.
    origin
        Says of a private value where the owner finds it; a text of the release shows none of its own rows.

    Raises
    ------
    InputError
        Names the first file, where in it, what kind of thing and how often, never the thing; and how many more.
    """
    private = list(private)
    found = scan_folder(folder, private, allowed=allowed, common=common, study=study, secrets=secrets, house=house)
    if found:
        first = found[0]
        more = f", and {len(found) - 1} more findings" if len(found) > 1 else ""
        rows = f", {format_rows(first.rows)}" if first.rows else ""
        if origin is not None and first.where == "text" and "private" in first.kind:
            value = _first_held(private, (folder / first.file).read_text("utf-8", "replace"), allowed)
            rows = f", {origin(value)}" if value is not None else ""
        text = f"the release stops: {first.file}, {first.where}{rows}: {first.kind} ({first.count} times){more}"
        raise InputError(f"{text}; make it private, or allow it where it only looks like that")


def _file(
    path: Path, file: str, private: KnownValues, in_texts: KnownValues, needles: dict[str, list[bytes]]
) -> Iterator[Finding]:
    raw = path.read_bytes()
    for kind, wanted in needles.items():
        count = sum(raw.count(needle) for needle in wanted)
        if count:
            yield Finding(file, "the file", kind, count)
    packed = [name for start, name in _PACKED.items() if raw.startswith(start)]
    if packed:
        yield Finding(file, "the file", f"a packed file ({packed[0]})", 1)
        return
    frame = _table(path, raw)
    if frame is not None:
        yield from scan_known(frame, private, file=file)
        if not raw.startswith(_PARQUET):
            return
        (length,) = struct.unpack("<I", raw[-8:-4])
        yield from _document(_printed(raw[-8 - length : -8]), file, "metadata", in_texts)
        return
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = _printed(raw)
    yield from _document(text, file, "text", in_texts)


def _table(path: Path, raw: bytes) -> pl.DataFrame | None:
    """Return the columns of a table that can identify people, and an empty one for each other column."""
    try:
        if raw.startswith(_PARQUET):
            schema = parquet_schema(path)
            looked = {name for name, dtype in schema.items() if _is_looked_at(dtype)}
            frame = read_parquet(path, columns=[name for name in schema if name in looked])
            return frame.select(pl.col(name) if name in looked else pl.lit(None).alias(name) for name in schema)
        if path.suffix.lower() in (".csv", ".tsv"):
            return read_csv(path, infer_schema=False, separator="\t" if path.suffix.lower() == ".tsv" else ",")
    except (pl.exceptions.PolarsError, OSError):
        return None
    return None


def _is_looked_at(dtype: pl.DataType) -> bool:
    return holds_text(dtype) or holds_numbers(dtype) or dtype.is_temporal()


def _printed(raw: bytes) -> str:
    return "\n".join(match.decode("utf-8", "replace") for match in _PRINTED.findall(raw))


def _document(text: str, file: str, where: str, private: KnownValues) -> Iterator[Finding]:
    """Yield findings in a text, as it is and with the escapes of JSON, YAML and addresses decoded."""
    plain = decode(text)
    kinds: Counter[str] = private.find(plain, document=True) + contacts(text, document=True, allowed=private.allowed)
    if private.passages([plain]):
        kinds[TEXT] += 1
    for kind, count in sorted(kinds.items()):
        yield Finding(file, where, kind, count)
