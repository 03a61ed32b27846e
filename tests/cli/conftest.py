"""What tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.program import Run
from tests.cli.program import personax as program


@pytest.fixture
def personax() -> Run:
    """Run the command line in this process; return its exit code and what it printed."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        done = program(*words)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run
