"""Documents of a release: dataset card, datasheet, terms of use, rendered from facts and written with the checksums."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml

from personax.data.frames import parquet_schema
from personax.errors import InputError
from personax.files import write_text
from personax.release.packaging import _sentences as s
from personax.release.packaging import _sentences as sentences
from personax.release.packaging._checksums import write_checksums
from personax.release.packaging._citation import bibtex, citation_cff
from personax.release.packaging._column_facts import columns_json, schema_of
from personax.release.packaging._croissant import croissant
from personax.release.packaging._facts import PEOPLE, ColumnFacts, ReleaseFacts
from personax.release.packaging._licences import BINDING, InheritedObligations, inherited, licence_of, licence_page
from personax.release.packaging._markdown import Markdown, clean, counted, listing, render
from personax.release.packaging._sentences import removal
from personax.release.packaging._shards import Shard, list_shards

__all__ = [
    "ACCEPTANCE",
    "ASKED",
    "acceptance",
    "boilerplate_texts",
    "card",
    "datasheet",
    "front_matter",
    "texts",
    "usage_page",
    "write_all",
]


def write_all(folder: Path, facts: ReleaseFacts) -> list[Path]:
    """Write all documents of a release, then SHA256SUMS over everything in the folder.

    Same facts and data, same bytes: neither the clock nor a path of the machine is in any of them. What others wrote
    before (protection.json, transforms.json, audit.json) is kept and summed.

    Parameters
    ----------
    folder
        Of the release, with ``data/`` written by `write_shards`.
    facts
        What the texts say.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        The data are not what the facts say; the publisher's licence contradicts what is inherited.
    """
    shards = {config: list_shards(folder, config) for config in facts.configs}
    _check(folder, facts, shards)
    # all are made before one is written, so that a contradiction leaves no half of them
    made = texts(facts, shards)
    for name, text in made.items():
        write_text(folder / name, text)
    return [*(folder / name for name in made), write_checksums(folder)]


def boilerplate_texts() -> list[str]:
    """Return texts that are the same in every release, which the scan passes."""
    bare = ReleaseFacts("release", "1.0.0", 1, (ColumnFacts(PEOPLE, "id", "id", "nominal", "string", "the id"),))
    return list(texts(bare, {PEOPLE: [Shard("data/people/train-00000-of-00001.parquet", 1, 1, "")]}).values())


def texts(facts: ReleaseFacts, shards: Mapping[str, Sequence[Shard]]) -> dict[str, str]:
    """Return file name -> text."""
    annotators = facts.annotators.card if facts.annotators is not None else {}
    own = {"annotation_card.json": json.dumps(annotators, indent=1, ensure_ascii=False)} if annotators else {}
    return {
        **own,
        "README.md": card(facts, shards),
        "DATASHEET.md": datasheet(facts),
        "USAGE.md": usage_page(facts),
        "LICENSES.md": licence_page(facts),
        "CITATION.cff": citation_cff(facts),
        "croissant.json": json.dumps(croissant(facts, shards), indent=1, ensure_ascii=False),
        "columns.json": columns_json(facts),
    }


def _check(folder: Path, facts: ReleaseFacts, shards: Mapping[str, Sequence[Shard]]) -> None:
    for config, files in shards.items():
        wanted = schema_of(facts.columns_of(config))
        for shard in files:
            if parquet_schema(folder / shard.path) != wanted:
                raise InputError(f"{folder / shard.path} has other columns than the facts say; describe this table")
    rows = sum(shard.rows for shard in shards[PEOPLE])
    if rows != facts.people:
        raise InputError(f"the table in {folder} has {rows} people and the facts say {facts.people}; count again")
    strange = sorted({path.name for path in (folder / "data").iterdir()} - set(shards))
    if strange:
        raise InputError(f"{folder / 'data' / strange[0]} is not described by the facts; remove it")


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


def front_matter(facts: ReleaseFacts) -> dict[str, Any]:
    """Return the metadata of the card, as the Hugging Face hub and `datasets` read it.

    References
    ----------
    https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
    """
    licence = licence_of(facts)
    header: dict[str, Any] = {
        "pretty_name": clean(facts.title),
        "license": facts.publisher.licence if licence else "other",
    }
    if licence is None:
        header |= {"license_name": "terms-of-this-release", "license_link": "LICENSES.md"}
    size = next((name for most, name in _SIZES if facts.people < most), "n>1T")
    header |= {
        "language": list(facts.publisher.language),
        "size_categories": [size],
        "task_categories": ["tabular-classification", "tabular-regression"]
        + (["feature-extraction"] if facts.measurements else []),
        "annotations_creators": [_CREATORS[facts.annotators.kind] if facts.annotators else "no-annotation"],
        "source_datasets": ["extended" if any(s.kind == "dataset" for s in facts.sources) else "original"],
        "tags": _tags(facts),
        "configs": [_config(config) for config in facts.configs],
        "dataset_info": [_info(config, facts.columns_of(config)) for config in facts.configs],
        "extra_gated_prompt": acceptance(),
        "extra_gated_fields": dict(ASKED),
    }
    return header


def _binding(found: InheritedObligations) -> str:
    if not found.clauses:
        return ""
    first = found.clauses[0]
    return f"{first} ({listing([item.name for item in found.with_clause(first)])}), that is, {BINDING[first]}"


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _tags(facts: ReleaseFacts) -> list[str]:
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


def card(facts: ReleaseFacts, shards: Mapping[str, Sequence[Shard]]) -> str:
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
        columns=[column for config in facts.configs for column in facts.columns_of(config)],
        address=Markdown(f"<{facts.publisher.homepage}>") if facts.publisher.homepage else "",
        binding=_binding(found),
        licence=licence_of(facts),
        bibtex=Markdown(bibtex(facts)),
        software=listing([f"{name} {version}" for name, version in facts.software.items()]) or "personax",
        authors=listing(facts.publisher.authors),
    )
    return f"---\n{head}---\n\n{body}"


Answers = Sequence[tuple[str, str]]


def datasheet(facts: ReleaseFacts) -> str:
    """Return DATASHEET.md; unknown answers say that they are not stated.

    References
    ----------
    Gebru et al. (2021), Datasheets for Datasets, Communications of the ACM 64(12), https://doi.org/10.1145/3458723
    """
    parts = {
        "Why it was made": _motivation(facts),
        "What is in it": _composition(facts),
        "How it was collected": _collection(facts),
        "What was done to it": _processing(facts),
        "What it is for": _uses(facts),
        "How it is passed on": _distribution(facts),
        "Who looks after it": _maintenance(facts),
    }
    return render("datasheet.md.j2", title=facts.title, parts=parts)


def _motivation(facts: ReleaseFacts) -> Answers:
    publisher = facts.publisher
    return [
        ("What was it made for?", publisher.purpose or facts.description or s.NOT_STATED),
        ("Who made it, and for whom?", f"{listing(publisher.authors)}." if publisher.authors else s.NOT_STATED),
        ("Who paid for it?", publisher.funding or s.NOT_STATED),
    ]


def _composition(facts: ReleaseFacts) -> Answers:
    holes = "A missing value is null; why a trait score is missing is counted below." if facts.annotators else ""
    return [
        ("What does a row stand for?", "A person, under a pseudonym; in the files of embeddings, the same person."),
        ("How many rows are there, and of what?", " ".join(s.contents(facts))),
        ("Is it all there is, or a sample?", s.limits(facts)[0]),
        ("What does a row hold?", "README.md and columns.json list every column with its meaning."),
        ("Is anything missing?", f"{holes} What was taken out to protect people is listed below.".strip()),
        ("Are rows related to one another?", "The same id in several files is the same person; nothing else is said."),
        ("Are there splits?", "One, called train, which is everything; none is recommended."),
        ("What errors are known?", " ".join(s.biases(facts))),
        ("Does it depend on anything outside?", "No; the folder is complete."),
        ("Does it hold what is confidential or offends?", "No names, texts or images leave; see the next answer."),
        ("What is sensitive about the people?", " ".join(s.sensitive(facts))),
        ("Can somebody be recognised?", facts.audit),
    ]


def _collection(facts: ReleaseFacts) -> Answers:
    days = facts.retrieved
    read = f"The sources were read {s.when(days)}." if days else s.NOT_STATED
    nobody = "Nobody in it is real."
    return [
        ("Where do the people come from?", " ".join(s.origin(facts))),
        ("How were the traits obtained?", " ".join(s.traits(facts))),
        ("When was it collected?", "It was computed, not collected." if facts.simulated else read),
        ("Was there an ethical review?", facts.publisher.ethics or s.NOT_STATED),
        (
            "Were the people told, and did they consent?",
            facts.publisher.consent or (nobody if facts.simulated else s.NOT_STATED),
        ),
        ("Can they have themselves taken out?", nobody if facts.simulated else " ".join(s.removal(facts))),
    ]


def _processing(facts: ReleaseFacts) -> Answers:
    return [
        ("What was done before it left?", " ".join(s.preprocessing(facts))),
        ("Is what it was made of kept?", "By the publisher only, with the key; none of it is in the release."),
        ("Is the software to be had?", _software(facts)),
    ]


def _software(facts: ReleaseFacts) -> str:
    used = listing([f"{name} {version}" for name, version in facts.software.items()])
    return f"Yes: {used}." if used else "Yes: personax; its version is not stated by the publisher."


def _uses(facts: ReleaseFacts) -> Answers:
    return [
        ("What is it good for?", " ".join(s.USES)),
        ("What could go wrong?", f"{s.IMPACT} {' '.join(s.limits(facts))}"),
        ("What must it not be used for?", " ".join(s.FORBIDDEN)),
    ]


def _distribution(facts: ReleaseFacts) -> Answers:
    licence = licence_of(facts)
    terms = f"{licence.name}, with USAGE.md" if licence else "No standard licence: LICENSES.md and USAGE.md"
    found = inherited(facts)
    owed = [
        f"{clause.capitalize()} ({listing([item.name for item in found.with_clause(clause)])}): {BINDING[clause]}."
        for clause in found.clauses
    ]
    return [
        ("Where is it to be had?", facts.publisher.homepage or s.NOT_STATED),
        ("Since when?", facts.date or s.NOT_STATED),
        ("Under which licence?", f"{terms}."),
        ("What do others ask for?", " ".join(owed) if owed else "Nothing that we know of."),
    ]


def _maintenance(facts: ReleaseFacts) -> Answers:
    contact = facts.publisher.contact
    return [
        ("Whom does one write to?", contact or s.NOT_STATED),
        ("Will it change?", " ".join(s.maintenance(facts)[:1])),
        ("How many people asked to be taken out?", f"{counted(facts.removed, 'person', 'people')} so far."),
        ("What about older versions?", s.maintenance(facts)[-1]),
        ("Can others add to it?", f"By writing to {contact}." if contact else s.NOT_STATED),
    ]


ACCEPTANCE: Final = (
    "You use it for non-commercial research on groups of people.",
    "You do not try to find out who a row is, alone or with other data.",
    "You profile nobody, and decide nothing about anybody, by what is in it.",
    "You pass rows on only together with this file and LICENSES.md, and only to people who accept them.",
    "You keep to LICENSES.md, and name those whom it names.",
    "You delete the rows of people whom the publisher has taken out.",
    "You say in what you publish who or what stated the traits, and that it can be wrong.",
)

ASKED: Final = {
    "Name and affiliation": "text",
    "What do you want to study": "text",
    "I accept the terms of USAGE.md and LICENSES.md": "checkbox",
    "I will not try to find out who anybody in it is": "checkbox",
}
"""What a hub asks for before it opens the files: text -> kind of answer."""


def acceptance() -> str:
    """Return the text that is accepted, one point a line."""
    return "\n".join(["By using this release you accept the following.", "", *(f"- {point}" for point in ACCEPTANCE)])


def usage_page(facts: ReleaseFacts) -> str:
    """Return USAGE.md: the terms to accept, how a person can be removed, and the guidelines."""
    guidelines = resources.files("personax").joinpath("usage.md").read_text("utf-8")
    # its title becomes a section of this page
    body = guidelines.replace("\n## ", "\n### ").replace("# Usage guidelines", "## Usage guidelines", 1)
    head = render("usage.md.j2", title=facts.title, points=ACCEPTANCE, removal=" ".join(removal(facts)))
    return f"{head}\n{body.strip()}\n"
