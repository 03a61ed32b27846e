"""The key: its file, its versions, whose it is, and where it must not lie."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from personax.errors import InputError
from personax.release import Keystore, ReleaseKey, load_key
from personax.release.keys import load_or_make_key
from personax.release.keys._rotation import archive_key


def test_the_key_file(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "release.key"
    key = load_or_make_key(path, study="mine")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_key(path, study="mine") == key == load_key(path)
    assert key != load_or_make_key(tmp_path / "other.key", study="mine")
    assert key.secret.hex() not in repr(key)
    assert key.fingerprint in repr(key)
    for text, says in [("no", "is not a release key"), ("[]", "is not a release key"),
                       ('{"personax_key": 9}', "version 9"),
                       ('{"personax_key": 2, "secret": "00"}', "1 bytes, not 32")]:  # fmt: skip
        path.write_text(text)
        with pytest.raises(InputError, match=says):
            load_or_make_key(path)


def test_a_key_of_the_first_version_still_names_the_same_people(tmp_path: Path) -> None:
    path = tmp_path / "release.key"
    path.write_text(json.dumps({"personax_key": 1, "secret": bytes(range(32)).hex()}))
    key = load_or_make_key(path, study="mine")
    assert key == ReleaseKey(bytes(range(32)))
    assert key.pseudonym("p1") == "0053b074a92e4150"


def test_the_key_of_another_study_is_refused_before_any_work(tmp_path: Path) -> None:
    load_or_make_key(tmp_path / "a.key", study="theirs")
    with pytest.raises(InputError, match="the key of the study 'theirs', not of 'mine'"):
        load_or_make_key(tmp_path / "a.key", study="mine")
    (tmp_path / "transforms.json").write_text(json.dumps({"key": "0" * 16}))
    with pytest.raises(InputError, match="the key of the study 'theirs'"):
        load_or_make_key(tmp_path / "a.key", study="renamed", release=tmp_path / "x")
    own = load_key(tmp_path / "a.key").fingerprint
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "transforms.json").write_text(json.dumps({"key": own}))
    assert load_or_make_key(tmp_path / "a.key", study="renamed", release=tmp_path / "release").study == "theirs"
    with pytest.raises(InputError, match="there is no key"):
        load_key(tmp_path / "none.key")


def test_a_key_never_lies_in_what_leaves(tmp_path: Path) -> None:
    release = tmp_path / "release"
    inside = release / "data" / ".." / "deep" / "release.key"
    with pytest.raises(InputError, match="which leaves"):
        load_or_make_key(inside, release=release)
    assert not release.exists()


def test_fingerprints_and_tags_tell_keys_apart() -> None:
    keys = [ReleaseKey(bytes(32)), ReleaseKey(bytes(range(32))), ReleaseKey(bytes(32), "a")]
    assert len({key.fingerprint for key in keys}) == 3
    assert len({key.tag(b"x") for key in keys}) == 3
    assert keys[0].pseudonym("p") == keys[2].pseudonym("p") != keys[1].pseudonym("p")


def test_of_two_processes_that_make_a_key_the_first_ones_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys" / "release.key"
    first = load_or_make_key(path)
    monkeypatch.setattr(Path, "exists", lambda self: False)  # as the second saw it, a moment before
    assert load_or_make_key(path) == first
    assert [file.name for file in path.parent.iterdir()] == ["release.key"]


def test_a_key_put_aside_twice_has_what_all_its_releases_need(tmp_path: Path) -> None:
    keys = Keystore(tmp_path / "keys")
    key = load_or_make_key(keys.key_file, study="s")
    first = keys.save_categories({"country": ["Norway"]}, key.tag)
    archive_key(keys, key)
    second = keys.save_categories({"country": ["Chile"]}, key.tag)
    keys.fitted.mkdir()
    (keys.fitted / f"{'0' * 16}.npz").write_bytes(b"x")
    old = Keystore(archive_key(keys, key))
    assert load_key(old.key_file) == key
    assert [old.load_categories(name) for name in (first, second)] == [{"country": ["Norway"]}, {"country": ["Chile"]}]
    assert (old.fitted / f"{'0' * 16}.npz").read_bytes() == b"x"
    assert old.root.stat().st_mode & 0o777 == 0o700
