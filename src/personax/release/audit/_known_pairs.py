"""Known pairs: what m people, whose original and released vectors are both known, tell of everybody else.

The attacker holds all originals beside the pairs, and so extends the pairs by self-training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.errors import MissingExtraError, require
from personax.progress import Progress, Silent
from personax.release.audit._attack import Attack, Vectors, rate, wilson
from personax.release.audit._axes import whitened
from personax.release.audit._cached_views import EqualRows, Rows, equal_rows
from personax.release.audit._nearest_neighbours import above_rounding, distances, ranks
from personax.release.audit._seed_pairs import by_profiles
from personax.release.audit._self_training import Pairs, SelfTrained, reduced, reduced_white, self_train

__all__ = ["Point", "broken_at", "known_pairs", "learn_inverse"]

PROBES = 1000
MIN_KNOWN = 256
"""Known pairs are tried up to the dimension, and up to so many where it is smaller."""
RIDGES = (1e-8, 1e-4, 1e-2, 1e-1, 1.0)
"""Penalties that held-out pairs choose among, in units of the mean squared singular value."""

STOP_AT = 0.95
"""Share found from which more pairs are not tried."""
PROFILE_PAIRS = 16
"""Up to so many pairs, profiles help to begin."""
CONTROL = 400
"""People of the control of self-training."""

HIDDEN_UNITS, EPOCHS, BATCH_SIZE, LEARNING_RATE = 256, 80, 64, 2e-3
PATIENCE = 15
"""Epochs without a better one after which none is expected."""

Inverse = Callable[[Vectors], Vectors]
Indices = NDArray[np.intp]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Point:
    """One attack with m pairs: share found first and among the first ten, and the mean cosine of what is recovered.

    ``cosine`` is of vectors from which the mean of the known is taken; None where nothing is recovered, only found.
    """

    attack: str
    pairs: int
    rank_1: float
    low: float
    high: float
    rank_10: float
    cosine: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds."""
        return asdict(self)


