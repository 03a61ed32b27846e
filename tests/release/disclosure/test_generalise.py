"""Recoding: what is promised holds, the order of rows does not matter, and no node loses less."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from personax.data.table import Table
from personax.errors import InputError
from personax.release.disclosure import Generalised, generalise, hierarchies, measure
from personax.schema import Column, select
from personax.simulate import simulate_population

YEAR = Column("year", "feature", "continuous", "years")
JOB = Column("job", "feature", "nominal")
MONTH = Column("month", "feature", "cyclic", period=12.0)
TRAIT = Column("trait", "target", "ordinal")
ALL = [YEAR, JOB, MONTH]

row = st.tuples(
    st.none() | st.integers(1980, 1991),
    st.none() | st.sampled_from("aabcde"),
    st.none() | st.integers(1, 12),
    st.integers(1, 3),
)
tables = st.lists(row, min_size=6, max_size=30).map(
    lambda rows: pl.DataFrame(
        rows, schema={"year": pl.Int64, "job": pl.String, "month": pl.Int64, "trait": pl.Int64}, orient="row"
    )
)


def _classes(frame: pl.DataFrame) -> list[int]:
    return list(Counter(frame.select("year", "job", "month").rows()).values())


def described_columns(frame: pl.DataFrame, columns: list[Column]) -> Table:
    return Table(frame.select(column.name for column in columns), columns)


@given(tables, st.integers(1, 6), st.sampled_from([0.0, 0.1, 0.3, 1.0]))
def test_k_holds_and_nothing_is_invented(frame: pl.DataFrame, k: int, suppress: float) -> None:
    found = generalise(frame, ALL, k=k, suppress=suppress)
    assert min(_classes(found.frame)) >= k
    assert found.after.k >= k
    assert found.optimal
    assert found.suppressed <= suppress * frame.height
    assert found.frame["trait"].equals(frame["trait"])
    assert found.frame.columns == frame.columns
    for name in ("year", "job", "month"):
        assert not (frame[name].is_null() & found.frame[name].is_not_null()).any()
    widths = [abs(a - b) for a, b in zip(frame["year"], found.frame["year"], strict=True) if None not in (a, b)]
    step = found.steps[0]
    width = int(step.says.split()[2]) if step.says.startswith("bands") else 1
    assert max(widths, default=0) <= (width - 1) / 2


@settings(max_examples=40)
@given(tables, st.integers(1, 5), st.sampled_from([0.0, 0.2]))
def test_more_is_lost_for_a_larger_k(frame: pl.DataFrame, k: int, suppress: float) -> None:
    a, b = (generalise(frame, ALL, k=size, suppress=suppress) for size in (k, k + 1))
    assert a.loss <= b.loss + 1e-12
    assert a.loss >= generalise(frame, ALL, k=k, suppress=suppress + 0.2).loss - 1e-12


@settings(max_examples=50)
@given(tables, st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(frame: pl.DataFrame, k: int, random: Any) -> None:
    order = list(range(frame.height))
    random.shuffle(order)
    there, here = generalise(frame[order], ALL, k=k, suppress=0.2), generalise(frame, ALL, k=k, suppress=0.2)
    assert there.frame.equals(here.frame[order])
    assert there.steps == here.steps


def _brute(frame: pl.DataFrame, k: int, diverse: int, limit: int) -> float:
    """Return the least loss over all nodes, each judged from its table alone."""
    made = hierarchies(described_columns(frame, ALL))
    coarser = [[level.values[hierarchy.base].to_series().to_list() for level in hierarchy.levels] for hierarchy in made]
    best = np.inf
    for levels in itertools.product(*(range(len(hierarchy.levels)) for hierarchy in made)):
        rows = list(zip(*(values[level] for values, level in zip(coarser, levels, strict=True)), strict=True))
        held: dict[Any, list[int]] = {}
        for key, value in zip(rows, frame["trait"], strict=True):
            held.setdefault(key, []).append(value)
        bad = [key for key, values in held.items() if len(values) < k or len(set(values)) < diverse]
        hidden = {key: values for key, values in held.items() if key in bad}
        nothing = (None,) * len(made)

        def fine(keys: dict[Any, list[int]], held: dict[Any, list[int]] = held, nothing: Any = nothing) -> bool:
            joined = [v for key, values in (keys | {nothing: held.get(nothing, [])}).items() for v in values]
            return len(joined) >= k and len(set(joined)) >= diverse

        if hidden and not fine(hidden):
            rest = sorted(len(values) for key, values in held.items() if key not in bad)
            # any one other class makes it large and diverse enough
            people = sum(map(len, hidden.values())) + (rest[0] if rest else 0)
        else:
            people = sum(map(len, hidden.values()))
        loss = sum(h.levels[level].loss for h, level in zip(made, levels, strict=True)) / len(made)
        if people <= limit:
            best = min(best, loss)
    return float(best)


@settings(max_examples=60)
@given(tables, st.integers(1, 5), st.integers(1, 2), st.sampled_from([0.0, 0.1, 0.4]))
def test_no_node_loses_less(frame: pl.DataFrame, k: int, diverse: int, suppress: float) -> None:
    assume(frame["trait"].n_unique() >= diverse)
    found = generalise(frame, ALL, k=k, l=diverse, sensitive=[TRAIT], suppress=suppress)
    assert found.loss == pytest.approx(_brute(frame, k, diverse, int(suppress * frame.height)), abs=1e-12)
    assert found.after.sensitive[0].distinct >= diverse


@pytest.fixture(scope="module")
def people() -> tuple[pl.DataFrame, list[Column]]:
    world = simulate_population(600, rng=np.random.default_rng(3), text_dim=8, image_dim=24)
    return world.people, [c for c in select(world.columns, "feature") if c.name not in ("birth_month", "birth_day")]


@pytest.fixture(scope="module")
def recoded(people: tuple[pl.DataFrame, list[Column]]) -> Generalised:
    return _recode(people)


def _recode(people: tuple[pl.DataFrame, list[Column]], **settings: Any) -> Generalised:
    return generalise(*people, **{"k": 5, **settings})


def test_simulated_people(people: tuple[pl.DataFrame, list[Column]], recoded: Generalised) -> None:
    found = recoded
    names = [column.name for column in people[1]]
    assert found.before.k == 1
    assert found.optimal
    assert measure(found.frame, names, k=5).below == 0
    assert found.frame["height_cm"].dtype.is_numeric(), "Level I goes on with numbers"
    places = next(step for step in found.steps if "latitude" in step.columns)
    assert places.columns == ("latitude", "longitude")
    assert "k = 5" in found.sentence or f"k = {found.after.k}" in found.sentence
    assert "height_cm" in found.sentence
    for step in found.steps:
        assert 0 <= step.loss <= 1
        assert step.after <= step.before + 1


def test_a_column_that_matters_loses_less(people: tuple[pl.DataFrame, list[Column]], recoded: Generalised) -> None:
    def lost(found: Generalised) -> float:
        return next(step.loss for step in found.steps if step.columns == ("height_cm",))

    plain, weighted = recoded, _recode(people, weights={"height_cm": 20.0})
    assert lost(weighted) < lost(plain)
    with pytest.raises(InputError, match="weight 0 of height_cm"):
        _recode(people, weights={"height_cm": 0.0})


def test_a_search_that_stops_still_keeps_its_promise(
    people: tuple[pl.DataFrame, list[Column]], recoded: Generalised
) -> None:
    found, best = _recode(people, budget=0), recoded
    assert (found.optimal, best.optimal) == (False, True)
    assert found.after.k >= 5
    assert found.loss >= best.loss
    assert "search stopped" in found.sentence


def test_given_groups() -> None:
    frame = pl.DataFrame({"country": ["Mali", "Chad", "Peru", "Cuba"]})
    column = [Column("country", "feature", "nominal")]
    continents = {"Mali": "Africa", "Chad": "Africa", "Peru": "America", "Cuba": "America"}
    found = generalise(frame, column, k=2, given={"country": continents})
    assert found.frame["country"].to_list() == ["Africa", "Africa", "America", "America"]
    assert found.loss == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="lack 1 of its categories"):
        generalise(frame, column, k=2, given={"country": {"Mali": "x", "Chad": "x", "Peru": "y"}})
    crossed = dict(zip(continents, "abab", strict=True))
    with pytest.raises(InputError, match="not nested"):
        generalise(frame, column, k=2, given={"country": [continents, crossed]})


def test_the_class_of_the_withheld_is_large_enough_too() -> None:
    frame = pl.DataFrame({"year": [1980] * 4 + [1981] * 6 + [1990], "job": "a", "month": 1, "trait": 1})
    # one person is alone; hidden alone, she would be the only one with nothing: the smallest class hides with her
    found = generalise(frame, [YEAR], k=4, suppress=0.5)
    assert (found.suppressed, found.loss) == (5, 0.0)
    assert found.frame["year"].to_list() == [None] * 4 + [1981] * 6 + [None]
    assert found.steps[0].withheld == 5
    assert generalise(frame, [YEAR], k=4, suppress=0.1).suppressed == 0
    empty = frame.with_columns(year=pl.Series([None] * 4 + [1981] * 6 + [1990]))
    assert generalise(empty, [YEAR], k=4, suppress=0.1).suppressed == 1, "she hides among those who had no year"


def test_levels_by_kind() -> None:
    def says(values: list[Any], column: Column) -> list[str]:
        return [level.says for level in hierarchies(Table(pl.DataFrame({column.name: values}), [column]))[0].levels]

    assert says([1, 2, 3, 12], MONTH) == ["as it is", "arcs of 2", "arcs of 4", "withheld"]
    assert says([1.5, 1.75, 2.0], YEAR)[1] == "bands of 0.64 years", "of .02, .04 ... the first that joins two"
    jobs = [letter for place, letter in enumerate("abcdefgh") for _ in range(place + 1)]
    assert says(jobs, JOB) == ["as it is", *(f"the {n} most frequent categories" for n in (6, 4, 2, 1)), "withheld"]
    assert says([None, None], YEAR) == ["as it is", "withheld"]
    assert says([True, False], JOB) == ["as it is", "withheld"]
    frame = pl.DataFrame({"lat": [48.1, 48.9, -3.0], "lon": [11.0, 11.6, 178.0]})
    columns = [Column("lat", "feature", "continuous"), Column("lon", "feature", "cyclic", period=360.0)]
    (grid,) = hierarchies(described_columns(frame, columns))
    assert [level.says for level in grid.levels] == ["as it is", "a grid of 1 degrees", "withheld"]
    assert grid.levels[1].values[grid.base].rows() == [(48.5, 11.5), (48.5, 11.5), (-2.5, 178.5)]
    with pytest.raises(InputError, match="has no bands"):
        hierarchies(Table(pl.DataFrame({"year": [[1.0]]}), [YEAR]))


def test_the_middle_of_an_arc_stays_on_the_circle() -> None:
    column = Column("longitude", "feature", "cyclic", "degrees", period=360.0)
    frame = pl.DataFrame({"longitude": [-179.0, 179.0, -0.5, 0.5, 90.0]})
    for level in hierarchies(described_columns(frame, [column]))[0].levels[1:-1]:
        assert level.values["longitude"].is_between(-180, 180).all()
        made = level.values[hierarchies(described_columns(frame, [column]))[0].base]["longitude"].to_numpy()
        gap = np.abs((made - frame["longitude"].to_numpy() + 180) % 360 - 180)
        assert gap.max() <= float(level.says.split()[2]) / 2


@given(tables)
def test_levels_are_nested_and_lose_ever_more(frame: pl.DataFrame) -> None:
    for hierarchy in hierarchies(described_columns(frame, ALL)):
        losses = [level.loss for level in hierarchy.levels]
        assert losses == sorted(losses)
        assert losses[0] == 0
        for finer, coarser in itertools.pairwise(hierarchy.levels):
            pairs = set(zip(finer.codes.tolist(), coarser.codes.tolist(), strict=True))
            assert len(pairs) == len(set(finer.codes.tolist()))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"k": 7}, "6 people cannot be 7-anonymous"),
        ({"k": 0}, "k and l are at least 1"),
        ({"k": 2, "suppress": 1.5}, "suppress a share"),
        ({"k": 2, "l": 2}, "needs sensitive columns"),
        ({"k": 2, "l": 4, "sensitive": [TRAIT]}, "fewer than l = 4"),
    ],
)
def test_what_cannot_be_met(settings: dict[str, Any], says: str) -> None:
    frame = pl.DataFrame({"year": [1, 2] * 3, "job": "a", "month": 1, "trait": [1, 2, 3] * 2})
    with pytest.raises(InputError, match=says):
        generalise(frame, ALL, **settings)
    for columns, wrong in (
        ([], "needs quasi"),
        ([YEAR, YEAR], "named twice"),
        ([Column("no", "feature", "nominal")], "no column"),
    ):
        with pytest.raises(InputError, match=wrong):
            generalise(frame, columns, k=2)
