"""How a text table is written: its encoding, its separator, the lines above its header; each by evidence."""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = [
    "SEPARATORS", "Dialect", "count_fields", "decode", "encoding_advice", "find_dialect", "looks_like_value",
    "seems_misread",
]  # fmt: skip

SEPARATORS: Final = (",", ";", "\t", "|")

SAMPLE: Final = 2**18
"""Characters whose records are looked at."""
LEADING: Final = 10
"""A header stands within so many records."""
WITHIN_WORDS: Final = 0.8
"""A text is Windows-1252 if this share of its letters outside ASCII are Western ones, with a letter beside them."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN: Final = "äöüÄÖÜßéèêëàâáåãæçñíìîïóòôõøœúùûýÿÉÀÂÁÅÆÇÑÍÓØÚÈÊŠšŽž"
_NORTHERN: Final = "ýðþÝÐÞÁ"
"""Letters that in the Turkish encoding are other ones."""
_ENCODINGS: Final = (
    "cp1252", "cp1250", "cp1254", "cp1251", "cp1253", "cp1257", "iso8859-2", "koi8-r", "shift_jis", "gb18030", "big5",
    "euc-kr", "cp1255", "cp1256", "mac-roman", "cp850",
)  # fmt: skip
"""What tables are written in where they are no UTF-8."""
_VALUE = re.compile(
    r"[-+]?[$€£¥]?\d[\d.,'\u00a0\u202f ]*\s?(?:%|[a-z]{1,3}|['\"′″].*)?|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[ T].*)?",
    re.IGNORECASE,
)


_TOLD = re.compile(r"\"?sep=(\t|[,;|])\"?[ ]*\n", re.IGNORECASE)
"""What spreadsheets write above a table."""


@dataclass(frozen=True)
class Dialect:
    """How a text table is divided.

    Parameters
    ----------
    separator
        One of `SEPARATORS`.
    skipped
        Lines of the text above the header that are no part of the table: titles, comments, blank ones.
    why
        What decided the separator.
    certain
        No other separator fits as well, and no title was taken for one by its form alone.
    """

    separator: str
    skipped: int = 0
    why: str = "the ending of the file"
    certain: bool = True


def decode(raw: bytes, encoding: str | None = None) -> tuple[str, str, str]:
    r"""Return the text of a file, its encoding, and what says so.

    Parameters
    ----------
    raw
        The bytes.
    encoding
        Where somebody has named it; by evidence otherwise: a byte order mark, zero bytes, valid UTF-8, Western letters.

    Raises
    ------
    LookupError
        There is no such encoding.
    UnicodeDecodeError
        The bytes are no text in it, or nothing says in which.

    Examples
    --------
    >>> decode("Zoé".encode("utf-16")), decode(b"Zo\xe9 lives")[1]
    (('Zoé', 'utf-16', 'a byte order mark'), 'cp1252')
    """
    if encoding is not None:
        plain = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
        return raw.decode("utf-8-sig" if plain else encoding), encoding, "given"
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return raw.decode(name), name.removesuffix("-sig"), "a byte order mark"
    head = np.frombuffer(raw[: min(len(raw), 4096) & ~1], dtype=np.uint8).reshape(-1, 2)
    if len(head):
        for column, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if (head[:, column] == 0).mean() > 0.4 and (head[:, 1 - column] == 0).mean() < 0.1 and len(raw) % 2 == 0:
                return raw.decode(name), name, "its zero bytes"
    try:
        return raw.decode("utf-8"), "utf-8", "every byte is valid in it"
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
        if not _is_western(text):
            raise
        return text, "cp1252", f"it is no UTF-8, and its letters are Western European ones{_other_reading(raw, text)}"


def _other_reading(raw: bytes, text: str) -> str:
    """Say how the encoding of Central Europe reads the first word that it reads otherwise, if there is one."""
    words = zip(_foreign_words(text), _foreign_words(raw.decode("cp1250", "replace")), strict=False)
    differing = next((pair for pair in words if pair[0] != pair[1]), None)
    return f", such as {differing[0]!r}; cp1250 reads {differing[1]!r}" if differing else ""


def _foreign_words(text: str) -> list[str]:
    return re.findall(r"[^\s,;|\t\"]*[^\x00-\x7f\s][^\s,;|\t\"]*", text[:SAMPLE])


def encoding_advice(raw: bytes) -> str:
    """Say in which encodings bytes that are no UTF-8 can be words, with the first of them in each.

    Examples
    --------
    >>> encoding_advice("Żaneta".encode("cp1250")).partition(", cp1257")[0]
    "name its encoding (--encoding, or encoding: in the study file): cp1250 ('Żaneta')"
    """
    found: list[tuple[float, str, list[str]]] = []
    for name in _ENCODINGS:
        try:
            words = _foreign_words(raw[:SAMPLE].decode(name))
        except UnicodeDecodeError:
            continue
        controls = any("\x80" <= letter <= "\x9f" for word in words for letter in word)
        if words and not controls and not any(shown == words[:2] for _, _, shown in found):
            found.append((_oddness(words), name, words[:2]))
    found.sort(key=lambda one: one[0])
    shown = [f"{name} ({' '.join(words)[:40]!r})" for _, name, words in found[:3]]
    if not shown:
        return "name its encoding: --encoding, or encoding: in the study file"
    return f"name its encoding (--encoding, or encoding: in the study file): {', '.join(shown)}?"


def _oddness(words: Sequence[str]) -> float:
    """Return the share of words that no language writes: signs, two scripts or capitals within a word, rare letters."""
    odd = 0
    for word in words[:200]:
        letters = [letter for letter in word if letter.isalpha()]
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters}
        signs = any(letter > "\x7f" and not letter.isalpha() for letter in word)
        capitals = word[1:].lower() != word[1:] and word.upper() != word
        odd += signs or len(scripts) > 1 or capitals
    return odd / min(len(words), 200)


def seems_misread(text: str, encoding: str) -> str:
    r"""Return the first word that shows a wrong encoding; empty where none does.

    Examples
    --------
    >>> seems_misread("Swi\x9ctos", "latin-1"), seems_misread("José", "latin-1")
    ('Swi\x9ctos', '')
    """
    words = _foreign_words(text)
    control = next(
        (word for word in words if any("\x80" <= letter <= "\x9f" and letter != "\x85" for letter in word)), ""
    )
    western = codecs.lookup(encoding).name in ("iso8859-1", "cp1252", "iso8859-15")
    if control or not western or not words or _is_western(text, _WESTERN + _NORTHERN):
        return control
    odd = [word for word in words if _oddness([word])]
    return odd[0] if odd else ""


def _is_western(text: str, letters: str = _WESTERN) -> bool:
    """Say whether letters outside ASCII stand in Western words: beside a letter of ASCII."""
    found = [at for at, letter in enumerate(text) if letter > "\x7f" and letter not in "€–—‘’“”…°²³µ·«»§®©\u00a0"]
    if not found or "\ufffd" in text:
        return False
    near = [text[max(0, at - 1) : at] + text[at + 1 : at + 2] for at in found]
    fits = [
        text[at] in letters and any(c.isascii() and c.isalpha() for c in beside)
        for at, beside in zip(found, near, strict=True)
    ]
    return sum(fits) >= WITHIN_WORDS * len(fits)


def looks_like_value(cell: str) -> bool:
    r"""Say whether a cell is a number, a size or a date, as no header is.

    Examples
    --------
    >>> [looks_like_value(cell) for cell in ("1,70", "02.01.1990", "6'2", "12%", "height", "2020 score")]
    [True, True, True, True, False, False]
    """
    return _VALUE.fullmatch(cell.strip()) is not None


def find_dialect(text: str, default: str, *, separator: str | None = None) -> Dialect:
    r"""Find the separator and the lines above the header.

    Parameters
    ----------
    text
        Of the file.
    default
        What its ending means: taken where nothing speaks for another.
    separator
        Where somebody has named it.

    Notes
    -----
    A separator fits where all records of the sample, read with its quotes, have equally many fields, two at least. Of
    several that fit, that is taken under which more columns hold numbers or dates throughout; if these are equal too,
    the default, and `Dialect.certain` is False. No single line decides.

    Examples
    --------
    >>> find_dialect("id;height\n1;1,70\n2;1,81\n", ",").separator
    ';'
    >>> find_dialect("# exported\nid,name\n1,A\n", ",").skipped
    1
    """
    told = _TOLD.match(text)
    if told and separator is None:
        return Dialect(told[1], 1, "its first line says so")
    sample = text[:SAMPLE]
    if len(text) > SAMPLE:
        sample = sample[: sample.rfind("\n") + 1]
    given = (separator,) if separator else (default, *(one for one in SEPARATORS if one != default))
    fits = [fit for one in given if (fit := _fit(sample, one)) is not None]
    if separator:
        return Dialect(separator, fits[0].skipped if fits else _most_alike(sample, given).skipped, "given")
    if not fits:
        return _most_alike(sample, given)
    straight = [fit for fit in fits if not fit.titled] or fits
    best = max(straight, key=lambda fit: (fit.typed, -fit.skipped, fit.separator == default))
    rivals = [fit for fit in straight if fit is not best and (fit.typed, fit.skipped) == (best.typed, best.skipped)]
    why = f"it divides every record into {best.width} fields"
    return Dialect(best.separator, best.skipped, why, certain=not rivals and not best.titled)


def _most_alike(sample: str, given: Sequence[str]) -> Dialect:
    """Return how a table with broken records is divided: as most of its records are; by the first separator else."""
    for separator in given:
        records = list(_records(sample, separator))
        widths = Counter(len(cells) for _, cells in records)
        width, times = widths.most_common(1)[0] if widths else (1, 0)
        header = next(((at, cells) for at, cells in records if not _is_comment(cells)), (0, [""]))
        if width > 1 and len(header[1]) > 1 and 2 * times >= len(records):
            start = header[0] if len(records[0][1]) != width else 0
            return Dialect(separator, start, f"it divides most records into {width} fields")
    return Dialect(given[0])


def _is_comment(cells: Sequence[str]) -> bool:
    return cells[0].lstrip().startswith(("#", "//", "%"))


@dataclass(frozen=True)
class _Fit:
    """A separator that divides a sample into equally many fields."""

    separator: str
    width: int
    skipped: int
    titled: bool
    """Lines above the header are taken for a title by their form alone."""
    typed: float
    """Share of columns that hold numbers or dates throughout."""


def _fit(sample: str, separator: str) -> _Fit | None:
    records = list(_records(sample, separator))
    if not records:
        return None
    widths = Counter(len(cells) for _, cells in records)
    width, times = widths.most_common(1)[0]
    start = _header(records, width)
    if width < 2 or start is None or any(len(cells) != width for _, cells in records[start:]):
        return None
    above = [cells for _, cells in records[:start]]
    titled = any(not _is_comment(cells) and len(cells) != width for cells in above)
    if titled and (width < 3 or times < 3):
        return None
    body = [cells for _, cells in records[start + 1 :]][:200]
    typed = sum(
        all(not cell.strip() or looks_like_value(cell) for cell in column) for column in zip(*body, strict=True)
    )
    return _Fit(separator, width, records[start][0] if start else 0, titled, typed / width if body else 0.0)


def _records(sample: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every record with the number of lines above it; none where quotes are left open."""
    csv.field_size_limit(max(csv.field_size_limit(), len(sample)))
    reader, above = csv.reader(sample.splitlines(keepends=True), delimiter=separator), 0
    try:
        for cells in reader:
            if cells:
                yield above, cells
            above = reader.line_num
    except csv.Error:
        return


