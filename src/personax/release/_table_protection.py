"""The table as it leaves: chosen columns, years, rare categories, groups of people alike, indices, noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from personax.data.naming import says
from personax.data.table import Table
from personax.errors import InputError
from personax.release._column_policy import NOTHING_LEFT, PLAN, Decision, decide
from personax.release._keystore import Key
from personax.release._release_input import Contents
from personax.release._settings import Alike, Settings
from personax.release.disclosure import (
    Statement,
    add_noise,
    birth_year,
    generalise,
    measure,
    merge_rare,
    shuffle_categories,
)
from personax.schema import Column, Notice

__all__ = ["Protected", "protect"]

YEAR = "birth_year"
_YEARS = Column(
    YEAR, "feature", "continuous", "years", identity="quasi-identifying", identity_why="years of birth, of the date"
)


@dataclass
class Protected:
    """A table on its way out.

    Parameters
    ----------
    leaves
        ``id``, what leaves, trait scores last, and what they mean now.
    scores
        Names of the trait scores.
    how
        Column -> what was done to it.
    sentences, notices
        What a card says, and what the publisher must know.
    told
        What protection.json holds.
    mapping
        Column -> categories by index, where they leave as numbers; it stays with the key.
    known
        The table as somebody would make it who knows the people and the rules: before indices and noise.
    """

    leaves: Table
    scores: frozenset[str] = frozenset()
    how: dict[str, str] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=lambda: {"format": 1})
    mapping: dict[str, list[str]] = field(default_factory=dict)
    known: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def frame(self) -> pl.DataFrame:
        """The table as it is now."""
        return self.leaves.frame

    @property
    def columns(self) -> list[Column]:
        """What leaves of the people's own columns; no id, no trait score."""
        return [c for c in self.leaves.columns if c.role != "id" and c.name not in self.scores]

    def put(self, frame: pl.DataFrame) -> None:
        """Take other values of the same columns."""
        self.leaves = replace(self.leaves, frame=frame)

    def of(self, keep: Callable[[Column], bool]) -> list[Column]:
        """Return columns that leave and are such."""
        return [column for column in self.columns if keep(column)]

    def mark(self, name: str, how: str) -> None:
        """Note what was done to a column."""
        self.how[name] = f"{self.how[name]}; {how}" if name in self.how else how


def protect(contents: Contents, settings: Settings, key: Key, statement: Statement | None = None) -> Protected:
    """Return the table of a release.

    Parameters
    ----------
    contents
        Of the people who are left.
    settings
        What is asked.
    key
        Shuffles categories.
    statement
        The noise of all columns; those of the table are drawn here.

    Raises
    ------
    InputError
        Something is asked that cannot be, such as a column that names people without a word on the risk.
    """
    if not all(column.identity for column in contents.columns):
        contents = contents.classified()
    decisions = _decided(contents, settings)
    table = _chosen(contents, decisions)
    _births(table, contents, settings.birth_band, decisions)
    _rare(table, settings.rare_below)
    if contents.traits is not None:
        _scored(table, contents.traits)
    _alike(table, settings, decisions)
    _tell(table, decisions)
    table.known = table.frame
    if statement is not None:
        _noise(table, statement)
    if settings.indices:
        _indices(table, key)
    return table


def _decided(contents: Contents, settings: Settings) -> list[Decision]:
    """Return what becomes of every column that could leave."""
    scored = set(contents.traits.columns) if contents.traits is not None else set()
    able = [c for c in contents.columns if c.role in ("feature", "target") and c.name not in scored]
    if strange := sorted(set(settings.withheld) - {c.name for c in able}):
        raise InputError(f"release.withheld names {strange[0]}, which would not leave anyway; take it off the list")
    noise, alike = settings.noise, settings.alike
    columns = [c for c in contents.columns if c.name not in scored]
    if settings.birth_band is not None and YEAR not in {c.name for c in able}:
        columns.append(_YEARS)
    return decide(
        columns,
        said=settings.columns,
        withheld=settings.withheld,
        generalised=alike.quasi_identifiers if alike else (),
        noisy={*noise.numbers, *noise.categories} if noise else (),
        allowed=settings.allowed,
    )


def _chosen(contents: Contents, decisions: Sequence[Decision]) -> Protected:
    leaving = {one.name for one in decisions if one.leaves != "withheld"}
    columns = [c for c in contents.columns if c.name in leaving]
    table = Protected(contents.table.select(["id", *(c.name for c in columns)]))
    table.told["withheld"] = sorted(one.name for one in decisions if one.leaves == "withheld")
    table.told["private_columns"] = sum(c.role == "private" for c in contents.columns)
    return table


def _scored(table: Protected, traits: pl.DataFrame) -> None:
    """Add trait scores; they take part in nothing that is done to people's own columns."""
    scores = {name: Column(name, "target", "ordinal") for name in traits.columns if name != "id"}
    of_all = {**scores, "id": table.leaves.column("id")}
    table.leaves = table.leaves.join(Table(traits, [of_all[name] for name in traits.columns]))
    table.scores = frozenset(scores)


