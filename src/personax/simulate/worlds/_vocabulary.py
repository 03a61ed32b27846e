"""What can be said of a latent: nine grades of phrases in two languages, and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONCEPTS", "GRADES", "NUMBERS", "PHRASES", "SHARED", "WORDS", "Quantity", "Words", "grade_of", "phrases"]

GRADES: Final = 9
"""Steps in which a latent is said."""

CONCEPTS: Final[Mapping[str, tuple[str, ...]]] = {
    "character": ("order", "calm", "sociability", "curiosity"),
    "life": ("fame", "wealth", "fitness", "schooling"),
}
"""Modality -> what its latents are about, in the order in which they are used."""

SHARED: Final = ("energy", "age")
"""What latents of all modalities are about; ``confidence`` and ``warmth`` are said of the people of the demo alone."""

_ENGLISH: Final[Mapping[str, str]] = {
    "order": "a hopeless mess|utterly chaotic; sloppy|careless with everything; untidy|rather disorganised;"
    " not quite tidy|a little disorderly; neither neat nor messy|average in tidiness; fairly neat|somewhat organised;"
    " well organised|neat and dependable; very methodical|strictly organised; painfully exact|a fanatic of order",
    "calm": "in constant panic|paralysed by fear; very anxious|easily scared; often worried|nervous;"
    " a little tense|slightly on edge; neither nervous nor relaxed|of ordinary nerves; fairly relaxed|mostly at ease;"
    " calm|composed; very serene|hard to upset; imperturbable|completely unshakeable",
    "sociability": "a recluse|entirely withdrawn; very shy|afraid of company; reserved|rather quiet among people;"
    " a bit reticent|slightly shy; neither shy nor outgoing|moderately sociable; fairly chatty|quite sociable;"
    " outgoing|fond of company; very gregarious|always among friends; the soul of every party|unable to be alone",
    "curiosity": "closed to anything new|bored by every idea; incurious|set in old habits;"
    " rarely interested in ideas|rather conventional; a little conventional|slow to try new things;"
    " neither curious nor dull|open to some ideas; fairly curious|quite inquisitive; inquisitive|full of questions;"
    " very imaginative|hungry for ideas; endlessly inventive|an insatiable explorer of ideas",
    "fame": "unknown to anyone|a complete nobody; obscure|known to a few neighbours;"
    " known in the village|locally known; known in the region|a regional name;"
    " known to followers of the field|of modest renown;"
    " well known in the country|nationally recognised; famous|a celebrity; internationally famous|a world star;"
    " a legend of the century|known to all mankind",
    "wealth": "penniless|destitute; very poor|deep in poverty; poor|short of money; of modest means|rather hard up;"
    " of average income|neither rich nor poor; comfortably off|fairly prosperous; wealthy|rich;"
    " very rich|a multimillionaire; a billionaire|among the richest people alive",
    "fitness": "bedridden|too frail to walk; very unfit|out of breath at once; in poor shape|rather weak;"
    " slightly unfit|a little flabby; of ordinary fitness|neither fit nor unfit; fairly fit|in decent shape;"
    " athletic|in good shape; very strong|superbly trained; an Olympic athlete|at the peak of human strength",
    "schooling": "unable to read|without any schooling; barely literate|a dropout of primary school;"
    " poorly educated|without a diploma; a school leaver|of little education; of average education|trained in a trade;"
    " fairly educated|a college graduate; a university graduate|well educated; very learned|a doctor of science;"
    " a professor of great learning|among the most learned scholars",
    "energy": "utterly exhausted|without any strength left; very tired|drained; often weary|low in energy;"
    " a bit sluggish|slightly tired; neither tired nor lively|of usual energy; fairly lively|reasonably active;"
    " lively|vigorous; very energetic|full of drive; bursting with energy|tireless day and night",
    "age": "a small child|only just at school; a teenager|an adolescent; a young adult|in the early twenties;"
    " around thirty|a youngish adult; about forty|entering middle age; about fifty|middle-aged;"
    " around sixty|nearing retirement; elderly|in the late seventies; extremely old|close to a hundred",
    "confidence": "sure to fail at everything|without any faith in oneself; full of doubts|hardly able to decide;"
    " unsure of most things|easily talked down; a little hesitant|sometimes unsure;"
    " neither bold nor timid|of ordinary confidence; fairly confident|quite sure of the way;"
    " self-assured|confident in most matters; very bold|certain of every decision;"
    " never in doubt|convinced of being right",
    "warmth": "cold as ice|without a kind word for anyone; harsh to others|unfriendly to all;"
    " cool and distant|rather unkind; a little cool|not very cordial; neither warm nor cold|polite and no more;"
    " fairly friendly|quite cordial; warm-hearted|kind to others; very loving|generous with everyone;"
    " full of love for all|kindness itself",
}

_GERMAN: Final[Mapping[str, str]] = {
    "order": "völlig chaotisch|hoffnungslos unordentlich; schlampig|sehr nachlässig; unordentlich|ziemlich chaotisch;"
    " etwas unordentlich|nicht ganz ordentlich; mittelmäßig ordentlich|weder ordentlich noch schlampig;"
    " recht ordentlich|einigermaßen organisiert; gut organisiert|ordentlich; sehr gewissenhaft|streng organisiert;"
    " peinlich genau|von Ordnung besessen",
    "calm": "ständig in Panik|von Angst gelähmt; sehr ängstlich|leicht zu erschrecken; oft besorgt|nervös;"
    " ein wenig angespannt|leicht unruhig; weder ruhig noch nervös|durchschnittlich gelassen;"
    " recht entspannt|meist gelassen; ruhig|ausgeglichen; sehr gelassen|kaum aus der Fassung zu bringen;"
    " völlig unerschütterlich|durch nichts zu beunruhigen",
    "sociability": "ein Einsiedler|ganz zurückgezogen; sehr scheu|menschenscheu; zurückhaltend|eher still;"
    " etwas schüchtern|ein wenig verschlossen; mäßig gesellig|weder scheu noch gesellig;"
    " recht gesprächig|ziemlich gesellig; kontaktfreudig|gern unter Leuten; sehr gesellig|stets unter Freunden;"
    " der Mittelpunkt jedes Festes|nie allein anzutreffen",
    "fame": "niemandem bekannt|ein völlig Unbekannter; kaum bekannt|nur den Nachbarn bekannt;"
    " im Dorf bekannt|örtlich bekannt; in der Gegend bekannt|eine regionale Größe;"
    " in Fachkreisen bekannt|mäßig bekannt; im ganzen Land bekannt|landesweit geschätzt; berühmt|ein Star;"
    " international berühmt|ein Weltstar; eine Legende des Jahrhunderts|der ganzen Menschheit bekannt",
    "wealth": "völlig mittellos|bettelarm; sehr arm|in tiefer Armut; arm|knapp bei Kasse;"
    " eher arm|mit bescheidenen Mitteln; von mittlerem Einkommen|weder reich noch arm;"
    " recht wohlhabend|gut gestellt; wohlhabend|reich; sehr reich|mehrfacher Millionär;"
    " ein Milliardär|einer der reichsten Menschen",
    "fitness": "bettlägerig|zu schwach zum Gehen; sehr unsportlich|sofort außer Atem; in schlechter Form|recht schwach;"
    " etwas untrainiert|ein wenig schlaff; durchschnittlich fit|weder fit noch schwach;"
    " recht fit|in ordentlicher Form; sportlich|in guter Form; sehr stark|bestens trainiert;"
    " ein Olympiasportler|auf dem Gipfel menschlicher Kraft",
    "energy": "völlig erschöpft|ohne jede Kraft; sehr müde|ausgelaugt; oft matt|antriebsarm;"
    " etwas träge|leicht müde; weder müde noch munter|von üblichem Antrieb; recht munter|einigermaßen aktiv;"
    " munter|lebhaft; sehr energisch|voller Tatendrang; unermüdlich bei Tag und Nacht|vor Kraft strotzend",
}


def _parsed(written: Mapping[str, str]) -> dict[str, list[list[str]]]:
    return {name: [grade.strip().split("|") for grade in text.split(";")] for name, text in written.items()}


PHRASES: Final = {"english": _parsed(_ENGLISH), "german": _parsed(_GERMAN)}


def phrases(concept: str, language: str = "english") -> list[list[str]]:
    """Return the ways to say each of nine grades of a concept, the lowest first; all follow "is" (German "ist").

    Raises
    ------
    ValueError
        When nothing is written for it.

    Examples
    --------
    >>> phrases("calm")[8]
    ['imperturbable', 'completely unshakeable']
    """
    known = PHRASES.get(language)
    if known is None:
        raise ValueError(f"there are no phrases in {language!r}; the languages are {', '.join(PHRASES)}")
    if concept not in known:
        raise ValueError(f"there are no {language} phrases for {concept!r}; fewer latents a modality have some")
    return known[concept]


def grade_of(latent: NDArray[np.float64], spread: float, *, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the grade, 0 to 8, in which a standardised latent is said, with independent judgement.

    Parameters
    ----------
    latent
        Shape (n,).
    spread
        Deviation of the judgement, in grades.
    rng
        Draws the judgement.
    """
    exact = (latent + 2.2) / 4.4 * (GRADES - 1)
    judged = np.round(exact + spread * rng.standard_normal(len(latent)))
    return np.asarray(np.clip(judged, 0, GRADES - 1), dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that says a latent, in a clause.

    Parameters
    ----------
    clause
        With ``{n}`` where the number stands.
    low, high
        Numbers of a latent of -3 and of 3; between them the logarithm is linear in the latent.
    """

    clause: str
    low: float
    high: float

    def value(self, latent: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the number of a standardised latent, rounded to two significant digits, so that people repeat."""
        share = np.clip((latent + 3) / 6, 0, 1)
        exact = self.low * (self.high / self.low) ** share
        unit = 10.0 ** np.maximum(np.floor(np.log10(exact)) - 1, 0)
        rounded: NDArray[np.int64] = (np.round(exact / unit) * unit).astype(np.int64)
        return rounded


NUMBERS: Final[Mapping[str, Quantity]] = {
    "order": Quantity("finishes {n} of 100 tasks in time", 4, 99),
    "calm": Quantity("sleeps {n} minutes without waking", 12, 560),
    "sociability": Quantity("meets {n} friends a month", 1, 95),
    "curiosity": Quantity("reads {n} books a year", 1, 160),
    "fame": Quantity("is followed by {n} people", 15, 60_000_000),
    "wealth": Quantity("earns {n} a year", 3_000, 4_000_000),
    "fitness": Quantity("runs {n} kilometres a month", 2, 600),
    "schooling": Quantity("studied for {n} months", 5, 190),
    "energy": Quantity("walks {n} steps a day", 700, 40_000),
    "age": Quantity("was born {n} years ago", 9, 96),
}


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a language that say nothing of latents.

    Parameters
    ----------
    names, cities, hobbies
        Nuisance of biographies and clauses.
    joins
        Between two clauses.
    filler
        Whole sentences.
    """

    names: tuple[str, ...]
    cities: tuple[str, ...]
    hobbies: tuple[str, ...]
    joins: tuple[str, ...]
    filler: tuple[str, ...]


WORDS: Final = Words(
    names=("Robin", "Alex", "Kim", "Sascha", "Noor", "Jules", "Mika", "Toni", "Ariel", "Quinn", "Sam", "Yuri"),
    cities=("Bergen", "Leeds", "Gdansk", "Nantes", "Coimbra", "Bruges", "Tampere", "Zadar", "Ostrava", "Galway"),
    hobbies=(
        "draughts",
        "canoeing",
        "old clocks",
        "cooking",
        "folk songs",
        "orchids",
        "fencing",
        "coins",
        "birdwatching",
        "weaving",
        "kites",
        "detective stories",
    ),
    joins=("; moreover ", ", and ", ". Besides, ", "; at the same time ", ". "),
    filler=(
        "The interview took place on a rainy afternoon.",
        "The train from the capital was late again.",
        "A second photograph shows the harbour in winter.",
        "The article was translated from an older source.",
        "Lunch was served in the garden behind the house.",
        "Two cats slept on the window sill all day.",
        "The museum opens at ten and closes at five.",
        "Nobody remembers who painted the blue door.",
        "The road to the lake has been closed since May.",
        "A neighbour collects postcards of lighthouses.",
        "The radio played an old waltz in the kitchen.",
        "The next edition will have a corrected map.",
        "Apples were cheap that year, and plums were not.",
        "The bridge was rebuilt after the great flood.",
        "Some of the letters were lost when the office moved.",
        "The choir rehearses every Thursday evening.",
    ),
)
