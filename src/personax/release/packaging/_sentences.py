"""Facts in plain sentences: what the card, the datasheet and croissant.json say alike."""

from __future__ import annotations

from typing import Final

from personax.data.naming import says
from personax.release.packaging._facts import PEOPLE, AnnotatorFacts, ReleaseFacts
from personax.release.packaging._markdown import counted, listing
from personax.release.transforms import PRESERVATION, PRESETS, PROPERTIES

__all__ = [
    "FORBIDDEN", "IMPACT", "NOT_STATED", "USES", "biases", "contents", "embeddings", "limits", "maintenance", "origin",
    "preprocessing", "removal", "sensitive", "traits", "when",
]  # fmt: skip

NOT_STATED: Final = "Not stated by the publisher."

USES: Final = (
    "Non-commercial research on groups: how behaviour traits that are stated of people depend on other facts.",
    "Comparing methods of independence testing, causal discovery and causal representation learning.",
    "Studying how raters of traits, language models among them, differ, refuse and err.",
)

FORBIDDEN: Final = (
    "Profiling: looking up, ranking, scoring or addressing single people by these traits.",
    "Decisions about people: hiring, lending, insurance, policing, migration, health, education, courts.",
    "Re-identification: finding out who a row is, by names, faces, vectors or any other data.",
    "Surveillance, harassment or manipulation of persons or groups.",
    "Reading a face as proof of character.",
)

IMPACT: Final = (
    "Traits that are stated of people can be taken for what these people are. Used on single people, or to decide "
    "about them, that does harm, and it repeats the stereotypes of those who stated the traits. Studied as what "
    "raters say, they help to show such stereotypes."
)

_SENSITIVE_TOPICS: Final = frozenset(
    {"gender", "age", "country", "birth year", "birth date", "day", "coordinate", "marital status"}
)
"""Topics, besides sensitive ones, that people may want to keep private."""

_AGAIN: Final = {1: "once", 2: "twice"}


def contents(facts: ReleaseFacts) -> list[str]:
    """Say what is in it."""
    people = counted(facts.people, "person", "people")
    features = sum(column.role == "feature" for column in facts.columns)
    targets = sum(column.role == "target" for column in facts.columns)
    sentences = [
        f"It holds {people}, one row each, with {counted(features, 'feature')} and {counted(targets, 'target')}."
    ]
    if facts.measurements:
        kinds = listing(list(dict.fromkeys(one.modality for one in facts.measurements)))
        number = counted(len(facts.measurements), "measurement")
        sentences.append(f"Beside them are embeddings, {number} of {kinds}.")
    else:
        sentences.append("It holds no embeddings.")
    if facts.simulated:
        sentences.append("The people are simulated: nobody in it is real.")
    else:
        sentences.append("Names, texts and images are not in it.")
    return sentences


def origin(facts: ReleaseFacts) -> list[str]:
    """Say where the people came from, and when."""
    origins = []
    for source in facts.sources:
        what = {
            "simulated": "invented by a program (simulate)",
            "table": f"a table of the publisher ({source.name})",
            "web": f"pages of the web ({source.name})",
            "dataset": f"a published data set ({source.name})",
        }[source.kind]
        origins.append(f"{what}, read {when(source.retrieved)}" if source.retrieved else what)
    if not origins:
        return ["Where the people came from is not stated by the publisher."]
    one = "Source" if len(origins) == 1 else "Sources"
    return [f"{one} of the people: {'; '.join(origins)}."]


def when(days: tuple[str, str]) -> str:
    """Return a span of days in words."""
    first, last = days
    return f"on {first}" if first == last else f"from {first} to {last}"


def traits(facts: ReleaseFacts) -> list[str]:
    """Say how the traits came about."""
    who = facts.annotators
    if who is None:
        own = [column.name for column in facts.columns_of(PEOPLE) if column.role == "target"]
        if not own:
            return ["It holds no trait scores."]
        return [f"{listing(own)} came with the people; who stated them, and how, the publisher has not said."]
    sentences = [_asked(who)]
    if who.requests:
        sentences.append(_ended(who))
    if who.agreement:
        numbers = listing([f"{trait} {alpha:.2f}" for trait, alpha in who.agreement.items()])
        sentences.append(f"How far raters agree (Krippendorff's alpha: 1 is full agreement, 0 is chance): {numbers}.")
    if len(who.models) > 1:
        sentences.append(
            f"The score over all raters is their {who.aggregation}; a score that is missing stays missing."
        )
    if who.kind == "llm":
        sentences.append(
            "The traits are LLM-inferred behaviour traits: what language models said of a person, never a diagnosis."
        )
    return sentences


def _asked(who: AnnotatorFacts) -> str:
    raters, prompts = listing(who.models), listing(who.prompts)
    often = _AGAIN.get(who.repeats, f"{who.repeats} times")
    match who.kind:
        case "llm":
            number = counted(len(who.models), "language model")
            text = f"{number} ({raters}) stated the traits of each person"
        case "simulated":
            text = f"{counted(len(who.models), 'simulated rater')} ({raters}) stated the traits of each person"
        case "raters":
            return f"The traits are ratings that the publisher was given, by {raters}."
        case "questionnaire":
            return f"The people answered a questionnaire ({raters}) about themselves."
    if who.prompts:
        text += f", asked with the {'prompt' if len(who.prompts) == 1 else 'prompts'} {prompts}"
    return f"{text}, {often} for every trait."


