"""Pairs between linked and not, for a person to decide: CSV, and tasks of Label Studio; decisions are read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from personax.errors import InputError
from personax.files import parse_json
from personax.sources._records import Record
from personax.sources.record_linkage._link import CandidatePair, RecordKey

__all__ = ["REVIEW_COLUMNS", "label_studio_tasks", "read_decisions", "review_csv", "review_rows"]

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
        {"data": {"source_a": pair.a[0], "ref_a": pair.a[1], "source_b": pair.b[0], "ref_b": pair.b[1],
                  "probability": pair.probability, "a": _said(by_key[pair.a]), "b": _said(by_key[pair.b])}}
        for pair in _between(pairs)
    ]  # fmt: skip
    return json.dumps(tasks, indent=1, ensure_ascii=False)


def _said(values: Mapping[str, object]) -> str:
    return "; ".join(f"{name}: {values[name]}" for name in REVIEW_COLUMNS if values.get(name) is not None)


def read_decisions(path: Path) -> dict[tuple[RecordKey, RecordKey], bool]:
    """Read what was decided, from the CSV or from Label Studio's JSON export; pairs without a decision are left out.

    Raises
    ------
    InputError
        When the file is neither, or a decision is neither same nor different: with its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = f"review: {path} cannot be read; give the filled-in review.csv or Label Studio's export"
        raise InputError(text) from None
    rows = _exported(text, path) if text.lstrip().startswith("[") else list(csv.DictReader(io.StringIO(text)))
    found: dict[tuple[RecordKey, RecordKey], bool] = {}
    for number, row in enumerate(rows, 2):
        if not all(row.get(name) for name in _HEAD[:4]):
            raise InputError(f"review: {path.name}, line {number}, names no pair; keep the first four columns")
        said = str(row.get("decision") or "").strip().lower()
        if said and said not in (*_SAME, *_OTHER):
            where = f"review: {path.name}, line {number}"
            raise InputError(f"{where}: the decision {said[:20]!r} is neither same nor different")
        if said:
            a, b = sorted((_plain(row[f"source_{side}"]), _plain(row[f"ref_{side}"])) for side in "ab")
            found[a, b] = said in _SAME
    return found


def _plain(text: object) -> str:
    return str(text).removeprefix("'")


def _exported(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        tasks = parse_json(text)
        return [{**task["data"], "decision": _choice(task)} for task in tasks]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise InputError(f"review: {path.name} is no JSON export of Label Studio; export the project as JSON") from None


def _choice(task: Mapping[str, Any]) -> str:
    results = [result for one in task.get("annotations", ()) for result in one.get("result", ())]
    return str(results[-1]["value"]["choices"][0]) if results else ""
