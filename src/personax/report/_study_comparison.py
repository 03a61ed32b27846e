"""The page that puts studies side by side: which findings hold in all, and what the studies differ in.

A pair is compared by the leading group and test of each study. Where several analyses of one question are compared, the
figure of a pair is its specification curve (Simonsohn, Simmons, Nelson 2020, doi:10.1038/s41562-020-0912-z) and the
table of settings the multiverse (Steegen et al. 2016, doi:10.1177/1745691616658637).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from personax.data.labels import count, display_test, display_trait, labels_of, number, trait_of, two_decimals
from personax.errors import InputError
from personax.report._chart import chart
from personax.report._credibility import identified
from personax.report._data import ReportData
from personax.report._page import _asset, _policy, _script, page_environment
from personax.report._sections import flattened
from personax.traits import BIG_FIVE

__all__ = ["ComparedFinding", "StudyComparison", "compare_studies", "render_study_comparison"]

MOST_CURVES: Final = 12
"""Pairs that have a figure, those with the largest mean effect."""

MOST_ROWS: Final = 200
SKIPPED: Final = ("figures", "device", "threads")
"""Settings that change no number."""


@dataclass(frozen=True)
class ComparedFinding:
    """A pair that is dependent in one study or more.

    Parameters
    ----------
    feature, target
        Columns; the target without its rater.
    rows
        A row of the tidy table a study; None where the study has not tested the pair.
    """

    feature: str
    target: str
    rows: Sequence[Mapping[str, Any] | None]

    @property
    def tested(self) -> int:
        """Studies that tested the pair."""
        return len(self._known)

    @property
    def found(self) -> int:
        """Studies in which it is dependent."""
        return sum(bool(row["rejected"]) for row in self._known)

    @property
    def directions(self) -> set[str]:
        """The directions of those in which it is dependent; groups are told apart by which is higher."""
        return {_direction(row) for row in self._known if row["rejected"] and row.get("direction")}

    @property
    def verdict(self) -> str:
        """In words: whether the finding holds."""
        if len(self.directions) > 1:
            return "another direction"
        if self.tested == 1:
            return "one study alone tested it"
        return "holds in all" if self.found == self.tested else "one alone" if self.found == 1 else "holds in some"

    @property
    def effect(self) -> float:
        """Mean effect size over the studies that tested it."""
        return sum(row["effect_size"] or 0.0 for row in self._known) / max(1, self.tested)

    @property
    def _known(self) -> list[Mapping[str, Any]]:
        return [row for row in self.rows if row is not None]


@dataclass(frozen=True)
class StudyComparison:
    """Findings of several studies, and the settings that differ.

    Parameters
    ----------
    names
        Of the studies, in their order.
    findings
        Pairs that are dependent in one study or more, those that hold in most studies first.
    settings
        Setting -> its value in each study, where they differ.
    facts
        Of each study: people, test, dependent pairs, latents identified.
    """

    names: Sequence[str]
    findings: Sequence[ComparedFinding]
    settings: Mapping[str, Sequence[str]]
    facts: Sequence[Mapping[str, str]]

    @property
    def verdicts(self) -> dict[str, int]:
        """Verdict -> number of pairs."""
        return dict(Counter(found.verdict for found in self.findings))

    @property
    def sentence(self) -> str:
        """What a reader must know."""
        if not self.findings:
            return "No study found a dependent pair."
        told = "; ".join(f"{verdict} {number_of}" for verdict, number_of in self.verdicts.items())
        return f"Of {len(self.findings)} pairs that are dependent in one study or more: {told}."


def compare_studies(studies: Sequence[tuple[str, ReportData]]) -> StudyComparison:
    """Return which findings hold in several studies.

    Parameters
    ----------
    studies
        Name and what the report knows of it, from `personax.report.gather`.

    Raises
    ------
    InputError
        Fewer than two studies, or one without Level I.
    """
    if len(studies) < 2:
        raise InputError("one study cannot be compared; give two or more")
    absent = [name for name, data in studies if data.independence is None]
    if absent:
        raise InputError(f"{absent[0]} has no Level I to compare; run personax independence on it first")
    tables = [_leading(data) for _, data in studies]
    pairs = dict.fromkeys(pair for table in tables for pair, row in table.items() if row["rejected"])
    found = [ComparedFinding(*pair, [table.get(pair) for table in tables]) for pair in pairs]
    ranked = sorted(found, key=lambda one: (-one.found, -one.effect, one.feature, one.target))
    names = [f"{place}. {name}" for place, (name, _) in enumerate(studies, start=1)]
    return StudyComparison(names, ranked, _differing([data for _, data in studies]), [_facts(d) for _, d in studies])


def _leading(data: ReportData) -> dict[tuple[str, str], Mapping[str, Any]]:
    found = data.independence
    assert found is not None
    group, test = found.leading
    rows = found.table.filter(pl.col("group") == group, pl.col("test") == test, pl.col("p_value").is_not_null())
    return {(row["feature"], trait_of(row["target"])): row for row in rows.iter_rows(named=True)}


def _direction(row: Mapping[str, Any]) -> str:
    if row["direction"] in ("groups", "together", "apart"):
        return f"{row['direction']} {row.get('level_high')}"
    return str(row["direction"])


def _differing(studies: Sequence[ReportData]) -> dict[str, list[str]]:
    """Return the settings, seeds and versions that are not the same in all."""
    told = [
        {f"{m.stage}: {name}": value for m in data.manifests for name, value in _settings(m.plan, m.seed)}
        for data in studies
    ]
    names = dict.fromkeys(name for one in told for name in one)
    values = {name: [one.get(name, "") for one in told] for name in names}
    return {name: row for name, row in values.items() if len(set(row)) > 1 and not name.endswith(SKIPPED)}


def _settings(plan: Mapping[str, Any], seed: int | None) -> list[tuple[str, str]]:
    return [("seed", "" if seed is None else str(seed)), *flattened(plan)]


def _facts(data: ReportData) -> dict[str, str]:
    found = data.independence
    assert found is not None
    group, test = found.leading
    _, computed, rejected = found.counts[group, test]
    known, latents = identified(data)
    return {
        "people": count(data.people.count) if data.people else "",
        "test": display_test(test),
        "pairs tested": count(computed),
        "dependent": count(rejected),
        "latents identified": f"{known} of {latents}" if latents else "",
    }


def render_study_comparison(found: StudyComparison, *, title: str = "Studies side by side") -> str:
    """Return one HTML page that opens from disk, as the report's.

    Parameters
    ----------
    found
        From `compare_studies`.
    title
        Its heading.
    """
    style, script = _asset("style.css"), _script("plot.js", "charts.js", "page.js")
    with labels_of(BIG_FIVE):
        return page_environment(BIG_FIVE).get_template("studies.html.j2").render(
            title=title,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            found=found,
            cells=[(one, [_cell(row) for row in one.rows]) for one in found.findings[:MOST_ROWS]],
            curves=[_curve(one, found.names) for one in _largest(found.findings)],
            left_out=max(0, len(found.findings) - MOST_ROWS),
        )  # fmt: skip


def _largest(findings: Sequence[ComparedFinding]) -> list[ComparedFinding]:
    several = [one for one in findings if one.tested > 1]
    return sorted(several, key=lambda one: -one.effect)[:MOST_CURVES]


def _cell(row: Mapping[str, Any] | None) -> tuple[str, bool]:
    """Return what a study says of a pair: effect and direction, and whether the pair is dependent."""
    if row is None:
        return "not tested", False
    way = row.get("direction")
    return f"{two_decimals(row['effect_size'])}{f' {way}' if way and row['rejected'] else ''}", bool(row["rejected"])


def _curve(one: ComparedFinding, names: Sequence[str]) -> tuple[str, str, Markup]:
    """Draw a pair's effects in all studies, from the weakest to the strongest."""
    rows = [
        {
            "label": name,
            "value": row["effect_size"],
            "low": row.get("effect_low"),
            "high": row.get("effect_high"),
            "note": f"{'dependent' if row['rejected'] else 'not rejected'}, n {number(row['n'])}",
            "weak": not row["rejected"],
        }
        for name, row in zip(names, one.rows, strict=True)
        if row is not None
    ]
    rows.sort(key=lambda row: row["value"] or 0.0)
    label = f"{one.feature} and {display_trait(one.target)}"
    return label, one.verdict, chart("intervals", rows, label, meaning="effect", guides=[0.0])