def _tell(table: Protected, decisions: Sequence[Decision]) -> None:
    """Say of every column what became of it and why, in the file, on the card and to the publisher."""
    gone = set(table.told.get("k_anonymity", {}).get("left_out", ()))
    table.told["columns"] = {
        one.name: one.to_dict() | ({"leaves": "withheld", "because": NOTHING_LEFT}
                                   if one.name in gone else {})
        for one in decisions
    }  # fmt: skip
    stays = [one for one in decisions if one.leaves == "withheld"]
    text = "Names, texts, images and all other private columns stay behind"
    told = "; ".join(f"{one.name} ({one.identity}: {one.why}; {one.because})" for one in stays)
    table.sentences.insert(0, f"{text}. {f'Withheld: {told}.' if stays else ''}".strip())
    for one in decisions:
        if one.risk and one.leaves == "exact":
            table.sentences.append(f"{one.name} leaves exact ({one.identity}: {one.why}). Its risk: {one.risk}")
    if stays:
        table.notices.append(Notice(f"Withheld from the release: {told}.", len(stays)))
    open_ = [one for one in decisions if not one.said and one.identity not in ("free", "sensitive")]
    open_ = [one for one in open_ if one.because.startswith(("no decision", "it is"))]
    if open_:
        how = ", ".join(f"{one.name} {one.leaves}" for one in open_)
        table.notices.append(Notice(f"No decision is written for these columns ({how}); {PLAN}.", len(open_)))


def _births(table: Protected, contents: Contents, band: int | None, decisions: Sequence[Decision]) -> None:
    """Make years of birth of dates, in bands."""
    if band is None or any(one.name == YEAR and one.leaves == "withheld" for one in decisions):
        return
    source = YEAR if YEAR in table.frame.columns else next(
        (c.name for c in contents.columns if c.role != "id" and says(c.name).topic == "birth date"), None
    )  # fmt: skip
    if source is None:
        raise InputError("release.birth_band needs a column birth_year or birth_date; the people have neither")
    years, lost = birth_year(contents.people[source], width=band)
    added = [] if YEAR in table.frame.columns else [_YEARS]
    table.leaves = replace(table.leaves, frame=table.frame.with_columns(years.alias(YEAR)),
                           columns=[*table.leaves.columns, *added])  # fmt: skip
    means = "the year of birth" if band == 1 else f"the first year of a band of {band}"
    table.mark(YEAR, means)
    table.told["birth"] = {"band": band, "unreadable": lost}
    table.sentences.append(f"Of the date of birth {means} leaves.")
    if lost:
        table.notices.append(Notice("Dates of birth that cannot be read leave as missing.", lost))


def _rare(table: Protected, below: int) -> None:
    # a category is one whatever its values are: texts, codes, truth values
    nominal = table.of(lambda c: not table.frame[c.name].dtype.is_nested() and
                       (c.kind == "nominal" or not table.frame[c.name].dtype.is_numeric()))  # fmt: skip
    frame, merged = merge_rare(table.frame, [c.name for c in nominal], below)
    table.put(frame)
    table.told["rare"] = {"below": below, "merged": {one.column: one.categories for one in merged}}
    for one in merged:
        leave = "are missing, as all of them together are too few" if one.withheld else "are other"
        table.mark(one.column, f"categories of fewer than {below} people {leave}")
        table.notices.append(Notice(f"{one.column}: categories of fewer than {below} people {leave}.", one.categories))
    if nominal:
        table.sentences.append(
            f'Categories of fewer than {below} people are "other", or missing where all of them together are as few.'
        )


def _alike(table: Protected, settings: Settings, decisions: Sequence[Decision]) -> None:
    """Make people alike in what is to be made coarser, and measure who is."""
    asked = settings.alike or Alike()
    noisy = {*settings.noise.numbers, *settings.noise.categories} if settings.noise else set()
    coarser = {one.name for one in decisions if one.leaves == "generalised"}
    if settings.alike is not None and not asked.quasi_identifiers:
        kept = {*noisy, *(one.name for one in decisions if one.said and one.leaves == "exact")}
        coarser |= {c.name for c in table.of(lambda c: c.role == "feature" and c.name not in kept)}
    _named(table, asked.quasi_identifiers)
    quasi = table.of(lambda c: c.name in coarser)
    hidden = _sensitive(table, asked.sensitive)
    if both := sorted(noisy & {*asked.quasi_identifiers, *(c.name for c in quasi)}):
        raise InputError(f"{both[0]} is to carry noise and to be coarsened; noise would undo groups, so choose one")
    if not quasi:
        _measured(table, table.of(lambda c: c.role == "feature" and c.name not in noisy), hidden, asked)
        return
    if table.frame.height < asked.k and settings.alike is None:
        _too_few(table, [c.name for c in quasi], asked.k)
        return
    _coarser(table, quasi, hidden, asked)


