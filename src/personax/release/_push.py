"""Push a release to a hub: verified, previewed, confirmed, then committed to a private data set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personax.errors import FetchError, InputError, require
from personax.release._layout import read_card
from personax.release._untrusted_folder import UntrustedFolder, open_folder
from personax.release.checks._check import mapping
from personax.release.checks._verify import verify_folder
from personax.release.reading._load import REPO, check_endpoint

__all__ = ["PushPreview", "PushResult", "push"]

HUB_FILE = ".gitattributes"
"""The hub's own file in every data set."""


@dataclass(frozen=True)
class PushPreview:
    """A preview of a push; its text is what a person confirms.

    Parameters
    ----------
    repo
        ``"user/name"``.
    files
        Path -> bytes.
    removed
        Files of an earlier push that the release no longer has; earlier commits keep them.
    private, gated
        Who will see it: only its owner; only those whom the owner lets in.
    licence, verdict
        Of the card and the audit.
    undetermined
        Checks whose outcome is ``cannot tell``.
    """

    repo: str
    files: Mapping[str, int]
    removed: Sequence[str]
    private: bool
    gated: bool
    licence: str
    verdict: str
    undetermined: Sequence[str]

    def __str__(self) -> str:
        seen = "only you can see it" if self.private else "everybody can see it"
        lines = [
            f"to {self.repo}: {len(self.files)} files, {sum(self.files.values()):,} bytes; {seen}",
            *(f"  {name}  {size:,}" for name, size in self.files.items()),
            *(f"  {name}  is removed; earlier commits keep it" for name in self.removed),
            f"access: {'on request, granted by you' if self.gated else 'no request needed'}",
            f"licence: {self.licence}",
            f"audit: {self.verdict}",
            *([f"could not be verified: {', '.join(self.undetermined)}"] if self.undetermined else []),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class PushResult:
    """The result of a push: the data set's address and the commit."""

    url: str
    commit: str
    sent: PushPreview = field(repr=False)


def push(
    folder: str | os.PathLike[str],
    repo: str,
    *,
    confirm: Callable[[PushPreview], bool],
    token: str | None = None,
    private: bool = True,
    gated: bool = True,
    endpoint: str | None = None,
    message: str = "A release by personax",
) -> PushResult:
    """Send a release folder to a hub's data set.

    The data set is made where there is none. It then holds this release and nothing else; all files are one commit.

    Parameters
    ----------
    folder
        A release that `personax.release.verify.verify` finds no fault in.
    repo
        ``"user/name"``.
    confirm
        Receives the preview and returns whether to send; the command line has the person type the data set's name.
    token
        Of a hub's user who may write; None takes what huggingface_hub finds, HF_TOKEN first. It is never written.
    private
        Only its owner sees it. Making a data set public is a step of its own, and one that cannot be taken back.
    gated
        Whoever wants it must ask and accept its terms.
    endpoint
        Of the hub; None takes the setting of huggingface_hub.
    message
        Of the commit.

    Raises
    ------
    InputError
        A check fails, there is no token, a private data set was wanted and it is public, or nobody confirmed.
    FetchError
        The hub refuses or does not answer.
    """
    if not REPO.fullmatch(repo):
        raise InputError(f"{repo!r} is no name of a data set; say user/name")
    found = open_folder(Path(folder))
    verification = verify_folder(found)
    if verification.failed:
        faults = "; ".join(f"{check.name}: {check.text}" for check in verification.failed)
        raise InputError(f"nothing was sent: {faults}")
    hub = require("huggingface_hub", extra="release")
    own = token or hub.get_token()
    if not own:
        raise InputError("nothing was sent: there is no token; set HF_TOKEN to one that may write")
    check_endpoint(hub, endpoint)
    api = hub.HfApi(endpoint=endpoint, token=own, library_name="personax")
    with _hub_errors(repo, own):
        there = _info(api, repo)
    if there is not None and private and not there.private:
        raise InputError(f"nothing was sent: {repo} is public; make it private on the hub, or take another name")
    undetermined = [check.name for check in verification.checks if check.outcome == "cannot tell"]
    preview = _preview(found, repo, there, private=private, gated=gated, undetermined=undetermined)
    if not confirm(preview):
        raise InputError(f"nothing was sent: sending to {repo} was not confirmed")
    with _hub_errors(repo, own):
        if there is None:
            api.create_repo(repo, repo_type="dataset", private=private)
            there = _info(api, repo)
            if there is None or (private and not there.private):
                raise InputError(f"nothing was sent: the hub did not make {repo} private; look at it there")
        if gated:
            api.update_repo_settings(repo, repo_type="dataset", gated="manual")
        return _commit(hub, api, found, preview, there, message)


def _info(api: Any, repo: str) -> Any:  # noqa: ANN401 - the hub's client is imported late
    not_found = require("huggingface_hub.errors", extra="release").RepositoryNotFoundError
    try:
        return api.repo_info(repo, repo_type="dataset")
    except not_found:
        return None


def _preview(
    folder: UntrustedFolder,
    repo: str,
    there: Any,  # noqa: ANN401 - the hub's client is imported late
    *,
    private: bool,
    gated: bool,
    undetermined: Sequence[str],
) -> PushPreview:
    about, _ = read_card(folder.text("README.md")) if "README.md" in folder.files else ({}, "")
    audit = mapping(folder.json("audit.json")) if "audit.json" in folder.files else {}
    before = {file.rfilename for file in there.siblings or ()} if there is not None else set()
    return PushPreview(
        repo=repo,
        files={name: path.stat().st_size for name, path in folder.files.items()},
        removed=sorted(before - set(folder.files) - {HUB_FILE}),
        private=bool(there.private) if there is not None else private,
        gated=gated,
        licence=str(about.get("license_name") or about.get("license") or "not stated"),
        verdict=str(audit.get("verdict") or "not attacked"),
        undetermined=undetermined,
    )


def _commit(hub: Any, api: Any, folder: UntrustedFolder, preview: PushPreview, there: Any, message: str) -> PushResult:  # noqa: ANN401 - the hub's client is imported late
    added = [hub.CommitOperationAdd(name, str(path)) for name, path in folder.files.items()]
    gone = [hub.CommitOperationDelete(name) for name in preview.removed]
    made = api.create_commit(
        preview.repo, [*gone, *added], commit_message=message, repo_type="dataset", parent_commit=there.sha
    )
    # a .gitignore on the hub makes it pass over files without a word
    arrived = set(api.list_repo_files(preview.repo, repo_type="dataset", revision=made.oid)) - {HUB_FILE}
    if arrived != set(preview.files):
        wrong = ", ".join(sorted(arrived ^ set(preview.files)))
        raise FetchError(f"{preview.repo} does not hold what was sent; look there for {wrong}")
    return PushResult(f"{api.endpoint}/datasets/{preview.repo}", str(made.oid), preview)


@contextmanager
def _hub_errors(repo: str, token: str) -> Iterator[None]:
    """Convert errors of the hub's client to one sentence without the token."""
    errors = require("huggingface_hub.errors", extra="release")
    try:
        yield
    except (errors.HTTPError, OSError, RuntimeError, ValueError) as error:
        inner = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
        status = getattr(getattr(inner, "response", None), "status_code", None)
        message = str(getattr(inner, "server_message", None) or type(inner).__name__).replace(token, "***")
        short = "".join(letter for letter in message if letter.isprintable())[:200]
        answer = f"answered {status}, {short}" if status else f"could not be asked, {short}"
        raise FetchError(f"pushing to {repo} stopped: the hub {answer}; look at {repo} there and push again") from None
