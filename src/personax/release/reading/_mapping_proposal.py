"""A proposed mapping for a release of unknown layout, with every guess listed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from personax.errors import InputError
from personax.release._file_formats import TABLES, format_of, stem_of
from personax.release._layout import is_personax_layout
from personax.release._untrusted_folder import UntrustedFolder
from personax.release._untrusted_tables import NestedError, as_ids
from personax.release.reading._column_mapping import LEAVE, ColumnMapper, UnknownColumnError
from personax.release.reading._foreign_tables import (
    ForeignTable,
    TableError,
    grouped,
    is_unknown,
    read_foreign,
    read_table,
)
from personax.release.reading._known_layouts import modality_of, recognise
from personax.release.reading._load import open_release
from personax.release.reading._released import Embeddings

__all__ = ["MappingProposal", "propose_mapping"]

_ID_NAME = re.compile(
    r"(^|[^a-z])(id|ids|uid|uuid|pid|key|code|hash|pseudonym|identifier|person|participant|subject|respondent)([^a-z]|$)"
)


_PACKED = ("zip", "tar", "tgz", "7z", "rar", "bz2", "xz", "zst")


@dataclass
class MappingProposal:
    """A proposed mapping of a release.

    Parameters
    ----------
    mapping
        As `load_release` takes it; a file that is left out stands in it by its path. Empty where the layout is known.
    guessed
        Columns whose word nobody has given.
    unread
        One sentence for everything that is left out because it cannot be read or joined.
    lost
        Those of them that speak of whole tables.
    """

    mapping: dict[str, str] = field(default_factory=dict)
    guessed: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def propose_mapping(
    where: str | os.PathLike[str], mapping: Mapping[str, str] | None = None, *, revision: str | None = None
) -> MappingProposal:
    """Guess what the columns of a release are, and find out what of it cannot be read.

    Parameters
    ----------
    where, revision
        As `load_release` takes them.
    mapping
        What is known; it stays as it is.

    Raises
    ------
    InputError
        Nothing of it can be read, or it is one of ours and cannot be read as it says.

    Notes
    -----
    Columns that are private by their name or their values are left out. A column becomes an id by its name, or because
    it joins two tables.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = pl.DataFrame({"code": ["a", "b"], "height": [1.8, 1.7], "openness": [1.0, 2.5]})
    ...     frame.write_parquet(Path(folder) / "people.parquet")
    ...     propose_mapping(folder).mapping
    {'code': 'id', 'height': 'feature:ordinal', 'openness': 'target:ordinal'}
    """
    folder = open_release(where, revision=revision)[0]
    proposal = MappingProposal(dict(mapping or {}))
    if is_personax_layout(folder) and not mapping:
        return proposal
    proposal.unread += _unknown([name for name in folder.files if is_unknown(name)])
    tables = _readable(folder, proposal)
    if not tables:
        tell = "; ".join([f"nothing of {where} can be read", *proposal.unread])
        raise InputError(f"{tell}; give a folder with tables or arrays (Parquet, CSV, JSON, Arrow, npy, npz)")
    _guess(tables, proposal)
    _join(folder, proposal)
    about = any(word.partition(":")[0] in ("feature", "target") for word in proposal.mapping.values())
    if proposal.lost and not about:
        lost = "; ".join(sentence.partition("; ")[0] for sentence in proposal.lost)
        raise InputError(f"of {where} only vectors are left: {lost}; mend that, or map the file to leave")
    return proposal


def _unknown(names: Sequence[str]) -> list[str]:
    """Return one sentence for the files of each kind that is not read."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(name.rpartition("/")[2].rpartition(".")[2].lower(), []).append(name)
    sentences = []
    for kind, its in kinds.items():
        which = its[0] if len(its) == 1 else f"{its[0]} and {len(its) - 1:,} more .{kind}"
        cure = " (unpack it)" if kind in _PACKED else " (a table is called .csv or .tsv)" if kind == "txt" else ""
        one = len(its) == 1
        they = "it is" if one else "they are"
        sentences.append(f"{which} {'is' if one else 'are'} of a kind that is not read{cure}; {they} left out")
    return sentences


def _readable(folder: UntrustedFolder, proposal: MappingProposal) -> list[ForeignTable]:
    tables = []
    for names in grouped(folder, proposal.mapping):
        try:
            tables.append(_read(folder, names, proposal))
        except InputError as error:
            # JSON that is no table is what many sets are described by
            if format_of(names[0]) != "json":
                proposal.unread.append(_sentence(error))
                proposal.lost += proposal.unread[-1:] if format_of(names[0]) in TABLES else []
            proposal.mapping |= dict.fromkeys(names, LEAVE)
    return tables


