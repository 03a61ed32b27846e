"""What becomes of every column: it leaves as it is, coarser, or stays; by its identity class and the study's word."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final, Literal

import polars as pl

from personax.data.identity import PART
from personax.data.naming import tells_the_day
from personax.data.text import fold
from personax.errors import InputError
from personax.schema import Column, Identity
from personax.strict import nearest

__all__ = ["MOST", "NOTHING_LEFT", "PLAN", "Decision", "Leave", "Leaves", "column_facts", "decide"]

Leaves = Literal["exact", "generalised", "withheld"]

MOST: Final = 8
"""So many quasi-identifiers at most are made coarser together unasked; k people alike in more have little left."""

LEAST_SAID: Final = 8
"""Letters of a sentence that names a risk."""

PLAN: Final = "`personax release plan STUDY` prints a line for each column"


NOTHING_LEFT: Final = "k people alike leave nothing of it"


@dataclass(frozen=True)
class Leave:
    """What the study file says of a column.

    Parameters
    ----------
    leaves
        ``exact``, ``generalised`` (k people alike) or ``withheld``.
    risk
        A sentence that names the risk; a column that is not free leaves exact only with one, and the card prints it.
    """

    leaves: Leaves
    risk: str = ""


@dataclass(frozen=True)
class Decision:
    """What becomes of a column.

    Parameters
    ----------
    name, identity, why
        The column, its identity class and the reason of that.
    leaves, because
        What becomes of it, and who or what decided.
    risk
        As the study file names it.
    said
        The study file says so.
    """

    name: str
    identity: Identity
    why: str
    leaves: Leaves
    because: str
    risk: str = ""
    said: bool = False

    def to_dict(self) -> dict[str, str]:
        """Return what protection.json holds of it."""
        told = {"class": self.identity, "why": self.why, "leaves": self.leaves, "because": self.because}
        return told | ({"risk": self.risk} if self.risk else {})


def decide(
    columns: Sequence[Column],
    *,
    said: Mapping[str, Leave],
    withheld: Collection[str] = (),
    generalised: Collection[str] = (),
    noisy: Collection[str] = (),
    allowed: Collection[str] = (),
) -> list[Decision]:
    """Return what becomes of every feature and target.

    Parameters
    ----------
    columns
        With their identity classes.
    said
        Name of a column, or a pattern such as ``A*``, -> what the study file says; a pattern never reaches a direct
        column.
    withheld, generalised, noisy
        Columns that other settings speak of.
    allowed
        Values that may leave; names of columns among them are from before columns were decided one by one.

    Raises
    ------
    InputError
        A name that is no column's, a risk that is not named, or ``allowed`` with the name of a column that stays.

    Examples
    --------
    >>> column = Column("player", "feature", "nominal", identity="direct", identity_why="its name says so (player)")
    >>> decide([column], said={})[0].leaves
    'withheld'
    """
    able = [column for column in columns if column.role in ("feature", "target")]
    _check_names(columns, able, said)
    decisions, room = [], MOST - len(set(generalised))
    for column in able:
        made = _by_study(column, said, withheld, generalised, noisy) or _by_class(column, room)
        room -= made.leaves == "generalised" and column.name not in generalised
        decisions.append(made)
    old = [one.name for one in decisions if one.name in allowed and one.leaves == "withheld" and not one.said]
    if old:
        raise InputError(
            f"release.allowed names the columns {', '.join(old)}; columns are decided one by one under release.columns "
            f"now, with the risk in words, and {PLAN}"
        )
    return decisions


def _check_names(columns: Sequence[Column], able: Sequence[Column], said: Mapping[str, Leave]) -> None:
    names = [column.name for column in able]
    for pattern in said:
        if any(pattern == name or fnmatchcase(name, pattern) for name in names):
            continue
        if pattern in {column.name for column in columns}:
            raise InputError(
                f"release.columns names {pattern}, which is private and stays; a role of feature under collect.columns "
                "would make it one that can be decided"
            )
        raise InputError(f"release.columns names {pattern}, which is no column that could leave; "
                         f"{nearest(pattern, names)}")  # fmt: skip


def _by_study(
    column: Column,
    said: Mapping[str, Leave],
    withheld: Collection[str],
    generalised: Collection[str],
    noisy: Collection[str],
) -> Decision | None:
    """Return what the study file says of a column; None where it says nothing."""
    own = said.get(column.name)
    if column.name in withheld:
        return _made(column, "withheld", "the publisher keeps it back", said=True)
    if column.name in generalised and column.identity != "direct":
        if own is not None and own.leaves != "generalised":
            text = f"release.columns says {own.leaves} of {column.name} and release.anonymity makes it coarser"
            raise InputError(f"{text}; take one of the two back")
        return _made(column, "generalised", "asked for under anonymity", said=True)
    if own is None and column.name in noisy and column.identity not in ("direct", "unknown"):
        return _made(column, "exact", "with noise", said=True)
    found = own or _by_pattern(column, said)
    if found is None:
        return None
    if found.leaves == "exact" and not _needs_no_word(column) and not _is_named(found.risk):
        raise InputError(
            f"release.columns.{column.name} is to leave exact and is {column.identity} ({column.identity_why}); name "
            f'the risk in a sentence, risk: "...", which the card will print, or choose generalised or withheld'
        )
    if found.leaves == "generalised" and column.identity in ("direct", "unknown"):
        raise InputError(
            f"release.columns.{column.name} is {column.identity} ({column.identity_why}) and has no coarser levels; "
            "choose withheld"
        )
    return replace(_made(column, found.leaves, "the study file says so", said=True), risk=found.risk.strip())


def _by_pattern(column: Column, said: Mapping[str, Leave]) -> Leave | None:
    """Return what a pattern says of a column; none reaches a direct column, or asks for levels that there are not."""
    if column.identity == "direct":
        return None
    found = (one for pattern, one in said.items() if fnmatchcase(column.name, pattern))
    return next((one for one in found if column.identity != "unknown" or one.leaves != "generalised"), None)


def _is_named(risk: str) -> bool:
    """Say whether a text can name a risk: a word such as ``x`` or ``none`` does not."""
    return len(fold(risk)) >= LEAST_SAID


def _needs_no_word(column: Column) -> bool:
    return (column.role == "target" and column.identity == "sensitive") or column.identity == "free"


def _by_class(column: Column, room: int) -> Decision:
    """Return what becomes of a column of which the study file says nothing."""
    match column.identity:
        case "free":
            return _made(column, "exact", "many share each value, and nobody knows them from elsewhere")
        case "sensitive" if column.role == "target":
            return _made(column, "exact", "a trait, which the release is about")
        case "quasi-identifying" if tells_the_day(column.name) or column.identity_why.startswith(PART):
            return _made(column, "withheld", "beside the year it would tell the day of birth")
        case "quasi-identifying" if room > 0:
            return _made(column, "generalised", "no decision is written")
        case "quasi-identifying":
            return _made(column, "withheld", f"no decision is written, and {MOST} others are made coarser already")
        case _:
            return _made(column, "withheld", f"it is {column.identity or 'unknown'}, and no decision is written")


def _made(column: Column, leaves: Leaves, because: str, *, said: bool = False) -> Decision:
    return Decision(column.name, column.identity, column.identity_why, leaves, because, said=said)


def column_facts(frame: pl.DataFrame, name: str) -> tuple[int, int]:
    """Return the distinct values of a column and the people of its rarest one.

    Examples
    --------
    >>> column_facts(pl.DataFrame({"club": ["a", "a", "b", None]}), "club")
    (2, 1)
    """
    known = frame[name].drop_nulls()
    if not len(known) or known.dtype.is_nested():
        return known.len(), 0
    counts = known.value_counts()["count"]
    return len(counts), int(counts.min())  # type: ignore[arg-type]
