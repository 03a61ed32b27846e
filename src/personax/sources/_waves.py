"""Waves of a people table: who came, who went, what changed, and whose id means somebody else now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import polars as pl

from personax.data import fold
from personax.schema import Notice

__all__ = ["CHANGES", "compare_waves", "same_people", "stack_waves", "wave_notices"]

CHANGES: Final = {
    "wave": pl.Int64, "id": pl.String, "change": pl.String, "column": pl.String, "before": pl.String,
    "after": pl.String,
}  # fmt: skip
"""Columns of people/changes.parquet. ``change`` is

- ``came``, ``went``: the id is new, or is no more;
- ``unseen``: the id is not there, and its source could not be collected to its end;
- ``changed``: a value of a person is another one;
- ``reused``: the id is of another person now, of another name and another birth date;
- ``moved``: the same name and birth date, or without names the same values, have another id now (``before``,
  ``after``); what else changed of that person stands under the new id.
"""

LARGE: Final = 0.1
"""Share of a number from which a change is counted as large."""

_FIXED: Final = ("birth_date", "birth_year", "birth_month", "birth_day", "gender", "sex", "birthplace")
_CONTRADICT: Final = 5
_TOLD_APART: Final = 3
"""Columns that must be the same, so that a person without a name is known again."""

_DERIVED: Final = ("day_index", "day_sin", "day_cos", "headshot_url")


def same_people(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Say whether two people tables are one, whatever the order of the rows."""
    return set(before.columns) == set(after.columns) and before.schema == after.select(before.columns).schema and (
        before.sort("id").equals(after.select(before.columns).sort("id"))
    )  # fmt: skip


def compare_waves(
    before: pl.DataFrame, after: pl.DataFrame, *, wave: int, stopped: Collection[str] = ()
) -> pl.DataFrame:
    """Return what differs between two waves.

    Parameters
    ----------
    before, after
        People tables with an ``id`` that means the same person in both.
    wave
        Number of the later one.
    stopped
        Names of sources that could not be collected to their end: who is missing there is ``unseen``.

    Returns
    -------
    polars.DataFrame
        Columns as in `CHANGES`; nothing of a column that only one of the waves has.

    Examples
    --------
    >>> before = pl.DataFrame({"id": ["a", "b"], "name": ["Ada", "Bo"], "weight_kg": [60.0, 80.0]})
    >>> after = pl.DataFrame({"id": ["b", "c"], "name": ["Bo", "Cy"], "weight_kg": [90.0, 70.0]})
    >>> compare_waves(before, after, wave=2).rows()
    [(2, 'b', 'changed', 'weight_kg', '80.0', '90.0'), (2, 'c', 'came', None, None, None),
     (2, 'a', 'went', None, None, None)]
    """
    moved = _moved(before, after)
    reused = _reused(before, after) | {person: (None, None) for person in _taken_over(moved, before, after)}
    rows: list[tuple[Any, ...]] = [(wave, person, "moved", "id", was, person) for person, was in sorted(moved.items())]
    rows += [(wave, person, "reused", "name", *names) for person, names in sorted(reused.items())]
    now_called = {was: person for person, was in moved.items()}
    gone = [person for person in reused if person not in now_called]
    known = before.with_columns(pl.col("id").cast(pl.String)).filter(~pl.col("id").is_in(gone))
    known = known.with_columns(pl.col("id").replace(list(now_called), list(now_called.values())))
    old, new = before["id"].cast(pl.String), after["id"].cast(pl.String)
    rows += _changed(known, after, [person for person in reused if person not in moved], wave)
    rows += [(wave, person, "came", None, None, None) for person in _only(new, old) if person not in moved]
    for person in _only(old, new):
        unseen = any(person.startswith(f"{source}-") for source in stopped)
        if person not in now_called:
            rows.append((wave, person, "unseen" if unseen else "went", None, None, None))
    return pl.DataFrame(rows, schema=CHANGES, orient="row")


def _only(ids: pl.Series, others: pl.Series) -> list[str]:
    return ids.filter(~ids.is_in(others.implode())).to_list()


