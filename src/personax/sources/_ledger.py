"""The reading ledger: how a file was read, what of that was guessed, and what only a person can say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self, get_args

from personax.errors import InputError
from personax.schema import Notice

__all__ = ["LEDGER", "ColumnReading", "FileFact", "FileReading", "GuessedReading", "ReadingLedger", "ReadingStatus"]

LEDGER: Final = "reading.json"
"""Beside people.parquet: `ReadingLedger` as JSON."""

ReadingStatus = Literal["given", "plain", "evidence", "guess", "question"]
"""How something is known: somebody said it, nothing had to be decided, the cells prove it, they make it likely, or
only a person can say it."""

STATUSES: Final[tuple[ReadingStatus, ...]] = get_args(ReadingStatus)
NAMED: Final = 6
"""Columns that one sentence names."""


@dataclass(frozen=True)
class FileFact:
    """One thing about a file: its encoding, its separator, lines above the header, further header rows.

    Parameters
    ----------
    what
        For example ``separator``.
    value
        What was found.
    status, why
        How it is known; see `ReadingStatus`.
    answer
        What settles it in study.yaml, such as ``separator: ";"``; empty where nothing has to be settled.
    """

    what: str
    value: str
    status: ReadingStatus = "plain"
    why: str = ""
    answer: str = ""


@dataclass(frozen=True)
class ColumnReading:
    """How one column was read.

    Parameters
    ----------
    column
        Our name.
    header
        In the file; several of a composed column, joined by `` + ``.
    read_as
        ``numbers``, ``text``, ``codes``, ``dates``, ``sizes``, ``ordered words``, ``labels``, ``id``, ``left out``.
    status, why
        How that is known.
    question
        What a person should say, one sentence; empty where nothing is asked.
    answer
        Lines of ``collect.columns.<column>`` in study.yaml that settle it.
    missing
        Texts that were read as missing -> cells.
    bad
        Cells that cannot be read so, and are missing now; bad_cells.parquet has them.
    filled
        Cells that hold a value.
    label
        What the file itself says of the column: the wording of a question.
    """

    column: str
    header: str
    read_as: str = "text"
    status: ReadingStatus = "plain"
    why: str = ""
    question: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    bad: int = 0
    filled: int = 0
    label: str = ""


@dataclass(frozen=True)
class FileReading:
    """How one file was read.

    Parameters
    ----------
    source
        The name of the source in the study.
    file
        Its name.
    format
        Such as ``csv``.
    rows
        People.
    facts, columns
        What was found of the file, and of each of its columns, those that are left out too.
    """

    source: str
    file: str
    format: str
    rows: int
    facts: Sequence[FileFact] = ()
    columns: Sequence[ColumnReading] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", tuple(self.facts))
        object.__setattr__(self, "columns", tuple(self.columns))

    def open_points(self) -> list[tuple[str, ReadingStatus, str, str]]:
        """Return what was guessed or is asked: where, how it is known, the sentence, and what settles it."""
        facts = [
            (fact.what, fact.status, f"{fact.what} {fact.value}: {fact.why}", fact.answer)
            for fact in self.facts
            if fact.status in ("guess", "question")
        ]
        columns = [
            (one.column, one.status, one.question or f"read as {one.read_as}: {one.why}", _answer(one))
            for one in self.columns
            if one.status in ("guess", "question")
        ]
        return [*facts, *columns]


def _answer(column: ColumnReading) -> str:
    if not column.answer:
        return ""
    return f"{column.column}: {json.dumps(dict(column.answer), ensure_ascii=False)}"


class GuessedReading(InputError):
    """A file of which something was guessed or is asked, where that is not allowed; one sentence a line."""


@dataclass(frozen=True)
class ReadingLedger:
    """How every file of a study was read.

    Parameters
    ----------
    files
        In the order of the sources.

    Examples
    --------
    >>> height = ColumnReading("height", "Height", "numbers", "guess", "1 cell is NA", missing={"NA": 1})
    >>> ledger = ReadingLedger([FileReading("people", "people.csv", "csv", 300, (), [height])])
    >>> ReadingLedger.from_json(ledger.to_json()) == ledger, len(ledger.questions()), len(ledger.guesses())
    (True, 0, 1)
    """

    files: Sequence[FileReading] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", tuple(self.files))

    def questions(self) -> list[tuple[str, str]]:
        """Return what only a person can say: the file and the sentence, with what settles it."""
        return [
            (file.file, _sentence(one)) for file in self.files for one in file.open_points() if one[1] == "question"
        ]

    def guesses(self) -> list[tuple[str, str]]:
        """Return what was guessed; see `questions`."""
        return [(file.file, _sentence(one)) for file in self.files for one in file.open_points() if one[1] == "guess"]

    def notices(self) -> list[Notice]:
        """Return one notice a question, and one that sums up how each file was read."""
        return [notice for file in self.files for notice in _notices(file)]

    def check_strict(self) -> None:
        """Refuse a reading with guesses or questions.

        Raises
        ------
        GuessedReading
            One sentence each.
        """
        points = [*self.questions(), *self.guesses()]
        if points:
            raise GuessedReading("\n".join(f"{file}: {sentence}" for file, sentence in points))

    def to_json(self) -> str:
        """Return the ledger as JSON text; docs/reading.md describes it."""
        return json.dumps({"version": 1, **asdict(self)}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; keys that this version does not know are passed over."""
        return cls([_file(raw) for raw in json.loads(text)["files"]])


def _sentence(point: tuple[str, ReadingStatus, str, str]) -> str:
    where, _, text, answer = point
    settled = (
        f"; collect.columns: {{{answer}}}" if answer.startswith(f"{where}: {{") else f"; {answer}" if answer else ""
    )
    return f"{where}: {text}{settled}" if not text.startswith(where) else f"{text}{settled}"


def _file(raw: Mapping[str, Any]) -> FileReading:
    known = {name: raw[name] for name in ("source", "file", "format", "rows")}
    facts = tuple(FileFact(**_fields(FileFact, one)) for one in raw["facts"])
    return FileReading(
        **known, facts=facts, columns=tuple(ColumnReading(**_fields(ColumnReading, c)) for c in raw["columns"])
    )


def _fields(kind: type[FileFact | ColumnReading], raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: raw[name] for name in kind.__dataclass_fields__ if name in raw}


def _notices(file: FileReading) -> Iterator[Notice]:
    for point in file.open_points():
        if point[1] == "question":
            yield Notice(f"Question about {file.file}: {_sentence(point)}")
    said = [f"{fact.what} {fact.value}" for fact in file.facts if fact.status in ("evidence", "guess")]
    told: dict[str, list[str]] = {}
    for column in file.columns:
        if column.why and column.status in ("evidence", "guess"):
            told.setdefault(f"{column.read_as}: {column.why}", []).append(column.column)
    said += [f"{_some(names)} read as {why}" for why, names in told.items()]
    if said:
        yield Notice(f"What was read of {file.file}: {'; '.join(said)}.")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
