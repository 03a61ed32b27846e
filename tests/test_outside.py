"""Parts of another package, one file each: in help, study, report and docs, and checked by our kits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from tests.processes import Interpreter

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


@register("sources", "toy-club", title="Toy club", sport="curling",
          terms={"attribution": "Toy club", "reference": "https://toy.example/terms"})
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

FILE_SOURCE = '''
"""A source of a file: one name and one height a line."""
from pathlib import Path
from typing import Literal

import polars as pl

from personax.data.table import Table
from personax.errors import InputError
from personax.files import sha256
from personax.registry import register
from personax.schema import Column, Provenance
from personax.sources import BAD_CELLS, FileSource, PeopleTable, table_notices


@register("sources", "toy-list", title="Toy list", reads="file")
class Members(FileSource):
    """Members as a list of names and heights."""

    source: Literal["toy-list"] = "toy-list"
    unit: Literal["cm", "m"] = "cm"

    def read(self, root: Path) -> PeopleTable:
        path = root / self.path
        try:
            rows = [line.split(":") for line in path.read_text(encoding="utf-8").splitlines()]
            heights = [float(row[1]) * (100 if self.unit == "m" else 1) for row in rows]
        except (OSError, ValueError, IndexError):
            raise InputError(f"{path} is no list of name:height; check the file") from None
        if not rows:
            raise InputError(f"{path} is empty; write one name:height a line")
        columns = [Column("id", "id", "nominal"), Column("name", "private", "nominal"),
                   Column("height_cm", "feature", "continuous", "cm")]
        people = pl.DataFrame({"id": [str(k) for k in range(len(rows))], "name": [row[0] for row in rows],
                               "height_cm": heights})
        bad = pl.DataFrame(schema=BAD_CELLS)
        origin = Provenance("toy-list", path.name, sha256(path), people.height)
        return PeopleTable(Table(people, columns, origin), bad, table_notices(people, bad))
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
from personax.release.transforms import TransformStep


@register("transforms", "toy-signs", title="Toy signs", help="some coordinates change their sign")
class Signs(TransformStep):
    """Change the signs that the key draws."""

    def __init__(self, dim, stream):
        super().__init__(dim, stream)
        self.signs = stream.signs("signs", dim)

    def transform(self, x):
        return x * self.signs.astype(x.dtype)

    def inverse_transform(self, y):
        return self.transform(y)
'''

ATTACK = '''
"""A linkage attack: nearest neighbours of the sizes of coordinates."""
import numpy as np

from personax.registry import register


@register("attacks", "toy-sizes", title="toy sizes", help="sizes of coordinates", campaign="originals")
def sizes(x, y, rng):
    a, b = (np.abs(rows.vectors) for rows in (x, y))
    return np.array([np.square(b - row).sum(axis=1).argmin() for row in a])
'''

TRAITS = '''
"""Two traits that are none of the Big Five, and a rating model."""
import numpy as np

from personax.registry import register
from personax.schema import Trait, TraitFramework
from personax.traits.rating_models import ScoreEstimate

pair = register("trait_frameworks", "toy-pair", title="Toy pair", help="warmth and zeal")(
    TraitFramework(
        "toy-pair",
        [
            Trait("warmth", "w", "warm, rather than cold", ("cold", "harsh"), ("warm", "kind")),
            Trait("zeal", "z", "keen, rather than idle", ("idle", "lazy"), ("keen", "eager")),
        ],
    )
)


@register("rating_models", "toy-lowest", title="Toy lowest", help="the lowest score that any rater gives")
def lowest(ratings):
    score = np.where(ratings.counts > 0, np.fmin.reduce(ratings.matrix), np.nan)
    return ScoreEstimate.without_sd(score, "the lowest score has no model")
'''

ENCODER = '''
"""An encoder of texts: how often each of five letters occurs."""
import numpy as np

from personax.embed import EncoderCard, Truncation
from personax.registry import register


@register("encoders", "toy-letters", title="Toy letters", help="5 numbers: counts of letters", modality="text")
class Letters:
    def __init__(self, options):
        self.card = EncoderCard("toy letters", "text", 5, preprocessing={"letters": "aeiou"})

    def encode(self, items):
        return np.array([[text.count(letter) for letter in "aeiou"] for text in items], dtype=np.float32).reshape(-1, 5)

    def truncation(self, texts):
        return Truncation()
'''

POINTS = """
[personax.attacks]
toy-sizes = toy_attack:sizes
[personax.transforms]
toy-signs = toy_transform:Signs
[personax.encoders]
toy-letters = toy_encoder:Letters
[personax.tests]
toy-ranks = toy_test:ranks
[personax.sources]
toy-club = toy_source:Club
toy-list = toy_file_source:Members
[personax.trait_frameworks]
toy-pair = toy_traits:pair
[personax.rating_models]
toy-lowest = toy_traits:lowest
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
import importlib.util, json, pathlib, tempfile
from typer.testing import CliRunner
from personax.cli import app
from personax.release.packaging._licences import source_terms
from personax.sources import Record
from personax.sources.record_linkage._comparison import linkage_fields
from personax.testing import check_attack, check_encoder, check_source, check_test, check_transform
from personax.testing import check_rating_model, check_trait_framework
from toy_source import Club
from toy_file_source import Members

