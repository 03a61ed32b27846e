"""LLMs in a study: whom they are asked about, what came of it, and what a reader must know of that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from personax.config import AnnotateLLM, StereotypeAudit, TranslationAudit
from personax.data.frames import read_parquet
from personax.errors import ComputationError, InputError, PlanError
from personax.files import written_aside
from personax.progress import Progress
from personax.schema import ENDINGS, Notice
from personax.stages._base import Context, people_table, stage_rng
from personax.stages._encode_models import picture_names
from personax.store import StudyFolder
from personax.strict import nearest
from personax.traits import CounterfactualAudit, audit_effects, counterfactual_audit, most_frequent, trait_framework
from personax.traits.audits import (
    InjectionSurvey,
    injection_effects,
    injection_survey,
    translated_survey,
    translation_effects,
    vignette_report,
    vignette_survey,
)
from personax.traits.llms import (
    UNREADABLE,
    BatchQuota,
    Capability,
    CostEstimate,
    ImportSummary,
    MergeSummary,
    Model,
    Picture,
    Prompt,
    Question,
    ReplyJournal,
    RunSummary,
    Survey,
    Verdicts,
    annotate,
    annotation_table,
    estimate_cost,
    export_requests,
    give_to_cache,
    import_replies,
    judge_survey,
    merge_journals,
    probe_models,
    read_verdicts,
    take_from_cache,
)
from personax.traits.reliability import Bootstrap

__all__ = [
    "JOURNAL",
    "annotate_part",
    "answer_days",
    "ask",
    "ask_audit",
    "ask_injections",
    "ask_translations",
    "ask_vignettes",
    "asked_of",
    "estimate_annotation",
    "export_batches",
    "import_batches",
    "merge_shards",
    "outcomes_by_model",
    "people_of",
    "probe_endpoints",
    "prompt_of",
    "sample",
]

JOURNAL: Final = ("traits", "journal.sqlite")
"""Beside the stage's output and no part of it: what was paid for outlives every run."""


def people_of(folder: StudyFolder) -> pl.DataFrame:
    """Return the study's people with their texts.

    Raises
    ------
    StudyError
        When people have not been collected yet.
    """
    people, texts = people_table(folder).frame, folder.output("people", "texts.parquet")
    if texts is not None:
        people = people.join(read_parquet(texts), on="id", how="left", maintain_order="left")
    return people


def prompt_of(section: AnnotateLLM) -> Prompt:
    """Return the plan's prompt."""
    return Prompt(**dict(section.prompt), framework=section.traits())


def shown_columns(people: pl.DataFrame, setting: str, fields: Sequence[str]) -> list[str]:
    """Return the columns that questions need: id, the name where there is one, the fields.

    Raises
    ------
    PlanError
        For a field that people do not have.
    """
    for name in fields:
        if name not in people.columns:
            known = [column for column in people.columns if column != "id"]
            raise PlanError(f"{setting}: people have no {name}; {nearest(name, known)}")
    return ["id", *dict.fromkeys([*(["name"] if "name" in people.columns else []), *fields])]


def asked_of(folder: StudyFolder, section: AnnotateLLM) -> Survey[Prompt]:
    """Return what is to be asked about the study's people.

    Raises
    ------
    PlanError
        For a field that people do not have.
    StudyError
        When people have not been collected yet.
    """
    people, prompt = people_of(folder), prompt_of(section)
    wanted = shown_columns(people, "annotate.prompt.fields", prompt.fields)
    rows: list[dict[str, Any]] = people.select(wanted).to_dicts()
    if prompt.picture:
        _add_pictures(folder, rows)
    return Survey(rows, section.models, prompt, section.repeats)


def _add_pictures(folder: StudyFolder, rows: list[dict[str, Any]]) -> None:
    there = folder.outputs("people", "images")
    if not there:
        raise PlanError("annotate.prompt.picture: the study has no pictures; collect them, or leave picture out")
    for row in rows:
        named = next((there[name] for name in picture_names(str(row["id"])) if name in there), None)
        if named is not None:
            row["picture"] = Picture.of(named)


