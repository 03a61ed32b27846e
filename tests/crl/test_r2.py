"""R2 is 1 for invertible maps, 0 for noise; DCI tells a code from its rotation; the regression is the textbook's."""

from __future__ import annotations

import numpy as np
import pytest

from personax.crl import block_r2, dci, held_out_r2, leakage, r2
from personax.crl._ridge import RIDGES, _choose, _squared, fit_ridge
from personax.crl.metrics._dci import _concentrated


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def maps(x: np.ndarray) -> dict[str, np.ndarray]:
    turned = x @ np.linalg.qr(rng(9).normal(size=(x.shape[1],) * 2))[0]
    return {
        "cubic root of a rotation": np.cbrt(turned),
        "sinh": np.sinh(x),
        "triangular": np.cumsum(x, axis=1) + np.tanh(np.roll(x, 1, axis=1) * [0, *[1] * (x.shape[1] - 1)]),
        "polar": np.column_stack(
            [np.exp(x[:, 0] / 2) * np.cos(x[:, 1] / 2), np.exp(x[:, 0] / 2) * np.sin(x[:, 1] / 2)]
        ),
    }


@pytest.mark.parametrize("name", ["cubic root of a rotation", "sinh", "triangular", "polar"])
def test_invertible_maps_keep_everything(name: str) -> None:
    x = rng().normal(size=(3000, 3 if name == "triangular" else 2)).clip(-2.5, 2.5)
    found = r2(maps(x)[name], x, rng=rng(1))
    assert min(found.each) > 0.95
    assert found.mean == pytest.approx(np.mean(found.each))


@pytest.mark.parametrize(("n", "d"), [(100, 1), (100, 6), (2000, 3)])
def test_noise_recovers_nothing(n: int, d: int) -> None:
    found = [held_out_r2(rng(s).normal(size=(n, d)), rng(s + 50).normal(size=(n, 3)), rng=rng(s)) for s in range(5)]
    assert max(found) <= 0.05
    assert min(found) > -0.5


def test_what_is_fitted_is_not_scored() -> None:
    """On the people fitted on, the map is the identity; on the others there is none."""
    x = rng().normal(size=(1000, 1))
    learned = x.copy()
    score_on = rng(7).permutation(1000)[500:]
    learned[score_on] = rng(8).normal(size=(500, 1))
    assert r2(learned, x, rng=rng(7)).mean < -0.5


def test_half_of_the_variance_is_half() -> None:
    x = rng().normal(size=(4000, 1))
    assert r2(x + rng(1).normal(size=x.shape), x, rng=rng()).mean == pytest.approx(0.5, abs=0.05)


def test_order_scale_and_constant_columns_do_not_matter() -> None:
    x = rng().normal(size=(800, 3))
    learned = np.tanh(x) + 0.3 * rng(1).normal(size=x.shape)
    before = r2(learned, x, rng=rng(2))
    after = r2(np.column_stack([learned[:, [2, 0, 1]] * [3, -1, 100] + 5, np.ones(800)]), x, rng=rng(2))
    assert after.each == pytest.approx(before.each, abs=1e-6)
    assert r2(np.ones((800, 2)), x, rng=rng(2)).mean == pytest.approx(0, abs=0.02)
    assert r2(x, np.column_stack([x[:, 0], np.ones(800)]), rng=rng(2)).each[1] == 0


def test_blocks_and_leakage() -> None:
    x, eta = rng().normal(size=(1500, 4)), rng(1).normal(size=(1500, 1))
    learned = x[:, [1, 0, 3, 2]]
    right, wrong = [([0, 1], [0, 1]), ([2, 3], [2, 3])], [([2, 3], [0, 1])]
    assert min(found.mean for found in block_r2(learned, x, right, rng=rng())) > 0.98
    assert block_r2(learned, x, wrong, rng=rng())[0].mean < 0.05
    found = leakage(np.column_stack([x, np.arctan(eta)]), eta, true_z=x, true_eta=eta, rng=rng())
    assert found.eta_in_z.mean > 0.9
    assert found.z_in_eta.mean < 0.05
    swapped = leakage(eta, x, true_z=x, true_eta=eta, rng=rng())
    assert min(swapped.eta_in_z.mean, swapped.z_in_eta.mean) > 0.95


