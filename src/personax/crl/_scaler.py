"""Validation of measurements, and the scaler that standardises them, also for people met later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.crl._estimator import Arrays
from personax.crl._lacking import has_every_modality, lacks
from personax.errors import InputError

__all__ = ["CHUNK", "Scaler", "check", "chunks", "latent_names"]

Array = NDArray[np.float64]

FEWEST = 20
"""People below which nothing is learned."""

CHUNK = 4096
"""People looked at together: measurements may lie in a file mapped into memory and be larger than memory."""


def chunks(people: int) -> Iterator[slice]:
    """Go through people a chunk at a time; nobody is one chunk."""
    return (slice(start, start + CHUNK) for start in range(0, max(people, 1), CHUNK))


def latent_names(latents: Mapping[str, int], modalities: list[str], shared: int) -> list[str]:
    """Return ``shared_1`` ..., then ``<modality>_1`` ..., modality by modality.

    Examples
    --------
    >>> latent_names({"text": 2, "image": 1}, ["image", "text"], 1)
    ['shared_1', 'image_1', 'text_1', 'text_2']
    """
    own = [f"{m}_{i}" for m in modalities for i in range(1, latents[m] + 1)]
    return [f"shared_{i}" for i in range(1, shared + 1)] + own


def check(views: Arrays, latents: Mapping[str, int], shared: int, *, lacking: bool = False) -> None:
    """Check that something can be learned from the measurements.

    Parameters
    ----------
    views, latents, shared
        As `Method.fit` takes them.
    lacking
        Whether people may lack a measurement: a row of NaN.

    Raises
    ------
    InputError
        No measurement, other modalities than the latents name, unequal lengths, missing or infinite numbers, too few
        people, more latents than dimensions that vary.
    """
    arrays = _flat(views)
    if not arrays:
        raise InputError("there is no embedding to learn from")
    if set(views) != set(latents):
        raise InputError(f"crl.latents names {', '.join(latents)}; the embeddings have {', '.join(views)}")
    _check_rows(arrays, lacking=lacking)
    for (modality, name), x in arrays.items():
        there = int((~lacks(x)).sum()) if lacking else len(x)
        if there < FEWEST and there < len(x):
            raise InputError(
                f"{there} people have a vector of {modality}/{name} (those of the others hold missing or infinite "
                f"numbers alone), and at least {FEWEST} are needed; leave that measurement out"
            )
    people = int(has_every_modality(views).sum()) if lacking else len(next(iter(arrays.values())))
    if people < FEWEST:
        have = "have vectors of every modality, which" if people < len(next(iter(arrays.values()))) else ""
        raise InputError(f"{people} people {have}{' ' * bool(have)}are too few to learn latents from; "
                         f"at least {FEWEST} are needed")  # fmt: skip
    for (modality, name), x in arrays.items():
        wanted = latents[modality] + shared
        if int(_varies(x).sum()) < wanted:
            text = f"{wanted} latents are asked of {modality}/{name}, which has fewer dimensions that vary"
            raise InputError(text)


def _flat(views: Arrays) -> dict[tuple[str, str], NDArray[Any]]:
    return {(m, k): x for m, by in views.items() for k, x in by.items()}


def _check_rows(arrays: Mapping[tuple[str, str], NDArray[Any]], *, lacking: bool = False) -> None:
    for (modality, name), x in arrays.items():
        if x.ndim != 2:
            raise InputError(f"the embedding {modality}/{name} has {x.ndim} axes; people by dimensions are needed")
        if x.dtype.kind not in "iufb":
            raise InputError(f"the embedding {modality}/{name} is {x.dtype}; real numbers are needed")
    lengths = sorted({len(x) for x in arrays.values()})
    if len(lengths) > 1:
        raise InputError(f"the embeddings have different numbers of people: {lengths}")
    for (modality, name), x in arrays.items():
        without = lacks(x) if lacking else np.zeros(len(x), dtype=bool)
        if not all((np.isfinite(x[rows]).all(axis=1) | without[rows]).all() for rows in chunks(len(x))):
            raise InputError(f"the embedding {modality}/{name} holds missing or infinite numbers")


def _varies(x: NDArray[Any]) -> NDArray[np.bool_]:
    # compared with the first person, because rounding gives a constant column a standard deviation of 1e-17
    varies: NDArray[np.bool_] = np.zeros(x.shape[1], dtype=bool)
    without = lacks(x)
    first = int(np.argmin(without))
    for rows in chunks(len(x)):
        varies |= ((x[rows] != x[first]) & ~without[rows, None]).any(axis=0)
    return varies


def _moments(x: NDArray[Any]) -> tuple[Array, Array]:
    """Return mean and standard deviation of each dimension."""
    n = len(x)
    mean = sum((x[rows].sum(axis=0, dtype=np.float64) for rows in chunks(n)), np.zeros(x.shape[1])) / n
    squares = (np.square(x[rows].astype(np.float64) - mean).sum(axis=0) for rows in chunks(n))
    return mean, np.sqrt(sum(squares, np.zeros(x.shape[1])) / n)


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of every dimension, from the people that a method is fitted on.

    Parameters
    ----------
    mean, std
        Modality -> measurement -> shape (dim,); the standard deviation is 0 where a dimension is constant and left out.

    Examples
    --------
    >>> views = {"text": {"a": np.array([[1.0, 7.0], [3.0, 7.0]])}}
    >>> Scaler.fit(views).apply({"text": {"a": np.array([[5.0, 7.0]])}})["text"]["a"]
    array([[3.]])
    """

    mean: Mapping[str, Mapping[str, Array]]
    std: Mapping[str, Mapping[str, Array]]

    @classmethod
    def fit(cls, views: Arrays) -> Scaler:
        """Learn from these people; what `check` refuses is not looked for again."""
        mean: dict[str, dict[str, Array]] = {}
        std: dict[str, dict[str, Array]] = {}
        for modality, measurements in views.items():
            mean[modality], std[modality] = {}, {}
            for name, raw in measurements.items():
                mean[modality][name], deviation = _moments(raw)
                std[modality][name] = np.where(_varies(raw), deviation, 0.0)
        return cls(mean, std)

    @property
    def dropped(self) -> int:
        """Number of constant dimensions."""
        return sum(int((scale == 0).sum()) for by in self.std.values() for scale in by.values())

    @property
    def dims(self) -> dict[str, dict[str, int]]:
        """Modality -> measurement -> number of dimensions kept."""
        return {m: {k: int((scale > 0).sum()) for k, scale in by.items()} for m, by in self.std.items()}

    def apply(self, views: Arrays, *, lacking: bool = False) -> dict[str, dict[str, Array]]:
        """Return standardised measurements of any people, in the order of the people fitted on, constant ones left out.

        Raises
        ------
        InputError
            As `check_people` does.
        """
        self.check_people(views, lacking=lacking)
        return {m: {k: self._scaled(m, k, views[m][k]) for k in by} for m, by in self.mean.items()}

    def read(self, views: Arrays, rows: NDArray[np.intp] | slice) -> dict[str, dict[str, Array]]:
        """Return standardised measurements of some people, all of whom `check` or `check_people` let pass.

        Modalities that are not there are left out.
        """
        there = {m: by for m, by in self.mean.items() if m in views}
        return {m: {k: self._scaled(m, k, views[m][k][rows]) for k in by} for m, by in there.items()}

    def check_people(self, views: Arrays, *, lacking: bool = False) -> None:
        """Check that people were measured as those fitted on; ``lacking`` lets rows of NaN pass.

        Raises
        ------
        InputError
            Other measurements, other numbers of dimensions, unequal lengths, missing or infinite numbers.
        """
        arrays = _flat(views)
        known = {(m, k) for m, by in self.mean.items() for k in by}
        if set(arrays) != known:
            have, want = (", ".join(sorted(f"{m}/{k}" for m, k in keys)) or "none" for keys in (arrays, known))
            raise InputError(f"the method was fitted on the embeddings {want}; these are {have}")
        _check_rows(arrays, lacking=lacking)
        for (modality, name), x in arrays.items():
            fitted = len(self.mean[modality][name])
            if x.shape[1] != fitted:
                text = f"the embedding {modality}/{name} has {x.shape[1]} dimensions; it was fitted with {fitted}"
                raise InputError(text)

    def _scaled(self, modality: str, name: str, x: NDArray[Any]) -> Array:
        mean, std = self.mean[modality][name], self.std[modality][name]
        kept = std > 0
        scaled: Array = (x if kept.all() else x[:, kept]).astype(np.float64)
        scaled -= mean[kept]
        scaled /= std[kept]
        return scaled
