"""The page on parts of one's own is a file that runs, passes the kits, and meets categories honestly."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"

USE = """
import polars as pl
import outer
from personax.independence import screen

frame = pl.DataFrame({"y": [float(k * 7 % 13) for k in range(60)], "club": ["a", "b", "c", "d"] * 15,
                      "x": [float(k * 7 % 13) + k % 2 for k in range(60)]})
for row in screen(frame, ["x", "club"], ["y"], tests=["spearman"]).iter_rows(named=True):
    print(row["feature"], row["p_value"] is None, row["reason"])
"""


def test_the_page_runs_and_a_test_of_numbers_gets_no_numbers_for_categories(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "outer.py").write_text("\n".join(blocks), encoding="utf-8")
    subprocess.run([sys.executable, "outer.py"], cwd=tmp_path, check=True)
    told = subprocess.run([sys.executable, "-c", USE], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    number, category = told.splitlines()
    assert number == "x False None"
    assert category.startswith("club True spearman of outer failed (ValueError: could not convert string to float")
