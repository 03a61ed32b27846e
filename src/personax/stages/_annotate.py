"""annotate: what raters say of each person's traits, and one score a trait."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from personax.config import (
    AnnotateLexicon,
    AnnotateLLM,
    AnnotateQuestionnaire,
    AnnotateRelease,
    AnnotateSimulated,
    Plan,
    Rated,
)
from personax.errors import InputError, PlanError
from personax.schema import Notice, TraitFramework
from personax.sources import ColumnSpec, read_table
from personax.stages._adjudicate import read_decisions
from personax.stages._annotate_llm import (
    JOURNAL,
    answer_days,
    ask,
    ask_audit,
    ask_injections,
    ask_translations,
    ask_vignettes,
    asked_of,
    outcomes_by_model,
)
from personax.stages._base import FRAMEWORK, Context, Stage, framework_of, stage_rng
from personax.stages._collect_release import write_scores
from personax.strict import nearest
from personax.traits import (
    BIG_FIVE,
    AggregatedScores,
    aggregate_ratings,
    agreement,
    annotate_lexicon,
    consistency_notices,
    domain_ratings,
    domain_scores,
    facet_consistency,
    flag_report,
    read_scoring_key,
    score_items,
    without_flagged,
)
from personax.traits.audits import annotation_card
from personax.traits.llms import ReplyJournal
from personax.traits.reliability import (
    MAX_GROUPS,
    AgreementReport,
    Bootstrap,
    ReliabilityReport,
    reliability_report,
)
from personax.traits.validity import adjudication_report

__all__ = ["ANNOTATE"]

DRAWS = 20
"""Plausible values kept of every score."""

PLAUSIBLE = (
    "Final scores are plausible values, one draw of what is possible for each person: statistics of groups are right, "
    "and the best guess about one person is expected_* in traits/uncertainty.parquet (annotate: {scores: expected})."
)

UNEVEN = 0.01
"""p-value, corrected over the columns, below which flags or silence are said to depend on a column."""

FEWEST_SAME = 10
"""Scores of a rater from which on it is said that all are the same."""

GROUPINGS = 6
"""Columns by which reliability is told apart where the plan names none."""


def _external_files(plan: Plan) -> Sequence[str]:
    section = plan.annotate
    if isinstance(section, Rated):
        return () if section.adjudication is None else (section.adjudication,)
    if not isinstance(section, AnnotateQuestionnaire):
        return ()
    return (section.path,) if section.key is None else (section.path, section.key)


def _run(context: Context) -> None:
    """Rate people's traits, or score their answers; one score a trait."""
    people = context.frame("people", "people.parquet")["id"].to_list()
    framework = framework_of(context.plan)
    if framework != BIG_FIVE:
        context.write_text(framework.to_json(), *FRAMEWORK)
    match context.plan.annotate:
        case AnnotateSimulated() as section:
            raters = [_simulated(context), *([_lexicon(context)] if section.lexicon else [])]
            _aggregate(context, pl.concat(raters), section)
        case AnnotateLexicon() as section:
            _aggregate(context, _lexicon(context, section.traits()), section)
        case AnnotateLLM() as section:
            survey = asked_of(context.folder, section)
            asked = _expected(context, ask(context, survey, section), section)
            anchors, vignettes = ask_vignettes(context, section) or (None, None)
            found = _aggregate(context, asked, section, anchors)
            audited = ask_audit(context, section)
            if audited is not None:
                context.write_text(json.dumps(audited, indent=1, allow_nan=False), "traits", "stereotypes.json")
            injected = ask_injections(context, section)
            translated = ask_translations(context, section, asked)
            audits = {"stereotypes": audited, "vignettes": vignettes, "injections": injected}
            audits["translations"] = translated
            _write_card(context, section, survey.prompt.name, found, audits)
        case AnnotateQuestionnaire() as section:
            _score(context, section, people)
        case AnnotateRelease() as section:
            _count_scored(context, write_scores(context, section))


def _simulated(context: Context) -> pl.DataFrame:
    if context.folder.output("people", "simulation", "ratings.parquet") is None:
        text = "annotate.source: simulate needs simulated people (collect.source: simulate)"
        raise PlanError(text)
    return context.frame("people", "simulation", "ratings.parquet")


def _lexicon(context: Context, framework: TraitFramework = BIG_FIVE) -> pl.DataFrame:
    if context.folder.output("people", "texts.parquet") is None:
        text = "annotate.source: lexicon reads biographies; give the people table a column biography"
        raise PlanError(text)
    texts = context.frame("people", "texts.parquet")
    return annotate_lexicon(dict(texts.select("id", "biography").iter_rows()), framework)


