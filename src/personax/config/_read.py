"""The files that people write: a study, background knowledge, modalities."""

from __future__ import annotations

from pathlib import Path

from personax.config._plan import FORMAT, Plan
from personax.config._sections import Modalities
from personax.config._yaml import Document, parse, read_text, validated
from personax.discovery import Knowledge
from personax.errors import PlanError
from personax.traits import FrameworkDescription


def read_plan(path: Path) -> Plan:
    """Read and validate a study file.

    Parameters
    ----------
    path
        The study file, usually ``my-study/study.yaml``.

    Raises
    ------
    PlanError
        One sentence a fault: file, line, key, what is wrong, what was probably meant.
    """
    text = read_text(path)
    document = parse(path, text)
    _check_version(document)
    _take_in_framework(document)
    return validated(Plan, document)


def _take_in_framework(document: Document) -> None:
    """Put what a file of a trait framework says in the place of its name: the plan then holds what scores rest on.

    The file lies in the study file's folder or below: nothing outside of a study is read without permission.
    """
    section = document.settings.get("annotate")
    if not isinstance(section, dict):
        return
    named = section.get("framework")
    if not isinstance(named, str) or not named.lower().endswith((".yaml", ".yml")):
        return
    base = document.path.parent.resolve()
    if not (base / named).resolve().is_relative_to(base):
        text = (
            f"{document.path}, annotate.framework: {named} lies outside of the folder of the study file; copy it there"
        )
        raise PlanError(text)
    path = document.path.parent / named
    text = read_text(path, "file of a trait framework", "docs/traits.md shows one")
    described = parse(path, text, "docs/traits.md shows what a trait framework says")
    validated(FrameworkDescription, described)
    section["framework"] = described.settings


def read_knowledge(path: Path) -> Knowledge:
    """Read a file of background knowledge: the keys ``tiers``, ``forbidden`` and ``required``.

    Raises
    ------
    PlanError
        As `read_plan`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "known.yaml"
    ...     _ = file.write_text("tiers: [[sex], [height]]")
    ...     read_knowledge(file).tiers
    [['sex'], ['height']]
    """
    text = read_text(path, "file of background knowledge", "it holds tiers, forbidden and required causes")
    return validated(Knowledge, parse(path, text, "write for example `tiers: [[sex], [height]]`"))


def read_modalities(path: Path) -> Modalities:
    """Read a file that says which measurements belong to which modality: ``measurements``, ``latents``, ``shared``.

    Raises
    ------
    PlanError
        As `read_plan`; also when a modality has no measurement or no number of latents.
    """
    text = read_text(path, "file of modalities", "it holds measurements, latents and shared; see docs/crl.md")
    example = "write for example `measurements: {image: {face: face}}` and `latents: {image: 2}`"
    found = validated(Modalities, parse(path, text, example))
    for name in sorted({*found.latents} ^ {*found.measurements}):
        where = "measurements" if name in found.latents else "latents"
        raise PlanError(f"{path}: {name} stands not under {where}; give every modality both")
    for name, by in found.measurements.items():
        if not by:
            raise PlanError(f"{path}: measurements.{name} is empty; name its files, arrays or columns")
    return found


def _check_version(document: Document) -> None:
    version = document.settings.get("version", FORMAT)
    if isinstance(version, int) and version > FORMAT:
        text = f"is written for study format {version} and this personax reads up to {FORMAT}; upgrade personax"
        raise PlanError(f"{document.path} {text}")
    if type(version) is not int or version < 1:
        raise PlanError(f"{document.path}: version is the format of the file, a number from 1 to {FORMAT}: write 1")
