"""The keystore: the secret key of a release, what is derived from it, and the files kept with it; none leaves."""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from personax.errors import InputError
from personax.files import make_private_folder, private_mode
from personax.release.keys._random_stream import RandomStream

__all__ = [
    "Keystore",
    "ReleaseKey",
    "hkdf",
    "load_key",
    "load_or_make_key",
    "new_key",
    "write_key",
    "write_secret",
]


SIZE = 32
"""Bytes of a secret, and of a derived key."""


def hkdf(secret: bytes, info: bytes, *, salt: bytes = b"", length: int = SIZE) -> bytes:
    """Derive a key from a secret by HKDF with SHA-256.

    Parameters
    ----------
    secret
        Input keying material.
    info
        Context: keys derived for different contexts are independent of one another.
    salt
        Not secret; empty means 32 zero bytes.
    length
        Bytes of the derived key.

    References
    ----------
    Krawczyk, Eronen 2010, RFC 5869.

    Examples
    --------
    >>> hkdf(bytes(32), b"a", length=4) == hkdf(bytes(32), b"b", length=4)
    False
    """
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=length, salt=salt or None, info=info).derive(secret)


VERSION = 2
"""Version of the key file and of key derivation; version 1 had no study name and can still be read."""


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """A secret key and the study that it belongs to; the bytes are never shown.

    Parameters
    ----------
    secret
        32 bytes.
    study
        The study's name; empty for a key of version 1.
    """

    secret: bytes
    study: str = ""

    def __repr__(self) -> str:
        return f"ReleaseKey({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """A public identifier of the key, derived from it by HKDF."""
        return self._derive("fingerprint")[:8].hex()

    def random_stream(self, *context: str | int) -> RandomStream:
        """Return a random stream that is determined by this key, its study and the context.

        Examples
        --------
        >>> key = ReleaseKey(bytes(32))
        >>> bool((key.random_stream("a").uniform("w", 2) == key.random_stream("b").uniform("w", 2)).any())
        False
        """
        return RandomStream(self._derive("draws", *context))

    def tag(self, content: bytes) -> str:
        """Return a keyed hash (HMAC) of private bytes, which may be public."""
        return hmac.new(self._derive("tag"), content, hashlib.sha256).hexdigest()[:16]

    def pseudonym(self, identifier: str) -> str:
        """Return the pseudonym of a person: a keyed hash (HMAC) of the id."""
        return hmac.new(self.secret, f"id {identifier}".encode(), hashlib.sha256).hexdigest()[:16]

    def _derive(self, *context: str | int) -> bytes:
        # JSON separates the parts: ("a", "b c") and ("a b", "c") differ
        return hkdf(self.secret, json.dumps(["personax", VERSION, self.study, *context]).encode())


def load_or_make_key(path: Path, *, study: str = "", release: Path | None = None) -> ReleaseKey:
    """Read the key of a study, or create one from the operating system's random source, readable by its owner only.

    Parameters
    ----------
    path
        The key file.
    study
        The name of the study; the key file of another study is refused.
    release
        The release folder; a key file inside it is refused. A key under which a release in it was made is accepted
        although the study has been renamed.

    Raises
    ------
    InputError
        The file is no key of a known version, belongs to another study, or lies in the release folder.
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
    """Create a key from the operating system's random source."""
    return ReleaseKey(secrets.token_bytes(32), study)


def write_key(path: Path, key: ReleaseKey, *, only_new: bool = False) -> None:
    """Write a key file, readable by its owner only; with ``only_new`` an existing file is kept."""
    text = json.dumps({"personax_key": VERSION, "study": key.study, "secret": key.secret.hex()})
    write_secret(path, text.encode(), only_new=only_new)


def _made_under(release: Path, key: ReleaseKey) -> bool:
    try:
        return bool(json.loads((release / "transforms.json").read_text(encoding="utf-8"))["key"] == key.fingerprint)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def load_key(path: Path, *, study: str = "") -> ReleaseKey:
    """Read a key file.

    Raises
    ------
    InputError
        The file is missing, no key of a known version, or the key of another study.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        version, secret, owner = raw["personax_key"], bytes.fromhex(raw.get("secret", "")), raw.get("study", "")
    except FileNotFoundError:
        raise InputError(f"there is no key {path}; without the study's own key a release cannot be inverted") from None
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
    """The folder with a study's key and all that inversion needs; nothing in it ever leaves.

    Parameters
    ----------
    root
        The folder of ``release.key``.
    """

    root: Path

    @property
    def key_file(self) -> Path:
        """The key file."""
        return self.root / "release.key"

    @property
    def fitted(self) -> Path:
        """Folder of the fitted state of transforms."""
        return self.root / "fitted"

    @property
    def categories(self) -> Path:
        """Folder of category mappings, one file a release: column -> categories by index."""
        return self.root / "categories"

    @property
    def legacy_categories(self) -> Path:
        """Category mapping of releases of format 1, which name no file."""
        return self.root / "categories.json"

    def save_categories(self, mapping: Mapping[str, Sequence[str]], tag: Callable[[bytes], str]) -> str | None:
        """Write a category mapping and return its public name; None where it is empty.

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
        """Return a category mapping by the name that the release states; None for a release of format 1.

        Raises
        ------
        InputError
            The name is invalid, or the file is missing or unreadable.
        """
        if name is not None and (len(name) != 16 or set(name) - set("0123456789abcdef")):
            raise InputError("the release has an invalid name of its categories; it has been altered")
        path = self.legacy_categories if name is None else self.categories / f"{name}.json"
        if name is None and not path.is_file():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {str(column): [str(value) for value in values] for column, values in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            text = f"{path} cannot be read; restore the file that was written with the release"
            raise InputError(text) from None


def _link_new(aside: Path, path: Path) -> None:
    """Give a file its name unless there is one; on a disk without hard links the lock of the study must suffice."""
    try:
        os.link(aside, path)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        if not path.exists():
            aside.replace(path)


def write_secret(path: Path, content: bytes, *, only_new: bool = False) -> None:
    """Write a file atomically and durably, readable by its owner only, or by the group that its folder was made for.

    With ``only_new`` a file that another process has written in the meantime is kept, and this content is discarded.
    """
    make_private_folder(path.parent)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_mode(path.parent))
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if only_new:
            _link_new(aside, path)
        else:
            aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
