"""Populations whose latents are known, and the texts, faces and questionnaires that tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from personax.simulate._mechanisms import Mechanism, Mechanisms, Noise, components
from personax.simulate.worlds._families import Writer, family_names, find_family
from personax.simulate.worlds._pictures import FEATURES, draw_faces, draw_forms
from personax.simulate.worlds._vocabulary import CONCEPTS, SHARED

__all__ = ["OTHER_FAMILIES", "World", "WorldOptions", "draw_world", "worlds_families"]

Array = NDArray[np.float64]
OTHER_FAMILIES: Final = ("faces", "questionnaires")
"""Families whose measurements are no texts."""

PEOPLE: Final = (20, 100_000)


@dataclass(frozen=True)
class WorldOptions:
    """What a world is.

    Parameters
    ----------
    families
        One for all modalities or one each; see `worlds_families`.
    latents
        Own latents of each modality; the modalities are ``character`` and ``life``.
    measurements
        Texts, pictures or forms of each modality; one is allowed.
    shared
        Latents that both modalities say, at most 2.
    links
        Edges across: ``character_i`` causes ``life_i`` for the first ``links`` i. Within a modality every latent causes
        the next, and a shared latent causes the last of every modality.
    edges
        (cause, effect) pairs of names in place of ``links`` and of the edges that these bring.
    mechanism, noise, noise_scale
        See `personax.simulate` (`variant_mnist`, `numerical`): how causes enter and what else does.
    nuisance
        Names, places, hobbies; a picture's place and light; a form's agreement.
    filler
        Sentences without content, of the family ``filler``.
    spread
        Deviation of the judgement that turns a latent into one of nine grades, in grades.
    omitted
        Share of clauses left out, of the family ``clauses``.
    people
        20 to 100,000; the first people are the same whatever the number.

    Examples
    --------
    >>> WorldOptions(families=("clauses", "numbers"), latents=(3, 2)).names()
    ['character_1', 'character_2', 'character_3', 'life_1', 'life_2']
    """

    families: tuple[str, ...] = ("adjectives",)
    latents: tuple[int, ...] = (2, 2)
    measurements: tuple[int, ...] = (3, 2)
    shared: int = 0
    links: int = 1
    edges: tuple[tuple[str, str], ...] | None = None
    mechanism: Mechanism = "additive"
    noise: Noise = "gaussian"
    noise_scale: float = 1.0
    nuisance: bool = True
    filler: int = 1
    spread: float = 0.25
    omitted: float = 0.12
    people: int = 6_000

    def names(self) -> list[str]:
        """Return the latents' names: shared ones first, then modality by modality."""
        own = [f"{m}_{i + 1}" for m, count in zip(CONCEPTS, self.latents, strict=True) for i in range(count)]
        return [f"shared_{i + 1}" for i in range(self.shared)] + own

    def family(self, place: int) -> str:
        """Return the family of a modality."""
        return self.families[place if len(self.families) > 1 else 0]

    def check(self) -> None:
        """Refuse what cannot be drawn.

        Raises
        ------
        ValueError
            In one sentence.
        """
        two = len(CONCEPTS)
        for name, given, least in (("latents", self.latents, 1), ("measurements", self.measurements, 1)):
            if len(given) != two or min(given) < least:
                raise ValueError(f"{name} must be {two} numbers from 1, one a modality, not {given}")
        if len(self.families) not in (1, two):
            raise ValueError(f"families must be one name or {two}, one a modality, not {len(self.families)}")
        for name in self.families:
            if name not in worlds_families():
                raise ValueError(f"there is no family {name!r}; the families are {', '.join(worlds_families())}")
        if not 0 <= self.shared <= len(SHARED):
            raise ValueError(f"shared must be 0 to {len(SHARED)}, not {self.shared}")
        for place, (modality, concepts) in enumerate(CONCEPTS.items()):
            known = len(FEATURES) - self.shared if self.family(place) == "faces" else len(concepts)
            if self.latents[place] > known:
                raise ValueError(f"{modality} has words for {known} latents in {self.family(place)}; ask for fewer")
        if not PEOPLE[0] <= self.people <= PEOPLE[1]:
            raise ValueError(f"people must be {PEOPLE[0]} to {PEOPLE[1]:,}, not {self.people:,}")
        if not 0 <= self.filler <= 12 or not 0 <= self.omitted < 1 or not 0 <= self.spread < np.inf:
            raise ValueError("filler must be 0 to 12 sentences, omitted 0 up to 1, and spread not negative")
        if not 0 <= self.links <= min(self.latents):
            raise ValueError(f"links must be 0 to {min(self.latents)}, the latents of the smaller modality")
        self.adjacency()

    def adjacency(self) -> NDArray[np.bool_]:
        """Return the graph, shape (d, d), rows are children.

        Raises
        ------
        ValueError
            When an edge names no latent, or edges make a loop.
        """
        names = self.names()
        graph = np.zeros((len(names), len(names)), dtype=bool)
        for cause, effect in self._edges() if self.edges is None else self.edges:
            for name in (cause, effect):
                if name not in names:
                    raise ValueError(f"edges: there is no latent {name}; the latents are {', '.join(names)}")
            graph[names.index(effect), names.index(cause)] = True
        if graph.diagonal().any() or len(components(graph)) != len(names):
            raise ValueError("edges must not make a loop")
        return graph

    def _edges(self) -> list[tuple[str, str]]:
        first, second = CONCEPTS
        found = [(f"{first}_{i + 1}", f"{second}_{i + 1}") for i in range(self.links)]
        for modality, count in zip(CONCEPTS, self.latents, strict=True):
            found += [(f"{modality}_{i}", f"{modality}_{i + 1}") for i in range(1, count)]
            found += [(f"shared_{i + 1}", f"{modality}_{count}") for i in range(self.shared)]
        return found


