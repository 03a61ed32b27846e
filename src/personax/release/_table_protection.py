"""Protection of the table: column policy, birth years, rare categories, k-anonymity, category indices, noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.naming import says
from personax.data.table import Table
from personax.errors import InputError
from personax.release._column_policy import NOTHING_LEFT, ONE_VALUE_LEFT, PLAN, ColumnPolicy, column_policies
from personax.release._release_input import ReleaseInput
from personax.release._settings import AnonymityRequirements, ReleaseSettings
from personax.release.disclosure import (
    PrivacyStatement,
    add_noise,
    birth_year,
    blank_more,
    can_be_known,
    generalise,
    join_alone_in_pairs,
    join_rare_levels,
    measure,
    merge_rare,
    shuffle_categories,
    singling_out,
)
from personax.release.keys._keystore import ReleaseKey
from personax.schema import Column, Kind, Notice

__all__ = ["ProtectedTable", "protect"]

YEAR = "birth_year"
ALIKE = "nearly everybody has one value, and whoever has another would stand out"
MAX_LEVELS = 60
"""Columns of more values are not looked at two by two."""
CURE = "columns named under release.anonymity.quasi_identifiers leave k people alike, release.withheld keeps them back"
MAX_PAIRED = 100
"""More columns than these that leave exact are counted two by two, not joined."""
_YEARS = Column(
    YEAR, "feature", "continuous", "years", identity="quasi-identifying", identity_why="years of birth, of the date"
)


@dataclass
class ProtectedTable:
    """The table that leaves, while protections are applied to it one after another.

    Parameters
    ----------
    table
        ``id``, the columns that leave, trait scores last, with what they mean now.
    scores
        Names of the trait scores.
    treatments
        Column -> what was done to it, in words.
    sentences, notices
        For the dataset card, and for the publisher.
    report
        The content of protection.json.
    mapping
        Column -> categories by index, where they leave as numbers; it stays in the keystore.
    before_noise
        The table before indices and noise: what an attacker can derive who knows the people and the rules.
    """

    table: Table
    scores: frozenset[str] = frozenset()
    treatments: dict[str, str] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=lambda: {"format": 1})
    mapping: dict[str, list[str]] = field(default_factory=dict)
    before_noise: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def frame(self) -> pl.DataFrame:
        """The present values."""
        return self.table.frame

    @property
    def columns(self) -> list[Column]:
        """The people's own columns that leave; neither the id nor trait scores."""
        return [c for c in self.table.columns if c.role != "id" and c.name not in self.scores]

    def set_frame(self, frame: pl.DataFrame) -> None:
        """Replace the values of the same columns."""
        self.table = replace(self.table, frame=frame)

    def select(self, predicate: Callable[[Column], bool]) -> list[Column]:
        """Return the columns that leave and satisfy a predicate."""
        return [column for column in self.columns if predicate(column)]

    def record_treatment(self, name: str, treatment: str) -> None:
        """Add to what was done to a column."""
        before = self.treatments.get(name)
        self.treatments[name] = treatment if before is None else f"{before}; {treatment}"


def protect(
    data: ReleaseInput, settings: ReleaseSettings, key: ReleaseKey, statement: PrivacyStatement | None = None
) -> ProtectedTable:
    """Apply all protections to the table of a release.

    Parameters
    ----------
    data
        People, without those on the removal list.
    settings
        Of the release.
    key
        Shuffles category indices.
    statement
        Calibrated noise of all columns; that of the table's columns is drawn here.

    Raises
    ------
    InputError
        A setting that cannot be met, such as a direct identifier that is to leave without a stated risk.
    """
    if not all(column.identity for column in data.columns):
        data = data.classified()
    policies = _policies(data, settings)
    protected = _select_columns(data, policies)
    _birth_years(protected, data, settings.birth_band, policies)
    _hide_rare(protected, settings, policies, key)
    _hide_pairs(protected, settings, policies, key)
    if data.traits is not None:
        _add_trait_scores(protected, data.traits)
    _anonymise(protected, settings, policies)
    _hide_pairs(protected, settings, policies, key)
    _report_policies(protected, policies)
    _count_singled_out(protected, settings)
    protected.before_noise = protected.frame
    if statement is not None:
        _add_noise(protected, statement)
    if settings.categories == "indices":
        _shuffle_categories(protected, key)
    return protected


