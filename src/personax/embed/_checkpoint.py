"""A model's files before anything of them is used: where they lie, that they bring no code, and which they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from personax.embed._encoder import EncoderCard, Precision, ReadModality, Vectors, resolve_device
from personax.errors import InputError, require
from personax.files import parse_json, sha256, write_text

__all__ = [
    "Checkpoint",
    "PretrainedEncoder",
    "cached_file_hash",
    "find_checkpoint",
    "first_line",
    "mark_missing_weights",
    "model_files_hash",
    "refuse_missing_weights",
    "tensor_names",
    "weights_hash",
]

READ_SUFFIXES: Final = (".safetensors", ".json", ".txt", ".model", ".jinja")
"""What the loaders read. Weights in pickles are not among it: reading them can run code."""
CONFIG_FILES: Final = ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json")
"""Where a model says that it brings code (``auto_map``)."""
MAX_HEADER: Final = 100 * 10**6
"""Bytes of the header of a safetensors file, as its own library bounds it."""
IGNORED_FOLDERS: Final = ("onnx", "openvino", "original", ".cache", ".git")
"""Folders of the same weights in formats that are not read."""


@dataclass(frozen=True)
class Checkpoint:
    """The files of a model.

    Parameters
    ----------
    model
        As the study names it.
    folder
        Where they lie.
    revision
        The commit of a hub; empty for a folder.
    weights
        SHA-256 of all files that a loader reads, of their names and content.
    """

    model: str
    folder: Path
    revision: str
    weights: str

    def read_json(self, path: Path) -> dict[str, Any]:
        """Return what a JSON file of the model says, a list under an empty name; nothing where there is no file."""
        try:
            raw = parse_json(path.read_bytes()) if path.is_file() else {}
        except ValueError:
            raise InputError(f"{path.name} of the model {self.model} is no JSON; get the model again") from None
        return raw if isinstance(raw, dict) else {"": raw}


def find_checkpoint(
    field: str, model: str, revision: str | None, *, custom_code: bool = False, cache: Path | None = None
) -> Checkpoint:
    """Return the files of a model of a hub, fetched where they are not here yet, or of a folder.

    Parameters
    ----------
    field
        Of the study file, for messages.
    model, revision
        An id of the hub and a commit, tag or branch; or a folder.
    custom_code
        Somebody has written down what the model's own code does, so that it is not missed.
    cache
        A file that remembers the hashes of large files.

    Raises
    ------
    InputError
        When the model cannot be had, or brings code of its own, which is never run.
    """
    folder = Path(model) if Path(model).is_dir() else _download(field, model, revision)
    if not any((folder / name).is_file() for name in ("config.json", "modules.json")):
        raise InputError(f"{field}: the model {model} cannot be had (its folder has no config.json)")
    if not any(path.suffix == ".safetensors" for path in _files(folder)):
        text = (
            f"{field}: the model {model} cannot be had (it has no weights as safetensors, and no pickled ones are read)"
        )
        raise InputError(f"{text}; give the revision that has them, or a folder with converted ones")
    commit = folder.name if folder.parent.name == "snapshots" else ""
    found = Checkpoint(model, folder, commit, weights_hash(folder, cache))
    _refuse_code(field, found, custom_code)
    return found


class PretrainedEncoder:
    """What encoders with a model of a hub or of a folder share: its files, where it runs, the card, unit vectors.

    Parameters
    ----------
    modality
        What it reads.
    model, revision, device, precision, licence, name, cache
        As of `SentenceEncoder` and `VisionEncoder`.
    float16, custom_code
        As `Recipe` says of the model.
    """

    card: EncoderCard

    def __init__(
        self,
        modality: ReadModality,
        model: str,
        *,
        revision: str | None,
        device: str | None,
        precision: Precision,
        licence: str,
        name: str,
        cache: Path | None,
        float16: bool = True,
        custom_code: bool = False,
    ) -> None:
        self._device, self._kind = resolve_device(device, precision)
        field = f"embed.{modality}"
        if not float16 and str(self._kind) == "torch.float16":
            if precision == "float16":
                raise InputError(f"{field}: {name or model} needs precision: bfloat16 or float32; float16 overflows")
            self._device, self._kind = resolve_device(device, "float32")
        checkpoint = find_checkpoint(field, model, revision, custom_code=custom_code, cache=cache)
        self._checkpoint = replace(checkpoint, model=name or model)
        self._modality, self._revision, self._licence = modality, revision or "", licence

    def _described(self, dim: int, preprocessing: dict[str, str | int | float | bool]) -> EncoderCard:
        """Return the card; the precision is the last word of what is done."""
        return EncoderCard(
            name=self._checkpoint.model, modality=self._modality, dim=dim,
            revision=self._checkpoint.revision or self._revision, licence=self._licence,
            weights=self._checkpoint.weights,
            preprocessing=preprocessing | {"precision": str(self._kind).removeprefix("torch.")},
        )  # fmt: skip

    def _scaled(self, vectors: Vectors, normalise: bool) -> Vectors:
        """Return vectors of 32 bits, of length one where that is asked for, whatever the model's numbers are."""
        if normalise:
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return np.asarray(vectors, dtype=np.float32)


def model_files_hash(model: str, revision: str | None, cache: Path | None = None) -> str | None:
    """Return the hash of a model's files as they are here now, asking no network; None where they are not here."""
    if Path(model).is_dir():
        return weights_hash(Path(model), cache)
    try:
        hub = require("huggingface_hub", extra="embed")
        return weights_hash(Path(hub.snapshot_download(model, revision=revision, local_files_only=True)), cache)
    except (ImportError, OSError, ValueError, InputError):
        return None


