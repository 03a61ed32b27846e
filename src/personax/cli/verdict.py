"""What the terminal says after people were collected and after a release was built."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from personax.cli.console import say, table

__all__ = ["collected", "released"]

SHOWN = 60
"""So many columns at most are listed."""


def collected(people: Path, notices: Sequence[Mapping[str, Any]]) -> None:
    """List the columns of the people with identity class and reason, what to look at first, and what to know."""
    raw = json.loads((people / "columns.json").read_text(encoding="utf-8"))
    order = ("unknown", "direct", "sensitive", "quasi-identifying", "free", "")
    rows = sorted(raw, key=lambda column: order.index(column.get("identity", "")))
    table("Columns, and whom their values tell", ("column", "role", "class", "why"), (
        (one["name"], one["role"], one.get("identity", ""), one.get("identity_why", "")) for one in rows[:SHOWN]
    ))  # fmt: skip
    if len(rows) > SHOWN:
        say(f"and {len(rows) - SHOWN} more columns; people/columns.json has all")
    _tell(notices)


def _tell(notices: Sequence[Mapping[str, Any]]) -> None:
    for notice in notices:
        count = "" if notice["count"] == 1 else f" ({notice['count']:,})"
        say(f"note: {notice['text']}{count}")


def released(release: Path, notices: Sequence[Mapping[str, Any]]) -> None:
    """Say the verdict of a build: what the attacks found, k, what stayed and what left coarser."""
    told = _json(release / "protection.json")
    columns = told.get("columns", {})
    private = _private(release.parent / "people" / "columns.json", besides=columns)
    if private:
        say(f"private, and so withheld: {', '.join(private)}")
    for leaves, says in (("withheld", "withheld"), ("generalised", "left coarser"), ("exact", "left as it is")):
        named = [f"{name} ({one['class']})" for name, one in columns.items() if one["leaves"] == leaves]
        if named:
            say(f"{says}: {', '.join(named)}")
    alike = told.get("k_anonymity")
    if alike and alike["columns"]:
        say(f"k = {alike['after']['k']} over {', '.join(alike['columns'])}")
    elif columns:
        say("k: no quasi-identifier leaves")
    verdict = _json(release / "audit.json").get("verdict", "the release was not attacked: release.audit is off")
    # what is withheld stands above, and the last notice is the verdict
    _tell([one for one in notices if not one["text"].startswith("Withheld") and one["text"] != verdict])
    say(f"verdict: {verdict}")


def _private(described: Path, *, besides: Collection[str]) -> list[str]:
    """Return the private columns of the people with the reason of each."""
    raw = json.loads(described.read_text(encoding="utf-8")) if described.is_file() else []
    return [f"{one['name']} ({one.get('identity_why') or one['why'] or 'described as private'})" for one in raw
            if one["role"] == "private" and one["name"] not in besides]  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
