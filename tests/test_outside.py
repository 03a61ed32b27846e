"""Parts of another package, one file each: in help, study, report and docs, and checked by our kits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TEST = '''
"""A test of independence: the correlation of ranks, by permutation."""
import numpy as np
from scipy.stats import rankdata

from personax.errors import UntestableError
from personax.independence import TestResult
from personax.registry import register


@register("tests", "toy-ranks", title="Toy ranks", help="correlation of ranks, by permutation", given="without")
def ranks(x, y, z=None, *, rng=None):
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim > 1 or len(x) != len(y) or len(x) < 5 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UntestableError("one column each, of five rows without a missing value")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise UntestableError("a column is constant")
    a, b = rankdata(x), rankdata(y)
    r = abs(np.corrcoef(a, b)[0, 1])
    drawn = [abs(np.corrcoef(rng.permutation(a), b)[0, 1]) for _ in range(99)]
    p = (1 + sum(one >= r - 1e-12 for one in drawn)) / 100
    return TestResult(r, p, min(r, 1.0), len(x), "permutation", {"effect_name": "rank correlation"})
'''

SOURCE = '''
"""A source of invented people, that asks no page."""
from datetime import date
from typing import ClassVar

from personax.registry import register
from personax.sources import Origin, Record
from personax.strict import Strict


@register("sources", "toy-club", title="Toy club")
class Club(Strict):
    """Members of a club that does not exist."""

    name: ClassVar[str] = "toy-club"
    n: int = 40
    hosts: ClassVar[tuple[str, ...]] = ()

    async def collect(self, fetch, limit=None):
        for k in range(min(self.n, limit or self.n)):
            origin = Origin("toy-club", "members", "", "0" * 64)
            values = {"name": f"Person {chr(65 + k % 26)}{chr(97 + k // 26)}", "birth_date": date(1990, 1, 1 + k % 28),
                      "height_cm": 160.0 + k % 30, "weight_kg": 50.0 + k % 30 + (k % 3)}
            yield Record("toy-club", str(k), values, dict.fromkeys(values, origin))
'''

SECTION = '''
"""A section of the report."""
from markupsafe import Markup

from personax.registry import register


@register("report_sections", "toy-note", title="Toy note", help="how many people there are")
def note(study):
    return Markup("<p>There are {} people here; 1 &lt; 2.</p>").format(study.data.people.count)


@register("report_sections", "toy-broken", title="Toy broken", help="a section that fails")
def broken(study):
    return 1 / 0
'''

TRANSFORM = '''
"""A transform: signs of coordinates by the key."""
from personax.registry import register
from personax.release.transforms import Step


@register("transforms", "toy-signs", title="Toy signs", help="some coordinates change their sign")
class Signs(Step):
    """Change the signs that the key draws."""

    def __init__(self, dim, draws):
        super().__init__(dim, draws)
        self.signs = draws.signs("signs", dim)

    def forward(self, x):
        return x * self.signs.astype(x.dtype)

    def inverse(self, y):
        return self.forward(y)
'''

ENCODER = '''
"""An encoder of texts: how often each of five letters occurs."""
import numpy as np

from personax.embed import Card, Truncation
from personax.registry import register


@register("encoders", "toy-letters", title="Toy letters", help="5 numbers: counts of letters", modality="text")
class Letters:
    def __init__(self, options):
        self.card = Card("toy letters", "text", 5, preprocessing={"letters": "aeiou"})

    def encode(self, items):
        return np.array([[text.count(letter) for letter in "aeiou"] for text in items], dtype=np.float32).reshape(-1, 5)

    def truncation(self, texts):
        return Truncation()
'''

POINTS = """
[personax.transforms]
toy-signs = toy_transform:Signs
[personax.encoders]
toy-letters = toy_encoder:Letters
[personax.tests]
toy-ranks = toy_test:ranks
[personax.sources]
toy-club = toy_source:Club
[personax.report_sections]
toy-note = toy_section:note
toy-broken = toy_section:broken
"""

STUDY = """
name: outside
seed: 1
collect: {source: several, contact: a@example.org, sources: [{source: toy-club, n: 36}]}
independence: {features: [height_cm], targets: [weight_kg], tests: [toy-ranks, kci], figures: false}
"""

LISTS = """
import importlib.util, json
from typer.testing import CliRunner
from personax.cli import app
from personax.testing import check_encoder, check_source, check_test, check_transform
from toy_source import Club

check_transform("toy-signs")
check_encoder("toy-letters")
check_test("toy-ranks", times=60)
check_source(Club(n=5))
spec = importlib.util.spec_from_file_location("hooks", "docs/hooks.py")
hooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hooks)
commands = {"independence": ["independence", "--help"], "collect": ["collect", "--help"], "parts": ["parts", "--json"]}
told = {name: CliRunner().invoke(app, command).output for name, command in commands.items()}
told["docs"] = hooks.on_page_markdown(
    "before <!-- registered: tests --> <!-- registered: sources --> <!-- registered: encoders -->")
