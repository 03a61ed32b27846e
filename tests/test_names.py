"""Names of files: what is refused, whatever way it comes in."""

from __future__ import annotations

from pathlib import Path

import pytest

from personax.config import EmbedFiles, read_plan
from personax.errors import InputError, PlanError
from personax.names import distinct_names, safe_name

BAD = [
    "", ".", "..", "../x", "/etc/x", "a/b", "a\\b", "a\0b", "a\nb", "a\x1b[31m", "con", "NUL.txt", "com1", "x.",
    " x", "x ", "é" * 128, "\ud800",
]  # fmt: skip
GOOD = ["a", "s[1]", "p*?", "x.y", "a b", "Łukasz", "é" * 127, "...x", "-rf", "$HOME", "%s", "🦜"]


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_name_of_a_file_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be a name"):
        safe_name(name)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_a_name_stays_as_it_is(name: str, tmp_path: Path) -> None:
    assert safe_name(name) == name
    (tmp_path / name).write_text("")


def test_names_have_one_unicode_form() -> None:
    assert safe_name("e\u0301") == "é"


@pytest.mark.parametrize("pair", [("Text", "text"), ("é", "É"), ("STRASSE", "straße"), ("\u212b", "å")])
def test_names_that_a_disk_may_take_for_one_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="would be one file on some disks"):
        distinct_names([safe_name(name) for name in pair], "sources")


FILES = {
    '{"../../../../escaped": {a: x.npz}}': "it has a slash or backslash",
    '{"/abs": {a: x.npz}}': "it has a slash or backslash",
    "{text: {../a: x.npz}}": "it has a slash or backslash",
    "{text: {id: x.npz}}": "a measurement cannot be called id",
    "{text: {ID: x.npz}}": "a measurement cannot be called id",
    "{x/text: {a: x}, y/text: {a: x}}": "it has a slash or backslash",
    "{Text: {a: x}, text: {a: x}}": "would be one file",
    "{text: {A: x, a: x}}": "would be one file",
    '{"e\\u0301": {a: x}, "\\u00e9": {b: y}}': "how their accents are written",
}


@pytest.mark.parametrize("files", FILES)
def test_measurements_that_cannot_be_are_refused_before_anything_runs(tmp_path: Path, files: str) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(f"name: a\ncollect: {{source: simulate}}\nembed: {{source: files, files: {files}}}\n")
    with pytest.raises(PlanError, match=FILES[files]):
        read_plan(study)


@pytest.mark.parametrize(
    "section",
    [
        "embed: {source: models, text: {id: {}}}",
        "embed: {source: models, image: {a/b: {}}}",
        "crl: {latents: {../text: 2}}",
        "crl: {latents: {Text: 2, text: 2}}",
    ],
)
def test_other_names_that_become_files_are_held_to_the_same(tmp_path: Path, section: str) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(f"name: a\ncollect: {{source: simulate}}\n{section}\n")
    with pytest.raises(PlanError, match=r"cannot be (a name|called id)|would be one file"):
        read_plan(study)


@pytest.mark.parametrize(
    ("paths", "why"), [(("A.csv", "a.csv"), "would be one file"), (("con.csv", "b.csv"), "a device on Windows")]
)
def test_sources_are_named_as_files_can_be(tmp_path: Path, paths: tuple[str, str], why: str) -> None:
    listed = ", ".join(f"{{source: table, path: {path}}}" for path in paths)
    study = tmp_path / "study.yaml"
    study.write_text(f"name: a\ncollect: {{source: several, sources: [{listed}]}}\n")
    with pytest.raises(PlanError, match=why):
        read_plan(study)


def test_a_plan_in_composed_form_names_its_files_so() -> None:
    section = EmbedFiles.model_validate({"source": "files", "files": {"e\u0301": {"a": "x.npz"}}})
    assert list(section.files) == ["é"]
