"""The page as a browser gets it: escaped, closed to the network, complete, the same every time."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.data.labels import display_test, number
from personax.report import gather, render
from personax.report._page import guidelines, parse

USAGE = "Be careful.\n\n- no profiling\n- no <i>harm</i>"
SCRIPT = "<script>alert(1)</script>"
BOLD = "<b onload=\"x\">'bold'</b>"
VOID = {"meta", "img", "input", "br", "link"}


class Page(HTMLParser):
    """All elements with their attributes and the text inside; fails on a tag that is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.blocks: list[dict[str, Any]] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text += data
        elif self._open and self.elements[-1][1].get("type") == "application/json":
            self.blocks.append(json.loads(data))

    def cells(self) -> list[dict[str, Any]]:
        """Return the cells of the heatmap by name."""
        (data,) = [block for block in self.blocks if "cells" in block]
        found = [dict(zip(data["cells"]["names"], row, strict=True)) for row in data["cells"]["rows"]]
        names = {"feature": "features", "target": "targets", "group": "groups", "test": "tests", "reason": "reasons"}
        names |= {"measure": "measures"}
        return [c | {k: None if c[k] is None else data[all_][c[k]] for k, all_ in names.items()} for c in found]

    def ids(self) -> set[str]:
        return {found["id"] for tag, found in self.elements if tag == "section"}


@pytest.fixture(scope="module")
def html(study: Path) -> str:
    return render(gather(study, title=f"Study {SCRIPT}"), usage=USAGE)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_text_stays_text(page: Page, html: str) -> None:
    assert sum(tag == "script" and "type" not in found for tag, found in page.elements) == 1
    assert not {"b", "i"} & {tag for tag, found in page.elements if not found.get("class")}
    assert f"Study {SCRIPT}" in page.text
    assert "<b onload=\"x\">'bold'</b>" in page.text
    assert SCRIPT not in html
    assert not any(name.startswith("on") or name == "style" for _, found in page.elements for name in found)


def test_signs_that_turn_text_are_seen(tmp_path: Path) -> None:
    text = Page(
        render(
            gather(tmp_path, title="report\u202efdp.exe of \u05e9\u05dc\u05d5\u05dd \U0001f469\u200d\U0001f680"),
            usage=USAGE,
        )
    ).text
    assert "report\ufffdfdp.exe of \u05e9\u05dc\u05d5\u05dd \U0001f469\u200d\U0001f680" in text


def test_assumptions_and_proposed_names_are_shown_as_what_they_are(page: Page) -> None:
    assert "What is assumed" in page.text
    assert f"latents {BOLD} show" in page.text
    assert f"least of {SCRIPT}" in page.text
    assert "0.25" in page.text
    assert "Proposals from the strongest Level I association" in page.text
    assert f"{SCRIPT}, reversed" in page.text
    assert f"text_1 ({BOLD}?) ->" in page.text


def test_what_may_be_claimed_stands_above_the_graph_and_doubtful_edges_are_marked(page: Page) -> None:
    assert page.text.index(f"0 of 1 latents are identified; {BOLD}.") < page.text.index("What may be claimed")
    assert f"text {BOLD}" in page.text
    assert "up to its block" in page.text
    assert "0.999" in page.text
    assert "PC agrees on 3 of 7 edges." in page.text
    learned = next(
        b
        for b in page.blocks
        if "ends" in b.get("names", []) and any(n["label"] == "shared 1" for n in b["options"]["nodes"])
    )
    assert [row[learned["names"].index("doubtful")] for row in learned["rows"]].count(True) == 1


def test_people_at_both_ends_are_codes_and_what_moves_with_a_latent_is_shown(page: Page, html: str) -> None:
    assert f"p1 ({BOLD})" in page.text
    assert "As text_1 rises: height" in html
    for said in (
        number(-1.25, 2),
        number(1.5, 2),
        "35%",
        "text_a moves",
        "up to its block: another mixture",
        "people near",
    ):
        assert said in page.text, said