check_attack("toy-sizes")
check_rating_model("toy-lowest")
check_trait_framework("toy-pair")
check_transform("toy-signs")
check_encoder("toy-letters")
check_test("toy-ranks", times=60)
check_source(Club(n=5))
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "a.txt").write_text("Ann:170\\nBo:180\\n", encoding="utf-8")
check_source(Members(path="a.txt"), root=folder)
spec = importlib.util.spec_from_file_location("hooks", "docs/hooks.py")
hooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hooks)
commands = {"independence": ["independence", "--help"], "collect": ["collect", "--help"], "parts": ["parts", "--json"]}
told = {name: CliRunner().invoke(app, command).output for name, command in commands.items()}
told["terms"] = [source_terms()["toy-club"].attribution, *source_terms()["toy-club"].clauses]
told["sport"] = linkage_fields(Record("toy-club", "1", {"name": "Ann"}, {})).sport
kinds = ("tests", "sources", "encoders", "attacks")
told["docs"] = "".join(map(hooks.listing, kinds))
print(json.dumps(told))
"""

RUN = """
import sys
from personax.study import Study
study = Study.load(sys.argv[1])
print([outcome.ran for outcome in study.run()], [outcome.ran for outcome in study.run()])
"""

FAULT = """
import sys
from personax.errors import PlanError
from personax.study import Study
try:
    Study.load(sys.argv[1])
except PlanError as error:
    print(error)
