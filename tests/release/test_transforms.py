"""Every transform comes back under its key, keeps what it says and nothing else, and is the same on every machine."""

from __future__ import annotations

import base64
import hmac
import stat
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import kstest, spearmanr

from personax.errors import InputError
from personax.independence import hsic
from personax.release import ReleaseKey
from personax.release.keys._keystore import hkdf
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms import PRESERVATION, PRESETS, PROPERTIES, Chain, Preset
from personax.release.transforms._chain import BATCH_ROWS, STEPS, VERSION
from personax.release.transforms._rotation import Rotation
from personax.release.vectors._obfuscation import load_fitted, save_fitted

KEY = ReleaseKey(bytes(range(32)), "a study")
ALL = tuple(PRESETS)


def people(n: int, dim: int, seed: int = 0) -> np.ndarray:
    """Correlated, lopsided vectors of small size, as encoders give them."""
    rng = np.random.default_rng(seed)
    latent = rng.gamma(2.0, size=(n, dim)) * np.geomspace(1, 0.05, dim)
    return np.asarray(0.03 * (latent @ rng.normal(size=(dim, dim))) + 0.01, dtype=np.float32)


RFC = [
    ("0b" * 22, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    (bytes(range(0x50)).hex(), bytes(range(0x60, 0xB0)).hex(), bytes(range(0xB0, 0x100)).hex(),
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
     "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"),
    ("0b" * 22, "", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]  # fmt: skip


@pytest.mark.parametrize(("secret", "salt", "info", "key", "made"), RFC)
def test_hkdf_gives_the_vectors_of_rfc_5869(secret: str, salt: str, info: str, key: str, made: str) -> None:
    """The output keying material of RFC 5869, appendix A, and its pseudorandom key by the definition."""
    assert hmac.new(bytes.fromhex(salt) or bytes(32), bytes.fromhex(secret), "sha256").hexdigest() == key
    derived = hkdf(bytes.fromhex(secret), bytes.fromhex(info), salt=bytes.fromhex(salt), length=len(made) // 2)
    assert derived.hex() == made


def test_draws_have_the_distributions_that_they_say() -> None:
    draws = RandomStream(bytes(32))
    assert kstest(draws.uniform("u", 20_000), "uniform").pvalue > 1e-3
    assert kstest(draws.normal("n", 20_000), "norm").pvalue > 1e-3
    assert abs(draws.signs("s", 20_000).mean()) < 4 / np.sqrt(20_000)
    assert kstest(draws.permutation("p", 2000)[:200] / 2000, "uniform").pvalue > 1e-3
    assert not np.array_equal(draws.uniform("u", 5), draws.uniform("v", 5))


def test_draws_are_the_same_on_every_machine() -> None:
    """The first word of SHAKE-256 of 32 zeros and the name, computed with hashlib by hand, as a 53-bit fraction."""
    import hashlib

    word = int.from_bytes(hashlib.shake_256(bytes(32) + b"u").digest(8), "little")
    assert RandomStream(bytes(32)).uniform("u", 1)[0] == ((word >> 11) + 0.5) / 2**53
    assert KEY.fingerprint == "18410100f2827878"
    turned = Chain("rotation", 3, KEY, "a").transform(np.eye(3, dtype=np.float32))
    known = [[-0.4752, 0.7580, -0.4468], [-0.2206, 0.3889, 0.8945], [-0.8518, -0.5236, 0.0176]]
    assert np.allclose(turned, known, atol=1e-4)


@pytest.mark.parametrize("preset", ALL)
@settings(deadline=None, max_examples=15)
@given(st.integers(1, 40), st.integers(2, 60), st.integers(0, 2**31), st.sampled_from([1e-3, 1.0, 300.0]))
def test_every_transform_comes_back(preset: Preset, dim: int, n: int, seed: int, scale: float) -> None:
    x = np.float32(scale) * people(n, dim, seed)
    chain = Chain(preset, dim, KEY, "text/a").fit(x)
    y = chain.transform(x)
    assert y.dtype == np.float32
    assert np.abs(chain.inverse_transform(y) - x).max() <= 1e-5 * np.abs(x).max()


@pytest.mark.parametrize("preset", ALL)
def test_a_wide_transform_of_many_batches_comes_back(preset: Preset, tmp_path: Path) -> None:
    rows = BATCH_ROWS[VERSION]
    x = people(rows + 7, 256)
    chain = Chain(preset, 256, KEY, "image/a").fit(x)
    y = np.memmap(tmp_path / "y", dtype=np.float32, mode="w+", shape=x.shape)
    assert chain.transform(x, out=y) is y
    assert np.abs(chain.inverse_transform(y) - x).max() <= 1e-5 * np.abs(x).max()
    # rows do not depend on their batch
    assert np.allclose(chain.transform(x[rows:]), y[rows:], atol=1e-4)
    assert np.abs(np.asarray(y[:100]) - x[:100]).max() > 0.1 * np.abs(x).max()


VERSION_1 = {
    "rotation": "voOQv+uHQj+0DUi/raqcP0jMnb6vU8w+RGwbPw1Y574yZjk/octfv9LRgL/s+Ra/",
    "shuffle": "II6av9lQET+amZk+sYCjP4zlIb5VYlS/glgyP5TdL7/LmCa/HfhgvzQHgz/qJRW+",
    "whitening": "6Fv4vxptsr++64c+mmdSPpvpGz7AcJg/ZsDQPnLCqj/P/Iq/IYSPP6kQAD6QQYW+",
    "warp": "2tZ9vzbxCj/tOrs+5pfwvSASNL9QopK/LoudPLP7EcAoWLs/Y/s7wIsLlz/dxANA",
    "flow": "v3PSPm1qBD6u/o8/Du9dQKUmGMBuY/k+iSSUvfQFEcBORUo/PSfmv5Ueyr4atyzA",
    "chain": "jybgP7Kuw8A5yj9ArSMMwFH/0r8VG+Q/56Dtv8Dvz7/j8bQ/y6HHP7uivD8Lyny+",
}
"""Two rows of each transform, float32 in base 64, as personax 0.1.0 made them before there was a version 2."""


def _waves(n: int, dim: int) -> np.ndarray:
    at = np.arange(n * dim, dtype=np.float64).reshape(n, dim)
    return np.asarray(np.sin(1.7 * at) + 0.3 * np.cos(0.31 * at * at), dtype=np.float32)


@pytest.mark.parametrize("preset", ALL)
def test_releases_of_version_1_come_out_and_come_back_as_they_were(preset: Preset) -> None:
    """Up to the last bit of a matrix product, which a machine's own routines round."""
    x, key = _waves(12, 6), ReleaseKey(bytes(range(32)), "golden")
    made = np.frombuffer(base64.b64decode(VERSION_1[preset]), dtype="<f4").reshape(2, 6)
    old = Chain(preset, 6, key, "text/a", version=1).fit(x)
    assert np.abs(old.transform(x)[:2] - made).max() <= 1e-6 * np.abs(made).max()
    assert np.abs(old.inverse_transform(made) - x[:2]).max() <= 1e-5 * np.abs(x).max()
    new = Chain(preset, 6, key, "text/a").load(old.state())
    assert np.abs(new.transform(x)[:2] - made).max() <= 1e-5 * np.abs(made).max(), "versions differ by rounding only"
    assert (old.version, new.version) == (1, VERSION)
    with pytest.raises(InputError, match="version 3 are not known"):
        Chain(preset, 6, key, "text/a", version=3)


@pytest.mark.parametrize("preset", ["whitening", "chain"])
@settings(deadline=None, max_examples=20)
@given(st.floats(-6, 0), st.floats(0, 2), st.integers(8, 64), st.integers(0, 2**31))
def test_directions_that_hardly_vary_come_back_too(
    preset: Preset, least: float, mean: float, dim: int, seed: int
) -> None:
    """Sizes from 1 to 1e-6 along axes of any direction, around a mean of up to 100 times the largest."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    x = (rng.normal(size=(200, dim)) * np.logspace(0, least, dim)) @ turn + 10.0**mean - 1
    chain = Chain(preset, dim, KEY, "a").fit(x := x.astype(np.float32))
    y = chain.transform(x)
    assert y.dtype == np.float32
    assert np.abs(chain.inverse_transform(y) - x).max() <= 1e-5 * np.abs(x).max()


@pytest.mark.parametrize("preset", ALL)
def test_rows_far_outside_come_back_too(preset: Preset) -> None:
    x = people(200, 16)
    chain = Chain(preset, 16, KEY, "a").fit(x)
    far = np.float32(30) * x[:5]
    assert np.abs(chain.inverse_transform(chain.transform(far)) - far).max() <= 1e-5 * np.abs(far).max()


@pytest.mark.parametrize("preset", ALL)
def test_another_key_study_context_or_version_transforms_otherwise(preset: Preset) -> None:
    x = people(50, 12)
    y = Chain(preset, 12, KEY, "a").fit(x).transform(x)
    others = [(ReleaseKey(bytes(32), "a study"), "a"), (ReleaseKey(bytes(range(32)), "another"), "a"), (KEY, "b")]
    for key, context in others:
        other = Chain(preset, 12, key, context).fit(x)
        assert np.abs(other.transform(x) - y).max() > 0.1 * y.std()
        assert np.abs(other.inverse_transform(y) - x).max() > 0.1 * x.std()
    assert (Chain(preset, 12, KEY, "a").fit(x).transform(x) == y).all()


def test_every_step_is_in_some_preset_and_every_preset_is_described() -> None:
    assert {step for steps in PRESETS.values() for step in steps} == set(STEPS)
    assert set(PRESERVATION) == set(PRESETS) == {"rotation", "shuffle", "whitening", "warp", "flow", "chain"}
    assert all(set(kept) == set(PROPERTIES) for kept in PRESERVATION.values())


def _rbf(x: np.ndarray) -> np.ndarray:
    far = cdist(x, x)
    return np.exp(-np.square(far / np.median(far[far > 0])) / 2)


def _fit(x: np.ndarray, target: np.ndarray) -> np.ndarray:
    design = np.column_stack([np.ones(len(x)), x.astype(float)])
    return np.asarray(design @ np.linalg.lstsq(design, target, rcond=None)[0])


def _same_distances(x: np.ndarray, y: np.ndarray) -> float:
    a, b = cdist(x, x), cdist(y, y)
    return float(np.abs(a - b).max() / a.max())


def _same_neighbours(x: np.ndarray, y: np.ndarray) -> float:
    near = [np.argsort(cdist(z, z) + 1e9 * np.eye(len(z)), axis=1)[:, :10] for z in (x, y)]
    return 1 - float(np.mean([len({*a} & {*b}) / 10 for a, b in zip(*near, strict=True)]))


def _same_coordinates(x: np.ndarray, y: np.ndarray) -> float:
    ranks = np.abs(np.atleast_2d(spearmanr(x, y).statistic)[: x.shape[1], x.shape[1] :])
    return 1 - float(ranks.max(axis=1).min())


CHANGE = {
    "distances": _same_distances,
    "inner products": lambda x, y: float(np.abs(x @ x.T - y @ y.T).max() / np.abs(x @ x.T).max()),
    "neighbours": _same_neighbours,
    "rbf": lambda x, y: float(np.abs(_rbf(x) - _rbf(y)).max()),
    "linear": lambda x, y: float(np.abs(_fit(x, np.sin(50 * x[:, 0])) - _fit(y, np.sin(50 * x[:, 0]))).max()),
    "coordinates": _same_coordinates,
}
"""Property -> how much it has changed; 0 when it is kept exactly."""


@pytest.mark.parametrize("preset", ALL)
@pytest.mark.parametrize("name", CHANGE)
def test_what_is_kept_is_kept_and_what_is_not_is_not(preset: Preset, name: str) -> None:
    x = people(300, 8)
    changed = CHANGE[name](x, Chain(preset, 8, KEY, "a").fit(x).transform(x))
    says = PRESERVATION[preset][name]
    if says == "exactly":
        assert changed < 1e-3
    elif says == "approximately":
        assert 0.02 < changed < 0.95
    else:
        assert changed > 0.02


@pytest.mark.parametrize("preset", ALL)
def test_mixing_stays_linear_or_smooth_as_said(preset: Preset) -> None:
    """A linear mixing keeps midpoints; a smooth invertible one has a Jacobian of full rank everywhere."""
    x = np.random.default_rng(0).gamma(2.0, size=(300, 6)).astype(np.float32)
    chain = Chain(preset, 6, KEY, "a").fit(x)
    a, b = x[:100], x[100:200]
    middle = chain.transform((a + b) / np.float32(2)) - (chain.transform(a) + chain.transform(b)) / 2
    bend = np.abs(middle).max() / np.abs(chain.transform(x)).max()
    assert (bend < 1e-4) == (PRESERVATION[preset]["linear mixing"] == "exactly")
    step = np.float32(1e-2 * x.std())
    rows = np.repeat(x[:20], 6, axis=0)
    nudge = np.tile(np.eye(6, dtype=np.float32) * step, (20, 1))
    jacobian = (chain.transform(rows + nudge) - chain.transform(rows - nudge)).reshape(20, 6, 6) / (2 * step)
    sizes = np.linalg.svd(jacobian, compute_uv=False)
    assert (sizes[:, -1] > 1e-3 * sizes[:, 0]).all()
    assert PRESERVATION[preset]["smooth mixing"] == "exactly"


@pytest.mark.parametrize("preset", ALL)
def test_a_kernel_test_sees_the_same_after_a_shuffle_and_nearly_the_same_after_others(preset: Preset) -> None:
    x = people(200, 8)
    target = x[:, 0] / x[:, 0].std() + 2.5 * np.random.default_rng(1).normal(size=200)
    before, after = (hsic(z, target).p_value for z in (x, Chain(preset, 8, KEY, "a").fit(x).transform(x)))
    assert 1e-9 < before < 0.2
    if PRESERVATION[preset]["level I"] == "exactly":
        assert after == pytest.approx(before, rel=1e-4, abs=0)
    else:
        assert after != pytest.approx(before, rel=1e-4, abs=0)
        assert abs(np.log10(after / before)) < 5


@pytest.mark.parametrize(("dim", "reflections"), [(1, 1), (7, 7), (64, 64), (64, 8), (300, 300)])
def test_reflections_are_orthogonal_and_few_leave_the_rest(dim: int, reflections: int) -> None:
    step = Rotation(dim, KEY.random_stream("t"), reflections)
    matrix = step.transform(np.eye(dim))
    assert np.allclose(matrix @ matrix.T, np.eye(dim), atol=1e-12)
    assert np.allclose(step.inverse_transform(matrix), np.eye(dim), atol=1e-12)
    # with the signs taken off, d - k directions stay where they were
    untouched = (np.abs(np.linalg.eigvals(matrix * step._signs) - 1) < 1e-8).sum()
    if 2 * reflections < dim:
        assert untouched == dim - reflections
    with pytest.raises(InputError, match="reflections"):
        Rotation(4, KEY.random_stream("t"), 5)


def test_the_rotation_has_no_preferred_direction() -> None:
    """Over 400 keys, entries of the matrix have mean 0, variance 1/d and kurtosis 3d/(d+2), and half have det 1."""
    drawn = np.array(
        [Rotation(8, ReleaseKey(i.to_bytes(32, "big")).random_stream("a")).transform(np.eye(8)) for i in range(400)]
    )
    assert np.abs(drawn.mean(axis=0)).max() < 5 / np.sqrt(8 * 400)
    assert np.square(drawn).mean(axis=0) == pytest.approx(np.full((8, 8), 1 / 8), rel=0.35)
    assert (drawn**4).mean() * 64 == pytest.approx(3 * 8 / 10, rel=0.05)
    assert abs((np.linalg.det(drawn) > 0).mean() - 0.5) < 0.1


def test_the_warp_is_increasing_and_whitening_whitens() -> None:
    grid = np.repeat(np.linspace(-20, 20, 500)[:, None], 10, axis=1)
    warp = STEPS["warp"](10, KEY.random_stream("w"))
    assert all((after > before).all() for before, after in pairwise(warp.transform(grid)))
    x = people(500, 10)
    white = Chain(["whitening"], 10, KEY, "a").fit(x).transform(x)
    assert np.allclose(np.cov(white.T, bias=True), np.eye(10), atol=1e-3)


@pytest.mark.parametrize("preset", ["whitening", "flow", "chain"])
def test_what_is_fitted_is_kept_beside_the_key(preset: Preset, tmp_path: Path) -> None:
    x = people(100, 9)
    chain = Chain(preset, 9, KEY, "a").fit(x)
    name = save_fitted(chain, KEY, tmp_path)
    assert name is not None
    assert stat.S_IMODE((tmp_path / f"{name}.npz").stat().st_mode) == 0o600
    again = load_fitted(Chain(preset, 9, KEY, "a"), name, tmp_path)
    assert np.abs(again.inverse_transform(chain.transform(x)) - x).max() <= 1e-5 * np.abs(x).max()
    assert save_fitted(Chain("rotation", 9, KEY, "a"), KEY, tmp_path) is None
    with pytest.raises(InputError, match="must be fitted"):
        Chain(preset, 9, KEY, "a").transform(x)
    with pytest.raises(InputError, match="another transform or length"):
        load_fitted(Chain(preset, 8, KEY, "a"), name, tmp_path)
    with pytest.raises(InputError, match="invalid name of its fitted state"):
        load_fitted(chain, "../../etc/passwd", tmp_path)
    with pytest.raises(InputError, match="is missing"):
        load_fitted(chain, "0" * 16, tmp_path)
    (tmp_path / f"{name}.npz").write_bytes(b"PK no")
    with pytest.raises(InputError, match="cannot be read"):
        load_fitted(chain, name, tmp_path)


def test_bad_vectors_and_names_are_refused() -> None:
    x = people(20, 5)
    with pytest.raises(InputError, match="of 5 numbers, not of shape"):
        Chain("rotation", 5, KEY, "a").transform(people(20, 6))
    with pytest.raises(InputError, match="missing or infinite"):
        Chain("rotation", 5, KEY, "a").transform(np.full((2, 5), np.nan, np.float32))
    with pytest.raises(InputError, match="did you mean rotation"):
        Chain("rotatoin", 5, KEY, "a")
    with pytest.raises(InputError, match="is no step"):
        Chain(["turn"], 5, KEY, "a")
    with pytest.raises(InputError, match="are the same"):
        Chain("flow", 5, KEY, "a").fit(np.ones((3, 5), np.float32))
    with pytest.raises(InputError, match="no vectors to fit"):
        Chain("flow", 5, KEY, "a").fit(x[:0])


def test_the_largest_and_the_least_word_are_numbers_between_0_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.array([0, 2**64 - 1], dtype=np.uint64)
    monkeypatch.setattr(RandomStream, "_words", lambda self, name, size: words)
    low, high = RandomStream(bytes(32)).uniform("u", 2)
    assert 0 < low < high < 1
    assert np.isfinite(RandomStream(bytes(32)).normal("n", 2)).all()


@pytest.mark.parametrize("preset", ALL)
def test_scikit_learn_clones_a_chain_and_its_steps(preset: Preset) -> None:
    base = pytest.importorskip("sklearn.base")
    x = people(60, 5)
    chain = Chain(preset, 5, KEY, "text/a").fit(x)
    other = base.clone(chain)
    assert other.get_params() == chain.get_params()
    assert np.array_equal(other.fit_transform(x), chain.transform(x))
    assert other.set_params(context="text/b").context == "text/b"
    for step in chain.parts:
        assert np.allclose(base.clone(step).fit(x).transform(x[:3]), step.fit(x).transform(x[:3]), atol=1e-6)