def test_reliability_is_shown_by_trait_rater_and_group(study: Path, page: Page) -> None:
    told = json.loads((study / "traits" / "reliability.json").read_text(encoding="utf-8"))
    single = told["traits"]["openness"]["icc_single"]
    assert f"{number(single['value'], 2)} ({number(single['low'], 2)} to {number(single['high'], 2)})" in page.text
    assert f"Agreement within {BOLD}" in page.text
    assert "asked once" in page.text
    unequal = sum(row["p_corrected"] is not None and row["p_corrected"] < 0.05 for row in told["differential"])
    assert f"{unequal} of {len(told['differential'])} comparisons differ" in page.text


def test_stereotypes_are_shown_with_what_chance_gives(html: str, page: Page) -> None:
    assert "25 people were judged again" in page.text
    assert "Of 8 intervals, 0.4 would leave out 0 by chance; 1 do." in page.text
    assert any([BOLD, 0.4, 0.35, 0.45, "25 people"] in block.get("rows", []) for block in page.blocks)
    assert "0.9 (0.85 to 0.95)" in page.text
    assert f"nobody {SCRIPT}" not in html, "a reason is text"


def test_what_was_asked_and_cost_and_what_audits_found_is_shown(page: Page) -> None:
    """The rows of one reply, a trait each, share its numbers: they are counted once."""
    for said in ("oak-1", "2026-01-01 to 2026-03-01", "12,500", "Together 0.1", "number-3-increasing-ab", "80%",
                 "0.4 (0.2 to 0.6), p 0.001", "asked once", "30%", "5%", "Who is passed over in silence"):  # fmt: skip
        assert said in page.text, said


def test_the_level_on_this_table_and_the_graph_without_a_modality_are_shown(page: Page) -> None:
    assert "on nulls like these the level was kept in 1 of 2 cells" in page.text
    assert "0.04 (0.03 to 0.05)" in page.text
    assert f"a and {BOLD}: none" in page.text
    assert "3 of 5 edges stay without image" in page.text


def test_a_search_tells_which_pairs_stay_given_the_others(page: Page) -> None:
    (data,) = [block for block in page.blocks if "cells" in block]
    places = {name: place for place, name in enumerate(data["features"])}
    told = {tuple(row[:2]): row[2] for row in data["direct"]}
    openness = data["targets"].index("Openness")
    assert told[places["gender"], openness] == 1
    assert told[places["education"], openness] == 0
    assert {feature for feature, _ in told} == {places["gender"], places["education"]}, "a search knows its columns"


def test_scores_of_several_waves_are_shown_as_they_moved(study: Path) -> None:
    row = {"score": "final_o", "from_wave": 1, "to_wave": 2, "people": 40, "mean_change": 0.1234, "low": 0.05,
           "high": 0.2, "correlation": 0.7}  # fmt: skip
    shown = Page(render(replace(gather(study), drift=pl.DataFrame([row]))))
    assert any("Openness, 1 to 2" in line for block in shown.blocks for line in block.get("rows", []))


def test_nothing_is_loaded(page: Page) -> None:
    for tag, found in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            if name in found:
                assert found[name].startswith(("#", "data:image/png;base64,"))


