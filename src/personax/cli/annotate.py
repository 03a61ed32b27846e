"""personax annotate: the traits of a study's people; what asking LLMs would cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personax.cli.console import emit, say, showing_progress, table
from personax.cli.options import refuse
from personax.cli.run import FolderOption, ForceOption, JsonOption, StudyArgument, run_study
from personax.cli.signals import kept_when_stopped
from personax.cli.trust import load_study
from personax.errors import PlanError

if TYPE_CHECKING:
    from personax.config import AnnotateLLM, Plan
    from personax.study import Study
    from personax.traits.llms import Capability, CostEstimate

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

MissingOption = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of requests that may end without a reply; 0 by default.")
]
PartOption = Annotated[
    str | None, typer.Option(help="I/N: ask the I-th of N parts alone, as one of several hosts; with --shard.")
]
ShardOption = Annotated[Path | None, typer.Option(help="The journal of this host's part.")]
MergeOption = Annotated[
    list[Path] | None, typer.Option(help="Take in the journal of a host, each reply once; may be given several times.")
]
ExportOption = Annotated[
    Path | None,
    typer.Option(help="Write what is to be asked into this folder, in the form of vllm run-batch or of the provider."),
]
QuotaOption = Annotated[int | None, typer.Option(min=1, help="Requests in a batch file at most; 50,000 by default.")]
TokensOption = Annotated[int | None, typer.Option(min=1, help="Tokens in a batch file at most, about.")]
ImportOption = Annotated[
    list[Path] | None, typer.Option(help="Take in the replies of a batch run; may be given several times.")
]

ProbeOption = Annotated[
    bool, typer.Option("--probe", help="Ask every model once, about an invented person: what does its endpoint take?")
]


@dataclass(frozen=True)
class Hosts:
    """Annotation by several hosts, and by files."""

    part: str | None
    shard: Path | None
    merge: Sequence[Path]
    export_batch: Path | None
    import_batch: Sequence[Path]
    batch_requests: int | None = None
    batch_tokens: int | None = None

    @property
    def asked(self) -> bool:
        """Whether any of it is asked for."""
        return any((self.part, self.shard, self.merge, self.export_batch, self.import_batch))

    def run(self, study: Study, section: AnnotateLLM, *, as_json: bool) -> None:
        """Do what is asked for, and say what came of it.

        Raises
        ------
        PlanError
            A part without its journal, or none that can be.
        """
        from personax.stages import export_batches, import_batches, merge_shards
        from personax.traits.llms import BatchQuota

        study.run(["collect"])
        said: dict[str, Any] = {}
        if self.part or self.shard:
            said["part"] = self._ask(study, section)
        if self.export_batch:
            quota = BatchQuota(self.batch_requests or BatchQuota.requests, tokens=self.batch_tokens)
            written = export_batches(study.folder, section, self.export_batch, quota)
            said["exported"] = {str(path): count for path, count in written.items()}
        if self.import_batch:
            said["imported"] = asdict(import_batches(study.folder, section, self.import_batch))
        if self.merge:
            said["merged"] = asdict(merge_shards(study.folder, self.merge))
        if as_json:
            emit(said)
            return
        for what, facts in said.items():
            say(f"{what}: {', '.join(f'{name} {value}' for name, value in facts.items())}")

    def _ask(self, study: Study, section: AnnotateLLM) -> dict[str, Any]:
        from personax.stages import annotate_part

        found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", self.part or "")
        if found is None or int(found[1]) > int(found[2]) or self.shard is None:
            raise PlanError("--part is I/N, such as 2/8, and needs --shard FILE for the journal of this host")
        part = int(found[1]), int(found[2])
        kept = f"replies so far are in {self.shard}, and the same command goes on from there"
        with kept_when_stopped(lambda: kept), showing_progress() as progress:
            progress.stage(f"annotate {self.part}")
            outcomes = annotate_part(study.folder, section, part, self.shard, progress)
        return {one.model: f"{one.cached + one.completed} of {one.total}" for one in outcomes}


EXAMPLES = (
    "Examples: personax annotate my-study/study.yaml --dry-run   |   "
    "personax annotate my-study/study.yaml --probe   |   personax annotate my-study/study.yaml --max-cost 5   |   "
    "personax annotate my-study/study.yaml --force (asks again what got no answer, and nothing else)   |   "
    "personax annotate my-study/study.yaml --part 2/8 --shard journal-2.sqlite (one of eight hosts)   |   "
    "personax annotate my-study/study.yaml --merge journal-1.sqlite --merge journal-2.sqlite"
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("annotate", epilog=EXAMPLES)
    def command(
        ctx: typer.Context,
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        dry_run: DryOption = False,
        max_cost: CostOption = None,
        allow_missing: MissingOption = None,
        part: PartOption = None,
        shard: ShardOption = None,
        merge: MergeOption = None,
        export_batch: ExportOption = None,
        import_batch: ImportOption = None,
        batch_requests: QuotaOption = None,
        batch_tokens: TokensOption = None,
        probe: ProbeOption = False,
    ) -> None:
        """Rate people's traits, or score their answers; one score a trait."""
        from personax.config import AnnotateLLM

        loaded = load_study(study, folder=folder)
        hosts = Hosts(part, shard, merge or [], export_batch, import_batch or [], batch_requests, batch_tokens)
        if hosts.asked:
            whole = ["dry_run", "force", "allow_missing", *([] if part else ["max_cost"])]
            refuse(ctx, whole, "to parts, batches and --merge; run it without them, or the command without it")
        if dry_run:
            refuse(ctx, ["force", "max_cost", "allow_missing"], "with --dry-run, which asks nothing")
        if allow_missing is not None:
            loaded.plan = _allowing(loaded, allow_missing)
        if not (dry_run or probe or max_cost is not None or hosts.asked):
            run_study(loaded, ["annotate"], force=force, as_json=as_json)
            return
        section = loaded.plan.annotate
        if not isinstance(section, AnnotateLLM):
            raise PlanError(
                "--dry-run, --probe, --max-cost, parts and batches are for annotate.source: llm; nothing else asks"
            )
        if probe:
            _probe(loaded, section, as_json=as_json)
            return
        if hosts.asked:
            hosts.run(loaded, section if max_cost is None else section.replaced(max_cost=max_cost), as_json=as_json)
            return
        if dry_run:
            _estimate(loaded, section, as_json=as_json)
            return
        paid = AnnotateLLM.model_validate({**dict(section), "max_cost": max_cost})
        loaded.plan = loaded.plan.model_copy(update={"annotate": paid})
        run_study(loaded, ["annotate"], force=force, as_json=as_json)


