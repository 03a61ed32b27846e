"""What a transform has taken from the data: kept beside the key, as secret as the key, needed to go back."""

from __future__ import annotations

import io
import os
import secrets
import zipfile
from pathlib import Path

import numpy as np

from personax.errors import InputError
from personax.release.key import Key
from personax.release.transforms import Chain

__all__ = ["keep_fitted", "load_fitted"]


def keep_fitted(chain: Chain, key: Key, folder: Path) -> str | None:
    """Keep what a transform has fitted and return its name, which may be public; None when there is nothing.

    The name is a keyed hash of the content, so that the file of an earlier release is never written over.
    """
    state = chain.state()
    if not state:
        return None
    stream = io.BytesIO()
    np.savez(stream, **state)  # type: ignore[arg-type]
    name = key.tag(b"".join(f"{part}\0".encode() + state[part].tobytes() for part in sorted(state)))
    folder.mkdir(parents=True, exist_ok=True)
    path, aside = folder / f"{name}.npz", folder / f".{name}.{secrets.token_hex(8)}.tmp"
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(stream.getvalue())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return name


def load_fitted(chain: Chain, name: str, folder: Path) -> Chain:
    """Give a transform what it had fitted.

    Raises
    ------
    InputError
        The name is not one that `keep_fitted` gives, or the file is missing, unreadable or of another transform.
    """
    if len(name) != 16 or set(name) - set("0123456789abcdef"):
        raise InputError("the release names what was fitted by something that is no name; it has been altered")
    path = folder / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as found:
            state = {part: found[part] for part in found.files}
    except FileNotFoundError:
        raise InputError(f"{path} is missing; inverting this release needs it beside the key") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        raise InputError(f"{path} cannot be read; put the file back that was written with the release") from None
    return chain.load(state)