def _policies(data: ReleaseInput, settings: ReleaseSettings) -> list[ColumnPolicy]:
    """Return the policy of every column that could leave."""
    scores = set(data.traits.columns) if data.traits is not None else set()
    candidates = [c for c in data.columns if c.role in ("feature", "target") and c.name not in scores]
    if strange := sorted(set(settings.withheld) - {c.name for c in candidates}):
        raise InputError(f"release.withheld names {strange[0]}, which would not leave anyway; take it off the list")
    noise, anonymity = settings.noise, settings.anonymity
    columns = [c for c in data.columns if c.name not in scores]
    if settings.birth_band is not None and YEAR not in {c.name for c in candidates}:
        columns.append(_YEARS)
    return column_policies(
        columns,
        rules=settings.columns,
        withheld=settings.withheld,
        generalised=anonymity.quasi_identifiers if anonymity else (),
        noisy={*noise.numbers, *noise.categories} if noise else (),
        allowed=settings.allowed,
    )


def _select_columns(data: ReleaseInput, policies: Sequence[ColumnPolicy]) -> ProtectedTable:
    leaving = {one.name for one in policies if one.leaves != "withheld"}
    columns = [c for c in data.columns if c.name in leaving]
    protected = ProtectedTable(data.table.select(["id", *(c.name for c in columns)]))
    protected.report["withheld"] = sorted(one.name for one in policies if one.leaves == "withheld")
    protected.report["private_columns"] = sum(c.role == "private" for c in data.columns)
    return protected


def _add_trait_scores(protected: ProtectedTable, traits: pl.DataFrame) -> None:
    """Add trait scores; no protection of the people's own columns applies to them."""
    scores = {name: Column(name, "target", "ordinal") for name in traits.columns if name != "id"}
    of_all = {**scores, "id": protected.table.column("id")}
    protected.table = protected.table.join(Table(traits, [of_all[name] for name in traits.columns]))
    protected.scores = frozenset(scores)


def _report_policies(protected: ProtectedTable, policies: Sequence[ColumnPolicy]) -> None:
    """Report the policy of every column in protection.json, on the card and to the publisher."""
    gone = dict.fromkeys(protected.report.get("k_anonymity", {}).get("left_out", ()), NOTHING_LEFT)
    gone |= dict.fromkeys(protected.report["rare"]["left_out"], ONE_VALUE_LEFT)
    protected.report["columns"] = {
        one.name: one.to_dict() | ({"leaves": "withheld", "because": gone[one.name]} if one.name in gone else {})
        for one in policies
    }
    stays = [one for one in policies if one.leaves == "withheld"]
    text = "Names, texts, images and all other private columns stay behind"
    reasons = "; ".join(f"{one.name} ({one.identity}: {one.identity_why}; {one.reason})" for one in stays)
    protected.sentences.insert(0, f"{text}. {f'Withheld: {reasons}.' if stays else ''}".strip())
    for one in policies:
        if one.risk and one.leaves == "exact":
            protected.sentences.append(
                f"{one.name} leaves exact ({one.identity}: {one.identity_why}). Its risk: {one.risk}"
            )
    if stays:
        protected.notices.append(Notice(f"Withheld from the release: {reasons}.", len(stays)))
    undecided = [one for one in policies if not one.explicit and one.identity not in ("free", "sensitive")]
    undecided = [one for one in undecided if one.reason.startswith(("no decision", "it is"))]
    if undecided:
        how = ", ".join(f"{one.name} {one.leaves}" for one in undecided)
        protected.notices.append(Notice(f"No decision is written for these columns ({how}); {PLAN}.", len(undecided)))


