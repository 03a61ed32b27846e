"""study.yaml: every fault is one sentence with file, line, key and what was probably meant."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from functools import reduce
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.config import CollectSimulated, IndependenceSection, read_plan
from personax.errors import InputError, PlanError
from personax.sources import CollectTable
from personax.strict import nearest

GOOD = """\
name: a study
seed: 3
collect:
  source: simulate
  n: 20
"""

OLD_STUDIES = sorted((Path(__file__).parent / "reference" / "old_studies").iterdir())
"""Study files as they were packaged on the day in their name."""

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
        (GOOD.replace("n: 20", "n: 1e3"), "must be a valid integer, not '1e3'; YAML reads this as text, write 1000"),
        (GOOD.replace("n: 20", "n: 0"), "line 5, collect.n: must be greater than or equal to 1, not 0"),
        (GOOD.replace("name: a study\n", ""), "top level: the key name is missing"),
        (
            GOOD.replace("simulate", "simulation"),
            "line 3, collect: source 'simulation' is not known; did you mean simulate?",
        ),
        (GOOD.replace("  source: simulate\n", ""), "line 3, collect: the key source is missing"),
        (GOOD + "independence: {tests: [kcit]}\n", "independence.tests[0]: 'kcit' is not possible; did you mean kci?"),
        (GOOD + "independence: {alpha: 1.5}\n", "line 6, independence.alpha: must be less than 1, not 1.5"),
        (GOOD + "seed: 4\n", "line 6, seed: the key seed stands twice; keep one"),
        (GOOD + "  n: [1\n", "not readable as YAML"),
        (GOOD + "? [a, b]\n: 1\n", "line 6: not readable as YAML, a key is no plain word"),
        (GOOD + "version: 2\n", "is written for study format 2 and this personax reads up to 1; upgrade personax"),
        *(
            (GOOD + f"version: {one}\nsoon: 1\n", "version is the format of the file, a number from 1 to 1: write 1")
            for one in ("0", "-1", "1.5", "true", "'1'", "null", "two", "[1]")
        ),
        (GOOD + "version: 99\nsoon: 1\n", "format 99 and this personax reads up to 1; upgrade personax"),
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


@pytest.mark.parametrize("path", OLD_STUDIES, ids=[path.stem for path in OLD_STUDIES])
def test_study_files_of_earlier_versions_are_read_as_they_were_meant(path: Path) -> None:
    plan, raw = read_plan(path), yaml.safe_load(path.read_text(encoding="utf-8"))
    kept = plan.model_dump(mode="json", by_alias=True)
    assert kept["name"] == raw["name"]
    assert {name for name in raw if raw[name] is not None} <= {
        name for name, value in kept.items() if value is not None
    }
    for section in ("release", "independence", "discover"):
        for key, value in (raw.get(section) or {}).items():
            if not isinstance(value, dict):
                assert kept[section][key] == value, f"{section}.{key}"


def test_what_was_given_is_said_once(tmp_path: Path) -> None:
    message = fault(tmp_path, GOOD + "crl: {latents: {text: 2}, method: ours}\n")
    assert "crl.method: 'ours' is not possible; choose from" in message
    assert message.endswith("default, or install the package that brings the method")


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = (
        GOOD.replace("n: 20", "n: x\n  m: 3") + "seeds: 1\nseed: 4\nindependence: {alfa: .1, tests: [kcii], alpha: 2}\n"
    )
    choices = "source, n, text_dim, image_dim, text_measurements, image_measurements, images, encoded"
    assert fault(tmp_path, text).splitlines() == [
        f"{tmp_path / 'study.yaml'}, line {said}"
        for said in (
            "5, collect.n: must be a valid integer, not 'x'",
            f"6, collect.m: unknown key m; choose from {choices}",
            "7, seeds: unknown key seeds; did you mean seed?",
            "8, seed: the key seed stands twice; keep one",
            "9, independence.alfa: unknown key alfa; did you mean alpha?",
            "9, independence.tests[0]: 'kcii' is not possible; did you mean kci?",
            "9, independence.alpha: must be less than 1, not 2",
        )
    ]


TWICE = """\
name: a study
collect:
  source: simulat
  nn: 3
  n: -1
