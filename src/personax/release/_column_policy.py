"""Column policy: each column leaves exact, generalised or is withheld, by its identity class and the study's rules."""

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
from personax.strict import Strict, nearest

__all__ = [
    "MAX_GENERALISED",
    "NOTHING_LEFT",
    "ONE_VALUE_LEFT",
    "PLAN",
    "ColumnPolicy",
    "ColumnRule",
    "ColumnTreatment",
    "column_facts",
    "column_policies",
]

ColumnTreatment = Literal["exact", "generalised", "withheld"]

MAX_GENERALISED: Final = 8
"""At most so many quasi-identifiers are generalised by default: k-anonymity over more leaves little information."""

MIN_RISK_LENGTH: Final = 8
"""Fewest letters of a sentence that names a risk."""

PLAN: Final = "`personax release plan STUDY` prints a line for each column"


NOTHING_LEFT: Final = "k people alike leave nothing of it"
ONE_VALUE_LEFT: Final = "nothing of it is left once no value, alone or beside another column, is of single people"


class ColumnRule(Strict):
    """The rule of the study file for a column.

    Parameters
    ----------
    leaves
        ``exact``, ``generalised`` (k-anonymous) or ``withheld``.
    risk
        A sentence that names the disclosure risk. A column whose class is not ``free`` leaves exact only with one; the
        dataset card prints it.
    """

    leaves: ColumnTreatment
    risk: str = ""


@dataclass(frozen=True)
class ColumnPolicy:
    """The treatment of a column and the reason for it.

    Parameters
    ----------
    name, identity, identity_why
        The column, its identity class, and why it has this class.
    leaves, reason
        The treatment, and what decided it.
    risk
        The disclosure risk as the study file states it.
    explicit
        Whether the study file decides it, and not the identity class alone.
    """

    name: str
    identity: Identity
    identity_why: str
    leaves: ColumnTreatment
    reason: str
    risk: str = ""
    explicit: bool = False

    def to_dict(self) -> dict[str, str]:
        """Return its entry in protection.json."""
        entry = {"class": self.identity, "why": self.identity_why, "leaves": self.leaves, "because": self.reason}
        return entry | ({"risk": self.risk} if self.risk else {})


def column_policies(
    columns: Sequence[Column],
    *,
    rules: Mapping[str, ColumnRule],
    withheld: Collection[str] = (),
    generalised: Collection[str] = (),
    noisy: Collection[str] = (),
    allowed: Collection[str] = (),
) -> list[ColumnPolicy]:
    """Return the policy of every feature and target.

    Parameters
    ----------
    columns
        Columns with their identity classes.
    rules
        Column name, or a pattern such as ``A*``, -> its rule. A pattern never applies to a direct identifier.
    withheld, generalised, noisy
        Columns that other settings withhold, generalise or perturb.
    allowed
        Values that may leave although they look private.

    Raises
    ------
    InputError
        A rule for a column that does not exist, an exact release without a stated risk, or ``allowed`` with the name of
        a column that is withheld.

    Examples
    --------
    >>> column = Column("player", "feature", "nominal", identity="direct", identity_why="its name says so (player)")
    >>> column_policies([column], rules={})[0].leaves
    'withheld'
    """
    candidates = [column for column in columns if column.role in ("feature", "target")]
    _check_names(columns, candidates, rules)
    policies, room = [], MAX_GENERALISED - len(set(generalised))
    for column in candidates:
        policy = _by_rule(column, rules, withheld, generalised, noisy) or _by_class(column, room)
        room -= policy.leaves == "generalised" and column.name not in generalised
        policies.append(policy)
    # before rules existed, a column was released by naming it among the allowed values
    old = [one.name for one in policies if one.name in allowed and one.leaves == "withheld" and not one.explicit]
    if old:
        raise InputError(
            f"release.allowed names the columns {', '.join(old)}; columns are decided one by one under release.columns "
            f"now, with the risk in words, and {PLAN}"
        )
    return policies