def _count_singled_out(protected: ProtectedTable, settings: ReleaseSettings) -> None:
    """Count over what leaves, not over what is called a quasi-identifier, who stands alone."""
    noisy = _noisy(settings)
    names = [
        c.name
        for c in protected.columns
        if can_be_known(c) and c.name not in noisy and not protected.frame[c.name].dtype.is_nested()
    ]
    if names and protected.frame.height:
        found = singling_out(protected.frame, names)
        protected.report["singling_out"] = found.to_dict()
        protected.sentences.append(found.sentence)
        if found.three:
            text = f"Of the columns that leave, {found.counts}; {CURE}."
            protected.notices.append(Notice(text, found.three))


def _birth_years(
    protected: ProtectedTable, data: ReleaseInput, band: int | None, policies: Sequence[ColumnPolicy]
) -> None:
    """Replace dates of birth by years, in bands."""
    if band is None or any(one.name == YEAR and one.leaves == "withheld" for one in policies):
        return
    source = YEAR if YEAR in protected.frame.columns else next(
        (c.name for c in data.columns if c.role != "id" and says(c.name).topic == "birth date"), None
    )  # fmt: skip
    if source is None:
        raise InputError("release.birth_band needs a column birth_year or birth_date; the people have neither")
    years, lost = birth_year(data.people[source], width=band)
    added = [] if YEAR in protected.frame.columns else [_YEARS]
    protected.table = replace(protected.table, frame=protected.frame.with_columns(years.alias(YEAR)),
                           columns=[*protected.table.columns, *added])  # fmt: skip
    means = "the year of birth" if band == 1 else f"the first year of a band of {band}"
    protected.record_treatment(YEAR, means)
    protected.report["birth"] = {"band": band, "unreadable": lost}
    protected.sentences.append(f"Of the date of birth {means} leaves.")
    if lost:
        protected.notices.append(Notice("Dates of birth that cannot be read leave as missing.", lost))


def _hide_rare(
    protected: ProtectedTable, settings: ReleaseSettings, policies: Sequence[ColumnPolicy], key: ReleaseKey
) -> None:
    """See that no value of a column, the missing one neither, is that of fewer than ``rare_below`` people."""
    below = settings.rare_below
    before = {c.name: protected.frame[c.name].drop_nulls().n_unique() for c in protected.columns
              if not protected.frame[c.name].dtype.is_nested()}  # fmt: skip
    _merge_rare(protected, below)
    own = [c for c in _undecided_exact(protected, settings, policies) if c.name in before]
    _join_levels(protected, [c.name for c in own], below)
    alike = [c.name for c in own if _nothing_left(protected.frame[c.name], before[c.name], below)]
    protected.table = protected.table.drop(alike)
    protected.report["rare"]["left_out"] = alike
    if alike:
        protected.notices = [one for one in protected.notices if one.text.partition(":")[0] not in alike]
        protected.notices.append(Notice(f"Not leaving: {', '.join(alike)}, as {ALIKE}.", len(alike)))
    _hide_empty(protected, [c.name for c in own if c.name not in alike], below, key)


def _undecided_exact(
    protected: ProtectedTable, settings: ReleaseSettings, policies: Sequence[ColumnPolicy]
) -> list[Column]:
    """Return the columns that leave exact by default; a stated risk is a decision, and noise is a protection."""
    exact = {one.name for one in policies if one.leaves == "exact" and not one.risk} - _noisy(settings)
    return protected.select(lambda c: c.name in exact and can_be_known(c) and
                            not protected.frame[c.name].dtype.is_nested())  # fmt: skip


def _noisy(settings: ReleaseSettings) -> set[str]:
    return {*settings.noise.numbers, *settings.noise.categories} if settings.noise else set()


