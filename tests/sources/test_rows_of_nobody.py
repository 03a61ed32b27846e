"""Rows that are no people, or nobody who took part to the end: asked about, and left out where somebody says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from personax.errors import InputError
from personax.sources import CollectTable, GuessedReading, PeopleTable, propose_table, read_table
from personax.sources._rows_of_nobody import LeaveOut

BODY = [("Ana", 170, 60.5), ("Bo", 181, 81), ("Cem", 165, 58), ("Dua", 158, 49.5), ("Eli", 177, 70)]
HEIGHTS = sum(height for _, height, _ in BODY)


def table(folder: Path, *more: str, head: str = "name,height,weight") -> Path:
    (folder / "t.csv").write_text("\n".join([head, *(",".join(map(str, row)) for row in BODY), *more]) + "\n")
    return folder / "t.csv"


def questions(read: PeopleTable) -> list[str]:
    return [sentence for _, sentence in read.ledger.questions()]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (f"Summe,{HEIGHTS},851", "name is 'Summe' and height is the sum of the others: a total, no person"),
        (f"Mean,{HEIGHTS / 5},851", "height is the mean of the others"),
        ("Grand Total,,851", "height is empty there alone"),
        ("Общий итог,900,", "weight is empty there alone"),
        ("合计,900,", "weight is empty there alone"),
        ("Total,171,66", ""),
        ("Summer,,", ""),
        (f"Zoe,{HEIGHTS},319", ""),
    ],
    ids=["sum", "mean", "gap", "russian", "chinese", "a person called so", "a name", "no word"],
)
def test_a_total_is_asked_about(tmp_path: Path, row: str, says: str) -> None:
    read = read_table(table(tmp_path, row), {})
    asked = questions(read)
    assert read.people.height == 6
    assert len(asked) == bool(says)
    assert all(says in one and f"leave_out: {{name: [{row.split(',')[0]}]}}" in one for one in asked)


def test_several_totals_and_a_total_above_are_found(tmp_path: Path) -> None:
    path = table(tmp_path, f"Sum,{HEIGHTS},319", f"Mean,{HEIGHTS / 5},63.8", head="name,height,weight\nTotal,,5")
    assert [one.partition(":")[0] for one in questions(read_table(path, {}))] == [
        "row 1 of 8", "row 7 of 8", "row 8 of 8",
    ]  # fmt: skip


QUALTRICS = """\
ResponseId,Status,Finished,age
R_1,IP Address,True,30
R_2,Survey Preview,True,31
R_3,Spam,True,32
R_4,IP Address,False,33
R_5,Imported,True,34
R_6,Offline Survey Preview,True,35
"""
CODES = "ResponseId,Status,Finished,age\nR_1,0,1,30\nR_2,1,1,31\nR_3,8,1,32\nR_4,0,0,33\nR_5,4,1,34\nR_6,17,1,35\n"
PROLIFIC = "Submission id,Participant id,Status,Age\ns1,p1,APPROVED,30\ns2,p2,RETURNED,31\ns3,p3,TIMED-OUT,32\n"
LIME = "id,submitdate,lastpage,startlanguage,q\n1,2024-01-01 10:00:00,5,en,1\n2,,2,en,2\n3,2024-01-02 10:00:00,5,en,3\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (QUALTRICS, ["rows 3 of 6: Status says that they are previews", "rows 1 of 6: Finished says that they left"]),
        (CODES, ["rows 3 of 6: Status says that they are previews", "rows 1 of 6: Finished says that they left"]),
        (PROLIFIC, ["rows 2 of 3: Status says that they returned"]),
        (LIME, ["rows 1 of 3: submitdate says that they did not submit"]),
        (QUALTRICS.replace("ResponseId", "who"), []),
    ],
    ids=["words", "codes", "prolific", "limesurvey", "no survey"],
)
def test_responses_that_are_no_people_or_have_no_end_are_asked_about(
    tmp_path: Path, text: str, says: list[str]
) -> None:
    (tmp_path / "s.csv").write_text(text)
    asked = questions(read_table(tmp_path / "s.csv", {}))
    assert len(asked) == len(says)
    assert all(one.startswith(start) for one, start in zip(asked, says, strict=True))


@pytest.mark.parametrize(
    ("leave_out", "ids"),
    [
        ({"Status": ["Survey Preview", "Spam", "Offline Survey Preview"], "Finished": []}, ["R_1", "R_4", "R_5"]),
        ({"Status": [], "Finished": ["False"]}, ["R_1", "R_2", "R_3", "R_5", "R_6"]),
    ],
)
def test_what_is_settled_is_done_and_not_asked_again(tmp_path: Path, leave_out: LeaveOut, ids: list[str]) -> None:
    (tmp_path / "s.csv").write_text(QUALTRICS)
    source = CollectTable.model_validate({
        "source": "table", "path": "s.csv", "columns": {"id": {"from": "ResponseId"}}, "leave_out": leave_out,
    })  # fmt: skip
    read = source.read(tmp_path)
    assert read.people["id"].to_list() == ids
    assert not questions(read)
    assert any("rows left out" in fact.what for fact in read.ledger.files[0].facts)


def test_the_proposal_of_look_and_strict_readers_ask_too(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(QUALTRICS)
    assert "leave_out: {Finished: ['False']}" in propose_table(tmp_path / "s.csv").text(tmp_path)
    with pytest.raises(GuessedReading, match="Status says that they are previews"):
        read_table(tmp_path / "s.csv", {}, strict=True)


def test_wrong_settings_are_sentences_and_the_default_is_not_written(tmp_path: Path) -> None:
    path = table(tmp_path)
    with pytest.raises(InputError, match="leave_out: there is no column nam; did you mean name"):
        read_table(path, {}, leave_out={"nam": ["Ana"]})
    with pytest.raises(InputError, match="leave_out: no row is left"):
        read_table(path, {}, leave_out={"name": [row[0] for row in BODY]})
    assert "leave_out" not in CollectTable(source="table", path="t.csv").model_dump()
