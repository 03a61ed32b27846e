"""The keystore: the secret of a release, what is derived from it, and what is kept beside it and never leaves."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from personax.errors import InputError
from personax.release._random_stream import RandomStream

__all__ = [
    "Keystore",
    "ReleaseKey",
    "expand",
    "extract",
    "hkdf",
    "load_key",
    "load_or_make_key",
    "new_key",
    "write_key",
    "write_secret",
]


SIZE = 32
"""Bytes of a SHA-256."""


def hkdf(secret: bytes, info: bytes, *, salt: bytes = b"", length: int = SIZE) -> bytes:
    """Derive bytes from a secret; another `info` gives bytes that tell nothing of these.

    Parameters
    ----------
    secret
        Input keying material.
    info
        What the bytes are for.
    salt
        Not secret; empty stands for 32 zeros.
    length
        At most 8,160.

    Raises
    ------
    InputError
        More bytes are asked for than HKDF can give.

    References
    ----------
    Krawczyk, Eronen 2010, RFC 5869.

    Examples
    --------
    >>> hkdf(bytes(32), b"a", length=4) == hkdf(bytes(32), b"b", length=4)
    False
    """
    return expand(extract(secret, salt), info, length)


def extract(secret: bytes, salt: bytes = b"") -> bytes:
    """Return the pseudorandom key of RFC 5869, section 2.2."""
    return hmac.new(salt or bytes(SIZE), secret, hashlib.sha256).digest()


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """Return the output keying material of RFC 5869, section 2.3."""
    if not 0 < length <= 255 * SIZE:
        raise InputError(f"HKDF gives 1 to {255 * SIZE} bytes, not {length}; derive a seed and stretch that")
    block = made = b""
    for count in range(1, -(-length // SIZE) + 1):
        block = hmac.new(key, block + info + bytes([count]), hashlib.sha256).digest()
        made += block
    return made[:length]


VERSION = 2
"""Of the key file and of what is derived; version 1 had no study in it and is still read."""


@dataclass(frozen=True, slots=True)
class ReleaseKey:
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
        return f"ReleaseKey({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """A name of the key that may be public: it tells keys apart and nothing else."""
        return self._derive("fingerprint")[:8].hex()

    def random_stream(self, *context: str | int) -> RandomStream:
        """Return random numbers that only this key, its study and this context give.

        Examples
        --------
        >>> key = ReleaseKey(bytes(32))
        >>> bool((key.random_stream("a").uniform("w", 2) == key.random_stream("b").uniform("w", 2)).any())
        False
        """
        return RandomStream(self._derive("draws", *context))

    def tag(self, content: bytes) -> str:
        """Return a public name of bytes that stay private; without the key it tells nothing of them."""
        return hmac.new(self._derive("tag"), content, hashlib.sha256).hexdigest()[:16]

    def pseudonym(self, identifier: str) -> str:
        """Return the name under which a person leaves; without the key it cannot be computed."""
        return hmac.new(self.secret, f"id {identifier}".encode(), hashlib.sha256).hexdigest()[:16]

    def _derive(self, *context: str | int) -> bytes:
        # a list in JSON: ("a", "b c") and ("a b", "c") differ
        return hkdf(self.secret, json.dumps(["personax", VERSION, self.study, *context]).encode())


def load_or_make_key(path: Path, *, study: str = "", release: Path | None = None) -> ReleaseKey:
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


def new_key(study: str = "") -> ReleaseKey:
    """Draw a key from the operating system."""
    return ReleaseKey(secrets.token_bytes(32), study)


def write_key(path: Path, key: ReleaseKey, *, only_new: bool = False) -> None:
    """Write a key file of this version, readable by its owner only; with ``only_new`` one that is there stays."""
    text = json.dumps({"personax_key": VERSION, "study": key.study, "secret": key.secret.hex()})
    write_secret(path, text.encode(), only_new=only_new)


def _made_under(release: Path, key: ReleaseKey) -> bool:
    try:
        return bool(json.loads((release / "transforms.json").read_text(encoding="utf-8"))["key"] == key.fingerprint)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def load_key(path: Path, *, study: str = "") -> ReleaseKey:
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
    return ReleaseKey(secret, str(owner))


@dataclass(frozen=True)
class Keystore:
    """The folder of a study's key; nothing in it ever leaves.

    Parameters
    ----------
    root
        Where ``release.key`` is.
    """

    root: Path

    @property
    def key_file(self) -> Path:
        """The key file."""
        return self.root / "release.key"

    @property
    def fitted(self) -> Path:
        """What transforms have taken from the data."""
        return self.root / "fitted"

    @property
    def categories(self) -> Path:
        """Files of column -> categories by index, one a mapping."""
        return self.root / "categories"

    @property
    def legacy_categories(self) -> Path:
        """The file of categories of releases that name none."""
        return self.root / "categories.json"

    def save_categories(self, mapping: Mapping[str, Sequence[str]], tag: Callable[[bytes], str]) -> str | None:
        """Write what shuffled indices stand for and return its name, which may be public; None where there are none.

        The name is a keyed hash of the content (`ReleaseKey.tag`), so that the file of another release is never
        overwritten, whether this one is finished or not.
        """
        if not mapping:
            return None
        content = json.dumps(mapping, indent=1, ensure_ascii=False).encode()
        name = tag(content)
        write_secret(self.categories / f"{name}.json", content)
        return name

    def load_categories(self, name: str | None = None) -> dict[str, list[str]]:
        """Return what shuffled indices stand for; ``name`` is what the release says, None of an earlier personax.

        Raises
        ------
        InputError
            The name is none, or the file is missing or cannot be read.
        """
        if name is not None and (len(name) != 16 or set(name) - set("0123456789abcdef")):
            raise InputError("the release names its categories by something that is no name; it has been altered")
        path = self.legacy_categories if name is None else self.categories / f"{name}.json"
        if name is None and not path.is_file():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {str(column): [str(value) for value in values] for column, values in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            text = f"{path} cannot be read; put the file back that was written with the release"
            raise InputError(text) from None


def write_secret(path: Path, content: bytes, *, only_new: bool = False) -> None:
    """Write a file that only its owner can read, whole or not at all, on the disk when this returns.

    With ``only_new`` a file that another process has written in the meantime stays, and this content is lost.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if only_new:
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        else:
            aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
