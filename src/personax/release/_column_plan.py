"""The column plan: what a release would do with every column, as lines for the study file."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace

from personax.errors import InputError
from personax.release._column_policy import (
    NOTHING_LEFT,
    ONE_VALUE_LEFT,
    ColumnPolicy,
    ColumnTreatment,
    column_facts,
    column_policies,
)
from personax.release._release_input import ReleaseInput
from personax.release._settings import ReleaseSettings
from personax.release._table_protection import protect
from personax.release.keys._keystore import ReleaseKey

__all__ = ["ColumnPlan", "PlannedColumn", "plan_columns"]

_BARE_KEY = re.compile(r"[A-Za-z][\w]*")
_YAML_KEYWORDS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}


@dataclass(frozen=True)
class PlannedColumn:
    """A column's policy and its effect, with the number of distinct values and the frequency of the rarest."""

    policy: ColumnPolicy
    distinct: int
    smallest_group: int
    effect: str

    def to_dict(self) -> dict[str, object]:
        """Return plain values, as ``personax release plan --json`` prints them."""
        policy = asdict(self.policy)
        decision = {"why": policy.pop("identity_why"), "because": policy.pop("reason"), "said": policy.pop("explicit")}
        return {"decision": policy | decision, "distinct": self.distinct, "smallest": self.smallest_group,
                "happens": self.effect}  # fmt: skip

    @property
    def line(self) -> str:
        """The column's line for the study file, with the reason as a comment."""
        one = self.policy
        bare = _BARE_KEY.fullmatch(one.name) and one.name.lower() not in _YAML_KEYWORDS
        name = one.name if bare else json.dumps(one.name)
        risk = f", risk: {json.dumps(one.risk, ensure_ascii=False)}" if one.risk else ""
        group = f"{self.distinct:,} values, the smallest group has {self.smallest_group:,}"
        why = " ".join(f"{one.identity}: {one.identity_why}; {group}; {self.effect}".split())
        return f"    {name}: {{leaves: {one.leaves}{risk}}}  # {why}"


@dataclass(frozen=True)
class ColumnPlan:
    """All columns that could leave, the private ones that never do, and the fault that prevents a build."""

    columns: tuple[PlannedColumn, ...]
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


def plan_columns(data: ReleaseInput, settings: ReleaseSettings) -> ColumnPlan:
    """Return what a release would do with every column; writes nothing.

    Parameters
    ----------
    data
        People and columns; vectors are ignored.
    settings
        Of the study. Where they cannot be met, the identity classes alone decide, and the plan reports the fault.

    Examples
    --------
    >>> import polars as pl
    >>> from personax.data.table import Table
    >>> from personax.schema import Column
    >>> people = pl.DataFrame({"id": ["a", "b"], "player": ["Ada Nemo", "Bo Fictor"]})
    >>> columns = [Column("id", "id", "nominal"), Column("player", "feature", "nominal")]
    >>> print(plan_columns(ReleaseInput("x", Table(people, columns)), ReleaseSettings()))
    release:
      columns:
        player: {leaves: withheld}  # direct: its name says so (player); 2 values, the smallest group has 1; stays
    # to let a column leave as it is: {leaves: exact, risk: "A sentence that names the risk."}
    """
    data = replace(data, embeddings={}).classified().drop_people(settings.removed)
    people, columns = data.people, data.columns
    fault, treatments = "", {}
    try:
        protected = protect(data, settings, ReleaseKey(bytes(32)))
        entries, treatments = protected.report["columns"], protected.treatments
    except InputError as error:
        fault = str(error)
        scores = set(data.traits.columns) if data.traits is not None else set()
        by_class = column_policies([column for column in columns if column.name not in scores], rules={})
        entries = {one.name: one.to_dict() for one in by_class}
    planned = []
    for name, one in entries.items():
        lost = one["because"] == NOTHING_LEFT
        leaves: ColumnTreatment = "generalised" if lost else one["leaves"]
        gone = one["because"] in (NOTHING_LEFT, ONE_VALUE_LEFT)
        policy = ColumnPolicy(name, one["class"], one["why"], leaves, one["because"], one.get("risk", ""))
        effect = "stays" if leaves == "withheld" else treatments.get(name, "leaves as it is")
        effect = one["because"] if gone else effect
        planned.append(PlannedColumn(policy, *column_facts(people, name), effect))
    return ColumnPlan(tuple(planned), tuple(c.name for c in columns if c.role == "private"), fault)