def test_policy_lets_only_our_own_style_and_script_run(html: str, page: Page) -> None:
    policy = next(found["content"] for tag, found in page.elements if found.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        inside = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert len(inside) == 1
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "http" not in re.sub(r"http-equiv", "", html).split("</style>")[0]


def test_no_private_value_is_shown(html: str) -> None:
    assert "hobby of 7" not in html  # a category of one person
    assert "odd: secret" not in html  # why a private cell was bad
    assert "p0001" not in html
    assert "hidden-thing" not in html


def test_how_a_file_was_read_is_shown_without_private_values(page: Page) -> None:
    assert f"How {BOLD} was read" in page.text
    assert "separator ; (it divides every line)" in page.text
    assert "1 cell is NA" in page.text
    assert "1 open question of how it was read" in page.text
    assert "hidden-thing" not in page.text


def test_cells_carry_the_numbers_of_the_table(study: Path, page: Page) -> None:
    table = pl.read_parquet(study / "analysis" / "independence" / "pvalues.parquet")
    shown = {(c["group"], c["test"], c["feature"], c["target"][0].lower()): c for c in page.cells()}
    assert len(shown) == len(page.cells()) == table.height
    numbers = {"p": "p_value", "corrected": "p_corrected", "statistic": "statistic", "effect": "effect_size"}
    for row in table.iter_rows(named=True):
        group = "Aggregate" if row["group"] == "final" else row["group"]
        cell = shown[group, display_test(row["test"]), row["feature"], row["target"][-1]]
        assert cell["n"] == row["n"]
        assert cell["reason"] == row["reason"]
        assert (cell["measure"], cell["rejected"], cell["dof"]) == (row["effect_name"], row["rejected"], row["dof"])
        for short, name in numbers.items():
            assert cell[short] == (None if row[name] is None else pytest.approx(row[name], rel=1e-5))


def test_a_pair_is_shown_by_aggregates_and_never_by_people(page: Page) -> None:
    (data,) = [block for block in page.blocks if "profiles" in block]
    assert len(data["profiles"]) > 20
    kinds = {profile["kind"] for profile in data["profiles"].values()}
    assert kinds == {"groups", "curve"}
    for profile in data["profiles"].values():
        people = [row[profile["names"].index("n")] for row in profile["rows"]]
        assert min(people) >= 5
        assert sum(people) <= 400


def test_same_study_same_bytes(study: Path, html: str, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(study, copy)
    manifest = copy / "manifests" / "crl.json"
    manifest.write_text(manifest.read_text().replace("2024-01-01", "2025-02-03").replace("1.5", "2.5"))
    (copy / "manifests" / "report.json").write_text(manifest.read_text())
    assert render(gather(copy, title=f"Study {SCRIPT}"), usage=USAGE) == html


@pytest.mark.skipif(not resources.files("personax").joinpath("usage.md").is_file(), reason="no guidelines packaged yet")
def test_the_packaged_guidelines_are_on_the_page(tmp_path: Path) -> None:
    text = Page(render(gather(tmp_path))).text
    for block in parse(guidelines()):
        assert all(words in text for words in (block.text, *block.items))


SECTIONS = {
    "answer",
    "methods",
    "questions",
    "people",
    "traits",
    "dependence",
    "latents",
    "discovery",
    "truth",
    "warnings",
    "settings",
    "usage",
}


def test_sections_follow_the_files(study: Path, page: Page, tmp_path: Path) -> None:
    assert page.ids() == SECTIONS
    parts = {
        "traits": {"traits"},
        "analysis/independence": {"dependence"},
        "analysis/crl": {"latents"},
        "analysis/discovery": {"discovery"},
        "people/simulation": {"truth"},
        "people": {"people", "truth"},
        "manifests": {"settings"},
        "embeddings": set(),
    }
    for place, (folder, lost) in enumerate(parts.items()):
        copy = tmp_path / str(place)
        shutil.copytree(study, copy)
        shutil.rmtree(copy / folder)
        found = Page(render(gather(copy), usage=USAGE))
        assert found.ids() == SECTIONS - lost
        links = {f["href"][1:] for tag, f in found.elements if tag == "a" and f["href"] != "#main"}
        assert links == found.ids()


def test_empty_folder_is_a_page(tmp_path: Path) -> None:
    page = Page(render(gather(tmp_path), usage=USAGE))
    assert page.ids() == {"warnings", "usage"}
    assert "no trait scores" in page.text
    assert "no <i>harm</i>" in page.text


@pytest.mark.parametrize(
    ("source", "words"),
    [("questionnaire", "questionnaire scores"), ("lexicon", "text-inferred"), ("simulate", "LLM-inferred")],
)
def test_traits_are_called_what_they_are(study: Path, tmp_path: Path, source: str, words: str) -> None:
    copy = tmp_path / "study"
    shutil.copytree(study, copy)
    manifest = copy / "manifests" / "annotate.json"
    manifest.write_text(manifest.read_text().replace('"source": "simulate"', f'"source": "{source}"'))
    text = Page(render(gather(copy), usage=USAGE)).text
    assert words in text
    assert ("LLM-inferred" in text) is (source == "simulate")


def test_faces_are_shown_only_of_invented_people(study: Path, page: Page, tmp_path: Path) -> None:
    images = [found for tag, found in page.elements if tag == "img"]
    assert len(images) == 12
    assert "Lowest on skin_tone" in page.text
    copy = tmp_path / "real"
    shutil.copytree(study, copy)
    shutil.rmtree(copy / "people" / "simulation")
    assert "<img" not in render(gather(copy), usage=USAGE)


def test_ten_thousand_features_are_capped_and_said_so(
    tmp_path: Path, make_p_values: Callable[[list[str], tuple[str, ...], np.random.Generator], pl.DataFrame]
) -> None:
    table = make_p_values([f"f{i}" for i in range(10_000)], ("final",), np.random.default_rng(0))
    folder = tmp_path / "analysis" / "independence"
    folder.mkdir(parents=True)
    table.write_parquet(folder / "pvalues.parquet")
    html = render(gather(tmp_path), usage=USAGE)
    assert len(html.encode()) < 3_000_000
    page = Page(html)
    shown = {cell["feature"] for cell in page.cells()}
    best = table.group_by("feature").agg(pl.col("p_corrected").min()).sort("p_corrected", "feature")["feature"]
    assert shown == set(best.head(60))
    assert "Of 10,000 features the 60 with the smallest corrected p-values are drawn" in page.text


@pytest.mark.parametrize("tested", [False, True])
def test_of_many_features_the_page_says_which_are_shown(tmp_path: Path, tested: bool) -> None:
    names = [f"f{i}" for i in range(61)]
    (tmp_path / "people").mkdir()
    pl.DataFrame({"id": ["a", "b"], **{name: [1.0, 2.0] for name in names}}).write_parquet(
        tmp_path / "people" / "people.parquet"
    )
    columns = [{"name": "id", "role": "id", "kind": "nominal"}]
    columns += [{"name": name, "role": "feature", "kind": "continuous"} for name in names]
    (tmp_path / "people" / "columns.json").write_text(json.dumps(columns), encoding="utf-8")
    if tested:
        folder = tmp_path / "analysis" / "independence"
        folder.mkdir(parents=True)
        numbers = {"statistic": 1.0, "dof": 1, "p_value": 0.5, "p_corrected": 0.5, "effect_size": 0.1, "n": 2}
        words = {"group": "final", "target": "final_o", "test": "kci", "effect_name": "nHSIC", "method": "exact"}
        rows = [{"feature": name, "rejected": False, "reason": None, **words, **numbers} for name in names]
        pl.DataFrame(rows, schema_overrides={"reason": pl.String}).write_parquet(folder / "pvalues.parquet")
    text = Page(render(gather(tmp_path), usage=USAGE)).text
    which = "those with the smallest corrected p-values" if tested else "the first"
    assert f"There are 61 features; the 60 shown are {which}." in text


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_and_rising_scale(html: str, scheme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", block))

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    assert all(contrast(ink, "paper") >= 4.5 for ink in ("ink", "soft", "accent", "warn"))
    assert all(contrast("on-low", f"s{step}") >= 4.5 for step in range(5 - scheme))
    assert all(contrast("on-high", f"s{step}") >= 4.5 for step in range(5 - scheme, 7))
    steps = [luminance(colours[f"s{step}"]) for step in range(7)]
    assert steps == sorted(steps, reverse=scheme == 0)
