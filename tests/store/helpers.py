"""A small study folder, and what must hold of it at any moment."""

from __future__ import annotations

from pathlib import Path

from personax.store import Manifest, StudyFolder, examine_folder

BLANK = Manifest("collect", 1, 0, {}, {})
STUDY = """
{name: tiny, collect: {source: simulate, n: 40, text_dim: 24, image_dim: 16, images: false},
 annotate: {source: simulate}, embed: {source: simulate}, release: {audit: false},
 independence: {tests: [chisq], figures: false}}
"""
OLD = {"people/a": "old", "people/gone": "old", "people/same": "same"}
NEW = {"people/a": "new", "people/b": "new", "people/same": "same"}


def commit(folder: StudyFolder, files: dict[str, str], stage: str = "collect") -> Manifest:
    """Commit files as the output of a stage."""
    with folder.lock(), folder.staging(stage) as out:
        for name, text in files.items():
            out.path(*name.split("/")).write_text(text)
        return out.commit(Manifest(stage, 1, 0, {}, {}))


def seen(folder: StudyFolder) -> dict[str, str]:
    """Return what a reader sees, without the lock."""
    return {f"people/{name}": path.read_text() for name, path in folder.outputs("people").items()}


def readable(root: Path) -> dict[str, str]:
    """Return what lies under readable names."""
    files = (path for path in (root / "people").rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def check_whole(root: Path) -> dict[str, str]:
    """Assert that a folder is the old or the new one and mends by itself; return what it is."""
    before = seen(StudyFolder(root))
    assert before in (OLD, NEW)
    folder = StudyFolder(root)
    with folder.lock():
        assert seen(folder) == before, "opening loses nothing"
        assert readable(root) == before
        assert sorted(path.name for path in (root / ".staging").iterdir()) == []
        assert len(folder.objects.stored()) == len(set(before.values()))
    assert [one for one in examine_folder(StudyFolder(root)) if one.state == "fault"] == []
    return before
