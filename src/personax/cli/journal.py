"""personax journal: what LLMs said, as the journal of a study has it; forgetting a person, dropping a model, copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax.cli.console import emit, say, table
from personax.cli.outputs import own_file
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.cli.trust import load_study
from personax.errors import InputError

if TYPE_CHECKING:
    from personax.traits.llms import ReplyJournal

__all__ = ["register"]

AGAIN = "`personax annotate STUDY --force` makes the study's scores without it"


@contextmanager
def _journal(study: Path, folder: Path | None) -> Iterator[ReplyJournal]:
    from personax.stages import JOURNAL
    from personax.traits.llms import ReplyJournal

    path = load_study(study, folder=folder).folder.path(*JOURNAL)
    if not path.is_file():
        raise InputError(f"there is no journal {path}; run annotate with LLMs first")
    with ReplyJournal(path) as journal:
        yield journal


def _cache(study: Path, folder: Path | None) -> Path | None:
    """Return the journal that the study shares with others, where it has one."""
    loaded = load_study(study, folder=folder)
    cache = getattr(loaded.plan.annotate, "cache", None)
    return None if cache is None else loaded.base / cache


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="What LLMs said, as the journal of a study has it.")
    app.add_typer(group, name="journal")

    @group.command("list")
    def list_(study: StudyArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
        """Count replies, failures, tokens and cost of every model."""
        from personax.traits.llms import journal_models

        with _journal(study, folder) as journal:
            found = journal_models(journal)
        if as_json:
            emit([asdict(one) for one in found])
            return
        head = ("model", "replies", "asked again", "people", "no reply", "tokens in", "out", "cost", "first", "last")
        table("", head, (
            (one.model, f"{one.replies:,}", f"{one.repairs:,}", f"{one.people:,}", f"{one.failures:,}",
             f"{one.tokens_in:,}", f"{one.tokens_out:,}", f"{one.cost:.4g}", one.first, one.last) for one in found
        ))  # fmt: skip

    @group.command()
    def show(
        study: StudyArgument,
        person: Annotated[str, typer.Argument(help="The id of a person.")],
        folder: FolderOption = None,
        asked: Annotated[bool, typer.Option("--asked", help="Print what was asked, too.")] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Print every reply about one person; --asked prints what was asked, too."""
        from personax.traits.llms import replies_of, shown_text

        with _journal(study, folder) as journal:
            found = replies_of(journal, person)
        if as_json:
            emit([asdict(one) for one in found])
            return
        for one in found:
            again = ", asked again" if one.turn else ""
            say(f"{one.model}, {one.prompt}, repeat {one.repeat}{again}: {one.reply.get('finish')}")
            for message in one.messages if asked else ():
                say(f"{message['role']}: {shown_text(message)}")
            say(str(one.reply.get("content") or one.reply.get("refusal") or "(nothing)"))
        if not found:
            say(f"the journal holds nothing of {person}")

    @group.command()
    def forget(
        study: StudyArgument,
        person: Annotated[str, typer.Argument(help="The id of a person.")],
        folder: FolderOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Remove every reply about one person, so that none stays in the file, nor in a shared cache."""
        from personax.traits.llms import ReplyJournal, forget_person

        with _journal(study, folder) as journal:
            removed = forget_person(journal, person)
        cache = _cache(study, folder)
        if cache is not None and cache.is_file():
            with ReplyJournal(cache) as shared:
                removed += forget_person(shared, person)
        text = f"{removed} replies about {person} were removed; {AGAIN}; take the person out of the sources, too"
        emit({"person": person, "removed": removed}) if as_json else say(text)

    @group.command()
    def drop(
        study: StudyArgument,
        model: Annotated[str, typer.Argument(help="The name of a model.")],
        folder: FolderOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Remove the replies of one model; asked again, they are paid for again."""
        from personax.traits.llms import drop_model

        with _journal(study, folder) as journal:
            removed = drop_model(journal, model)
        text = f"{removed} replies of {model} were removed; {AGAIN}, or asks it again"
        emit({"model": model, "removed": removed}) if as_json else say(text)

    @group.command()
    def export(
        study: StudyArgument,
        out: Annotated[Path, typer.Argument(help="A file of JSON lines.")],
        folder: FolderOption = None,
        asked: Annotated[bool, typer.Option("--asked", help="With what was asked.")] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Write every reply as a line of JSON."""
        from personax.traits.llms import export_journal

        own_file(out, "the name of a new file")
        with _journal(study, folder) as journal:
            count = export_journal(journal, out, asked=asked)
        emit({"out": str(out), "replies": count}) if as_json else say(f"{count:,} replies were written to {out}")

    @group.command()
    def backup(
        study: StudyArgument,
        out: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
        folder: FolderOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Copy the journal, also while it is in use."""
        from personax.traits.llms import backup_journal

        with _journal(study, folder) as journal:
            backup_journal(journal, out)
        emit({"out": str(out)}) if as_json else say(f"the journal was copied to {out}")