@dataclass(frozen=True)
class _Found:
    """The answers that count, and what is known of the raters."""

    annotations: pl.DataFrame
    agreement: AgreementReport
    reliability: ReliabilityReport
    flags: dict[str, Any] | None
    adjudication: dict[str, Any] | None
    severity: dict[str, Any] | None


def _write_card(
    context: Context, section: AnnotateLLM, prompt: str, found: _Found, audits: Mapping[str, dict[str, Any] | None]
) -> None:
    """Write the annotation card."""
    with ReplyJournal(context.folder.path(*JOURNAL)) as journal:
        days = answer_days(journal, prompt)
    dates = {
        model.name: [min(own)[0], max(one[1] for one in own)]
        for model in section.models
        if (own := [one for (name, _), one in days.items() if name == model.name])
    }
    card = annotation_card(
        found.annotations, models={model.name: model.model for model in section.models}, dates=dates, rule=section.rule,
        agreement=found.agreement, reliability=found.reliability, flags=found.flags,
        adjudication=found.adjudication, severity=found.severity,
        unreadable={row["model"]: row["unreadable_reason"] for row in outcomes_by_model(found.annotations)}, **audits,
    )  # fmt: skip
    context.write_text(json.dumps(card, indent=1, allow_nan=False), "traits", "annotation_card.json")


def _aggregate(
    context: Context, annotations: pl.DataFrame, section: Rated, anchors: pl.DataFrame | None = None
) -> _Found:
    """Write every answer, the score over raters, how sure it is, and how far the raters can be relied on."""
    people = context.frame("people", "people.parquet")
    framework = framework_of(context.plan)
    ids = people["id"].to_list()
    if isinstance(section, AnnotateLLM | AnnotateLexicon) and section.domains:
        annotations, anchors = _domains(context, annotations, section, ids, anchors)
    groups = {name: people[name] for name in _groups(context, people, section.groups)}
    flags = None
    if isinstance(section, AnnotateLLM):
        annotations, flags = _flags(context, annotations, section, people, groups)
    _check_families(section.families, annotations)
    aggregated = aggregate_ratings(
        annotations, people=ids, rule=section.rule, framework=framework, families=section.families, groups=groups,
        anchors=anchors,
    )  # fmt: skip
    severity = aggregated.raters() or None
    if severity:
        context.write_text(json.dumps(severity, indent=1, allow_nan=False), "traits", "many_facet.json")
    aggregated, adjudication = _adjudicated(context, aggregated, section, groups)
    if section.scores == "plausible":
        aggregated = aggregated.plausible(stage_rng(context.plan.seed, "plausible scores"))
        context.notices.append(Notice(PLAUSIBLE))
    traits = aggregated.traits
    context.write_frame(annotations, "traits", "annotations.parquet")
    context.write_frame(traits, "traits", "traits.parquet")
    found = agreement(annotations, rng=context.rng, framework=framework)
    context.write_text(json.dumps(found, indent=1, allow_nan=False), "traits", "agreement.json")
    report = reliability_report(
        annotations, people=ids, groups=groups, rng=context.rng, framework=framework, families=section.families
    )
    context.write_text(json.dumps(report, indent=1, allow_nan=False), "traits", "reliability.json")
    context.notices.extend(_silence_notices(report["silence"], section))
    context.notices.extend(_constant_notices(annotations))
    context.write_frame(aggregated.uncertainty(), "traits", "uncertainty.parquet")
    context.write_frame(aggregated.imputations(DRAWS, context.rng), "traits", "imputations.parquet")
    for trait, reason in aggregated.reasons().items():
        context.notices.append(Notice(f"{trait}: how uncertain its scores are is not known: {reason}."))
    for status, number in annotations["status"].value_counts().sort("status").iter_rows():
        context.counts[f"answers_{status}"] = number
    _count_scored(context, traits)
    return _Found(annotations, found, report, flags, adjudication, severity)


def _domains(
    context: Context, annotations: pl.DataFrame, section: AnnotateLLM | AnnotateLexicon, ids: Sequence[str],
    anchors: pl.DataFrame | None,
) -> tuple[pl.DataFrame, pl.DataFrame | None]:  # fmt: skip
    """Keep what was said of facets, and return it as ratings of the domains, of invented people too."""
    facets = section.traits()
    scores = aggregate_ratings(annotations, people=ids, rule=section.rule, framework=facets, families=section.families)
    context.write_frame(annotations, "traits", "facet_annotations.parquet")
    _write_facets(context, scores.traits, facets)
    return domain_ratings(annotations, facets), None if anchors is None else domain_ratings(anchors, facets)