def sample(people: pl.DataFrame, number: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return so many people at random, in the table's order; all where there are no more."""
    if people.height <= number:
        return people
    return people[np.sort(rng.choice(people.height, number, replace=False))]


def _audit(folder: StudyFolder, section: AnnotateLLM, wanted: StereotypeAudit, seed: int) -> CounterfactualAudit:
    people, prompt = people_of(folder), prompt_of(section)
    columns = shown_columns(people, "annotate.audit.fields", [*prompt.fields, *wanted.fields])
    if wanted.popularity is not None:
        columns = shown_columns(people, "annotate.audit.popularity", [*columns[1:], wanted.popularity])
        if not people[wanted.popularity].dtype.is_numeric():
            raise PlanError(f"annotate.audit.popularity: {wanted.popularity} is no column of numbers; name one")
    if wanted.dated is not None:
        columns = shown_columns(people, "annotate.audit.dated", [*columns[1:], wanted.dated])
    fields = {field: most_frequent(people, field, wanted.values) for field in wanted.fields}
    for field, values in fields.items():
        if len(values) < 2:
            raise PlanError(f"annotate.audit.fields: {field} has fewer than two values among the people")
    rows: list[dict[str, Any]] = sample(people.select(columns), wanted.people, stage_rng(seed, "audit")).to_dicts()
    return counterfactual_audit(rows, section.models, prompt, fields, popularity=wanted.popularity, dated=wanted.dated)


def estimate_annotation(folder: StudyFolder, section: AnnotateLLM, seed: int = 0) -> list[CostEstimate]:
    """Say what is still to be asked and about what it costs; sends nothing and writes no answer."""
    survey: list[Survey[Question]] = [asked_of(folder, section)]
    if section.audit is not None:
        survey += _audit(folder, section, section.audit, seed).all
    if section.vignettes:
        survey.append(vignette_survey(section.models, prompt_of(section), section.vignettes))
    if section.injections:
        survey.append(_injected(folder, section, seed).survey)
    if section.translations is not None:
        survey.append(_translated(folder, section, section.translations, seed))
    with ReplyJournal(folder.path(*JOURNAL)) as journal:
        found = estimate_cost(survey, journal)
        if section.judge is not None:
            # what is not answered yet is not known to the judge either: only replies that are there are counted
            found += estimate_cost([judge_survey(asked_of(folder, section), journal, judge_of(section))], journal)
        return found


def probe_endpoints(folder: StudyFolder, section: AnnotateLLM) -> list[Capability]:
    """Ask every model of the plan, and its judge, once about an invented person, and keep what endpoints take."""
    models = [*section.models, *([section.judge] if isinstance(section.judge, Model) else [])]
    with ReplyJournal(folder.path(*JOURNAL)) as journal:
        return probe_models(models, prompt_of(section), journal)


def annotate_part(
    folder: StudyFolder, section: AnnotateLLM, part: tuple[int, int], shard: Path, progress: Progress
) -> list[RunSummary]:
    """Ask one of several parts of the requests, as one of several hosts, into a journal of its own.

    Parameters
    ----------
    folder, section
        The people, whom every host has, and what is asked about them.
    part
        ``(i, n)``; together the n parts are all requests, whoever asks them.
    shard
        The journal of this host; `merge_shards` takes it in.
    progress
        Told of every reply.

    Raises
    ------
    ComputationError
        When no model gave a single answer.
    """
    survey = replace(asked_of(folder, section), part=part)
    with ReplyJournal(shard) as journal:
        outcomes = annotate(survey, journal, max_cost=section.max_cost, progress=progress)
    stopped = [one.stop_reason for one in outcomes if one.stop_reason]
    if stopped and not any(one.cached + one.completed for one in outcomes):
        raise ComputationError("\n".join(stopped))
    return outcomes


def merge_shards(folder: StudyFolder, shards: Iterable[Path]) -> MergeSummary:
    """Take the replies of hosts' journals into the study's, each request's once; see `merge_journals`."""
    with ReplyJournal(folder.path(*JOURNAL)) as journal:
        return merge_journals(journal, shards)


def export_batches(
    folder: StudyFolder, section: AnnotateLLM, out: Path, quota: BatchQuota | None = None
) -> dict[Path, int]:
    """Write what is still to be asked as files, by model and quota; return their numbers of requests.

    The files hold what models are told of people: only the owner may read them.
    """
    survey, found = asked_of(folder, section), dict[Path, int]()
    with ReplyJournal(folder.path(*JOURNAL)) as journal:
        for number, model in enumerate(survey.models, 1):
            named = re.sub(r"[^a-z0-9]+", "-", model.name.lower())[:40]
            files = groupby(export_requests(survey, model, journal, quota), key=itemgetter(0))
            for part, lines in files:
                path = out / f"requests-{number}-{named}{'' if part == 1 else f'-{part}'}.jsonl"
                found[path] = _write_lines(path, (line for _, line in lines))
            if not any(path.name.startswith(f"requests-{number}-") for path in found):
                path = out / f"requests-{number}-{named}.jsonl"
                found[path] = _write_lines(path, ())
    return found


def _write_lines(path: Path, lines: Iterable[bytes]) -> int:
    """Write lines for the owner alone, and return how many."""
    count = 0
    with written_aside(path) as aside, aside.open("wb") as stream:
        aside.chmod(0o600)
        for line in lines:
            stream.write(line)
            count += 1
    return count


def import_batches(folder: StudyFolder, section: AnnotateLLM, files: Sequence[Path]) -> ImportSummary:
    """Write the replies that a batch run gave into the study's journal; see `import_replies`.

    Raises
    ------
    InputError
        For a file that is not there.
    """
    for path in files:
        if not path.is_file():
            raise InputError(f"there is no file {path}; name what vllm run-batch or a provider's batch has written")
    with ReplyJournal(folder.path(*JOURNAL)) as journal:
        return import_replies(asked_of(folder, section), journal, files)


def judge_of(section: AnnotateLLM) -> Model:
    """Return the plan's judge, one of its models or one of its own."""
    if isinstance(section.judge, Model):
        return section.judge
    return next(model for model in section.models if model.name == section.judge)


def _judge(context: Context, survey: Survey[Prompt], section: AnnotateLLM, journal: ReplyJournal) -> Verdicts | None:
    """Ask the judge about every reply that words decide; None where the plan has none."""
    if section.judge is None:
        return None
    judged = judge_survey(survey, journal, judge_of(section))
    for one in annotate(judged, journal, max_cost=section.max_cost, progress=context.progress):
        context.counts["judged_now"] = one.completed
        if one.stop_reason:
            context.notices.append(
                Notice(f"The judge stopped: {one.stop_reason}; replies it did not see stand as they are.")
            )
    verdicts = read_verdicts(judged, journal)
    unjudged = len(judged.people) - len(verdicts)
    if unjudged:
        context.notices.append(
            Notice("Replies have no verdict of the judge and stand as the rules have them.", unjudged)
        )
    return verdicts


def ask(context: Context, survey: Survey[Prompt], section: AnnotateLLM) -> pl.DataFrame:
    """Ask what the journal does not hold, and return a row for every person, model, repeat and trait.

    Raises
    ------
    ComputationError
        When no model gave a single answer.
    """
    with ReplyJournal(context.folder.path(*JOURNAL)) as journal, ExitStack() as opened:
        cache = None
        if section.cache is not None:
            cache = opened.enter_context(ReplyJournal(context.external_path(section.cache)))
            context.counts["taken_from_cache"] = take_from_cache(survey, journal, cache)
        outcomes = annotate(survey, journal, max_cost=section.max_cost, progress=context.progress)
        if cache is not None:
            give_to_cache(survey, journal, cache)
        stopped = {one.model: one.stop_reason for one in outcomes if one.stop_reason}
        table = annotation_table(survey, journal, stopped=stopped, verdicts=_judge(context, survey, section, journal))
    by_model = outcomes_by_model(table)
    if not any(one.cached + one.completed for one in outcomes) and any(one.total for one in outcomes):
        said = list(stopped.values()) or [f"{row['model']}: {row['reason']}" for row in by_model if row["reason"]]
        raise ComputationError("\n".join(["no model gave a single answer, and nothing was kept:", *said]))
    context.write_text(json.dumps(by_model, indent=1), "traits", "outcomes.json")
    context.counts["asked_now"] = sum(one.completed for one in outcomes)
    context.counts["requests"] = sum(row["requests"] for row in by_model)
    context.counts["requests_missing"] = sum(row["no reply"] for row in by_model)
    where = ", ".join(dict.fromkeys(model.base_url or "a model in this process" for model in survey.models))
    shown = [*survey.prompt.fields, *(["pictures"] if survey.prompt.picture else [])]
    context.notices.append(Notice(f"{', '.join(shown)} of every person were sent to {where}."))
    context.notices.extend(_notices(outcomes, table))
    if "judged" in table.columns:
        added = table.filter(pl.col("ruled").is_null() & pl.col("flag").is_not_null()).height
        lifted = table.filter(pl.col("ruled").is_not_null() & pl.col("flag").is_null()).height
        context.counts.update(flags_by_judge=added, flags_lifted_by_judge=lifted)
    return table


def outcomes_by_model(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return what came of the requests to each model: ``model``, ``requests``, a number an ending, ``reason``.

    A request is one person and repeat; it has the ending of most of its traits (``scored`` before others on a tie), and
    ``no reply`` when none came. ``reason``: the commonest why, of those without a reply; ``unreadable_reason``: the
    same of replies without a score.
    """
    asked = table.filter(pl.col("status") != "not_asked")
    groups = {status: ending for ending, statuses in ENDINGS.items() for status in statuses}
    order = {ending: place for place, ending in enumerate(ENDINGS)}
    each = (
        asked.with_columns(pl.col("status").replace_strict(groups).alias("ending"))
        .group_by("model", "person", "repeat", "ending", maintain_order=True).agg(pl.len().alias("traits"))
        .with_columns(pl.col("ending").replace_strict(order).alias("order"))
        .sort("traits", "order", descending=[True, False])
        .unique(["model", "person", "repeat"], keep="first", maintain_order=True)
    )  # fmt: skip
    found = []
    for model in table["model"].unique(maintain_order=True):
        own = each.filter(pl.col("model") == model)
        counts = {ending: own.filter(pl.col("ending") == ending).height for ending in ENDINGS}
        failed = asked.filter((pl.col("model") == model) & (pl.col("status") == "failed"))
        reason = failed["text"].mode().sort().first() if failed.height else None
        odd = asked.filter((pl.col("model") == model) & pl.col("status").is_in(ENDINGS["unreadable"]))
        worst = odd["status"].mode().sort().first() if odd.height else None
        unreadable = UNREADABLE.get(str(worst)) if counts["unreadable"] else None
        found.append(
            {"model": model, "requests": own.height, **counts, "reason": reason, "unreadable_reason": unreadable}
        )
    return found


def ask_audit(context: Context, section: AnnotateLLM) -> dict[str, Any] | None:
    """Ask what the stereotype audit needs, and return its effects; None where the plan asks for none."""
    if section.audit is None:
        return None
    audit = _audit(context.folder, section, section.audit, context.plan.seed)
    with ReplyJournal(context.folder.path(*JOURNAL)) as journal:
        for survey in audit.all:
            outcomes = annotate(survey, journal, max_cost=section.max_cost, progress=context.progress)
            context.counts["asked_now"] += sum(one.completed for one in outcomes)
            context.notices.extend(
                Notice(f"Stereotype audit: {one.stop_reason}") for one in outcomes if one.stop_reason
            )
        found = audit_effects(audit, journal, Bootstrap(stage_rng(context.plan.seed, "audit intervals")))
    context.notices.extend(_knowledge_notices(found["fame"] or []))
    invented = ", ".join(section.audit.fields)
    context.notices.append(
        Notice(f"Stereotype audit: {len(audit.people)} people were also sent with invented {invented}, names hidden.")
    )
    return found


def _knowledge_notices(fame: Sequence[dict[str, Any]]) -> list[Notice]:
    """Say which models know more of people whose texts they can have learned, and of which that cannot be told."""
    found = []
    for one in fame:
        knowledge = one["knowledge"]
        more = knowledge["measures"].get("known_by_name", {}).get("more_before")
        if more is not None and more["low"] is not None and more["low"] > 0:
            text = (
                f"{one['model']} scores {more['value']:.0%} more traits by the name alone where the text is from before"
            )
            found.append(Notice(f"{text} its cut-off ({knowledge['cutoff']}): it may repeat what it has read."))
        elif knowledge["reason"] is not None:
            text = f"{one['model']}: whether it has learned these texts is not told by date: {knowledge['reason']}"
            found.append(Notice(f"{text}."))
    return found


def ask_vignettes(context: Context, section: AnnotateLLM) -> tuple[pl.DataFrame, dict[str, Any]] | None:
    """Ask about the invented people; return the answers and what they say of models, None where none are asked for."""
    if not section.vignettes:
        return None
    survey = vignette_survey(section.models, prompt_of(section), section.vignettes)
    with ReplyJournal(context.folder.path(*JOURNAL)) as journal:
        table = _asked(context, survey, journal, section, "Vignettes")
        days = answer_days(journal, survey.prompt.name)
    dates = {key: last for key, (_, last) in days.items()}
    report = vignette_report(table, survey.prompt.framework, dates)
    context.write_text(json.dumps(report, indent=1, allow_nan=False), "traits", "vignettes.json")
    for rater, one in report["raters"].items():
        drift = one["drift"]
        if drift is not None and drift["p_value"] < DRIFTED:
            when = " to ".join(day for day in dict.fromkeys((one["dates"][0], one["dates"][-1])) if day)
            told = f"{drift['value']:+.2f} ({drift['low']:+.2f} to {drift['high']:+.2f})"
            text = f"{rater} scores the same vignettes {told} points otherwise than the first time, {when}"
            context.notices.append(Notice(f"{text}: scores of different dates are not on one scale."))
    return table, report


def _injected(folder: StudyFolder, section: AnnotateLLM, seed: int) -> InjectionSurvey:
    people, prompt = people_of(folder), prompt_of(section)
    wanted = people.select(shown_columns(people, "annotate.prompt.fields", prompt.fields))
    rows = sample(wanted, section.injections, stage_rng(seed, "injections")).to_dicts()
    return injection_survey(rows, section.models, prompt)


def ask_injections(context: Context, section: AnnotateLLM) -> dict[str, Any] | None:
    """Ask about people with hidden instructions, write how often models obeyed; None where nothing is asked for."""
    if not section.injections:
        return None
    asked = _injected(context.folder, section, context.plan.seed)
    with ReplyJournal(context.folder.path(*JOURNAL)) as journal:
        found = injection_effects(asked, _asked(context, asked.survey, journal, section, "Injections"))
    context.write_text(json.dumps(found, indent=1, allow_nan=False), "traits", "injections.json")
    for model, one in found["models"].items():
        if one["success"]:
            worst, its = max(one["attacks"].items(), key=lambda item: float(item[1]["success"]))
            text = (
                f"{model} obeys hidden instructions in {one['success']:.0%} of traits ({worst}: {its['success']:.0%})"
            )
            context.notices.append(Notice(f"{text}; whoever writes a biography can set its scores."))
    return found


def _translated(folder: StudyFolder, section: AnnotateLLM, wanted: TranslationAudit, seed: int) -> Survey[Prompt]:
    asked = asked_of(folder, section)
    ids = sample(pl.DataFrame({"id": [one["id"] for one in asked.people]}), wanted.people, stage_rng(seed, "languages"))
    chosen = set(ids["id"])
    people = [one for one in asked.people if one["id"] in chosen]
    return translated_survey(people, asked, trait_framework(wanted.framework))


def ask_translations(context: Context, section: AnnotateLLM, own: pl.DataFrame) -> dict[str, Any] | None:
    """Ask about a sample in another language, write what that changes; None where the plan asks for none."""
    wanted = section.translations
    if wanted is None:
        return None
    survey = _translated(context.folder, section, wanted, context.plan.seed)
    with ReplyJournal(context.folder.path(*JOURNAL)) as journal:
        table = _asked(context, survey, journal, section, "Translations")
    bootstrap = Bootstrap(stage_rng(context.plan.seed, "translation intervals"))
    found = translation_effects(own, table, survey.prompt.framework, bootstrap)
    context.write_text(json.dumps(found, indent=1, allow_nan=False), "traits", "translations.json")
    for model, traits in found["models"].items():
        moved = [name for name, one in traits.items() if one["shift"]["value"] is not None
                 and (one["shift"]["low"] > 0 or one["shift"]["high"] < 0)]  # fmt: skip
        if len(moved) > 1:  # one of five intervals may leave 0 out by chance
            text = f"{model} scores {', '.join(moved)} otherwise where the question is in {found['language']}"
            context.notices.append(Notice(f"{text}; traits/translations.json has by how much."))
    return found


def _asked(
    context: Context, survey: Survey[Prompt], journal: ReplyJournal, section: AnnotateLLM, what: str
) -> pl.DataFrame:
    """Ask a survey beside the study's own, and return its answers."""
    outcomes = annotate(survey, journal, max_cost=section.max_cost, progress=context.progress)
    context.counts["asked_now"] += sum(one.completed for one in outcomes)
    context.notices.extend(Notice(f"{what}: {one.stop_reason}") for one in outcomes if one.stop_reason)
    return annotation_table(survey, journal)


def answer_days(journal: ReplyJournal, prompt: str) -> dict[tuple[str, int], tuple[str, str]]:
    """Return rater and repeat -> first and last day on which replies to a prompt were written."""
    rows = journal.connection.execute(
        "SELECT model, repeat, min(written), max(written) FROM replies JOIN prompts ON prompts.id = prompt "
        "WHERE name = ? GROUP BY model, repeat",
        (prompt,),
    )
    return {(model, repeat): (_day(first), _day(last)) for model, repeat, first, last in rows}


def _day(written: float) -> str:
    return datetime.fromtimestamp(written, UTC).date().isoformat()


def _notices(outcomes: list[RunSummary], table: pl.DataFrame) -> list[Notice]:
    found = [Notice(f"{one.stop_reason}; the others went on.") for one in outcomes if one.stop_reason]
    for one in outcomes:
        if one.left_out:
            named = ", ".join(sorted(one.left_out))
            found.append(Notice(f"{one.model} takes no {named}: its answers are drawn by the provider's own setting."))
    for one in outcomes:
        if one.uncounted:
            text = f"replies of {one.model} have no count of tokens that can be: their cost is an estimate from above."
            found.append(Notice(text, one.uncounted))
    foreign = sum(one.unmatched for one in outcomes)
    if foreign:
        found.append(Notice("Rows of a provider's batches were about requests that were in none of them.", foreign))
    replies = table.unique(["person", "model", "repeat"], maintain_order=True)
    for status, text in MESSAGES.items():
        number = replies.filter(pl.col("status") == status).height
        if number:
            found.append(Notice(text, number))
    return found


DRIFTED: Final = 0.01
"""p-value of a change of vignettes' scores below which it is said."""

MESSAGES: Final = {
    "failed": "requests got no answer; `personax annotate STUDY --force` asks them again and nothing else.",
    "refused": "answers were refusals; the scores are missing.",
    "privacy": "answers declined for privacy; the scores are missing.",
    "malformed": "answers had no readable shape, even when asked for once more; the scores are missing.",
    "truncated": "answers were cut off, even at four times max_tokens; raise max_tokens. The scores are missing.",
    "not_asked": "people have nothing in the prompt's fields; nobody was asked about them.",
}
"""By the status of a reply's first trait."""
