"""The page in Debian's chromium, as a reader uses it: nothing is mocked, nothing is loaded."""

from __future__ import annotations

import base64
import csv
import importlib.util
import io
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from personax.report import gather, render

ROOT = Path(__file__).parents[2]
AXE = ROOT / "scripts" / "report_bundle" / "node_modules" / "axe-core" / "axe.min.js"
SCRIPT = "<script>alert(1)</script>"
CELL = "document.querySelector('.cells rect[tabindex=\"0\"]')"

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium (apt-get install chromium)")


def _screenshots() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Reader:
    """A browser on the page, with what the browser said and asked for."""

    def __init__(self, browser: Any, page: Path, downloads: Path) -> None:
        self.browser, self.page, self.downloads = browser, page, downloads
        for domain in ("Runtime", "Log", "Network", "Page"):
            browser.call(f"{domain}.enable")
        browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

    def open(self, width: int = 1280, height: int = 800, scheme: str = "light") -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.call("Emulation.setDeviceMetricsOverride", **size)
        wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.browser.call("Emulation.setEmulatedMedia", features=features)
        self.browser.call("Page.navigate", url=self.page.as_uri())
        self.until("document.readyState === 'complete' && location.protocol === 'file:'")
        self.until("document.querySelectorAll('.chart:not(:has(svg))').length === 0")

    def run(self, script: str) -> Any:
        return self.browser.evaluate(script)

    def until(self, condition: str) -> None:
        end = time.monotonic() + 20
        while self.run(condition) is not True:
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def explore(self) -> None:
        """Draw the heatmap."""
        self.run("document.getElementById('explorer').scrollIntoView()")
        self.until("document.querySelectorAll('.cells rect').length > 0")

    def set(self, control: str, value: str) -> None:
        self.run(
            f"(() => {{ const c = document.querySelector('#explorer [name={control}]'); c.value = {json.dumps(value)};"
            " c.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )

    def saved(self, click: str, ending: str) -> bytes:
        """Press a button and return the file that comes."""
        self.run(click)
        end = time.monotonic() + 20
        while not (found := [p for p in self.downloads.iterdir() if p.suffix == ending and p.stat().st_size]):
            assert time.monotonic() < end, ending
            time.sleep(0.02)
        content = found[0].read_bytes()
        found[0].unlink()
        return content

    def faults(self) -> list[str]:
        """Return errors, warnings and whatever a script wrote to the console."""
        told = [event["params"] for event in self.browser.events if event["method"] in
                ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")]  # fmt: skip
        return [json.dumps(params)[:400] for params in told]

    def requests(self) -> list[str]:
        asked = [e["params"]["request"]["url"] for e in self.browser.events
                 if e["method"] == "Network.requestWillBeSent"]  # fmt: skip
        return [url for url in asked if not url.startswith(("data:", "blob:")) and url != self.page.as_uri()]


@pytest.fixture(scope="module")
def reader(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("page")
    page = folder / "index.html"
    page.write_text(render(gather(study, title=f"Study {SCRIPT}")), encoding="utf-8")
    (folder / "saved").mkdir()
    screenshots = _screenshots()

    class Listening(screenshots.Browser):  # type: ignore[name-defined, misc]  # of a script
        def __init__(self, chromium: str) -> None:
            self.events: list[dict[str, Any]] = []
            super().__init__(chromium)

        def _read(self) -> dict[str, Any] | None:
            message: dict[str, Any] | None = super()._read()
            if message and "method" in message:
                self.events.append(message)
            return message

    with Listening(str(shutil.which("chromium"))) as browser:
        yield Reader(browser, page, folder / "saved")


def test_the_first_screen_answers_without_scrolling(reader: Reader) -> None:
    reader.open()
    lowest = reader.run(
        "Math.max(...['h1', '.facts', '.findings li:last-child', '.verdicts div:last-child']"
        ".map((one) => document.querySelector(one).getBoundingClientRect().bottom))"
    )
    assert lowest <= 800
    assert reader.run("document.querySelectorAll('.findings li').length") == 5
    facts = reader.run("document.querySelector('.facts').innerText")
    assert all(word in facts for word in ("400", "seed", "7", "0.1.0", "2024-01-01"))


def test_search_slider_and_order_change_the_heatmap(reader: Reader) -> None:
    reader.open()
    reader.explore()
    features = "[...new Set([...document.querySelectorAll('.cells rect')].map((r) => r.dataset.feature))]"
    everything = reader.run(features)
    reader.set("search", "height")
    assert reader.run(features) == ["height_cm"]
    reader.set("search", "")
    reader.set("order", "alphabetical")
    assert reader.run(features) == sorted(everything, key=lambda name: (name[0].isalpha(), name.lower()))
    reader.set("order", "clustered")
    assert sorted(reader.run(features)) == sorted(everything)
    reader.set("least", "0.3")
    kept = reader.run(features)
    assert 0 < len(kept) < len(everything)
    assert f"{len(kept)} of {len(everything)} features" in reader.run("document.querySelector('.said').textContent")
    reader.set("least", "0.6")
    assert "No pair is like that" in reader.run("document.querySelector('.heat').textContent")
    reader.set("least", "0")
    reader.set("group", "1")
    assert len(reader.run(features)) == len(everything)


def test_enter_on_a_cell_opens_its_panel_and_arrows_walk(reader: Reader) -> None:
    reader.open()
    reader.explore()
    event = "new KeyboardEvent('keydown', {{key: '{0}', bubbles: true}})"
    press = f"(() => {{{{ document.activeElement.dispatchEvent({event}); }}}})()"
    first = reader.run(f"({CELL}.focus(), {CELL}.dataset.feature)")
    reader.run(press.format("ArrowRight"))
    reader.run(press.format("ArrowDown"))
    second = reader.run("document.activeElement.dataset.feature")
    assert second != first
    reader.run(press.format("Enter"))
    assert reader.run("document.activeElement.textContent").startswith(f"{second} and ")
    assert reader.run("document.querySelectorAll('.pair svg').length") == 1
    rows = reader.run("[...document.querySelectorAll('.pair tbody tr')].map((row) => row.innerText)")
    assert len(rows) == 12, "three tests, by the aggregate and three raters"
    assert all("dependent" in row or "not rejected" in row or "not run: " in row for row in rows)
    reader.run(press.format("Escape"))
    assert reader.run("document.querySelector('.pair').hidden") is True


def test_a_table_sorts_and_filters(reader: Reader) -> None:
    reader.open()
    column = (
        "[...document.querySelectorAll('#dependence table.sortable tbody tr:not([hidden])')]"
        ".map((r) => r.cells[{0}].innerText)"
    )
    press = "document.querySelectorAll('#dependence table.sortable thead th')[{0}].querySelector('button').click()"
    reader.run(press.format(2))
    down = [float(text) for text in reader.run(column.format(2)) if text]
    reader.run(press.format(2))
    up = [float(text) for text in reader.run(column.format(2)) if text]
    assert down == up[::-1] == sorted(down, reverse=True)
    reader.run(press.format(0))
    named = reader.run(column.format(0))
    assert named == sorted(named, key=str.lower)
    reader.run(
        "(() => { const i = document.querySelector('#dependence .filter input'); i.value = 'gender open';"
        " i.dispatchEvent(new Event('input')); })()"
    )
    assert reader.run(column.format(0)) == ["gender"]


def test_downloads_can_be_read_back(reader: Reader) -> None:
    reader.open()
    reader.explore()
    buttons = "[...document.querySelectorAll('#explorer > .get button')].find((b) => b.textContent === '{0}').click()"
    svg = reader.saved(buttons.format("SVG"), ".svg").decode()
    assert svg.startswith("<svg")
    assert "var(" not in svg
    assert "height_cm" in svg
    with Image.open(io.BytesIO(reader.saved(buttons.format("PNG"), ".png"))) as image:
        assert image.width > 600
        assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 20
    rows = list(csv.DictReader(io.StringIO(reader.saved(buttons.format("CSV"), ".csv").decode("utf-8-sig"))))
    assert len(rows) == 50
    assert {row["test"] for row in rows} == {"KCI"}
    figure = "document.querySelector('#people .chart .get button:last-child')"
    table = list(csv.reader(io.StringIO(reader.saved(f"{figure}.click()", ".csv").decode("utf-8-sig"))))
    assert table[0][:2] == ["label", "people"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (2560, "light")])
def test_no_width_is_too_narrow_and_nothing_is_too_pale(reader: Reader, width: int, scheme: str) -> None:
    reader.open(width, 900, scheme)
    reader.run("dispatchEvent(new Event('beforeprint'))")
    assert reader.run("document.documentElement.scrollWidth <= innerWidth") is True
    reader.run(f"{CELL}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
    assert reader.run("document.documentElement.scrollWidth <= innerWidth") is True
    if not AXE.is_file():
        pytest.skip("no axe-core (npm ci --ignore-scripts in scripts/report_bundle)")
    reader.run(f"{AXE.read_text(encoding='utf-8')};0")
    found = reader.run(
        "axe.run({resultTypes: ['violations']}).then((r) => r.violations.filter((v) => ['serious', 'critical']"
        ".includes(v.impact)).map((v) => v.id + ': ' + v.nodes[0].html.slice(0, 200)))"
    )
    assert found == []


def test_the_pdf_loses_nothing(reader: Reader) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext, which reads the PDF back (apt-get install poppler-utils)")
    reader.open()
    printed = base64.b64decode(reader.browser.call("Page.printToPDF", printBackground=True)["data"])
    read = subprocess.run(["pdftotext", "-", "-"], input=printed, capture_output=True, check=True)
    words = " ".join(read.stdout.decode().split())
    for said in ("What we found", "seed", "0.1.0", "numpy 2.4.0", "What is assumed", "Openness", "KCI", "references"):
        assert said.lower() in words.lower(), said
    assert f"Study {SCRIPT}" in words


def test_every_section_has_its_picture(reader: Reader, tmp_path: Path) -> None:
    reader.open()
    names = _screenshots().every_section(reader.browser, reader.page, tmp_path)
    assert {"answer", "dependence", "latents", "people", "methods"} <= set(names)
    assert {path.stem for path in tmp_path.iterdir()} == set(names)
    with Image.open(tmp_path / "dependence.png") as image:
        assert image.width == 1280
        assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 20
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    shown = [path.stem for path in (ROOT / "docs" / "images" / "sections").iterdir()]
    assert [name for name in shown if f"images/sections/{name}.png" not in text] == []


def test_the_page_says_nothing_on_the_console_and_asks_nobody(reader: Reader) -> None:
    """Last of the file: over all that the tests above did."""
    assert reader.faults() == []
    assert reader.requests() == []
    assert reader.run("document.querySelectorAll('main script:not([type]), main b, main i:not(.key)').length") == 0
