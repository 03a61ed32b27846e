"""Files of strangers that were made to do harm, in shapes that public reports of other tools describe.

Each is refused in one sentence, runs nothing, writes nothing outside, and takes bounded time and memory.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax import Study, load_release, verify
from personax.embed import read_vectors
from personax.embed._checkpoint import find_checkpoint, tensor_names
from personax.errors import InputError, PersonaxError
from personax.release.reading._load import open_release
from personax.sources import CollectOpenfootball, CollectTable
from personax.traits.llms._reply_parsing import json_object

MAPPING = {"id": "id", "height": "feature:continuous", "final_o": "target"}
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


class Owned:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    people = pl.DataFrame({"id": ["a", "b"], "height": [1.7, 1.8], "final_o": [1.0, 2.0]})
    people.write_parquet(folder / "people.parquet")
    load_release(folder, mapping=MAPPING)
    return folder


def card(head: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "README.md").write_text(f"---\n{head}\n---\n# A set\n")


def parquet_of_zeros(folder: Path) -> None:
    """200 million rows in a file of kilobytes (parquet-bomb; decompression bombs of Arrow readers)."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    names = ["id", *(f"x{number}" for number in range(20))]
    table = pa.table({name: np.zeros(1_000_000) for name in names})
    with pq.ParquetWriter(folder / "people.parquet", table.schema, compression="zstd") as writer:
        for _ in range(10):
            writer.write_table(table)