def worlds_families() -> list[str]:
    """Return the names of all families of measurements.

    Examples
    --------
    >>> worlds_families()
    ['adjectives', 'german', 'clauses', 'numbers', 'filler', 'biographies', 'faces', 'questionnaires']
    """
    return [*family_names(), *OTHER_FAMILIES]


@dataclass(frozen=True)
class World:
    """Invented people before anything is embedded.

    Parameters
    ----------
    options, seed
        What they were drawn from.
    latents
        Shape (n, d), standardised, columns by ``names``: shared latents first, then modality by modality.
    names
        ``shared_1`` ..., then ``character_1`` ... and ``life_1`` ....
    adjacency
        Shape (d, d), rows are children.
    texts
        Modality -> measurement -> a text a person; modalities of faces and questionnaires are absent.
    pictures
        Modality -> measurement -> faces, shape (n, 32, 32), uint8.
    answers
        Modality -> measurement -> answers to a questionnaire, shape (n, items), float32.
    """

    options: WorldOptions
    seed: int
    latents: Array
    names: list[str]
    adjacency: NDArray[np.bool_]
    texts: Mapping[str, Mapping[str, list[str]]]
    pictures: Mapping[str, Mapping[str, NDArray[np.uint8]]]
    answers: Mapping[str, Mapping[str, NDArray[np.float32]]]

    @property
    def concepts(self) -> list[str]:
        """What each latent is about, in the order of ``names``."""
        own = [c for (_, all_), count in zip(CONCEPTS.items(), self.options.latents, strict=True) for c in all_[:count]]
        return [*SHARED[: self.options.shared], *own]


def draw_world(options: WorldOptions, *, seed: int) -> World:
    """Draw people, their latents and what is said or shown of them.

    Parameters
    ----------
    options
        What the world is.
    seed
        Of everything: mechanisms, people, words. The same seed gives the same bytes, and the first people are the same
        whatever their number.

    Raises
    ------
    ValueError
        When the options cannot be drawn.

    Examples
    --------
    >>> world = draw_world(WorldOptions(people=20, nuisance=False), seed=1)
    >>> world.texts["character"]["character_t1"][:2]
    ['This person is well organised and fairly relaxed.', 'This person is neither neat nor messy and calm.']
    """
    options.check()
    model_rng, people_rng, measured_rng = np.random.default_rng([seed, 20]).spawn(3)
    graph, names = options.adjacency(), options.names()
    model = Mechanisms(
        graph, mechanism=options.mechanism, noise=options.noise, noise_scale=options.noise_scale, rng=model_rng
    )
    latents = model.solve(model.draw(options.people, rng=people_rng))
    texts: dict[str, dict[str, list[str]]] = {}
    pictures: dict[str, dict[str, NDArray[np.uint8]]] = {}
    answers: dict[str, dict[str, NDArray[np.float32]]] = {}
    for place, modality in enumerate(CONCEPTS):
        family, rngs = options.family(place), measured_rng.spawn(options.measurements[place])
        own = [i for i, name in enumerate(names) if name.rpartition("_")[0] in (modality, "shared")]
        # own latents first: a face's first features and a text's first phrases are then the modality's
        own = own[options.shared :] + own[: options.shared]
        for k, rng in enumerate(rngs):
            if family == "faces":
                shown = draw_faces(latents[:, own], nuisance=options.nuisance, rng=rng)
                pictures.setdefault(modality, {})[f"{modality}_p{k + 1}"] = shown
            elif family == "questionnaires":
                said = draw_forms(latents[:, own], form=k + 10 * place, nuisance=options.nuisance, rng=rng)
                answers.setdefault(modality, {})[f"{modality}_q{k + 1}"] = said
            else:
                about = [*CONCEPTS[modality][: options.latents[place]], *SHARED[: options.shared]]
                written = _written(options, family, about, latents[:, own], k, rng)
                texts.setdefault(modality, {})[f"{modality}_t{k + 1}"] = written
    return World(options, seed, latents, names, graph, texts, pictures, answers)


def _written(
    options: WorldOptions, family: str, concepts: list[str], latents: Array, k: int, rng: np.random.Generator
) -> list[str]:
    write = find_family(family)
    assert write is not None
    return write(Writer(concepts, latents, k, options.nuisance, options.filler, options.spread, options.omitted, rng))
