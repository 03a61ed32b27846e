"""personax init: write a commented study.yaml to start from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from personax.cli.console import emit, say
from personax.cli.run import JsonOption
from personax.errors import StudyError
from personax.files import write_text

__all__ = ["register", "write_study"]


def write_study(folder: Path, template: str) -> Path:
    """Write one of the packaged study files into a new study folder.

    Raises
    ------
    StudyError
        When the folder already holds a study.
    """
    path = folder / "study.yaml"
    if path.exists():
        text = f"{path} exists already; edit it, or choose another folder"
        raise StudyError(text)
    if folder.exists() and not folder.is_dir():
        text = f"{folder} is a file; choose another name for the study folder"
        raise StudyError(text)
    write_text(path, resources.files("personax").joinpath("studies", template).read_text(encoding="utf-8"))
    return path


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax init my-study")
    def init(
        folder: Annotated[Path, typer.Argument(help="The study folder to begin.")], as_json: JsonOption = False
    ) -> None:
        """Begin a study: write a commented study.yaml."""
        from personax.study import Study

        path = write_study(folder, "init.yaml")
        Study.load(path).trust()
        if as_json:
            emit({"study": str(path)})
        else:
            say(f"wrote {path}; edit it, then: personax run {path}")