def npz_of_zeros(folder: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (3 * 10**8, 1)})
    with zipfile.ZipFile(folder / "image.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("image.npy", header.getvalue() + bytes(2**20))


def pickled_array(folder: Path) -> None:
    np.save(folder / "image.npy", np.array([Owned(folder / "owned")], dtype=object), allow_pickle=True)


def pickled_extension(folder: Path) -> None:
    """A Parquet column whose type is pickled in its metadata (CVE-2023-47248 of pyarrow; GHSA-2g92-c6p of Ray)."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    said = {b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": pickle.dumps(Owned(folder / "owned"))}  # fmt: skip
    field = pa.field("height", pa.float64(), metadata=said)
    schema = pa.schema([pa.field("id", pa.string()), field, pa.field("final_o", pa.float64())])
    pq.write_table(pa.table([["a", "b"], [1.0, 2.0], [1.0, 2.0]], schema=schema), folder / "people.parquet")
    load_release(folder, mapping=MAPPING)
    raise InputError("its numbers are read, and its pickle is not")


RELEASES: dict[str, Callable[[Path], object]] = {
    "aliases of aliases in the card": card(LAUGHS),
    "aliases as the licence": card(LAUGHS + "license: *i\npretty_name: *i"),
    "a card of 20,000 lists": card("x: " + "[" * 20_000),
    "a card within itself": card("x: &a [*a]"),
    "an object of Python in the card": card("x: !!python/object/apply:os.system ['touch owned']"),
    "a Parquet file of zeros": parquet_of_zeros,
    "an npz file of zeros": npz_of_zeros,
    "a pickled array (CVE-2019-6446)": pickled_array,
    "a pickled type of a column": pickled_extension,
    "JSON lists in lists": lambda folder: (folder / "more.json").write_text("[" * 300_000),
    "a link to a secret": lambda folder: (folder / "more.csv").symlink_to("/etc/passwd"),
    "a link to a folder above": lambda folder: (folder / "more").symlink_to(folder.parent),
    "a pipe": lambda folder: os.mkfifo(folder / "more.csv"),
    "a device": lambda folder: (folder / "more.csv").symlink_to("/dev/zero"),
    "folders without end": lambda folder: (folder / "/".join("a" * 1 for _ in range(100))).mkdir(parents=True),
}


@pytest.mark.parametrize("name", RELEASES)
def test_a_hostile_release_is_refused_in_one_sentence(name: str, release: Path) -> None:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PersonaxError) as error:  # noqa: PT012 - either may refuse it
        RELEASES[name](release)
        load_release(release, mapping=None if "npz" in name or "array" in name else MAPPING)
    assert len(str(error.value)) < 3000
    assert time.process_time() - began < 15
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 700_000
    assert not (release / "owned").exists()
    assert not Path("owned").exists()


@pytest.mark.parametrize("name", [name for name in RELEASES if "card" in name or "JSON" in name])
def test_verifying_a_hostile_release_ends_with_a_verdict(name: str, release: Path) -> None:
    RELEASES[name](release)
    assert verify(release).checks


@pytest.mark.parametrize(
    "name",
    ["../../escaped", "/etc/passwd", "a\\..\\b", "C:\\x", "x\0y", "people.parquet/../../x", "\n", "-rf", "\u202etxt"],
)
def test_checksums_that_name_files_elsewhere_read_none(name: str, release: Path) -> None:
    (release / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")
    assert verify(release).failed
    assert sorted(path.name for path in release.iterdir()) == ["SHA256SUMS", "people.parquet"]


def test_documents_with_numbers_that_are_none_break_nothing(release: Path) -> None:
    for name in ("audit.json", "columns.json", "protection.json", "transforms.json", "croissant.json"):
        for content in ("NaN", "1e999", "9" * 5000, "[]", '{"a": NaN}', "\ufeff{}", '{"verdict": ["x"]}'):
            (release / name).write_text(content, encoding="utf-8")
            assert verify(release).checks
        (release / name).unlink()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


GOOD = b"= Club\n"
MEMBERS: dict[str, tuple[tarfile.TarInfo, bytes]] = {
    "climbs (CVE-2007-4559)": (member("../../../escaped.players.txt"), GOOD),
    "is absolute": (member("/tmp/personax-escaped.players.txt"), GOOD),
    "is a link": (member("europe/x.players.txt", tarfile.SYMTYPE, "/etc/passwd"), b""),
    "is a hard link": (member("europe/x.players.txt", tarfile.LNKTYPE, "../../etc/passwd"), b""),
    "is a device": (member("europe/x.players.txt", tarfile.CHRTYPE), b""),
    "is a pipe": (member("europe/x.players.txt", tarfile.FIFOTYPE), b""),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_an_archive_whose_member(name: str, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "players.tar.gz"
    path.parent.mkdir()
    info, data = MEMBERS[name]
    info.size = len(data)
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(info, io.BytesIO(data))
    with pytest.raises(InputError):
        CollectOpenfootball(source="openfootball", path=str(path)).read(tmp_path)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["deep", "players.tar.gz"]
    assert not Path("/tmp/personax-escaped.players.txt").exists()


def test_an_archive_that_expands_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.sources._player_files.MAX_UNPACKED", 2**20)
    path = tmp_path / "players.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for number in range(3):
            info = member(f"x{number}")
            info.size = 2**19
            archive.addfile(info, io.BytesIO(bytes(2**19)))
    with pytest.raises(InputError, match="unpacks to more than"):
        CollectOpenfootball(source="openfootball", path=str(path)).read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.csv", b"id,a\n1," + b"9" * 100_000 + b"\n"),
        ("people.csv", b"id," + b"a" * 10**6 + b"\n1,2\n"),
        ("people.csv", b"id,a\n" + b'1,"' + b"x" * 10**6),
        ("people.csv", b"\0" * 1000),
        ("people.jsonl", b'{"id": ' + b"[" * 100_000 + b"\n"),
        ("people.json", b"[" * 100_000),
        ("people.parquet", b"PAR1" + b"\xff" * 100 + b"PAR1"),
        ("people.parquet", b"PAR1\x15\x04PAR1"),
        ("people.csv", b"id,=cmd|' /C calc'!A0\n1,2\n"),
    ],
)
def test_a_hostile_table_is_people_or_a_sentence(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    try:
        CollectTable(source="table", path=name).read(tmp_path)
    except PersonaxError as error:
        assert len(str(error)) < 3000  # noqa: PT017 - either is right, nothing else is


def test_vectors_that_are_pickled_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", id=np.array(["a"]), x=np.array([Owned(tmp_path / "owned")], dtype=object))
    with pytest.raises(InputError):
        read_vectors(tmp_path / "v.npz", ["a"])
    (tmp_path / "v.npz").write_bytes(pickle.dumps(Owned(tmp_path / "owned")))
    with pytest.raises(InputError):
        read_vectors(tmp_path / "v.npz", ["a"])
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "header",
    [(2**63 - 1).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"[]", b"", b"\xff" * 8,
     (10**5).to_bytes(8, "little") + b"[" * 10**5],
)  # fmt: skip
def test_a_model_whose_header_promises_too_much(header: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(header)
    with pytest.raises(InputError, match=r"model\.safetensors has no header"):
        tensor_names(tmp_path)


@pytest.mark.parametrize(
    "settings",
    [{"auto_map": {"AutoModel": "owned.Model"}}, "[" * 100_000, {"custom_pipelines": {"x": {"impl": "owned.P"}}}],
    ids=["auto_map", "nested", "pipeline"],
)
def test_a_model_that_brings_code_is_not_run(settings: Any, tmp_path: Path) -> None:
    text = settings if isinstance(settings, str) else json.dumps(settings)
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (tmp_path / "owned.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'owned')!r})\n")
    try:
        find_checkpoint("embed.text", str(tmp_path), None)
    except PersonaxError as error:
        assert str(error)  # noqa: PT017 - either is right
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("reply", ["{" * 10**6, '{"a":' * 10**6, '{"a": 1' * 10**5, "[" * 10**6 + "{}"])
def test_a_model_s_reply_is_read_in_bounded_time(reply: str) -> None:
    began = time.process_time()
    assert json_object(reply) in (None, {})
    assert time.process_time() - began < 5


def test_words_of_a_study_stay_words_on_the_page(tmp_path: Path) -> None:
    """Markup in a name is text (CWE-79); the page asks no other host whatever a study says."""
    path = tmp_path / "study.yaml"
    evil = "<script>alert(1)</script><img src=https://x.example/a onerror=alert(1)>"
    path.write_text(f"name: {json.dumps(evil)}\nreport: {{title: {json.dumps(evil)}}}\n"
                    "collect: {source: simulate, n: 20, images: false}\n")  # fmt: skip
    study = Study.load(path)
    study.run()
    page = study.report.read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=https" not in page


PLACES = ["../secret", "https://x.example/a", "user/../x", "user/name/x", "file:///etc", "s3://a/b"]


@pytest.mark.parametrize("where", PLACES)
def test_a_place_that_is_no_data_set_is_not_asked_for(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("personax.release.reading._load.snapshot", lambda *args, **more: pytest.fail("it was asked"))
    with pytest.raises(InputError):
        open_release(where)
