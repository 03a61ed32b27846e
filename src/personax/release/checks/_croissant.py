"""croissant.json: its hashes and sizes are the files', and mlcroissant reads it."""

from __future__ import annotations

import importlib.util
import logging
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from personax.errors import InputError, require
from personax.files import sha256
from personax.release.checks._check import Check, CheckedRelease, check_result, entries, mapping

__all__ = ["croissant"]

FILE = "croissant.json"
_SIZE = re.compile(r"(\d+)( ?B)?")
_BROKEN = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
"""What a reader of a format raises on anything that is not of it."""


def croissant(release: CheckedRelease) -> Iterable[Check]:
    """Check the description of the files, then its form."""
    if FILE not in release.folder.files:
        yield release.missing("croissant", FILE, "so no program knows what the columns are")
        return
    try:
        metadata = release.folder.json(FILE)
    except InputError as error:
        yield Check("croissant", "fails", str(error))
        return
    faults = list(_faults(release, mapping(metadata)))
    yield check_result("croissant", faults, "hashes and sizes are those of the files")
    if not faults:
        yield _form(mapping(metadata))


def _faults(release: CheckedRelease, metadata: dict[str, object]) -> Iterator[str]:
    described_columns = set()
    for entry in map(mapping, entries(metadata.get("distribution"))):
        url, size, digest = (entry.get(key) for key in ("contentUrl", "contentSize", "sha256"))
        if not isinstance(url, str) or (digest is None and size is None):
            continue  # a set of files has no hash of its own
        path = release.folder.files.get(url.removeprefix("./"))
        if path is None:
            yield f"{FILE} tells of {url!r}, which is not in the folder"
            continue
        described_columns.add(url.removeprefix("./"))
        if digest != sha256(path):
            yield f"{FILE} has another hash for {url}"
        found = _SIZE.fullmatch(str(size))
        if size is not None and (found is None or int(found[1]) != path.stat().st_size):
            yield f"{FILE} has another size for {url}"
    for name in release.folder.under("data/"):
        if name not in described_columns:
            yield f"{FILE} says nothing of {name}"
    if list(_elsewhere(metadata)):
        yield f"{FILE} takes the meaning of its words from elsewhere; a description stands on its own"


def _elsewhere(value: object) -> Iterator[str]:
    """Yield what a reader would fetch to know what words mean."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
            contexts = entries(one.get("@context"))
            yield from (context for context in contexts if isinstance(context, str))
            yield from ["@import"] if "@import" in one else []
        elif isinstance(one, list):
            waiting += one


def _form(metadata: dict[str, object]) -> Check:
    if importlib.util.find_spec("mlcroissant") is None:
        return Check("croissant's form", "cannot tell", 'install mlcroissant: pip install "personax[release]"')
    mlc = require("mlcroissant", extra="release")
    try:
        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")
            mlc.Dataset(jsonld=metadata)
    except (mlc.ValidationError, *_BROKEN) as error:
        text = " ".join(str(error).split())[:300] or type(error).__name__
        return Check("croissant's form", "fails", f"mlcroissant refuses {FILE}: {text}")
    return Check("croissant's form", "holds", "mlcroissant reads it without a fault")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep mlcroissant from writing to the log of absl that a context differs from the official one."""
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
