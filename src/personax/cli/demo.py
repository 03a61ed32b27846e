"""personax demo: a whole study of invented people, from records to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personax.cli.init import write_study
from personax.cli.run import JsonOption, perform
from personax.study import Study

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax demo --out demo")
    def demo(
        out: Annotated[Path, typer.Option(help="The study folder to make, or to go on with.")] = Path("demo"),
        as_json: JsonOption = False,
    ) -> None:
        """Run a whole study on invented people, whose true causes are known, and write its report."""
        path = out / "study.yaml"
        if not path.exists():
            write_study(out, "demo.yaml")
        perform(Study.load(path), force=False, as_json=as_json)
