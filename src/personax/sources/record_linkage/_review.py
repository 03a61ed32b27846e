"""Pairs between linked and not, for a person to decide: CSV, and tasks of Label Studio; decisions are read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from personax.errors import InputError
from personax.files import parse_json
from personax.sources._records import Record
from personax.sources.record_linkage._link import CandidatePair, RecordKey

__all__ = ["REVIEW_COLUMNS", "label_studio_tasks", "read_decisions", "review_csv", "review_rows", "review_tasks"]

REVIEW_COLUMNS: Final = ("name", "birth_date", "birth_year", "nationality", "gender", "league", "team", "height_cm")
"""What is shown of both records."""

_HEAD: Final = ("source_a", "ref_a", "source_b", "ref_b", "probability", "points", "decision")
_SAME, _OTHER = ("same", "yes", "1", "true"), ("different", "no", "0", "false")


def _between(pairs: Iterable[CandidatePair]) -> list[CandidatePair]:
    """Return the pairs to decide, the most probable first."""
    asked = [pair for pair in pairs if pair.outcome == "ambiguous"]
    return sorted(asked, key=lambda pair: (-(pair.probability or 0.0), -pair.points, pair.a, pair.b))


def review_csv(pairs: Sequence[CandidatePair], records: Sequence[Record]) -> str:
    """Return the ambiguous pairs as CSV, with an empty column ``decision`` to fill in: same or different.

    Parameters
    ----------
    pairs
        Of a `Linkage`.
    records
        Those that were linked; what they say stands beside each other.
    """
    by_key = {(record.source, record.ref): record.values for record in records}
    shown = [name for name in REVIEW_COLUMNS if any(name in values for values in by_key.values())]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_HEAD, *(f"{name}_{side}" for name in shown for side in "ab")])
    for pair in _between(pairs):
        values = (_cell(by_key[key].get(name)) for name in shown for key in (pair.a, pair.b))
        likely = "" if pair.probability is None else f"{pair.probability:.4f}"
        writer.writerow([*map(_cell, (*pair.a, *pair.b)), likely, pair.points, "", *values])
    return out.getvalue()


def review_rows(pairs: Iterable[tuple[RecordKey, RecordKey, float | None, Mapping[str, object]]]) -> str:
    """Return pairs as CSV like `review_csv`, each with its own probability and what is known of it.

    Parameters
    ----------
    pairs
        Both keys, how probable they are one person, and column -> value; the columns of the first stand for all.
    """
    listed, out = list(pairs), io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    shown = list(listed[0][3]) if listed else []
    writer.writerow([*_HEAD, *shown])
    for a, b, likely, values in listed:
        probability = "" if likely is None else f"{likely:.4f}"
        writer.writerow([*map(_cell, (*a, *b)), probability, "", "", *(_cell(values[name]) for name in shown)])
    return out.getvalue()


def _cell(value: object) -> str:
    """Return a value as text that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def label_studio_tasks(pairs: Sequence[CandidatePair], records: Sequence[Record]) -> str:
    """Return the ambiguous pairs as tasks of Label Studio, for a choice between same and different."""
    by_key = {(record.source, record.ref): record.values for record in records}
    tasks = [
        _task(pair.a, pair.b, pair.probability, _said(by_key[pair.a]), _said(by_key[pair.b]))
        for pair in _between(pairs)
    ]
    return json.dumps(tasks, indent=1, ensure_ascii=False)


def review_tasks(
    pairs: Iterable[tuple[RecordKey, RecordKey, float | None, Mapping[str, object]]], first: Collection[str]
) -> str:
    """Return the pairs of `review_rows` as tasks of Label Studio; the columns ``first`` are of the first record."""
    tasks = []
    for a, b, likely, values in pairs:
        said = {name: f"{name}: {value}" for name, value in values.items() if value is not None}
        left, right = (
            "; ".join(text for name, text in said.items() if (name in first) is one) for one in (True, False)
        )
        tasks.append(_task(a, b, likely, left, right))
    return json.dumps(tasks, indent=1, ensure_ascii=False)


def _task(a: RecordKey, b: RecordKey, likely: float | None, left: str, right: str) -> dict[str, Any]:
    pair = {"source_a": a[0], "ref_a": a[1], "source_b": b[0], "ref_b": b[1]}
    return {"data": {**pair, "probability": likely, "a": left, "b": right}}


def _said(values: Mapping[str, object]) -> str:
    return "; ".join(f"{name}: {values[name]}" for name in REVIEW_COLUMNS if values.get(name) is not None)


def read_decisions(path: Path) -> dict[tuple[RecordKey, RecordKey], bool]:
    """Read what was decided; pairs without a decision are left out.

    Parameters
    ----------
    path
        The CSV, also as a spreadsheet saves it (semicolons or tabs, another encoding) and with several of them below
        each other, or Label Studio's export as JSON, JSON-MIN or CSV.

    Raises
    ------
    InputError
        When the file is neither, a decision is neither same nor different (with its line), or two decisions about one
        pair differ.
    """
    try:
        data = path.read_bytes()
    except OSError:
        text = f"review: {path} cannot be read; give the filled-in review.csv or Label Studio's export"
        raise InputError(text) from None
    text = _decoded(data)
    rows = _exported(text, path) if text.lstrip().startswith("[") else _rows(text)
    found: dict[tuple[RecordKey, RecordKey], bool] = {}
    for number, row in enumerate(rows, 2):
        where = f"review: {path.name}, line {number}"
        if not all(row.get(name) for name in _HEAD[:4]):
            raise InputError(f"{where}, names no pair; keep the first four columns")
        said = str(row.get("decision") or "").strip().lower()
        if said and said not in (*_SAME, *_OTHER):
            raise InputError(f"{where}: the decision {said[:20]!r} is neither same nor different")
        if said:
            a, b = sorted((_plain(row[f"source_{side}"]), _plain(row[f"ref_{side}"])) for side in "ab")
            if found.setdefault((a, b), said in _SAME) != (said in _SAME):
                raise InputError(f"{where}: the pair has another decision further up; keep one of the two")
    return found


def _decoded(data: bytes) -> str:
    """Return the text; ids and decisions are ASCII, so that any encoding of a spreadsheet serves."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _rows(text: str) -> list[dict[str, Any]]:
    """Return the rows of a CSV; a header that comes again, of a file appended to another, is left out."""
    head = text[: text.find("\n")] if "\n" in text else text
    separator = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    return [row for row in rows if row.get("source_a") != "source_a" and any(row.values())]


def _plain(text: object) -> str:
    return str(text).removeprefix("'")


def _exported(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        return [row for task in parse_json(text) for row in _task_rows(task)]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise InputError(f"review: {path.name} is no JSON export of Label Studio; export the project as JSON") from None


def _task_rows(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row a decision of a task: every annotator's last choice, or what JSON-MIN has under the pair's name."""
    if "data" not in task:
        chosen = task.get("decision")
        return [{**task, "decision": chosen["choices"][0] if isinstance(chosen, dict) else chosen}]
    kept = [one.get("result", ()) for one in task.get("annotations", ()) if not one.get("was_cancelled")]
    choices = [[one["value"]["choices"][0] for one in result if "choices" in one["value"]] for result in kept]
    return [{**task["data"], "decision": each[-1]} for each in choices if each] or [{**task["data"], "decision": ""}]
