"""personax annotate: the traits of a study's people; what asking LLMs would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from personax.cli.console import emit, say, table
from personax.cli.run import FolderOption, ForceOption, JsonOption, StudyArgument, run_study
from personax.cli.trust import load_study
from personax.config import AnnotateLLM
from personax.errors import PlanError
from personax.study import Study

if TYPE_CHECKING:
    from personax.traits.llms import CostEstimate

__all__ = ["CostOption", "DryOption", "register", "show_estimate"]

DryOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what LLMs would be asked and about what it costs; ask nothing.")
]
CostOption = Annotated[
    float | None,
    typer.Option(
        min=0, help="Stop before all replies of this study cost more; in place of max_cost in the study file."
    ),
]

EXAMPLES = (
    "Examples: personax annotate my-study/study.yaml --dry-run   |   "
    "personax annotate my-study/study.yaml --max-cost 5   |   "
    "personax annotate my-study/study.yaml --force (asks again what got no answer, and nothing else)"
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("annotate", epilog=EXAMPLES)
    def command(
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        dry_run: DryOption = False,
        max_cost: CostOption = None,
    ) -> None:
        """Rate people's traits, or score their answers; one score a trait."""
        loaded = load_study(study, folder=folder)
        if not dry_run and max_cost is None:
            run_study(loaded, ["annotate"], force=force, as_json=as_json)
            return
        section = loaded.plan.annotate
        if not isinstance(section, AnnotateLLM):
            raise PlanError("--dry-run and --max-cost are for annotate.source: llm; nothing else here costs anything")
        if dry_run:
            _estimate(loaded, section, as_json=as_json)
            return
        paid = AnnotateLLM.model_validate({**dict(section), "max_cost": max_cost})
        loaded.plan = loaded.plan.model_copy(update={"annotate": paid})
        run_study(loaded, ["annotate"], force=force, as_json=as_json)


def _estimate(study: Study, section: AnnotateLLM, *, as_json: bool) -> None:
    from personax.stages import estimate_annotation

    study.run(["collect"])
    show_estimate(estimate_annotation(study.folder, section, study.plan.seed), as_json=as_json)


def show_estimate(found: Sequence[CostEstimate], *, as_json: bool) -> None:
    """Print what would be asked, and about what it would cost."""
    if as_json:
        emit([asdict(one) for one in found])
        return
    rows = [
        (one.model, f"{one.answered:,}", f"{one.left:,}", f"{one.tokens_in:,}", f"{one.tokens_out:,}",
         "no price" if one.cost is None else _money(one.cost))
        for one in found
    ]  # fmt: skip
    table("About, without retries", ["model", "answered", "to ask", "tokens in", "tokens out", "cost"], rows)
    costs = [one.cost for one in found]
    if None not in costs:
        say(f"{_money(sum(cost or 0.0 for cost in costs))} in all, in the currency of the prices; nothing was asked")


def _money(cost: float) -> str:
    return f"{cost:.2f}" if cost >= 1 else f"{cost:.4f}"