def _hide_pairs(
    protected: ProtectedTable, settings: ReleaseSettings, policies: Sequence[ColumnPolicy], key: ReleaseKey
) -> None:
    """Join levels until nobody stands alone by two columns, of which at least one leaves exact by default."""
    own = [c for c in _undecided_exact(protected, settings, policies)
           if protected.frame[c.name].n_unique() <= MAX_LEVELS]  # fmt: skip
    coarser = {one.name for one in policies if one.leaves == "generalised"}
    fixed = [c.name for c in protected.select(lambda c: c.name in coarser)] if "k_anonymity" in protected.report else []
    if settings.rare_below < 2 or not own or len(own) > MAX_PAIRED or not protected.frame.height:
        return
    ordered = [c.name for c in own if c.kind != "nominal" and protected.frame[c.name].dtype.is_numeric()]
    order, names = _random_order(protected, key, "pairs"), [c.name for c in own]
    frame, changed = join_alone_in_pairs(protected.frame, names, fixed, ordered, order, below=settings.rare_below)
    if not changed:
        return
    gone = [name for name in changed if name not in frame.columns]
    kept = {name: people for name, people in changed.items() if name not in gone}
    protected.table = protected.table.drop(gone)
    protected.set_frame(frame)
    rare = protected.report["rare"]
    rare["left_out"] = [*rare["left_out"], *gone]
    rare["pairs"] = {**rare.get("pairs", {}), **kept}
    if gone:
        text = f"Not leaving: {', '.join(gone)}, as beside another column they single people out."
        protected.notices.append(Notice(text, len(gone)))
    for name in kept:
        protected.record_treatment(name, "values joined until nobody stands alone by two columns")
    if kept:
        told = ", ".join(f"{name} (of {people:,} people)" for name, people in kept.items())
        protected.sentences.append(f"Values joined with others, because beside another column they were of one person "
                                   f"alone: {told}.")  # fmt: skip
        protected.notices.append(Notice(f"Values joined until nobody stands alone by two columns: {told}.", len(kept)))


def _merge_rare(protected: ProtectedTable, below: int) -> None:
    # nominal columns may hold texts, codes or truth values
    nominal = protected.select(lambda c: not protected.frame[c.name].dtype.is_nested() and
                       (c.kind == "nominal" or not protected.frame[c.name].dtype.is_numeric()))  # fmt: skip
    frame, merged = merge_rare(protected.frame, [c.name for c in nominal], below)
    protected.set_frame(frame)
    protected.report["rare"] = {"below": below, "merged": {one.column: one.categories for one in merged}}
    for one in merged:
        leave = "are missing, as all of them together are too few" if one.withheld else "are other"
        protected.record_treatment(one.column, f"categories of fewer than {below} people {leave}")
        protected.notices.append(
            Notice(f"{one.column}: categories of fewer than {below} people {leave}.", one.categories)
        )
    if nominal:
        protected.sentences.append(
            f'Categories of fewer than {below} people are "other", or missing where all of them together are as few.'
        )


def _join_levels(protected: ProtectedTable, names: Sequence[str], below: int) -> None:
    """Join rare numbers with their neighbours."""
    changed = []
    for name in names:
        values = protected.frame[name]
        if not values.dtype.is_numeric():
            continue
        joined = join_rare_levels(values, below)
        if not joined.equals(values):
            people = int((joined != values).fill_null(False).sum())
            protected.set_frame(protected.frame.with_columns(joined))
            protected.record_treatment(name, f"numbers of fewer than {below} people leave as the next one")
            protected.notices.append(
                Notice(f"{name}: numbers of fewer than {below} people leave as the next one that more have.", people)
            )
            changed.append(name)
    protected.report["rare"]["joined"] = changed
    if changed:
        protected.sentences.append(
            f"Numbers of fewer than {below} people leave as the next one that more have, so that the ends read "
            f'"or more" and "or less": {", ".join(changed)}.'
        )


def _nothing_left(values: pl.Series, before: int, below: int) -> bool:
    """Say whether a column has no two values any more, or values of too few people."""
    known = values.fill_nan(None).drop_nulls() if values.dtype.is_float() else values.drop_nulls()
    return (before > 1 and known.n_unique() < 2) or (before > 0 and len(known) < below)