print(json.dumps(told))
"""

RUN = """
import sys
from personax.study import Study
study = Study.load(sys.argv[1])
print([outcome.ran for outcome in study.run()], [outcome.ran for outcome in study.run()])
"""

RELEASE = """
import sys
import numpy as np
import polars as pl
from personax.release import load_key
from personax.release.undo import undo
from personax.study import Study
study = Study.load(sys.argv[1])
study.run()
folder = study.folder.root
back = undo(folder / "release", load_key(folder / "keys" / "release.key"), folder / "keys" / "fitted")["text"]
kept = pl.read_parquet(folder / "embeddings" / "text.parquet")
name = kept.columns[1]
rows = {one.tobytes() for one in kept[name].to_numpy()}
print(sum(one.tobytes() in rows for one in back[name].to_numpy()), back.height)
"""

RELEASED = """
name: outside release
seed: 1
collect: {source: simulate, n: 60, images: false, text_dim: 16, image_dim: 16}
annotate: {source: simulate}
embed: {source: simulate}
release: {transform: toy-signs, audit: false}
"""


ENCODED = """
name: outside encoder
seed: 1
collect: {source: simulate, n: 30, images: false}
embed: {source: models, text: {life: {model: toy-letters}}}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package, as pip lays it out."""
    site = tmp_path_factory.mktemp("site")
    info = site / "toy_parts-1.0.dist-info"
    info.mkdir()
    for name, text in (
        ("toy_test", TEST),
        ("toy_source", SOURCE),
        ("toy_section", SECTION),
        ("toy_transform", TRANSFORM),
        ("toy_encoder", ENCODER),
    ):
        (site / f"{name}.py").write_text(text, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-parts\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(POINTS, encoding="utf-8")
    return site


def run(site: Path, *command: str, cwd: Path = ROOT) -> str:
    path = os.pathsep.join([str(site), *sys.path])
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "300"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_help_docs_and_lists_name_them_and_our_kits_check_them(site: Path) -> None:
    told = json.loads(run(site, "-c", LISTS))
    assert "toy-ranks" in told["independence"]
    assert "toy-club" in told["collect"]
    mine = {(p["kind"], p["name"]): p["package"] for p in json.loads(told["parts"]) if p["name"].startswith("toy-")}
    assert mine == {
        ("tests", "toy-ranks"): "toy-parts",
        ("sources", "toy-club"): "toy-parts",
        ("report_sections", "toy-note"): "toy-parts",
        ("report_sections", "toy-broken"): "toy-parts",
        ("transforms", "toy-signs"): "toy-parts",
        ("encoders", "toy-letters"): "toy-parts",
    }
    assert "| `toy-ranks` | Toy ranks | correlation of ranks, by permutation | toy-parts |" in told["docs"]
    assert "| `toy-club` | Toy club | Members of a club that does not exist. | toy-parts |" in told["docs"]
    assert "| `toy-letters` | Toy letters | 5 numbers: counts of letters | toy-parts |" in told["docs"]
    assert "| `minilm` | MiniLM | 384 numbers; Apache-2.0 | personax |" in told["docs"]
    assert "| `kci` | KCI | a kernel test" in told["docs"]


def test_they_run_in_a_study_and_stand_in_the_report(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY, encoding="utf-8")
    told = run(site, "-c", RUN, str(file), cwd=tmp_path)
    assert told.strip() == "[True, True, True] [False, False, False]", "with nothing changed nothing runs again"
    page = next(tmp_path.rglob("index.html")).read_text(encoding="utf-8")
    assert '<li><a href="#toy-note">Toy note</a></li>' in page
    assert '<section id="toy-note">\n<h2>Toy note</h2>\n<p>There are 36 people here; 1 &lt; 2.</p>' in page
    assert "The package toy-parts could not make this section (ZeroDivisionError: division by zero)." in page
    assert "Toy ranks" in page
    assert "correlation of ranks, by permutation" in page
    table = next(tmp_path.rglob("pvalues_toy-ranks.csv")).read_text(encoding="utf-8")
    assert table.splitlines()[1].startswith("height_cm,0.01")


def test_a_transform_runs_in_a_study_and_comes_back(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(RELEASED, encoding="utf-8")
    back, people = run(site, "-c", RELEASE, str(file), cwd=tmp_path).split()
    assert int(back) == int(people) > 0


def test_an_encoder_runs_in_a_study_and_is_told_of(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(ENCODED, encoding="utf-8")
    told = run(site, "-c", RUN, str(file), cwd=tmp_path)
    assert told.strip() == "[True, True, True] [False, False, False]", "with nothing changed nothing runs again"
    cards = json.loads(next(tmp_path.rglob("encoders.json")).read_text(encoding="utf-8"))
    assert (cards["text/life"]["name"], cards["text/life"]["dim"]) == ("toy letters", 5)
