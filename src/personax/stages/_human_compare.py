"""Comparing a study's traits with what people answered: reads both, compares, corrects, writes tables and a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.config import Plan
from personax.data.frames import read_parquet, write_csv, write_parquet
from personax.data.table import Table
from personax.errors import InputError, MissingExtraError, StudyError
from personax.files import write_text, written_aside
from personax.plots import agreement_dots, save
from personax.progress import Progress
from personax.schema import TraitFramework
from personax.sources import read_text_table
from personax.stages._base import people_table, stage_rng
from personax.stages._human_export import SAMPLE, sheet_of
from personax.store import StudyFolder
from personax.strict import nearest
from personax.traits import BIG_FIVE
from personax.traits.reliability import Bootstrap
from personax.traits.validity import (
    LLMS,
    NOT_VALIDITY,
    HumanAnswer,
    HumanRatings,
    LabelledSample,
    ScaleMatch,
    TraitComparison,
    alt_test,
    compare_with_humans,
    control_matrix,
    corrected_effects,
    human_ratings,
    read_argilla,
    read_label_studio,
    read_rating_table,
)

__all__ = ["ComparisonSettings", "From", "HumanComparison", "compare_humans"]

Floats = NDArray[np.float64]

From = Literal["auto", "label-studio", "argilla", "table"]

FEATURES: Final = 20
LEVELS: Final = 6
"""Features, and levels of a nominal one, that are looked at where none are named."""

UNKNOWN: Final = "it is not known how likely each person was to be rated; export the sample, or say --random"


@dataclass(frozen=True)
class ComparisonSettings:
    """How to compare.

    Parameters
    ----------
    format
        Of the humans' file; told by its content where ``auto``.
    id_column
        Of people in a table.
    scale
        Whether humans used the LLMs' scale.
    controls
        For partial correlations: columns of people, or other questions that humans answered.
    features
        Whose effects are corrected; the first of the study's where None.
    reliability
        Of the humans' mean, where it is known from elsewhere.
    random
        The people rated are a simple random sample of the study, though it was not drawn here.
    epsilon
        Of the alt-test.
    seed, draws
        Of intervals.
    """

    format: From = "auto"
    id_column: str | None = None
    scale: ScaleMatch = "auto"
    controls: Sequence[str] = ()
    features: Sequence[str] | None = None
    reliability: float | None = None
    random: bool = False
    epsilon: float = 0.2
    seed: int = 0
    draws: int = 200


@dataclass(frozen=True)
class HumanComparison:
    """What came of it: the tables, and what a reader must know."""

    agreement: pl.DataFrame
    effects: pl.DataFrame
    alt_test: dict[str, Any]
    notices: list[str]


def compare_humans(
    folder: StudyFolder, plan: Plan, path: Path, settings: ComparisonSettings, out: Path, progress: Progress
) -> HumanComparison:
    """Compare and write agreement.csv, effects.csv, alt_test.json, summary.json, humans.parquet and a picture.

    Raises
    ------
    InputError
        The humans' file has another shape, is about nobody of the study, or a column is not known.
    StudyError
        When the study has no traits yet.
    """
    people, traits = people_table(folder), _traits(folder)
    extra = [name for name in settings.controls if name not in people.names]
    form = sheet_of(plan, extra)
    framework = form.framework
    answers = read_answers(path, settings, extra, framework)
    sample = _sample(folder)
    key = dict(sample.drop_nulls("task").select("task", "id").iter_rows()) if sample is not None else {}
    humans = human_ratings(answers, form, people.frame["id"].to_list(), key, scale=settings.scale)
    rated = people.frame.filter(pl.col("id").is_in(humans.annotations["person"].unique().to_list()))
    controls = _controls(replace(people, frame=rated), humans, settings.controls)
    ratings = folder.output("traits", "annotations.parquet")
    annotations = read_parquet(ratings) if ratings is not None else None
    found, tests = [], dict[str, Any]()
    for place, trait in enumerate(framework.names):
        progress.step(place, len(framework.names), trait)
        rated_ids = rated["id"].to_list()
        judged = TraitComparison.from_annotations(trait, humans.annotations, annotations, traits, rated_ids, framework)
        resampler = Bootstrap(stage_rng(settings.seed, f"validity {trait}"), settings.draws)
        same_scale, reliability = humans.same_scale, settings.reliability
        found.append(
            compare_with_humans(judged, resampler, same_scale=same_scale, controls=controls, reliability=reliability)
        )
        tests[trait] = {name: _tested(judged, name, humans, settings.epsilon) for name in judged.raters}
    progress.step(len(framework.names), len(framework.names))
    effects = _effects(people, traits, humans, sample, settings, framework)
    comparison = HumanComparison(pl.concat(found), effects, tests, _notices(humans, answers, sample))
    with folder.private():
        _write(out, comparison, humans, progress)
    return comparison


def _traits(folder: StudyFolder) -> pl.DataFrame:
    path = folder.output("traits", "traits.parquet")
    if path is None:
        raise StudyError(f"{folder.root / 'traits' / 'traits.parquet'} is missing; personax annotate makes it")
    return read_parquet(path)


def _sample(folder: StudyFolder) -> pl.DataFrame | None:
    path = folder.path(*SAMPLE)
    return read_parquet(path) if path.is_file() else None


def read_answers(
    path: Path, settings: ComparisonSettings, extra: Sequence[str], framework: TraitFramework = BIG_FIVE
) -> list[HumanAnswer]:
    """Read the humans' file in its format.

    Raises
    ------
    InputError
        In one sentence, what is wrong with it.
    """
    if settings.format == "table" or (settings.format == "auto" and path.suffix.lower() != ".json"):
        return read_rating_table(
            read_text_table(path), str(path), id_column=settings.id_column, extra=extra, framework=framework
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check the path") from None
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path} is not readable as JSON; export it again") from None
    first = raw[0] if isinstance(raw, list) and raw and isinstance(raw[0], dict) else {}
    if settings.format == "argilla" or (settings.format == "auto" and "responses" in first):
        return read_argilla(raw, str(path))
    return read_label_studio(raw, [*framework.names, *extra], str(path))


def _controls(rated: Table, humans: HumanRatings, names: Sequence[str]) -> Floats | None:
    if not names:
        return None
    series, nominal = {}, {}
    for name in names:
        if name in rated.names:
            series[name], nominal[name] = rated.frame[name], rated.column(name).kind == "nominal"
        elif name in humans.extra:
            values = [humans.extra[name].get(one) for one in rated.frame["id"]]
            series[name], nominal[name] = pl.Series(name, values, dtype=pl.Float64), False
        else:
            known = [*rated.names, *humans.extra]
            raise InputError(f"--controls: neither people nor answers have {name}; {nearest(name, known)}")
    return control_matrix(series, nominal)


def _tested(judged: TraitComparison, name: str, humans: HumanRatings, epsilon: float) -> dict[str, Any]:
    if not humans.same_scale:
        reason = "humans and LLMs did not use the same scale"
        return {"winning_rate": None, "passes": None, "advantage": None, "humans": [], "reason": reason}
    return alt_test(judged.humans, judged.raters[name], epsilon=epsilon)


EFFECTS: Final = {
    "trait": pl.String, "feature": pl.String, "effect": pl.String, "level": pl.String, "method": pl.String,
    "estimate": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64, "n_humans": pl.Int64,
    "weight": pl.Float64, "reason": pl.String,
}  # fmt: skip


def _effects(
    people: Table,
    traits: pl.DataFrame,
    humans: HumanRatings,
    sample: pl.DataFrame | None,
    settings: ComparisonSettings,
    framework: TraitFramework,
) -> pl.DataFrame:
    """Return the effects of features on traits, four ways each."""
    rows: list[dict[str, Any]] = []
    rng = stage_rng(settings.seed, "validity effects")
    whole = people.frame.join(traits.select("id", "^final_.$"), on="id", how="left", maintain_order="left")
    for trait, letter in framework.letters.items():
        scored = humans.annotations.filter((pl.col("trait") == trait) & (pl.col("status") == "ok"))
        means = scored.group_by("person", "model").agg(pl.col("score").mean()).group_by("person").agg(pl.mean("score"))
        joined = whole.join(means, left_on="id", right_on="person", how="left", maintain_order="left")
        human = joined["score"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        llm = joined[f"final_{letter}"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        human, chance, equal = _design(people.frame["id"], human, sample, random=settings.random)
        for name in _features(people, settings.features):
            for effect, level, x in _contrasts(people.frame[name], people.column(name).kind):
                kept = ~np.isnan(x) & ~np.isnan(llm)
                given = chance if isinstance(chance, str) else chance[kept]
                sampled = LabelledSample(x[kept], llm[kept], human[kept], given, equal)
                keys = {"trait": trait, "feature": name, "effect": effect, "level": level}
                rows += [keys | row for row in corrected_effects(sampled, effect, rng=rng)]
    return pl.DataFrame(rows, schema=EFFECTS)


def _design(
    ids: pl.Series, human: Floats, sample: pl.DataFrame | None, *, random: bool
) -> tuple[Floats, Floats | str, bool]:
    """Return humans' scores of those drawn, everybody's probability of one or why it is not known, whether all alike.

    Those drawn who have no score, because nobody answered or could say, are made up for by others of their stratum.
    """
    if random:
        return human, np.full(len(ids), (~np.isnan(human)).mean()), True
    if sample is None:
        return human, UNKNOWN, True
    frame = ids.to_frame("id").join(sample, on="id", how="left", maintain_order="left")
    in_task = frame["task"].is_not_null().to_numpy()
    human = np.where(in_task, human, np.nan)
    chance = frame["probability"].fill_null(0.0).to_numpy().copy()
    equal = bool(np.ptp(chance[chance > 0]) < 1e-9)
    for stratum in frame["stratum"].drop_nulls().unique():
        own = (frame["stratum"] == stratum).fill_null(value=False).to_numpy()
        drawn = own & in_task
        share = (~np.isnan(human[drawn])).mean() if drawn.any() else 0.0
        if share == 0:
            return human, "nobody of one stratum has a score by humans", equal
        chance[own] *= share
    return human, chance, equal


def _features(people: Table, named: Sequence[str] | None) -> list[str]:
    known = [column.name for column in people.features() if column.kind != "cyclic"]
    if named is None:
        return known[:FEATURES]
    for name in named:
        if name not in known:
            raise InputError(f"--features: {name} is no feature with an effect; {nearest(name, known)}")
    return list(named)


def _contrasts(values: pl.Series, kind: str) -> list[tuple[str, str, Floats]]:
    """Return effect, level and x of a feature: slope and correlation, or each level against the most frequent."""
    if kind != "nominal":
        x = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return [("slope", "", x), ("correlation", "", x)]
    texts = values.cast(pl.String)
    counts = texts.drop_nulls().value_counts().sort(["count", values.name], descending=[True, False])
    levels = counts[values.name].head(LEVELS).to_list()
    missing = pl.lit(None, pl.Float64)
    found = []
    for level in levels[1:]:
        own = pl.when(pl.col("v") == level).then(1.0).when(pl.col("v") == levels[0]).then(0.0).otherwise(missing)
        x = texts.to_frame("v").select(own.alias("x"))["x"].fill_null(np.nan).to_numpy()
        found.append(("difference", f"{level} - {levels[0]}", x))
    return found


def _notices(humans: HumanRatings, answers: Sequence[HumanAnswer], sample: pl.DataFrame | None) -> list[str]:
    rated = humans.annotations.filter(pl.col("status") == "ok")
    raters = humans.annotations["model"].n_unique()
    texts = [f"{raters} humans gave {rated.height} scores of {rated['person'].n_unique()} people."]
    unsure = humans.annotations.filter(pl.col("status") == "insufficient").height
    if unsure:
        texts.append(f"{unsure} times they said that nothing can be said; those are missing, not zero.")
    if humans.unknown_people:
        texts.append(f"{humans.unknown_people} answers are about people who are not in the study; they are left out.")
    if not humans.same_scale:
        texts.append("Humans did not use the LLMs' scale: kappa, differences and the alt-test are missing.")
    if sample is not None:
        sampled = set(sample.drop_nulls("task")["id"])
        silent = len(sampled - set(rated["person"]))
        if silent:
            texts.append(
                f"{silent} of {len(sampled)} people drawn have no score by humans; others of their stratum stand in."
            )
    return [*texts, NOT_VALIDITY]


def _write(out: Path, comparison: HumanComparison, humans: HumanRatings, progress: Progress) -> None:
    for name, table in (("agreement", comparison.agreement), ("effects", comparison.effects)):
        with written_aside(out / f"{name}.csv") as aside:
            write_csv(table, aside)
    with written_aside(out / "humans.parquet") as aside:
        write_parquet(humans.annotations, aside)
    write_text(out / "alt_test.json", json.dumps(comparison.alt_test, indent=1, allow_nan=False))
    summary = {"same_scale": humans.same_scale, "notices": comparison.notices}
    write_text(out / "summary.json", json.dumps(summary, indent=1, allow_nan=False))
    picture, caption = drawn_rows(comparison.agreement)
    try:
        save(agreement_dots(picture, caption=caption), out / "agreement.svg", out / "agreement.png")
    except MissingExtraError:
        progress.message("no picture was drawn: it needs matplotlib (pip install 'personax[figures]')")


def drawn_rows(agreement: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """Return the rows to draw and what they are: with the other humans left out where there are two or more."""
    left_out = agreement.filter(pl.col("measure") == "left_out")
    if left_out["value"].null_count() < left_out.height:
        caption = "Correlation with the mean of the humans but one, each left out in turn; 95 % intervals over people."
        return left_out, f"{caption} {NOT_VALIDITY}"
    plain = agreement.filter((pl.col("measure") == "pearson") & (pl.col("rater") != LLMS))
    return plain, f"Correlation with what humans say; 95 % intervals over people. {NOT_VALIDITY}"
