"""study.yaml: every fault is one sentence with file, line, key and what was probably meant."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from personax.config import CollectSimulated, read_plan
from personax.errors import PlanError
from personax.sources import CollectTable

GOOD = """\
name: a study
seed: 3
collect:
  source: simulate
  n: 20
"""

TABLE = """\
name: a study
collect:
  source: table
  path: people.csv
  columns:
    height_cm: {from: Height, unit: ft-in}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def fault(folder: Path, text: str) -> str:
    with pytest.raises(PlanError) as caught:
        read_plan(write(folder, text))
    return str(caught.value)


def test_a_good_plan_is_read(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, GOOD))
    assert plan.seed == 3
    assert isinstance(plan.collect, CollectSimulated)
    assert plan.collect.n == 20
    assert plan.independence is None


def test_a_column_mapping_is_read(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, TABLE))
    assert isinstance(plan.collect, CollectTable)
    assert plan.collect.columns["height_cm"].unit == "ft-in"


@pytest.mark.parametrize("name", ["demo.yaml", "init.yaml"])
def test_the_packaged_studies_are_good_plans(tmp_path: Path, name: str) -> None:
    read_plan(write(tmp_path, resources.files("personax").joinpath("studies", name).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "  m: 3\n", "line 6, collect.m: unknown key m; choose from source, n"),
        (GOOD + "independance: {}\n", "line 6, independance: unknown key independance; did you mean independence?"),
        (GOOD.replace("n: 20", "n: many"), "line 5, collect.n: must be a valid integer, not 'many'"),
        (GOOD.replace("n: 20", "n: 0"), "line 5, collect.n: must be greater than or equal to 1, not 0"),
        (GOOD.replace("name: a study\n", ""), "top level: the key name is missing"),
        (
            GOOD.replace("simulate", "simulation"),
            "line 3, collect: source 'simulation' is not known; did you mean simulate?",
        ),
        (GOOD.replace("  source: simulate\n", ""), "line 3, collect: the key source is missing"),
        (GOOD + "independence: {tests: [kcit]}\n", "independence.tests[0]: 'kcit' is not possible; did you mean kci?"),
        (GOOD + "independence: {alpha: 1.5}\n", "line 6, independence.alpha: must be less than 1, not 1.5"),
        (GOOD + "seed: 4\n", "line 6: not readable as YAML, the key seed stands twice"),
        (GOOD + "  n: [1\n", "not readable as YAML"),
        (GOOD + "? [a, b]\n: 1\n", "line 6: not readable as YAML, a key is no plain word"),
        (GOOD + "version: 2\n", "is written for study format 2 and this personax reads up to 1; upgrade personax"),
        ("", "holds no settings"),
        ("- a\n- b\n", "holds no settings"),
        (
            TABLE.replace("unit:", "units:"),
            "line 6, collect.columns.height_cm.units: unknown key units; did you mean unit?",
        ),
    ],
)
def test_a_fault_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    message = fault(tmp_path, text)
    assert says in message
    assert message.startswith(str(tmp_path / "study.yaml"))
    assert "\n" not in message


def test_what_was_given_is_said_once(tmp_path: Path) -> None:
    message = fault(tmp_path, GOOD + "crl: {latents: {text: 2}, method: ours}\n")
    assert "there is no method ours; choose from" in message
    assert message.endswith("default")


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("n: 20", "n: x\n  m: 3") + "seeds: 1\nindependence: {alfa: .1, tests: [kcii], alpha: 2}\n"
    faults = fault(tmp_path, text).splitlines()
    assert len(faults) == 6
    for says in (
        "unknown key seeds; did you mean seed?", "collect.n: must be", "unknown key m", "'kcii' is not possible",
        "unknown key alfa; did you mean alpha?", "independence.alpha: must be",
    ):  # fmt: skip
        assert sum(says in one for one in faults) == 1, says


def test_files_that_are_no_study(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(PlanError, match=r"there is no study file .*did you mean study.yaml\?"):
        read_plan(tmp_path / "studi.yaml")
    with pytest.raises(PlanError, match="is a folder; name the study file in it"):
        read_plan(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(PlanError, match=r"is not UTF-8 text \(byte 6\)"):
        read_plan(tmp_path / "binary.yaml")
