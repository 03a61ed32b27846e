"""The texts: whole sentences from facts, valid for those who read them by machine, and safe from nasty names."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml
from huggingface_hub import DatasetCard
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from personax.errors import InputError
from personax.release.packaging import (
    AnnotatorFacts,
    PublisherFacts,
    ReleaseFacts,
    SourceFacts,
    describe,
    list_shards,
    write_shards,
)
from personax.release.packaging._citation import bibtex, citation_cff
from personax.release.packaging._documents import front_matter, texts, write_all
from personax.release.packaging._markdown import Markdown, clean, escape, render
from personax.schema import Column

if TYPE_CHECKING:
    from tests.release.packaging.conftest import Package, Packaged

PAGES = ("README.md", "DATASHEET.md", "USAGE.md", "LICENSES.md")
HEADINGS = {
    "What is in the folder", "Columns", "Where the people come from", "How the traits came about",
    "How the embeddings came about", "How people are protected, and what that costs", "Known limits and biases",
    "What it is for, and what not", "How to load it", "Taking somebody out", "Licence", "Citation",
}  # fmt: skip


def parse(text: str) -> list[Token]:
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    return MarkdownIt("commonmark").enable("table").parse(body)


def every(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in [token, *(token.children or [])]]


def shown(token: Token) -> str:
    return "".join(child.content for child in token.children or [])


def headings(tokens: list[Token]) -> list[str]:
    return [shown(tokens[i + 1]) for i, token in enumerate(tokens) if token.type == "heading_open"]


def tiny(*names: str) -> tuple[pl.DataFrame, list[Column]]:
    """Return three people with a number in each of these columns."""
    frame = pl.DataFrame({"id": ["a", "b", "c"], **{name: [1.5, None, -2.0] for name in names}})
    return frame, [Column(name, "feature", "continuous") for name in names]


def plain(**changes: Any) -> ReleaseFacts:
    frame, columns = tiny("height_cm")
    facts = ReleaseFacts("A study", "1.0.0", 3, describe("people", frame, columns))
    return replace(facts, **changes)


def made(facts: ReleaseFacts, folder: Path) -> dict[str, str]:
    frame, _ = tiny(*[column.name for column in facts.columns_of("people")[1:]])
    write_shards(folder, frame, facts.columns_of("people"))
    write_all(folder, facts)
    return texts(facts, {"people": list_shards(folder, "people")})


def test_the_card_is_a_dataset_card(packaged: Packaged) -> None:
    path = packaged.folder / "README.md"
    loaded = DatasetCard.load(path)
    assert loaded.data.to_dict()["pretty_name"] == "Demo of personax"
    assert loaded.data.license == "other"
    assert loaded.data.annotations_creators == ["machine-generated"]
    assert loaded.data.size_categories == ["n<1K"]
    told = yaml.safe_load(path.read_text().split("---\n")[1])
    assert told == front_matter(packaged.facts)
    assert [config["config_name"] for config in told["configs"] if config.get("default")] == ["people"]
    assert "you accept" in told["extra_gated_prompt"]
    assert set(told["extra_gated_fields"].values()) == {"text", "checkbox"}
    for config in told["configs"]:
        assert list(packaged.folder.glob(config["data_files"][0]["path"]))


@pytest.mark.parametrize(("people", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (10_000, "10K<n<100K")])
def test_the_size_category(people: int, size: str) -> None:
    assert front_matter(plain(people=people))["size_categories"] == [size]


@pytest.mark.parametrize("name", PAGES)
def test_no_section_is_empty_and_nothing_is_called_none(name: str, packaged: Packaged, tmp_path: Path) -> None:
    for text in ((packaged.folder / name).read_text(), made(plain(), tmp_path)[name]):
        tokens = parse(text)
        assert "None" not in re.findall(r"\bNone\b(?! is asked)", text)
        starts = [i for i, token in enumerate(tokens) if token.type == "heading_open"]
        for i, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
            level = tokens[i].tag
            deeper = end < len(tokens) and tokens[end].tag > level
            words = " ".join(shown(token) or token.content for token in tokens[i + 3 : end])
            assert deeper or len(words.split()) >= 2, shown(tokens[i + 1])
        for paragraph in (shown(t) for t in tokens if t.type == "inline"):
            assert not re.search(r"  |\bNaN\b| ,|\.\.|,,|\(\)|: \.", paragraph.replace("\n", "§")), paragraph


def test_the_card_has_its_sections_and_quotes_the_verdict(packaged: Packaged) -> None:
    text = (packaged.folder / "README.md").read_text()
    tokens = parse(text)
    assert set(headings(tokens)) == {"Demo of personax", *HEADINGS}
    assert packaged.facts.audit in text
    for column in packaged.facts.columns:
        assert f"| `{column.config}` | `{column.name}` |" in text
    for sentence in packaged.facts.protections:
        assert sentence in text


def test_what_is_not_stated_is_said_to_be_so(tmp_path: Path) -> None:
    its = made(plain(), tmp_path)
    assert its["DATASHEET.md"].count("Not stated by the publisher.") >= 8
    assert "was not attacked" in its["README.md"]
    assert "holds no trait scores" in its["README.md"]
    assert "publisher states no author" in its["README.md"]


def test_sentences_follow_the_facts(tmp_path: Path) -> None:
    who = AnnotatorFacts(
        "llm", ("gpt", "gemini"), ("number",), 2, {"ok": 1700, "refused": 250, "filtered": 50}, {"openness": 0.4}
    )
    its = made(
        plain(annotators=who, sources=(SourceFacts("nba", "web", ("2026-01-01", "2026-02-03")),), removed=1), tmp_path
    )
    card = its["README.md"]
    assert "2 language models (gpt and gemini)" in card
    assert "twice for every trait" in card
    assert "Of 2,000 requests, 1,700 gave a score and 300 met a refusal. Refused were 15.0% of all" in card
    assert "openness 0.40" in card
    assert "from 2026-01-01 to 2026-02-03" in card
    assert "1 person was taken out at request" in card
    assert "LLM-inferred behaviour traits" in card
    assert json.loads(its["croissant.json"])["rai:dataCollectionTimeframe"] == ["2026-01-01", "2026-02-03"]
    assert json.loads(its["croissant.json"])["rai:annotatorDemographics"] == [
        "None: the annotators are programs, not people."
    ]
    assert yaml.safe_load(card.split("---\n")[1])["annotations_creators"] == ["machine-generated"]


NASTY = [
    "---\nlicense: mit", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "***",
    "<div", "<script x",
    "![x](https://e.vil/p.png)", "a | b | c", "# heading", "- item", "1. item", "```\ncode", "`tick`",
    "\u202eevil\u202c", "{{ 7*7 }}", "{% raw %}", "&amp;#60;", "\\|", "_x_", "a\r\n\r\nb", "null", "yes",
    "===", "[a](javascript:b)", "~", "@a", "'\"", "\x00\x1b[31m", "<!-- x", "[ref]: https://e.vil",
    "> quote", "$$x$$", "~~~", "+", "10) x", "\ufeff",
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_name_stays_text_wherever_it_stands(name: str, tmp_path: Path) -> None:
    stays_text(name, name, name, tmp_path)


@settings(max_examples=25, deadline=None)
@given(study=st.text(min_size=1), column=st.text(min_size=1), source=st.text(min_size=1) | st.sampled_from(NASTY))
def test_any_names_stay_text(study: str, column: str, source: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    stays_text(study, column, source, tmp_path_factory.mktemp("nasty"))


def stays_text(study: str, column: str, source: str, folder: Path) -> None:
    frame, columns = tiny(column) if column != "id" else tiny("x")
    facts = replace(
        plain(),
        study=study,
        description=source,
        columns=describe("people", frame, columns, descriptions={column: study}),
        sources=(SourceFacts(source, "web", licence=study),),
        annotators=AnnotatorFacts("llm", (source,), (column,)),
        protections=(column,),
        audit=study,
        publisher=PublisherFacts(title=study, authors=(source,), contact=column, purpose=source),
    )
    its = made(facts, folder)
    for name in PAGES:
        tokens = parse(its[name])
        kinds = {token.type for token in every(tokens)}
        assert not kinds & {"html_block", "html_inline", "image", "hr", "code_block", "blockquote_open"}, name
        links = {t.attrs["href"] for t in every(tokens) if t.type == "link_open"}
        assert links <= {"USAGE.md", "LICENSES.md", "https://doi.org/10.1145/3458723"}, name
    card = parse(its["README.md"])
    assert set(headings(card)) - HEADINGS == {clean(study)} - {""} or not clean(study)
    assert len(headings(card)) == len(HEADINGS) + 1
    assert [t.info for t in card if t.type == "fence"] == ["python"] * 3 + ["bibtex"]
    assert sum(t.type == "tr_open" for t in card) == 2 + 1 + len(facts.columns)
    assert sum(t.type == "td_open" for t in card) == 3 + 7 * len(facts.columns)
    head = yaml.safe_load(its["README.md"].split("\n---\n")[0].removeprefix("---\n"))
    assert head["pretty_name"] == clean(study)
    assert head["license"] == "other"
    assert head == front_matter(facts)
    assert yaml.safe_load(DatasetCard(its["README.md"]).data.to_yaml())["license"] == "other"
    assert yaml.safe_load(its["CITATION.cff"])["title"] == clean(study)
    assert json.loads(its["columns.json"])["columns"][1]["name"] == frame.columns[1]
    assert json.loads(its["croissant.json"])["recordSet"][0]["field"][1]["source"]["extract"] == {
        "column": frame.columns[1]
    }


@given(st.text(max_size=60))
def test_escaped_text_shows_itself(text: str) -> None:
    """An independent parser of CommonMark shows what went in, and nothing but text."""
    [_, inline, _] = MarkdownIt("commonmark").parse(f"x {escape(text)}")
    assert {child.type for child in inline.children or []} <= {"text", "text_special"}
    assert shown(inline) == f"x {clean(text)}".strip()


@given(st.text(max_size=60))
def test_escaped_text_begins_no_block(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(f"{escape(text)}\n")
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])


def test_a_template_never_shows_none_or_a_value_that_is_missing() -> None:
    with pytest.raises(ValueError, match="shows None"):
        render("usage.md.j2", title=None, points=[], removal="")
    with pytest.raises(Exception, match="undefined"):
        render("usage.md.j2", title="x", points=[])
    assert escape(Markdown("*x*")) == "*x*"


CFF = {
    "abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers", "keywords",
    "license", "license-url", "message", "preferred-citation", "references", "repository", "repository-artifact",
    "repository-code",
    "title", "type", "url", "version",
}  # fmt: skip
"""Keys of CFF 1.2.0."""


def test_the_citation_has_the_fields_of_cff(packaged: Packaged) -> None:
    for facts in (packaged.facts, plain(), plain(publisher=PublisherFacts(licence="cc-by-4.0"))):
        told = yaml.safe_load(citation_cff(facts))
        assert {"authors", "cff-version", "message", "title"} <= set(told) <= CFF
        assert told["cff-version"] == "1.2.0"
        assert told["type"] == "dataset"
        assert told["authors"]
        assert all(isinstance(author["name"], str) for author in told["authors"])
        if facts.date:
            assert told["date-released"] == facts.date
    assert told["license"] == "CC-BY-4.0"


def test_bibtex_has_balanced_braces() -> None:
    entry = bibtex(plain(study="50% {of} \\input{x} & more_", publisher=PublisherFacts(authors=("A } B",))))
    assert entry.count("{") == entry.count("}")
    assert "\\input" not in entry
    assert r"50\% of inputx \& more\_" in entry


def test_the_same_facts_give_the_same_bytes_and_no_path_of_the_machine(
    packaged: Packaged, package: Package, tmp_path: Path
) -> None:
    again = package(tmp_path / "again", packaged.frames, packaged.facts, shard_bytes=16_000).folder
    first = {
        path.relative_to(packaged.folder): path.read_bytes() for path in packaged.folder.rglob("*") if path.is_file()
    }
    second = {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}
    assert first == second
    assert not any(str(again.parent).encode() in content for content in second.values())


def test_what_others_wrote_is_kept_and_summed(tmp_path: Path) -> None:
    facts = plain()
    made(facts, tmp_path)
    (tmp_path / "audit.json").write_text("{}")
    write_all(tmp_path, facts)
    assert (tmp_path / "audit.json").read_text() == "{}"
    assert "  audit.json\n" in (tmp_path / "SHA256SUMS").read_text()


def test_data_that_are_not_what_the_facts_say_are_refused(tmp_path: Path) -> None:
    facts = plain()
    made(facts, tmp_path)
    with pytest.raises(InputError, match="has 3 people and the facts say 4"):
        write_all(tmp_path, replace(facts, people=4))
    other = replace(facts, columns=describe("people", *tiny("weight_kg")))
    with pytest.raises(InputError, match="other columns than the facts say"):
        write_all(tmp_path, other)
    (tmp_path / "data" / "names").mkdir()
    pl.DataFrame({"id": ["a"]}).write_parquet(tmp_path / "data" / "names" / "train-00000-of-00001.parquet")
    with pytest.raises(InputError, match="is not described by the facts"):
        write_all(tmp_path, facts)


def test_a_contradiction_writes_nothing(tmp_path: Path) -> None:
    facts = plain(sources=(SourceFacts("celeba", "dataset"),), publisher=PublisherFacts(licence="mit"))
    with pytest.raises(InputError, match="celeba"):
        made(facts, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_the_annotation_card_travels_with_the_documents(packaged: Packaged) -> None:
    facts = packaged.facts
    shards = {config: list_shards(packaged.folder, config) for config in facts.configs}
    assert facts.annotators is not None
    card = {"models": [{"name": "gpt", "answers": {"ok": 5}}]}
    made = texts(replace(facts, annotators=replace(facts.annotators, card=card)), shards)
    assert json.loads(made["annotation_card.json"]) == card
    assert "annotation_card.json" not in texts(facts, shards)
