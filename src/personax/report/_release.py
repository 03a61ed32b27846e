"""The release: what left, what was withheld or coarsened and what that cost, how it was attacked, the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from personax.data.labels import number, percent
from personax.registry import register
from personax.report._chart import chart
from personax.report._data import ReleaseSummary
from personax.report._sections import SectionInput

__all__ = ["ReleaseView"]

MOST_CURVES: Final = 6
"""Measurements whose curve of known pairs is drawn; the audit has all."""

MOST_ATTACKS: Final = 14
"""Attacks in a figure, the strongest."""


class ReleaseView:
    """Columns, their coarsening, attacks with intervals, curves over known pairs, the gate, the verdict."""

    def __init__(self, found: ReleaseSummary) -> None:
        protection, audit = found.protection, found.audit
        self.verdict = str(audit.get("verdict", ""))
        self.transform = str(audit.get("transform") or found.transforms.get("transform") or "none")
        self.left = [
            (one.get("name", ""), one.get("role", ""), one.get("description", ""), one.get("protection", ""))
            for one in found.columns
        ]
        plans = protection.get("columns", {})
        self.plans = [
            (name, plan.get("leaves", ""), plan.get("class", ""), plan.get("why", ""), plan.get("because", ""))
            for name, plan in plans.items()
        ]
        self.withheld = list(protection.get("withheld", []))
        self.withheld += [name for name, plan in plans.items() if plan.get("leaves") == "withheld"]
        self.withheld = list(dict.fromkeys(self.withheld))
        self.private = int(protection.get("private_columns", 0))
        anonymity = protection.get("k_anonymity") or {}
        self.steps = [_step(step) for step in anonymity.get("steps", [])]
        self.loss = anonymity.get("loss")
        self.k = (anonymity.get("before", {}).get("k"), anonymity.get("after", {}).get("k"))
        self.gate = [
            (name.replace("_", " "), limit) for name, limit in audit.get("gate", {}).items() if limit is not None
        ]
        self.table = _attacks(audit.get("table", []), "Attacks on the table")
        self.vectors = [
            (where, broken, svg)
            for where, told in list(audit.get("measurements", {}).items())[:MOST_CURVES]
            for broken in [told.get("broken_at")]
            for svg in [_attacks(_of_people(told), f"Attacks on {where}")]
        ]
        self.curves = [
            (where, svg)
            for where, told in list(audit.get("measurements", {}).items())[:MOST_CURVES]
            if (svg := _curve(where, told.get("known_pairs", [])))
        ]
        self.left_out = max(0, len(audit.get("measurements", {})) - MOST_CURVES)


def _step(step: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    return (
        ", ".join(step.get("columns", [])),
        str(step.get("level", "")),
        f"{number(step.get('values_before'))} to {number(step.get('values_after'))}",
        number(step.get("loss"), 2),
        number(step.get("people_withheld")),
    )


def _of_people(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return, of what an attacker may hold, the attack that finds most people; the strongest first."""
    best: dict[str, Mapping[str, Any]] = {}
    for campaign in told.get("campaigns", []):
        known = [a for a in campaign.get("attacks", []) if a.get("measure") == "rank-1" and a.get("value") is not None]
        if known:
            best[str(campaign.get("holds", ""))] = max(known, key=lambda attack: float(attack["value"]))
    ranked = sorted(best.items(), key=lambda item: -item[1]["value"])
    return [dict(attack) | {"name": holds, "by": attack["name"]} for holds, attack in ranked]


def _attacks(attacks: Sequence[Mapping[str, Any]], label: str) -> Markup:
    rows = [
        {
            "label": one["name"],
            "value": one.get("value"),
            "low": one.get("low"),
            "high": one.get("high"),
            "note": _note(one),
            "weak": not one.get("beats"),
        }
        for one in attacks[:MOST_ATTACKS]
    ]
    return chart("intervals", rows, label, span=(0.0, 1.0), guides=[0.0, 0.5, 1.0], meaning="share or risk")


def _note(one: Mapping[str, Any]) -> str:
    if one.get("value") is None:
        return str(one.get("reason") or "")
    better = "beats guessing" if one.get("beats") else "does not beat guessing"
    baseline = one.get("baseline")
    by = f"by {one['by']}; " if one.get("by") else f"knows {one['knows']}; "
    return f"{by}{better}{'' if baseline is None else f' ({percent(baseline, 1)})'}, {number(one.get('tries'))} tries"


def _curve(where: str, pairs: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw how many of all others an attacker finds who knows some pairs of original and released vectors."""
    rows = [
        {"series": one["attack"], "x": one["pairs"], "y": one["rank_1"], "low": one.get("low"), "high": one.get("high")}
        for one in _finite(pairs)
    ]
    if len({row["x"] for row in rows}) < 2:
        return Markup("")
    return chart("lines", rows, f"{where}: people found by known pairs", x="known pairs", y="share found", log=True,
                 span=[0, 1])  # fmt: skip


def _finite(pairs: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (one for one in pairs if one.get("rank_1") is not None and one.get("pairs"))


@register("report_sections", "release", title="Release", help="what left, and how it was attacked", order=35)
def _release(study: SectionInput) -> Markup | None:
    found = study.data.release
    return study.render("release.html.j2", release=ReleaseView(found)) if found else None
