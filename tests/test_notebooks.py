"""The notebooks of docs/notebooks: every cell of code runs, in an empty folder, and their last pictures are there."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
BFI = Path(__file__).parents[2] / "shared" / "data" / "bfi"


def run(name: str) -> tuple[dict[str, Any], list[Any]]:
    """Run the cells of a notebook; return its names and what each cell shows."""
    cells = json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = []
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        assert cell["outputs"] == [], "notebooks are kept without what they showed"
        body = ast.parse("".join(cell["source"])).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), name, "exec"), names)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), name, "eval"), names))
    return names, shown


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_papers_table_has_its_floor_below_its_ceiling() -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    names, (table, figure) = run("paper.ipynb")
    means = dict(table.select("method", "value").iter_rows())
    assert means["random"] < means["supervised"]
    assert names["scores"].height == 8
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_own_embeddings_are_tested_and_their_latents_found() -> None:
    _, ((text, image), pairs) = run("embeddings.ipynb")
    assert text < 1e-6 < 0.001 < image
    assert all(score > 0.95 for _, _, score in pairs)


@pytest.mark.skipif(not (BFI / "bfi.csv").is_file(), reason="the data of psych::bfi are not beside this copy")
def test_the_bfi_study_finds_what_its_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BFI", str(BFI))
    _, shown = run("bfi.ipynb")
    strongest = shown[-2].row(0, named=True)
    assert (strongest["feature"], strongest["target"], strongest["n"]) == ("gender", "final_a", 2797)
    assert strongest["effect_size"] == pytest.approx(0.208, abs=0.001)
    assert shown[-1].axes
