"""Makes an extract of a dump: people, their names and what they refer to, once, on all cores, in bounded memory.

Every portion of the dump becomes files of its own under ``parts``, so that a run that ends goes on where it was. Which
items people refer to is known at the end only: each portion keeps a short row of every item that somebody might refer
to, and those that nobody does are dropped then.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from zlib import compress

import polars as pl

from personax.data.frames import read_parquet, scan_parquet, write_parquet
from personax.engine import find_engine
from personax.errors import InputError, SourceChanged
from personax.files import open_sqlite, parse_json, write_text
from personax.progress import Progress, Silent
from personax.sources.wikidata._dump import DumpPortion, check_dump, dump_portions, portion_lines
from personax.sources.wikidata._entity import Entity, is_qid
from personax.sources.wikidata._kept import (
    ITEMS,
    NAMES,
    PEOPLE,
    REFERRING,
    is_human_item,
    is_mass_item,
    item_row,
    name_rows,
    person_row,
    trimmed,
)

__all__ = ["ENTITIES", "FORMAT", "MANIFEST", "NAME_FILES", "VERSION", "ExtractSummary", "extract_dump"]

FORMAT: Final = "personax wikidata extract"
VERSION: Final = 1
MANIFEST, ENTITIES = "extract.json", "entities.sqlite"
NAME_FILES: Final = 64
"""Files of names; the first bits of a name's hash say which one it is in."""

_ROWS: Final = 200_000
"""Of a file of people."""

_ENTITY: Final = {"id": pl.Int64, "entity": pl.String}
_SCHEMAS: Final[Mapping[str, Any]] = {"people": PEOPLE, "names": NAMES, "items": ITEMS, "entities": _ENTITY}
"""Ending of a portion's files -> their columns."""

_OPEN: Final = 2000
_REFERRED: Final = ("citizenship", "country_for_sport", "birthplace", "occupation", "sport", "league", "position")
_MOST_STEPS: Final = 40
"""From an item to the item above it; a circle of classes ends here."""


@dataclass(frozen=True)
class ExtractSummary:
    """What became of a dump.

    Parameters
    ----------
    people, names, items
        Rows of the extract.
    entities
        Of the dump that were looked at.
    broken
        Lines that are no entity and are left out.
    complete
        The dump has its end; what is missing then is ``broken``.
    notices
        What a user of the extract must know, a sentence each.
    """

    people: int
    names: int
    items: int
    entities: int
    broken: int
    complete: bool
    notices: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class _Job:
    """What every portion needs."""

    parts: Path
    today: date


def extract_dump(
    dump: Path, out: Path, *, jobs: int | None = None, portion: int | None = None, progress: Progress | None = None
) -> ExtractSummary:
    """Read a dump into a folder.

    Parameters
    ----------
    dump
        See `personax.sources.wikidata._dump.dump_portions`.
    out
        The folder; what an interrupted run left there is used.
    jobs
        Processes; those of `personax.engine.parallel_config` by default.
    portion
        Bytes, or files, of a portion.
    progress
        Told after every portion.

    Raises
    ------
    InputError
        No dump, or a folder with something else in it.
    """
    parts = _prepared(dump, out, portion)
    progress = progress or Silent()
    progress.stage("extract")
    damage = _portions(dump, _Job(parts, _day(dump)), jobs, portion, progress)
    done = [parse_json(path.read_bytes()) for path in sorted(parts.glob("*.done"))]
    summary = _finished(out, parts, done, damage, dump)
    shutil.rmtree(parts)
    return summary


def _prepared(dump: Path, out: Path, portion: int | None) -> Path:
    """Return the folder of parts, and refuse one that another dump began."""
    if (out / MANIFEST).exists():
        raise InputError(f"{out} holds an extract already; choose another folder, or remove it")
    check_dump(dump)
    parts, found = out / "parts", dump.stat()
    job = {
        "version": VERSION,
        "dump": dump.name,
        "bytes": found.st_size,
        "modified": found.st_mtime,
        "portion": portion,
    }
    note = parts / "job.json"
    if note.exists():
        if parse_json(note.read_bytes()) != job:
            raise InputError(f"{parts} was begun with another dump or version; remove it, or choose another folder")
    elif out.exists() and any(out.iterdir()):
        raise InputError(f"{out} holds something else; choose an empty folder for the extract")
    else:
        write_text(note, json.dumps(job))
    return parts


def _day(dump: Path) -> date:
    return datetime.fromtimestamp(dump.stat().st_mtime, UTC).date()


def _portions(dump: Path, job: _Job, jobs: int | None, size: int | None, progress: Progress) -> str:
    """Extract the portions that are not done; return what is wrong with a file that cannot be unpacked to its end."""
    damage: list[str] = []

    def todo() -> Iterator[DumpPortion]:
        try:
            for each in dump_portions(dump, size=size):
                if not _file(job, each.number, "done").exists():
                    yield each
        except EOFError as error:
            damage.append(str(error))

    whole = dump.stat().st_size if dump.is_file() else 0
    for count, (_, (stop, people)) in enumerate(find_engine("processes", jobs).map(_extract, todo(), shared=job), 1):
        progress.step(stop if whole and stop else count, whole if stop else 0, f"{people:,} people in the last portion")
    return "; ".join(damage)


