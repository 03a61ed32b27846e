"""personax doctor STUDY: what is wrong with a folder is found, and mended where that needs no computing."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.program import personax
from tests.store.helpers import OLD, commit, readable, seen

from personax.cli.doctor import _folder_of
from personax.errors import StudyError
from personax.files import open_sqlite
from personax.store import StudyFolder, examine_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    commit(StudyFolder(tmp_path / "study"), OLD)
    return tmp_path / "study"


def object_of(root: Path, name: str) -> Path:
    folder = StudyFolder(root)
    return folder.objects.path(folder.claims()[name])


def replaced(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def _damage(root: Path) -> None:
    replaced(object_of(root, "people/a"), "bad")


def _orphan(root: Path) -> None:
    place = root / "objects" / "ab"
    place.mkdir(exist_ok=True)
    (place / ("ab" + "0" * 62)).write_text("nobody's")


def _left(root: Path) -> None:
    (root / ".staging" / "collect.partial" / "people").mkdir(parents=True)
    (root / ".staging" / "99.link").write_text("")


def _open_traits(root: Path) -> None:
    (root / "traits").mkdir()
    (root / "traits").chmod(0o755)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "readable name is missing": (lambda root: (root / "people" / "a").unlink(), "readable name"),
    "readable name was changed": (lambda root: replaced(root / "people" / "a", "mine"), "readable name"),
    "object is damaged": (_damage, "output"),
    "object is missing": (lambda root: object_of(root, "people/a").unlink(), "output"),
    "orphan": (_orphan, "orphans"),
    "left behind": (_left, "left behind"),
    "holder without lock": (lambda root: (root / ".lock.json").write_text("{}"), "left behind"),
    "open folder": (lambda root: (root / "people").chmod(0o755), "modes"),
    "open folder of a journal": (_open_traits, "modes"),
    "object can be written": (lambda root: object_of(root, "people/a").chmod(0o600), "modes"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_found_and_mended(root: Path, what: str) -> None:
    spoil, kind = FAULTS[what]
    assert examine_folder(StudyFolder(root)) == []
    spoil(root)
    found = examine_folder(StudyFolder(root))
    assert kind in {one.kind for one in found if one.state == "fault"}
    assert examine_folder(StudyFolder(root)) == found, "looking changes nothing"
    mended = examine_folder(StudyFolder(root), mend=True)
    assert {one.state for one in mended} == {"mended"}
    assert examine_folder(StudyFolder(root)) == []
    assert seen(StudyFolder(root)) == readable(root) == OLD


def test_what_somebody_changed_is_kept(root: Path) -> None:
    replaced(root / "people" / "a", "mine")
    examine_folder(StudyFolder(root), mend=True)
    assert (root / ".edited" / "people" / "a").read_text() == "mine"


def test_what_is_lost_must_be_computed(root: Path) -> None:
    object_of(root, "people/same").unlink()
    (root / "people" / "same").unlink()
    found = examine_folder(StudyFolder(root), mend=True)
    assert [one.text for one in found] == ["people/same is lost or damaged; personax run computes collect again"]
    assert found[0].state == "fault"


def test_a_manifest_that_cannot_be_read_is_removed_and_nothing_else(root: Path) -> None:
    (root / "manifests" / "collect.json").write_text("")
    found = examine_folder(StudyFolder(root), mend=True)
    assert [one.kind for one in found if one.state == "mended"] == ["manifest", "orphans"]
    assert not (root / "manifests" / "collect.json").exists()


def test_a_damaged_journal_is_told(root: Path) -> None:
    path = root / "traits" / "journal.sqlite"
    db = open_sqlite(path, durable=False)
    db.execute("CREATE TABLE reply (a)")
    db.executemany("INSERT INTO reply VALUES (?)", [("x" * 500,)] * 200)
    db.close()
    assert examine_folder(StudyFolder(root)) == []
    raw = bytearray(path.read_bytes())
    raw[8192:12288] = b"\xff" * 4096
    path.write_bytes(raw)
    assert [one.kind for one in examine_folder(StudyFolder(root))] == ["journal"]
    with contextlib.closing(sqlite3.connect(path)) as base, pytest.raises(sqlite3.Error):
        base.execute("PRAGMA nothing; SELECT count(a) FROM reply WHERE a > ''").fetchall()


def test_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no study folder"):
        examine_folder(StudyFolder(tmp_path / "nowhere"))
    (tmp_path / "photos").mkdir()
    with pytest.raises(StudyError, match="photos holds no study"):
        examine_folder(StudyFolder(tmp_path / "photos"))


def test_a_study_is_named_by_its_file_or_its_folder_also_from_within(
    monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.chdir(root)
    found = {name: str(_folder_of(Path(name))) for name in (".", "..", "study.yaml", "x.yaml")}
    assert found == {".": ".", "..": "..", "study.yaml": ".", "x.yaml": "x"}


def test_the_command_says_it_with_an_exit_code(root: Path) -> None:
    assert personax("doctor", root).returncode == 0
    (root / "people" / "a").unlink()
    found = personax("doctor", root)
    assert found.returncode == 1
    assert "people/a is missing" in " ".join(found.stdout.split())
    told = json.loads(personax("doctor", root, "--json").stdout)
    assert (told["sound"], [one["kind"] for one in told["findings"]]) == (False, ["readable name"])
    assert personax("doctor", root, "--mend").returncode == 0
    assert "nothing is wrong" in personax("doctor", root).stdout
    assert personax("doctor", "--mend").returncode == 1


@pytest.mark.parametrize("page", [3, 20])
def test_a_damaged_journal_is_gone_on_with(root: Path, page: int) -> None:
    path = root / "traits" / "journal.sqlite"
    with contextlib.closing(open_sqlite(path, durable=False)) as db:
        db.execute("CREATE TABLE reply (a)")
        db.executemany("INSERT INTO reply VALUES (?)", [(f"{number:03}" + "x" * 500,) for number in range(200)])
    raw = bytearray(path.read_bytes())
    raw[4096 * page : 4096 * (page + 1)] = b"\xff" * 4096
    path.write_bytes(raw)
    (told,) = examine_folder(StudyFolder(root), mend=True)
    assert (told.kind, told.state) == ("journal", "mended")
    assert "rows were read, not all of reply" in told.text
    assert (root / ".edited" / "traits" / "journal.sqlite").read_bytes() == raw
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows = [row[0][:3] for row in db.execute("SELECT a FROM reply ORDER BY a")]
    assert 180 < len(rows) < 200
    assert len(set(rows)) == len(rows)
    assert examine_folder(StudyFolder(root)) == []


def test_a_journal_of_which_nothing_can_be_read_stays(root: Path) -> None:
    path = root / "traits" / "journal.sqlite"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(b"no database at all" * 400)
    (told,) = examine_folder(StudyFolder(root), mend=True)
    assert (told.kind, told.state) == ("journal", "fault")
    assert "put a copy of it back" in told.text
    assert path.read_bytes() == b"no database at all" * 400
