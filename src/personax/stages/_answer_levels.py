"""The two levels of an answer: computed as a study computes them, on people and columns of which enough are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.config import AnswerRequest, CrlSection, DiscoverSection, IndependenceSection, RequestIndependence
from personax.data.columns import infer_columns
from personax.data.pvalues import EVERYBODY
from personax.data.table import Table
from personax.discovery import Knowledge
from personax.errors import PlanError
from personax.independence import correct, dependence_graph, present_rows
from personax.progress import Progress
from personax.release.answering import (
    OutputRules,
    Populations,
    SmallCellRecoding,
    hashes,
    join_small_cells,
    population,
    rounded_p,
)
from personax.schema import Column
from personax.stages._base import Reader
from personax.stages._discover import TIERS, can_be_tested, find_causes
from personax.stages._fit_latents import LatentResults, learn
from personax.stages._independence import analyse
from personax.stages._interpret import associations
from personax.strict import nearest

__all__ = ["AnswerContext", "level_one", "level_two"]


def question(feature: str, target: str, given: Sequence[str]) -> str:
    """Return the name of a question: the same whichever column is called the feature, and in any order of ``given``.

    Examples
    --------
    >>> question("b", "a", ["d", "c"]) == question("a", "b", ["c", "d", "d"])
    True
    """
    return f"{' | '.join(sorted((feature, target)))} | {', '.join(sorted(set(given)))}"


NEAR = "its people differ from those of an earlier answer to this question by too few"


@dataclass
class AnswerContext:
    """A request on its way: what is asked of whom, and what is noted.

    Parameters
    ----------
    reader, request
        The study, and what is asked.
    rules
        Of the output checker.
    earlier
        Question -> populations on which it was answered before.
    populations, progress, rng
        Where populations are kept; who watches; random numbers, the same for every request.
    questions, suppressed, treated
        What was answered on which populations; what was not, and why; columns whose rare values were joined.
    """

    reader: Reader
    request: AnswerRequest
    rules: OutputRules
    earlier: dict[str, list[str]]
    populations: Populations
    progress: Progress
    rng: np.random.Generator
    questions: dict[str, list[str]] = field(default_factory=dict)
    suppressed: list[dict[str, str]] = field(default_factory=list)
    treated: list[SmallCellRecoding] = field(default_factory=list)

    def suppress(self, what: str, why: str) -> None:
        """Note what does not leave."""
        if {"what": what, "why": why} not in self.suppressed:
            self.suppressed.append({"what": what, "why": why})

    def joined(self, people: Table, where: str) -> Table:
        """Return people whose rare values are joined, with the columns that are left."""
        made, recodings = join_small_cells(people, self.rules.least)
        for one in recodings:
            if one.left_out:
                self.suppress(f"{one.column}{where}", one.how)
            elif one not in self.treated:
                self.treated.append(one)
        return made

    def why_not(self, question: str, ids: pl.Series, rows: NDArray[np.bool_]) -> str | None:
        """Return why a question is not answered about these people; where it is, note on whom."""
        people = population(hashes(ids)[rows])
        if len(people) < self.rules.least:
            return f"fewer than {self.rules.least} people have all values"
        before = self.earlier.setdefault(question, [])
        if self.populations.find_differencing(people, before, self.rules.least) is not None:
            return NEAR
        name = self.populations.keep(people)
        before.append(name)
        self.questions.setdefault(question, []).append(name)
        return None


def level_one(context: AnswerContext, parts: Mapping[str, Table]) -> dict[str, Any]:
    """Return the files of Level I: p-values and effects, and the graph of dependences; nothing where none is asked."""
    section = context.request.independence
    if section is None:
        return {}
    tables = [found for value, part in parts.items() if (found := _part(context, section, value, part)) is not None]
    if not tables:
        return {}
    table = context.rules.pvalues(pl.concat(tables))
    for row in table.filter(pl.col("reason").is_not_null()).iter_rows(named=True):
        part = "" if row["subgroup"] == EVERYBODY else f", {section.by} {row['subgroup']}"
        context.suppress(f"{row['test']} of {row['feature']} and {row['target']}{part}", row["reason"])
    all_people = table.filter((pl.col("subgroup") == EVERYBODY) & (pl.col("group") == table["group"][0]))
    graph = context.rules.graph(dependence_graph(all_people), ["test"])
    return {"independence.csv": table, "dependences.json": asdict(graph)}


def _part(context: AnswerContext, section: RequestIndependence, value: str, people: Table) -> pl.DataFrame | None:
    """Test the pairs within everybody, or within a subgroup; None where nothing is left to test."""
    where = f", {section.by} {value}" if value else ""
    people = context.joined(
        people.select(c.name for c in people.columns if c.role == "id" or _wanted(c, section)), where
    )
    left = [column for column in people.columns if column.role != "id"]
    names = {column.name for column in left}
    features = _of(section.features, left, "feature", names, {*section.given, *(section.targets or ())})
    targets = _of(section.targets, left, "target", names, set())
    given = [name for name in section.given if name in names]
    if not features or not targets or len(given) < len(section.given):
        context.suppress(f"Level I{where or ' of everybody'}", "too few people have different values of these columns")
        return None
    plan = IndependenceSection(
        features=features,
        targets=targets,
        tests=section.tests,
        given=given,
        alpha=section.alpha,
        correction=section.correction,
        figures=False,
    )
    found, _ = analyse(people.frame, left, plan, context.progress, seed=context.reader.plan.seed,
                       letters=context.reader.framework().letters.values())  # fmt: skip
    part = pl.lit(value or EVERYBODY).alias("subgroup")
    return _judged(_questioned(context, section, found, people.frame), section).select(part, pl.all())


def _wanted(column: Column, section: RequestIndependence) -> bool:
    """Say whether the request is about a column; without lists it is about all."""
    named = {*(section.features or ()), *(section.targets or ()), *section.given}
    if column.name in named:
        return True
    lists = {"feature": section.features, "target": section.targets}
    return column.role in lists and lists[column.role] is None


def _of(
    named: list[str] | None, left: list[Column], role: str, names: set[str], apart: set[str]
) -> list[str]:  # fmt: skip
    wanted = named if named is not None else [column.name for column in left if column.role == role]
    return [name for name in wanted if name in names and name not in apart]


def _questioned(
    context: AnswerContext, section: RequestIndependence, found: pl.DataFrame, frame: pl.DataFrame
) -> pl.DataFrame:
    """Add why a pair is not answered."""
    present = {name: present_rows(frame[name]) for name in frame.columns if name != "id"}
    within = np.ones(frame.height, dtype=bool)
    for name in section.given:
        within &= present[name]
    reasons = {
        (feature, target): context.why_not(
            question(feature, target, section.given), frame["id"], present[feature] & present[target] & within
        )
        for feature, target in found.select("feature", "target").unique(maintain_order=True).iter_rows()
    }
    pairs = found.select("feature", "target").iter_rows()
    return found.with_columns(pl.Series("suppressed", [reasons[pair] for pair in pairs], dtype=pl.String))


def _judged(found: pl.DataFrame, section: RequestIndependence) -> pl.DataFrame:
    """Correct p-values over those that leave, so that what stays is not in the numbers of what leaves."""
    p = pl.when(pl.col("suppressed").is_null()).then(pl.col("p_value"))
    found = found.with_columns(p.alias("p_value"))
    corrected = np.full(found.height, np.nan)
    for _, part in found.with_row_index("row").group_by("group", "test", maintain_order=True):
        corrected[part["row"].to_numpy()] = correct(part["p_value"].to_numpy(), section.correction)
    made = pl.Series("p_corrected", corrected).fill_nan(None)
    # decided by the digits that leave: a choice of alpha must not tell further ones
    decided = made.map_elements(rounded_p, return_dtype=pl.Float64) < section.alpha
    return found.with_columns(made, decided.alias("rejected"))


def level_two(context: AnswerContext, people: Table) -> dict[str, Any]:
    """Return the files of Level II and of the causal graph; no latents, no exemplars, no model."""
    request = context.request
    people = context.joined(people, "") if request.crl or request.discover else people
    learned = _learned(context, people.frame["id"]) if request.crl is not None else None
    made: dict[str, Any] = {}
    if learned is not None:
        made["crl.json"] = _crl_facts(context, learned, people)
    if request.discover is not None:
        graph = _graph(context, people, learned)
        made |= {"discovery.json": graph} if graph is not None else {}
    return made


def _learned(context: AnswerContext, ids: pl.Series) -> LatentResults | None:
    section = context.request.crl
    assert section is not None
    owner, frames = context.reader.plan.answer, context.reader.embeddings()
    allowed = [name for name in frames if owner is None or owner.modalities is None or name in owner.modalities]
    for name in section.latents:
        if name not in allowed:
            raise PlanError(f"crl.latents: no modality {name!r} may be asked about; {nearest(name, allowed)}")
    for name in section.latents:
        ids = ids.filter(ids.is_in(frames[name].drop_nulls()["id"].implode()))
    kept = {m: ids.to_frame().join(frames[m], on="id", how="left", maintain_order="left") for m in section.latents}
    why = context.why_not(f"crl of {', '.join(section.latents)}", ids, np.ones(len(ids), dtype=bool))
    if why is not None:
        context.suppress("Level II", why)
        return None
    views = {m: {name: table[name].to_numpy() for name in table.columns[1:]} for m, table in kept.items()}
    return learn(ids.to_list(), views, CrlSection.model_validate(section.model_dump()), context.rng, context.progress)


def _crl_facts(context: AnswerContext, learned: LatentResults, people: Table) -> dict[str, Any]:
    """Return what of Level II leaves: the choice, how stable it is, what latents go with, the learned graph."""
    names = (c.name for c in people.columns if c.role in ("id", "feature") or c.name.startswith("final_"))
    linked = associations(learned.latents, people.select(names), seed=context.reader.plan.seed)
    # an interval would tell how many people there are
    linked = linked.filter(pl.col("effect_size").is_not_null()).drop("r", "low", "high")
    return {
        "metrics": context.rules.numbers(learned.metrics),
        "assumptions": {row["assumption"]: row["verdict"] for row in learned.diagnostics},
        "associations": [context.rules.association(row) for row in linked.iter_rows(named=True)],
        "graph": None if learned.graph is None else asdict(context.rules.graph(learned.graph)),
    }


def _graph(context: AnswerContext, people: Table, learned: LatentResults | None) -> dict[str, Any] | None:
    section = context.request.discover
    assert section is not None
    plan = DiscoverSection(over=section.over, algorithm=section.algorithm, test=section.test, alpha=section.alpha,
                    bootstraps=section.bootstraps)  # fmt: skip
    chosen: dict[str, str] = {}
    if "features" in section.over:
        named = section.features or [column.name for column in people.features()]
        able = [c for c in people.columns if c.role != "id" and c.name in named]
        chosen |= {c.name: "biography" for c in able if can_be_tested(c, people.frame[c.name], plan)}
    if "traits" in section.over:
        chosen |= {c.name: "trait" for c in people.targets() if c.name.startswith("final_")}
    table = people.select(["id", *chosen])
    if "latents" in section.over and learned is not None:
        frame = table.frame.join(learned.latents, on="id", how="inner", maintain_order="left")
        table = Table(frame, [*table.columns, *infer_columns(learned.latents.drop("id"))])
        chosen |= {name: name.rpartition("_")[0] for name in learned.latents.columns[1:]}
    why = _why_no_graph(context, table.frame)
    if why is not None:
        context.suppress("the causal graph", why)
        return None
    known = section.knowledge or Knowledge()
    if not known.tiers:
        tiers = {name: TIERS.get("traits" if group == "trait" else group, TIERS["latents"])
                 for name, group in chosen.items()}  # fmt: skip
        known = known.replaced(tiers=tiers)
    graph, _ = find_causes(table.drop(["id"]), plan, known, context.rng, context.progress, groups=chosen)
    return asdict(context.rules.graph(graph, ["n", "tests", "bootstraps", "test", "alpha"]))


def _why_no_graph(context: AnswerContext, frame: pl.DataFrame) -> str | None:
    names = [name for name in frame.columns if name != "id"]
    if len(names) < 2:
        return "fewer than two of its variables may be asked about, or vary among enough people"
    rows = np.logical_and.reduce([present_rows(frame[name]) for name in names])
    return context.why_not(f"causal graph of {', '.join(sorted(names))}", frame["id"], rows)
