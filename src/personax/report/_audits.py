"""What the page shows of audits that the annotation card holds: languages, memory, readability, adjudication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from markupsafe import Markup

from personax.data.labels import count, number, percent
from personax.registry import register
from personax.report._sections import SectionInput

__all__ = ["AuditsView"]

Rows = list[tuple[str, ...]]

REMEMBERED: Final = {
    "known_by_name": "scored by the name alone",
    "name_moves": "the name moves a score by",
    "name_repeats_text": "name alone with text alone, r",
}


class AuditsView:
    """Tables of the section, each empty where the audit was not made."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self.unreadable: Rows = [
            (str(one["name"]), str(one["unreadable_reason"]))
            for one in card.get("models", [])
            if one.get("unreadable_reason")
        ]
        found = card.get("translations") or {}
        self.language, self.people = str(found.get("language", "")), int(found.get("people") or 0)
        self.translations: Rows = [
            (model, trait, _interval(one["shift"]), _share(one["same"]), _share(one["unscored"]))
            for model, traits in (found.get("models") or {}).items()
            for trait, one in traits.items()
        ]
        fame = (card.get("stereotypes") or {}).get("fame") or []
        self.popularity: Rows = [
            (str(one["model"]), _interval(one["known_by_popularity"]), _interval(one["moves_by_popularity"]))
            for one in fame
            if "known_by_popularity" in one
        ]
        self.knowledge: Rows = [row for one in fame for row in _knowledge(one)]
        self.no_knowledge = [
            f"{one['model']}: {one['knowledge']['reason']}"
            for one in fame
            if (one.get("knowledge") or {}).get("reason")
        ]
        decided = card.get("adjudication")
        self.adjudicated = (
            None if not decided else (count(decided["cells"]), count(decided["changed"]), decided["open"])
        )
        self.decisions: Rows = [
            ("where raters agree (controls)" if why == "control" else "where raters disagree", _interval(one))
            for why, one in ((decided or {}).get("severity") or {}).items()
        ]

    def __bool__(self) -> bool:
        return bool(self.unreadable or self.translations or self.popularity or self.knowledge or self.adjudicated)


def _knowledge(one: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    found = one.get("knowledge") or {}
    for name, measure in (found.get("measures") or {}).items():
        sides = (_interval(measure[side]) for side in ("before", "after", "more_before"))
        yield (f"{one['model']} ({found['cutoff']}; {found['before']} before, {found['after']} after)",
               REMEMBERED[name], *sides)  # fmt: skip


def _interval(found: Mapping[str, Any]) -> str:
    if found.get("value") is None:
        return f"none: {found['reason']}" if found.get("reason") else "none"
    if found.get("low") is None:
        return number(found["value"], 2)
    return f"{number(found['value'], 2)} ({number(found['low'], 2)} to {number(found['high'], 2)})"


def _share(value: float | None) -> str:
    return "none" if value is None else percent(value, 1)


@register("report_sections", "audits", title="Audits", help="languages, memory, readability, adjudication", order=52)
def _audits(study: SectionInput) -> Markup | None:
    traits = study.data.traits
    view = AuditsView(traits.card) if traits and traits.card else None
    return study.render("audits.html.j2", audits=view) if view else None
