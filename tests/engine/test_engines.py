"""Engines of one machine: the same results, whoever works; one sentence for what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engine import units

from personax.engine import Engine, ProcessEngine, ThreadEngine, find_engine, parallel_config
from personax.errors import ComputationError, InputError

LOCAL: list[Engine] = [ThreadEngine(1), ThreadEngine(3), ProcessEngine(2)]


def x() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).normal(size=(500, 40))


def test_results_are_the_same_to_the_bit() -> None:
    shared = {"x": x()}
    found = [
        [result for _, result in sorted(engine.map(units.drawn, np.random.default_rng(1).spawn(7), shared=shared))]
        for engine in LOCAL
    ]
    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) == 7


@pytest.mark.parametrize("engine", LOCAL, ids=str)
def test_no_items_and_fewer_items_than_workers(engine: Engine) -> None:
    assert list(engine.map(units.refuse, [], shared=None)) == []
    assert list(engine.map(units.refuse, iter([1]), shared=None)) == [(0, 1)]


def test_what_is_shared_may_be_changed_without_being_seen() -> None:
    shared = np.zeros(3)
    assert {value for _, value in ProcessEngine(2).map(units.changed, [1, 1], shared=shared)} <= {1.0, 2.0}
    assert shared.tolist() == [0, 0, 0]


def test_empty_and_strided_arrays_arrive() -> None:
    shared = {"x": np.asfortranarray(x())[::2], "none": np.zeros((0, 4)), "also": np.zeros(0)}
    one, two = (list(engine.map(units.drawn, np.random.default_rng(1).spawn(1), shared=shared)) for engine in LOCAL[1:])
    assert one == two


@pytest.mark.parametrize("engine", LOCAL, ids=str)
def test_an_error_of_an_item_is_raised_as_it_is(engine: Engine) -> None:
    with pytest.raises(InputError, match="item 3 cannot be"):
        list(engine.map(units.refuse, range(9), shared=None))


def test_what_cannot_be_sent_is_said() -> None:
    two = ProcessEngine(2)
    with pytest.raises(ComputationError, match=r"Odd: odd (0 0|1 1)"):
        list(two.map(units.odd, [0, 1], shared=None))
    with pytest.raises(InputError, match="a result cannot be sent back"):
        list(two.map(units.unsendable, [0], shared=None))
    with pytest.raises(InputError, match="an item cannot be sent to a process"):
        list(two.map(units.refuse, [lambda: 0], shared=None))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the work cannot be sent to 2 processes"):
        list(two.map(lambda _, item: item, [0], shared=None))


def test_a_worker_that_dies_is_told() -> None:
    with pytest.raises(ComputationError, match="one of 2 processes died while it worked"):
        list(ProcessEngine(2).map(units.die, range(6), shared=None))


def test_a_loop_that_is_left_ends_its_workers(tmp_path: Path) -> None:
    loop = ProcessEngine(2).map(units.slow, range(50), shared=str(tmp_path))
    next(loop)
    pids = {int(mark.name.partition("-")[2]) for mark in tmp_path.iterdir()}
    loop.close()  # type: ignore[attr-defined]
    assert pids
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_choosing() -> None:
    assert find_engine("processes") == ThreadEngine(1)
    assert find_engine("processes", 2) == ProcessEngine(2)
    with parallel_config("threads", 3):
        assert find_engine("processes") == ThreadEngine(3)
        assert find_engine("processes", 2) == ThreadEngine(2)
        with parallel_config("local"):
            assert find_engine("threads") == ThreadEngine(3)
        with parallel_config(ProcessEngine(5)):
            assert find_engine("threads") == ProcessEngine(5)
    assert find_engine("threads") == ThreadEngine(1)
    with pytest.raises(InputError, match="there is no engine 'dask'"), parallel_config("dask"):
        pass
    with pytest.raises(InputError, match="0 jobs"):
        find_engine("threads", 0)
    with pytest.raises(InputError, match="0 jobs"), parallel_config(jobs=0):
        pass
