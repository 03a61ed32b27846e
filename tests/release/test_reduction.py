"""Less of the vectors: epsilon against OpenDP and the closed form, clipping, axes, and what leaves."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from personax.errors import InputError
from personax.release import ReleaseKey
from personax.release._gaussian_mechanism import analytic_epsilon, noise_on_grid
from personax.release.statistics import epsilon_of
from personax.release.vectors._reduction import Reduction, clip_norms, project, reduce

KEY = ReleaseKey(bytes(range(32)), "test")


@given(st.floats(0.1, 50), st.floats(0.1, 20), st.sampled_from([1e-9, 1e-6, 1e-3]))
def test_the_analytic_epsilon_is_the_root_and_below_the_bound_of_zcdp(gap: float, scale: float, delta: float) -> None:
    epsilon = analytic_epsilon(gap, scale, delta)
    assert epsilon <= epsilon_of(gap**2 / (2 * scale**2), delta) * (1 + 1e-6)
    if 0 < epsilon < 500:
        ratio = gap / scale
        reached = norm.cdf(ratio / 2 - epsilon / ratio) - math.exp(epsilon + norm.logcdf(-ratio / 2 - epsilon / ratio))
        assert reached == pytest.approx(delta, rel=1e-3)


def test_numbers_of_balle_and_wang() -> None:
    """Simulated from the definition: the largest likelihood ratio that is exceeded with probability delta only."""
    epsilon, scale = analytic_epsilon(1.0, 1.0, 0.05), 1.0
    x = np.linspace(-12, 13, 2_000_001)
    p, q = norm.pdf(x, 1.0, scale), norm.pdf(x, 0.0, scale)
    assert np.trapezoid(np.maximum(p - math.exp(epsilon) * q, 0), x) == pytest.approx(0.05, rel=1e-3)
    with pytest.raises(InputError):
        analytic_epsilon(0.0, 1.0, 1e-6)


@given(st.integers(2, 30), st.integers(1, 8), st.floats(0.1, 5))
def test_nobody_is_longer_than_the_clip_and_the_short_stay(n: int, k: int, clip: float) -> None:
    x = np.random.default_rng(n * 100 + k).normal(0, 3, (n, k))
    made = clip_norms(x, clip)
    lengths = np.linalg.norm(x, axis=1)
    assert (np.linalg.norm(made, axis=1) <= clip).all()
    assert made[lengths <= clip * (1 - 1e-9)] == pytest.approx(x[lengths <= clip * (1 - 1e-9)])


def test_scores_are_those_of_principal_components() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6)) @ np.diag([5, 3, 2, 1, 0.5, 0.1]) @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    made = project(x, Reduction(numbers=3), KEY, "a")
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    assert np.abs(made) == pytest.approx(np.abs(u[:, :3] * s[:3] / s[0] * math.sqrt(200)), abs=1e-9)
    assert made[:, 0].std() == pytest.approx(1)


def test_random_axes_are_the_keys_and_take_nothing_from_the_others() -> None:
    rng = np.random.default_rng(0)
    x, asked = rng.normal(size=(60, 50)), Reduction(keep="random", numbers=20)
    whole, part = project(x, asked, KEY, "a"), project(x[:30], asked, KEY, "a")
    assert part == pytest.approx(whole[:30]), "a person's numbers do not depend on who else is there"
    assert np.linalg.norm(whole, axis=1).mean() == pytest.approx(asked.clip, rel=0.1)
    for other in (project(x, asked, KEY, "b"), project(x, asked, ReleaseKey(bytes(32), "test"), "a")):
        assert np.abs(other - whole).max() > 0.1


def test_the_noise_is_as_stated_and_another_one_every_time() -> None:
    pytest.importorskip("opendp")
    rows = np.tile(np.linspace(-1, 1, 5), (400, 1))
    one, two = (noise_on_grid(rows, 0.7, sensitivity=6.0, rho=36 / (2 * 0.49)) for _ in range(2))
    assert one.shape == rows.shape
    assert (one - rows).std() == pytest.approx(0.7, rel=0.05)
    assert np.corrcoef((one - rows).ravel(), (two - rows).ravel())[0, 1] == pytest.approx(0, abs=0.1)


def frames(n: int = 40) -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(0)
    ids = pl.Series("id", [f"p{i}" for i in range(n)])
    return {"text": pl.DataFrame([ids, *(pl.Series(m, rng.normal(size=(n, 12)), dtype=pl.Array(pl.Float64, 12))
                                          for m in ("a", "b"))])}  # fmt: skip


def test_what_leaves_has_few_numbers_and_says_what_is_promised() -> None:
    pytest.importorskip("opendp")
    asked = Reduction(numbers=4, noise=2.0, clip=1.0)
    made = reduce(frames(), asked, KEY)
    for frame in (made.clean["text"], made.noisy["text"]):
        assert frame.columns == ["id", "a", "b"]
        assert frame["a"].dtype == pl.Array(pl.Float32, 4)
    spread = (made.noisy["text"]["a"].to_numpy() - made.clean["text"]["a"].to_numpy()).std()
    assert spread == pytest.approx(2.0, rel=0.25)
    epsilon = analytic_epsilon(2 * math.sqrt(2), 2.0, 1e-6)
    assert asked.epsilon(2) == pytest.approx(epsilon)
    assert f"epsilon = {epsilon:.3g}" in made.sentence
    assert "given the axes" in made.sentence
    assert made.to_dict()["given the axes"] is True
    assert (
        "given the axes" not in reduce(frames(), Reduction(keep="random", numbers=4, noise=2.0, clip=1.0), KEY).sentence
    )
    assert "hardly anything" in reduce(frames(), Reduction(numbers=4, noise=0.1), KEY).sentence
    assert "nothing is guaranteed" in reduce(frames(), Reduction(numbers=4, noise=0.0), KEY).sentence


def test_more_numbers_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match="ask for fewer"):
        reduce(frames(), Reduction(numbers=13, noise=0.0), KEY)
    nothing = pl.Series("a", np.full((40, 12), np.nan), dtype=pl.Array(pl.Float64, 12))
    broken = {"text": frames()["text"].with_columns(nothing)}
    with pytest.raises(InputError, match="not finite"):
        reduce(broken, Reduction(numbers=3, noise=0.0), KEY)