independence:
  tests: [kcii]
  tests: [kci]
  options: {kci: {null: gamma}}
  options: {kci: {'null': gama, nul: 3}, gcm: {draws: 2}}
embed: ofline
crl: {latents: {3: 2}, device: gpu}
"""


def test_a_key_that_stands_twice_and_an_unknown_source_hide_nothing(tmp_path: Path) -> None:
    assert [one.partition(", line ")[2] for one in fault(tmp_path, TWICE).splitlines()] == [
        "2, collect: source 'simulat' is not known; did you mean simulate?",
        "4, collect.nn: unknown key nn; did you mean n?",
        "5, collect.n: must be greater than or equal to 1, not -1",
        "7, independence.tests[0]: 'kcii' is not possible; did you mean kci?",
        "8, independence.tests: the key tests stands twice; keep one",
        "9, independence.options.kci.null: YAML reads the key null as nothing; write 'null':",
        "10, independence.options: the key options stands twice; keep one",
        "10, independence.options.kci.null: kci: null cannot be 'gama'; choose from "
        "auto, moments, gamma, spectral, permutation, sequential",
        "10, independence.options.kci.nul: kci has no option nul; did you mean null? "
        "(it takes bandwidth, scores, null, regression, permutations)",
        "10, independence.options.gcm.draws: gcm has no option draws; it takes none",
        "11, embed: must be keys with values, {key: value}, not 'ofline'; write {source: offline}",
        "12, crl.latents.3: YAML reads the key 3 as a number; write '3':",
        "12, crl.device: 'gpu' is not possible; did you mean cuda?",
    ]


def test_a_block_that_names_no_source_has_the_keys_told_that_no_source_takes(tmp_path: Path) -> None:
    text = GOOD + "annotate: {sauce: llm, modls: 3, rule: median, qqq: 1}\n"
    assert [one.partition("line 6, ")[2] for one in fault(tmp_path, text).splitlines()] == [
        "annotate.sauce: unknown key sauce; did you mean source?",
        "annotate.modls: unknown key modls; did you mean models?",
        "annotate.qqq: unknown key qqq; no source takes it",
    ]


@pytest.mark.parametrize("text", ["embed: &a {source: *a}\n", "embed: &a [*a]\n"])
def test_a_block_within_itself_is_a_sentence(tmp_path: Path, text: str) -> None:
    assert "a block of it contains itself; write it out without anchors" in fault(tmp_path, GOOD + text)


def test_settings_are_called_as_people_call_them_and_are_not_changed_in_place() -> None:
    with pytest.raises(InputError, match=r"^settings of independence: unknown key test; did you mean tests"):
        IndependenceSection(test=["kci"])  # type: ignore[call-arg]
    section = IndependenceSection()
    with pytest.raises(InputError, match=r"^settings of independence cannot be changed in place; \.replaced\(alpha="):
        section.alpha = 0.1
    assert section.replaced(alpha=0.1).alpha == 0.1
    with pytest.raises(InputError, match=r"^settings of independence: there is no alfa; did you mean alpha\?$"):
        section.alfa = 0.1
    with pytest.raises(InputError, match="cannot be changed in place"):
        del section.alpha


@pytest.mark.parametrize(
    ("word", "choices", "meant"),
    [("KCI", ["kci", "gsq"], "kci"), ("gpu", ["auto", "cpu", "cuda"], "cuda"), ("gpu", ["auto", "cpu"], "cpu")],
)
def test_the_nearest_choice_is_the_one_that_is_meant(word: str, choices: list[str], meant: str) -> None:
    assert nearest(word, choices) == f"did you mean {meant}?"


@pytest.mark.parametrize(
    ("judge", "says"),
    [
        ("{name: j, model: m, base_url: 3}", ["annotate.judge.base_url: must be a valid string, not 3"]),
        ("{name: j, mode: m}", ["annotate.judge.mode: unknown key mode; did you mean model?"]),
        ("3", ["annotate.judge: must be a valid string, not 3"]),
    ],
)
def test_a_setting_that_can_be_several_things_has_the_faults_of_one(
    tmp_path: Path, judge: str, says: list[str]
) -> None:
    models = "[{name: a, model: m, base_url: 'http://localhost'}]"
    text = GOOD + f"annotate: {{source: llm, models: {models}, judge: {judge}}}\n"
    assert [one.partition("line 6, ")[2] for one in fault(tmp_path, text).splitlines()] == says


DEMO = yaml.safe_load(resources.files("personax").joinpath("studies", "demo.yaml").read_text(encoding="utf-8"))

NAMED_BY_STUDY = ("release.columns", "crl.latents")
"""Blocks whose keys are names that the study gives."""


def places(block: dict[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """Yield dotted key and value of all that a study says."""
    for key, value in block.items():
        yield above + key, value
        if isinstance(value, dict):
            yield from places(value, f"{above}{key}.")


def corruptions(place: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield in which ways a study can be corrupted at a place."""
    if not isinstance(value, dict):
        if place != "version":  # a file of another format is that one sentence
            yield place, "impossible value"
    elif place not in NAMED_BY_STUDY:
        yield place, "unknown key"
    if place.rpartition(".")[0] not in NAMED_BY_STUDY and not place.endswith("source"):
        yield place, "misspelt key"


