"""What the Level II benchmark keeps of each fitted method beside its scores, to draw figures from, as NPZ."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax.errors import InputError
from personax.files import written_aside

__all__ = ["MOST", "Part", "history_of", "keep", "kept"]

MOST: Final = 1000
"""People kept; more make a figure larger and not clearer."""

_HISTORY: Final = "history_"
_IMAGES: Final = "images_"
_PEOPLE: Final = "people_"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One fitted method of one seed, on people it has not seen.

    Parameters
    ----------
    encoded, latents
        Shape (n, d) and (n, k): learned and true latents of the same people.
    learned_names, names
        Of the learned and of the true latents.
    adjacency, true_adjacency
        Shape (d, d) and (k, k), rows are children; how sure each edge is, None where no graph is learned.
    history
        Column -> one number an epoch; empty where nothing was trained or nothing was noted.
    images, people
        Learned latent -> mean images as it moves, shape (k, channels, height, width), and who stand near, shape (k,);
        empty where measurements are no images.
    """

    encoded: Array
    latents: Array
    learned_names: list[str]
    names: list[str]
    adjacency: Array | None
    true_adjacency: NDArray[np.bool_]
    history: Mapping[str, Array]
    images: Mapping[str, Array] = field(default_factory=dict)
    people: Mapping[str, NDArray[np.intp]] = field(default_factory=dict)


def history_of(fitted: object) -> dict[str, Array]:
    """Return what a fitted method has noted of its training, column by column.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> rows = [{"epoch": 1, "validation": 2.0}, {"epoch": 2, "validation": 1.5}]
    >>> {name: x.tolist() for name, x in history_of(SimpleNamespace(history=rows)).items()}
    {'epoch': [1.0, 2.0], 'validation': [2.0, 1.5]}
    >>> history_of(SimpleNamespace(log=None))
    {}
    """
    rows: Sequence[Mapping[str, Any]] = getattr(getattr(fitted, "log", None) or fitted, "history", None) or []
    columns = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in columns}


def keep(path: Path, part: Part) -> None:
    """Write a part, the first 1,000 people of it, so that nobody sees half of one."""
    arrays: dict[str, NDArray[Any]] = {
        "encoded": part.encoded[:MOST],
        "latents": part.latents[:MOST],
        "learned_names": np.array(part.learned_names, dtype=np.str_),
        "names": np.array(part.names, dtype=np.str_),
        "true_adjacency": part.true_adjacency,
    }
    if part.adjacency is not None:
        arrays["adjacency"] = part.adjacency
    arrays |= {_HISTORY + name: x for name, x in part.history.items()}
    arrays |= {_IMAGES + name: x.astype(np.float32) for name, x in part.images.items()}
    arrays |= {_PEOPLE + name: x for name, x in part.people.items()}
    with written_aside(path) as aside, aside.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type] # its stub takes the names for its own options


def kept(path: Path) -> Part | None:
    """Return a part, None where it was not kept: the method failed, or the scores are older than figures.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        return Part(
            found["encoded"],
            found["latents"],
            found["learned_names"].tolist(),
            found["names"].tolist(),
            found.get("adjacency"),
            found["true_adjacency"],
            *(
                {name.removeprefix(first): x for name, x in found.items() if name.startswith(first)}
                for first in (_HISTORY, _IMAGES, _PEOPLE)
            ),
        )
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        text = f"{path} cannot be read ({error}); remove it and its .json, and the same command makes them anew"
        raise InputError(text) from None