def _download(field: str, model: str, revision: str | None) -> Path:
    hub = require("huggingface_hub", extra="embed")
    wanted = [f"*{ending}" for ending in READ_SUFFIXES]
    try:
        return Path(
            hub.snapshot_download(
                model,
                revision=revision,
                allow_patterns=wanted,
                ignore_patterns=[f"{name}/*" for name in IGNORED_FOLDERS],
            )
        )
    except (OSError, ValueError) as error:
        text = f"{field}: the model {model} cannot be had: there is no such folder, and no hub gives it"
        raise InputError(f"{text} ({first_line(error)})") from None


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def _refuse_code(field: str, found: Checkpoint, custom_code: bool) -> None:
    """Stop at a model whose vectors come from code of its own: without that code, they would be other ones."""
    raw = [found.read_json(path) for path in _files(found.folder) if path.name in CONFIG_FILES]
    brought = any(one.get("auto_map") for one in raw) and not custom_code
    listed = found.read_json(found.folder / "modules.json").get("", [])
    strange = [one["type"] for one in listed if not str(one["type"]).startswith("sentence_transformers.")]
    if brought or strange:
        text = f"{field}: {found.model} brings code of its own, which is never run, and its vectors come from that code"
        raise InputError(f"{text}; take another model, or name the preset whose recipe it follows (like: NAME)")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if (
            path.suffix in READ_SUFFIXES
            and path.is_file()
            and not set(path.relative_to(folder).parts) & set(IGNORED_FOLDERS)
        ):
            yield path


def weights_hash(folder: Path, cache: Path | None = None) -> str:
    """Return the SHA-256 of the names and contents of a model's files.

    Every byte is read, once: ``cache`` remembers the hash of a file by its path, size, time of change and inode, so
    that other weights in its place go unseen only where somebody sets all of these back.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "model.safetensors").write_bytes(b"one")
    ...     first = weights_hash(Path(folder))
    ...     _ = (Path(folder) / "model.safetensors").write_bytes(b"two")
    ...     first == weights_hash(Path(folder))
    False
    """
    with _hash_cache(cache) as known:
        listed = "".join(
            f"{path.relative_to(folder).as_posix()} {_cached_hash(path, known)}\n" for path in _files(folder)
        )
    return hashlib.sha256(listed.encode()).hexdigest()


def cached_file_hash(path: Path, cache: Path | None = None) -> str:
    """Return the SHA-256 of one large file, remembered as `weights_hash` does."""
    with _hash_cache(cache) as known:
        return _cached_hash(path, known)


@contextmanager
def _hash_cache(cache: Path | None) -> Iterator[dict[str, list[Any]]]:
    """Yield the hashes of files that were read before, and keep the new ones."""
    known = _read_cache(cache)
    before = dict(known)
    yield known
    if cache is not None and known != before:
        with suppress(OSError):  # where nothing can be written, files are read again
            write_text(cache, json.dumps(known, indent=1, sort_keys=True))


def _read_cache(cache: Path | None) -> dict[str, list[Any]]:
    try:
        raw = parse_json(cache.read_bytes()) if cache is not None else {}
    except (OSError, ValueError):
        return {}
    return raw if isinstance(raw, dict) else {}


def _cached_hash(path: Path, known: dict[str, list[Any]]) -> str:
    real = path.resolve()
    state = real.stat()
    mark = [state.st_size, state.st_mtime_ns, state.st_ino]
    if known.get(str(real), [])[:3] != mark:
        known[str(real)] = [*mark, sha256(real)]
    return str(known[str(real)][3])


def tensor_names(folder: Path) -> set[str]:
    """Return the names of the tensors in the safetensors files of a folder; their headers alone are read."""
    names: set[str] = set()
    for path in _files(folder):
        if path.suffix == ".safetensors":
            with path.open("rb") as stream:
                length = int.from_bytes(stream.read(8), "little")
                names |= set(_header(path, stream.read(min(length, MAX_HEADER)), length))
    return names - {"__metadata__"}


def _header(path: Path, raw: bytes, length: int) -> dict[str, Any]:
    """Return the header of a safetensors file, of so many bytes as it says: tensor -> where it lies."""
    try:
        header = parse_json(raw) if len(raw) == length else None
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise InputError(f"{path.name} has no header of safetensors; get the model again")
    return header


def mark_missing_weights(model: Any, names: Iterable[str]) -> int:  # noqa: ANN401 - a model of torch
    """Mark the numbers of a model that its checkpoint lacks as missing, and return how many tensors that were.

    A loader fills them with random numbers, other ones in every process. As missing numbers they show in every vector
    that they enter, and in no other.
    """
    torch = require("torch", extra="embed")
    held = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    marked = [held[name] for name in names if name in held and held[name].is_floating_point()]
    with torch.no_grad():
        for tensor in marked:
            tensor.fill_(float("nan"))
    return len(marked)


def refuse_missing_weights(field: str, model: str, number: int) -> None:
    """Stop at a checkpoint without weights that its vectors need."""
    text = f"{field}: the checkpoint of {model} lacks {number} of its weights, and its vectors need them"
    raise InputError(f"{text}; random numbers would stand in, so take a checkpoint that is whole")
