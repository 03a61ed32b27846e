"""DATASHEET.md: the questions of a datasheet, in our words, answered from facts."""

from __future__ import annotations

from collections.abc import Sequence

from personax.release.packaging import sentences as s
from personax.release.packaging.facts import Facts
from personax.release.packaging.licences import inherited, licence_of
from personax.release.packaging.markdown import counted, listing, render
from personax.release.packaging.terms import BINDING

__all__ = ["datasheet"]

Answers = Sequence[tuple[str, str]]


def datasheet(facts: Facts) -> str:
    """Return DATASHEET.md; what nobody has told is answered so.

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


def _motivation(facts: Facts) -> Answers:
    publisher = facts.publisher
    return [
        ("What was it made for?", publisher.purpose or facts.description or s.NOT_STATED),
        ("Who made it, and for whom?", f"{listing(publisher.authors)}." if publisher.authors else s.NOT_STATED),
        ("Who paid for it?", publisher.funding or s.NOT_STATED),
    ]


def _composition(facts: Facts) -> Answers:
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


def _collection(facts: Facts) -> Answers:
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


def _processing(facts: Facts) -> Answers:
    return [
        ("What was done before it left?", " ".join(s.preprocessing(facts))),
        ("Is what it was made of kept?", "By the publisher only, with the key; none of it is in the release."),
        ("Is the software to be had?", _software(facts)),
    ]


def _software(facts: Facts) -> str:
    used = listing([f"{name} {version}" for name, version in facts.software.items()])
    return f"Yes: {used}." if used else "Yes: personax; its version is not stated by the publisher."


def _uses(facts: Facts) -> Answers:
    return [
        ("What is it good for?", " ".join(s.USES)),
        ("What could go wrong?", f"{s.IMPACT} {' '.join(s.limits(facts))}"),
        ("What must it not be used for?", " ".join(s.FORBIDDEN)),
    ]


def _distribution(facts: Facts) -> Answers:
    licence = licence_of(facts)
    terms = f"{licence.name}, with USAGE.md" if licence else "No standard licence: LICENSES.md and USAGE.md"
    found = inherited(facts)
    owed = [
        f"{clause.capitalize()} ({listing([item.name for item in found.of(clause)])}): {BINDING[clause]}."
        for clause in found.clauses
    ]
    return [
        ("Where is it to be had?", facts.publisher.homepage or s.NOT_STATED),
        ("Since when?", facts.date or s.NOT_STATED),
        ("Under which licence?", f"{terms}."),
        ("What do others ask for?", " ".join(owed) if owed else "Nothing that we know of."),
    ]


def _maintenance(facts: Facts) -> Answers:
    contact = facts.publisher.contact
    return [
        ("Whom does one write to?", contact or s.NOT_STATED),
        ("Will it change?", " ".join(s.maintenance(facts)[:1])),
        ("How many people asked to be taken out?", f"{counted(facts.removed, 'person', 'people')} so far."),
        ("What about older versions?", s.maintenance(facts)[-1]),
        ("Can others add to it?", f"By writing to {contact}." if contact else s.NOT_STATED),
    ]
