"""A server and a journal of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.traits.llms.llm_server import Server, serving

from personax.traits.llms._journal import ReplyJournal


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[ReplyJournal]:
    with ReplyJournal(tmp_path / "journal.sqlite") as opened:
        yield opened
