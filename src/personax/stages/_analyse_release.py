"""A study file for a release that somebody else made: which sections fit what it holds, and every guess in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from personax.errors import InputError
from personax.release import Released, load_release
from personax.release.reading import MappingProposal, propose_mapping

__all__ = ["ReleaseAnalysis", "folder_of", "plan_analysis"]

LATENTS = 3
"""Sought in each modality where nobody says how many, as in the paper's analyses."""


@dataclass
class ReleaseAnalysis:
    """What is to be done with a release.

    Parameters
    ----------
    sections
        Of study.yaml.
    released
        The release as it was read.
    proposal
        What was guessed and what cannot be read.
    left_out
        Section -> one sentence: why it is not part of the study.
    """

    sections: dict[str, Any]
    released: Released
    proposal: MappingProposal
    left_out: dict[str, str] = field(default_factory=dict)

    def leave(self, section: str, why: str) -> None:
        """Take a section out, and with it those that need it."""
        self.sections.pop(section, None)
        self.left_out[section] = why
        if section == "crl" and self.sections.pop("discover", None):
            self.left_out["discover"] = "there are no latents to search over"

    def text(self) -> str:
        """Return study.yaml: the sections, and as comments what is not in them and why."""
        lines = ["# Made by personax analyse; edit it, then: personax run study.yaml"]
        if self.proposal.guessed:
            lines.append(f"# Guessed, because the layout is not known: {', '.join(self.proposal.guessed)}")
        lines += [f"# Not read: {sentence}" for sentence in self.proposal.unread]
        lines += [f"# No {section}: {why}" for section, why in self.left_out.items()]
        # a name of a file or column stays on its line
        comments = "".join(" ".join(line.split()) + "\n" for line in lines)
        return comments + yaml.safe_dump(self.sections, sort_keys=False, allow_unicode=True, width=110)


def plan_analysis(
    where: str,
    mapping: Mapping[str, str] | None = None,
    *,
    revision: str | None = None,
    latents: int = LATENTS,
    shared: int = 1,
    seeds: int = 3,
    epochs: int = 60,
) -> ReleaseAnalysis:
    """Read a release and say what Level I and Level II can do with it.

    Parameters
    ----------
    where, revision
        A folder, a file, or a data set of a hub.
    mapping
        Column -> word, where the guess is wrong; see `personax.load_release`.
    latents, shared, seeds, epochs
        Of Level II: latents in each modality, at most as many as its shortest vector has numbers; shared ones where
        there are several modalities.

    Raises
    ------
    InputError
        Nothing of it can be read, or it holds nothing to analyse.
    """
    path = Path(where)
    place = str(path.resolve()) if path.exists() else where
    proposal = propose_mapping(place, mapping, revision=revision)
    released = load_release(place, mapping=proposal.mapping or None, revision=revision)
    collect: dict[str, Any] = {"source": "release", "from": place}
    if proposal.mapping:
        collect["mapping"] = proposal.mapping
    if revision is not None:
        collect["revision"] = revision
    sections: dict[str, Any] = {"version": 1, "name": f"Analysis of {released.name}", "seed": 1, "collect": collect}
    analysis = ReleaseAnalysis(sections, released, proposal)
    if released.features and released.traits:
        sections["independence"] = {"tests": ["auto"], "correction": "fdr_bh"}
    else:
        lacking = "features" if released.traits else "trait scores" if released.features else "features or trait scores"
        analysis.leave("independence", f"the release has no {lacking}")
    if len(released.embeddings):
        sections["crl"] = {
            "latents": _latents(released, latents), "shared": shared if len(released.embeddings) > 1 else 0,
            "seeds": seeds, "epochs": epochs,
        }  # fmt: skip
        sections["discover"] = {"over": ["latents"]}
    else:
        analysis.leave("crl", "the release has no vectors")
    if not {"independence", "crl"} & set(sections):
        raise InputError(
            f"{where} holds neither features beside trait scores nor vectors; see what its columns are by --map"
        )
    return analysis


def _latents(released: Released, most: int) -> dict[str, int]:
    found = {}
    for modality in released.embeddings:
        dims = [source.dim for source in released.embeddings.measurements(modality).values() if source.dim]
        found[modality] = max(1, min([most, *dims]))
    return found


def folder_of(name: str) -> Path:
    """Return the folder for the analysis of a release, where nobody says one.

    Examples
    --------
    >>> folder_of("user/some name").as_posix()
    'some-name-analysis'
    """
    words = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in Path(name).name)
    return Path(f"{words.strip('-') or 'release'}-analysis")