def _header(records: Sequence[tuple[int, list[str]]], width: int) -> int | None:
    """Return which record is the header: the first one, unless it is a comment or a title above a better one."""
    for at, (_, cells) in enumerate(records[:LEADING]):
        if len(cells) == width and not _is_title(records, at, width):
            return at
    return None


def _is_title(records: Sequence[tuple[int, list[str]]], at: int, width: int) -> bool:
    """Say whether a record that is as wide as the table is a title row, as spreadsheets export them."""
    held = sum(bool(cell.strip()) for cell in records[at][1])
    if held > max(1, width // 3):
        return False
    later = [cells for _, cells in records[at + 1 : LEADING]]
    return any(_can_be_header(cells, width) for cells in later)


def _can_be_header(cells: Sequence[str], width: int) -> bool:
    named = [cell.strip() for cell in cells]
    return len(named) == width and all(named) and len({*named}) == width and not any(map(looks_like_value, named))


def count_fields(data: bytes, separator: str) -> tuple[int, int, int] | None:
    r"""Return the first line whose number of fields differs from the header's, its number of fields and the header's.

    Parameters
    ----------
    data
        A text without quotes, in UTF-8; lines end by line feeds. Empty lines are passed over.
    separator
        Between fields.

    Examples
    --------
    >>> count_fields(b"a,b\n1,2\n3\n", ","), count_fields(b"a,b\n\n1,2", ",")
    ((3, 1, 2), None)
    """
    expected, line, rest, size = 0, 0, b"", 2**23
    for start in range(0, len(data) + 1, size):
        chunk = rest + data[start : start + size]
        cut = len(chunk) if start + size >= len(data) else chunk.rfind(b"\n") + 1
        chunk, rest = chunk[:cut], chunk[cut:]
        codes = np.frombuffer(chunk, dtype=np.uint8)
        ends = np.flatnonzero(codes == 10)
        if len(codes) and codes[-1] != 10:
            ends = np.append(ends, len(codes))
        marks = np.searchsorted(np.flatnonzero(codes == ord(separator)), ends)
        fields = np.diff(marks, prepend=0) + 1
        filled = np.diff(ends, prepend=-1) > 1
        if not expected and filled.any():
            expected = int(fields[filled][0])
        wrong = np.flatnonzero(filled & (fields != expected))
        if len(wrong):
            return line + int(wrong[0]) + 1, int(fields[wrong[0]]), expected
        line += len(ends)
    return None
