"""`check_report_section`: whether a section of the report keeps the contract, on an invented study."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from markupsafe import Markup

from personax.conformance import Demand, described, kit, registered
from personax.report._data import PeopleSummary, ReportData
from personax.report._page import renderer
from personax.report._sections import SectionInput
from personax.schema import Column

__all__ = ["check_report_section"]

VOID: Final = {"area", "br", "col", "hr", "img", "input", "source", "wbr"}
"""Elements of HTML that have no end."""

FORBIDDEN: Final = {"script", "style", "link", "iframe", "object", "embed", "base", "meta"}
"""Elements that the page's Content-Security-Policy silences, or that would change the page around the section."""


@kit
def check_report_section(name: str, data: ReportData | None = None) -> None:
    """Check that a section of the report does what the page relies on.

    Checked are: the registration; that it returns `markupsafe.Markup`, a text or None, of an empty study too; that
    markup is whole and holds nothing that the page forbids; that the same study gives the same section; and that the
    study folder stays as it is.

    Parameters
    ----------
    name
        As registered under ``report_sections``.
    data
        A study that the section has something to show of, for example `personax.report.gather` of a study folder; by
        default 20 invented people without results.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.

    Examples
    --------
    >>> check_report_section("people")
    """
    demand, _, section = registered("report_sections", name)
    demand(callable(section), f"it is {described(section)}; register a function (study)")
    with TemporaryDirectory() as folder:
        (Path(folder) / "study.yaml").write_text("name: checked\n", encoding="utf-8")
        full = _invented(Path(folder)) if data is None else data
        demand(isinstance(full, ReportData), f"data is {described(full)}; give a personax.report.ReportData")
        with demand.rule("a section is made of any study", "return Markup, a text or None"):
            for study in (ReportData("empty", root=Path(folder)), full):
                _check_body(demand, _made(section, study))
                again = _made(section, study) == _made(section, study)
                demand(again, "the same study gives another section; draw nothing and look at no clock")
        left = [path.name for path in Path(folder).rglob("*")]
        demand(left == ["study.yaml"], "it writes into the study folder; return all there is to show")


def _invented(root: Path) -> ReportData:
    columns = [(Column("height_cm", "feature", "continuous"), 2), (Column("club", "feature", "nominal"), 0)]
    return ReportData("checked", people=PeopleSummary(20, columns, (), (), texts=0, simulated=True), root=root)


def _made(section: Any, data: ReportData) -> Any:  # noqa: ANN401 - what was registered, and what it returns
    return section(SectionInput(data, renderer(data)))


def _check_body(demand: Demand, body: object) -> None:
    text = f"it returns {described(body)}; return Markup, a text, or None where there is nothing to show"
    demand(body is None or isinstance(body, str), text)
    if isinstance(body, Markup):
        for fault in _faults(str(body)):
            demand(False, fault)
    elif isinstance(body, str):
        demand(not re.search(r"</\w+>", body), "its text holds tags, which the page shows as they are; return Markup")


class _Tags(HTMLParser):
    """Collects the elements of a section, and those that are not closed in their turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        data = tag == "script" and ("type", "application/json") in attrs  # rows of a figure, which nothing runs
        if tag in FORBIDDEN and not data:
            self.faults.append(f"<{tag}> stands in it, which the page forbids; leave it out")
        for attribute, value in attrs:
            if attribute.startswith("on") or attribute == "style":
                self.faults.append(f"the attribute {attribute} stands in it, which the page forbids; use a class")
            if attribute in ("src", "srcset") and not (value or "").startswith("data:"):
                self.faults.append("a picture is loaded from elsewhere, which the page forbids; put it in as data:")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in VOID:
            self.faults.append(f"</{tag}> closes nothing that is open; close what is opened")


def _faults(html: str) -> Iterator[str]:
    tags = _Tags()
    tags.feed(html)
    tags.close()
    yield from tags.faults
    if tags.open:
        yield f"<{tags.open[-1]}> is not closed; close what is opened"