def test_the_regression_is_scikit_learns() -> None:
    peers = pytest.importorskip("sklearn.kernel_ridge", reason="scikit-learn comes with the extra discovery")
    x = rng().normal(size=(200, 2))
    y = np.column_stack([np.sin(2 * x[:, 0]) + 0.1 * rng(1).normal(size=200), x.sum(axis=1) + rng(2).normal(size=200)])
    model = fit_ridge(x, y)
    scaled, new = (x - x.mean(0)) / x.std(0), rng(3).normal(size=(50, 2))
    squared = _squared(scaled, scaled)
    widths = [factor * np.sqrt(np.median(squared[np.triu_indices(200, 1)])) for factor in (0.35, 0.7, 1.4, 2.8)]
    chosen = _choose(squared, y - y.mean(0), widths)
    assert sorted(model.weights) == pytest.approx(sorted({width for width, _ in chosen}))
    for j, (width, ridge) in enumerate(chosen):
        peer = peers.KernelRidge(kernel="rbf", alpha=ridge, gamma=1 / (2 * width**2)).fit(
            scaled, y[:, j] - y[:, j].mean()
        )
        expected = peer.predict((new - x.mean(0)) / x.std(0)) + y[:, j].mean()
        assert model.predict(new)[:, j] == pytest.approx(expected, abs=1e-6)


def test_width_and_ridge_are_those_of_leaving_each_one_out() -> None:
    x = rng().normal(size=(40, 1))
    y = np.sin(2 * x) + 0.3 * rng(1).normal(size=(40, 1))
    squared = _squared(x, x)
    errors = {}
    for width in (0.3, 1.0):
        for ridge in RIDGES:
            kernel = np.exp(-squared / (2 * width**2))
            left = []
            for i in range(40):
                rest = np.arange(40) != i
                weights = np.linalg.solve(kernel[np.ix_(rest, rest)] + ridge * np.eye(39), y[rest, 0])
                left.append(y[i, 0] - kernel[i, rest] @ weights)
            errors[width, ridge] = np.mean(np.square(left))
    assert _choose(squared, y, [0.3, 1.0]) == [min(errors, key=errors.__getitem__)]


def test_dci_of_a_perfect_and_of_a_rotated_code() -> None:
    x = rng().normal(size=(3000, 2))
    perfect = dci(-np.sinh(x[:, ::-1]), x, rng=rng())
    turn = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    rotated = dci(x @ turn, x, rng=rng())
    assert min(perfect.disentanglement, perfect.completeness, perfect.informativeness) > 0.95
    assert perfect.importance.argmax(axis=0).tolist() == [1, 0]
    assert max(rotated.disentanglement, rotated.completeness) < 0.05  # by 45 degrees: nothing is told apart
    assert rotated.informativeness > 0.95  # and nothing is lost


def test_permuting_the_only_cause_costs_twice_the_variance() -> None:
    """E (x - x')^2 = 2 Var x for an independent copy x'."""
    x = rng().normal(size=(4000, 1))
    assert dci(x, x, rng=rng()).importance[0, 0] == pytest.approx(2, abs=0.15)


def test_completeness_and_disentanglement_are_told_apart() -> None:
    x = rng().normal(size=(2000, 2))
    copies = x[:, [0, 0, 1]] + 0.3 * rng(1).normal(size=(2000, 3))
    twice = dci(copies, x, rng=rng())
    assert twice.disentanglement > 0.9  # each column says one thing
    assert twice.completeness < 0.9  # the first is said in two places


def test_the_entropies_by_hand() -> None:
    assert _concentrated(np.eye(3)) == (1, 1)
    assert _concentrated(np.ones((3, 3))) == pytest.approx((0, 0))
    assert _concentrated(np.array([[1.0, 1.0], [0.0, 0.0]])) == pytest.approx((0, 1))
    assert _concentrated(np.array([[1.0], [1.0]])) == pytest.approx((1, 0))
    assert _concentrated(np.zeros((2, 2))) == (0, 0)


def test_noise_holds_nothing() -> None:
    found = dci(rng().normal(size=(1000, 2)), rng(1).normal(size=(1000, 2)), rng=rng())
    assert found.informativeness <= 0.05
    assert found.importance.max() < 0.1
