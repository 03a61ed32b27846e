"""The one door: a folder or a hub's data set, of our layout, a published one, or any with a mapping."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from personax.data.table import Table
from personax.errors import InputError
from personax.release.card import read_card
from personax.release.folder import Folder, one_file, open_folder
from personax.release.formats import format_of, stem_of
from personax.release.layout import is_ours
from personax.release.reading.foreign import read_foreign
from personax.release.reading.hub import REPO, snapshot
from personax.release.reading.ours import read_ours
from personax.release.reading.released import Embeddings, Released
from personax.release.statistics.reading import FILE, read_statistics
from personax.release.verify import verify_folder
from personax.schema import Column

__all__ = ["load_release", "opened"]


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
    folder, name = opened(where, revision=revision, token=token, cache=cache, endpoint=endpoint)
    if verify:
        failed = verify_folder(folder).failed
        if failed:
            raise InputError(f"{where} does not hold what it says: {failed[0].name}: {failed[0].text}")
    return _read(folder, name, mapping)


def opened(
    where: str | os.PathLike[str],
    *,
    revision: str | None = None,
    token: str | None = None,
    cache: Path | None = None,
    endpoint: str | None = None,
) -> tuple[Folder, str]:
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
        folder, name = one_file(path), stem_of(path.name)
    elif isinstance(where, str) and REPO.fullmatch(where) and not path.exists():
        folder = snapshot(where, revision=revision, token=token, cache=cache, endpoint=endpoint)
        name = where
    else:
        raise InputError(f"there is no folder {where}; give a folder, or a data set of a hub as user/name")
    if folder.odd:
        raise InputError(f"{where}: {folder.odd[0]}; take it out, or get the release again")
    return folder, name


def _read(folder: Folder, name: str, mapping: Mapping[str, str] | None) -> Released:
    about, card = read_card(folder.text("README.md")) if "README.md" in folder.files else ({}, "")
    licence = about.get("license_name") or about.get("license")
    said = folder.json("audit.json") if "audit.json" in folder.files else None
    verdict = said.get("verdict") if isinstance(said, dict) else None
    title = about.get("pretty_name")
    if FILE in folder.files and mapping is None and not is_ours(folder):
        found = read_statistics(folder.json(FILE))
        nobody = Table(pl.DataFrame(schema={"id": pl.String}), [Column("id", "id", "nominal")])
        return Released(name, "noisy statistics", nobody, Embeddings({}), card, statistics=found)
    if is_ours(folder) and mapping is None:
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
