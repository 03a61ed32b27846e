"""The mapping of columns of a foreign table: by what is given, by a known layout, or by a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from personax.data.columns import infer_columns
from personax.errors import InputError
from personax.release.reading._known_layouts import IDS, SCORE, KnownLayout, modality_of
from personax.schema import KINDS, Column, Role

__all__ = ["LEAVE", "ColumnMapper", "MappedColumn", "UnknownColumnError"]

LEAVE = "leave"
_WORDS = "id, feature, target (also feature:nominal, feature:cyclic:12 ...), embedding:<modality> or leave"


@dataclass(frozen=True)
class MappedColumn:
    """The role of a column: an id, a column of the people, a vector of a modality, or ignored.

    Parameters
    ----------
    role
        ``id``, ``feature``, ``target``, ``embedding`` or ``leave``.
    column
        What its values mean, for features and targets.
    modality
        Of a vector.
    """

    role: str
    column: Column | None = None
    modality: str = ""


class UnknownColumnError(InputError):
    """Words of a mapping that name no column; ``names`` are these."""

    def __init__(self, names: Sequence[str], found: Sequence[str]) -> None:
        super().__init__(f"mapping names {', '.join(names)}; the columns are {', '.join(found)}")
        self.names = tuple(names)


class ColumnMapper:
    """Places columns by a mapping first, then by a known layout.

    Parameters
    ----------
    layout
        The known layout, or None.
    mapping
        Column, or ``<file's stem>/<column>``, -> one of the words id, feature, target, ``embedding:<modality>``, leave;
        feature and target may have a kind and a period behind them.
    """

    def __init__(self, layout: KnownLayout | None, mapping: Mapping[str, str]) -> None:
        self.layout, self.mapping, self.used = layout, mapping, set[str]()
        self.unplaced: dict[str, str] = {}

    def place(self, values: pl.Series, stem: str, dim: int | None) -> MappedColumn | None:
        """Return what a column is, or None and remember it with a guess.

        Parameters
        ----------
        values
            The column; of vectors the name alone is looked at.
        stem
            Of the file.
        dim
            Length of its vectors; 0 when it is known only after reading, None when it holds no vectors.
        """
        name = values.name
        key = next((key for key in (f"{stem}/{name}", name) if key in self.mapping), None)
        if key is not None:
            self.used.add(key)
            return self._mapped(values, self.mapping[key])
        if dim is not None:
            return self._vector(name, stem, dim)
        if name in IDS:
            return MappedColumn("id")
        if self.layout is not None:
            if name in self.layout.columns:
                return MappedColumn("feature", _settled(self.layout.columns[name], values))
            if SCORE.match(name) and values.dtype.is_numeric():
                return MappedColumn("target", replace(_inferred(values), role="target", inferred=False))
        guess = _inferred(values)
        kept = guess.role in ("feature", "target")
        turn = f":{guess.period:g}" if guess.period is not None else ""
        self.unplaced[name] = f"{guess.role}:{guess.kind}{turn}" if kept else "id" if guess.role == "id" else LEAVE
        return None

    def _vector(self, name: str, stem: str, dim: int) -> MappedColumn | None:
        lengths = self.layout.lengths if self.layout is not None else {}
        modality = modality_of([name, stem]) or lengths.get(dim)
        if self.layout is None or modality is None:
            self.unplaced[name] = f"embedding:{modality or 'image'}"
            return None
        return MappedColumn("embedding", modality=modality)

    def _mapped(self, values: pl.Series, word: str) -> MappedColumn:
        role, _, rest = word.partition(":")
        if role == "embedding" and rest and rest.isidentifier():
            return MappedColumn(role, modality=rest)
        if role in ("id", LEAVE) and not rest:
            return MappedColumn(role)
        kind, _, period = rest.partition(":")
        given = next((known for known in KINDS if known == kind), None)
        if role not in ("feature", "target") or (kind and not given):
            raise InputError(f"mapping: {values.name!r} is {word!r}; say {_WORDS}")
        its: Role = "target" if role == "target" else "feature"
        column = replace(_inferred(values), role=its, inferred=not given, why="")
        if given is None:
            return MappedColumn(role, column)
        try:
            turn = float(period) if period else column.period
        except ValueError:
            raise InputError(f"mapping: {values.name!r} is {word!r}; a period is a number, as in cyclic:12") from None
        if kind == "cyclic" and not turn:
            raise InputError(f"mapping: {values.name!r} is cyclic; say the length of a turn, as in feature:cyclic:12")
        return MappedColumn(role, replace(column, kind=given, period=turn if given == "cyclic" else None))

    def finish(self, found: Sequence[str]) -> None:
        """Refuse columns without a role, and entries of the mapping that name no column.

        Raises
        ------
        LostError
            A word names no column.
        InputError
            Lists what was found, what could not be placed, and a mapping to start from.
        """
        # a name that is to be left out may be that of a file, or of a column that is not looked at
        lost = sorted(name for name in set(self.mapping) - self.used if self.mapping[name] != LEAVE)
        if lost:
            raise UnknownColumnError(lost, found)
        if self.unplaced:
            known = self.layout.name if self.layout is not None else "no known layout"
            raise InputError(
                f"the columns are {', '.join(found)} ({known}), and of these {', '.join(self.unplaced)} could not be "
                f"placed; say what they are, starting from mapping={self.unplaced!r} ({_WORDS})"
            )


def _inferred(values: pl.Series) -> Column:
    return infer_columns(values.to_frame())[0]


def _settled(column: Column, values: pl.Series) -> Column:
    """Call a mark nominal where it is present or not, a number where it is the share of pictures that have it."""
    shares = column.kind == "nominal" and values.dtype.is_float() and not bool((values.drop_nulls() % 1 == 0).all())
    return replace(column, kind="continuous") if shares else column