def _measured(table: Protected, quasi: Sequence[Column], hidden: Sequence[Column], asked: Alike) -> None:
    """Measure who is alike where nothing is to be made coarser."""
    if not quasi:
        return
    names = [c.name for c in quasi]
    found = measure(table.frame, names, hidden, k=asked.k)
    table.told["k_anonymity"] = {"columns": names, "asked": None, "after": found.to_dict()}
    table.sentences.append(
        f"No column was made coarser: the smallest group of people alike in {', '.join(names)} has {found.k}, "
        f"and {found.share_below:.0%} of people are in groups of fewer than {asked.k}."
    )


def _too_few(table: Protected, names: Sequence[str], k: int) -> None:
    """Withhold what cannot be made coarser, as there are fewer than k people."""
    table.leaves = table.leaves.drop(names)
    table.told["k_anonymity"] = {
        "columns": [],
        "asked": {"k": k},
        "after": {"k": table.frame.height},
        "left_out": list(names),
    }
    table.notices.append(Notice(f"Fewer than {k} people cannot hide each other: {', '.join(names)} stay.", len(names)))


def _coarser(table: Protected, quasi: Sequence[Column], hidden: Sequence[Column], asked: Alike) -> None:
    names = [c.name for c in quasi]
    made = generalise(table.frame, quasi, k=asked.k, l=asked.l, sensitive=hidden, suppress=asked.suppress,
                      given=dict(asked.groups), weights=asked.weights)  # fmt: skip
    table.put(made.frame)
    for step in made.steps:
        for name in step.columns:
            table.mark(name, step.says)
    empty = {name for name in names if table.frame[name].null_count() == table.frame.height}
    kept = table.leaves.drop(empty)
    table.leaves = replace(kept, columns=[replace(c, kind=_kind(c, kept.frame)) for c in kept.columns])
    table.told["k_anonymity"] = {
        "columns": [name for name in names if name not in empty],
        "asked": {"k": asked.k, "l": asked.l, "suppress": asked.suppress},
        "before": made.before.to_dict(),
        "after": made.after.to_dict() | {"quasi_identifiers": [name for name in names if name not in empty]},
        "steps": [{"columns": list(s.columns), "level": s.says, "loss": s.loss, "values_before": s.before,
                   "values_after": s.after, "people_withheld": s.withheld} for s in made.steps],
        "loss": made.loss,
        "people_withheld": made.suppressed,
        "optimal": made.optimal,
        "left_out": sorted(empty),
    }  # fmt: skip
    table.sentences.append(made.sentence)
    if empty:
        table.notices.append(Notice(f"k-anonymity leaves nothing of {', '.join(sorted(empty))}.", len(empty)))
    if made.suppressed:
        table.notices.append(
            Notice("People whose group stayed too small leave without these columns.", made.suppressed)
        )


def _kind(column: Column, frame: pl.DataFrame) -> Any:  # noqa: ANN401 - a Literal
    return "nominal" if frame[column.name].dtype == pl.String else column.kind


def _named(table: Protected, names: Sequence[str]) -> None:
    known = {c.name for c in table.columns}
    for name in names:
        if name not in known:
            raise InputError(f"release.anonymity names {name}, which does not leave; name columns that do")


def _sensitive(table: Protected, names: Sequence[str]) -> list[Column]:
    traits = [c for c in table.leaves.columns if c.name in table.scores]
    known = {c.name: c for c in [*table.columns, *traits]}
    if missing := [name for name in names if name not in known]:
        raise InputError(f"release.anonymity.sensitive names {missing[0]}, which does not leave")
    if names:
        return [known[name] for name in names]
    return [*table.of(lambda c: c.role == "target"), *(c for c in traits if c.name.startswith("final_"))]


def _indices(table: Protected, key: Key) -> None:
    names = [c.name for c in table.of(lambda c: c.kind == "nominal" and table.frame[c.name].dtype == pl.String)]
    frame, table.mapping = shuffle_categories(table.frame, names, key)
    table.put(frame)
    for name in names:
        table.mark(name, "shuffled indices")
    table.told["indices"] = names
    if names:
        table.sentences.append(
            f"Categories of {', '.join(names)} are shuffled numbers; the publisher keeps what they stand for. "
            "How often a number occurs still tells it to those who know the shares."
        )


def _noise(table: Protected, statement: Statement) -> None:
    own = [mechanism for mechanism in statement.mechanisms if "/" not in mechanism.column]
    for mechanism in own:
        if mechanism.column not in table.frame.columns:
            raise InputError(f"release.noise names {mechanism.column}, which does not leave; name columns that do")
        table.mark(mechanism.column, f"noise, epsilon = {mechanism.epsilon:g}")
    table.put(add_noise(table.frame, replace(statement, mechanisms=tuple(own))))
    table.told["noise"] = statement.to_dict()
    table.sentences.append(statement.sentence)
