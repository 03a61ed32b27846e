"""Take pictures of a report as a laptop and a phone show it, in light and in dark.

    python docs/screenshots.py my-study/report/index.html docs/images --section dependence
    python docs/screenshots.py my-study/report/index.html docs/images/sections --every    one picture a section

Speaks the browser's DevTools protocol over a pipe (two file descriptors, messages ended by a NUL byte): no port is
opened, nothing is installed, and the width of a phone is a real one, which a headless window's is not.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
WIDTHS = {"desktop": (1280, 800, 1.0), "phone": (390, 844, 2.0)}
SECONDS = 60
DRAW = (
    "document.querySelectorAll('.chart').forEach(page.draw); dispatchEvent(new Event('beforeprint'));"
    " dispatchEvent(new Event('afterprint'));"
)
"""Figures are drawn when they come into view; a picture needs all of them."""

SECTIONS = "JSON.stringify([...document.querySelectorAll('main > section[id]')].map((one) => one.id))"

PICK = (
    "(() => {{ const cell = document.querySelector('.cells rect[data-feature={0}][data-target={1}]') "
    "?? document.querySelector('.cells rect'); cell.dispatchEvent(new MouseEvent('click', {{bubbles: true}})); }})()"
)
"""Opens a pair of the heatmap, or its first."""


class Browser:
    """Headless Chromium with one page, gone at the end of the ``with`` block whatever happens in it."""

    def __init__(self, chromium: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands_in, self._commands = os.pipe()
        self._answers, answers_out = os.pipe()
        self._process = subprocess.Popen(
            [chromium, *FLAGS, f"--user-data-dir={self._profile.name}"],
            # The browser reads from descriptor 3 and writes to descriptor 4.
            preexec_fn=lambda: (os.dup2(commands_in, 13), os.dup2(answers_out, 14), os.dup2(13, 3), os.dup2(14, 4)),
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(commands_in)
        os.close(answers_out)
        os.set_blocking(self._answers, False)
        self._number, self._unread, self._session = 0, b"", ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._profile.cleanup()

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            answer = self._read()
            if answer is not None and answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])
        raise TimeoutError(f"the browser did not answer {method} within {SECONDS} s")

    def _read(self) -> dict[str, Any] | None:
        """Return the next message, or None when there is none yet."""
        if b"\0" not in self._unread:
            try:
                self._unread += os.read(self._answers, 1 << 20)
            except BlockingIOError:
                time.sleep(0.01)
        head, mark, rest = self._unread.partition(b"\0")
        if not mark:
            return None
        self._unread = rest
        return dict(json.loads(head))

    def evaluate(self, script: str) -> object:
        """Run a line of JavaScript in the page and return its value."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def open(self, page: Path, device: str, scheme: str) -> None:
        """Open a page on a device in the light or dark scheme."""
        width, height, scale = WIDTHS[device]
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": device == "phone"}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url=page.resolve().as_uri())
        end = time.monotonic() + SECONDS
        while self.evaluate("document.readyState + location.protocol") != "completefile:":
            if time.monotonic() > end:
                raise TimeoutError(f"{page} did not load within {SECONDS} s")
            time.sleep(0.05)

    def screen(self) -> bytes:
        """Return a PNG of what a reader sees without scrolling."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def picture(self, section: str | None) -> bytes:
        """Return a PNG of the first five screens of the page, or of a section by its id."""
        query = f"document.getElementById({json.dumps(section)})" if section else "document.documentElement"
        self.evaluate(DRAW)
        box = self.evaluate(
            f"(() => {{ const b = {query}.getBoundingClientRect();"
            " return {x: 0, y: b.top + scrollY, width: innerWidth, scale: 1,"
            " height: Math.min(b.height, 5 * innerHeight)}; })()"
        )
        shot = self.call("Page.captureScreenshot", format="png", clip=box, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


def save(png: bytes, path: Path) -> None:
    """Write a picture in 256 colours, which is a third of its bytes and looks the same on a page of flat colours."""
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def every_section(browser: Browser, page: Path, out: Path) -> list[str]:
    """Write ``<section>.png`` of each section of a page as a laptop shows it, and return their names."""
    browser.open(page, "desktop", "light")
    names = [str(one) for one in json.loads(str(browser.evaluate(SECTIONS)))]
    for name in names:
        save(browser.picture(name), out / f"{name}.png")
    return names


def main() -> None:
    """Write ``report-<device>-<scheme>.png`` for every device and scheme."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path, help="the report, for example my-study/report/index.html")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument(
        "--section", help="id of one section, for example dependence; the first five screens by default"
    )
    parser.add_argument("--every", action="store_true", help="a picture a section, by its id")
    parser.add_argument("--first", action="store_true", help="the first screen of a laptop alone, report-first.png")
    parser.add_argument("--pair", nargs=2, metavar=("FEATURE", "TRAIT"), help="a pair opened, report-pair.png")
    parser.add_argument("--chromium", default=CHROMIUM, help="the browser (default: %(default)s)")
    wanted = parser.parse_args()
    if not Path(wanted.chromium).is_file():
        parser.exit(message=f"no pictures: there is no {wanted.chromium} (apt-get install chromium)\n")
    wanted.out.mkdir(parents=True, exist_ok=True)
    name = wanted.section or "report"
    with Browser(wanted.chromium) as browser:
        if wanted.every:
            every_section(browser, wanted.page, wanted.out)
            return
        if wanted.first or wanted.pair:
            browser.open(wanted.page, "desktop", "light")
        if wanted.first:
            save(browser.screen(), wanted.out / "report-first.png")
        if wanted.pair:
            browser.evaluate(DRAW)
            browser.evaluate(PICK.format(*map(json.dumps, wanted.pair)))
            browser.evaluate("document.querySelector('.said').scrollIntoView()")
            save(browser.screen(), wanted.out / "report-pair.png")
        if wanted.first or wanted.pair:
            return
        for device in WIDTHS:
            for scheme in ("light", "dark"):
                browser.open(wanted.page, device, scheme)
                if browser.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    raise SystemExit(f"the page is wider than the {device}")
                save(browser.picture(wanted.section), wanted.out / f"{name}-{device}-{scheme}.png")


if __name__ == "__main__":
    main()
