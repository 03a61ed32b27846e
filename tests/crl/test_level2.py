"""Level II as scikit-learn uses transformers: parameters, clones, pickles, tables of vectors, grids."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.crl import Budget, Level2, fit_seeds, identify, load_fit, method, save_fit
from personax.errors import InputError

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

LATENTS = {"text": 1, "image": 1}


def world(n: int = 120, wide: int = 6) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, 2))
    return {
        m: {k: z[:, [i]] @ rng.normal(size=(1, wide)) + 0.1 * rng.normal(size=(n, wide)) for k in ("a", "b")}
        for i, m in enumerate(LATENTS)
    }


def model(**changes: Any) -> Level2:
    known: dict[str, Any] = {"method": method("betavae", budget=Budget(epochs=2, hidden=8)), "seeds": 2}
    return Level2(latents=LATENTS, random_state=0, **known | changes)


def table(views: dict[str, dict[str, np.ndarray[Any, Any]]]) -> pl.DataFrame:
    return pl.DataFrame({f"{m}/{k}": x.tolist() for m, by in views.items() for k, x in by.items()})


def test_it_is_fit_seeds_with_the_same_generator() -> None:
    views, made = world(), model()
    z = made.fit(views).transform(views)
    chosen = fit_seeds(
        method("betavae", budget=Budget(epochs=2, hidden=8)), views, latents=LATENTS, seeds=2,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert np.array_equal(z, chosen.best.encode(views))
    assert np.array_equal(z, model().fit_transform(views))
    assert made.get_feature_names_out().tolist() == ["text_1", "image_1"]
    assert made.seeds_["chosen"].sum() == 1
    assert made.graph_ is None
    assert made.score(views) == pytest.approx(chosen.agreement.mean)


def test_two_jobs_give_the_same_numbers() -> None:
    views = world()
    assert np.array_equal(model().fit_transform(views), model(n_jobs=2).fit_transform(views))


def test_tables_of_vectors_are_the_arrays_they_hold() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    views = world()
    z = model().fit_transform(views)
    columns = {m: {k: pl.Series(x.tolist()) for k, x in by.items()} for m, by in views.items()}
    frames = {m: pandas.DataFrame({k: list(x) for k, x in by.items()}) for m, by in views.items()}
    for held in (table(views), table(views).to_pandas(), columns, frames):
        assert np.array_equal(model().fit_transform(held), z)
    single = {m: by["a"] for m, by in views.items()}
    numbers = {m: pl.DataFrame(x) for m, x in single.items()}
    assert np.array_equal(model().fit_transform(single), model().fit_transform(numbers))


def test_pickles_encode_to_the_same_bits_and_fits_can_be_saved(tmp_path: Path) -> None:
    views = world()
    made = model(progress=lambda *_: None).fit(views)
    z = made.transform(views)
    assert np.array_equal(pickle.loads(pickle.dumps(made)).transform(views), z)
    save_fit(made.fitted_, tmp_path / "fit.safetensors")
    assert np.array_equal(load_fit(tmp_path / "fit.safetensors").encode(views), z)


def test_wide_measurements_are_reduced_and_encoded_themselves() -> None:
    views = world(60, 1100)
    made = Level2(latents=LATENTS, method="cca", seeds=1, random_state=0).fit(views)
    assert made.transform(views).shape == (60, 2)
    assert made.n_features_in_ == 4400


def test_progress_goes_over_all_seeds() -> None:
    seen: list[tuple[int, int]] = []
    model(progress=lambda done, total, _: seen.append((done, total))).fit(world())
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_scikit_learn_clones_it_and_searches_a_grid_of_tables() -> None:
    base = pytest.importorskip("sklearn.base", reason="scikit-learn is not installed")
    selection = pytest.importorskip("sklearn.model_selection")
    views = world()
    made = model().fit(views)
    copy = base.clone(made)
    assert copy.get_params(deep=False).keys() == made.get_params(deep=False).keys()
    assert not hasattr(copy, "fitted_")
    assert copy.method is not made.method
    assert np.array_equal(copy.fit_transform(views), made.transform(views))
    search = selection.GridSearchCV(model(), {"method__budget__epochs": [1, 2]}, cv=2).fit(table(views).to_pandas())
    assert set(search.cv_results_["mean_test_score"] > 0) == {True}
    assert search.best_estimator_.get_params()["method__budget__epochs"] in (1, 2)


def test_what_cannot_be_is_a_sentence() -> None:
    views = world()
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: model().transform(views), "not fitted"),
        (lambda: model(seeds=0).fit(views), "at least 1"),
        (lambda: model(seeds=1).fit(views).score(views), "give seeds=2"),
        (lambda: model(method="betavea").fit(views), "did you mean betavae"),
        (lambda: Level2(latents={}).fit(views), "modality -> number"),
        (lambda: Level2(latents={"text": 1}, method="pca").fit(views), "crl.latents names text"),
        (lambda: model().set_params(sedes=2), "did you mean seeds"),
        (lambda: model(method="pca").set_params(method__budget=1), "give the method itself"),
        (lambda: model().fit(np.zeros((30, 2))), "modality/measurement"),
        (lambda: model().fit(pl.DataFrame({"a": [1.0]})), "no column of vectors"),
        (lambda: model().fit({"text": pl.Series([[1.0], None]), "image": np.zeros((2, 1))}), "1 people have a vector"),
        (lambda: model().fit({"text": pl.Series([[1.0], [1.0, 2.0]])}), "different lengths"),
        (lambda: model().fit({"text": [["x"], ["y"]]}), "something else than real numbers"),
    ]
    for case, says in cases:
        with pytest.raises(InputError) as told:
            case()
        assert says in str(told.value)


def test_the_default_method_is_pickled_and_saved_with_what_it_found(tmp_path: Path) -> None:
    views = world(80)
    made = Level2(latents=LATENTS, method=method("default", budget=Budget(epochs=1)), seeds=1, random_state=0).fit(
        views
    )
    z = made.transform(views)
    again = pickle.loads(pickle.dumps(made))
    assert np.array_equal(again.transform(views), z)
    assert again.graph_ is not None
    save_fit(made.fitted_, tmp_path / "fit.safetensors")
    loaded = load_fit(tmp_path / "fit.safetensors")
    assert np.array_equal(loaded.encode(views), z)
    assert identify(loaded) == identify(made.fitted_)
