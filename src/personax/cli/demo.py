"""personax demo: a whole study of invented people, from records to report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax.cli.console import say, showing_progress
from personax.cli.init import write_study
from personax.cli.run import JsonOption, run_study
from personax.cli.trust import load_study

if TYPE_CHECKING:
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
        from personax.study import Study

        path = out / "study.yaml"
        if not path.exists():
            write_study(out, "demo.yaml")
            Study.load(path).trust()
        study = load_study(path)
        run_study(study, force=False, as_json=as_json)
        if not as_json:
            _meet(study)


def _meet(study: Study) -> None:
    """Take the release as somebody else would: verify it, and load it by tools of others."""
    from personax.release import check_third_party_readers, verify

    place = study.folder.path("release")
    with showing_progress() as progress:
        progress.stage("reading the release back")
        found = verify(place)
        loaded = check_third_party_readers(place)
    say(f"{place}: {len(found.checks) - len(found.failed)} of {len(found.checks)} checks find no fault")
    for check in [*found.failed, *loaded]:
        say(f"{check.outcome:>12}  {check.name}: {check.text}")
    if any(check.outcome == "fails" for check in (*found.failed, *loaded)):
        raise typer.Exit(1)
