"""Parquet files below an address of an object store (``s3://``, ``gs://``), read where they are counted.

polars asks for the footer of a file and for the columns that are wanted, and for nothing else. Names, sizes and
versions come from one listing, so that a file which is replaced meanwhile is told.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from personax.data.object_store import TRANSFER, WAIT, Bucket, Version, is_remote
from personax.errors import InputError, StudyError

__all__ = ["RemoteTables", "reading_tables"]


@dataclass(frozen=True)
class RemoteTables:
    """The Parquet files below an address, as they were when it was listed.

    Parameters
    ----------
    root
        The address that the names are relative to.
    versions
        Name of a file -> its size and its version.
    only
        The name of the one file that was asked for, if it was one.
    """

    root: str
    versions: Mapping[str, tuple[int, Version]]
    only: str = ""

    @classmethod
    def listed(cls, place: Path | str) -> RemoteTables:
        """List them; what begins with ``.`` or ``_`` is left out.

        Raises
        ------
        StudyError
            No bucket, no credentials, no network: one sentence.
        InputError
            Nothing is there.
        """
        folder, _, last = str(place).rpartition("/")
        only = last if last.endswith(".parquet") else ""
        bucket = Bucket(folder if only else str(place))
        found = {name: one for name, one in bucket.names("").items() if _is_table(name) and only in ("", name)}
        if not found:
            raise InputError(f"{bucket.url} holds no Parquet file; name a file or a folder of them")
        return cls(bucket.url, dict(sorted(found.items())), only)

    def listed_again(self) -> RemoteTables:
        """Return what is there now.

        Raises
        ------
        StudyError, InputError
            As of `listed`.
        """
        return self.listed(f"{self.root}/{self.only}" if self.only else self.root)

    def addresses(self) -> list[str]:
        """Return the address of each file."""
        return [f"{self.root}/{name}" for name in self.versions]

    def digest(self) -> str:
        """Return a hash of all names, sizes and versions: another one where a file was replaced."""
        told = [f"{name} {size} {version.e_tag} {version.version}\n" for name, (size, version) in self.versions.items()]
        return hashlib.sha256("".join(told).encode()).hexdigest()

    def options(self) -> dict[str, Any]:
        """Return what a reader of these files is told: where they lie and how long to wait, and never a credential.

        Credentials are those of the machine that reads: its environment variables, or its role.
        """
        bucket = Bucket(self.root)
        options: dict[str, Any] = {"connect_timeout": f"{WAIT}s", "timeout": f"{TRANSFER}s", "max_retries": 1}
        if endpoint := bucket.endpoint():
            options |= {"aws_endpoint_url": endpoint, "allow_http": str(endpoint.startswith("http://")).lower()}
        if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
            options["aws_region"] = region
        return options


def _is_table(name: str) -> bool:
    return name.endswith(".parquet") and not any(part.startswith((".", "_")) for part in name.split("/"))


@contextmanager
def reading_tables(place: Path | str) -> Iterator[None]:
    """Turn what polars raises about an address into a sentence; what is no address stays as it is."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        if not is_remote(place) or "object-store error" not in str(error):
            raise
        bucket = Bucket(str(place).rpartition("/")[0] if str(place).endswith(".parquet") else str(place))
        if isinstance(error, FileNotFoundError):
            raise InputError(f"{place} went away while it was read; run it again") from None
        raise StudyError(bucket.sentence(f"{type(error).__name__} {error}")) from None
