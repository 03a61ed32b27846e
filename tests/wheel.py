"""What `make wheel-test` runs with the Python of an environment that holds the installed wheel: bare, then with extras.

    python -I wheel.py bare FOLDER DIST     the base alone: doctor, a study, a sentence for what is missing
    python -I wheel.py demo FOLDER DIST     with what the demo needs: the whole demo

No test framework is here, and the source tree is not on the path: only what the wheel brings is used.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "personax"
PROGRAM = Path(sysconfig.get_path("scripts")) / "personax"
BARE = """\
name: bare
seed: 1
collect: {source: simulate, n: 60, text_dim: 24, image_dim: 16}
annotate: {source: simulate, lexicon: true}
embed: {source: simulate}
release: {rare_below: 5, audit: false}
independence: {tests: [chisq, kci], figures: false}
"""


def personax(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the installed program in a process of its own."""
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"personax {' '.join(words)} exits with {done.returncode}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done


def check_contents(dist: Path) -> None:
    """The wheel holds every file of the package and nothing else of the repository."""
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    expected = {f"personax/{path.relative_to(PACKAGE).as_posix()}" for path in ours}
    assert held == expected, f"missing {sorted(expected - held)}, too much {sorted(held - expected)}"


def check_installed() -> None:
    """What is imported is what was installed, and not a source tree that happens to be near."""
    import personax as package

    where = Path(str(package.__file__))
    assert where.is_relative_to(sys.prefix), where
    assert personax("--version").stdout.strip() == package.__version__


def check_finished(study: Path) -> None:
    """All stages that the study file asks for are done, and there is a page."""
    states = json.loads(personax("status", str(study), "--json").stdout)
    assert {one["state"] for one in states} <= {"done", "unasked"}, states
    assert (study / "report" / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>"), "no page"
    events = [json.loads(line) for line in (study / "run.log").read_text(encoding="utf-8").splitlines()]
    assert events[-1]["event"] == "run_done", events[-1]
    peak = max(one.get("peak_mb", 0) for one in events)
    print(f"{study.name}: {events[-1]['seconds']:.0f} s, {peak:.0f} MB")  # noqa: T201 - a program


def run_bare(folder: Path) -> None:
    """A study of the base alone, and one sentence where an extra is needed."""
    assert "pip install" in personax("doctor").stdout
    study = folder / "bare"
    study.mkdir()
    (study / "study.yaml").write_text(BARE, encoding="utf-8")
    personax("run", str(study))
    check_finished(study)
    assert not json.loads(personax("run", str(study), "--json").stdout)["stages"][0]["ran"], "it runs again"
    (study / "study.yaml").write_text(BARE + "crl: {latents: {text: 1, image: 1}}\n", encoding="utf-8")
    assert 'pip install "personax[crl]"' in personax("run", str(study), code=1).stderr


def check_level_two(study: Path) -> None:
    """What can be told apart is found and said to be; what is deliberately confounded is not."""
    found = study / "analysis" / "crl"
    rows = json.loads((found / "diagnostics.json").read_text(encoding="utf-8"))["identification"]
    verdicts = {row["latent"]: row["verdict"] for row in rows}
    told = {name for name, verdict in verdicts.items() if verdict == "identified"}
    assert told == {f"{modality}_{i}" for modality in ("text", "image") for i in (1, 2, 3)}, verdicts
    truth = json.loads((found / "metrics.json").read_text(encoding="utf-8"))["against the truth"]
    for modality in ("text", "image"):
        assert truth[modality]["MCC, Spearman"] > 0.95, truth[modality]


def run_demo(folder: Path) -> None:
    """The demo, whole."""
    personax("demo", "--out", str(folder / "demo"))
    check_finished(folder / "demo")
    check_level_two(folder / "demo")


def main() -> None:
    """Check what the first word says."""
    what, folder, dist = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    check_contents(dist)
    check_installed()
    {"bare": run_bare, "demo": run_demo}[what](folder)


if __name__ == "__main__":
    main()
