"""A study in a bucket: every path, of two machines, over the wire of S3.

The server is this folder's own; with PERSONAX_TEST_S3 (the address of moto's) the tests without faults use that one.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.processes import start
from tests.store.helpers import NEW, commit, seen
from tests.store.s3_server import S3, serving

obstore = pytest.importorskip("obstore")

from personax.cli import main
from personax.data.object_store import Bucket, Outrun, Version
from personax.engine import parallel_config
from personax.errors import InputError, StudyError
from personax.independence import count, open_dataset
from personax.store import RemoteStore, StudyFolder
from personax.study import Study
from personax.traits.llms import ReplyJournal, merge_replies
from personax.traits.llms._journal import JournalEntry

PLAN = b"{name: tiny, collect: {source: simulate, n: 20, images: false}}"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
RUNS = iter(range(1_000_000))


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    with serving() as server:
        for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_"))]:
            monkeypatch.delenv(name)
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": server.endpoint}.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def url(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a study; it is in moto where that is given."""
    if os.environ.get("PERSONAX_TEST_S3"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", os.environ["PERSONAX_TEST_S3"])
    found = f"s3://bucket/run{os.getpid()}-{next(RUNS)}"
    send(found, "study.yaml", PLAN)
    return found


def client(url: str) -> Any:
    return Bucket(url)._small


def send(url: str, name: str, data: bytes) -> None:
    obstore.put(client(url), name, data)


def read(url: str, name: str) -> bytes:
    return bytes(obstore.get(client(url), name).bytes())


def names(url: str) -> list[str]:
    return sorted(Bucket(url).names(""))


def ran(study: Study) -> list[bool]:
    return [one.ran for one in study.run()]


def at(seed: int) -> bytes:
    return PLAN.replace(b"{name", f"{{seed: {seed}, name".encode(), 1)


def cli(*args: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["personax", *args])
    try:
        main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    told = capsys.readouterr()
    return code, told.out, told.err


def test_what_one_machine_has_finished_another_does_not_compute(url: str, tmp_path: Path) -> None:
    first = Study.load(url, folder=tmp_path / "a")
    assert ran(first) == [True, True]
    second = Study.load(f"{url}/study.yaml", folder=tmp_path / "b")
    assert [one.state for one in second.status() if one.state != "unasked"] == ["done", "done"]
    assert ran(second) == [False, False]
    assert second.results["collect"]["people"].equals(first.results["collect"]["people"])
    assert second.report.read_bytes() == first.report.read_bytes()
    assert {name.split("/")[0] for name in names(url)} == {".conditional", "manifests", "objects", "study.yaml"}
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700


def test_nothing_is_sent_or_fetched_twice(url: str, s3: S3, tmp_path: Path) -> None:
    study = Study.load(url, folder=tmp_path / "a")
    study.run()
    s3.seen.clear()
    assert ran(Study.load(url, folder=tmp_path / "a")) == [False, False]
    assert [one for one in s3.seen if one[0] == "PUT" or "objects/" in one[1]] == []


def test_a_study_on_disk_is_sent_as_it_is(url: str, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_bytes(PLAN)
    Study.load(tmp_path).run()
    assert ran(Study.load(url, folder=tmp_path)) == [False, False]
    assert ran(Study.load(url, folder=tmp_path / "b")) == [False, False]


def test_files_beside_the_study_file_come_with_it(url: str, s3: S3, tmp_path: Path) -> None:
    send(url, "study.yaml", b"{name: own, collect: {source: table, path: data/people.csv}}")
    send(url, "data/people.csv", b"name,height\nann,170\nben,180\n")
    study = Study.load(url, folder=tmp_path / "a")
    study.run(["collect"])
    assert study.results["collect"]["people"].height == 2
    s3.seen.clear()
    assert ran(Study.load(url, folder=tmp_path / "a"))[0] is False
    assert not any(method == "GET" and "people.csv" in key for method, key in s3.seen)
    send(url, "data/people.csv", b"name,height\nann,170\nben,180\ncem,190\n")
    assert ran(Study.load(url, folder=tmp_path / "a"))[0] is True


def test_private_things_stay(url: str, tmp_path: Path) -> None:
    study = Study.load(url, folder=tmp_path / "a")
    for name in ("keys/key", "cache/pages.sqlite", "answers/log", "notes.txt"):
        study.folder.path(name).parent.mkdir(exist_ok=True)
        study.folder.path(name).write_text("private")
    study.run()
    assert not any(read(url, name) == b"private" for name in names(url))


def test_of_two_machines_that_finish_at_once_the_second_is_told_and_keeps_its_work(url: str, tmp_path: Path) -> None:
    Study.load(url, folder=tmp_path / "a").run()
    one, two = (Study.load(url, folder=tmp_path / name) for name in ("a", "b"))
    (tmp_path / "a" / "study.yaml").write_bytes(at(1))
    (tmp_path / "b" / "study.yaml").write_bytes(at(2))
    mine, theirs = (Study.load(tmp_path / name) for name in ("b", "a"))
    mine.remote, theirs.remote = two.remote, one.remote
    mine.run(["collect"])  # is sent; then the first machine, which has seen the version before
    assert theirs.remote is not None
    theirs.remote.pull = lambda folder: None  # type: ignore[method-assign]  # both began before either ended
    with pytest.raises(StudyError, match=r"collect was finished on another machine meanwhile.*is kept in"):
        theirs.run(["collect"])
    (kept,) = (tmp_path / "a" / ".conflicts").iterdir()
    assert json.loads((kept / "manifest.json").read_text())["seed"] == 1
    assert (kept / "people" / "people.parquet").is_file()
    assert json.loads(read(url, "manifests/collect.json"))["seed"] == 2
    manifest = theirs.folder.manifest("collect")
    assert manifest is not None
    assert manifest.seed == 2


def test_two_machines_with_the_same_result_agree(url: str, tmp_path: Path) -> None:
    one, two = (Study.load(url, folder=tmp_path / name) for name in ("a", "b"))
    assert one.remote
    assert two.remote
    two.remote.pull = lambda folder: None  # type: ignore[method-assign]
    assert ran(one) == ran(two) == [True, True]
    assert ran(Study.load(url, folder=tmp_path / "b")) == [False, False]


def test_a_reader_finds_the_objects_of_every_manifest_that_it_sees(url: str, s3: S3, tmp_path: Path) -> None:
    """Objects are there before the manifest: cut the sending anywhere."""
    if os.environ.get("PERSONAX_TEST_S3"):
        pytest.skip("the cut is in the server")
    objects, total = s3.buckets["bucket"], 0
    for cut in range(40):
        for name in [name for name in objects if not name.endswith("study.yaml")]:
            del objects[name]
        puts = iter(range(1_000))
        s3.fault = lambda method, key: (403, "AccessDenied") if method == "PUT" and next(puts) >= cut else None  # noqa: B023 - called in this turn of the loop
        folder = StudyFolder(tmp_path / f"a{cut}")
        manifest = commit(folder, NEW)
        with folder.lock(), suppress(StudyError):
            RemoteStore(Bucket(url), folder.root).push(folder)
            total = cut
        s3.fault = lambda method, key: None
        sent = [name for name in objects if "/manifests/" in name]
        assert bool(sent) == bool(total)
        assert not sent or all(f"{url[12:]}/objects/{one[:2]}/{one}" in objects for one in manifest.outputs.values())
        with folder.lock():
            RemoteStore(Bucket(url), folder.root).synchronise(folder)
        other = StudyFolder(tmp_path / f"b{cut}")
        with other.lock():
            RemoteStore(Bucket(url), other.root).pull(other)
        assert seen(other) == NEW
        if total:
            break
    assert total == 3 + len({*NEW.values()}) + 1, "writes: the conditions of the store, objects, manifest"


@pytest.mark.slow
def test_a_machine_killed_between_objects_and_manifest_goes_on(url: str, s3: S3, tmp_path: Path) -> None:
    if os.environ.get("PERSONAX_TEST_S3"):
        pytest.skip("the wait is in the server")
    s3.fault = lambda method, key: 30.0 if method == "PUT" and "manifests" in key else None
    code = f"from personax.study import Study; Study.load({url!r}, folder={str(tmp_path / 'a')!r}).run()"
    process = start(code)
    deadline = time.monotonic() + 60
    while not any(method == "PUT" and "manifests" in key for method, key in s3.seen):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.join()
    s3.fault = lambda method, key: None
    assert not any("manifests" in name for name in names(url))
    assert any("objects" in name for name in names(url))
    assert ran(Study.load(url, folder=tmp_path / "b")) == [True, True]
    assert ran(Study.load(url, folder=tmp_path / "a"))[0] is False


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
def test_a_damaged_object_is_never_taken_and_is_made_again(url: str, damage: str, tmp_path: Path) -> None:
    Study.load(url, folder=tmp_path / "a").run()
    digest = json.loads(read(url, "manifests/collect.json"))["outputs"]["people/people.parquet"]
    name = f"objects/{digest[:2]}/{digest}"
    whole = read(url, name)
    if damage == "empty":
        send(url, name, b"")
    else:
        send(url, name, whole[:-1] if damage == "truncated" else whole[:-1] + b"!")
    study = Study.load(url, folder=tmp_path / "b")
    assert study.remote
    assert [note for note in study.remote.notes if "lost or damaged; collect counts as missing" in note]
    assert study.folder.manifest("collect") is None
    assert ran(study)[0] is True
    assert read(url, name) == whole
    assert ran(Study.load(url, folder=tmp_path / "c")) == [False, False]


def test_doctor_finds_and_mends_the_bucket(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cli("run", url, capsys=capsys, monkeypatch=monkeypatch)[0] == 0
    digest = json.loads(read(url, "manifests/collect.json"))["outputs"]["people/people.parquet"]
    send(url, f"objects/{digest[:2]}/{digest}", b"no")
    code, out, _ = cli("doctor", url, capsys=capsys, monkeypatch=monkeypatch)
    assert (code, "is lost or damaged" in " ".join(out.split())) == (1, True)
    assert cli("doctor", url, "--mend", capsys=capsys, monkeypatch=monkeypatch)[0] == 0
    code, out, _ = cli("doctor", url, capsys=capsys, monkeypatch=monkeypatch)
    assert (code, "nothing is wrong" in " ".join(out.split())) == (0, True)


@pytest.mark.parametrize("text", [b"", b"{", b'{"format": 2}', b"[]", b'{"outputs": {"../x": "0"}}'])
def test_a_manifest_that_cannot_be_read_is_missing_and_is_replaced(url: str, text: bytes, tmp_path: Path) -> None:
    send(url, "manifests/collect.json", text)
    folder, other = (StudyFolder(tmp_path / name) for name in "ab")
    store = RemoteStore(Bucket(url), folder.root)
    with folder.lock():
        store.pull(folder)
    assert "collect counts as missing" in store.notes[0]
    commit(folder, NEW)
    with folder.lock():
        store.synchronise(folder)
    with other.lock():
        RemoteStore(Bucket(url), other.root).pull(other)
    assert seen(other) == NEW


def test_a_condition_that_does_not_hold_writes_nothing(url: str) -> None:
    bucket = Bucket(url)
    first = bucket.replace("manifests/x", b"1", None)
    with pytest.raises(Outrun):
        bucket.replace("manifests/x", b"2", None)
    second = bucket.replace("manifests/x", b"3", first)
    for wrong in (first, Version('"0"')):
        with pytest.raises(Outrun):
            bucket.replace("manifests/x", b"4", wrong)
    with pytest.raises(Outrun):
        bucket.replace("manifests/none", b"4", second)
    assert read(url, "manifests/x") == b"3"


def test_large_objects_go_in_parts_and_come_back_whole(url: str, tmp_path: Path) -> None:
    data = os.urandom(19 << 20)
    (tmp_path / "large").write_bytes(data)
    bucket = Bucket(url)
    bucket.put_object("objects/large", tmp_path / "large")
    bucket.fetch("objects/large", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data


def entry(key: str, cost: float = 1.0) -> JournalEntry:
    return JournalEntry(key, "m", "p", "ann", 0, 0, {"content": "é\n"}, 0.1, cost=cost)


def test_replies_are_shipped_once_and_merged_by_request(url: str, tmp_path: Path) -> None:
    stores = {}
    for name, keys in (("a", "xy"), ("b", "yz")):
        folder = StudyFolder(tmp_path / name)
        store = RemoteStore(Bucket(url), folder.root)
        stores[name] = store, folder
        folder.path("traits").mkdir(parents=True)
        with ReplyJournal(folder.path("traits", "journal.sqlite")) as journal:
            journal.add(entry(key) for key in keys)
        store.ship_journal(folder)
        store.ship_journal(folder)
    assert len([name for name in names(url) if name.startswith("journal/")]) == 2
    for _ in range(2):
        for store, folder in stores.values():
            store.take_journal(folder)
            store.ship_journal(folder)
            with ReplyJournal(folder.path("traits", "journal.sqlite")) as journal:
                assert [one.key for one in journal.entries()] == ["x", "y", "z"]
                assert journal.spent() == 3.0
    assert len([name for name in names(url) if name.startswith("journal/")]) == 2


def test_a_run_that_fails_ships_the_replies_that_were_paid_for(
    url: str, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study.load(url, folder=tmp_path / "a")

    def fail(*_: Any) -> None:
        study.folder.path("traits").mkdir()
        with ReplyJournal(study.folder.path("traits", "journal.sqlite")) as journal:
            journal.add([entry("x")])
        raise StudyError("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(Study, "_run_stage", fail)
        with pytest.raises(StudyError, match="stopped"):
            study.run()
    Study.load(url, folder=tmp_path / "b").run()
    with ReplyJournal(tmp_path / "b" / "traits" / "journal.sqlite") as journal:
        assert [one.key for one in journal.entries()] == ["x"]


def test_a_shard_that_is_damaged_is_told_and_not_merged(url: str, tmp_path: Path) -> None:
    send(url, f"journal/{'0' * 64}.jsonl.gz", gzip.compress(b"[]\n"))
    study = Study.load(url, folder=tmp_path / "a")
    study.run()
    assert study.remote
    assert "its replies are asked again" in study.remote.notes[0]


@pytest.mark.parametrize("line", [b"[]\n", b"{}\n", b"x\n", b'["k",1,"p","a",0,0,"{}",0.1,null,null,null,1.0]\n'])
def test_lines_that_are_no_replies_are_refused_whole(line: bytes, tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "journal") as journal, pytest.raises(InputError, match="is no reply"):
        merge_replies(journal, [line])


FAULTS: dict[str, tuple[Callable[[str, str], tuple[int, str] | float | None], str]] = {
    "no permission": (lambda method, key: (403, "AccessDenied"), "may not do that"),
    "wrong credentials": (lambda method, key: (403, "SignatureDoesNotMatch"), "credentials are wrong"),
    "clock": (lambda method, key: (403, "RequestTimeTooSkewed"), "clock of this machine"),
    "silence": (lambda method, key: 20.0, "cannot be reached"),
    "server": (lambda method, key: (503, "SlowDown"), "cannot be reached"),
    "half-way": (lambda method, key: (500, "InternalError") if "manifests/" in key else None, "cannot be reached"),
    "no conditions": (lambda method, key: (501, "NotImplemented") if method == "PUT" else None, "conditional writes"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_one_sentence_in_time(
    fault: str, s3: S3, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("personax.data.object_store.WAIT", 1)
    s3.buckets["bucket"]["x/study.yaml"] = PLAN
    s3.fault, words = FAULTS[fault]
    began = time.monotonic()
    code, _, err = cli("run", "s3://bucket/x", capsys=capsys, monkeypatch=monkeypatch)
    assert time.monotonic() - began < 15
    told = [line for line in err.splitlines() if line.startswith("error")]
    assert code == 1
    assert len(told) == 1
    assert words in " ".join(err.split())
    assert "secret" not in err
    s3.fault = lambda method, key: None
    assert cli("status", "s3://bucket/x", capsys=capsys, monkeypatch=monkeypatch)[0] == 0


def test_a_store_that_ignores_conditions_is_refused(s3: S3, tmp_path: Path) -> None:
    s3.buckets["bucket"]["x/study.yaml"] = PLAN
    s3.conditional = False
    with pytest.raises(StudyError, match="does not do conditional writes"):
        Study.load("s3://bucket/x", folder=tmp_path / "a").run()
    assert not any("manifests" in key for key in s3.buckets["bucket"])


def test_a_bucket_or_study_file_that_is_not_there(s3: S3, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no bucket others"):
        Study.load("s3://others/x", folder=tmp_path / "a")
    with pytest.raises(StudyError, match=r"there is no s3://bucket/x/study.yaml; put the study file there"):
        Study.load("s3://bucket/x", folder=tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_nobody_listens(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(StudyError, match="cannot be reached"):
        Study.load("s3://bucket/x")
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_missing_credentials(scheme: str, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's role is asked for at an address where nobody listens."""
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    for name in ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"):
        monkeypatch.setenv(name, "127.0.0.1:9")
    monkeypatch.setattr("personax.data.object_store.WAIT", 1)
    began = time.monotonic()
    with pytest.raises(StudyError, match=r"no credentials for .* were found; set (AWS_ACCESS|GOOGLE_APPLICATION)"):
        Study.load(f"{scheme}://bucket/x", folder=tmp_path / "a")
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "text",
    ["s3://", "s3://B", "s3://bucket/../x", "s3://user:word@bucket/x", "s3://bucket/a.yaml", "gs:///x", "s3://b\n/x"],
)
def test_addresses_that_are_none(text: str, s3: S3) -> None:
    with pytest.raises(StudyError, match=r"give s3://BUCKET/FOLDER|is called study.yaml"):
        Study.load(text)


def test_plain_http_is_for_this_machine_only(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://storage.example.org")
    with pytest.raises(StudyError, match="unencrypted"):
        Study.load("s3://bucket/x")


def test_a_copy_belongs_to_one_address(url: str, tmp_path: Path) -> None:
    Study.load(url, folder=tmp_path / "a")
    send("s3://bucket/other", "study.yaml", PLAN)
    with pytest.raises(StudyError, match="is the copy of another study"):
        Study.load("s3://bucket/other", folder=tmp_path / "a")


def test_trust_tells_where_the_study_goes(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code, out, _ = cli("trust", url, capsys=capsys, monkeypatch=monkeypatch)
    assert (code, f"to {url} at 127.0.0.1" in " ".join(out.split())) == (0, True)


def test_a_data_set_below_an_address_is_counted_as_one_on_disk(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, folder = np.random.default_rng(0), tmp_path / "set"
    for year in (2023, 2024):
        x = rng.integers(5, size=200)
        frame = pl.DataFrame({"x": x, "y": (x + rng.integers(2, size=200)) % 5})
        (folder / f"year={year}").mkdir(parents=True)
        frame.write_parquet(folder / f"year={year}" / "part.parquet")
        send(url, f"set/year={year}/part.parquet", (folder / f"year={year}" / "part.parquet").read_bytes())
    send(url, "set/_temporary/0.parquet", b"half")
    asked = ["--features", "x", "--targets", "y", "--given", "year", "--tests", "chisq", "--no-figures", "--out"]
    for place, out in ((str(folder), "a"), (f"{url}/set", "b")):
        told = cli("independence", place, *asked, str(tmp_path / out), capsys=capsys, monkeypatch=monkeypatch)
        assert told[0] == 0, told
    one, other = (pl.read_parquet(tmp_path / out / "pvalues.parquet") for out in "ab")
    assert one.equals(other)
    assert one["p_value"].to_list()[0] < 1e-9
    place, whole = f"{url}/set/year=2024/part.parquet", [*asked[:4], *asked[6:]]
    single = cli("independence", place, *whole, str(tmp_path / "c"), capsys=capsys, monkeypatch=monkeypatch)
    assert single[0] == 0, single
    nothing = cli("independence", f"{url}/none", *asked, str(tmp_path / "d"), capsys=capsys, monkeypatch=monkeypatch)
    assert nothing[0] == 1
    assert "holds no Parquet file" in nothing[2]
    study = cli("independence", url, capsys=capsys, monkeypatch=monkeypatch)
    assert study[0] == 1
    assert "independence" in study[2], "what has a study.yaml is a study"
    assert "Parquet" not in study[2]


def table_sent(url: str, name: str, columns: str = "xyzuvw", rows: int = 5_000) -> pl.DataFrame:
    """Send a table of some columns, and return it."""
    rng = np.random.default_rng(len(name))
    frame, stream = pl.DataFrame({c: rng.integers(1000, size=rows) for c in columns}), io.BytesIO()
    frame.write_parquet(stream, compression="uncompressed", statistics=False)
    send(url, name, stream.getvalue())
    return frame


def test_workers_count_what_lies_below_an_address_as_one_table(url: str) -> None:
    frames = [table_sent(url, f"set/place={place}/part [1].parquet") for place in ("a b", "c#d?", "e%2Ff")]
    whole = pl.concat(frames).with_columns(place=pl.Series(["a b", "c#d?", "e/f"]).repeat_by(5_000).explode())
    expected = count(whole, ["x", "place"]).counts(["x", "place"])
    with parallel_config("processes", jobs=2):
        assert count(f"{url}/set", ["x", "place"]).counts(["x", "place"]).equals(expected)


def test_only_the_columns_that_are_counted_travel(url: str, s3: S3) -> None:
    if os.environ.get("PERSONAX_TEST_S3"):
        pytest.skip("this folder's own server counts what it sends")
    table_sent(url, "set/a.parquet", rows=400_000)
    [size] = [len(data) for key, data in s3.buckets["bucket"].items() if key.endswith(".parquet")]
    s3.sent.clear()
    count(f"{url}/set", ["x"])
    assert size > 3_000_000
    assert sum(s3.sent) < size / 2, "one column of six, and the footer"


@pytest.mark.parametrize(
    ("fault", "told"),
    [((403, "AccessDenied"), "need to list, read and write"), ((404, "NoSuchKey"), "went away while it was read")],
)
def test_what_fails_while_parts_are_counted_is_one_sentence(
    url: str, s3: S3, fault: tuple[int, str], told: str
) -> None:
    table_sent(url, "set/a.parquet")
    data = open_dataset(f"{url}/set")
    s3.fault = lambda method, key: fault if key.endswith(".parquet") else None
    with pytest.raises((InputError, StudyError), match=told):
        count(data, ["x", "y"])


def test_files_that_are_replaced_while_they_are_counted_are_told(url: str) -> None:
    table_sent(url, "set/a.parquet")
    data = open_dataset(f"{url}/set")
    table_sent(url, "set/a.parquet", "xy")
    with pytest.raises(InputError, match="has other files than when it was listed; run it again"):
        count(data, ["x", "y"])
    with pytest.raises(InputError, match="stands in a list; of an object store give the address of one folder"):
        open_dataset([f"{url}/set/a.parquet"])


def test_what_leaves_for_the_workers_holds_no_credential(url: str) -> None:
    table_sent(url, "set/a.parquet")
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in pickle.dumps(open_dataset(f"{url}/set")).decode("latin-1")


def test_google_storage_goes_the_same_way(s3: S3, tmp_path: Path) -> None:
    """What can be tried without its server: the conditions, in a store of memory; versions are generations there."""
    store = obstore.store.MemoryStore()
    remote = RemoteStore(Bucket("gs://bucket/x", stores=(store, store)), tmp_path / "a")
    obstore.put(store, "study.yaml", PLAN)
    study = Study.load(remote.fetch_study())
    study.remote = remote
    assert ran(study) == [True, True]
    assert Version("e", "7").condition() == {"e_tag": "e", "version": "7"}
