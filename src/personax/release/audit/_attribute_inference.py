"""Attribute inference: what the released vectors say of gender, league or country, once some people's are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Attack, Vectors, rate
from personax.release.audit._nearest_neighbours import standardised

__all__ = ["attribute_inference"]

TRAINING_ROWS, TEST_ROWS = 1500, 3000
"""At most so many people are learnt from and asked about."""
MIN_CLASS_SIZE, MAX_CLASSES = 5, 50
RIDGES = (1e-4, 1e-2, 1.0)

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Kernel(NamedTuple):
    """The eigenvalues and eigenvectors among those learnt from, and the kernel from those asked about to them."""

    values: Floats
    vectors: Floats
    across: Floats


Kernels = dict[bytes, tuple[list[Kernel], list[Kernel]]]
"""Who is learnt from and asked about -> the kernels of their released and of their original vectors."""


def attribute_inference(
    x: Vectors, y: Vectors, attributes: Mapping[str, Sequence[str | None]], *, rng: np.random.Generator
) -> Iterator[Attack]:
    """Yield, for each categorical column, how often it is inferred of people whose value is not known.

    The attacker knows the values of half of the people. Baseline: the most frequent value. Control: the same with
    shuffled values. ``detail`` holds what the original vectors give, and the gain over guessing.

    Parameters
    ----------
    x, y
        Original and released vectors.
    attributes
        Column -> one value a person, None where it is missing.
    """
    kept: Kernels = {}
    # of many people the same ones are learnt from for every column where that can be: kernels are most of the work
    everybody = rng.permutation(len(x)) if len(x) > 2 * TRAINING_ROWS else None
    for name, values in attributes.items():
        yield _infer_column(name, x, y, values, everybody, kept, rng)


def _infer_column(
    name: str, x: Vectors, y: Vectors, values: Sequence[str | None], everybody: Indices | None, kept: Kernels,
    rng: np.random.Generator,
) -> Attack:  # fmt: skip
    attack, knows = f"inference of {name}", "half of the values"
    known = np.array([place for place, value in enumerate(values) if value is not None], dtype=np.intp)
    names, codes = np.unique([str(values[place]) for place in known], return_inverse=True)
    frequent = np.bincount(codes, minlength=len(names)) >= MIN_CLASS_SIZE
    rows, codes = known[frequent[codes]], codes[frequent[codes]]
    names, codes = np.unique(codes, return_inverse=True)
    if not 2 <= len(names) <= MAX_CLASSES or len(rows) < 40:
        reason = f"{len(names)} values that at least {MIN_CLASS_SIZE} people share, of {len(rows)} people; "
        reason += f"2 to {MAX_CLASSES} of 40 are needed"
        return Attack(attack, knows, "accuracy", None, reason=reason)
    order = rng.permutation(len(rows)) if everybody is None else _positions(everybody, rows)
    half = min(len(rows) // 2, TRAINING_ROWS)
    learnt, asked = order[:half], order[half : half + TEST_ROWS]
    who = rows[learnt].tobytes() + rows[asked].tobytes()
    if who not in kept:
        kept.clear()
        kept[who] = _kernel_matrices(y[rows], learnt, asked), _kernel_matrices(x[rows], learnt, asked)
    from_release, from_originals = kept[who]
    truth = codes[asked]
    hits = int((_predict(from_release, codes[learnt], len(names)) == truth).sum())
    original = float((_predict(from_originals, codes[learnt], len(names)) == truth).mean())
    nothing = float((_predict(from_release, rng.permutation(codes[learnt]), len(names)) == truth).mean())
    guess = float((truth == np.bincount(codes[learnt], minlength=len(names)).argmax()).mean())
    detail = {"categories": len(names), "original": round(original, 6), "gain": round(hits / len(asked) - guess, 6)}
    return rate(attack, knows, hits, len(asked), baseline=guess, control=nothing, measure="accuracy", **detail)


def _positions(everybody: Indices, rows: Indices) -> Indices:
    """Return the places in `rows` of those who are among them, in the order of everybody."""
    place = np.full(len(everybody), -1, dtype=np.intp)
    place[rows] = np.arange(len(rows))
    found = place[everybody]
    return found[found >= 0]


def _kernel_matrices(x: Vectors, learnt: NDArray[np.intp], asked: NDArray[np.intp]) -> list[Kernel]:
    """Return linear and Gaussian kernels: taken apart among those learnt from, and from those asked about to them."""
    z = standardised(x)
    a, b = z[learnt], z[asked]
    linear = [(c @ a.T).astype(np.float64) for c in (a, b)]
    sizes = [np.square(c, dtype=np.float64).sum(axis=1) for c in (a, b)]
    near, far = (
        np.maximum(own[:, None] + sizes[0] - 2 * products, 0) for own, products in zip(sizes, linear, strict=True)
    )
    np.fill_diagonal(near, 0)
    width = float(np.median(near[near > 0])) if (near > 0).any() else 1.0
    return [_eigendecomposed(*(products / x.shape[1] for products in linear)),
            _eigendecomposed(np.exp(-near / width), np.exp(-far / width))]  # fmt: skip


def _eigendecomposed(among: Floats, across: Floats) -> Kernel:
    values, vectors = np.linalg.eigh(among)
    return Kernel(values, vectors, across)


def _predict(kernels: list[Kernel], codes: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Classify by kernel ridge regression on indicators; kernel and penalty by the hits left out one by one."""
    target = np.eye(size)[codes]
    mean = target.mean(axis=0)
    best, most = np.zeros(0, dtype=np.intp), -1
    for kernel in kernels:
        turned, squared = kernel.vectors.T @ (target - mean), np.square(kernel.vectors)
        for ridge in RIDGES:
            shrink = 1 / (np.maximum(kernel.values, 0) + ridge * len(codes) * kernel.values.mean() / 10)
            weights = kernel.vectors @ (shrink[:, None] * turned)
            # ridge regression without person i, in closed form
            left_out = target - mean - weights / (squared @ shrink)[:, None]
            hits = int(((left_out + mean).argmax(axis=1) == codes).sum())
            if hits > most:
                best, most = (kernel.across @ weights + mean).argmax(axis=1), hits
    return best
