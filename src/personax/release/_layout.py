"""The layout of a release folder, formats 1 and 2, with columns.json and the settings of the dataset card."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from personax.data.bounded_yaml import read_yaml
from personax.errors import InputError
from personax.release._untrusted_folder import UntrustedFolder
from personax.schema import KINDS, ROLES, Column

__all__ = ["column_entries", "described_columns", "is_personax_layout", "modality_files", "read_card", "table_files"]


def is_personax_layout(folder: UntrustedFolder) -> bool:
    """Say whether a folder has the people where personax puts them."""
    return bool(table_files(folder, "people"))


def table_files(folder: UntrustedFolder, table: str) -> list[str]:
    """Return the files of a table: one of format 1, or its parts of format 2."""
    single = f"data/{table}.parquet"
    return [single] if single in folder.files else folder.under(f"data/{table}/")


def modality_files(folder: UntrustedFolder) -> dict[str, list[str]]:
    """Return modality -> the files of its vectors."""
    names = {name.split("/")[1].removesuffix(".parquet") for name in folder.under("data/")} - {"people"}
    return {name: table_files(folder, name) for name in sorted(names)}


def column_entries(folder: UntrustedFolder, table: str) -> list[dict[str, object]]:
    """Return the entries of columns.json on a table; malformed ones are ignored."""
    raw = folder.json("columns.json") if "columns.json" in folder.files else []
    listed = raw.get("columns") if isinstance(raw, dict) else raw
    return [
        {str(key): value for key, value in entry.items()}
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and str(entry.get("file")).strip("/").split("/")[-1] == table
    ]


def described_columns(folder: UntrustedFolder) -> Mapping[str, Column]:
    """Return the columns of the people as columns.json describes them.

    A cyclic column without a period is passed over: its name tells the period, or nothing does.
    """
    columns = {}
    for entry in column_entries(folder, "people"):
        name, unit, period = (entry.get(key) for key in ("name", "unit", "period"))
        role = next((role for role in ROLES if role == entry.get("role")), None)
        kind = next((kind for kind in KINDS if kind == entry.get("kind")), None)
        turn = float(period) if isinstance(period, int | float) and period else None
        if isinstance(name, str) and role and kind and (kind != "cyclic" or turn):
            columns[name] = Column(name, role, kind, unit if isinstance(unit, str) else None, turn)
    return columns


def read_card(text: str) -> tuple[dict[str, object], str]:
    r"""Return the settings of a card and the text after them.

    Raises
    ------
    InputError
        The settings are no YAML mapping.

    Examples
    --------
    >>> read_card("---\nlicense: other\n---\n# A study\n")
    ({'license': 'other'}, '# A study\n')
    """
    lines = text.split("\n")
    if lines[0].strip() != "---":
        return {}, text
    ends = [at for at, line in enumerate(lines) if at and line.strip() == "---"]
    try:
        if not ends:
            raise ValueError
        raw = read_yaml("\n".join(lines[1 : ends[0]]))[1] or {}
        if not isinstance(raw, dict):
            raise ValueError
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise InputError("README.md starts with settings that are no YAML mapping; get the file again") from None
    return {str(key): value for key, value in raw.items()}, "\n".join(lines[ends[0] + 1 :])
