"""The secret key of a study's releases: the keystore, random numbers derived from the key, and key rotation.

- ``_random_stream``: random numbers that a seed determines on every machine
- ``_keystore``: the key and its file, HKDF, pseudonyms, the files kept with the key
- ``_rotation``: which earlier releases disclose people by differencing, and a new key where they do
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personax.release.keys._keystore import (
        Keystore,
        ReleaseKey,
        hkdf,
        load_key,
        load_or_make_key,
        new_key,
        write_secret,
    )
    from personax.release.keys._random_stream import RandomStream
    from personax.release.keys._rotation import (
        DifferencingRisk,
        archive_key,
        describe_risks,
        differencing_risks,
        install_key,
        release_record,
    )

__all__ = [
    "DifferencingRisk",
    "Keystore",
    "RandomStream",
    "ReleaseKey",
    "archive_key",
    "describe_risks",
    "differencing_risks",
    "hkdf",
    "install_key",
    "load_key",
    "load_or_make_key",
    "new_key",
    "release_record",
    "write_secret",
]

_HOME = {
    "DifferencingRisk": "_rotation",
    "Keystore": "_keystore",
    "RandomStream": "_random_stream",
    "ReleaseKey": "_keystore",
    "archive_key": "_rotation",
    "describe_risks": "_rotation",
    "differencing_risks": "_rotation",
    "hkdf": "_keystore",
    "install_key": "_rotation",
    "load_key": "_keystore",
    "load_or_make_key": "_keystore",
    "new_key": "_keystore",
    "release_record": "_rotation",
    "write_secret": "_keystore",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        text = f"module 'personax.release.keys' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"personax.release.keys.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
