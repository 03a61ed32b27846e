"""What a release would do with every column, as lines for the study file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from personax.errors import InputError
from personax.release._column_policy import NOTHING_LEFT, Decision, Leaves, column_facts, decide
from personax.release._keystore import Key
from personax.release._release_input import Contents
from personax.release._settings import Settings
from personax.release._table_protection import protect

__all__ = ["Proposal", "Proposed", "propose"]

_PLAIN = re.compile(r"[A-Za-z][\w]*")
_WORDS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}


@dataclass(frozen=True)
class Proposed:
    """A column: what is decided, its distinct values, the people of the rarest, and what would happen to it."""

    decision: Decision
    distinct: int
    smallest: int
    happens: str

    @property
    def line(self) -> str:
        """The column's line of the study file, with the reason behind it."""
        one = self.decision
        name = one.name if _PLAIN.fullmatch(one.name) and one.name.lower() not in _WORDS else json.dumps(one.name)
        risk = f", risk: {json.dumps(one.risk, ensure_ascii=False)}" if one.risk else ""
        group = f"{self.distinct:,} values, the smallest group has {self.smallest:,}"
        why = " ".join(f"{one.identity}: {one.why}; {group}; {self.happens}".split())
        return f"    {name}: {{leaves: {one.leaves}{risk}}}  # {why}"


@dataclass(frozen=True)
class Proposal:
    """All columns that could leave, those that stay as they are private, and what stands in the way of a build."""

    columns: tuple[Proposed, ...]
    private: tuple[str, ...]
    fault: str = ""

    def __str__(self) -> str:
        lines = [f"# this release cannot be built yet: {self.fault}"] if self.fault else []
        lines += ["release:", "  columns:" if self.columns else "  columns: {}"]
        lines += [one.line for one in self.columns]
        lines.append('# to let a column leave as it is: {leaves: exact, risk: "A sentence that names the risk."}')
        if self.private:
            lines.append(f"# private, and stay: {', '.join(' '.join(name.split()) for name in self.private)}")
        return "\n".join(lines)


def propose(contents: Contents, settings: Settings) -> Proposal:
    """Return what a release would do with every column; nothing is written.

    Parameters
    ----------
    contents
        People and columns; vectors are not looked at.
    settings
        Of the study; where they cannot be met, the classes alone decide and the fault is told.

    Examples
    --------
    >>> import polars as pl
    >>> from personax.data.table import Table
    >>> from personax.schema import Column
    >>> people = pl.DataFrame({"id": ["a", "b"], "player": ["Ada Nemo", "Bo Fictor"]})
    >>> columns = [Column("id", "id", "nominal"), Column("player", "feature", "nominal")]
    >>> print(propose(Contents("x", Table(people, columns)), Settings()))
    release:
      columns:
        player: {leaves: withheld}  # direct: its name says so (player); 2 values, the smallest group has 1; stays
    # to let a column leave as it is: {leaves: exact, risk: "A sentence that names the risk."}
    """
    contents = replace(contents, embeddings={}).classified().without(settings.removed)
    people, columns = contents.people, contents.columns
    fault, how = "", {}
    try:
        made = protect(contents, settings, Key(bytes(32)))
        told, how = made.told["columns"], made.how
    except InputError as error:
        fault = str(error)
        own = set(contents.traits.columns) if contents.traits is not None else set()
        by_class = decide([column for column in columns if column.name not in own], said={})
        told = {one.name: one.to_dict() for one in by_class}
    proposed = []
    for name, one in told.items():
        lost = one["because"] == NOTHING_LEFT
        leaves: Leaves = "generalised" if lost else one["leaves"]
        decision = Decision(name, one["class"], one["why"], leaves, one["because"], one.get("risk", ""))
        happens = NOTHING_LEFT if lost else "stays" if leaves == "withheld" else how.get(name, "leaves as it is")
        proposed.append(Proposed(decision, *column_facts(people, name), happens))
    return Proposal(tuple(proposed), tuple(c.name for c in columns if c.role == "private"), fault)