def _ended(who: AnnotatorFacts) -> str:
    words = {
        "scored": "gave a score",
        "insufficient": "gave none because too little was known",
        "declined": "met a refusal",
        "unreadable": "came back unreadable",
        "no reply": "got no reply",
    }
    parts = [f"{number:,} {words[group]}" for group, number in who.endings.items() if number]
    refused = (
        f" Refused were {who.share_declined:.1%} of all; a refusal is missing, never a number."
        if who.share_declined
        else ""
    )
    return f"Of {counted(who.requests, 'request')}, {listing(parts)}.{refused}"


def embeddings(facts: ReleaseFacts) -> list[str]:
    """State the encoders of the vectors, their transform, and what it preserves."""
    if not facts.measurements:
        return ["It holds no embeddings."]
    sentences = []
    for one in facts.measurements:
        revision = f", revision {one.revision}" if one.revision else ""
        maker = f"made by {one.encoder}{revision}" if one.encoder else "made by an encoder that nobody states"
        sentences.append(
            f"{one.modality}/{one.name}: {counted(one.dim, 'number')} a person, {maker}; {_done(one.transform)}."
        )
    for transform in dict.fromkeys(one.transform for one in facts.measurements):
        sentences += _kept(transform)
    return sentences


def _done(transform: str) -> str:
    return f"transformed by {transform}" if transform in PRESETS else "not transformed"


def _kept(transform: str) -> list[str]:
    if transform in PRESETS and transform not in PRESERVATION:
        return [f"What the transform {transform} keeps is not stated."]
    ways = {name: how for preset, own in PRESERVATION.items() if preset == transform for name, how in own.items()}
    properties = {
        how: [PROPERTIES[name].split(":")[0] for name, its in ways.items() if its == how] for how in ways.values()
    }
    words = {"exactly": "keeps exactly", "approximately": "keeps approximately", "not": "does not keep"}
    return [
        f"The transform {transform} {words[how]}: {'; '.join(properties[how])}." for how in words if how in properties
    ]


def preprocessing(facts: ReleaseFacts) -> list[str]:
    """State the protections of the table and the vectors."""
    sentences = ["Ids were replaced by pseudonyms under a secret key, and rows put into the order of the pseudonyms."]
    return [*sentences, *facts.protections, *(embeddings(facts) if facts.measurements else [])]


def sensitive(facts: ReleaseFacts) -> list[str]:
    """State which columns people may want to keep private."""
    if facts.simulated:
        return ["The people are simulated; no row is about a real person."]
    found = [column.name for column in facts.columns_of(PEOPLE) if column.role != "id" and _is_touchy(column.name)]
    sentences = [f"Columns about sensitive attributes: {listing(found)}."] if found else []
    if facts.annotators is not None:
        sentences.append(
            f"Traits stated of each person ({facts.annotators.framework}), which are a profile where a row is linked "
            "to a person."
        )
    if any(one.modality == "image" for one in facts.measurements):
        sentences.append("Vectors of images; of faces they can be biometric data.")
    return [
        *sentences,
        "Rows are pseudonyms; with outside knowledge somebody may be found, so the data stay personal data.",
    ]


def _is_touchy(name: str) -> bool:
    known = says(name)
    return known.sensitive or known.topic in _SENSITIVE_TOPICS or (known.topic == "body" and "weight" in known.word)


def limits(facts: ReleaseFacts) -> list[str]:
    """State the limits of the release."""
    sentences = ["The people are those whom the sources list: no random sample of any population."]
    if facts.simulated:
        sentences = ["The people are simulated: what is found here is true of the simulation, not of the world."]
    if facts.annotators is not None and facts.annotators.kind != "questionnaire":
        sentences.append("Traits are what raters state, not what a person is; raters can be wrong together.")
    if facts.annotators is not None and facts.annotators.kind == "questionnaire":
        sentences.append("Traits are what people say of themselves.")
    if any(one.transform in PRESETS for one in facts.measurements):
        sentences.append(
            "Coordinates of transformed vectors mean nothing by themselves, and the encoders cannot be applied."
        )
    sentences.append("What was merged, rounded or noised to protect people cannot be had back from the release.")
    sentences.append("It is pseudonymised, not anonymous.")
    return sentences


def biases(facts: ReleaseFacts) -> list[str]:
    """Say which way it leans."""
    sentences = []
    if not facts.simulated:
        sentences.append(
            "The sources list well-known people, and some countries, professions and times more than others."
        )
    who = facts.annotators
    if who is not None and who.kind == "llm":
        sentences.append(
            "Language models carry stereotypes of gender, origin and profession into the traits they state."
        )
        sentences.append("Language models know famous people better, and refuse or guess more about others.")
    if who is not None and who.kind == "simulated":
        sentences.append("Simulated raters err as the simulation lets them; real ones err in other ways.")
    if facts.measurements:
        sentences.append("Encoders carry the biases of what they were trained on into the vectors.")
    return sentences or ["The publisher states none, which does not mean that there are none."]


def removal(facts: ReleaseFacts) -> list[str]:
    """State how a person can be removed."""
    contact = facts.publisher.contact
    where = f"write to {contact}" if contact else "ask where you got the release; the publisher states no contact"
    sentences = [
        f"To have a person taken out, {where}.",
        "No reason is needed, and the release is then built again without them.",
    ]
    if facts.removed:
        was = "was" if facts.removed == 1 else "were"
        sentences.append(
            f"Before this version, {counted(facts.removed, 'person', 'people')} {was} taken out at request."
        )
    else:
        sentences.append("Before this version nobody had been taken out at request.")
    return sentences


def maintenance(facts: ReleaseFacts) -> list[str]:
    """Say what happens to it after today."""
    sentences = [f"This is version {facts.version}; a change of rows or values is a new major version."]
    return [*sentences, *removal(facts), "Whoever holds an older version deletes those who were taken out."]