def known_pairs(
    x: Vectors, y: Vectors, *, network: bool, rng: np.random.Generator, progress: Progress | None = None
) -> tuple[list[Point], list[Attack]]:
    """Return the curves over m known pairs, and of each attack its best point with a control.

    m is 1, 2, 4 ... d; at least 256 and at most half of the people.

    People who are known, at most half, are not among those to be found; the others are the same for every m.
    """
    order = rng.permutation(len(x))
    most = max(1, min(max(x.shape[1], MIN_KNOWN), len(x) // 2))
    known, rest = order[:most], order[most:]
    probes = min(PROBES, len(rest))
    grid = sorted({most} | {2**k for k in range(most.bit_length()) if 2**k <= most})
    equal = equal_rows(x)
    truth, asked = equal.take(rest), np.arange(probes)
    at = _Split(x[known], y[known], x[rest], y[rest[:probes]], truth)
    # the attacker has all originals, and so may whiten them as a transform does
    u = whitened(x)
    white = _Split(u[known], y[known], u[rest], y[rest[:probes]], truth)
    points: list[Point] = []
    attacks: list[Attack] = []

    def tried(name: str, found: Iterable[Point]) -> None:
        points.extend(found)
        (progress or Silent()).step(0, 0, f"{name}, known pairs")

    tried("linear map", (_inversion_point("linear map", m, at, _linear(at, m, rng)) for m in grid))
    tried("distances to the known", (_distances_to_known("distances to the known", m, at) for m in grid))
    tried(
        "whitened distances to the known",
        (_distances_to_known("whitened distances to the known", m, white) for m in grid),
    )
    tried("self-training", _self_trained(x, y, known, rest[:probes], grid, rng))
    if network:
        some = [m for m in grid[-1:] if m >= 32]
        try:
            tried(
                "network",
                (_inversion_point("network", m, at, learn_inverse(at.x[:m], at.y[:m], rng=rng)) for m in some),
            )
        except MissingExtraError as error:
            attacks.append(Attack("network", "known pairs", "rank-1", None, reason=str(error)))
    # with the wrong people behind the known pairs nothing can be learnt
    wrong = _Split(at.x, at.y[rng.permutation(most)], at.gallery, at.probes, truth)
    controls = {
        "linear map": lambda m: _inversion_point("", m, wrong, _linear(wrong, m, rng)).rank_1,
        "distances to the known": lambda m: _distances_to_known("", m, wrong).rank_1,
        "self-training": lambda m: _self_training_control(x, y, order, m, rng),
    }
    for name in dict.fromkeys(point.attack for point in points):
        best = max((point for point in points if point.attack == name), key=lambda point: point.rank_1)
        control = controls[name](best.pairs) if name in controls else None
        attacks.append(rate(name, f"{best.pairs} known pairs", round(best.rank_1 * probes), probes,
                            baseline=truth.chance(asked), control=control, design=truth.design_effect(asked),
                            broken_at=broken_at(points, name)))  # fmt: skip
    (progress or Silent()).step(0, 0, "controls, known pairs")
    return points, attacks


def _self_trained(
    x: Vectors, y: Vectors, known: Indices, probes: Indices, grid: Sequence[int], rng: np.random.Generator
) -> Iterator[Point]:
    """Yield what more and more pairs reach, until they reach nearly everybody."""
    order = rng.permutation(len(y))
    place = np.argsort(order)
    originals, dealt, truth = Rows(x), Rows(y[order]), equal_rows(x)
    design = truth.design_effect(probes)
    for m in grid:
        guess = _best_self_training(originals, dealt, Pairs(known[:m], place[known[:m]]), probes, rng)
        hits = truth.same(order[guess], probes)
        yield _rank_summary("self-training", m, np.where(hits, 1, len(y)), None, design)
        if hits.mean() >= STOP_AT:
            break


def _best_self_training(x: Rows, y: Rows, known: Pairs, asked: Indices, rng: np.random.Generator) -> Indices:
    """Return whom self-training finds, in the composition after which most people choose each other.

    Vectors are plain or whitened, and the start is with or without profiles; equal rows count once.
    """
    firm = Pairs(x.equal.label[known.original], y.equal.label[known.released])
    v, people = y.distinct(reduced), x.equal.label[asked]
    best = SelfTrained(np.zeros(len(asked), np.intp), -1.0)
    for u in (x.distinct(view) for view in (reduced, reduced_white)):
        for start in (_no_start, by_profiles) if len(known.original) <= PROFILE_PAIRS else (_no_start,):
            found = self_train(u, v, start(u, v, firm), known=firm, asked=people, rng=rng)
            best = max(best, found, key=lambda each: each.agreed)
            if best.agreed >= STOP_AT:
                return y.equal.first[best.guess]
    return y.equal.first[best.guess]


def _no_start(u: Vectors, v: Vectors, known: Pairs) -> Pairs:
    return Pairs(np.zeros(0, np.intp), np.zeros(0, np.intp))


def _self_training_control(x: Vectors, y: Vectors, order: Indices, m: int, rng: np.random.Generator) -> float:
    """Return what self-training finds where the released people are others, and so are those of the pairs."""
    half = min(len(x) // 2, CONTROL)
    a, b = x[order[:half]], y[order[-half:]]
    some = np.arange(min(m, half // 2))
    asked = np.arange(len(some), half)
    guess = _best_self_training(Rows(a), Rows(b), Pairs(some, some), asked, rng)
    return float(equal_rows(a).same(guess, asked).mean())


def broken_at(points: list[Point], attack: str | None = None, *, share: float = 0.5) -> int | None:
    """Return the least number of known pairs with which an attack finds so large a share of all others first."""
    return min((p.pairs for p in points if attack in (None, p.attack) and p.rank_1 >= share), default=None)


@dataclass(frozen=True)
class _Split:
    """Known originals and releases; originals to choose from; releases to find, the first of the gallery.

    `truth` says which of the gallery are equal.
    """

    x: Vectors
    y: Vectors
    gallery: Vectors
    probes: Vectors
    truth: EqualRows

    def ranks(self, a: Vectors, b: Vectors) -> Indices:
        """Return the ranks of the people to find, from what is made of them and of the gallery."""
        return ranks(a, b, np.arange(len(a)), self.truth.label)

    @property
    def design(self) -> float:
        """The design effect of the people to find."""
        return self.truth.design_effect(np.arange(len(self.probes)))


def _inversion_point(name: str, m: int, at: _Split, inverse: Inverse) -> Point:
    guess = inverse(at.probes)
    mean = at.x[:m].mean(axis=0) if m > 1 else np.zeros(at.x.shape[1], np.float32)
    found = at.ranks(guess, at.gallery)
    a, b = guess - mean, at.gallery[: len(guess)] - mean
    cosine = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-30)
    return _rank_summary(name, m, found, float(cosine.mean()), at.design)


def _distances_to_known(name: str, m: int, at: _Split) -> Point:
    """Compare distances to the known people on both sides; where distances stay, one person tells the others apart."""
    a, b = (_log_distances(*pair) for pair in ((at.probes, at.y[:m]), (at.gallery, at.x[:m])))
    return _rank_summary(name, m, at.ranks(a, b), None, at.design)


def _log_distances(rows: Vectors, known: Vectors) -> Vectors:
    found = above_rounding(np.vstack([block for _, block in distances(rows, known)]), rows, known)
    return np.asarray(np.log(found / found.mean() + 1e-6), dtype=np.float32)


def _rank_summary(name: str, m: int, found: Indices, cosine: float | None, design: float) -> Point:
    hits = int((found == 1).sum())
    low, high = wilson(hits / design, len(found) / design)
    return Point(name, m, round(hits / len(found), 6), round(low, 6), round(high, 6),
                 round(float((found <= 10).mean()), 6), None if cosine is None else round(cosine, 6))  # fmt: skip


def _linear(at: _Split, m: int, rng: np.random.Generator) -> Inverse:
    """Fit an orthogonal map and ridge regressions, and keep the one that recovers held-out pairs best."""
    x, y = at.x[:m], at.y[:m]
    held = max(1, m // 5)
    if m < 3:
        return _orthogonal(x, y)
    tried = [_orthogonal(x[held:], y[held:]), *_ridges(x[held:], y[held:], RIDGES)]
    errors = [float(np.square(inverse(y[:held]) - x[:held]).mean()) for inverse in tried]
    best = int(np.argmin(errors))
    return _orthogonal(x, y) if best == 0 else next(_ridges(x, y, RIDGES[best - 1 : best]))


def _centred(x: Vectors, y: Vectors) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the centres of released and original vectors, and both without them."""
    from_, to = (z.mean(axis=0) if len(x) > 1 else np.zeros(z.shape[1]) for z in (y, x))
    return from_, to, (y - from_).astype(np.float64), (x - to).astype(np.float64)


def _orthogonal(x: Vectors, y: Vectors) -> Inverse:
    """Return the orthogonal map with its scale, in the space that the pairs span."""
    from_, to, a, b = _centred(x, y)
    q, r = np.linalg.qr(a.T)
    p, s = np.linalg.qr(b.T)
    left, sizes, right = np.linalg.svd(r @ s.T)
    scale = sizes.sum() / (np.square(a).sum() + 1e-30)
    return _affine(from_, q @ left, scale * (right @ p.T), to)


def _ridges(x: Vectors, y: Vectors, penalties: Sequence[float]) -> Iterator[Inverse]:
    """Yield ridge regressions: all by one decomposition of the products of the pairs, m x m."""
    from_, to, a, b = _centred(x, y)
    squares, u = np.linalg.eigh(a @ a.T)
    squares = np.maximum(squares, 0)
    first, target = a.T @ u, u.T @ b
    # as many as a singular value decomposition would give
    mean = squares.sum() / min(a.shape)
    for ridge in penalties:
        yield _affine(from_, first, target / (squares + ridge * mean + 1e-30)[:, None], to)


def _affine(origin: NDArray[Any], first: NDArray[Any], second: NDArray[Any], to: NDArray[Any]) -> Inverse:
    return lambda rows: np.asarray(((rows - origin) @ first) @ second + to, dtype=np.float32)


def learn_inverse(x: Vectors, y: Vectors, *, rng: np.random.Generator) -> Inverse:
    """Return a map from released to original vectors: a linear one and a hidden layer beside it, trained together.

    A fifth of the pairs is held out; the epoch that recovers them best is kept.

    Raises
    ------
    MissingExtraError
        When torch is not installed.
    """
    torch = require("torch", extra="crl")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # steps are so short that threads wait for one another most of the time
    try:
        return _trained_inverse(torch, x, y, rng)
    finally:
        torch.set_num_threads(threads)


def _trained_inverse(torch: Any, x: Vectors, y: Vectors, rng: np.random.Generator) -> Inverse:  # noqa: ANN401 - optional
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    dim, held = x.shape[1], max(1, len(x) // 5)
    at_x, at_y = x.mean(axis=0), y.mean(axis=0)
    size_x, size_y = (np.float32(z.std() or 1.0) for z in (x, y))
    inputs, targets = torch.from_numpy((y - at_y) / size_y), torch.from_numpy((x - at_x) / size_x)
    weights = [torch.randn(dim, HIDDEN_UNITS, generator=generator) / dim**0.5, torch.zeros(HIDDEN_UNITS),
               torch.zeros(HIDDEN_UNITS, dim), torch.zeros(dim, dim), torch.zeros(dim)]  # fmt: skip
    best, least_error = [w.clone() for w in weights], float(targets[:held].square().mean())
    for w in weights:
        w.requires_grad_()
    optimiser = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=1e-3)
    last = 0
    for epoch in range(EPOCHS):
        if epoch - last > PATIENCE:
            break
        for some in (held + torch.randperm(len(x) - held, generator=generator)).split(BATCH_SIZE):
            loss = (_forward(inputs[some], weights) - targets[some]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            error = float((_forward(inputs[:held], weights) - targets[:held]).square().mean())
        if error < least_error:
            best, least_error, last = [w.detach().clone() for w in weights], error, epoch

    def inverse(released: Vectors) -> Vectors:
        with torch.no_grad():
            found = _forward(torch.from_numpy((released - at_y) / size_y), best).numpy()
        return np.asarray(found * size_x + at_x, dtype=np.float32)

    return inverse


def _forward(x: Any, weights: list[Any]) -> Any:  # noqa: ANN401 - tensors; torch is optional
    inner, shift, outer, line, move = weights
    return (x @ inner + shift).tanh() @ outer + x @ line + move
