"""How many latents a modality has: an interval from explanation and agreement, before anything else is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

import torch

from personax.config import CrlSection
from personax.crl import choose_dimension, method
from personax.crl._optimiser import validation_split
from personax.crl.methods.default._number_of_latents import NumberOfLatents, TriedNumber, count_latents
from personax.stages import describe_numbers
from personax.study import Study


def tried(*rows: tuple[float, float]) -> list[TriedNumber]:
    return [TriedNumber(at + 1, explained, 0.01, agreement) for at, (explained, agreement) in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ([(0.66, 0.999), (0.93, 0.999), (0.96, 0.78), (0.97, 0.58)], (2, 2, 2)),
        ([(0.66, 0.99), (0.92, 0.94), (0.95, 0.86), (0.96, 0.68)], (2, 1, 3)),
        ([(0.4, 0.5), (0.6, 0.4)], (1, 1, 1)),  # nothing agrees: one latent, and the fit will say what it is worth
    ],
)
def test_the_fewest_that_explain_as_much_as_the_most_that_agree(
    rows: list[tuple[float, float]], number: tuple[int, int, int]
) -> None:
    found = NumberOfLatents.of(tried(*rows))
    assert (found.latents, found.low, found.high) == number


def one_latent(people: int = 400) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    rng = np.random.default_rng(0)
    views: dict[str, dict[str, np.ndarray[Any, Any]]] = {}
    for modality in ("text", "image"):
        z = rng.normal(size=people)
        waves = np.stack([np.sin(z * rate + shift) for rate, shift in ((1, 0), (1, 1.5), (2, 0.7), (2, 2))], 1)
        views[modality] = {
            name: waves @ rng.normal(size=(4, 10)) + 0.2 * rng.normal(size=(people, 10)) for name in ("a", "b")
        }
    return views


def test_one_latent_is_counted_as_one() -> None:
    found = count_latents(
        "text", one_latent()["text"], 2, validation_split(400, 0.2), share=0.04,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    assert found is not None
    assert found.low == 1
    assert found.tried[0].explained > 0.5
    assert found.tried[0].agreement > max(found.tried[1].agreement, 0.9)


def test_one_measurement_is_not_counted() -> None:
    by = {"a": one_latent(60)["text"]["a"]}
    assert count_latents("text", by, 2, validation_split(60, 0.2), generator=torch.Generator()) is None


def test_a_method_that_counts_is_not_fitted_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = method("default")
    rows = [{"modality": m, "latents": 2, "candidate": True, "chosen": True} for m in ("text", "image")]
    counted = {m: (2, 1, 3, [row]) for m, row in zip(("text", "image"), rows, strict=True)}
    monkeypatch.setattr(type(made), "count_latents", lambda *_: counted)
    monkeypatch.setattr(type(made), "learn", lambda *_: pytest.fail("something was fitted"))
    found = choose_dimension(made, one_latent(60), upto=3, rng=np.random.default_rng(0))
    assert found.latents == {"text": 2, "image": 2}
    assert found.intervals == {"text": (1, 3), "image": (1, 3)}
    assert found.table == rows


def test_what_else_is_possible_is_said() -> None:
    table = {"modality": ["text"] * 3, "latents": [1, 2, 3], "chosen": [True, False, False]}
    assert describe_numbers(pl.DataFrame(table | {"candidate": [True, False, False]})) == [
        "text: 1 latent was chosen of 1 to 3 tried; no other number is possible."
    ]


def test_a_study_that_asks_for_it_chooses_and_a_study_that_does_not_is_what_it_was(tmp_path: Path) -> None:
    assert "upto" not in CrlSection(latents={"text": 1}).model_dump()
    assert CrlSection(latents={"text": 1}, upto=3).model_dump()["upto"] == 3
    ids, views = np.array([f"p{i}" for i in range(60)]), one_latent(60)
    for modality, by in views.items():
        for name, x in by.items():
            np.savez(tmp_path / f"{modality}-{name}.npz", id=ids, vectors=x)
    (tmp_path / "people.csv").write_text("id,age\n" + "\n".join(f"{one},{20 + at}" for at, one in enumerate(ids)))
    (tmp_path / "study.yaml").write_text(
        "name: x\ncollect: {source: table, path: people.csv}\n"
        "embed: {source: files, files: {text: {a: text-a.npz}, image: {a: image-a.npz}}}\n"
        "crl: {latents: {text: 1, image: 1}, upto: 2, method: pca, seeds: 1}\n"
    )
    study = Study.load(tmp_path / "study.yaml")
    study.run(["crl"])
    table = pl.read_parquet(study.folder.path("analysis", "crl", "dimensions.parquet"))
    chosen = dict(table.filter("chosen").select("modality", "latents").iter_rows())
    latents = pl.read_parquet(study.folder.path("analysis", "crl", "latents.parquet"))
    assert latents.width == 1 + sum(chosen.values())
    manifest = study.folder.manifest("crl")
    assert manifest is not None
    assert any("latents were chosen of 1 to 2 tried" in one["text"] or "latent was chosen" in one["text"]
               for one in manifest.notices)  # fmt: skip
