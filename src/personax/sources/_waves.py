"""Waves of a people table: who came, who went, what changed, and whose id means somebody else now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
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
- ``moved``: the same name and birth date have another id now (``before``, ``after``).
"""

LARGE: Final = 0.1
"""Share of a number from which a change is counted as large."""

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
    old, new = before["id"].cast(pl.String), after["id"].cast(pl.String)
    reused = _reused(before, after)
    moved = list(_moved(before, after, {*reused, *_only(new, old)}))
    rows: list[tuple[Any, ...]] = [(wave, person, "moved", "id", was, person) for was, person in moved]
    rows += [(wave, person, "reused", "name", *names) for person, names in reused.items()]
    rows += _changed(before, after, reused, wave)
    rows += [(wave, person, "came", None, None, None) for person in _only(new, old)]
    for person in _only(old, new):
        unseen = any(person.startswith(f"{source}-") for source in stopped)
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


def _reused(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Return id -> name before and after, of ids that mean somebody else now.

    A name alone may change, and so may a birth date that is corrected; both together are another person.
    """
    old, new = _who(before), _who(after)
    found = {}
    for person in old.keys() & new.keys():
        (name, born), (name_now, born_now) = old[person], new[person]
        if not name or not name_now or set(name.split()) & set(name_now.split()):
            continue
        if born != born_now or not born:
            found[person] = (name, name_now)
    return dict(sorted(found.items()))


def _moved(before: pl.DataFrame, after: pl.DataFrame, candidates: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the old and the new id of people whose name and birth date are unique in both waves."""
    old, new = _who(before), _who(after)
    once = [Counter(who.values()) for who in (old, new)]
    by_person = {person: one for one, person in old.items() if all(person) and once[0][person] == 1}
    for one in sorted(candidates):
        person = new[one]
        was = by_person.get(person) if once[1][person] == 1 else None
        if was is not None and was != one:
            yield was, one


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
    swapped = counts.get("reused", 0)
    if swapped:
        text = "Ids mean another person than in the wave before (another name and birth date); give the table ids that"
        notices.append(Notice(f"{text} stay, or these people's waves are mixed up.", swapped))
    if counts.get("moved", 0):
        notices.append(Notice("People have another id than in the wave before.", counts["moved"]))
    for column, number, large in _by_column(changes):
        far = f", for {large:,} of them by more than {LARGE:.0%}" if large else ""
        notices.append(Notice(f"Wave {wave}: {column} changed for {number:,} people{far}.", number))
    for word, names in (("gone", set(before) - set(after)), ("new", set(after) - set(before))):
        if names:
            notices.append(Notice(f"Wave {wave}: columns are {word}: {', '.join(sorted(names))}.", len(names)))
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

    Examples
    --------
    >>> people = pl.DataFrame({"id": ["a"], "height_cm": [180.0]})
    >>> stack_waves({1: people, 2: people}).rows()
    [('a@1', 180.0, 'a', 1), ('a@2', 180.0, 'a', 2)]
    """
    frames = [
        people.with_columns(
            pl.format("{}@{}", pl.col("id"), pl.lit(number)).alias("id"), pl.col("id").cast(pl.String).alias("person"),
            pl.lit(number, pl.Int64).alias("wave"),
        )
        for number, people in waves.items()
    ]  # fmt: skip
    return pl.concat(frames, how="diagonal_relaxed")
