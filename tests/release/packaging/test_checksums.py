"""The list of checksums finds what is missing, changed or extra, and leads nowhere else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from personax.errors import InputError
from personax.release.packaging import check_checksums, write_checksums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "release"
    (home / "data").mkdir(parents=True)
    for name in ("README.md", "data/a.parquet", "data/b c.parquet"):
        (home / name).write_text(name)
    write_checksums(home)
    return home


def test_sha256sum_agrees(folder: Path) -> None:
    shown = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count(": OK") == 3


def test_missing_changed_and_extra_files_are_named(folder: Path) -> None:
    assert check_checksums(folder).ok
    (folder / "README.md").unlink()
    (folder / "data" / "a.parquet").write_text("other")
    (folder / "data" / "new").write_text("")
    found = check_checksums(folder)
    assert (found.missing, found.changed, found.extra) == (["README.md"], ["data/a.parquet"], ["data/new"])
    assert not found.ok
    assert found.sentences[0] == "1 file is missing: README.md."


def test_what_a_hub_adds_is_not_extra(folder: Path) -> None:
    (folder / ".cache" / "huggingface").mkdir(parents=True)
    (folder / ".cache" / "huggingface" / "x.lock").write_text("")
    (folder / ".gitattributes").write_text("")
    assert check_checksums(folder).ok
    (folder / "data" / ".gitattributes").write_text("")
    assert check_checksums(folder).extra == ["data/.gitattributes"]


@pytest.mark.parametrize(
    "name", ["../out", "/etc/passwd", "data/../../out", "./README.md", "data//a", "a\\b", "C:/x", "."]
)
def test_names_that_lead_out_are_refused(name: str, folder: Path) -> None:
    with (folder / "SHA256SUMS").open("a", encoding="utf-8") as stream:
        stream.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(InputError, match="line 4, names a file that would lie outside"):
        check_checksums(folder)


def test_links_are_refused_when_writing_and_when_checking(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    for run in (write_checksums, check_checksums):
        with pytest.raises(InputError, match="is a link"):
            run(folder)


def test_a_linked_folder_is_refused_too(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "data" / "more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(InputError, match="is a link"):
        check_checksums(folder)


@pytest.mark.parametrize("text", ["nonsense\n", f"{'0' * 64}  a\n{'1' * 64}  a\n", f"{'A' * 64}  a\n"])
def test_a_line_that_is_none_is_refused(text: str, folder: Path) -> None:
    (folder / "SHA256SUMS").write_text(text)
    with pytest.raises(InputError, match="is no new checksum"):
        check_checksums(folder)


def test_no_list_or_no_text_is_an_error(folder: Path) -> None:
    (folder / "SHA256SUMS").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is no text"):
        check_checksums(folder)
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(InputError, match="is missing"):
        check_checksums(folder)


def test_a_name_that_the_list_cannot_hold_is_refused(folder: Path) -> None:
    (folder / "a\nb").write_text("")
    with pytest.raises(InputError, match="cannot hold"):
        write_checksums(folder)
