"""One test of Level I on two or three columns of a study, with the picture of the pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from personax import registry
from personax.errors import InputError
from personax.explorer._explored_study import ExploredStudy
from personax.independence import find_test, screen
from personax.report import chart, pair_profile
from personax.schema import Column
from personax.strict import nearest

__all__ = ["MAX_PEOPLE", "AskedTest", "SingleTest", "offered_tests", "run_single_test"]

MAX_PEOPLE = 20_000
"""More are a random sample, so that a page answers in seconds; the picture is of all people."""

EVERY = "every test"


@dataclass(frozen=True, slots=True)
class AskedTest:
    """What a form asks: ``x`` against ``y``, given ``z`` where that is named, by one test or by every one."""

    x: str
    y: str
    z: str
    test: str


@dataclass(frozen=True)
class SingleTest:
    """What was found.

    Parameters
    ----------
    rows
        One a test, with the columns of `personax.screen`.
    people, used
        How many there are, and how many the tests had.
    figure, told
        The picture of x and y over all people, and its sentence; no figure where too few have both.
    """

    rows: list[dict[str, Any]]
    people: int
    used: int
    figure: Markup
    told: str


def offered_tests(*, given: bool = False) -> list[str]:
    """Return the names of the tests that run with, or without, a given column.

    Examples
    --------
    >>> "gcm" in offered_tests(given=True), "gcm" in offered_tests()
    (True, False)
    """
    names = [part.name for part in registry.parts("tests") if not part.fault]
    return [name for name in names if find_test(name).fits(given=given)]


def run_single_test(study: ExploredStudy, asked: AskedTest) -> SingleTest:
    """Run a test on columns of a study.

    Raises
    ------
    InputError
        A column or a test is not there, or one column stands twice.
    """
    known = {c.name: c for c in (*study.people_columns(), *study.score_columns()) if c.role in ("feature", "target")}
    names = [name for name in (asked.x, asked.y, asked.z) if name]
    for name in names:
        if name not in known:
            raise InputError(f"there is no feature, target or score {name}; {nearest(name, list(known))}")
    if not asked.x or not asked.y or len(set(names)) < len(names):
        raise InputError("a test needs two columns, and a third to condition on where one is named, all different")
    frame = study.frame(names)
    if nested := [name for name in names if frame[name].dtype.is_nested()]:
        raise InputError(f"{nested[0]} holds lists, of which there is no picture; personax.screen tests vectors")
    sample = frame if frame.height <= MAX_PEOPLE else frame.sample(MAX_PEOPLE, seed=study.seed)
    rows = _screened(sample, asked, [known[name] for name in names], study.seed)
    profile = pair_profile(frame, known[asked.x], known[asked.y])
    if profile is None:
        return SingleTest(rows, frame.height, sample.height, Markup(""), "Too few people have both for a picture.")
    drawn = [dict(zip(profile["names"], row, strict=True)) for row in profile["rows"]]
    figure = chart(profile["kind"], drawn, f"{asked.x} and {asked.y}", **profile["options"])
    return SingleTest(rows, frame.height, sample.height, figure, profile["told"])


def _screened(frame: pl.DataFrame, asked: AskedTest, columns: list[Column], seed: int) -> list[dict[str, Any]]:
    given = [asked.z] if asked.z else []
    tests = offered_tests(given=bool(given)) if asked.test == EVERY else [find_test(asked.test).name]
    periods = {column.name: column.period for column in columns if column.period}
    kinds = {column.name: column.kind for column in columns}
    found = screen(
        frame, [asked.x], [asked.y], kinds=kinds, tests=tests, given=given, periods=periods, seed=seed, jobs=1
    )
    return found.to_dicts()
