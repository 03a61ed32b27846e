"""Tables of data sets of the Hugging Face hub, ``hf://datasets/OWNER/NAME/FILE``: those that this machine keeps."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from personax.errors import InputError

__all__ = ["hub_file", "hub_name", "local_path"]

_SCHEME: Final = "hf:/"


def hub_name(path: Path) -> str | None:
    """Return the address of a file of the hub, None for another path; a path has lost one of its strokes.

    Examples
    --------
    >>> hub_name(Path("hf://datasets/owner/name/people.csv")), hub_name(Path("people.csv"))
    ('hf://datasets/owner/name/people.csv', None)
    """
    text = path.as_posix()
    return f"hf://{text[len(_SCHEME) :].lstrip('/')}" if text.startswith(_SCHEME) else None


def local_path(base: Path, name: str) -> Path:
    """Return the place of a file that a study names: from its folder, or in the cache of the hub.

    A file that is not in the cache keeps its address, where no file is.
    """
    address = hub_name(Path(name))
    return base / name if address is None else _cached(address) or Path(name)


def hub_file(path: Path) -> Path:
    """Return a path, that of the kept file where it is an address of the hub.

    Raises
    ------
    InputError
        The address is none of a file of a data set, or the file is not on this machine; nothing is fetched.
    """
    address = hub_name(path)
    if address is None:
        return path
    if (found := _cached(address)) is not None:
        return found
    kind, *parts = address.removeprefix("hf://").split("/")
    if kind != "datasets" or len(parts) < 3:
        raise InputError(f"{address} names no file; write hf://datasets/OWNER/NAME/FILE")
    repository, file = "/".join(parts[:2]), "/".join(parts[2:])
    raise InputError(
        f"{address} is not kept on this machine, and nothing is fetched here; where there is a network: "
        f"hf download --repo-type dataset {repository.partition('@')[0]} {file}"
    )


def _cached(address: str) -> Path | None:
    """Return where the hub's cache has a file of a data set, at ``@REVISION`` behind its name or at main."""
    kind, *parts = address.removeprefix("hf://").split("/")
    if kind != "datasets" or len(parts) < 3 or find_spec("huggingface_hub") is None:
        return None
    import huggingface_hub as hub

    name, _, revision = parts[1].partition("@")
    found = hub.try_to_load_from_cache(
        f"{parts[0]}/{name}", "/".join(parts[2:]), repo_type="dataset", revision=revision or None
    )
    return Path(found) if isinstance(found, str) else None
