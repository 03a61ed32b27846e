"""A snapshot of a data set from a hub: data files and small texts only, kept in the hub's own cache."""

from __future__ import annotations

import re
from pathlib import Path

from personax.errors import FetchError, InputError, require
from personax.release.folder import MAX_BYTES, Folder, open_folder

__all__ = ["PATTERNS", "REPO", "snapshot"]

REPO = re.compile(r"[\w.-]+/[\w.-]+")
PATTERNS = [
    "*.parquet", "*.csv", "*.tsv", "*.jsonl", "*.ndjson", "*.json", "*.arrow", "*.feather", "*.ipc", "*.npy", "*.npz",
    "*.csv.gz", "*.tsv.gz", "*.jsonl.gz", "*.ndjson.gz", "*.json.gz", "*.npy.gz", "*.md", "*.cff", "SHA256SUMS",
]  # fmt: skip


def snapshot(repo: str, *, revision: str | None, token: str | None, cache: Path | None, endpoint: str | None) -> Folder:
    """Fetch a data set, or find it in the cache where the hub cannot be reached.

    Parameters
    ----------
    repo
        ``"user/name"``.
    revision, token, cache, endpoint
        As huggingface_hub takes them; None takes its own settings.

    Raises
    ------
    FetchError
        There is no such data set, it is gated, or the hub does not answer and the cache has nothing.
    InputError
        A file is larger than what is read.
    """
    hub = require("huggingface_hub", extra="release")
    hub_errors = require("huggingface_hub.errors", extra="release")
    asked = {
        "repo_type": "dataset", "revision": revision, "token": token, "cache_dir": cache, "endpoint": endpoint,
        "allow_patterns": PATTERNS,
    }  # fmt: skip
    try:
        try:
            planned = hub.snapshot_download(repo, **asked, dry_run=True)
        except hub_errors.DryRunError:
            planned = []  # offline: what the cache has is taken
        for file in planned:
            if (file.file_size or 0) > MAX_BYTES:
                raise InputError(f"{repo}: {file.filename} has more than {MAX_BYTES:,} bytes; it is not fetched")
        folder = Path(hub.snapshot_download(repo, **asked))
    except InputError:
        raise
    except hub_errors.GatedRepoError:
        raise FetchError(f"{repo} is gated; accept its terms on the hub and give a token") from None
    except hub_errors.RevisionNotFoundError:
        raise FetchError(f"{repo} has no revision {revision!r}; check it on the hub") from None
    except hub_errors.RepositoryNotFoundError:
        raise FetchError(f"the hub has no data set {repo} that this token may see; check the name and token") from None
    except (hub_errors.HTTPError, OSError, ValueError) as error:
        raise FetchError(f"{repo} could not be fetched ({type(error).__name__}); try again, or give a folder") from None
    # the cache keeps contents in blobs/ beside snapshots/ and links to them
    return open_folder(folder, store=folder.parent.parent / "blobs")
