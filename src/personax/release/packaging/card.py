"""README.md: the dataset card, front matter for machines and Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from personax.release.packaging import sentences
from personax.release.packaging.citation import bibtex
from personax.release.packaging.facts import PEOPLE, ColumnFacts, Facts
from personax.release.packaging.licences import Inherited, inherited, licence_of
from personax.release.packaging.markdown import Markdown, clean, counted, listing, render
from personax.release.packaging.shards import Shard
from personax.release.packaging.terms import BINDING
from personax.release.packaging.usage import ASKED, acceptance

__all__ = ["card", "front_matter"]

_SIZES: Final = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip

_CREATORS: Final = {
    "llm": "machine-generated",
    "simulated": "machine-generated",
    "raters": "found",
    "questionnaire": "other",
}


def front_matter(facts: Facts) -> dict[str, Any]:
    """Return the metadata of the card, as the Hugging Face hub and `datasets` read it.

    References
    ----------
    https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
    """
    licence = licence_of(facts)
    told: dict[str, Any] = {
        "pretty_name": clean(facts.title),
        "license": facts.publisher.licence if licence else "other",
    }
    if licence is None:
        told |= {"license_name": "terms-of-this-release", "license_link": "LICENSES.md"}
    size = next((name for most, name in _SIZES if facts.people < most), "n>1T")
    told |= {
        "language": list(facts.publisher.language),
        "size_categories": [size],
        "task_categories": ["tabular-classification", "tabular-regression"]
        + (["feature-extraction"] if facts.measurements else []),
        "annotations_creators": [_CREATORS[facts.annotators.kind] if facts.annotators else "no-annotation"],
        "source_datasets": ["extended" if any(s.kind == "dataset" for s in facts.sources) else "original"],
        "tags": _tags(facts),
        "configs": [_config(config) for config in facts.configs],
        "dataset_info": [_info(config, facts.of(config)) for config in facts.configs],
        "extra_gated_prompt": acceptance(),
        "extra_gated_fields": dict(ASKED),
    }
    return told


def _binding(found: Inherited) -> str:
    if not found.clauses:
        return ""
    first = found.clauses[0]
    return f"{first} ({listing([item.name for item in found.of(first)])}), that is, {BINDING[first]}"


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _tags(facts: Facts) -> list[str]:
    found = ["personax", "behaviour-traits", "causal-discovery", "croissant"]
    if facts.simulated:
        found.append("simulated")
    if "non-commercial" in inherited(facts).clauses or licence_of(facts) is None:
        found.append("non-commercial")
    return found


def _config(config: str) -> dict[str, Any]:
    files = [{"split": "train", "path": f"data/{config}/train-*.parquet"}]
    first = {"default": True} if config == PEOPLE else {}
    return {"config_name": config, **first, "data_files": files}


def _info(config: str, columns: Sequence[ColumnFacts]) -> dict[str, Any]:
    features = [
        {"name": column.name, "dtype": column.dtype}
        if column.length is None
        else {"name": column.name, "list": column.dtype, "length": column.length}
        for column in columns
    ]
    return {"config_name": config, "features": features}


def card(facts: Facts, shards: Mapping[str, Sequence[Shard]]) -> str:
    """Return README.md.

    Raises
    ------
    InputError
        The publisher's licence contradicts what the release inherits.
    """
    head = yaml.dump(front_matter(facts), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    found = inherited(facts)
    body = render(
        "card.md.j2",
        facts=facts,
        s=sentences,
        files=[
            (f"data/{config}/", counted(len(shards[config]), "file"), sum(shard.rows for shard in shards[config]))
            for config in facts.configs
        ],
        columns=[column for config in facts.configs for column in facts.of(config)],
        address=Markdown(f"<{facts.publisher.homepage}>") if facts.publisher.homepage else "",
        binding=_binding(found),
        licence=licence_of(facts),
        bibtex=Markdown(bibtex(facts)),
        software=listing([f"{name} {version}" for name, version in facts.software.items()]) or "personax",
        authors=listing(facts.publisher.authors),
    )
    return f"---\n{head}---\n\n{body}"
