"""personax compare: studies side by side, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax.cli.console import emit, say
from personax.cli.outputs import own_file
from personax.cli.run import JsonOption
from personax.files import write_text

if TYPE_CHECKING:
    from personax.study import Study

__all__ = ["register"]

EXAMPLE = "Example: personax compare my-study gpt-study other-seed/study.yaml --out compare.html"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("compare", epilog=EXAMPLE)
    def compare(
        studies: Annotated[list[Path], typer.Argument(help="Study files or folders; two or more.")],
        out: Annotated[Path, typer.Option(help="The page.")] = Path("compare.html"),
        title: Annotated[str, typer.Option(help="Heading of the page.")] = "Studies side by side",
        as_json: JsonOption = False,
    ) -> None:
        """Put studies that differ in LLM, prompt, people or seed side by side: which findings hold."""
        from personax.report import compare_studies, render_study_comparison
        from personax.study import Study

        own_file(out)
        loaded = [Study.load(path) for path in studies]
        found = compare_studies([(_name(study, loaded), study.report_data()) for study in loaded])
        write_text(out, render_study_comparison(found, title=title))
        if as_json:
            rows = [{"feature": one.feature, "target": one.target, "found": one.found, "tested": one.tested,
                     "verdict": one.verdict} for one in found.findings]  # fmt: skip
            emit({"out": str(out), "verdicts": found.verdicts, "findings": rows, "settings": dict(found.settings)})
            return
        say(found.sentence)
        say(f"wrote {out}")


def _name(study: Study, others: list[Study]) -> str:
    """Return the study's name, with its folder where another has the same name."""
    twins = sum(other.plan.name == study.plan.name for other in others) > 1
    return f"{study.folder.root.resolve().name}: {study.plan.name}" if twins else study.plan.name
