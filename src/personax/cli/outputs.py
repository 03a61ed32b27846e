"""Files and folders that a command writes to: only new ones, and those that personax made."""

from __future__ import annotations

from pathlib import Path

from personax.errors import StudyError

__all__ = ["own_file", "own_folder"]

_HEAD = 4096


def own_folder(path: Path, *known_by: str) -> Path:
    """Return a folder of results that is new, empty, or the work of the same command.

    Parameters
    ----------
    path
        The folder.
    known_by
        Files or folders of which the command always leaves one in it.

    Raises
    ------
    StudyError
        It holds something else, or is a file.
    """
    if path.exists() and not path.is_dir():
        raise StudyError(f"{path} is a file; choose another folder by --out")
    there = sorted(one.name for one in path.iterdir() if one.name[0] != ".") if path.is_dir() else []
    if there and not {*there} & {*known_by}:
        raise StudyError(
            f"{path} holds files that this command did not make, such as {there[0]}, and stays as it is; "
            "give a new folder by --out"
        )
    return path


def own_file(path: Path, give: str = "another name by --out") -> Path:
    """Return a path of a page or text to be written, where nothing is lost by that.

    Raises
    ------
    StudyError
        A file is there that does not name personax in its first lines.
    """
    if path.is_dir():
        raise StudyError(f"{path} is a folder, not a file; give {give}")
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        if head and b"personax" not in head:
            raise StudyError(f"{path} is there, and personax did not make it; it stays: give {give}")
    return path