def _who(people: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Return id -> folded name and birth, empty where it is not known."""
    born = next((name for name in ("birth_date", "birth_year") if name in people.columns), None)
    names = people["name"].cast(pl.String) if "name" in people.columns else pl.Series([None] * people.height)
    births = people[born].cast(pl.String) if born else pl.Series([None] * people.height)
    ids = people["id"].cast(pl.String)
    return {one: (fold(name or ""), birth or "") for one, name, birth in zip(ids, names, births, strict=True)}


def _reused(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, tuple[str | None, str | None]]:
    """Return id -> name before and after, of ids that mean somebody else now.

    A name alone may change, and so may a birth date that is corrected; both together are another person.
    """
    old, new = _who(before), _who(after)
    found: dict[str, tuple[str | None, str | None]] = {}
    for person in old.keys() & new.keys():
        (name, born), (name_now, born_now) = old[person], new[person]
        if not name or not name_now or set(name.split()) & set(name_now.split()):
            continue
        if born != born_now or not born:
            found[person] = (name, name_now)
    return found


def _taken_over(moved: Mapping[str, str], before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """Return the ids of moved people that were another's before, where no names say so."""
    named = "name" in before.columns and "name" in after.columns
    ids = set(before["id"].cast(pl.String).to_list())
    return [] if named else [person for person in moved if person in ids]


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, str]:
    """Return the new id -> the old one, of people who are unique in both waves.

    They are known by name and birth date; where one of the waves has no names, by all their values, and only where
    these are most of the people whose values differ: single ones may be alike by chance.
    """
    if "name" in before.columns and "name" in after.columns:
        old, new = ({one: who if all(who) else None for one, who in _who(people).items()} for people in (before, after))
        return _found_again(old, new)
    shared = [name for name in before.columns if name in after.columns and name not in ("id", *_DERIVED)]
    if len(shared) < _TOLD_APART:
        return {}
    old, new = (_contents(people, shared) for people in (before, after))
    differ = sum(one not in new or old[one] != new[one] for one in old)
    found = _found_again(old, new)
    return found if 2 * len(found) > differ else {}


def _found_again(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, str]:
    once = [Counter(who.values()) for who in (old, new)]
    by_person = {person: one for one, person in old.items() if person is not None and once[0][person] == 1}
    found = {one: by_person[person] for one, person in new.items() if once[1][person] == 1 and person in by_person}
    return {one: was for one, was in found.items() if one != was}


def _contents(people: pl.DataFrame, shared: Sequence[str]) -> dict[str, object]:
    numbers = [pl.col(name).cast(pl.Float64) for name in shared if people[name].dtype.is_numeric()]
    others = [pl.col(name).cast(pl.String) for name in shared if not people[name].dtype.is_numeric()]
    return dict(zip(people["id"].cast(pl.String), people.select(*numbers, *others).iter_rows(), strict=True))


def _changed(
    before: pl.DataFrame, after: pl.DataFrame, reused: Collection[str], wave: int
) -> list[tuple[int, str, str, str, str | None, str | None]]:
    """Return the values that differ, of the people who are in both waves and are the same."""
    shared = [name for name in before.columns if name in after.columns and name not in ("id", *_DERIVED)]
    both = before.with_columns(pl.col("id").cast(pl.String)).join(
        after.with_columns(pl.col("id").cast(pl.String)), on="id", how="inner", suffix="_now", maintain_order="left"
    )
    both = both.filter(~pl.col("id").is_in(list(reused)))
    rows: list[tuple[int, str, str, str, str | None, str | None]] = []
    for name in shared:
        was, now = both[name].cast(pl.String), both[f"{name}_now"].cast(pl.String)
        same = was.eq_missing(now)
        if before[name].dtype.is_numeric() and after[name].dtype.is_numeric():  # 180 and 180.0 are one
            same |= both[name].cast(pl.Float64).eq_missing(both[f"{name}_now"].cast(pl.Float64))
        for person, old, new in zip(both["id"].filter(~same), was.filter(~same), now.filter(~same), strict=True):
            rows.append((wave, person, "changed", name, old, new))
    return rows


def wave_notices(changes: pl.DataFrame, wave: int, *, before: Sequence[str], after: Sequence[str]) -> list[Notice]:
    """Say what a reader must know of a wave; no name and no value of a person is in it.

    Parameters
    ----------
    changes
        What `compare_waves` returned.
    wave
        Its number.
    before, after
        Columns of both waves.
    """
    counts = dict(changes.group_by("change").len().iter_rows())
    came, went, unseen = (counts.get(name, 0) for name in ("came", "went", "unseen"))
    notices = [Notice(f"Wave {wave}: {came:,} people came, {went:,} went and {_persons(changes):,} changed; "
                      "people/changes.parquet names them, people/waves holds the waves before.")]  # fmt: skip
    if unseen:
        notices.append(Notice("People are missing from sources that could not be collected to their end; they are not "
                              "counted as gone.", unseen))  # fmt: skip
    notices += _told_ids(changes, counts)
    for column, number, large in _by_column(changes):
        far = f", for {large:,} of them by more than {LARGE:.0%}" if large else ""
        notices.append(Notice(f"Wave {wave}: {column} changed for {number:,} people{far}.", number))
    for word, names in (("gone", set(before) - set(after)), ("new", set(after) - set(before))):
        if names:
            notices.append(Notice(f"Wave {wave}: columns are {word}: {', '.join(sorted(names))}.", len(names)))
    return notices