def corrupted(study: dict[str, Any], place: str, how: str) -> tuple[str, str]:
    """Corrupt a study at a place; return the key and a part of the sentence that must be said."""
    *above, key = place.split(".")
    block = reduce(lambda inner, name: inner[name], above, study)
    if how == "unknown key":
        block[key]["zzz"] = 1
        return f"{place}.zzz", "unknown key zzz; choose from"
    if how == "misspelt key":
        renamed = {f"{name}q" if name == key else name: value for name, value in block.items()}
        block.clear()
        block.update(renamed)
        return f"{place}q", f"unknown key {key}q; did you mean {key}?"
    block[key] = "impossible" if key == "source" else {"impossible": 1}
    return (".".join(above), "source 'impossible' is not known") if key == "source" else (place, "impossible")


CORRUPTIONS = [one for place, value in places(DEMO) for one in corruptions(place, value)]


def overlap(one: str, other: str) -> bool:
    """Say whether one place is within the other; what is within a block of an unknown source cannot be looked at."""
    first, second = (place.removesuffix(".source") + "." for place in (one, other))
    return first.startswith(second) or second.startswith(first)


@given(st.lists(st.sampled_from(CORRUPTIONS), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_is_corrupted_every_fault_is_named_in_the_order_of_the_file(chosen: list[tuple[str, str]]) -> None:
    apart = [one for i, one in enumerate(chosen) if not any(overlap(one[0], other) for other, _ in chosen[:i])]
    study = deepcopy(DEMO)
    wanted = dict(corrupted(study, place, how) for place, how in apart)
    text = yaml.safe_dump(study, sort_keys=False)
    with tempfile.TemporaryDirectory() as folder:
        said = fault(Path(folder), text).splitlines()
    told = [re.fullmatch(r".*study\.yaml, line (\d+), ([^:]+): (.*)", one) for one in said]
    found = [(int(one[1]), one[2], one[3]) for one in told if one is not None]
    assert len(found) == len(said)
    assert sorted(key for _, key, _ in found) == sorted(wanted)
    assert all(wanted[key] in sentence for _, key, sentence in found)
    assert all(text.splitlines()[line - 1].strip().startswith(key.split(".")[-1]) for line, key, _ in found)
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)


def test_files_that_are_no_study(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(PlanError, match=r"there is no study file .*did you mean study.yaml\?"):
        read_plan(tmp_path / "studi.yaml")
    with pytest.raises(PlanError, match="is a folder; name the study file in it"):
        read_plan(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(PlanError, match=r"is not UTF-8 text \(byte 6\)"):
        read_plan(tmp_path / "binary.yaml")


def test_a_fault_is_one_line_whatever_its_key(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text('name: x\n"a\\nb\\tc": 1\ncollect: {source: simulate, "d\\re": 3}\n')
    with pytest.raises(PlanError) as caught:
        read_plan(tmp_path / "study.yaml")
    first, second = str(caught.value).split("\n")
    assert "line 2, a b c: unknown key a b c" in first
    assert "line 3, collect.d e: unknown key d e" in second
