"""A chain of keyed steps: the transform of a release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Self, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from personax import registry
from personax.errors import InputError
from personax.registry import Part, register
from personax.release.keys._keystore import ReleaseKey
from personax.release.transforms._properties import PROPERTIES, SMOOTH, Preservation
from personax.release.transforms._step import Floats, Parameters, TransformStep
from personax.strict import nearest

__all__ = ["PRESERVATION", "PRESETS", "STEPS", "Chain", "Preset", "RegisteredParts", "is_preset"]

T = TypeVar("T")

Preset = str
"""The name of a registered transform that a study can ask for."""


class RegisteredParts(Mapping[str, T]):
    """Names of registered transforms and what each declares; those of other packages are there once installed."""

    def __init__(self, declared: Callable[[Part], T | None]) -> None:
        self._declared = declared

    def _all(self) -> dict[str, T]:
        found = {part.name: self._declared(part) for part in registry.parts("transforms") if not part.fault}
        return {name: value for name, value in found.items() if value is not None}

    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _step(part: Part) -> type[TransformStep] | None:
    kind = registry.get("transforms", part.name)
    return kind if isinstance(kind, type) and issubclass(kind, TransformStep) else None


def is_preset(part: Part) -> bool:
    """Say whether a study can ask for a registered transform; a mere step of others cannot be."""
    return bool(part.facts.get("preset", (part.name,)))


STEPS: Mapping[str, type[TransformStep]] = RegisteredParts(_step)
"""Name -> the class of the step."""

PRESETS: Mapping[str, tuple[str, ...]] = RegisteredParts(lambda part: part.facts.get("preset", (part.name,)) or None)
"""Transform of study.yaml -> its steps. What is bent or fitted is always rotated last."""


def _keeps(part: Part) -> Mapping[str, Preservation] | None:
    if not is_preset(part):
        return None
    registry.get("transforms", part.name)  # what is no literal is known once the module is there
    stated: Mapping[str, Preservation] | None = registry.describe("transforms", part.name).facts.get("keeps")
    if stated is None:
        return None  # nothing is said of what it preserves, and so nothing is claimed
    if unknown := [f"{name}: {how}" for name, how in stated.items()
                   if name not in PROPERTIES or how not in get_args(Preservation)]:  # fmt: skip
        raise InputError(
            f"the transform {part.name} says that it keeps {unknown[0]}; properties are {', '.join(PROPERTIES)}, each "
            f"{', '.join(get_args(Preservation))}"
        )
    nothing: Mapping[str, Preservation] = dict.fromkeys(PROPERTIES, "not")
    return {**nothing, **stated}


PRESERVATION: Mapping[str, Mapping[str, Preservation]] = RegisteredParts(_keeps)
"""Transform -> property -> how far it is preserved."""

VERSION = 2
"""Of the arithmetic. In 1, what followed a whitening was float64, and 8,192 rows were transformed at a time."""
STREAM_VERSION = 1
"""Of what the steps make of their random numbers; it grows when a step draws others."""

BATCH_ROWS: Mapping[int, int] = {1: 8192, 2: 1024}
"""Version -> rows transformed at a time: of vectors of some thousand numbers, as many as stay near the processor."""

Vectors = NDArray[np.float32]


@register(
    "transforms",
    "chain",
    title="Chain",
    help="whitening, rotation, warp, flow and rotation, one after another",
    order=60,
    preset=("whitening", "rotation", "warp", "flow", "rotation"),
    keeps=SMOOTH,
)
class Chain(Parameters):
    """A keyed, invertible transform of the vectors of one measurement, with scikit-learn's protocol.

    Parameters
    ----------
    steps
        A preset, or names of steps in order.
    dim
        Length of a vector.
    key, context
        The same key, context (for example ``text/gpt``), steps and length give the same transform.
    version
        Of the arithmetic, as transforms.json says it of a release; versions differ by rounding.

    Raises
    ------
    InputError
        An unknown step or version, no dimension.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    >>> flow = Chain("flow", 6, ReleaseKey(bytes(32)), "text/a").fit(x)
    >>> bool(np.allclose(flow.inverse_transform(flow.transform(x)), x, atol=1e-5))
    True
    """

    def __init__(
        self, steps: str | Sequence[str], dim: int, key: ReleaseKey, context: str, *, version: int = VERSION
    ) -> None:
        if dim < 1:
            raise InputError(f"vectors of {dim} numbers cannot be transformed")
        if version not in BATCH_ROWS:
            raise InputError(f"transforms of version {version} are not known; use the personax that made the release")
        self.steps, self.dim, self.key, self.context, self.version = steps, dim, key, context, version
        self.names = _names(steps)
        label = "+".join(self.names)
        self._steps = [
            _step_class(name, version)(
                dim, key.random_stream("transform", STREAM_VERSION, context, label, place, name, dim)
            )
            for place, name in enumerate(self.names)
        ]
        self._fitted = not any(registry.describe("transforms", name).facts.get("fitted") for name in self.names)

    def fit(self, vectors: Vectors, y: object = None) -> Self:
        """Fit the steps that need it; reads the vectors twice for each of them, in batches.

        Raises
        ------
        InputError
            Another length, missing or infinite numbers, no rows, rows that are all the same.
        """
        self._check(vectors)
        if len(vectors) == 0:
            raise InputError("there are no vectors to fit the transform on")
        for place, step in enumerate(self._steps):
            step.fit_batches(partial(self._batches_before, vectors, place))
        self._fitted = True
        return self

    def transform(self, vectors: Vectors, *, out: Vectors | None = None) -> Vectors:
        """Transform rows, some at a time.

        Parameters
        ----------
        vectors
            Shape (n, dim), finite; may be a memory-mapped file.
        out
            Where to write, for example another memory-mapped file; new by default.

        Raises
        ------
        InputError
            Another length, missing or infinite numbers, a transform that must be fitted first.
        """
        return self._in_batches(vectors, lambda rows: self._apply_steps(rows, len(self._steps)), out)

    @property
    def parts(self) -> Sequence[TransformStep]:
        """The steps, in order."""
        return tuple(self._steps)

    def fit_transform(self, vectors: Vectors, y: object = None) -> Vectors:
        """Fit, and transform the same rows."""
        return self.fit(vectors).transform(vectors)

    def inverse_transform(self, vectors: Vectors, *, out: Vectors | None = None) -> Vectors:
        """Invert `transform`, to 1e-5 of the largest number of the vectors or better; about 1e-6 is usual."""
        return self._in_batches(vectors, self._invert_steps, out)

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Return the fitted state, which inversion needs; it is as secret as the key."""
        return {
            f"{place}.{name}": value for place, step in enumerate(self._steps) for name, value in step.state().items()
        }

    def load(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Restore a fitted state.

        Raises
        ------
        InputError
            It is that of another transform.
        """
        wanted = self.state()
        if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in wanted.items()}:
            raise InputError("the fitted state belongs to another transform or length; restore the file of this one")
        if not all(np.isfinite(value).all() for value in state.values()):
            raise InputError("the fitted state holds missing or infinite numbers; restore the file of this transform")
        for place, step in enumerate(self._steps):
            own = f"{place}."
            step.load({name.removeprefix(own): np.asarray(value, dtype=np.float64) for name, value in state.items()
                       if name.startswith(own)})  # fmt: skip
        self._fitted = True
        return self

    def _check(self, vectors: Vectors) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise InputError(f"this transform is of vectors of {self.dim} numbers, not of shape {vectors.shape}")

    def _in_batches(self, vectors: Vectors, turn: Callable[[Floats], Floats], out: Vectors | None) -> Vectors:
        self._check(vectors)
        if not self._fitted:
            raise InputError(f"the transform {'+'.join(self.names)} must be fitted, or loaded, before it is used")
        made = np.empty(vectors.shape, dtype=np.float32) if out is None else out
        rows = BATCH_ROWS[self.version]
        for start in range(0, len(vectors), rows):
            made[start : start + rows] = turn(_finite(vectors[start : start + rows]))
        return made

    def _batches_before(self, vectors: Vectors, end: int) -> Iterator[Floats]:
        rows = BATCH_ROWS[1]
        for start in range(0, len(vectors), rows):
            yield self._apply_steps(_finite(vectors[start : start + rows]), end)

    def _apply_steps(self, rows: Floats, end: int) -> Floats:
        for step in self._steps[:end]:
            rows = step.transform(rows)
        return rows

    def _invert_steps(self, rows: Floats) -> Floats:
        for step in reversed(self._steps):
            rows = step.inverse_transform(rows)
        return rows


def _step_class(name: str, version: int) -> type[TransformStep]:
    """Return the class of a step in a version of the arithmetic, so that earlier releases are reproduced exactly."""
    former: Mapping[int, type[TransformStep]] = registry.describe("transforms", name).facts.get("former", {})
    return former.get(version, STEPS[name])


def _names(steps: str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(steps, str):
        found = PRESETS.get(steps)
        if found is None:
            raise InputError(f"{steps!r} is no transform; {nearest(steps, list(PRESETS))}")
        return found
    unknown = [name for name in steps if name not in STEPS]
    if unknown or not steps:
        raise InputError(f"{unknown[0] if unknown else ''!r} is no step; {nearest(str(unknown[:1]), list(STEPS))}")
    return tuple(steps)


def _finite(rows: Floats) -> Floats:
    if not np.isfinite(rows).all():
        raise InputError("the embeddings hold missing or infinite numbers; a release needs all of them")
    return rows if rows.dtype == np.float64 else np.asarray(rows, dtype=np.float32)
