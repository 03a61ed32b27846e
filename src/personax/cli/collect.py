"""personax collect: people from files and sites; whether sites are still what this version reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personax import registry
from personax.cli.console import emit, showing_progress, table
from personax.cli.options import refuse
from personax.cli.run import FolderOption, ForceOption, JsonOption, StrictOption, StudyArgument, run_study
from personax.cli.trust import load_study
from personax.errors import PlanError

if TYPE_CHECKING:
    from personax.sources import CollectSeveral
    from personax.study import Study

__all__ = ["register"]

SourceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        help="Only this source; may stand more than once. A file by its name, or a registered one: "
        f"{', '.join(part.name for part in registry.parts('sources') if part.facts.get('reads', 'web') == 'web')}.",
    ),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="So many people of each source at most.")]
RefreshOption = Annotated[
    bool, typer.Option("--refresh", help="Ask again for pages that are there, on condition that they changed.")
]
ProbeOption = Annotated[
    bool, typer.Option("--probe", help="Fetch one list and one person of each source and say what can be read.")
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Send nothing; use the pages that are there.")]

EXAMPLES = (
    "Examples: personax collect my-study/study.yaml --source nba --limit 50   |   "
    "personax collect my-study/study.yaml --probe   |   "
    "personax collect my-study/study.yaml --force (asks again for what did not come, and nothing else)"
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("collect", epilog=EXAMPLES)
    def command(
        ctx: typer.Context,
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        source: SourceOption = None,
        limit: LimitOption = None,
        refresh: RefreshOption = False,
        probe: ProbeOption = False,
        offline: OfflineOption = False,
        strict: StrictOption = False,
    ) -> None:
        """Collect people from where the study file says."""
        from personax.sources import CollectSeveral
        from personax.stages import summaries

        loaded = load_study(study, folder=folder)
        section = loaded.plan.collect
        if not isinstance(section, CollectSeveral):
            own = ["source", "limit", "refresh", "probe", "offline"]
            refuse(ctx, own, f"to collect.source: {section.source}, only to several; leave it out")
            run_study(loaded, ["collect"], force=force, as_json=as_json, strict=strict)
            return
        if probe:
            refuse(ctx, ["limit", "refresh", "force"], "with --probe, which fetches one list and one person a source")
        chosen = {"only": source or section.only, "limit": limit or section.limit}
        _know(section, source or [])
        section = section.model_copy(
            update={**chosen, "refresh": refresh or section.refresh, "offline": offline or section.offline}
        )
        loaded.plan = loaded.plan.model_copy(update={"collect": section})
        if probe:
            _probe(loaded, section, as_json=as_json)
            return
        run_study(loaded, ["collect"], force=force or refresh, as_json=as_json, strict=strict)
        if not as_json:
            _summary(summaries(loaded.folder))


def _know(section: CollectSeveral, names: list[str]) -> None:
    from personax.strict import nearest

    known = [name for name, _ in section.named()]
    for name in names:
        if name not in known:
            raise PlanError(f"--source: no source of this study is called {name}; {nearest(name, known)}")


def _probe(study: Study, section: CollectSeveral, *, as_json: bool) -> None:
    from personax.stages import probe_sources

    with showing_progress() as progress:
        found = probe_sources(study.folder, section, study.plan.seed, progress)
    if as_json:
        emit([asdict(one) for one in found])
        return
    rows = [(one.source, one.state, one.why or _absent(one.missing)) for one in found]
    table("Sources of the web", ["source", "state", ""], rows)


def _absent(missing: Sequence[str]) -> str:
    return f"this person has no {', '.join(missing)}" if missing else ""


def _summary(found: list[dict[str, Any]]) -> None:
    rows = []
    for one in found:
        errors = [f"{number} {reason}" for reason, number in one["errors"].items()]
        shown = errors[:3] + ([f"and {len(errors) - 3} more reasons"] if len(errors) > 3 else [])
        missing = ", ".join(f"{column} {number:,}" for column, number in one["missing"].items())
        stopped = [f"stopped: {one['stopped']}"] if one["stopped"] else []
        rows.append((one["source"], f"{one['found']:,}", f"{one['complete']:,}", missing, "; ".join(stopped + shown)))
    table("", ["source", "found", "complete", "missing", "errors"], rows)
