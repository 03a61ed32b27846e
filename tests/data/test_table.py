"""A table and what its columns mean stay together: written and read, joined, narrowed."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.data.table import Table
from personax.errors import InputError, StudyError
from personax.schema import KINDS, Column, Provenance, Role

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
OTHERS: tuple[Role, ...] = ("private", "feature", "target")
IDS = [f"p{row}" for row in range(6)]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Any table of some of six people, with columns of any name and meaning."""
    ids = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=6))
    names = draw(st.lists(NAMES.filter(lambda name: name != "id"), unique=True, max_size=5))
    columns, values = [Column("id", "id", "nominal")], [pl.Series("id", ids, dtype=pl.String)]
    for name in names:
        of_kind = draw(st.sampled_from([st.floats(allow_nan=False), st.integers(-9, 9), st.text(max_size=3)]))
        listed = draw(st.lists(st.one_of(st.none(), of_kind), min_size=len(ids), max_size=len(ids)))
        values.append(pl.Series(name, listed))
        kind, role = draw(st.sampled_from(KINDS)), draw(st.sampled_from(OTHERS))
        columns.append(Column(name, role, kind, draw(st.sampled_from([None, "cm"])), 12.0 if kind == "cyclic" else None,
                              draw(st.booleans()), draw(st.text(max_size=3))))  # fmt: skip
    return Table(pl.DataFrame(values), columns)


@settings(max_examples=40, deadline=None)
@given(tables())
def test_what_is_written_is_read(table: Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.parquet"
        table.write(path)
        again = Table.read(path)
        assert again.frame.equals(table.frame)
        assert again.frame.schema == table.frame.schema
        assert again.columns == table.columns
        assert json.loads((Path(folder) / "columns.json").read_text()) == [asdict(column) for column in table.columns]


@settings(max_examples=40, deadline=None)
@given(tables(), tables())
def test_a_join_keeps_rows_values_and_meaning(left: Table, right: Table) -> None:
    joined = left.join(right)
    assert joined.frame["id"].equals(left.frame["id"])
    assert [column.name for column in joined.columns] == joined.frame.columns
    theirs = {row["id"]: row for row in right.frame.iter_rows(named=True)}
    for row, own in zip(joined.frame.iter_rows(named=True), left.frame.iter_rows(named=True), strict=True):
        for column in joined.columns:
            from_right = column.name in right.names and column.name != "id"
            assert column == (right if from_right else left).column(column.name)
            expected = theirs.get(row["id"], {}).get(column.name) if from_right else own[column.name]
            assert row[column.name] == expected
    again = joined.join(right)
    assert again.select(joined.names).frame.equals(joined.frame), "a second join changes nothing but the order"


@settings(max_examples=40, deadline=None)
@given(tables(), st.data())
def test_frame_and_columns_never_disagree(table: Table, data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(table.names), unique=True))
    for narrowed in (table.select(some), table.drop(some), table.open()):
        assert [column.name for column in narrowed.columns] == narrowed.frame.columns
        assert all(table.column(column.name) == column for column in narrowed.columns)
    assert table.select(some).names == some
    assert table.drop(some).names == [name for name in table.names if name not in some]
    assert not table.open().private()
    shown = {column.name for column in [*table.features(), *table.targets()]}
    assert shown == {*table.open().names} - {"id"}
    assert {*shown, *(column.name for column in table.private()), "id"} == {*table.names}


FRAME = pl.DataFrame({"id": ["a", "b"], "age": [1, 2]})
MEANT = [Column("id", "id", "nominal"), Column("age", "feature", "continuous")]


@pytest.mark.parametrize(
    ("columns", "says"), [(MEANT[:1], "age stand in one only"), (MEANT[::-1], "they stand in another order")]
)
def test_columns_of_another_table_are_refused(columns: list[Column], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        Table(FRAME, columns)
    Table(FRAME, MEANT).write(tmp_path / "people.parquet")
    (tmp_path / "columns.json").write_text(json.dumps([asdict(column) for column in columns]))
    with pytest.raises(StudyError, match=f"{says}; run the stage that writes it again"):
        Table.read(tmp_path / "people.parquet")


def test_what_cannot_be_joined_or_read(tmp_path: Path) -> None:
    table = Table(FRAME, MEANT)
    with pytest.raises(InputError, match="no column height; choose from id, age"):
        table.column("height")
    with pytest.raises(InputError, match="no column id"):
        table.join(table.select(["age"]))
    with pytest.raises(InputError, match="id stands more than once"):
        table.join(Table(FRAME.with_columns(id=pl.lit("a")), MEANT))
    with pytest.raises(StudyError, match="is missing; personax run makes it"):
        Table.read(tmp_path / "people.parquet")
    table.write(tmp_path / "people.parquet")
    for name in ("people.parquet", "columns.json"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(b"[{}]")
        with pytest.raises(StudyError, match="cannot be read"):
            Table.read(tmp_path / "people.parquet")
        (tmp_path / name).write_bytes(whole)


def test_where_it_came_from_travels(tmp_path: Path) -> None:
    told = Provenance("table", "x.csv", "00", 2)
    table = Table(FRAME, MEANT, told)
    assert table.join(table).open().provenance == told
    table.write(tmp_path / "people.parquet")
    assert Table.read(tmp_path / "people.parquet").provenance is None
    (tmp_path / "provenance.json").write_text(json.dumps(asdict(told)))
    assert Table.read(tmp_path / "people.parquet").provenance == told
