"""Who is who: the rule, the truth of an invented world, and what does not depend on order."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError
from personax.sources._records import Record
from personax.sources.record_linkage import link, link_and_merge, read_decisions
from personax.sources.record_linkage._comparison import BirthDate, birth_date_points
from personax.sources.record_linkage._names import name_points

from .world import record, world

BORN = date(1990, 3, 4)


def athlete(source: str, ref: str, name: str = "Ada Sample", **values: object) -> Record:
    return record(source, ref, {"name": name, "birth_date": BORN} | values)


def linked(*records: Record) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(group) for group in link(records).groups if len(group) > 1}


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("relative", [0.05, 0.3])
def test_precision_on_a_known_truth(rate: float, relative: float) -> None:
    records, truth = world(1500, rng=np.random.default_rng(3), rate=rate, relative=relative)
    pairs = [pair for group in link(records).groups for pair in combinations(group, 2)]
    right = sum(truth[a] == truth[b] for a, b in pairs)
    both = sum(times == 2 for times in Counter(truth.values()).values())
    assert right >= 0.998 * len(pairs)
    assert right >= {0.05: 0.98, 0.1: 0.95, 0.2: 0.88}[rate] * both
    learned = link(records).learned["a", "b"]
    assert learned.in_both == pytest.approx(both, rel=0.03)  # the share of those who are in one source only


def test_names_that_can_be_one_person() -> None:
    same = {
        ("Łukasz Piszczek", "PISZCZEK, Lukasz"): 5,
        ("Лев Яшин", "Lev Yashin"): 5,
        ("Robert Lewandowski", "Robert Lewandovski"): 4,
        ("Mike Evans", "Michael Evans"): 3,
        ("J. Watt", "Justin Watt"): 3,
        ("Son Heung-min", "Heung-Min Son"): 5,
        ("Ronaldo de Assis Moreira", "Ronaldo Moreira"): 3,
        ("Lars Bender", "Sven Bender"): 0,
        ("Markieff Morris", "Marcus Morris"): 0,
        ("Ronaldo", "Cristiano Ronaldo"): 0,
        ("Pelé", "Pele"): 5,
        ("Aleksandr Ovechkin", "Alexander Ovechkin"): 4,
        ("Evgeni Malkin", "Yevgeny Malkin"): 4,
        ("Moe Wagner", "Moritz Wagner"): 3,
        ("Fyodor Smirnoff", "Fedor Smirnov"): 4,
        ("Jalen Williams", "Jaylin Williams"): 0,
        ("", ""): 0,
    }
    assert {pair: name_points(*pair) for pair in same} == same


@given(st.text(max_size=20), st.text(max_size=20))
def test_points_of_names_do_not_depend_on_the_side(a: str, b: str) -> None:
    assert name_points(a, b) == name_points(b, a)
    assert name_points(a, a) in (0, 5)


@given(*[st.builds(BirthDate, *[st.none() | st.integers(1, 12)] * 3) for _ in "ab"])
def test_points_of_dates_do_not_depend_on_the_side(a: BirthDate, b: BirthDate) -> None:
    assert birth_date_points(a, b) == birth_date_points(b, a)


def test_who_is_linked_and_who_not() -> None:
    one = athlete("a", "1")
    assert linked(one, athlete("b", "1", "Sample, Ada"))
    assert not linked(one, athlete("a", "2"))  # a source says that they are two
    assert not linked(one, record("b", "1", {"name": "Ada Sample"}))  # a name alone is not enough
    assert not linked(replace_values(one, gender="female"), athlete("b", "1", gender="male"))
    assert not linked(replace_values(one, league="NBA"), athlete("b", "1", league="NFL"))
    assert not linked(one, athlete("b", "1", birth_date=date(1985, 7, 9)))
    year = record("b", "1", {"name": "Ada Sample", "birth_year": 1990, "nationality": "Norway", "league": "NHL"})
    assert not linked(one, year)
    assert linked(replace_values(one, nationality="NOR", league="NHL"), year)


def replace_values(one: Record, **values: object) -> Record:
    return replace(one, values={**one.values, **values})


def test_rivals_stay_apart_and_are_reported() -> None:
    twins = [athlete("a", "1", "Jalen Sample"), athlete("a", "2", "Jaden Sample")]
    initial = athlete("b", "1", "J. Sample")
    linkage = link([*twins, initial])
    assert [len(group) for group in linkage.groups] == [1, 1, 1]
    assert [pair.outcome for pair in linkage.pairs] == ["ambiguous", "ambiguous"]
    merged = link_and_merge([*twins, initial])
    assert merged.report["ambiguous_records"] == 3
    assert any("more than one person" in notice.text for notice in merged.notices)


def test_what_is_ambiguous_is_asked_and_decisions_are_kept(tmp_path: Path) -> None:
    records = [athlete("a", "1", "Jalen Sample"), athlete("a", "2", "Jaden Sample"), athlete("b", "1", "J. Sample")]
    merged = link_and_merge(records)
    lines = merged.review.splitlines()
    assert lines[0].startswith("source_a,ref_a,source_b,ref_b,probability,points,decision,name_a,name_b")
    assert len(lines) == 3
    file = tmp_path / "review.csv"
    file.write_text(merged.review)
    assert read_decisions(file) == {}
    rows = list(csv.DictReader(lines))
    for row, said in zip(rows, ("same", "different"), strict=True):
        row["decision"] = said
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    decided = read_decisions(file)
    assert sorted(decided.values()) == [False, True]
    (same,) = [pair for pair, one in decided.items() if one]
    again = link_and_merge(records, decided=decided)
    assert again.report["ambiguous_records"] == 0
    assert len(again.records) == 2
    tasks = json.loads(merged.tasks)
    for task, said in zip(tasks, ("same", "different"), strict=True):
        task["annotations"] = [{"result": [{"value": {"choices": [said]}}]}]
    file.write_text(json.dumps(tasks))
    assert read_decisions(file) == decided
    assert same in decided
    flat = [
        {**task["data"], "id": 1, "decision": said} for task, said in zip(tasks, ("same", "different"), strict=True)
    ]
    file.write_text(json.dumps(flat))  # JSON-MIN
    assert read_decisions(file) == decided
    tasks[0]["annotations"] = [{"was_cancelled": True, "result": []}, {"result": [{"value": {"text": ["unsure"]}}]}]
    file.write_text(json.dumps(tasks))
    assert list(read_decisions(file).values()) == [False]
    file.write_text("\n".join([lines[0], "a,1,b,1,,9,same", lines[0], "a,1,b,2,,9,no", ""]).replace(",", ";"))
    assert list(read_decisions(file).values()) == [True, False]
    for text, says in (("[1]", "Label Studio"), ("a,b\n1,2\n", "line 2, names no pair"),
                       (lines[0] + "\na,1,b,1,,9,maybe\n", "neither same nor different"),
                       (lines[0] + "\na,1,b,1,,9,no\nb,1,a,1,,9,yes\n", "another decision further up")):  # fmt: skip
        file.write_text(text)
        with pytest.raises(InputError, match=says):
            read_decisions(file)


def test_a_chain_never_joins_two_people_of_one_source() -> None:
    chain = [
        athlete("a", "1", "Anna Maria Sample"),
        athlete("b", "1", "Anna Sample"),
        athlete("c", "1", "Maria Sample"),
    ]
    for group in link(chain).groups:
        assert {("b", "1"), ("c", "1")} - set(group)


def test_people_who_look_alike_in_one_source_are_counted() -> None:
    merged = link_and_merge([athlete("a", "1"), athlete("a", "2", "Sample, Ada"), athlete("a", "3", "Ben Other")])
    assert len(merged.records) == 3
    assert merged.report["alike_in_one_source"] == {"a": 1}
    assert [notice.count for notice in merged.notices] == [1]


def test_one_id_for_two_people_names_the_source() -> None:
    with pytest.raises(InputError, match=r"source a gives one id to two people \(1; 1"):
        link([athlete("a", "1"), athlete("a", "1", "Ben Other")])


def test_the_joined_record_keeps_every_value_and_origin() -> None:
    a = record("a", "1", {"name": "Ada Sample", "birth_year": 1990, "height_cm": 180.0, "league": "NHL", "gender": "f",
                          "nationality": "NOR"})  # fmt: skip
    b = athlete("b", "9", height_cm=186.0, weight_kg=80.0, nationality="Norway", birth_precision="day", league="NHL")
    a = replace_values(a, height_cm=184.0)
    merged = link_and_merge([b, a], precedence=["a", "b"])
    (one,) = merged.records
    assert (one.source, one.ref) == ("a", "1")
    assert one.values["height_cm"] == 184.0
    assert one.values["birth_date"] == BORN
    assert "birth_year" not in one.values
    assert one.origins["weight_kg"].source == "b"
    assert merged.source_values.height == len(a.values) + len(b.values)
    assert merged.report["conflicts"] == {}  # NOR is Norway, and 2 cm are none
    far = link_and_merge([a, replace_values(b, height_cm=188.0)], precedence=["a"])
    assert far.report["conflicts"] == {"height_cm": 1}
    assert far.source_values.filter("conflict").select("id", "source", "value").rows() == [("a-1", "b", "188.0")]
    (other,) = link_and_merge([a, b], precedence=["b", "a"]).records
    assert (other.ref, other.values["height_cm"]) == ("9", 186.0)


def sources(n: int, shared: int, **columns: str) -> list[Record]:
    """Return n records of each of two sources, of whom the first ``shared`` are the same people; names differ."""
    rng = np.random.default_rng(5)
    syllables = ["ba", "do", "ki", "lu", "me", "no", "ri", "sa", "te", "vu"]
    names = [" ".join("".join(rng.choice(syllables, 4)).title() for _ in range(2)) for _ in range(2 * n)]
    found = []
    for source, numbers in (("a", range(n)), ("b", (*range(shared), *range(n, 2 * n - shared)))):
        for number in numbers:
            values: dict[str, object] = {
                "birth_date": date(1960 + number % 40, 1 + number % 12, 1 + number % 28),
                "name": names[number],
            }
            found.append(
                record(source, str(number), values | {key: f"{text}{number}" for key, text in columns.items()})
            )
    return found


def test_common_ids_go_before_names() -> None:
    records = sources(120, 60, nba_id="n")
    other = [replace_values(one, name="Somebody Else") if one.ref == "3" and one.source == "b" else one
             for one in records]  # fmt: skip
    assert frozenset({("a", "3"), ("b", "3")}) in linked(*other)
    swapped = [replace_values(one, nba_id="n999") if one.ref == "5" and one.source == "b" else one for one in records]
    pairs = {pair.a[1]: pair for pair in link(swapped).pairs if pair.a[1] == pair.b[1]}
    assert (pairs["5"].weight or 0) < (pairs["6"].weight or 0) - 40


def test_who_is_in_one_source_only_is_estimated() -> None:
    records = sources(200, 40)
    bare = link([replace(one, values={"name": one.values["name"]}) for one in records])
    assert bare.learned["a", "b"].in_both == pytest.approx(40, abs=3)
    assert all(len(group) == 1 for group in bare.groups)  # that only one was found is no proof
    assert sum(pair.outcome == "ambiguous" for pair in bare.pairs) == 40
    linkage = link(records)
    assert linkage.learned["a", "b"].in_both == pytest.approx(40, abs=3)
    groups = [group for group in linkage.groups if len(group) > 1]
    assert len(groups) == 40
    assert all(group[0][1] == group[1][1] for group in groups)
    twice = [*records, *(replace(one, ref=f"{one.ref}'") for one in records if one.source == "b" and int(one.ref) < 9)]
    again = link(twice)
    assert all(("a", str(n)) not in group for n in range(9) for group in again.groups if len(group) > 1)
    assert sum(pair.outcome == "ambiguous" for pair in again.pairs) == 18


WORLD, _ = world(60, rng=np.random.default_rng(8), rate=0.15, relative=0.4)


@given(st.permutations(WORLD))
def test_the_order_of_the_records_does_not_matter(records: list[Record]) -> None:
    assert link(records) == link(WORLD)


def test_the_names_of_the_sources_do_not_matter() -> None:
    records, _ = world(800, rng=np.random.default_rng(4), rate=0.15, relative=0.4)
    turned = [replace(one, source={"a": "z", "b": "y"}[one.source]) for one in records]
    back = {frozenset(({"z": "a", "y": "b"}[source], ref) for source, ref in group) for group in link(turned).groups}
    assert back == {frozenset(group) for group in link(records).groups}


def test_a_table_that_names_no_person() -> None:
    assert link([]).groups == []
    nobody = [record("a", "1", {}), record("b", "1", {}), record("b", "2", {"name": 7, "birth_date": "1990"})]
    assert not linked(*nobody)
