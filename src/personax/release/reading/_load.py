"""Load a release from a folder or a hub: our layout, a published one, or any with a mapping."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import polars as pl

from personax.data.columns import infer_columns
from personax.data.table import Table
from personax.errors import FetchError, InputError, require
from personax.http import is_loopback
from personax.release._file_formats import format_of, stem_of
from personax.release._layout import described_columns, is_personax_layout, modality_files, read_card, table_files
from personax.release._untrusted_folder import MAX_BYTES, UntrustedFolder, open_folder, single_file
from personax.release._untrusted_tables import read_frame, read_schema
from personax.release.checks._verify import verify_folder
from personax.release.reading._foreign_tables import read_foreign
from personax.release.reading._released import Embeddings, Released, VectorSource
from personax.release.statistics._read import FILE, read_statistics
from personax.schema import Column

__all__ = ["PATTERNS", "REPO", "check_endpoint", "load_release", "open_release", "read_ours", "snapshot"]


REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*")
PATTERNS = [
    "*.parquet", "*.csv", "*.tsv", "*.jsonl", "*.ndjson", "*.json", "*.arrow", "*.feather", "*.ipc", "*.npy", "*.npz",
    "*.csv.gz", "*.tsv.gz", "*.jsonl.gz", "*.ndjson.gz", "*.json.gz", "*.npy.gz", "*.md", "*.cff", "SHA256SUMS",
]  # fmt: skip


def check_endpoint(hub: ModuleType, endpoint: str | None) -> None:
    """Refuse a hub over plain http, except on this machine: a token would be readable on the way.

    Raises
    ------
    InputError
        When it is one.
    """
    parts = urlsplit(endpoint or hub.constants.ENDPOINT)
    if parts.scheme != "https" and not is_loopback(parts.netloc):
        raise InputError("the hub's address is plain http, by which a token can be read on the way; give https")


def snapshot(
    repo: str, *, revision: str | None, token: str | None, cache: Path | None, endpoint: str | None
) -> UntrustedFolder:
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
    check_endpoint(hub, endpoint)
    request = {
        "repo_type": "dataset", "revision": revision, "token": token, "cache_dir": cache, "endpoint": endpoint,
        "allow_patterns": PATTERNS,
    }  # fmt: skip
    try:
        try:
            planned = hub.snapshot_download(repo, **request, dry_run=True)
        except hub_errors.DryRunError:
            planned = []  # offline: what the cache has is taken
        for file in planned:
            if (file.file_size or 0) > MAX_BYTES:
                raise InputError(f"{repo}: {file.filename} has more than {MAX_BYTES:,} bytes; it is not fetched")
        folder = Path(hub.snapshot_download(repo, **request))
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


def read_ours(folder: UntrustedFolder) -> tuple[Table, dict[str, dict[str, VectorSource]]]:
    """Return the people, what their columns mean, and where the vectors lie.

    Raises
    ------
    InputError
        A part is missing or is not what the layout says.
    """
    people = read_frame([folder.files[name] for name in table_files(folder, "people")])
    if "id" not in people.columns or people["id"].null_count() or people["id"].n_unique() < people.height:
        raise InputError(f"{folder.root}: the people need one id each; get the release again")
    people = people.with_columns(pl.col("id").cast(pl.String))
    given = described_columns(folder)
    columns = infer_columns(people, {name: given[name] for name in people.columns if name in given})
    sources: dict[str, dict[str, VectorSource]] = {}
    for modality, names in modality_files(folder).items():
        paths = tuple(folder.files[name] for name in names)
        types = read_schema(paths[0])
        if "id" not in types:
            raise InputError(f"{names[0]} has no column id; get the release again")
        sources[modality] = {
            name: VectorSource(
                paths, name, "id", people["id"], kind.size if isinstance(kind, pl.Array) else None, strict=True
            )
            for name, kind in types.items()
            if kind.is_nested()
        }
    return Table(people, columns).open(), sources


def load_release(
    where: str | os.PathLike[str],
    *,
    mapping: Mapping[str, str] | None = None,
    revision: str | None = None,
    token: str | None = None,
    cache: Path | None = None,
    endpoint: str | None = None,
    verify: bool = False,
) -> Released:
    """Read a release.

    Parameters
    ----------
    where
        The folder of a release, a folder of tables and arrays (Parquet, CSV, JSON, Arrow, npy, npz), or a data set of a
        hub, ``"user/name"``.
    mapping
        For other layouts: column -> ``id``, ``feature``, ``target``, ``embedding:<modality>`` or ``leave``; features
        and targets may have a kind and a period behind them, as in ``feature:cyclic:12``. A file's path -> ``leave``.
    revision, token, cache, endpoint
        Of a hub; None takes the settings of huggingface_hub, among them its offline mode and cache.
    verify
        Also verify it, and refuse it when a check fails.

    Returns
    -------
    Released
        The people at once; vectors are read when asked for.

    Raises
    ------
    InputError
        Not a release, columns that cannot be placed (the text has a mapping to start from), or a check that fails.
    FetchError
        The hub does not give it.

    Notes
    -----
    Nothing in a release is trusted: links, pickles, nested objects and files beyond bounds are refused.

    Examples
    --------
    >>> import tempfile
    >>> import polars as pl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = pl.DataFrame({"code": ["a", "b"], "height": [1.8, 1.7], "final_o": [1.0, 2.5]})
    ...     frame.write_parquet(Path(folder) / "people.parquet")
    ...     mapping = {"code": "id", "height": "feature:continuous", "final_o": "target"}
    ...     load_release(folder, mapping=mapping).traits
    ['final_o']
    """
    folder, name = open_release(where, revision=revision, token=token, cache=cache, endpoint=endpoint)
    if verify:
        failed = verify_folder(folder).failed
        if failed:
            raise InputError(f"{where} does not hold what it says: {failed[0].name}: {failed[0].text}")
    return _read(folder, name, mapping)


def open_release(
    where: str | os.PathLike[str],
    *,
    revision: str | None = None,
    token: str | None = None,
    cache: Path | None = None,
    endpoint: str | None = None,
) -> tuple[UntrustedFolder, str]:
    """Return the folder of a release, fetched where it is a hub's, and its name; arguments as of `load_release`.

    Raises
    ------
    InputError
        There is no such folder, or it holds links and other things that are no plain files.
    FetchError
        The hub does not give it.
    """
    path = Path(where)
    if path.is_dir():
        folder, name = open_folder(path), path.resolve().name
    elif path.is_file() and format_of(path.name):
        folder, name = single_file(path), stem_of(path.name)
    elif isinstance(where, str) and REPO.fullmatch(where) and not path.exists():
        folder = snapshot(where, revision=revision, token=token, cache=cache, endpoint=endpoint)
        name = where
    else:
        raise InputError(f"there is no folder {where}; give a folder, or a data set of a hub as user/name")
    if folder.odd:
        raise InputError(f"{where}: {folder.odd[0]}; take it out, or get the release again")
    return folder, name


def _read(folder: UntrustedFolder, name: str, mapping: Mapping[str, str] | None) -> Released:
    about, card = read_card(folder.text("README.md")) if "README.md" in folder.files else ({}, "")
    licence = about.get("license_name") or about.get("license")
    audit = folder.json("audit.json") if "audit.json" in folder.files else None
    verdict = audit.get("verdict") if isinstance(audit, dict) else None
    title = about.get("pretty_name")
    if FILE in folder.files and mapping is None and not is_personax_layout(folder):
        found = read_statistics(folder.json(FILE))
        nobody = Table(pl.DataFrame(schema={"id": pl.String}), [Column("id", "id", "nominal")])
        return Released(name, "noisy statistics", nobody, Embeddings({}), card, statistics=found)
    if is_personax_layout(folder) and mapping is None:
        layout, notices = "personax", []
        people, sources = read_ours(folder)
    else:
        read = read_foreign(folder, mapping)
        layout, people, sources, notices = read.layout, read.table, read.sources, read.notices
    return Released(
        name=title if isinstance(title, str) and title else name,
        layout=layout,
        table=people,
        embeddings=Embeddings(sources),
        card=card,
        licence=licence if isinstance(licence, str) else None,
        verdict=verdict if isinstance(verdict, str) else None,
        notices=tuple(notices),
    )
