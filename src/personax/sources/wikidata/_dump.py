"""The official JSON dump of Wikidata, cut into portions that can be read independently of one another.

A dump is one array of JSON with an entity a line, 1.6 TB unpacked. Plain text and bzip2 are cut by bytes of the file: a
portion has the lines that begin in its bytes, and no process reads the file from its beginning. A bzip2 stream is a row
of blocks of at most 900 kB, each behind a mark of 48 bits that may begin at any bit; a block is unpacked on its own by
wrapping it into a stream of one block (Hadoop's BZip2Codec and lbzip2 do the same). gzip and zstd can be unpacked from
the beginning only: one process does, and gives portions of text away.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Final, cast

from personax.errors import InputError, require

__all__ = ["DumpPortion", "check_dump", "dump_portions", "portion_lines"]

PACKED_BYTES: Final = 64 * 2**20
"""Of a portion of a bzip2 file; about 1.2 GB of text."""

TEXT_BYTES: Final = 64 * 2**20
"""Of a portion of text, in one piece in memory where it comes from gzip or zstd."""

FILES: Final = 1000
"""Of a portion of a folder."""

_CHUNK: Final = 4 * 2**20
_BLOCK, _END = 0x314159265359, 0x177245385090
"""Marks of bzip2: a block begins; a stream ends."""


@dataclass(frozen=True, slots=True)
class DumpPortion:
    """A part of a dump.

    Parameters
    ----------
    number
        Counts the portions from 0; the same in every run.
    path
        The dump.
    start, stop
        Bytes of the file: the portion has the lines, or the blocks, that begin there.
    text
        The lines themselves, of a dump that can be read from its beginning only.
    files
        The files, of a folder.
    """

    number: int
    path: Path
    start: int = 0
    stop: int = 0
    text: bytes | None = None
    files: tuple[Path, ...] = ()


def dump_portions(path: Path, *, size: int | None = None) -> Iterator[DumpPortion]:
    """Yield the portions of a dump.

    Parameters
    ----------
    path
        ``.json``, ``.json.bz2``, ``.json.gz``, ``.json.zst`` (also of lines without the brackets of an array), or a
        folder with a JSON file an entity.
    size
        Bytes, or files, of a portion.

    Raises
    ------
    InputError
        When there is no such file, or it is no dump of JSON.
    EOFError
        After the last portion of a gzip or zstd file that breaks off or is damaged.
    MissingExtraError
        For zstd, where pyarrow is not installed.
    """
    check_dump(path)
    if path.is_dir():
        yield from _folder_portions(path, size or FILES)
        return
    if path.suffix in (".gz", ".zst"):
        yield from _text_portions(path, size or TEXT_BYTES)
        return
    step, whole = size or (PACKED_BYTES if path.suffix == ".bz2" else TEXT_BYTES * 16), path.stat().st_size
    for number, start in enumerate(range(0, whole, step)):
        yield DumpPortion(number, path, start, min(start + step, whole))


def portion_lines(portion: DumpPortion) -> Iterator[bytes | None]:
    """Yield the lines of a portion, without the comma at their end; None for a damaged block of bzip2."""
    if portion.text is not None:
        lines: Iterator[bytes | None] = iter(portion.text.split(b"\n"))
    elif portion.files:
        lines = (file.read_bytes() for file in portion.files)
    elif portion.path.suffix == ".bz2":
        lines = _packed_lines(portion)
    else:
        lines = _plain_lines(portion)
    for line in lines:
        yield line.strip().removesuffix(b",") if line is not None else None


def _folder_portions(path: Path, size: int) -> Iterator[DumpPortion]:
    files = sorted(path.glob("*.json"))
    if not files:
        raise InputError(f"{path} holds no JSON file; give a dump, or a folder with a JSON file an entity")
    for number, start in enumerate(range(0, len(files), size)):
        yield DumpPortion(number, path, files=tuple(files[start : start + size]))


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".bz2":
        return cast(IO[bytes], bz2.open(path))
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path))
    if path.suffix == ".zst":
        arrow = require("pyarrow", extra="release")
        return cast(IO[bytes], arrow.input_stream(str(path), compression="zstd"))
    return path.open("rb")


_DAMAGE = (EOFError, OSError, zlib.error, ValueError)


def check_dump(path: Path) -> None:
    """Refuse what does not begin as a dump; see `dump_portions`."""
    if path.is_dir():
        return
    if not path.is_file():
        raise InputError(f"there is no dump {path}; download latest-all.json.bz2 from dumps.wikimedia.org")
    try:
        with closing(_opened(path)) as file:
            beginning = file.read(4096).lstrip(b"\xef\xbb\xbf \r\n\t")
    except _DAMAGE as error:
        raise InputError(f"{path} cannot be unpacked ({_reason(error)}); download it again") from None
    if not beginning.startswith((b"[", b"{")):
        text = "is no JSON dump of Wikidata (an entity a line); RDF (.ttl, .nt) and XML dumps are not read"
        raise InputError(f"{path} {text}; download latest-all.json.bz2")


def _reason(error: BaseException) -> str:
    return str(error)[:120] or "it breaks off"


def _text_portions(path: Path, size: int) -> Iterator[DumpPortion]:
    """Unpack from the beginning, and cut behind the last line break of about so many bytes."""
    number, rest, fault = 0, b"", ""
    with closing(_opened(path)) as file:
        while not fault:
            pieces, fault = _pieces(file, size)
            if not pieces and not fault:
                break
            text = rest + pieces
            end = text.rfind(b"\n") + 1
            rest = text[end:]
            if end:
                yield DumpPortion(number, path, text=text[:end])
                number += 1
    if rest:
        yield DumpPortion(number, path, text=rest)
    if fault:
        raise EOFError(fault)


def _pieces(file: IO[bytes], size: int) -> tuple[bytes, str]:
    """Return the next bytes, small piece by small piece, so that damage costs one of them; and what the damage is."""
    found: list[bytes] = []
    held = 0
    while held < size:
        try:
            piece = file.read(min(size - held, 2**16))
        except _DAMAGE as error:
            return b"".join(found), _reason(error)
        if not piece:
            break
        found.append(piece)
        held += len(piece)
    return b"".join(found), ""


def _plain_lines(portion: DumpPortion) -> Iterator[bytes]:
    with portion.path.open("rb") as file:
        if portion.start:
            file.seek(portion.start - 1)
            file.readline()  # to the end of the line that begins before
        while file.tell() < portion.stop and (line := file.readline()):
            yield line


def _packed_lines(portion: DumpPortion) -> Iterator[bytes | None]:
    """Yield the lines behind the first line break of the portion's blocks, up to the first one behind them."""
    whole = portion.number == 0  # whether ``rest`` begins where a line does
    rest = b""
    for bit, text in _blocks(portion.path, portion.start):
        behind = bit // 8 >= portion.stop
        if text is None:
            if behind:
                break
            yield None
            whole, rest = False, b""
            continue
        if behind:
            line, broken, _ = text.partition(b"\n")
            rest += line
            if broken:
                break
            continue
        *lines, last = text.split(b"\n")
        if lines:
            if whole:
                yield rest + lines[0]
            yield from lines[1:]
            whole, rest = True, last
        else:
            rest += last
    if whole and rest:
        yield rest


