"""Checks of the folder: regular files, matching checksums, no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from personax.errors import InputError
from personax.files import sha256
from personax.release.checks._check import Check, CheckedRelease, check_result

__all__ = ["SUMS", "shape"]

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
_SECRET_NAMES = re.compile(r"\.(key|pem|npz|npy|pkl|pickle|joblib|sqlite|db|env)$|^\.env|(^|/)(keys|fitted)/")
_PICTURES = re.compile(r"\.(jpe?g|png|gif|webp|bmp|tiff?|heic|mp4|wav|mp3)$", re.IGNORECASE)
_SECRET_WORDS = re.compile(r'"(personax_key|secret|private_key|api_key|password|token)"\s*:|BEGIN [A-Z ]*PRIVATE KEY')
_HEX = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_TEXTS = (".md", ".json", ".cff", ".txt", ".yaml", ".yml", ".csv")
_KNOWN = (*_TEXTS, ".parquet")


def shape(release: CheckedRelease) -> Iterable[Check]:
    """Check the files, whatever is in them."""
    folder = release.folder
    odd = [name for name in folder.files if not name.endswith(_KNOWN) and name != SUMS]
    pictures = [name for name in folder.files if _PICTURES.search(name)]
    faults = [*folder.odd, *(f"{name} is a picture or a recording" for name in pictures)]
    passed = f"; passed over: {', '.join(folder.passed_over)}" if folder.passed_over else ""
    if not faults and odd:
        yield Check("folder", "cannot tell", f"{', '.join(odd)} are of no kind that a release has{passed}")
    else:
        yield check_result("folder", faults, f"{len(folder.files)} plain files, no links{passed}")
    hashes = {name: sha256(path) for name, path in folder.files.items()}
    yield _checksums(release, hashes)
    yield _secrets(release, set(hashes.values()))


def _checksums(release: CheckedRelease, hashes: dict[str, str]) -> Check:
    if SUMS not in hashes:
        return release.missing("checksums", SUMS, "so nobody can say whether files were changed")
    try:
        text = release.folder.text(SUMS)
    except InputError as error:
        return Check("checksums", "fails", str(error))
    faults = [] if text.endswith("\n") else [f"{SUMS} ends in the middle of a line"]
    listed: dict[str, str] = {}
    for line in text.removesuffix("\n").split("\n"):
        found = _LINE.fullmatch(line)
        if found is None:
            faults.append(f"{SUMS} has a line that is no checksum")
        elif found[2] in listed or found[2] == SUMS:
            faults.append(f"{SUMS} lists {found[2]!r} twice")
        else:
            listed[found[2]] = found[1]
    actual = {name: value for name, value in hashes.items() if name != SUMS}
    faults += [f"{name} is listed and missing" for name in sorted(set(listed) - set(actual))]
    faults += [f"{name} is not listed" for name in sorted(set(actual) - set(listed))]
    faults += [f"{name} was changed" for name in sorted(set(actual) & set(listed)) if actual[name] != listed[name]]
    return check_result("checksums", faults, f"{len(listed)} files are as {SUMS} says")


def _secrets(release: CheckedRelease, hashes: set[str]) -> Check:
    faults = [f"{name} looks like a secret" for name in release.folder.files if _SECRET_NAMES.search(name)]
    for name in release.folder.files:
        if PurePosixPath(name).suffix in _TEXTS:
            try:
                text = release.folder.text(name)
            except InputError as error:
                faults.append(str(error))
                continue
            if _SECRET_WORDS.search(text):
                faults.append(f"{name} holds words of a secret; nothing of a key may leave")
            if any(found.lower() not in hashes for found in _HEX.findall(text)):
                faults.append(f"{name} holds 64 hexadecimal digits that are no file's hash; that may be a key")
    return check_result("secrets", faults, "no keys, nothing fitted, no secret in a text")
