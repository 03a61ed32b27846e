"""The openfootball players files, invented lines and the real ones."""

from __future__ import annotations

import tarfile
from datetime import date
from pathlib import Path

import pytest

from personax.errors import InputError, TooManyBadCells
from personax.sources import read_openfootball

REAL = Path(__file__).parents[3] / "shared" / "data" / "athletes" / "openfootball.tar.gz"

LINES = """\
=================================
=  Côte d'Ivoire

# a comment
Ada Example,             M|F,1.78 m,  b. 17 Jan 2000 @ Ceiba
Bo Nowhere,              G,  - ,      b. 28 Sep 2006
Cy Late,                 D,  1.80 m,  b. 31 Feb 1999 @ Nowhere   ## Club
"""


def folder(root: Path, lines: str = LINES) -> Path:
    path = root / "africa" / "ivory-coast" / "ci.players.txt"
    path.parent.mkdir(parents=True)
    path.write_text(lines, encoding="utf-8")
    return root


def test_players_are_read(tmp_path: Path) -> None:
    table = read_openfootball(folder(tmp_path))
    first, second, third = table.people.drop("birth_year", "birth_month", "birth_day").rows()
    assert first == ("ci-5", "Ada Example", "midfielder", 178.0, date(2000, 1, 17), "Ceiba", "Côte d'Ivoire", "africa")
    assert second[3] is None
    assert third[4] is None
    assert table.bad_cells.rows() == [
        (3, "birth_date", "31 Feb 1999", "not a date of the calendar written as %d %b %Y or %d %B %Y")
    ]
    private = {column.name for column in table.columns if column.role == "private"}
    assert private == {"name", "birth_date", "birthplace"}


def test_a_tar_file_is_read_without_unpacking(tmp_path: Path) -> None:
    source = folder(tmp_path / "in")
    with tarfile.open(tmp_path / "of.tar.gz", "w:gz") as archive:
        archive.add(source / "africa", arcname="../../escape/africa")
    assert read_openfootball(tmp_path / "of.tar.gz").people.height == 3
    assert not (tmp_path.parent / "escape").exists()


def test_what_is_no_players_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no player"):
        read_openfootball(tmp_path)
    with pytest.raises(InputError, match="there is no file"):
        read_openfootball(tmp_path / "nothing.tar.gz")
    whole = tmp_path / "whole.tar.gz"
    with tarfile.open(whole, "w:gz") as archive:
        archive.add(folder(tmp_path / "cut"), arcname="openfootball")
    (tmp_path / "x.tar.gz").write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read as a tar file"):
        read_openfootball(tmp_path / "x.tar.gz")
    (tmp_path / "x.tar.gz").write_text("no tar")
    with pytest.raises(InputError, match="cannot be read as a tar file"):
        read_openfootball(tmp_path / "x.tar.gz")
    with pytest.raises(TooManyBadCells, match="5 of 8 lines are no player"):
        read_openfootball(folder(tmp_path / "odd", LINES + "what is this\n" * 5))


def test_the_real_players() -> None:
    if not REAL.is_file():
        pytest.skip(f"needs the openfootball data at {REAL}")
    table = read_openfootball(REAL)
    assert table.people.height == 32_659
    assert table.people["id"].is_unique().all()
    assert table.people["height_cm"].count() == 28_696
    assert table.people["height_cm"].drop_nulls().is_between(140, 215).all()
    assert table.people["birth_date"].null_count() == 0


def test_lines_that_are_no_player_say_where_they_are(tmp_path: Path) -> None:
    table = read_openfootball(folder(tmp_path, LINES + "what is this\nZoé, 2 m\n"), max_bad_share=0.5)
    lines = table.bad_cells.filter(table.bad_cells["column"] == "line")
    assert lines["value"].to_list() == [
        "africa/ivory-coast/ci.players.txt:8: what is this",
        "africa/ivory-coast/ci.players.txt:9: Zoé, 2 m",
    ]


def test_two_files_of_one_country_do_not_share_ids(tmp_path: Path) -> None:
    folder(tmp_path)
    twin = tmp_path / "attic" / "ci.players.txt"
    twin.parent.mkdir()
    twin.write_text(LINES, encoding="utf-8")
    with pytest.raises(InputError, match="3 ids stand more than once"):
        read_openfootball(tmp_path)


def test_a_member_that_claims_to_be_huge_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "of.tar.gz", "w:gz") as archive:
        archive.add(folder(tmp_path / "in"), arcname="openfootball")
    monkeypatch.setattr("personax.sources._player_files.MAX_FILE_BYTES", 10)
    with pytest.raises(InputError, match="larger than any players file"):
        read_openfootball(tmp_path / "of.tar.gz")