def _write_facets(context: Context, scores: pl.DataFrame, facets: TraitFramework) -> None:
    """Write scores of facets, and how far those of a domain hang together."""
    found = facet_consistency(scores, facets)
    context.write_frame(scores, "traits", "facets.parquet")
    context.write_text(facets.to_json(), "traits", "facet_framework.json")
    context.write_text(json.dumps(found, indent=1, allow_nan=False), "traits", "domains.json")
    context.notices.extend(consistency_notices(found))


def _adjudicated(
    context: Context, scores: AggregatedScores, section: Rated, groups: Mapping[str, pl.Series]
) -> tuple[AggregatedScores, dict[str, Any] | None]:
    """Put decisions in the place of scores over raters, and write each with its origin; None where there are none."""
    if section.adjudication is None:
        return scores, None
    ids = scores.traits["id"].to_list()
    found = read_decisions(context.folder, context.plan, context.external_path(section.adjudication), ids)
    bootstrap = Bootstrap(stage_rng(context.plan.seed, "adjudication intervals"))
    told, report = adjudication_report(
        scores, found.table, found.cells, groups=groups, open_=found.open, bootstrap=bootstrap
    )
    context.write_frame(told, "traits", "adjudicated.parquet")
    context.write_text(json.dumps(report, indent=1, allow_nan=False), "traits", "adjudication.json")
    context.counts["scores_adjudicated"] = report["cells"]
    context.notices.extend(_adjudication_notices(report, found.unknown))
    return scores.decided(found.table), report


def _adjudication_notices(report: Mapping[str, Any], unknown: int) -> Iterator[Notice]:
    text = f"scores were decided by adjudication, {report['changed']} of them otherwise than by the rule"
    yield Notice(f"{text}; traits/adjudicated.parquet has each with what raters said.", report["cells"])
    if report["open"]:
        yield Notice("cells have different decisions and keep the score over raters; agree on one.", report["open"])
    if unknown:
        yield Notice("decisions are about people who are not in the study; they are left out.", unknown)
    severity = report["severity"]["control"]
    if severity["low"] is not None and (severity["low"] > 0 or severity["high"] < 0):
        told = f"{severity['value']:+.2f} ({severity['low']:+.2f} to {severity['high']:+.2f})"
        yield Notice(f"Where raters agree, adjudicators decide {told} points otherwise: theirs is another scale.")
    for name, one in report["groups"].items():
        if one["p_corrected"] < UNEVEN:
            low, high = min(one["shares"].values()), max(one["shares"].values())
            shares = f"{low:.1%} to {high:.1%} of scores (p {one['p_corrected']:.1g})"
            yield Notice(f"Decisions are not as frequent in every {name}: {shares}; what depends on it may be theirs.")


def _expected(context: Context, annotations: pl.DataFrame, section: AnnotateLLM) -> pl.DataFrame:
    """Put expected scores in the place of levels, where the plan wants them and models gave them."""
    if section.score_from == "level":
        return annotations
    scored = annotations.filter(pl.col("status") == "ok")
    lacking = scored["expected"].null_count()
    if lacking:
        text = "scores without probabilities of tokens are the levels that were answered"
        context.notices.append(Notice(f"{text}; models or endpoints that give none may be left out.", lacking))
    return annotations.with_columns(pl.coalesce("expected", "score").alias("score"))


def _flags(
    context: Context,
    annotations: pl.DataFrame,
    section: AnnotateLLM,
    people: pl.DataFrame,
    groups: Mapping[str, pl.Series],
) -> tuple[pl.DataFrame, dict[str, Any] | None]:
    """Write what flagged scores change, and return the annotations that count, and the report."""
    framework = framework_of(context.plan)
    scores = aggregate_ratings(
        annotations, people=people["id"].to_list(), rule=section.rule, framework=framework,
        families=section.families, groups=groups,
    )  # fmt: skip
    report = flag_report(
        annotations, people=people, groups=groups, scores=scores, rule=section.rule, families=section.families
    )
    if report is None:
        return annotations, None
    number = sum(report["flags"].values())
    context.counts["scores_flagged"] = number
    context.write_text(json.dumps(report, indent=1, allow_nan=False), "traits", "flags.json")
    kept = section.flagged == "keep"
    does = (
        "they count (annotate.flagged: drop leaves them out)" if kept else "they are left out (annotate.flagged: drop)"
    )
    context.notices.append(Notice(f"scores stand beside words of doubt; {does}; traits/flags.json has both.", number))
    for name, one in report["groups"].items():
        if one["p_corrected"] < UNEVEN:
            low, high = min(one["shares"].values()), max(one["shares"].values())
            shares = f"{low:.1%} to {high:.1%} of scores (p {one['p_corrected']:.1g})"
            text = f"Flags are not as frequent in every {name}: {shares}"
            context.notices.append(Notice(f"{text}; leaving flagged scores out would change what depends on it."))
    return annotations if kept else without_flagged(annotations), report


