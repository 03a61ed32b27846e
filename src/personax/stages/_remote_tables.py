"""A data set in an object store (``s3://``, ``gs://``): fetched part by part, and gone when it has been counted."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personax.errors import InputError
from personax.names import safe_name
from personax.store import Bucket, is_remote

__all__ = ["local_tables"]


@contextmanager
def local_tables(place: Path) -> Iterator[Path]:
    """Yield a folder of this machine with the Parquet files below an address; what is no address stays as it is.

    What begins with ``.`` or ``_`` is left out, and names of folders such as ``year=2024`` stay. Memory holds 8 MiB of
    a file at a time; the disk holds all of them until the block ends.

    Raises
    ------
    StudyError
        No bucket, no credentials, no network: one sentence.
    InputError
        Nothing is there, a name is none of a file, or the disk has less room than they take.
    """
    if not is_remote(place):
        yield place
        return
    one_file = place.suffix == ".parquet"
    bucket = Bucket(str(place.parent if one_file else place))
    sizes = {name: size for name, (size, _) in bucket.names("").items() if _is_table(name)}
    if one_file:
        sizes = {name: size for name, size in sizes.items() if name == place.name}
    if not sizes:
        raise InputError(f"{bucket.url} holds no Parquet file; name a file or a folder of them")
    with tempfile.TemporaryDirectory(prefix="personax-") as folder:
        if sum(sizes.values()) > (free := shutil.disk_usage(folder).free):
            raise InputError(
                f"{bucket.url} takes {sum(sizes.values()):,} bytes and {folder} has {free:,} free; set TMPDIR to a "
                "disk with room"
            )
        for name in sizes:
            parts = [safe_name(part, "a file of a data set") for part in name.split("/")]
            target = Path(folder, *parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            if bucket.fetch(name, target) is None:
                raise InputError(f"{bucket.url}/{name} went away while it was fetched; run it again")
        yield Path(folder, place.name) if one_file else Path(folder)


def _is_table(name: str) -> bool:
    return name.endswith(".parquet") and not any(part.startswith((".", "_")) for part in name.split("/"))
