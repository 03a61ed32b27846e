"""The scan finds what is private wherever it is, and lets pass what only looks like it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data import fold
from personax.errors import InputError
from personax.release.pii import KnownValues, contacts
from personax.release.pii._folder_scan import refuse_folder, scan_folder
from personax.release.pii._table_scan import refuse_private, scan
from personax.simulate import simulate_population

NAMES = ["Zoë Nemo", "Lin", "Martin", "Søren Łagodny", "p00042", "1990-05-17", "Jordan", "ada@nemo.org"]
BIOGRAPHY = "Zoë Nemo works in music and was born in Chad, where she still keeps seven grey geese in a garden."


@pytest.mark.parametrize(
    ("value", "leaks"),
    [
        ("zoenemo1987", True),
        ("fc-zoenemo", True),
        ("zoe_nemo", True),
        ("ZoeNemo", True),
        ("Nemo, Zoe", True),
        ("soren lagodny", True),
        ("xp00042y", True),
        ("p00042", True),
        ("born 1990-05-17", True),
        ("1990.05.17", True),
        ("Saint Martin", True),
        ("Martinique", False),
        ("Berlin", False),
        ("zoenem", False),
        ("p0004", False),
        ("0a1b2cp00042d4e5f6", True),
        ("keeps seven grey geese in a garden", False),
        ("where she still keeps seven grey geese in gardens", True),
        ("WHERE she still keeps - seven, grey geese in", True),
        ("a@b.org", True),
        ("www.nemo", True),
        ("nemo-fans.com", True),
        ("@zoe_sings", True),
        ("/home/zoe/people.csv", True),
        ("C:\\Users\\zoe", True),
        ("C:/data/people.csv", True),
        ("~/people.csv", True),
        ("../people.csv", True),
        ("file:///tmp", True),
        ("\\\\server\\share", True),
        ("+49 170 1234567", True),
        ("AC/DC", False),
        ("centre-forward / striker", False),
        ("1. FC Nürnberg", False),
        ("St. Louis", False),
        ("U.S.", False),
        ("1.90 m", False),
        ("2019/2020", False),
        ("12.5", False),
        ("-73.9857", False),
        ("n/a", False),
        ("R & B @ home", False),
    ],
)
def test_what_leaks(value: str, leaks: bool) -> None:
    assert bool(scan(pl.DataFrame({"club": [value]}), [*NAMES, BIOGRAPHY])) == leaks


def test_a_category_that_is_also_somebodys_name() -> None:
    countries = pl.DataFrame({"country": ["Jordan"] * 6 + ["Jordan River"] * 6})
    assert scan(countries, NAMES) == {}, "six people of one country, one player of that name"
    assert scan(countries[:4], NAMES) == {"country": 4}, "too few to be a category"
    assert scan(countries, ["Jordan"] * 4) == {"country": 12}, "a column of first names has each as often as people do"
    assert scan(countries[:4], NAMES, allowed=["jordan"]) == {}
    assert scan(pl.DataFrame({"club": ["FC Zoe Nemo"] * 50}), NAMES) == {"club": 50}, "a whole name is no accident"
    assert scan(pl.DataFrame({"site": ["club.com"]}), [], allowed=["club.com"]) == {}


def test_every_kind_of_column_that_can_hold_text() -> None:
    leak = "Zoe Nemo"
    frame = pl.DataFrame(
        {
            "list": pl.Series([[leak, "x"], None]),
            "array": pl.Series([[leak, "x"], None], dtype=pl.Array(pl.String, 2)),
            "struct": [{"a": leak}, {"a": "x"}],
            "category": pl.Series([leak, "x"], dtype=pl.Categorical),
            "enum": pl.Series([leak, "x"], dtype=pl.Enum([leak, "x"])),
            "bytes": [leak.encode(), b"x"],
            "number": [1, 2],
            "vector": pl.Series([[1.0, 2.0]] * 2, dtype=pl.Array(pl.Float32, 2)),
            "score_of_zoe_nemo": [1.0, 2.0],
        }
    )
    assert scan(frame, NAMES) == dict.fromkeys(
        ["list", "array", "struct", "category", "enum", "bytes", "score_of_zoe_nemo"], 1
    )


def test_the_message_names_the_column_and_not_the_value() -> None:
    with pytest.raises(
        InputError, match=r"1 cells of club hold a name, .*inside a word.*; make club private"
    ) as caught:
        refuse_private(pl.DataFrame({"club": ["zoenemo1987"]}), NAMES)
    assert "nemo" not in str(caught.value)
    refuse_private(pl.DataFrame({"club": ["none"]}), NAMES)


@given(st.lists(st.text(alphabet="abcdefgh", min_size=4, max_size=9), min_size=2, max_size=3), st.integers(0, 3))
def test_a_name_is_found_however_it_is_written(words: list[str], how: int) -> None:
    ways = [" ".join(words).upper(), "x " + "-".join(words) + " y", "zz" + "".join(words) + "9", "_".join(words)]
    assert scan(pl.DataFrame({"x": [ways[how]]}), [" ".join(words)]) == {"x": 1}


def test_folding() -> None:
    assert fold("ÆØÅ Þóra Müẞig") == "aeoa thora mussig"


@pytest.mark.parametrize("name", ["Jürgen Müller", "Ju\u0308rgen Müller", "Juergen Mueller", "Jurgen Muller"])
@pytest.mark.parametrize("text", ["jürgen MÜLLER", "Mueller, Juergen", "x-juergenmueller.9", "x-jürgenmüller.9"])
def test_a_name_with_dots_is_found_as_it_is_spelt_out(name: str, text: str) -> None:
    plain = name == "Jurgen Muller" and "ue" in text
    assert bool(scan(pl.DataFrame({"club": [text]}), [name])) != plain, "a name without dots does not tell of any"
    assert scan(pl.DataFrame({"club": [text]}), [name], allowed=["Jürgen Müller"]) == {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "release"
    (out / "data").mkdir(parents=True)
    frame = pl.DataFrame({"id": ["0a1b2c3d4e5f6071", "1a1b2c3d4e5f6072"], "country": ["Chad", "Mali"], "x": [1.0, 2.0]})
    frame.write_parquet(out / "data" / "people.parquet")
    (out / "README.md").write_text(
        "---\nlicense: other\n---\n# A study\nSee https://example.org/a/b/c and data/people.parquet; 100000 people.\n"
        "Martin et al. 1990 write of Jordan.\n"
    )
    (out / "croissant.json").write_text(json.dumps({"@context": {"@vocab": "https://schema.org/"}, "@id": "people/x"}))
    (out / "SHA256SUMS").write_text(f"{'00p00042'.replace('p', 'a') * 8}  README.md\n")
    (out / "figure.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0/1"/></svg>')
    return out


def test_a_clean_folder_passes(folder: Path) -> None:
    assert scan_folder(folder, [*NAMES, BIOGRAPHY], study=folder.parent, secrets=[bytes(32)]) == []


@pytest.mark.parametrize(
    ("file", "content", "where", "kind"),
    [
        ("README.md", b"# About Zo\xc3\xab\nNemo", "text", "a private value"),
        ("README.md", b"keeps seven grey\ngeese in a garden where she still keeps seven grey geese in", "text",
         "a passage of a private text"),
        ("a.json", b'{"x": "Zo\\u00eb Nemo"}', "text", "a private value"),
        ("a.yaml", b'x: "Zo\\xeb Nemo"', "text", "a private value"),
        ("a.txt", b"https://x.org/Zo%C3%AB%20Nemo", "text", "a private value"),
        ("a.json", b'{"who":"p00042"}', "text", "a private value"),
        ("CITATION.cff", b"email: a@b.org", "text", "an e-mail address"),
        ("a.json", b'{"from": "/home/somebody/study/people.csv"}', "text", "a path of a file"),
        ("a.json", b'{"from": "C:\\\\Users\\\\somebody"}', "text", "a path of a file"),
        ("a.csv", b"id,club\n1,Lin\n", "club", "a private value"),
        ("a.bin", b"\x00\xff\x01 by Zoe Nemo \xff\x00", "text", "a private value"),
        ("a.bin", b"\x00\xff" + bytes(range(1, 33)) + b"\xfe", "the file", "a secret of the study"),
        ("a.zip", b"PK\x03\x04 whatever", "the file", "a packed file (zip)"),
        ("zoe_nemo.txt", b"", "its name", "a private value"),
    ],
)  # fmt: skip
def test_what_a_folder_must_not_hold(folder: Path, file: str, content: bytes, where: str, kind: str) -> None:
    (folder / file).write_bytes(content)
    found = scan_folder(folder, [*NAMES, BIOGRAPHY], secrets=[bytes(range(1, 33))])
    assert [(f.file, f.where, f.kind) for f in found] == [(file, where, kind)]
    with pytest.raises(InputError, match="the release stops: ") as caught:
        refuse_folder(folder, [*NAMES, BIOGRAPHY], secrets=[bytes(range(1, 33))])
    assert kind in str(caught.value)
    assert "nemo" not in str(caught.value).lower().replace("zoe_nemo.txt", "")


def test_a_parquet_file_to_its_metadata(folder: Path) -> None:
    frame = pl.DataFrame({"club": ["Zoe Nemo", "x"], "v": pl.Series([[1.0]] * 2, dtype=pl.Array(pl.Float32, 1))})
    frame.write_parquet(folder / "data" / "more.parquet", statistics=False, metadata={"author": "by Søren Łagodny"})
    found = scan_folder(folder, NAMES)
    assert [(f.file, f.where, f.kind) for f in found] == [
        ("data/more.parquet", "club", "a private value"),
        ("data/more.parquet", "metadata", "a private value"),
    ]


def test_a_study_called_as_its_text_is_not_found_in_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "README.md").write_text("a demo of invented people, in /data/demo")
    monkeypatch.chdir(folder.parent)
    found = scan_folder(folder, [], study=Path("demo"))
    assert not [one for one in found if one.kind == "the path of the study"]
    (folder / "README.md").write_text(f"made in {folder.parent.resolve() / 'demo'}")
    assert [
        one.count for one in scan_folder(folder, [], study=Path("demo")) if one.kind == "the path of the study"
    ] == [1]


def test_the_path_of_the_study_and_links(folder: Path) -> None:
    (folder / "a.bin").write_bytes(b"\x00\xff" + str(folder.parent).encode() + b"\x00")
    kinds = {f.kind for f in scan_folder(folder, [], study=folder.parent)}
    assert "the path of the study" in kinds
    (folder / "a.bin").unlink()
    (folder / "link").symlink_to(folder / "README.md")
    assert [f.kind for f in scan_folder(folder, [])] == ["a link"]
    with pytest.raises(InputError, match="no folder"):
        scan_folder(folder / "nothing", [])


def test_allowed_in_documents(folder: Path) -> None:
    (folder / "CITATION.cff").write_text("email: lab@uni.org")
    assert scan_folder(folder, NAMES, allowed=["lab@uni.org"]) == []
    assert [f.kind for f in scan_folder(folder, NAMES)] == ["an e-mail address"]


def test_nothing_is_found_in_simulated_people() -> None:
    world = simulate_population(400, rng=np.random.default_rng(5), text_dim=8, image_dim=24)
    private = [*world.people["name"], *world.people["id"], *world.texts["biography"]]
    assert scan(world.people.drop("id", "name", "birth_date"), private) == {}
    assert scan(world.people.select("name"), private) == {"name": 400}
    assert scan(world.texts.select("biography"), private) == {"biography": 400}


def test_contacts_are_counted() -> None:
    assert contacts("a@b.org, c@d.org") == {"an e-mail address": 2}


def test_five_thousand_people_against_twenty_thousand_names() -> None:
    """That so many are looked for at once; how fast is measured by benchmarks/disclosure.py."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(rng.choice(letters, 6)) for _ in range(4000)]
    names = [f"{a} {b}" for a, b in zip(rng.choice(words, 20_000), rng.choice(words, 20_000), strict=True)]
    frame = pl.DataFrame({f"c{n}": [f"club of {word} {n}" for word in rng.choice(words, 5000)] for n in range(3)})
    assert KnownValues(names).find("x") == {}
    assert scan(frame, names) == {}
