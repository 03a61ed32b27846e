"""A prefix of an object store (``s3://``, ``gs://``): conditional writes, bounded waiting, faults in one sentence.

The client is obstore: it signs, retries and sends in parts; credentials come from its environment variables or from the
machine's role, never from a study. A request waits `WAIT` seconds at most, the transfer of one part `TRANSFER`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from personax.errors import StudyError, require
from personax.http import is_loopback

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["Bucket", "Outrun", "Version", "is_remote", "split_url"]

WAIT: Final = 5
"""Seconds that a small request, and a connection, may take; one that fails is tried once more."""

TRANSFER: Final = 60
"""Seconds that a part of a file may take."""

PART: Final = 8 << 20
"""Bytes of a part. A file that is no larger is written under the condition that nothing has its name."""

_URL: Final = re.compile(r"(s3|gs):/{1,2}([^/]*)(?:/+(.*))?", re.DOTALL)  # of s3://x pathlib makes s3:/x
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_CLASSES: Final = {"s3": "S3Store", "gs": "GCSStore"}
_CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS (the file of a service account)",
}
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class Outrun(Exception):
    """Somebody else has written what was to be replaced."""


@dataclass(frozen=True)
class Version:
    """Which version of an object somebody saw: what a conditional write is conditional on."""

    e_tag: str | None
    version: str | None = None

    def condition(self) -> dict[str, str]:
        """Return it as the client takes it."""
        return {name: value for name, value in vars(self).items() if value}


def is_remote(path: object) -> bool:
    """Say whether a path is the address of an object store.

    Examples
    --------
    >>> is_remote("s3://bucket/study"), is_remote(Path("gs://bucket/study")), is_remote("study")
    (True, True, False)
    """
    return _URL.fullmatch(str(path)) is not None


def split_url(url: str) -> tuple[str, str, str]:
    """Return scheme, bucket and prefix; a last ``study.yaml`` is left out.

    Raises
    ------
    StudyError
        It is no such address.

    Examples
    --------
    >>> split_url("s3:/bucket/runs/first/study.yaml")
    ('s3', 'bucket', 'runs/first')
    """
    found = _URL.fullmatch(url)
    scheme, bucket, rest = found.groups() if found else ("", "", "")
    parts = [part for part in (rest or "").split("/") if part]
    if parts and parts[-1] == "study.yaml":
        parts.pop()
    if not _BUCKET.fullmatch(bucket) or {".", ".."} & set(parts) or not "".join(parts).isprintable():
        raise StudyError(f"{url[:200]!r} is no place for a study; give s3://BUCKET/FOLDER or gs://BUCKET/FOLDER")
    if parts and parts[-1].endswith((".yaml", ".yml")):
        raise StudyError(f"in a bucket each study has a folder, and its file is called study.yaml; not {parts[-1]!r}")
    return scheme, bucket, "/".join(parts)


class Bucket:
    """A prefix of an object store; names are relative to it.

    Parameters
    ----------
    url
        ``s3://BUCKET/PREFIX`` or ``gs://BUCKET/PREFIX``.
    stores
        Of small requests and of transfers; by default they are made from the environment.

    Raises
    ------
    MissingExtraError
        obstore is not installed.
    StudyError
        On use too: no credentials, no bucket, no permission, clock, network; one sentence, at once or after two tries.
    """

    def __init__(self, url: str, *, stores: tuple[ObjectStore, ObjectStore] | None = None) -> None:
        self.scheme, self.bucket, self.prefix = split_url(url)
        self.url = "/".join(part for part in (f"{self.scheme}://{self.bucket}", self.prefix) if part)
        self._client = require("obstore", extra="remote")
        require("obstore.store", extra="remote")
        self.has_failed = False
        """Whether a request has failed: others would wait in vain, too."""
        with self._sentences():
            self._small, self._large = stores or (self._connect(WAIT), self._connect(TRANSFER))

    def _connect(self, seconds: int) -> ObjectStore:
        options: dict[str, Any] = {"connect_timeout": f"{WAIT}s", "timeout": f"{seconds}s"}
        if self.endpoint().startswith("http://"):
            options["allow_http"] = True
        retry = {"max_retries": 1, "retry_timeout": timedelta(seconds=2 * seconds)}
        make = getattr(self._client.store, _CLASSES[self.scheme])
        store: ObjectStore = make(self.bucket, prefix=self.prefix or None, client_options=options, retry_config=retry)
        return store

    def endpoint(self) -> str:
        """Return where requests go if that is not the provider's own address; plain http is for this machine only."""
        given = (
            next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "") if self.scheme == "s3" else ""
        )
        if given.startswith("http://") and not is_loopback(urlsplit(given).netloc):
            raise StudyError(f"{given[:200]!r} would send people unencrypted; give an https:// address as the endpoint")
        return given

    @property
    def host(self) -> str:
        """Who gets what is written."""
        own = "storage.googleapis.com" if self.scheme == "gs" else "amazonaws.com"
        return urlsplit(self.endpoint()).netloc or own

    def get(self, name: str, *, most: int) -> tuple[bytes, Version] | None:
        """Return an object and its version; None where there is none.

        Raises
        ------
        StudyError
            It is larger than ``most`` bytes, or as above.
        """
        got: tuple[bytes, Version] | None = None
        with self._sentences(absent=True):
            found = self._client.get(self._small, name)
            if found.meta["size"] > most:
                raise StudyError(f"{self.url}/{name} is larger than {most:,} bytes and not read; look at it")
            got = bytes(found.bytes()), Version(found.meta["e_tag"], found.meta["version"])
        return got

    def fetch(self, name: str, target: Path) -> str | None:
        """Write an object to a file, part by part; return its SHA-256, None where there is none."""
        there, digest = self.find(name), hashlib.sha256()
        with target.open("wb") as stream:
            for start in range(0, there[0] if there else 0, PART):
                part = self._part(name, start, PART)
                if part is None:
                    return None
                stream.write(part)
                digest.update(part)
        return digest.hexdigest() if there else None

    def _part(self, name: str, start: int, length: int) -> bytes | None:
        part: bytes | None = None
        with self._sentences(absent=True):  # the last part is shorter
            part = bytes(self._client.get_range(self._large, name, start=start, length=length))
        return part

    def put_object(self, name: str, file: Path, *, damaged: bool = False) -> None:
        """Write a file under the name of its content; what is there is left alone unless it is damaged."""
        size = file.stat().st_size
        there = None if damaged else self.find(name)
        if there is not None and there[0] == size:
            return
        mode = "overwrite" if damaged or there is not None or size > PART else "create"
        with self._sentences(), suppress(self._client.exceptions.AlreadyExistsError):  # just now, by another machine
            self._client.put(self._large, name, file, chunk_size=PART, max_concurrency=4, mode=mode)

    def find(self, name: str) -> tuple[int, Version] | None:
        """Return size and version of an object; None where there is none."""
        there: tuple[int, Version] | None = None
        with self._sentences(absent=True):
            found = self._client.head(self._small, name)
            there = int(found["size"]), Version(found["e_tag"], found["version"])
        return there

    def create(self, name: str, data: bytes) -> bool:
        """Write an object where there is none; say whether there was none."""
        try:
            self.replace(name, data, None)
        except Outrun:
            return False
        return True

    def replace(self, name: str, data: bytes, seen: Version | None) -> Version:
        """Write an object if it is still what was seen; if there is still none where None was seen.

        Raises
        ------
        Outrun
            It is another one.
        """
        mode = seen.condition() if seen else "create"
        conflict = (self._client.exceptions.AlreadyExistsError, self._client.exceptions.PreconditionError)
        with self._sentences():
            try:
                put = self._client.put(self._small, name, data, mode=mode, use_multipart=False)
            except conflict:
                raise Outrun from None
            except FileNotFoundError as error:  # what was seen was removed
                if seen and "NoSuchBucket" not in str(error):
                    raise Outrun from None
                raise
            return Version(put["e_tag"], put["version"])

    def check_conditions(self) -> None:
        """Refuse a store that ignores conditions: two machines would overwrite each other.

        Raises
        ------
        StudyError
            It does.
        """
        name, text = ".conditional", b"personax tests here whether writes can be conditional\n"
        kept = self.create(name, text)
        try:
            self.replace(name, text, Version('"0123456789abcdef0123456789abcdef"', "1"))
        except Outrun:
            kept = False
        if kept or self.create(name, text):
            raise StudyError(self._without_conditions())

    def _without_conditions(self) -> str:
        return (
            f"{self.url}: this store does not do conditional writes (If-None-Match, If-Match), and two machines could "
            "overwrite each other; use another store, or a local folder"
        )

    def names(self, folder: str) -> Mapping[str, tuple[int, Version]]:
        """Return name -> size and version of all objects below a folder."""
        with self._sentences():
            found = [one for batch in self._client.list(self._small, prefix=folder or None) for one in batch]
        return {one["path"]: (int(one["size"]), Version(one["e_tag"], one["version"])) for one in found}

    @contextmanager
    def _sentences(self, *, absent: bool = False) -> Iterator[None]:
        """Turn what the client raises into a sentence; where objects may be ``absent``, that one is no fault."""
        try:
            yield
        except FileNotFoundError as error:
            if not absent or "NoSuchBucket" in str(error):
                raise StudyError(self.sentence(str(error) + " 404")) from None
        except (self._client.exceptions.BaseError, TimeoutError, ValueError) as error:
            raise StudyError(self.sentence(f"{type(error).__name__} {error}")) from None

    def sentence(self, told: str) -> str:
        """Return one sentence; what the store has said is not repeated, since keys can be in it."""
        self.has_failed = True
        told = told[:20_000]
        if any(word in told for word in ("RequestTimeTooSkewed", "RequestExpired")):
            return f"{self.url}: the clock of this machine is wrong by minutes, and the store refuses; set it right"
        if re.search(r"NotImplemented|NotSupported|501 Not", told):
            return self._without_conditions()
        if "NoSuchBucket" in told or told.endswith(" 404"):
            return f"there is no bucket {self.bucket}; make it, or check the address {self.url}"
        if re.search(r"Unauthenticated|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken", told):
            return f"{self.url}: the credentials are wrong or have expired; set {_CREDENTIALS[self.scheme]} anew"
        if re.search(r"169\.254|/latest/(api|meta-data)|computeMetadata|TokenRequest|[Cc]redential", told):
            what = _CREDENTIALS[self.scheme]
            return f"no credentials for {self.url} were found; set {what}, or run on a machine with a role"
        if re.search(r"PermissionDenied|AccessDenied|\b403\b", told):
            return f"{self.url}: these credentials may not do that; they need to list, read and write below it"
        return (
            f"{self.url} cannot be reached or did not answer in time; what is finished is kept on this machine: "
            "check the network (and AWS_REGION, AWS_ENDPOINT_URL), then run it again"
        )