"""

RELEASE = """
import sys
import numpy as np
import polars as pl
from personax.release import audit_vectors, invert, load_key
from personax.study import Study
study = Study.load(sys.argv[1])
study.run()
folder = study.folder.root
back = invert(folder / "release", load_key(folder / "keys" / "release.key"), folder / "keys" / "fitted")["text"]
kept = pl.read_parquet(folder / "embeddings" / "text.parquet")
name = kept.columns[1]
rows = {one.tobytes() for one in kept[name].to_numpy()}
print(sum(one.tobytes() in rows for one in back[name].to_numpy()), back.height)
original = back[name].to_numpy()
released = pl.read_parquet(folder / "release" / "data" / "text").sort("id")[name].to_numpy()
report = audit_vectors(original, released, network=False, rng=np.random.default_rng(0)).to_dict()
originals = next(one for one in report["campaigns"] if one["name"] == "originals")
print([one["value"] for one in originals["attacks"] if one["name"] == "toy sizes"])
"""

RELEASED = """
name: outside release
seed: 1
collect: {source: simulate, n: 60, images: false, text_dim: 16, image_dim: 16}
annotate: {source: simulate}
embed: {source: simulate}
release: {transform: toy-signs, audit: false}
"""

RATED = """
name: outside traits
seed: 1
collect: {source: table, path: people.csv}
annotate: {source: lexicon, framework: toy-pair, rule: toy-lowest}
release: {audit: false}
independence: {features: [height_cm], tests: [chisq], figures: false}
"""


ENCODED = """
name: outside encoder
seed: 1
collect: {source: simulate, n: 30, images: false}
embed: {source: models, text: {life: {model: toy-letters}}}
"""

READ_BACK = """
name: outside traits read back
seed: 1
collect: {{source: release, from: {folder}}}
annotate: {{source: release, framework: toy-pair}}
independence: {{features: [height_cm], tests: [chisq], figures: false}}
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interpreter]:
    """A Python with an installed package, as pip lays it out."""
    site = tmp_path_factory.mktemp("site")
    info = site / "toy_parts-1.0.dist-info"
    info.mkdir()
    for name, text in (
        ("toy_test", TEST),
        ("toy_source", SOURCE),
        ("toy_file_source", FILE_SOURCE),
        ("toy_section", SECTION),
        ("toy_transform", TRANSFORM),
        ("toy_attack", ATTACK),
        ("toy_traits", TRAITS),
        ("toy_encoder", ENCODER),
    ):
        (site / f"{name}.py").write_text(text, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-parts\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(POINTS, encoding="utf-8")
    made = Interpreter(tmp_path_factory.mktemp("said") / "said", [site])
    yield made
    made.close()


def test_help_docs_and_lists_name_them_and_our_kits_check_them(python: Interpreter) -> None:
    told = json.loads(python.run(LISTS, cwd=ROOT))
    assert "toy-ranks" in told["independence"]
    assert "toy-club" in told["collect"]
    mine = {(p["kind"], p["name"]): p["package"] for p in json.loads(told["parts"]) if p["name"].startswith("toy-")}
    assert mine == {
        ("attacks", "toy-sizes"): "toy-parts",
        ("tests", "toy-ranks"): "toy-parts",
        ("sources", "toy-club"): "toy-parts",
        ("sources", "toy-list"): "toy-parts",
        ("report_sections", "toy-note"): "toy-parts",
        ("report_sections", "toy-broken"): "toy-parts",
        ("transforms", "toy-signs"): "toy-parts",
        ("trait_frameworks", "toy-pair"): "toy-parts",
        ("rating_models", "toy-lowest"): "toy-parts",
        ("encoders", "toy-letters"): "toy-parts",
    }
    assert "| `toy-ranks` | Toy ranks | correlation of ranks, by permutation | toy-parts |" in told["docs"]
    assert told["terms"] == ["Toy club", "consent", "attribution"]
    assert told["sport"] == "curling"
    assert "| `toy-list` | Toy list | Members as a list of names and heights. | toy-parts |" in told["docs"]
    assert "| `toy-club` | Toy club | Members of a club that does not exist. | toy-parts |" in told["docs"]
    assert "| `toy-letters` | Toy letters | 5 numbers: counts of letters | toy-parts |" in told["docs"]
    assert "| `minilm` | MiniLM | 384 numbers; Apache-2.0 | personax |" in told["docs"]
    assert "| `kci` | KCI | a kernel test" in told["docs"]
    assert "| `toy-sizes` | toy sizes | sizes of coordinates | toy-parts |" in told["docs"]


def test_they_run_in_a_study_and_stand_in_the_report(python: Interpreter, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY, encoding="utf-8")
    told = python.run(RUN, file, cwd=tmp_path)
    assert told.strip() == "[True, True, True] [False, False, False]", "with nothing changed nothing runs again"
    page = next(tmp_path.rglob("index.html")).read_text(encoding="utf-8")
    assert '<li><a href="#toy-note">Toy note</a></li>' in page
    assert '<section id="toy-note">\n<h2>Toy note</h2>\n<p>There are 36 people here; 1 &lt; 2.</p>' in page
    assert "The package toy-parts could not make this section (ZeroDivisionError: division by zero)." in page
    assert "Toy ranks" in page
    assert "correlation of ranks, by permutation" in page
    table = next(tmp_path.rglob("pvalues_toy-ranks.csv")).read_text(encoding="utf-8")
    assert table.splitlines()[1].startswith("height_cm,0.01")


@pytest.mark.parametrize("within", [False, True])
def test_a_source_of_files_runs_in_a_study(python: Interpreter, tmp_path: Path, within: bool) -> None:
    (tmp_path / "members.txt").write_text("".join(f"Ann {k}:1.{60 + k % 30}\n" for k in range(40)), encoding="utf-8")
    block = "{source: toy-list, path: members.txt, unit: m}"
    collect = f"{{source: several, sources: [{block}]}}" if within else block
    file = tmp_path / "study.yaml"
    file.write_text(f"name: members\nseed: 1\ncollect: {collect}\n", encoding="utf-8")
    assert python.run(RUN, file, cwd=tmp_path).split("]")[1].strip(" [") == "False, False"
    people = pl.read_parquet(next(tmp_path.rglob("people.parquet")))
    assert people.height == 40
    assert people["height_cm"][3] == pytest.approx(163.0)
    file.write_text(f"name: members\nseed: 1\ncollect: {collect.replace('unit: m', 'unti: m')}\n", encoding="utf-8")
    told = python.run(FAULT, file, cwd=tmp_path)
    assert "unknown key unti; did you mean unit?" in told


def test_a_transform_and_an_attack_run_in_a_study(python: Interpreter, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(RELEASED, encoding="utf-8")
    back, people, *rates = python.run(RELEASE, file, cwd=tmp_path).split()
    assert int(back) == int(people) > 0
    assert rates == ["[1.0]"], "it finds everybody, for signs are all that the toy transform changes"


def test_other_traits_are_scored_tested_and_shown(python: Interpreter, tmp_path: Path) -> None:
    """By lexicon and rating model, in Level I, the report, a release, and a study of that release."""
    words = {(1, 1): "kind and keen", (1, 0): "kind and idle", (0, 1): "harsh and eager", (0, 0): "cold and lazy"}
    tall = [(k * 7 % 10) / 10 > 0.45 for k in range(80)]
    rows = [f"p{k},{170 + 10 * t + k % 3},A {words[int(t), k % 2]} person." for k, t in enumerate(tall)]
    (tmp_path / "people.csv").write_text("\n".join(["id,height_cm,biography", *rows]), encoding="utf-8")
    file = tmp_path / "study.yaml"
    file.write_text(RATED, encoding="utf-8")
    told = python.run(RUN, file, cwd=tmp_path)
    assert told.strip() == "[True, True, True, True, True] [False, False, False, False, False]"
    tests = next(tmp_path.rglob("pvalues_chisq.csv")).read_text(encoding="utf-8").splitlines()
    assert tests[0] == "feature,final_w,final_z,lexicon_w,lexicon_z"
    _, warmth, zeal, *_ = tests[1].split(",")
    assert float(warmth) < 1e-6 < 0.05 < float(zeal)
    page = next(tmp_path.rglob("index.html")).read_text(encoding="utf-8")
    assert "Warmth" in page
    assert "Openness" not in page
    folder = next(path.parent for path in tmp_path.rglob("SHA256SUMS"))
    assert "warmth, over all raters" in (folder / "columns.json").read_text(encoding="utf-8")
    again = tmp_path / "again.yaml"
    again.write_text(READ_BACK.format(folder=folder), encoding="utf-8")
    python.run(RUN, again, cwd=tmp_path)
    tables = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("pvalues_chisq.csv")]
    assert sum("final_w,final_z" in text for text in tables) == 2


def test_an_encoder_runs_in_a_study_and_is_told_of(python: Interpreter, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(ENCODED, encoding="utf-8")
    told = python.run(RUN, file, cwd=tmp_path)
    assert told.strip() == "[True, True, True] [False, False, False]", "with nothing changed nothing runs again"
    cards = json.loads(next(tmp_path.rglob("encoders.json")).read_text(encoding="utf-8"))
    assert (cards["text/life"]["name"], cards["text/life"]["dim"]) == ("toy letters", 5)
