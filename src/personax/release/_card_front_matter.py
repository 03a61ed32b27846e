"""The card of a release: settings in YAML between two lines of dashes, then text."""

from __future__ import annotations

import yaml

from personax.errors import InputError

__all__ = ["read_card"]


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
        said = yaml.safe_load("\n".join(lines[1 : ends[0]])) or {}
        if not isinstance(said, dict):
            raise ValueError
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise InputError("README.md starts with settings that are no YAML mapping; get the file again") from None
    return {str(key): value for key, value in said.items()}, "\n".join(lines[ends[0] + 1 :])
