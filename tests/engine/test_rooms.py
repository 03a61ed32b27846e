"""Every room gives the same bytes, whichever engine of this machine its loops run on."""

from __future__ import annotations

from tests.engine.rooms import results

from personax.engine import ProcessEngine, ThreadEngine


def test_the_engine_changes_no_byte() -> None:
    expected = results(ThreadEngine(1))
    assert all(expected.values())
    assert results("threads", 2) == expected
    assert results(ProcessEngine(2)) == expected
