"""The tables of a finished stage, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import polars as pl

from personax.data.frames import read_csv, read_ipc, read_parquet
from personax.errors import StudyError, UnknownResult
from personax.store._folder import StudyFolder
from personax.store._manifest import Manifest
from personax.strict import nearest

__all__ = ["StageTables"]


class StageTables(Mapping[str, pl.DataFrame]):
    """The tables that a stage wrote, by name; each is read when it is asked for.

    A name is that of the file without its ending; with its folders where two files have one name, and with its ending
    where they lie in one folder, too.

    Parameters
    ----------
    folder
        The study folder.
    manifest
        Of the stage.

    Raises
    ------
    StudyError
        On reading a table that is gone or cannot be read.
    """

    def __init__(self, folder: StudyFolder, manifest: Manifest) -> None:
        self._folder, self._manifest, self.stage = folder, manifest, manifest.stage
        named = [Path(name) for name in sorted(manifest.outputs) if Path(name).suffix in _READERS]
        # a table that is there for spreadsheets too has its short name for the file that keeps types
        copies = [one for one in named if one.suffix == ".csv" and one.with_suffix(".parquet") in named]
        paths = [one for one in named if one not in copies]
        stems = [path.stem for path in paths]
        longer = [path.with_suffix("").as_posix() for path in paths]
        self._paths = {
            path.stem if stems.count(path.stem) == 1 else name if longer.count(name) == 1 else path.as_posix(): path
            for path, name in zip(paths, longer, strict=True)
        } | {path.as_posix(): path for path in copies}

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._paths:
            raise UnknownResult(f"the stage {self.stage} wrote no table {name}; {nearest(name, list(self))}")
        path = self._paths[name]
        try:
            return _READERS[path.suffix](self._folder.verified(self._manifest, path.as_posix()))
        except (OSError, StudyError, pl.exceptions.PolarsError) as error:
            text = f"{self._folder.path(*path.parts)} cannot be read ({error}); run the stage {self.stage} again"
            raise StudyError(text) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.stage}: {', '.join(self) or 'no tables'})"


def _read_csv(path: Path) -> pl.DataFrame:
    return read_csv(path, infer_schema_length=None)


_READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": read_parquet, ".csv": _read_csv, ".arrow": read_ipc,
}  # fmt: skip
