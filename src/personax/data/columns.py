"""What a column is for and what its values mean, inferred from its name and its values where nobody has said so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from personax.data.identity import classify
from personax.data.naming import is_code, says, snake
from personax.data.values import FEW, MANY
from personax.schema import LETTERS, Column, Identity, Kind, Role, TraitFramework

__all__ = ["infer_columns"]

_IDS = ("id", "person_id", "rownames")
_LLM = re.compile(r"\d*o|(chat_?gpt|gpt|gemini|gemma|claude|llama|mistral|qwen|deepseek|grok)\w*")
ENOUGH = 3
"""So many letters of the traits after one word make it a model's scores; ``temp_c`` is none."""
_PERIODS = {
    **dict.fromkeys(("month", "birthmonth", "birth_month"), 12.0),
    **dict.fromkeys(("day", "birthday", "birth_day"), 31.0),
    **dict.fromkeys(("day_index", "day_of_year"), 366.0),
    **dict.fromkeys(("weekday", "day_of_week"), 7.0),
    "hour": 24.0,
    **dict.fromkeys(("longitude", "lon"), 360.0),
}
_COMPONENT = re.compile(r"_(sin|cos)$")
_UNIT = re.compile(r"_(cm|mm|kg|lb)$")


class _TraitNames:
    """How the traits of a framework are seen in names of columns."""

    def __init__(self, letters: Mapping[str, str], names: Sequence[str]) -> None:
        one = "".join(letters.values())
        self._trait = re.compile(rf"(final_[{one}]|(.+_)?({'|'.join(letters)}))$")
        self._letter = re.compile(rf"(.+)_([{one}])$")
        found: dict[str, set[str]] = {}
        for match in filter(None, map(self._letter.fullmatch, map(snake, names))):
            found.setdefault(match[1], set()).add(match[2])
        enough = min(ENOUGH, len(letters))
        self._models = {
            word for word, its in found.items() if _LLM.fullmatch(word) or (len(its) >= enough and not says(word).known)
        }
        """Names of LLMs, and words before enough letters that mean nothing else."""

    def is_score(self, name: str) -> bool:
        """Say whether a column is called as a trait, or as the score that a model gave it."""
        found = self._letter.fullmatch(name)
        return bool(self._trait.fullmatch(name)) or (found is not None and found[1] in self._models)


def infer_columns(
    frame: pl.DataFrame,
    given: Mapping[str, Column] | None = None,
    *,
    framework: TraitFramework | None = None,
) -> list[Column]:
    """Say for every column what it is for and what its values mean.

    Parameters
    ----------
    frame
        The table.
    given
        Columns that somebody has described; taken as they are.
    framework
        Whose traits and letters columns are called by; the Big Five by default.

    Returns
    -------
    list of Column
        In the table's order; ``inferred`` is True and ``why`` says by which rule, where the column was not given.

    Notes
    -----
    Roles: the first column called id is the id, another one is private; numbers called ``final_o`` or ``<model>_o``
    (o c e a n; three of them at least where the word before is no known LLM), or after a trait, are targets;
    vectors are embeddings; columns whose identity class is direct, and text or codes that differ for nearly
    everybody, are private; all others are features. No name decides alone: see `personax.data.identity.classify`.
    Kinds: numbers called month, day, weekday, longitude and the like are cyclic if they fit in one turn; text and
    codes are nominal; numbers with at most 12 distinct values are ordinal; all other numbers are continuous.

    Examples
    --------
    >>> frame = pl.DataFrame({"Height(cm)": range(160, 180), "Gender_idx": [0, 1] * 10, "final_o": [1.0, 2.5] * 10})
    >>> [(column.role, column.kind) for column in infer_columns(frame)]
    [('feature', 'continuous'), ('feature', 'nominal'), ('target', 'ordinal')]
    """
    columns, ids = dict(given or {}), [name for name in frame.columns if snake(name) in _IDS]
    first = next((name for name in columns if name in frame.columns and columns[name].role == "id"), None)
    first = first or next((name for name in ids if name not in columns), None)
    traits = _TraitNames(LETTERS if framework is None else framework.letters, frame.columns)
    roles = {series.name: _role_by_name(series, series.name == first, traits) for series in frame}
    described = [
        columns.get(series.name) or replace(_kind(series), role=roles[series.name] or "feature") for series in frame
    ]
    found = classify(frame, described)
    made = []
    for series, column in zip(frame, described, strict=True):
        identity, why = found[series.name]
        if series.name not in columns:
            column = _inferred(series, column, roles[series.name], found[series.name], second=series.name in ids)
        made.append(column if column.identity else replace(column, identity=identity, identity_why=why))
    return made


def _role_by_name(series: pl.Series, first: bool, traits: _TraitNames) -> Role | None:
    """Return the role of an id, a vector or a trait; None where the identity class decides."""
    if first:
        return "id"
    if series.dtype.is_nested():
        return "embedding"
    number = series.dtype.is_numeric() or series.null_count() == len(series)
    return "target" if number and traits.is_score(snake(series.name)) else None


def _inferred(
    series: pl.Series, column: Column, role: Role | None, found: tuple[Identity, str], *, second: bool
) -> Column:
    """Return a column that nobody has described, with its role, and why where that is not plain."""
    because = ""
    if role is None and second:
        role, because = "private", "private: a second id"
    elif role not in ("id", "embedding") and found[0] == "direct":
        role, because = "private", f"private: {found[1]}"
    elif role is None and _is_text_or_codes(series) and _differs_for_everybody(series):
        role, because = "private", "private: it differs for nearly everybody"
    return replace(column, role=role or "feature", why=f"{column.why}; {because}" if because else column.why)


def _is_text_or_codes(series: pl.Series) -> bool:
    return not series.dtype.is_numeric() or _holds_codes(snake(series.name), series)


def _holds_codes(name: str, numbers: pl.Series) -> bool:
    """Say whether these numbers are codes by their name; a body_mass_index of 22.5 is none."""
    whole = numbers.dtype.is_integer() or bool((numbers % 1 == 0).all())
    return name not in _PERIODS and is_code(name) and whole


def _differs_for_everybody(series: pl.Series) -> bool:
    """Say whether these texts or codes would single people out."""
    values = series.drop_nulls()
    return len(series) >= MANY and len(values) > 0 and values.n_unique() > 0.9 * len(values)


def _kind(series: pl.Series) -> Column:
    name = snake(series.name)
    unit = _UNIT.search(name)
    column = Column(series.name, "feature", "nominal", unit[1] if unit else None, inferred=True)
    if not series.dtype.is_numeric():
        return replace(column, why="text" if series.dtype == pl.String else "not a number")
    values = series.drop_nulls().cast(pl.Float64).drop_nans()
    if name in _PERIODS and _fits(values, _PERIODS[name]):
        turn = _PERIODS[name]
        return replace(column, kind="cyclic", period=turn, why=f"its name; one turn is {turn:g}")
    if _COMPONENT.search(name):
        return replace(column, kind="continuous", why="a component of a cyclic column")
    if _holds_codes(name, values):
        return replace(column, why="its name says that its numbers are codes")
    return _number(values, column)


def _fits(values: pl.Series, turn: float) -> bool:
    return len(values) == 0 or float(values.max()) - float(values.min()) <= turn  # type: ignore[arg-type]


def _number(values: pl.Series, column: Column) -> Column:
    distinct = values.n_unique()
    kind: Kind = "ordinal" if distinct <= FEW else "continuous"
    why = f"numbers with {distinct} distinct value{'s' if distinct != 1 else ''}"
    return replace(column, kind=kind, why=why)
