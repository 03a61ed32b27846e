"""What a stage found, as JSON: the answer of ``--json``, which a program can use without reading files."""

from __future__ import annotations

from typing import Any

from personax.stages import Reader

__all__ = ["found_by"]

_FILES: dict[str, dict[str, tuple[str, ...]]] = {
    "collect": {"columns": ("people", "columns.json")},
    "annotate": {"outcomes": ("traits", "outcomes.json"), "flags": ("traits", "flags.json")},
    "release": {"protection": ("release", "protection.json"), "audit": ("release", "audit.json")},
    "crl": {"diagnostics": ("analysis", "crl", "diagnostics.json"), "metrics": ("analysis", "crl", "metrics.json"),
            "graph": ("analysis", "crl", "graph.json")},
    "discover": {"graph": ("analysis", "discovery", "graph.json")},
}  # fmt: skip
"""Stage -> what is told of it -> the output that holds it. Scores and vectors of single people are not printed."""


def found_by(reader: Reader, stage: str) -> dict[str, Any]:
    """Return what a stage found, as far as it has run."""
    found = {name: reader.json(*parts) for name, parts in _FILES.get(stage, {}).items()}
    if stage == "independence" and reader.folder.output("analysis", "independence", "pvalues.parquet"):
        found["pvalues"] = reader.frame("analysis", "independence", "pvalues.parquet").to_dicts()
    return {name: value for name, value in found.items() if value is not None}
