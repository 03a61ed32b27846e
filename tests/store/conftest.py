"""A finished study, run once for all tests of the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.store.helpers import STUDY

from personax.study import Study


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study that ran through; tests work on copies."""
    root = tmp_path_factory.mktemp("finished") / "study"
    root.mkdir()
    (root / "study.yaml").write_text(STUDY)
    Study.load(root).run()
    return root
