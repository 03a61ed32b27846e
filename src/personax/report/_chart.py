"""A figure of the page: its rows as JSON, which charts.js draws in the browser and its buttons save."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from markupsafe import Markup, escape

from personax.data.labels import count

__all__ = ["ChartKind", "chart", "interval", "json_block", "table_of", "visible"]

ChartKind = Literal[
    "bars", "counts", "curve", "graph", "groups", "histogram", "intervals", "lines", "map", "scatter", "stacks"
]
"""What charts.js can draw; see there which columns each needs."""

DIGITS = 6
"""Significant digits of a number on the page; a study's files hold all of them."""


def chart(kind: ChartKind, rows: Sequence[Mapping[str, Any]], label: str, **options: object) -> Markup:
    """Return a figure.

    Parameters
    ----------
    kind
        How it is drawn.
    rows
        What is drawn, and saved as CSV; all have the keys of the first.
    label
        What a screen reader calls it, and the name of its downloads.
    options
        Of the kind: the meaning of an axis, its ends.

    Examples
    --------
    >>> chart("bars", [{"label": "club", "people": 3}], "<b>")[:65]
    Markup('<div class="chart" data-kind="bars" data-label="&lt;b&gt;"><scrip')
    """
    if kind not in get_args(ChartKind):
        raise ValueError(f"there is no figure {kind!r}; choose from {', '.join(get_args(ChartKind))}")
    if not rows:
        return Markup("")
    block = json_block(table_of(rows) | {"options": options})
    return Markup('<div class="chart" data-kind="{}" data-label="{}">{}</div>').format(kind, label, block)


def table_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows as their names and their values, which is short and is what a CSV file holds."""
    names = list(rows[0]) if rows else []
    return {"names": names, "rows": [[row.get(name) for name in names] for row in rows]}


def json_block(value: object) -> Markup:
    """Return data for the page's script; no text in it can end the element, a number that is none is null."""
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup('<script type="application/json">{}</script>').format(Markup(text))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str):
        return visible(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    return str(escape(str(value)))


_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Signs that turn the direction of other text, end a line or cannot be written; joiners of emoji stay."""


def visible(text: str) -> str:
    r"""Return a text as the page shows it: signs that are not seen and change what is seen are replaced.

    Examples
    --------
    >>> visible("user\u202egnp.exe"), visible("שלום")
    ('user�gnp.exe', 'שלום')
    """
    return _UNSEEN.sub("\ufffd", text)


def interval(label: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a number as stages write it: value, low, high, n, reason."""
    note = found.get("reason") or f"{count(found.get('n', 0))} people"
    return {"label": label, "value": found.get("value"), "low": found.get("low"), "high": found.get("high"),
            "note": str(note)}  # fmt: skip
