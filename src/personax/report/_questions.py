"""The ten questions that reviewers ask of such a study, each with the study's own answer or the command that gives one.

They are those of the reviews of the paper (ICLR 2026, arXiv 2509.11362).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl
from markupsafe import Markup

from personax.data.labels import count, number, trait_of
from personax.registry import register
from personax.report._data import ReportData
from personax.report._sections import SectionInput

__all__ = ["ReviewQuestion", "answers"]


@dataclass(frozen=True, slots=True)
class ReviewQuestion:
    """A question and its answer.

    Parameters
    ----------
    question
        As a reviewer asks it.
    answer
        What a stage of the study says; empty where none does.
    command
        What gives an answer, or a fuller one.
    section
        Anchor of the section where more stands.
    """

    question: str
    answer: str
    command: str
    section: str = ""


def answers(data: ReportData) -> list[ReviewQuestion]:
    """Return the ten questions, answered as far as the study can."""
    there = {
        "validity": data.validity, "latents": data.crl, "truth": data.truth, "release": data.release,
        "dependence": data.independence, "traits": data.traits,
    }  # fmt: skip
    return [
        ReviewQuestion(question, found := answer(data), command, section if found and there[section] else "")
        for question, answer, command, section in QUESTIONS
    ]


def _humans(data: ReportData) -> str:
    if data.validity is None:
        return ""
    asked = data.validity.agreement.filter(
        pl.col("measure").is_in(["left_out", "pearson"]), pl.col("rater") != "humans"
    )
    values: list[float] = asked["value"].drop_nulls().to_list()
    return f"Scores correlate with humans by {number(min(values), 2)} to {number(max(values), 2)}." if values else ""


def _stability(data: ReportData) -> str:
    if data.crl is None:
        return ""
    agreement = data.crl.metrics.get("choice", {}).get("agreement of seeds (mean Spearman MCC)")
    seeds = 0 if data.crl.seeds is None else data.crl.seeds.height
    halves = [row["halves"] for row in data.crl.identification if row.get("halves") is not None]
    told = [f"{seeds} seeds agree by {number(agreement)} (mean Spearman MCC)"] if agreement is not None else []
    told += [f"fits on halves of the people agree by {number(min(halves))} at least"] if halves else []
    kept = [f"{one['same']} of {one['edges']} edges stay without {one['modality']}" for one in data.crl.without]
    told += [f"by PC on the same latents, {', '.join(kept)}"] if kept else []
    return f"{'; '.join(told)}.".capitalize() if told else ""


def _assumptions(data: ReportData) -> str:
    if data.crl is None or not data.crl.diagnostics:
        return ""
    times = Counter(str(row["verdict"]) for row in data.crl.diagnostics)
    return f"Of {sum(times.values())} assumptions: {', '.join(f'{n} {verdict}' for verdict, n in times.items())}."


def _baselines(data: ReportData) -> str:
    floors = [
        f"{modality}: MCC {number(found[mcc])} where rotations of the latents reach {number(found[floor])}"
        for modality, found in (data.crl.metrics.get("against the truth", {}) if data.crl else {}).items()
        if isinstance(found, dict)
        for mcc in ["MCC, Pearson"]
        for floor in [f"{mcc}, floor: mean over random rotations of the learned latents"]
        if mcc in found and floor in found
    ]
    return f"{'; '.join(floors)}." if floors else ""


def _transform(data: ReportData) -> str:
    return str(data.release.audit.get("verdict", "")) if data.release else ""


def _obfuscated(_: ReportData) -> str:
    return ""  # needs Level II on the release


def _raters(data: ReportData) -> str:
    found = data.independence
    if found is None:
        return ""
    group, test = found.leading
    table = found.table.filter(pl.col("test") == test, pl.col("rejected"))
    held = {
        name: {(row["feature"], trait_of(row["target"])) for row in part.to_dicts()}
        for (name,), part in table.group_by("group", maintain_order=True)
    }
    others = [name for name in dict.fromkeys(found.table["group"]) if name != group]
    own = held.get(group, set())
    if not own or not others:
        return ""
    shares = [f"{name} {len(own & held.get(name, set()))}" for name in others]
    return f"Of {count(len(own))} dependent pairs of the aggregate, each rater's own scores have: {', '.join(shares)}."


def _stereotypes(data: ReportData) -> str:
    told = data.traits.stereotypes if data.traits else {}
    if not told:
        return ""
    chance = told["chance"]
    return (
        f"{told['people']} people were judged again with a field changed: {chance['found']} of {chance['intervals']} "
        f"effects leave out 0, {number(chance['expected'])} would by chance."
    )


def _subgroups(data: ReportData) -> str:
    found = data.independence
    if found is None or found.subgroups is None or found.subgroups.is_empty():
        return ""
    parts = found.subgroups.group_by("subgroup", maintain_order=True).agg(pl.col("rejected").sum())
    told = ", ".join(f"{name} {n}" for name, n in parts.iter_rows())
    return f"Dependent pairs by subgroup: {told}. Which differ stands in analysis/independence/heterogeneity.csv."


def _tables(_: ReportData) -> str:
    return "Every table of this page sorts, filters or saves as CSV, with n, effect, interval, p and corrected p."


QUESTIONS: Final[tuple[tuple[str, Callable[[ReportData], str], str, str], ...]] = (
    ("Do humans agree with the traits?", _humans, "personax traits validate export study.yaml", "validity"),
    ("Is the graph stable over seeds and without a modality?", _stability, "personax crl compare A B", "latents"),
    ("Do the assumptions hold on these data?", _assumptions, "personax crl study.yaml", "latents"),
    ("How do non-causal methods do?", _baselines, "personax crl benchmark", "truth"),
    ("Can the transform be inverted, or people be found?", _transform, "personax release build study.yaml", "release"),
    ("What does the transform do to the latents?", _obfuscated, "personax analyse my-study/release", "release"),
    ("Do the findings depend on the language model?", _raters, "personax traits calibrate study.yaml", "dependence"),
    ("Do fields such as the league leak stereotypes?", _stereotypes, "annotate.audit in study.yaml", "traits"),
    ("Are the findings the same in subgroups?", _subgroups, "independence.by in study.yaml", "dependence"),
    ("Can the tables be read and reused?", _tables, "personax report study.yaml", "dependence"),
)


@register("report_sections", "questions", title="Reviewers", help="ten questions of reviewers, answered", order=75)
def _questions(study: SectionInput) -> Markup | None:
    data = study.data
    if data.crl is None and data.traits is None:
        return None
    return study.render("questions.html.j2", questions=answers(data))