def _read(folder: UntrustedFolder, names: Sequence[str], proposal: MappingProposal) -> ForeignTable:
    try:
        return read_table(folder, names, proposal.mapping)
    except NestedError as error:
        proposal.unread.append(_sentence(error))
        proposal.mapping |= {name: LEAVE for name in error.columns if name not in proposal.mapping}
        return read_table(folder, names, proposal.mapping)


def _guess(tables: Sequence[ForeignTable], proposal: MappingProposal) -> None:
    """Guess the role of every column that has none."""
    names = list(dict.fromkeys(name for one in tables for name in (*one.cells.columns, *one.dims)))
    layout = recognise(names)
    people = max(tables, key=lambda one: one.cells.width)
    keys = _keys(tables, people)
    seen: set[str] = set()
    for table in sorted(tables, key=lambda one: one is not people):
        placer = ColumnMapper(layout, proposal.mapping)
        columns = [*((values, None) for values in table.cells),
                   *((pl.Series(name, []), dim) for name, dim in table.dims.items())]  # fmt: skip
        for values, dim in columns:
            name = values.name
            if placer.place(values, table.stem, dim) is not None:
                continue
            word = "id" if keys.get(table.stem) == name else _word(placer.unplaced[name], name, table.stem, dim)
            key = f"{table.stem}/{name}" if name in seen and proposal.mapping.get(name) != word else name
            if key != name and word != "id" and dim is None:
                proposal.unread.append(f"{table.stem}: {name} stands in another table too; it is left out here")
                word = LEAVE
            proposal.mapping[key] = word
            proposal.guessed.append(key)
            seen.add(name)


def _word(guess: str, name: str, stem: str, dim: int | None) -> str:
    """Return a guess; vectors of unknown modality are a modality of their own."""
    if dim is None:
        return LEAVE if guess == "id" else guess
    own = re.sub(r"\W+", "_", f"{name}").strip("_").lower()
    modality = modality_of([name, stem]) or (own if own.isidentifier() else "vectors")
    return f"embedding:{modality}"


def _keys(tables: Sequence[ForeignTable], people: ForeignTable) -> dict[str, str]:
    """Return stem -> the column that holds the ids: called like one, or joining a table to the people."""
    candidates = {one.stem: _unique(one) for one in tables}
    found: dict[str, str] = {}
    own = candidates[people.stem]
    for table in tables:
        if table is people:
            continue
        best = max(
            (
                (_overlap(ids, theirs), mine, name)
                for mine, ids in own.items()
                for name, theirs in candidates[table.stem].items()
            ),
            default=(0.0, "", ""),
        )
        if best[0] > 0.5:
            found.setdefault(people.stem, best[1])
            if found[people.stem] == best[1]:
                found[table.stem] = best[2]
    called = [name for name in own if _ID_NAME.search(name.lower())]
    if people.stem not in found and called:
        found[people.stem] = called[0]
    return found


def _unique(table: ForeignTable) -> dict[str, pl.Series]:
    """Return the columns that could be ids: unique and complete texts, or whole numbers with a name of an id."""
    return {
        values.name: as_ids(values)
        for values in table.cells
        if (values.dtype == pl.String or (values.dtype.is_integer() and _ID_NAME.search(values.name.lower())))
        and not values.null_count()
        and values.n_unique() == len(values)
    }


def _overlap(ids: pl.Series, others: pl.Series) -> float:
    return float(ids.is_in(others.implode()).mean() or 0.0)  # type: ignore[arg-type]


def _join(folder: UntrustedFolder, proposal: MappingProposal) -> None:
    """Leave out what does not join, and vectors that cannot be read, one after another."""
    while True:
        try:
            read = read_foreign(folder, proposal.mapping)
        except UnknownColumnError as error:
            if not proposal.unread:
                raise
            # words for columns of what is left out
            proposal.mapping = {name: word for name, word in proposal.mapping.items() if name not in error.names}
            proposal.guessed = [name for name in proposal.guessed if name not in error.names]
            continue
        except TableError as error:
            proposal.unread.append(_sentence(error))
            proposal.lost += proposal.unread[-1:] if format_of(error.files[0]) in TABLES else []
            proposal.mapping |= dict.fromkeys(error.files, LEAVE)
            if not grouped(folder, proposal.mapping):
                raise
            continue
        broken = _unreadable(Embeddings(read.sources))
        if not broken:
            return
        for key, text in broken.items():
            proposal.unread.append(text)
            proposal.mapping[key] = LEAVE


def _unreadable(embeddings: Embeddings) -> dict[str, str]:
    """Return a key of the mapping -> why its vectors cannot be read."""
    broken = {}
    for modality in embeddings:
        for source in embeddings.measurements(modality).values():
            try:
                source.read()
            except InputError as error:
                broken[f"{stem_of(source.paths[0].name)}/{source.column}"] = _sentence(error)
    return broken


def _sentence(error: InputError) -> str:
    return str(error).partition("; ")[0] + "; it is left out"
