"""The secret of a release: 32 bytes that stay in the study folder, and what is derived from them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from personax.errors import InputError
from personax.release.beside import write_secret
from personax.release.draws import Draws
from personax.release.hkdf import hkdf

__all__ = ["Key", "load_key", "load_or_make_key", "new_key", "write_key"]

VERSION = 2
"""Of the key file and of what is derived; version 1 had no study in it and is still read."""


@dataclass(frozen=True, slots=True)
class Key:
    """A secret and the study that it belongs to; its bytes are never shown.

    Parameters
    ----------
    secret
        32 bytes.
    study
        The study's name; empty for a key of version 1, which knew none.
    """

    secret: bytes
    study: str = ""

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """A name of the key that may be public: it tells keys apart and nothing else."""
        return self._derive("fingerprint")[:8].hex()

    def draws(self, *context: str | int) -> Draws:
        """Return random numbers that only this key, its study and this context give.

        Examples
        --------
        >>> bool((Key(bytes(32)).draws("a").uniform("w", 2) == Key(bytes(32)).draws("b").uniform("w", 2)).any())
        False
        """
        return Draws(self._derive("draws", *context))

    def tag(self, content: bytes) -> str:
        """Return a public name of bytes that stay private; without the key it tells nothing of them."""
        return hmac.new(self._derive("tag"), content, hashlib.sha256).hexdigest()[:16]

    def pseudonym(self, identifier: str) -> str:
        """Return the name under which a person leaves; without the key it cannot be computed."""
        return hmac.new(self.secret, f"id {identifier}".encode(), hashlib.sha256).hexdigest()[:16]

    def _derive(self, *context: str | int) -> bytes:
        # a list in JSON: ("a", "b c") and ("a b", "c") differ
        return hkdf(self.secret, json.dumps(["personax", VERSION, self.study, *context]).encode())


def load_or_make_key(path: Path, *, study: str = "", release: Path | None = None) -> Key:
    """Read the key of a study, or draw one from the operating system and keep it, readable by its owner only.

    Parameters
    ----------
    path
        The key file.
    study
        The name of the study; a key file that names another one is refused.
    release
        The folder that leaves; a key inside it is refused. Where a release in it was made under this key, the key is
        this study's even if the study has another name now.

    Raises
    ------
    InputError
        No key of this version, the key of another study, a key that would leave with the release.
    """
    if release is not None and path.resolve().is_relative_to(release.resolve()):
        raise InputError(f"the key {path} lies in the release {release}, which leaves; move the key out of it")
    if not path.exists():
        write_key(path, new_key(study), only_new=True)
    key = load_key(path)
    if key.study in ("", study) or (release is not None and _made_under(release, key)):
        return key
    return load_key(path, study=study)


def new_key(study: str = "") -> Key:
    """Draw a key from the operating system."""
    return Key(secrets.token_bytes(32), study)


def write_key(path: Path, key: Key, *, only_new: bool = False) -> None:
    """Write a key file of this version, readable by its owner only; with ``only_new`` one that is there stays."""
    text = json.dumps({"personax_key": VERSION, "study": key.study, "secret": key.secret.hex()})
    write_secret(path, text.encode(), only_new=only_new)


def _made_under(release: Path, key: Key) -> bool:
    try:
        return bool(json.loads((release / "transforms.json").read_text(encoding="utf-8"))["key"] == key.fingerprint)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def load_key(path: Path, *, study: str = "") -> Key:
    """Read a key that exists.

    Raises
    ------
    InputError
        It is missing, no key of a version that this personax reads, or the key of another study.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        version, secret, owner = raw["personax_key"], bytes.fromhex(raw.get("secret", "")), raw.get("study", "")
    except FileNotFoundError:
        raise InputError(f"there is no key {path}; without the study's own key nothing can be undone") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is not a release key; put the study's own key back, or move this file away") from None
    if version not in (1, VERSION):
        raise InputError(f"{path} is a key of version {version}; this personax reads 1 and {VERSION}")
    if len(secret) != 32:
        raise InputError(f"{path} holds a secret of {len(secret)} bytes, not 32; put the study's own key back")
    if study and owner and owner != study:
        raise InputError(f"{path} is the key of the study {owner!r}, not of {study!r}; put this study's own key back")
    return Key(secret, str(owner))