def _blocks(path: Path, start: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield the blocks that begin at a byte or later: the bit at which each does, and its text; None where damaged."""
    with path.open("rb") as file:
        file.seek(start)
        base, data, more = start, b"", True
        while more:
            piece = file.read(_CHUNK)
            more, data = bool(piece), data + piece
            marks = _marks(data)
            ends = [bit for bit, _ in marks]
            for place, ((bit, begins), _) in enumerate(pairwise(marks)):
                if begins:
                    yield base * 8 + bit, _unpacked(data, bit, ends[place + 1 : place + 3])
            if marks and not more and marks[-1][1]:
                yield base * 8 + marks[-1][0], None  # the file ends within this block
            kept = marks[-1][0] // 8 if marks else max(0, len(data) - 8)
            base, data = base + kept, data[kept:]


def _marks(data: bytes) -> list[tuple[int, bool]]:
    """Return the bits at which marks begin, in order, and whether a block begins there.

    Of a mark that begins ``shift`` bits into a byte, the five bytes behind that one are known whole: they are searched.
    """
    found: list[tuple[int, bool]] = []
    for mark in (_BLOCK, _END):
        for shift in range(8):
            pattern = (mark << (8 - shift)).to_bytes(7, "big")
            first, last = (1 << (8 - shift)) - 1, 0xFF << (8 - shift) & 0xFF
            at = data.find(pattern[1:6], 1)
            while at >= 0:
                begins = data[at - 1] & first == pattern[0] & first
                if begins and at + 5 < len(data) + (last == 0):
                    ends = last == 0 or data[at + 5] & last == pattern[6] & last
                    if ends:
                        found.append(((at - 1) * 8 + shift, mark == _BLOCK))
                at = data.find(pattern[1:6], at + 1)
    return sorted(found)


def _unpacked(data: bytes, bit: int, ends: list[int]) -> bytes | None:
    """Unpack a block; where that fails, as if the first mark behind it were bits that look like one."""
    for end in ends:
        last = (end + 7) // 8
        bits = int.from_bytes(data[bit // 8 : last], "big") >> (last * 8 - end)
        length = end - bit
        bits &= (1 << length) - 1
        checksum = bits >> (length - 80) & 0xFFFFFFFF if length > 80 else 0
        bits = (bits << 48 | _END) << 32 | checksum  # that of a stream of one block is the block's
        spare = -(length + 80) % 8
        try:
            return bz2.decompress(b"BZh9" + (bits << spare).to_bytes((length + 80 + spare) // 8, "big"))
        except (OSError, ValueError, EOFError):
            continue
    return None
