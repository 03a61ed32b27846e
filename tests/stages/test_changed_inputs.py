"""Results of a file stand beside the hash of what was computed with, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from personax.errors import StudyError
from personax.stages._base import results_folder


@pytest.mark.parametrize("many", [1, 2])
def test_an_input_that_is_changed_meanwhile_is_not_certified(tmp_path: Path, many: int) -> None:
    files = [tmp_path / f"{place}.csv" for place in range(many)]
    for file in files:
        file.write_text("a,b\n1,2\n")
    out = tmp_path / "out"

    def compute() -> None:
        with results_folder(out, "independence", 1, seed=0, settings={}, inputs=files) as results:
            results.out.path("analysis.txt").write_text("found")
            files[0].write_text("a,b\n3,4\n")

    with pytest.raises(StudyError, match=r"0\.csv was changed while it was computed with; run it again"):
        compute()
    assert not (out / "analysis.txt").exists()
