"""The files that people write: a study, background knowledge, modalities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from personax.config._plan import FORMAT, Plan
from personax.config._sections import Background, Modalities
from personax.config._yaml import parse, read_text, validated
from personax.errors import PlanError


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
    raw, root = parse(path, text)
    _check_version(path, raw)
    return validated(Plan, path, raw, root)


def read_background(path: Path) -> Background:
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
    ...     read_background(file).tiers
    [['sex'], ['height']]
    """
    text = read_text(path, "file of background knowledge", "it holds tiers, forbidden and required causes")
    raw, root = parse(path, text, "write for example `tiers: [[sex], [height]]`")
    return validated(Background, path, raw, root)


def read_modalities(path: Path) -> Modalities:
    """Read a file that says which measurements belong to which modality: ``measurements``, ``latents``, ``shared``.

    Raises
    ------
    PlanError
        As `read_plan`; also when a modality has no measurement or no number of latents.
    """
    text = read_text(path, "file of modalities", "it holds measurements, latents and shared; see docs/crl.md")
    raw, root = parse(path, text, "write for example `measurements: {image: {face: face}}` and `latents: {image: 2}`")
    found = validated(Modalities, path, raw, root)
    for name in sorted({*found.latents} ^ {*found.measurements}):
        where = "measurements" if name in found.latents else "latents"
        raise PlanError(f"{path}: {name} stands not under {where}; give every modality both")
    for name, by in found.measurements.items():
        if not by:
            raise PlanError(f"{path}: measurements.{name} is empty; name its files, arrays or columns")
    return found


def _check_version(path: Path, raw: dict[str, Any]) -> None:
    version = raw.get("version", FORMAT)
    if isinstance(version, int) and version > FORMAT:
        sentence = (
            f"{path} is written for study format {version} and this personax reads up to {FORMAT}; upgrade personax"
        )
        raise PlanError(sentence)
