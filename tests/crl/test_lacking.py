"""People who lack measurements: encoded from the others, left out where they lack a modality, nobody's rows lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.config import CrlSection
from personax.crl import Budget, Level2, method
from personax.crl._lacking import describe_lacking, encode_all, lacks
from personax.crl._reduce import reduce_views
from personax.crl.methods.default._agreed import fit_agreed_components
from personax.crl.methods.default._missing import MissingMeasurements
from personax.errors import InputError
from personax.progress import Silent
from personax.stages._fit_latents import learn

Views = dict[str, dict[str, NDArray[Any]]]
LATENTS = {"text": 1, "image": 1}


def contents(people: int, count: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(people, count))


def measured(content: NDArray[np.float64], names: str, rng: np.random.Generator, dim: int = 24) -> dict[str, Any]:
    """Return measurements of a content beside loud nuisance of their own."""
    n, k = content.shape
    return {
        name: (content @ rng.normal(size=(k, dim)) + 2 * rng.normal(size=(n, 3)) @ rng.normal(size=(3, dim))
               + 0.4 * rng.normal(size=(n, dim))).astype(np.float32)
        for name in names
    }  # fmt: skip


def r2(x: NDArray[Any], y: NDArray[Any]) -> float:
    x = np.c_[x, np.ones(len(x))]
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(1 - np.square(left).mean() / np.square(y - y.mean(0)).mean())


def world(people: int = 240) -> Views:
    rng = np.random.default_rng(1)
    z = contents(people, 2)
    waves = [np.stack([x, np.sin(2 * x), x**2], 1) for x in z.T]
    return {"text": measured(waves[0], "abc", rng), "image": measured(waves[1], "de", rng)}


def with_holes(views: Views) -> Views:
    found = {m: {k: x.copy() for k, x in by.items()} for m, by in views.items()}
    found["text"]["a"][:60] = np.nan
    found["text"]["b"][40:80] = np.nan
    for x in found["image"].values():
        x[-5:] = np.nan
    return found


def test_agreed_components_of_people_who_lack_a_measurement_are_those_of_the_others() -> None:
    rng = np.random.default_rng(2)
    content = contents(1500, 4)
    whole = measured(content, "abc", rng)
    holes = {name: x.copy() for name, x in whole.items()}
    for name in "ab":
        holes[name][rng.random(1500) < 0.4] = np.nan
    agreed = fit_agreed_components(holes, np.arange(1200), np.random.default_rng(0))
    seen = agreed(holes)
    some = lacks(holes["a"])
    assert agreed.count == 4
    assert np.isfinite(seen).all()
    assert r2(seen[some], content[some]) > 0.9
    assert r2(agreed(whole), content) > 0.95
    # brought to what all would show, so that what reads the mean of all reads these: neither too small nor too large
    slope = (seen[some] * agreed(whole)[some]).sum() / np.square(seen[some]).sum()
    assert slope == pytest.approx(1, abs=0.05)


def test_who_has_nothing_has_no_components_and_half_of_the_people_hide_no_agreement() -> None:
    rng = np.random.default_rng(3)
    by = measured(contents(900, 3), "ab", rng)
    by["a"][:300] = np.nan
    by["b"][:10] = np.nan
    agreed = fit_agreed_components(by, np.arange(900), np.random.default_rng(0))
    assert agreed.count == 3
    assert np.isnan(agreed(by)).all(axis=1).tolist() == [True] * 10 + [False] * 890


def test_what_is_filled_in_projects_onto_what_is_expected() -> None:
    by = {"text": measured(contents(600, 3), "abc", np.random.default_rng(4))}
    by["text"]["a"][:200] = np.nan
    found = MissingMeasurements.fit(by, np.arange(600))
    assert found is not None
    filled = found.filled(by)["text"]
    agreed = found.agreed["text"]
    np.testing.assert_allclose(agreed(filled), agreed(by["text"]), atol=1e-3)
    np.testing.assert_array_equal(filled["a"][200:], by["text"]["a"][200:])
    assert MissingMeasurements.fit({"text": {"b": by["text"]["b"], "c": by["text"]["c"]}}, np.arange(600)) is None


def test_a_narrow_measurement_does_not_narrow_the_others() -> None:
    rng = np.random.default_rng(5)
    content = contents(1500, 12)
    wide = measured(content, "ab", rng, dim=80)
    items = content[:, :4] @ rng.normal(size=(4, 9)) + 0.5 * rng.normal(size=(1500, 9))
    rows = np.arange(1200)
    two = fit_agreed_components({"a": wide["a"], "items": items}, rows, np.random.default_rng(0))
    three = fit_agreed_components(wide | {"items": items}, rows, np.random.default_rng(0))
    assert two.principal > 9
    assert two.agreement.min() > 0.7
    assert three.count == 12
    assert three.takes_part.sum(axis=0).min() == 2
    assert three.takes_part.sum(axis=0).max() == 3
    assert r2(three(wide | {"items": items}), content) > 0.95


def test_default_encodes_everybody_of_whom_something_is_known() -> None:
    views = with_holes(world())
    model = Level2(latents=LATENTS, method=method("default", budget=Budget(epochs=1)), seeds=1, random_state=0)
    z = model.fit(views).transform(views)
    unknown = np.isnan(z)
    assert unknown[:, 1].tolist() == [False] * 235 + [True] * 5
    assert not unknown[:235].any()
    whole = model.transform(world())
    rest = slice(80, 235)  # who lacks nothing has the same latents beside whomever
    np.testing.assert_allclose(z[rest], whole[rest], atol=1e-5)
    assert abs(np.corrcoef(z[:40, 0], whole[:40, 0])[0, 1]) > 0.8


def test_other_methods_leave_out_who_lacks_a_measurement_and_say_so() -> None:
    views = with_holes(world())
    model = Level2(latents=LATENTS, method="cca", seeds=1, random_state=0).fit(views)
    z = model.transform(views)
    assert np.isnan(z).all(axis=1).tolist() == [True] * 80 + [False] * 155 + [True] * 5
    assert [number for _, number in describe_lacking(method("cca"), views)] == [60, 40, 5]
    with pytest.raises(InputError, match="missing or infinite"):
        model.fitted_.encode(views)
    np.testing.assert_array_equal(encode_all(model.fitted_, views), z)


def test_a_table_may_hold_nulls() -> None:
    views = with_holes(world())
    columns = {
        f"{m}/{k}": [None if np.isnan(row).all() else row.tolist() for row in x]
        for m, by in views.items() for k, x in by.items()
    }  # fmt: skip
    model = Level2(latents=LATENTS, method="cca", seeds=1, random_state=0)
    z = model.fit_transform(views)
    np.testing.assert_array_equal(model.fit_transform(pl.DataFrame(columns)), z)


def test_wide_measurements_are_reduced_with_the_rows_that_lack() -> None:
    rng = np.random.default_rng(6)
    by = measured(contents(120, 3), "ab", rng, dim=1100)
    by["a"][:30] = np.nan
    views, reduced = reduce_views({"text": by})
    assert np.isnan(views["text"]["a"]).all(axis=1).tolist() == [True] * 30 + [False] * 90
    assert reduced["text"]["a"].share == pytest.approx(1, abs=1e-3)


def test_latents_of_a_study_are_empty_where_unknown_and_a_notice_says_why() -> None:
    views = with_holes(world())
    ids = [f"p{i}" for i in range(240)]
    settings = CrlSection(latents=LATENTS, seeds=1, epochs=1)
    learned = learn(ids, views, settings, np.random.default_rng(0), Silent())
    assert learned.latents["id"].to_list() == ids
    assert learned.latents["image_1"].null_count() == 5
    told = [(notice.text, notice.count) for notice in learned.notices if "lack" in notice.text]
    assert told[0] == ("60 of 240 people lack text/a: they are encoded from the other measurements of text.", 60)
    assert told[2] == (
        "5 of 240 people lack every vector of image: Level II was fitted without them, and their image latents are "
        "empty.", 5,
    )  # fmt: skip