def _random_order(protected: ProtectedTable, key: ReleaseKey, purpose: str) -> NDArray[np.intp]:
    """Return the rows by the key and the person: two releases under one key empty the cells of the same people."""
    tags = [key.tag(f"empty {purpose} {person}".encode()) for person in protected.frame["id"].to_list()]
    return np.argsort(tags, kind="stable")


def _hide_empty(protected: ProtectedTable, names: Sequence[str], below: int, key: ReleaseKey) -> None:
    """Empty cells of others beside the few empty cells of a column."""
    emptied = {}
    for name in names:
        values = protected.frame[name]
        missing = values.fill_nan(None).null_count() if values.dtype.is_float() else values.null_count()
        if not 0 < missing < below:
            continue
        order = _random_order(protected, key, name)
        protected.set_frame(protected.frame.with_columns(blank_more(values, below, order)))
        emptied[name] = min(below, len(values)) - missing
        protected.record_treatment(name, "cells of others are empty beside the few empty ones")
    protected.report["rare"]["emptied"] = emptied
    if emptied:
        cells, told = sum(emptied.values()), ", ".join(emptied)
        protected.sentences.append(
            f"Fewer than {below} empty cells of a column would mark people, so {cells} of others are empty: {told}."
        )
        protected.notices.append(Notice(f"Cells of others are empty beside few empty ones in {told}.", cells))


def _anonymise(protected: ProtectedTable, settings: ReleaseSettings, policies: Sequence[ColumnPolicy]) -> None:
    """Generalise quasi-identifiers to k-anonymity, and measure the result."""
    requirements = settings.anonymity or AnonymityRequirements()
    noisy = _noisy(settings)
    generalised = {one.name for one in policies if one.leaves == "generalised"}
    if settings.anonymity is not None and not requirements.quasi_identifiers:
        kept = {*noisy, *(one.name for one in policies if one.explicit and one.leaves == "exact")}
        generalised |= {c.name for c in protected.select(lambda c: c.role == "feature" and c.name not in kept)}
    _check_names(protected, requirements.quasi_identifiers)
    quasi = protected.select(lambda c: c.name in generalised)
    sensitive = _sensitive_columns(protected, requirements.sensitive)
    if both := sorted(noisy & {*requirements.quasi_identifiers, *(c.name for c in quasi)}):
        raise InputError(f"{both[0]} is to carry noise and to be coarsened; noise would undo groups, so choose one")
    if not quasi:
        _measure_only(
            protected, protected.select(lambda c: c.role == "feature" and c.name not in noisy), sensitive, requirements
        )
        return
    if protected.frame.height < requirements.k and settings.anonymity is None:
        _withhold_too_few(protected, [c.name for c in quasi], requirements.k)
        return
    _generalise(protected, quasi, sensitive, requirements)


def _measure_only(
    protected: ProtectedTable, quasi: Sequence[Column], sensitive: Sequence[Column], requirements: AnonymityRequirements
) -> None:
    """Measure k-anonymity where nothing is to be generalised."""
    if not quasi:
        return
    names = [c.name for c in quasi]
    found = measure(protected.frame, names, sensitive, k=requirements.k)
    protected.report["k_anonymity"] = {"columns": names, "asked": None, "after": found.to_dict()}
    protected.sentences.append(
        f"No column was made coarser: the smallest group of people alike in {', '.join(names)} has {found.k}, "
        f"and {found.share_below:.0%} of people are in groups of fewer than {requirements.k}."
    )


def _withhold_too_few(protected: ProtectedTable, names: Sequence[str], k: int) -> None:
    """Withhold the quasi-identifiers where there are fewer than k people."""
    protected.table = protected.table.drop(names)
    protected.report["k_anonymity"] = {
        "columns": [],
        "asked": {"k": k},
        "after": {"k": protected.frame.height},
        "left_out": list(names),
    }
    protected.notices.append(
        Notice(f"Fewer than {k} people cannot be k-anonymous: {', '.join(names)} are withheld.", len(names))
    )