def _file(job: _Job, number: int, ending: str) -> Path:
    return job.parts / f"{number:07}.{ending}"


class _Rows:
    """The rows of a portion; those of a few thousand entities are objects of Python at a time, the rest are columns."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._frames: dict[str, list[pl.DataFrame]] = {name: [] for name in _SCHEMAS}
        self._open: dict[str, list[Any]] = {name: [] for name in _SCHEMAS}

    def add(self, raw: Mapping[str, Any]) -> None:
        """Add an entity.

        Raises
        ------
        KeyError, TypeError, AttributeError, ValueError, SourceChanged
            When it has another shape; nothing of it is added then.
        """
        human = is_human_item(raw)
        kept = trimmed(raw, human=human)
        entity = Entity(kept)
        row = person_row(entity, kept, today=self._today) if human else item_row(entity)
        names = name_rows(entity) if human else []
        body = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        body.encode()  # half a letter cannot be written
        self._open["people" if human else "items"].append(row)
        self._open["names"] += names
        self._open["entities"].append((row["id"], body))
        if len(self._open["entities"]) >= _OPEN:
            self._close()

    def _close(self) -> None:
        for name, schema in _SCHEMAS.items():
            self._frames[name].append(pl.DataFrame(self._open[name], schema=schema, orient="row"))
            self._open[name] = []

    def write(self, job: _Job, number: int) -> int:
        """Write the files of the portion, and return the number of its people."""
        self._close()
        for name, frames in self._frames.items():
            write_parquet(pl.concat(frames), _file(job, number, name), compression="zstd")
        return sum(frame.height for frame in self._frames["people"])


def _extract(job: _Job, portion: DumpPortion) -> tuple[int, int]:
    """Extract one portion; its ``done`` file is written last. Return where it stops, and its number of people."""
    rows = _Rows(job.today)
    entities = broken = 0
    seen = {b"[": False, b"]": bool(portion.files)}
    for line in portion_lines(portion):
        if line in (b"", b"[", b"]"):
            seen |= {line: True} if line else {}
            continue
        entities += 1
        if line is not None and is_mass_item(line):
            continue
        try:
            raw = _entity(line)
            if is_qid(raw["id"]):  # no property and no lexeme
                rows.add(raw)
        except (ValueError, KeyError, TypeError, AttributeError, SourceChanged):
            broken += 1
    people = rows.write(job, portion.number)
    counts = {"entities": entities, "broken": broken, "opened": seen[b"["], "closed": seen[b"]"]}
    write_text(_file(job, portion.number, "done"), json.dumps(counts))
    return portion.stop, people


def _entity(line: bytes | None) -> dict[str, Any]:
    """Return the entity of a line, or of a file as Special:EntityData gives it.

    Raises
    ------
    ValueError, TypeError
        When it is none.
    """
    raw = parse_json(line) if line is not None else None
    if isinstance(raw, dict) and isinstance(raw.get("entities"), dict):
        (raw,) = raw["entities"].values()
    if not isinstance(raw, dict):
        raise TypeError("not an object")
    return raw


def _finished(out: Path, parts: Path, done: Sequence[dict[str, Any]], damage: str, dump: Path) -> ExtractSummary:
    """Put the parts together, and write the manifest last."""
    people = _people(out, parts)
    names = _names(out, parts)
    items = _items(out, parts)
    _entities(out, parts, items)
    entities, broken = (sum(one[name] for one in done) for name in ("entities", "broken"))
    opened, closed = (any(one[name] for one in done) for name in ("opened", "closed"))
    complete = not damage and (closed or not opened)
    if not people:
        shutil.rmtree(out)
        if not complete:
            why = f" ({damage})" if damage else ""
            raise InputError(
                f"{dump} breaks off{why} before its first person, after {entities:,} entities; download it again"
            )
        raise InputError(f"{dump} names no human being ({entities:,} entities, lines that are none: {broken:,}); "
                         "give the dump of all entities, an entity a line (latest-all.json.bz2)")  # fmt: skip
    notices = [*_sentences(people, broken, complete, damage), *_of_another_form(entities, broken)]
    summary = ExtractSummary(people, names, items.height, entities, broken, complete, notices)
    facts = {
        "format": FORMAT, "version": VERSION, "dump": dump.name, "day": _day(dump).isoformat(), "people": people,
        "names": names, "items": items.height, "entities": entities, "broken": broken, "complete": complete,
        "notices": notices,
    }  # fmt: skip
    write_text(out / MANIFEST, json.dumps(facts, indent=1))
    return summary


def _sentences(people: int, broken: int, complete: bool, damage: str) -> Iterator[str]:
    if not complete:
        why = f" ({damage})" if damage else ""
        yield f"The dump breaks off{why}: the {people:,} people before that are kept, all others are missing."
    if broken:
        yield f"{broken:,} lines or blocks of the dump are no entity that can be read; they are left out."


def _of_another_form(entities: int, broken: int) -> Iterator[str]:
    if entities >= 100 and 2 * broken > entities:
        yield "Most lines are no entity as the dump has them since 2015: it may be a dump of another form or version."


def _parts(parts: Path, ending: str) -> list[Path]:
    return sorted(parts.glob(f"*.{ending}"))


def _people(out: Path, parts: Path) -> int:
    """Join the people of the portions to files of many rows."""
    held: list[pl.DataFrame] = []
    rows = number = 0
    files = _parts(parts, "people")
    for place, path in enumerate(files):
        held.append(read_parquet(path))
        if sum(frame.height for frame in held) >= _ROWS or place == len(files) - 1:
            joined = pl.concat(held).unique("id", keep="first", maintain_order=True).sort("id")
            target = out / "people" / f"{number:05}.parquet"
            target.parent.mkdir(exist_ok=True)
            write_parquet(joined, target, compression="zstd", row_group_size=50_000)
            held, rows, number = [], rows + joined.height, number + 1
    return rows


def _names(out: Path, parts: Path) -> int:
    """Sort the names by their hashes, a quarter of the files at a time."""
    files, rows, bits = _parts(parts, "names"), 0, NAME_FILES.bit_length() - 1
    (out / "names").mkdir(exist_ok=True)
    quarters = [range(start, start + NAME_FILES // 4) for start in range(0, NAME_FILES, NAME_FILES // 4)]
    for quarter in quarters:
        first, last = quarter[0] << 64 - bits, (quarter[-1] + 1 << 64 - bits) - 1
        bounds = pl.col("key").is_between(pl.lit(first, pl.UInt64), pl.lit(last, pl.UInt64))
        found = pl.concat([scan_parquet(path).filter(bounds) for path in files]).collect().unique()
        found = found.sort("key", "id", "alias")
        shard = found["key"] // (1 << 64 - bits)
        for number in quarter:
            mine = found.filter(shard == number)
            write_parquet(mine, out / "names" / f"{number:02}.parquet", compression="zstd", row_group_size=20_000)
            rows += mine.height
    return rows


def _items(out: Path, parts: Path) -> pl.DataFrame:
    """Keep the items that people refer to, and those that these refer to, and so on."""
    wanted = pl.Series("id", [], dtype=pl.Int64)
    for path in sorted((out / "people").glob("*.parquet")):
        frame = read_parquet(path, columns=[*_REFERRED, "teams"])
        frame = frame.with_columns(pl.col("teams").list.eval(pl.element().struct.field("team")))
        mine = pl.concat([frame[name].explode(empty_as_null=False).drop_nulls().rename("id") for name in frame.columns])
        wanted = pl.concat([wanted, mine]).unique()
    every = pl.concat([scan_parquet(path) for path in _parts(parts, "items")])
    kept: list[pl.DataFrame] = []
    for _ in range(_MOST_STEPS):
        if wanted.is_empty():
            break
        found = every.join(wanted.to_frame().lazy(), on="id", how="semi").unique("id").collect()
        kept.append(found)
        refer = [found[name].explode(empty_as_null=False).drop_nulls().rename("id") for name in REFERRING]
        known = pl.concat([frame["id"] for frame in kept])
        wanted = pl.concat(refer).unique()
        wanted = wanted.filter(~wanted.is_in(known.implode()))
    items = pl.concat([pl.DataFrame(schema=ITEMS), *kept]).unique("id").sort("id")
    write_parquet(items, out / "items.parquet", compression="zstd")
    return items


def _entities(out: Path, parts: Path, items: pl.DataFrame) -> None:
    """Write the entities of people, and of the items that are kept, into a table that is read by their ids."""
    path = out / ENTITIES
    path.unlink(missing_ok=True)
    database = open_sqlite(path, durable=False)
    try:
        database.execute("PRAGMA journal_mode=OFF")
        database.execute("CREATE TABLE entities (id INTEGER PRIMARY KEY, entity BLOB NOT NULL)")
        for part in _parts(parts, "entities"):
            others = scan_parquet(part.with_suffix(".items")).select("id").join(
                items.lazy().select("id"), on="id", how="anti"
            )  # fmt: skip
            rows = scan_parquet(part).join(others, on="id", how="anti").collect()
            database.execute("BEGIN")
            database.executemany("INSERT OR IGNORE INTO entities VALUES (?, ?)", _packed(rows))
            database.execute("COMMIT")
    finally:
        database.close()


def _packed(rows: pl.DataFrame) -> Iterator[tuple[int, bytes]]:
    for number, text in rows.iter_rows():
        yield number, compress(text.encode("utf-8", "surrogatepass"), 3)
