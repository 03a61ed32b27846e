"""Strangers' tools read a release and find the values that went in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from personax.errors import InputError
from personax.release.packaging import ReleaseFacts, check_croissant, describe
from personax.release.packaging._croissant import CONTEXT
from personax.schema import Column

if TYPE_CHECKING:
    from tests.release.packaging.conftest import Package, Packaged

datasets = pytest.importorskip("datasets", reason="datasets is not installed")
mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index is deprecated"),
]
"""rdflib warns of its own use of itself, and pandas of mlcroissant's use of pandas."""

RAI = {
    "dataCollection", "dataCollectionType", "dataCollectionMissingData", "dataCollectionRawData",
    "dataCollectionTimeframe",
    "dataImputationProtocol", "dataManipulationProtocol", "dataPreprocessingProtocol", "dataAnnotationProtocol",
    "dataAnnotationPlatform", "dataAnnotationAnalysis", "dataReleaseMaintenancePlan", "personalSensitiveInformation",
    "dataSocialImpact", "dataBiases", "dataLimitations", "dataUseCases", "annotationsPerItem", "annotatorDemographics",
    "machineAnnotationTools",
}  # fmt: skip
"""The properties of RAI 1.0."""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    bars = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    yield
    if bars:
        datasets.enable_progress_bars()


@pytest.mark.parametrize("config", ["people", "text", "image", None])
def test_datasets_reads_each_configuration(config: str | None, packaged: Packaged, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(str(packaged.folder), config, split="train", cache_dir=str(tmp_path))
    frame = packaged.frames[config or "people"]
    assert loaded.column_names == frame.columns
    for name in frame.columns:
        if isinstance(frame[name].dtype, pl.Array):
            assert loaded.features[name] == datasets.List(datasets.Value("float32"), length=24)
            assert np.array_equal(np.array(loaded[name], dtype=np.float32), frame[name].to_numpy())
        else:
            assert list(loaded[name]) == frame[name].to_list()


def test_datasets_reads_it_by_its_files_alone(packaged: Packaged, tmp_path: Path) -> None:
    """The Parquet files carry the features themselves, without the card."""
    files = sorted(str(path) for path in packaged.folder.glob("data/image/*.parquet"))
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
    assert loaded.features["image_a"] == datasets.List(datasets.Value("float32"), length=24)


def records(folder: Path, config: str) -> list[dict[str, Any]]:
    return list(mlcroissant.Dataset(jsonld=folder / "croissant.json").records(config))


def same(frame: pl.DataFrame, rows: list[dict[str, Any]], config: str) -> None:
    for place, (name, dtype) in enumerate(frame.schema.items()):
        found = [list(row.values())[place] for row in rows]
        if isinstance(dtype, pl.Array):
            assert np.array_equal(np.array(found, dtype=np.float32), frame[name].to_numpy())
        elif dtype == pl.String:
            assert [value and value.decode() for value in found] == frame[name].to_list()
        else:
            assert found == frame[name].to_list()
    assert {key.split("/")[0] for key in rows[0]} == {config}


@pytest.mark.parametrize("config", ["people", "text", "image"])
def test_mlcroissant_reads_several_files_as_one(config: str, packaged: Packaged) -> None:
    assert len(list(packaged.folder.glob(f"data/{config}/*"))) > 1
    same(packaged.frames[config], records(packaged.folder, config), config)


def test_mlcroissant_reads_single_files_and_checks_their_hash(
    packaged: Packaged, package: Package, tmp_path: Path
) -> None:
    folder = package(tmp_path, packaged.frames, packaged.facts).folder
    assert check_croissant(folder) == []
    for config, frame in packaged.frames.items():
        same(frame, records(folder, config), config)
    [path] = (folder / "data" / "image").iterdir()
    packaged.frames["image"].head(3).write_parquet(path)
    with pytest.raises(mlcroissant.GenerationError):
        records(folder, "image")


def test_croissant_is_valid_without_a_warning_and_complete(packaged: Packaged) -> None:
    assert check_croissant(packaged.folder) == []
    told = json.loads((packaged.folder / "croissant.json").read_text())
    assert told["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    # the simulated people were collected on no day
    assert {key.removeprefix("rai:") for key in told if key.startswith("rai:")} == RAI - {"dataCollectionTimeframe"}
    assert all(told[key] for key in told)
    [vectors] = [field for field in told["recordSet"][2]["field"] if "isArray" in field]
    assert (vectors["isArray"], vectors["arrayShape"], vectors["dataType"]) == (True, "24", "cr:Float32")
    assert told["recordSet"][1]["field"][0]["references"] == {"field": {"@id": "people/id"}}
    assert {one["@type"] for one in told["distribution"]} == {"cr:FileObject", "cr:FileSet"}


def test_columns_of_any_name_are_read_back(package: Package, tmp_path: Path) -> None:
    names = ["Height(cm)", "Height[cm]", "größe", "a b/c?#", "index", "..", "<b>"]
    frame = pl.DataFrame({"id": ["a", "b"], **{name: [float(i), None] for i, name in enumerate(names)}})
    columns = [Column(name, "feature", "continuous") for name in names]
    facts = ReleaseFacts("x", "1.0.0", 2, describe("people", frame, columns), date="2026-01-31")
    folder = package(tmp_path, {"people": frame}, facts).folder
    assert check_croissant(folder) == []
    same(frame, records(folder, "people"), "people")


def test_trouble_is_told_in_sentences(packaged: Packaged, tmp_path: Path) -> None:
    told = json.loads((packaged.folder / "croissant.json").read_text())
    path = tmp_path / "croissant.json"

    def found(**changes: object) -> list[str]:
        path.write_text(json.dumps({key: value for key, value in {**told, **changes}.items() if value is not None}))
        return check_croissant(tmp_path)

    assert any("datePublished" in issue for issue in found(datePublished=None))
    assert any("mandatory" in issue for issue in found(distribution=[{"@type": "cr:FileObject", "@id": "x"}]))
    assert "@context" in found(**{"@context": "https://e.vil/context"})[0]
    assert "@context" in found(**{"@context": {**CONTEXT, "@import": "https://e.vil/context"}})[0]
    assert "@context" in found(creator=[{"@context": "https://e.vil/context", "name": "x"}])[0]
    broken = json.loads(json.dumps(told["recordSet"]))
    broken[1]["field"][0]["references"] = {"@id": "people/id"}
    assert "cannot read it" in found(recordSet=broken)[0]
    path.write_text("[" * 100_000)
    with pytest.raises(InputError, match="cannot be read"):
        check_croissant(tmp_path)
    path.unlink()
    with pytest.raises(InputError, match="is missing"):
        check_croissant(tmp_path)