def _check_families(families: Mapping[str, str], annotations: pl.DataFrame) -> None:
    raters = annotations["model"].unique(maintain_order=True).to_list()
    for rater in families:
        if rater not in raters:
            raise PlanError(f"annotate.families: there is no rater {rater}; {nearest(rater, raters)}")


def _silence_notices(found: Sequence[Mapping[str, Any]], section: Rated) -> list[Notice]:
    """Say which raters are silent about one group more than about another, and what takes that out of the scores."""
    plain = "scores then differ by who answered: annotate: {scores: plausible} allows for it"
    remedy = plain if section.scores == "expected" else "the plausible scores allow for it"
    notices = []
    for one in found:
        if one["p_corrected"] < UNEVEN:
            (low, least), *_, (high, most) = sorted(one["shares"].items(), key=lambda item: item[1])
            text = f"{one['rater']} gives no score about {most:.0%} of {one['by']} {high}, {least:.0%} of {low}"
            notices.append(Notice(f"{text} (p {one['p_corrected']:.1g}); {remedy}."))
    return notices


def _constant_notices(annotations: pl.DataFrame) -> Iterator[Notice]:
    """Say which raters give everybody the same score: they agree with nobody, and tell nobody apart."""
    scored = annotations.filter(pl.col("status") == "ok").group_by("model", "trait", maintain_order=True)
    constant = scored.agg(pl.col("score").n_unique().alias("levels"), pl.len()).filter(
        (pl.col("levels") == 1) & (pl.col("len") >= FEWEST_SAME)
    )
    for (rater,), rows in constant.group_by("model", maintain_order=True):
        text = f"{rater} gives everybody the same score of {', '.join(rows['trait'])}: it tells nobody apart"
        yield Notice(f"{text}, and models of raters leave it out.")


def _groups(context: Context, people: pl.DataFrame, named: Sequence[str] | None) -> list[str]:
    """Return the columns by which reliability is told apart: those named, or features of few values."""
    if named is None:
        nominal = [column.name for column in context.people().features() if column.kind == "nominal"]
        return [name for name in nominal if 2 <= people[name].n_unique() <= MAX_GROUPS][:GROUPINGS]
    for name in named:
        if name not in people.columns:
            raise PlanError(f"annotate.groups: people have no {name}; {nearest(name, people.columns)}")
    return list(named)


def _score(context: Context, section: AnnotateQuestionnaire, people: Sequence[str]) -> None:
    """Score questionnaire answers and put them into the order of the people."""
    answers = read_table(
        context.external_path(section.path),
        {"id": ColumnSpec.model_validate({"from": section.id})},
        missing=section.missing,
    )
    framework = section.traits()
    key: Mapping[str, Sequence[str]] = framework.scoring_key
    if section.key is not None:
        key = read_scoring_key(context.external_path(section.key), framework)
    scores, notices = score_items(
        answers.people,
        key,
        low=section.low,
        high=len(framework.anchors) if section.high is None else section.high,
        min_answered=section.min_answered,
        framework=framework,
    )
    traits = pl.DataFrame({"id": people}).join(scores, on="id", how="left", maintain_order="left")
    if not set(people) & set(scores["id"]):
        text = f"annotate.id: no {section.id} in {section.path} is the id of a person"
        raise InputError(text)
    if section.domains:
        _write_facets(context, traits, framework)
        traits = domain_scores(traits, framework)
    context.write_frame(traits, "traits", "traits.parquet")
    context.notices.extend(notices)
    _count_scored(context, traits)


def _count_scored(context: Context, traits: pl.DataFrame) -> None:
    """Count people with a score, and say for each trait how many have none."""
    finals = [name for name in traits.columns if name.startswith("final_")]
    context.counts["people_scored"] = traits.filter(pl.any_horizontal(pl.col(finals).is_not_null())).height
    for name in finals:
        missing = traits[name].null_count()
        if missing:
            context.notices.append(Notice(f"{name}: people without a score; they are missing, not zero.", missing))


ANNOTATE = Stage("annotate", revision=4, needs=("collect",), run=_run, external_files=_external_files)
