"""Columns that somebody marked for release although they look private, by their name or by what is in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import polars as pl

from personax.columns import infer_columns
from personax.errors import InputError
from personax.schema import Column

__all__ = ["refuse_marked"]

_NAMED = re.compile(
    r"(^|_)(street|post_?code|zip_?code|passport|ssn|tax_id|social_security|user_?name|login|handle|ip|iban|"
    r"twitter|instagram|facebook|tiktok|linkedin|home_?page|signature|(image|photo|picture|portrait|face|file)_?"
    r"(path|file|name|url|uri|link)|path|file|files?_?name)$"
)
_DAY = re.compile(r"\s*(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})([T ]\S*)?\s*")


def refuse_marked(columns: Sequence[Column], frame: pl.DataFrame, *, allowed: Collection[str] = ()) -> None:
    """Refuse to release a column that looks private.

    Parameters
    ----------
    columns
        What the columns mean. Features and targets are looked at, whoever said that they are.
    frame
        The table.
    allowed
        Names of columns that somebody has looked at and wants to release all the same.

    Raises
    ------
    InputError
        A column whose name is that of names, addresses, dates of birth, texts or pictures; that holds dates; or
        that is text, or codes, and differs for more than nine in ten people. The message names the column and why.

    Examples
    --------
    >>> refuse_marked([Column("full_name", "feature", "nominal")], pl.DataFrame({"full_name": ["Ada Nemo"]}))
    Traceback (most recent call last):
        ...
    personax.errors.InputError: full_name is marked for release and looks private by its name; make it private, or ...
    """
    for column in columns:
        if column.role not in ("feature", "target") or column.name not in frame.columns or column.name in allowed:
            continue
        why = _why(frame[column.name])
        if why:
            text = f"{column.name} is marked for release and looks {why}"
            raise InputError(f"{text}; make it private, or allow it by name if you are sure")


def _why(series: pl.Series) -> str:
    """Return why a column looks private, as the collection of people would see it; empty where it does not."""
    found = infer_columns(series.to_frame(), {})[0]
    if found.role == "id":
        return "private by its name"
    if found.role == "private":
        return found.why.rsplit("; ", 1)[-1]
    if _NAMED.search(re.sub(r"[^0-9a-z]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", series.name).lower())):
        return "private by its name"
    texts = series.drop_nulls() if series.dtype == pl.String else pl.Series([], dtype=pl.String)
    if len(texts) and sum(_DAY.fullmatch(text) is not None for text in texts) > len(texts) / 2:
        return "private: it holds dates"
    return ""
