"""Every command, as the first one in a study folder: what holds people is for its owner alone, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.cli.program import personax
from tests.traits.llms.llm_server import Server, serving

from personax.cli.lazy import COMMANDS
from personax.files import make_private_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions are of POSIX")

PLAN = """
name: private
collect: {{source: table, path: people.csv, columns: {{league: {{role: feature}}}}}}
annotate:
  source: llm
  models: [{{name: one, model: one-x, base_url: {url}}}, {{name: two, model: two-x, base_url: {url}}}]
release: {{audit: false}}
independence: {{tests: [chisq], features: [league]}}
"""

FIRST = (
    "status st",
    "collect st",
    "annotate st --dry-run",
    "annotate st --probe",
    "annotate st --part 1/2 --shard st/shards/one.sqlite",
    "collect st; annotate st --export-batch st/batches",
    "collect st; traits select st --people 4 --repeats 2 --skip-privacy --facts none",
    "collect st; traits select st --people 4 --dry-run",
    "collect st; traits calibrate st --people 4 --repeats 2 --models one",
    "collect st; traits validate export st --people 4 --format csv",
    "notebook st",
    "trust st --yes",
    "collect st; release plan st",
    "release build st",
)
AFTER = ("annotate st --dry-run", "run st", "journal export st st/replies.jsonl",
         "journal backup st st/kept.sqlite", "traits validate compare st answers.csv",
         "answer request.yaml --study st", "report st", "doctor st")  # fmt: skip
"""Commands that need what those before them have made."""

OTHERS = {
    "demo": "makes a study and runs it", "init": "writes a study file", "look": "of a table", "parts": "of no study",
    "waves": "reads", "wikidata": "of no study", "embed": "a stage, as collect", "explore": "reads",
    "independence": "a stage, as collect", "calibrate": "a stage, as collect", "discover": "a stage, as collect",
    "falsify": "of a table", "crl": "a stage, as collect", "compare": "reads", "analyse": "makes a study and runs it",
}  # fmt: skip

NOT_OF_PEOPLE = {"study.yaml", "people.csv", "release", "report", "statistics", "st.ipynb", "study.ipynb"}
"""The user's own files, what is made for others, and what names nobody."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder whose study ``st`` nobody has begun, under the umask that most machines have."""
    before = os.umask(0o022)
    root = tmp_path / "st"
    root.mkdir(mode=0o755)
    lines = ["id,name,league,biography", *(f"p{i},Ann {i},L{i % 2},She won {i} prizes." for i in range(12))]
    (root / "people.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "answers.csv").write_text(
        "id,rater,openness,conscientiousness,extraversion,agreeableness,neuroticism\n"
        + "".join(f"p{i},r{r},{1 + (i + r) % 5},3,{1 + i % 5},4,{1 + i % 4}\n" for i in range(12) for r in (1, 2)),
        encoding="utf-8",
    )
    (tmp_path / "request.yaml").write_text(
        "{requester: A. Reader, independence: {features: [one_o], targets: [final_c]}}", "utf-8"
    )
    with serving(Server()) as server:
        (root / "study.yaml").write_text(PLAN.format(url=server.url), encoding="utf-8")
        yield tmp_path
    os.umask(before)


def open_to_others(root: Path) -> dict[str, str]:
    """Return what holds people and others may read, within the study; a folder that is closed closes what is in it."""
    found = {}
    leaves = {path.stat().st_ino for name in ("release", "report") for path in (root / name).rglob("*")}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] in NOT_OF_PEOPLE or path.is_symlink():
            continue
        if path.stat().st_ino in leaves:
            continue  # the same file, of a release or report too
        if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            found[name] = f"{mode:o}"
    return found


@pytest.mark.parametrize("commands", FIRST)
def test_the_first_command_leaves_nothing_of_people_to_others(folder: Path, commands: str) -> None:
    for command in commands.split("; "):
        done = personax(*command.split(), cwd=folder)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert open_to_others(folder / "st") == {}


def test_later_commands_leave_nothing_of_people_to_others(folder: Path) -> None:
    for command in AFTER:
        done = personax(*command.split(), cwd=folder)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert open_to_others(folder / "st") == {}, command


def test_no_command_is_forgotten() -> None:
    walked = {command.split()[0] for commands in (*FIRST, *AFTER) for command in commands.split("; ")}
    assert walked | OTHERS.keys() == {name for panel in COMMANDS.values() for name in panel}
    assert not walked & OTHERS.keys()


def test_a_folder_of_a_group_stays_the_groups(tmp_path: Path) -> None:
    before = os.umask(0o022)
    tmp_path.chmod(0o2770)
    make_private_folder(tmp_path / "a" / "b")
    os.umask(before)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "a", tmp_path / "a" / "b")] == [0o2770] * 2