def _check_names(columns: Sequence[Column], candidates: Sequence[Column], rules: Mapping[str, ColumnRule]) -> None:
    names = [column.name for column in candidates]
    for pattern in rules:
        if any(pattern == name or fnmatchcase(name, pattern) for name in names):
            continue
        if pattern in {column.name for column in columns}:
            raise InputError(
                f"release.columns names {pattern}, which is private and stays; a role of feature under collect.columns "
                "would make it one that can be decided"
            )
        raise InputError(f"release.columns names {pattern}, which is no column that could leave; "
                         f"{nearest(pattern, names)}")  # fmt: skip


def _by_rule(
    column: Column,
    rules: Mapping[str, ColumnRule],
    withheld: Collection[str],
    generalised: Collection[str],
    noisy: Collection[str],
) -> ColumnPolicy | None:
    """Return the policy that the study file states for a column; None where it states none."""
    own = rules.get(column.name)
    if column.name in withheld:
        return _policy(column, "withheld", "the publisher keeps it back", explicit=True)
    if column.name in generalised and column.identity != "direct":
        if own is not None and own.leaves != "generalised":
            text = f"release.columns says {own.leaves} of {column.name} and release.anonymity makes it coarser"
            raise InputError(f"{text}; take one of the two back")
        return _policy(column, "generalised", "asked for under anonymity", explicit=True)
    if own is None and column.name in noisy and column.identity not in ("direct", "unknown"):
        return _policy(column, "exact", "with noise", explicit=True)
    found = own or _by_pattern(column, rules)
    if found is None:
        return None
    if found.leaves == "exact" and not _needs_no_risk(column) and not _names_risk(found.risk):
        raise InputError(
            f"release.columns.{column.name} is to leave exact and is {column.identity} ({column.identity_why}); name "
            f'the risk in a sentence, risk: "...", which the card will print, or choose generalised or withheld'
        )
    if found.leaves == "generalised" and column.identity in ("direct", "unknown"):
        raise InputError(
            f"release.columns.{column.name} is {column.identity} ({column.identity_why}) and has no coarser levels; "
            "choose withheld"
        )
    return replace(_policy(column, found.leaves, "the study file says so", explicit=True), risk=found.risk.strip())


def _by_pattern(column: Column, rules: Mapping[str, ColumnRule]) -> ColumnRule | None:
    """Return the first pattern's rule; none applies to a direct identifier or generalises an unclassified column."""
    if column.identity == "direct":
        return None
    found = (one for pattern, one in rules.items() if fnmatchcase(column.name, pattern))
    return next((one for one in found if column.identity != "unknown" or one.leaves != "generalised"), None)


def _names_risk(risk: str) -> bool:
    """Say whether a text is long enough to name a risk: ``x`` or ``none`` is not."""
    return len(fold(risk)) >= MIN_RISK_LENGTH


def _needs_no_risk(column: Column) -> bool:
    return (column.role == "target" and column.identity == "sensitive") or column.identity == "free"


def _by_class(column: Column, room: int) -> ColumnPolicy:
    """Return the policy that follows from the identity class; ``room`` is how many more may be generalised."""
    match column.identity:
        case "free":
            return _policy(column, "exact", "many share each value, and nobody knows them from elsewhere")
        case "sensitive" if column.role == "target":
            return _policy(column, "exact", "a trait, which the release is about")
        case "quasi-identifying" if tells_the_day(column.name) or column.identity_why.startswith(PART):
            return _policy(column, "withheld", "beside the year it would tell the day of birth")
        case "quasi-identifying" if room > 0:
            return _policy(column, "generalised", "no decision is written")
        case "quasi-identifying":
            more = f"{MAX_GENERALISED} others are made coarser already"
            return _policy(column, "withheld", f"no decision is written, and {more}")
        case _:
            return _policy(column, "withheld", f"it is {column.identity or 'unknown'}, and no decision is written")


def _policy(column: Column, leaves: ColumnTreatment, reason: str, *, explicit: bool = False) -> ColumnPolicy:
    return ColumnPolicy(column.name, column.identity, column.identity_why, leaves, reason, explicit=explicit)


def column_facts(frame: pl.DataFrame, name: str) -> tuple[int, int]:
    """Return the number of distinct values of a column, and the frequency of the rarest.

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