def _allowing(study: Study, share: float) -> Plan:
    from personax.config import AnnotateLLM

    section = study.plan.annotate
    if not isinstance(section, AnnotateLLM):
        raise PlanError("--allow-missing is for annotate.source: llm; nothing else asks")
    return study.plan.model_copy(update={"annotate": section.replaced(allow_missing=share)})


def _probe(study: Study, section: AnnotateLLM, *, as_json: bool) -> None:
    from personax.stages import probe_endpoints

    with showing_progress() as progress:
        progress.stage("probe")
        found = probe_endpoints(study.folder, section)
    if as_json:
        emit([asdict(one) for one in found])
    else:
        show_capabilities(found)
    if any(one.reason for one in found):
        raise typer.Exit(1)


def show_capabilities(found: Sequence[Capability]) -> None:
    """Print what endpoints take, and what they say where they do not answer."""
    head = ("model", "answered", "structured", "limit", "temperature", "tokens counted", "seconds", "cost")
    table("What endpoints take, by one request about an invented person", head, (
        (one.model, "no" if one.reason else "readable" if one.readable else "not readable",
         str(one.takes.get("structured", "?")), str(one.takes.get("max_tokens", "?")),
         "yes" if one.takes.get("temperature") else "no", "yes" if one.counts_tokens else "no",
         "" if one.seconds is None else f"{one.seconds:.2f}", "" if one.cost is None else _money(one.cost))
        for one in found
    ))  # fmt: skip
    for one in found:
        if one.reason or one.unreadable_reason:
            say(f"{one.model}: {one.reason or one.unreadable_reason}")


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