def _told_ids(changes: pl.DataFrame, counts: Mapping[str, int]) -> list[Notice]:
    """Say that ids mean other people, or may."""
    notices = []
    if swapped := counts.get("reused", 0):
        text = (
            "Ids mean another person than in the wave before (another name and birth date, or all values are those of "
        )
        text += "another id); give the table ids that stay, or these people's waves are mixed up."
        notices.append(Notice(text, swapped))
    if moved := counts.get("moved", 0):
        text = (
            "People have another id than in the wave before; they are taken for the same people, and are neither new "
        )
        notices.append(Notice(f"{text}nor gone.", moved))
    fixed = changes.filter((pl.col("change") == "changed") & pl.col("column").is_in(_FIXED))
    fixed = fixed.filter(pl.col("before").is_not_null() & pl.col("after").is_not_null())
    number = fixed["id"].n_unique()
    if number >= max(_CONTRADICT, _persons(changes) / 5):
        names = ", ".join(sorted(fixed["column"].unique()))
        text = (
            f"What does not change of a person differs ({names}): the ids of the two waves may mean other people, or "
        )
        notices.append(Notice(f"{text}one of them was read otherwise (day and month, codes).", number))
    return notices


def _persons(changes: pl.DataFrame) -> int:
    return changes.filter(pl.col("change") == "changed")["id"].n_unique()


def _by_column(changes: pl.DataFrame) -> list[tuple[str, int, int]]:
    """Return column, changed values, and those that changed much; most first."""
    was, now = (pl.col(name).cast(pl.Float64, strict=False) for name in ("before", "after"))
    large = ((now - was).abs() > LARGE * was.abs()).fill_null(value=False).sum()
    counted = changes.filter(pl.col("change") == "changed").group_by("column").agg(pl.len(), large.alias("large"))
    return counted.sort("len", "column", descending=[True, False]).rows()


def stack_waves(waves: Mapping[int, pl.DataFrame]) -> pl.DataFrame:
    """Return all waves as one table: a row a person and wave, with ``person``, ``wave`` and an id of both.

    A person whose id moved stays one ``person``, called by the first id; an id that means somebody else now is another
    one, called by id and wave.

    Examples
    --------
    >>> people = pl.DataFrame({"id": ["a"], "height_cm": [180.0]})
    >>> stack_waves({1: people, 2: people}).rows()
    [('a@1', 180.0, 'a', 1), ('a@2', 180.0, 'a', 2)]
    """
    frames: list[pl.DataFrame] = []
    before: pl.DataFrame | None = None
    persons: dict[str, str] = {}
    for number, people in waves.items():
        ids = people["id"].cast(pl.String).to_list()
        persons = {one: one for one in ids} if before is None else _persons_now(persons, before, people, number)
        called = pl.Series("person", [persons[one] for one in ids], dtype=pl.String)
        frames.append(people.with_columns(
            pl.format("{}@{}", pl.col("id"), pl.lit(number)).alias("id"), called,
            pl.lit(number, pl.Int64).alias("wave"),
        ))  # fmt: skip
        before = people
    return pl.concat(frames, how="diagonal_relaxed")


def _persons_now(persons: Mapping[str, str], before: pl.DataFrame, after: pl.DataFrame, wave: int) -> dict[str, str]:
    """Return id -> person of a wave, from those of the wave before."""
    moved = _moved(before, after)
    others = {*_reused(before, after), *_taken_over(moved, before, after)} - moved.keys()
    found = {one: persons[moved.get(one, one)] for one in after["id"].cast(pl.String)
             if one not in others and moved.get(one, one) in persons}  # fmt: skip
    used = {*persons.values()}
    for one in after["id"].cast(pl.String):
        if one not in found:
            found[one] = f"{one}#{wave}" if one in used else one
    return found
