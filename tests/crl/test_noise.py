"""The verdicts on learned noise: right for noise that is right, and for each way to be wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kurtosis, skew, spearmanr

from personax.crl import noise_report
from personax.crl.diagnostics._noise import distance_correlation
from personax.crl.diagnostics._verdict import judge
from personax.errors import InputError, UntestableError
from personax.independence import hsic


def by_hsic(x: np.ndarray, y: np.ndarray) -> float:
    p = hsic(x[:500], y[:500]).p_value
    assert p is not None
    return p


def by_ranks(x: np.ndarray, y: np.ndarray) -> float:
    return float(spearmanr(x, y)[1])


def normal(n: int = 3000, d: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def test_right_noise_holds_and_the_numbers_are_scipys() -> None:
    eps = normal()
    found = noise_report(eps, ["a", "b", "c"], independence=by_hsic)
    assert found.verdicts == {"standard": "holds", "normal": "holds", "independent": "holds"}
    row = found.columns[1]
    assert (row["name"], row["n"]) == ("b", 3000)
    assert [row["mean"], row["sd"]] == pytest.approx([eps[:, 1].mean(), eps[:, 1].std()])
    assert [row["skew"], row["excess_kurtosis"]] == pytest.approx([skew(eps[:, 1]), kurtosis(eps[:, 1])])
    assert [(pair["x"], pair["y"]) for pair in found.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found.pairs[0]["spearman"] == pytest.approx(spearmanr(eps[:, 0], eps[:, 1])[0])


def test_each_way_to_be_wrong() -> None:
    eps = normal()
    ways = {
        "standard": eps * [1, 1, 0.5],
        "normal": np.column_stack([eps[:, :2], np.expm1(eps[:, 2]) / 3]),
        "independent": np.column_stack([eps[:, :2], (eps[:, 0] + eps[:, 2]) / math.sqrt(2)]),
    }
    for wrong, noise in ways.items():
        verdicts = noise_report(noise, ["a", "b", "c"], independence=by_hsic).verdicts
        assert verdicts[wrong] == "violated"
        assert all(verdict == "holds" for name, verdict in verdicts.items() if name not in {wrong, "standard"})


@pytest.mark.parametrize("kind", ["scale", "fold", "wave"])
def test_dependence_without_correlation_is_seen(kind: str) -> None:
    x, e, _ = normal(3000).T
    y = {"scale": np.exp(x / 2) * e, "fold": (x**2 - 1 + e) / math.sqrt(3), "wave": np.sin(4 * x) + 0.3 * e}[kind]
    found = noise_report(np.column_stack([x, y]), ["x", "y"], independence=by_hsic)
    assert abs(found.pairs[0]["spearman"]) < 0.1
    assert found.verdicts["independent"] in {"doubtful", "violated"}


def test_with_many_people_a_small_effect_is_no_violation() -> None:
    x, e, _ = normal(20000).T
    for r, verdict in ((0.03, "holds"), (0.1, "doubtful"), (0.3, "violated")):
        y = r * x + math.sqrt(1 - r * r) * e
        found = noise_report(np.column_stack([x, y]), ["x", "y"], independence=by_ranks)
        assert found.pairs[0]["p_holm"] < 0.05
        assert found.verdicts["independent"] == verdict


@pytest.mark.parametrize(
    ("effect", "p", "verdict"),
    [
        (0.04, 0.001, "holds"),
        (0.1, 0.2, "holds"),
        (0.1, 0.01, "doubtful"),
        (0.3, 0.2, "doubtful"),
        (0.3, 0.01, "violated"),
    ],
)
def test_the_verdicts_by_hand(effect: float, p: float, verdict: str) -> None:
    assert judge(effect, p) == verdict
    assert judge(effect, None) == "not testable"


def test_what_a_test_refuses_is_missing_with_its_reason() -> None:
    def refuses(x: np.ndarray, y: np.ndarray) -> float:
        raise UntestableError("no such luck")

    found = noise_report(normal(100), ["a", "b", "c"], independence=refuses)
    assert [(pair["p"], pair["p_holm"], pair["reason"]) for pair in found.pairs] == [(None, None, "no such luck")] * 3
    assert found.verdicts["independent"] == "not testable"
    none = noise_report(normal(100), ["a", "b", "c"], independence=lambda x, y: math.nan)
    assert (none.pairs[0]["p"], none.verdicts["independent"]) == (None, "not testable")
    assert noise_report(normal(100, 1), ["a"], independence=refuses).verdicts["independent"] == "not testable"


def test_constant_noise_is_a_violation_not_a_crash() -> None:
    eps = normal(100)
    eps[:, 1] = 0
    found = noise_report(eps, ["a", "b", "c"], independence=lambda x, y: 1.0)
    assert (found.columns[1]["normal_p"], found.columns[1]["normal"]) == (None, "not testable")
    assert found.verdicts["standard"] == "violated"


def test_names_must_fit() -> None:
    with pytest.raises(InputError, match="2 names are given for 3 noise variables"):
        noise_report(normal(100), ["a", "b"], independence=by_ranks)


def test_distance_correlation_by_its_definition_and_for_normal_variables() -> None:
    x, e, _ = normal(2000).T
    assert distance_correlation(x, 3 * x + 1) == pytest.approx(1)
    assert distance_correlation(x, e) < 0.08
    r = 0.6  # Székely, Rizzo, Bakirov 2007, theorem 7
    top = r * math.asin(r) + math.sqrt(1 - r * r) - r * math.asin(r / 2) - math.sqrt(4 - r * r) + 1
    expected = math.sqrt(top / (1 + math.pi / 3 - math.sqrt(3)))
    assert distance_correlation(x, r * x + math.sqrt(1 - r * r) * e) == pytest.approx(expected, abs=0.03)