def _generalise(
    protected: ProtectedTable, quasi: Sequence[Column], sensitive: Sequence[Column], requirements: AnonymityRequirements
) -> None:
    names = [c.name for c in quasi]
    result = generalise(
        protected.frame, quasi, k=requirements.k, l=requirements.l, sensitive=sensitive,
        suppress=requirements.suppress, given=dict(requirements.groups), weights=requirements.weights,
    )  # fmt: skip
    protected.set_frame(result.frame)
    for step in result.steps:
        for name in step.columns:
            protected.record_treatment(name, step.says)
    empty = {name for name in names if protected.frame[name].null_count() == protected.frame.height}
    kept = protected.table.drop(empty)
    protected.table = replace(kept, columns=[replace(c, kind=_kind(c, kept.frame)) for c in kept.columns])
    protected.report["k_anonymity"] = {
        "columns": [name for name in names if name not in empty],
        "asked": {"k": requirements.k, "l": requirements.l, "suppress": requirements.suppress},
        "before": result.before.to_dict(),
        "after": result.after.to_dict() | {"quasi_identifiers": [name for name in names if name not in empty]},
        "steps": [{"columns": list(s.columns), "level": s.says, "loss": s.loss, "values_before": s.before,
                   "values_after": s.after, "people_withheld": s.withheld} for s in result.steps],
        "loss": result.loss,
        "people_withheld": result.suppressed,
        "optimal": result.optimal,
        "left_out": sorted(empty),
    }  # fmt: skip
    protected.sentences.append(result.sentence)
    if empty:
        protected.notices.append(Notice(f"k-anonymity leaves nothing of {', '.join(sorted(empty))}.", len(empty)))
    if result.suppressed:
        protected.notices.append(
            Notice("People whose group stayed too small leave without these columns.", result.suppressed)
        )


def _kind(column: Column, frame: pl.DataFrame) -> Kind:
    return "nominal" if frame[column.name].dtype == pl.String else column.kind


def _check_names(protected: ProtectedTable, names: Sequence[str]) -> None:
    known = {c.name for c in protected.columns}
    for name in names:
        if name not in known:
            raise InputError(f"release.anonymity names {name}, which does not leave; name columns that do")


def _sensitive_columns(protected: ProtectedTable, names: Sequence[str]) -> list[Column]:
    traits = [c for c in protected.table.columns if c.name in protected.scores]
    known = {c.name: c for c in [*protected.columns, *traits]}
    if missing := [name for name in names if name not in known]:
        raise InputError(f"release.anonymity.sensitive names {missing[0]}, which does not leave")
    if names:
        return [known[name] for name in names]
    return [*protected.select(lambda c: c.role == "target"), *(c for c in traits if c.name.startswith("final_"))]


def _shuffle_categories(protected: ProtectedTable, key: ReleaseKey) -> None:
    names = [
        c.name for c in protected.select(lambda c: c.kind == "nominal" and protected.frame[c.name].dtype == pl.String)
    ]
    frame, protected.mapping = shuffle_categories(protected.frame, names, key)
    protected.set_frame(frame)
    for name in names:
        protected.record_treatment(name, "shuffled indices")
    protected.report["indices"] = names
    if names:
        protected.sentences.append(
            f"Categories of {', '.join(names)} are shuffled numbers; the publisher keeps what they stand for. "
            "How often a number occurs still tells it to those who know the shares."
        )


def _add_noise(protected: ProtectedTable, statement: PrivacyStatement) -> None:
    own = [mechanism for mechanism in statement.mechanisms if "/" not in mechanism.column]
    for mechanism in own:
        if mechanism.column not in protected.frame.columns:
            raise InputError(f"release.noise names {mechanism.column}, which does not leave; name columns that do")
        protected.record_treatment(mechanism.column, f"noise, epsilon = {mechanism.epsilon:g}")
    protected.set_frame(add_noise(protected.frame, replace(statement, mechanisms=tuple(own))))
    protected.report["noise"] = statement.to_dict()
    protected.sentences.append(statement.sentence)
