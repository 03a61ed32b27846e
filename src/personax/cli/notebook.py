"""personax notebook: a Jupyter notebook that opens a study, with a cell for every stage that it asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personax.cli.console import emit, say
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.errors import StudyError
from personax.files import write_text

if TYPE_CHECKING:
    from personax.study import Study

__all__ = ["notebook_cells", "register"]

_OPEN = """\
from personax import Study

study = Study.load({path!r}, folder={folder!r})
study  # where every stage stands; study.run() does what is missing"""

_CELLS: dict[str, tuple[str, str]] = {
    "collect": ("## Who", """\
people = study.results["collect"]["people"]  # stays in the study folder: names and texts are in it
people.describe()"""),
    "annotate": ("## Traits", """\
scores = study.results["annotate"]["traits"]
scores.describe()"""),
    "embed": ("## Vectors", """\
{name: list(table.columns[1:]) for name, table in study.results["embed"].items()}"""),
    "independence": ("## Level I: what depends on what", """\
import polars as pl

pvalues = study.results["independence"]["pvalues"]
shown = ["feature", "target", "test", "n", "p_value", "p_corrected", "effect_size", "direction_text"]
pvalues.filter(pl.col("rejected")).sort("effect_size", descending=True).select(shown).head(20)"""),
    "crl": ("## Level II: latents", """\
latents = study.results["crl"]["latents"]
latents.describe()"""),
    "discover": ("## A causal graph", """\
from personax import Graph

graph = Graph.from_json(study.folder.output("analysis", "discovery", "graph.json").read_text(encoding="utf-8"))
graph.to_frame()"""),
}  # fmt: skip
"""Stage -> heading and code."""

_FIGURE = """\
from personax import heatmap

heatmap(pvalues, pvalues["test"][0])  # a matplotlib figure; needs the extra figures"""


def notebook_cells(study: Study, *, path: str, folder: str) -> list[tuple[str, str]]:
    """Return kind (markdown or code) and text of each cell."""
    asked = [state.stage for state in study.status() if state.state != "unasked"]
    cells = [("markdown", f"# {study.plan.name}\n\nSeed {study.plan.seed}."),
             ("code", _OPEN.format(path=path, folder=folder))]  # fmt: skip
    for stage, (heading, code) in _CELLS.items():
        if stage in asked:
            cells += [("markdown", heading), ("code", code)]
            cells += [("code", _FIGURE)] if stage == "independence" else []
    return cells


def _as_notebook(cells: list[tuple[str, str]]) -> str:
    """Return the text of a notebook of format 4."""
    made: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(cells):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text}
        made.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}, indent=1,
        ensure_ascii=False,
    )  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax notebook my-study/study.yaml, then: jupyter lab my-study.ipynb")
    def notebook(
        study: StudyArgument,
        folder: FolderOption = None,
        out: Annotated[Path | None, typer.Option(help="Default: beside the study, with its name.")] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write a Jupyter notebook that opens a study."""
        from personax.data.object_store import is_remote
        from personax.study import Study

        loaded = Study.load(study, folder=folder)
        root = loaded.folder.root.resolve()
        place = out or root.with_name(f"{root.name}.ipynb")
        path = str(study if is_remote(study) else study.resolve())
        if place.exists():
            raise StudyError(f"{place} is there already, perhaps with work of yours; give another name by --out")
        write_text(
            place,
            _as_notebook(notebook_cells(loaded, path=path, folder=str(root))),
        )
        if as_json:
            emit({"notebook": str(place)})
        else:
            say(f"wrote {place}; open it by: jupyter lab {place}")
