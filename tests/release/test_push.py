"""A push sends what was verified and confirmed, to a private data set, and it can be read back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from tests.release.reading.hub_server import TOKEN, Hub, Repo, serving
from tests.release.reading.made import VERDICT, write_release, write_sums

from personax.errors import FetchError, InputError
from personax.release._push import PushPreview, push
from personax.release.checks._verify import verify
from personax.release.reading import load_release

pytest.importorskip("huggingface_hub")
# how huggingface_hub calls its own client when it sends large files without its compiled protocol
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("push") / "release")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    # without this the client sends large files by a protocol of its own, compiled, that no server here speaks
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # other tests of this process want it
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with serving() as served:
        yield served


def yes(_: PushPreview) -> bool:
    return True


def remember(shown: list[PushPreview]) -> Callable[[PushPreview], bool]:
    def confirm(preview: PushPreview) -> bool:
        shown.append(preview)
        return True

    return confirm


def test_what_was_pushed_comes_back_from_the_hub(
    whole: Path, hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[PushPreview] = []
    done = push(whole, "me/forty", token=TOKEN, endpoint=hub.url, confirm=remember(shown))
    repo = hub.repos["me/forty"]
    assert repo.private
    assert repo.gated == "manual"
    assert repo.commits == 2, "all files are one commit"
    assert (done.url, done.commit) == (f"{hub.url}/datasets/me/forty", repo.sha)
    local = {path.relative_to(whole).as_posix(): path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    assert {name: data for name, data in repo.files.items() if name != ".gitattributes"} == local
    assert sum(data in hub.blobs.values() for data in local.values()) == 4, "data went as large files"
    text = str(shown[0])
    for part in ("me/forty", "only you", VERDICT, "see-usage-md", "columns.json", "granted by you"):
        assert part in text
    assert shown[0].files == {name: len(data) for name, data in local.items()}
    assert TOKEN not in caplog.text + text + repr(done)

    read = load_release("me/forty", endpoint=hub.url, token=TOKEN, cache=tmp_path / "cache", verify=True)
    here = load_release(whole)
    assert read.people.equals(here.people)
    assert np.array_equal(read.vectors("text", "text_b"), here.vectors("text", "text_b"))
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(TOKEN.encode() in data for data in repo.files.values())


def test_the_cache_serves_where_the_hub_does_not(whole: Path, hub: Hub, tmp_path: Path) -> None:
    push(whole, "me/forty", token=TOKEN, endpoint=hub.url, confirm=yes)
    load_release("me/forty", endpoint=hub.url, token=TOKEN, cache=tmp_path)
    hub.refuse["/api/"] = 503
    assert load_release("me/forty", endpoint=hub.url, token=TOKEN, cache=tmp_path).people.height == 40
    with pytest.raises(FetchError, match="could not be fetched"):
        load_release("me/other", endpoint=hub.url, token=TOKEN, cache=tmp_path)


def test_a_second_push_leaves_nothing_of_the_first(whole: Path, hub: Hub, tmp_path: Path) -> None:
    push(whole, "me/forty", token=TOKEN, endpoint=hub.url, confirm=yes)
    hub.repos["me/forty"].files["old.json"] = b"{}"
    smaller = copytree(whole, tmp_path / "smaller")
    (smaller / "CITATION.cff").write_text("cff-version: 1.2.0\ntitle: Others\n")
    write_sums(smaller)
    shown: list[PushPreview] = []
    push(smaller, "me/forty", token=TOKEN, endpoint=hub.url, confirm=remember(shown))
    assert shown[0].removed == ["old.json"]
    assert "old.json" in str(shown[0])
    repo = hub.repos["me/forty"]
    assert set(repo.files) == {".gitattributes", *shown[0].files}
    assert repo.files["CITATION.cff"] == (smaller / "CITATION.cff").read_bytes()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"repo": "no-user"}, "no name of a data set"),
        ({"repo": "../../etc"}, "no name of a data set"),
        ({"token": None}, "set HF_TOKEN"),
        ({"confirm": lambda _: False}, "was not confirmed"),
        ({"repo": "me/public"}, "me/public is public"),
    ],
)
def test_refusals_that_send_nothing(change: dict[str, Any], says: str, whole: Path, hub: Hub) -> None:
    hub.repos["me/public"] = Repo(private=False)
    settings: dict[str, Any] = {"repo": "me/forty", "token": TOKEN, "endpoint": hub.url, "confirm": yes} | change
    with pytest.raises(InputError, match=says):
        push(whole, **settings)
    assert not [asked for asked in hub.asked if not asked.startswith("GET")]


def test_a_release_that_fails_a_check_is_not_even_announced(whole: Path, hub: Hub, tmp_path: Path) -> None:
    broken = copytree(whole, tmp_path / "broken")
    (broken / "release.key").write_text("x")
    with pytest.raises(InputError, match=r"nothing was sent: .*release\.key looks like a secret"):
        push(broken, "me/forty", token=TOKEN, endpoint=hub.url, confirm=yes)
    assert hub.asked == []


@pytest.mark.parametrize(("part", "status"), [("/create", 403), ("/settings", 400), ("/commit/", 500), ("/batch", 403)])
def test_a_hub_that_refuses_is_one_sentence_without_the_token(part: str, status: int, whole: Path, hub: Hub) -> None:
    hub.refuse[part] = status
    with pytest.raises(FetchError, match=f"pushing to me/forty stopped: the hub answered {status}") as caught:
        push(whole, "me/forty", token=TOKEN, endpoint=hub.url, confirm=yes)
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_hub_that_is_not_there(whole: Path, hub: Hub) -> None:
    with pytest.raises(FetchError, match="could not be asked"):
        push(whole, "me/forty", token=TOKEN, endpoint="http://127.0.0.1:9", confirm=yes)


def test_nothing_goes_to_a_data_set_that_the_hub_made_public(whole: Path, hub: Hub) -> None:
    hub.always_public = True
    with pytest.raises(InputError, match="did not make me/forty private"):
        push(whole, "me/forty", token=TOKEN, endpoint=hub.url, confirm=yes)
    assert set(hub.repos["me/forty"].files) == {".gitattributes"}


def test_a_private_or_gated_data_set_is_one_sentence(whole: Path, hub: Hub, tmp_path: Path) -> None:
    push(whole, "me/forty", token=TOKEN, endpoint=hub.url, confirm=yes)
    with pytest.raises(FetchError, match="no data set me/forty that this token may see"):
        load_release("me/forty", endpoint=hub.url, cache=tmp_path)
    hub.repos["me/forty"].private = False
    with pytest.raises(FetchError, match="gated"):
        load_release("me/forty", endpoint=hub.url, cache=tmp_path)
    with pytest.raises(FetchError, match="no revision 'v9'"):
        load_release("me/forty", endpoint=hub.url, token=TOKEN, cache=tmp_path, revision="v9")


def test_names_that_climb_out_of_the_cache_are_refused(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/evil"] = Repo(private=False)
    hub.repos["me/evil"].files["../../../../evil.json"] = b"{}"
    with pytest.raises(FetchError, match="could not be fetched"):
        load_release("me/evil", endpoint=hub.url, cache=tmp_path / "a" / "b" / "cache")
    assert not list(tmp_path.rglob("evil.json"))


def test_verify_reads_a_clone_with_the_hubs_own_files(whole: Path, tmp_path: Path) -> None:
    clone = copytree(whole, tmp_path / "clone")
    (clone / ".gitattributes").write_text("* text\n")
    assert verify(clone).holds
