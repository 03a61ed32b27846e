"""The words that stages share: columns, traits, annotations, graphs, notices."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

from personax.results import DrawableResult

if TYPE_CHECKING:
    import polars as pl

from personax.errors import InputError

__all__ = [
    "ANCHORS",
    "ENDINGS",
    "IDENTITIES",
    "KINDS",
    "LETTERS",
    "ROLES",
    "STATUSES",
    "TRAITS",
    "Annotation",
    "Column",
    "Edge",
    "EdgeKind",
    "Graph",
    "Identity",
    "Item",
    "Kind",
    "Node",
    "Notice",
    "Provenance",
    "Role",
    "Status",
    "Trait",
    "TraitFramework",
    "select",
]

Role = Literal["id", "private", "feature", "target", "embedding"]
"""What a column is for. ``private`` never leaves the study folder."""

Kind = Literal["continuous", "ordinal", "nominal", "cyclic"]
"""What a column's values mean; it decides which tests fit."""

Identity = Literal["direct", "quasi-identifying", "sensitive", "free", "unknown", ""]
"""Whom a column's values tell; empty where nobody has looked. See docs/disclosure.md."""

Status = Literal[
    "ok", "insufficient", "hesitation", "refused", "privacy", "filtered", "empty", "truncated", "malformed",
    "off_scale", "contradictory", "failed", "not_asked",
]  # fmt: skip
"""How a request for one trait score ended; only ``ok`` carries a score. See docs/traits.md."""

EdgeKind = Literal["directed", "undirected", "bidirected", "partially_directed", "nondirected"]
"""What the two ends of an edge say; see `Edge`."""

ROLES: tuple[Role, ...] = get_args(Role)
KINDS: tuple[Kind, ...] = get_args(Kind)
IDENTITIES: tuple[Identity, ...] = get_args(Identity)[:-1]
STATUSES: tuple[Status, ...] = get_args(Status)

ENDINGS: Mapping[str, Sequence[Status]] = {
    "scored": ("ok",),
    "insufficient": ("insufficient",),
    "declined": ("refused", "privacy", "filtered", "hesitation"),
    "unreadable": ("empty", "truncated", "malformed", "off_scale", "contradictory"),
    "no reply": ("failed", "not_asked"),
}
"""Statuses in groups that a picture can show."""

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
"""The Big Five, the default framework: simulated people, and tables of others that name none, have these."""

LETTERS: Mapping[str, str] = {trait: trait[0] for trait in TRAITS}
"""Trait of the Big Five to the letter that files use: ``final_o`` is the aggregated openness."""


@dataclass(frozen=True, slots=True)
class Trait:
    """A trait of a framework.

    Parameters
    ----------
    name
        In annotations and replies; lower-case letters and ``_``.
    letter
        Ends the names of its score columns: ``final_o``. One of a to z, another for each trait of a framework.
    meaning
        Both ends in one phrase, ``"kind and trusting, rather than critical and cold"``: what raters are told.
    low, high
        Adjective markers of its two ends, for the lexicon; empty where there are none.
    part_of
        The broader trait whose facet it is; empty where it is none.
    """

    name: str
    letter: str
    meaning: str
    low: tuple[str, ...] = ()
    high: tuple[str, ...] = ()
    part_of: str = ""

    def __post_init__(self) -> None:
        for end in ("low", "high"):
            if isinstance(getattr(self, end), str):
                raise InputError(f"the trait {self.name}: {end} is one text; give a tuple of markers, ('bad',)")


@dataclass(frozen=True, slots=True)
class Item:
    """A statement of a questionnaire.

    Parameters
    ----------
    id
        Its name in keys, tables and replies: letters, digits and ``_``.
    text
        The statement.
    trait
        Which trait it is an item of.
    reversed
        Whether agreeing with it speaks for the low end.
    """

    id: str
    text: str
    trait: str
    reversed: bool = False


ANCHORS = ("very inaccurate", "moderately inaccurate", "neither accurate nor inaccurate", "moderately accurate",
           "very accurate")  # fmt: skip
"""What the answers to an item mean, from 1 on, where a framework says nothing else."""


@dataclass(frozen=True)
class TraitFramework:
    """The traits that raters score, registered under ``trait_frameworks`` or described in a file.

    Parameters
    ----------
    name
        As registered.
    traits
        In the order of tables.
    title
        For people; the name where it is empty.
    items
        Of a questionnaire, in the order in which they are asked; empty where there is none.
    anchors
        What each answer to an item means, from 1 on.
    language
        In which raters are asked: a code such as ``de``.
    reference, licence
        Where it is from, and under which terms its texts may be used.
    domains
        Broader traits that traits are ``part_of``, with the letters and meanings of their scores; those that are left
        out get a letter of their name.

    Raises
    ------
    InputError
        No trait, a name that is none, a letter that is none or stands twice; an item of no trait, or whose name stands
        twice; fewer than two anchors.

    Examples
    --------
    >>> pair = TraitFramework("pair", [Trait("warmth", "w", "warm, rather than cold"), Trait("zeal", "z", "keen")])
    >>> pair.names, pair.letters["zeal"], TraitFramework.from_json(pair.to_json()) == pair
    (('warmth', 'zeal'), 'z', True)
    """

    name: str
    traits: Sequence[Trait]
    title: str = ""
    items: Sequence[Item] = ()
    anchors: Sequence[str] = ANCHORS
    language: str = "en"
    reference: str = ""
    licence: str = ""
    domains: Sequence[Trait] = ()

    def __post_init__(self) -> None:
        for several in ("traits", "items", "anchors", "domains"):
            object.__setattr__(self, several, tuple(getattr(self, several)))
        self._check_names(self.traits)
        if self.domains:
            self._check_names(self.domains)
            lost = next((one.name for one in self.domains if one.name not in {t.part_of for t in self.traits}), None)
            if lost is not None:
                raise InputError(f"framework {self.name}: no trait is part_of the domain {lost}")
        self._check_items()

    def _check_names(self, traits: Sequence[Trait]) -> None:
        letters = [trait.letter for trait in traits]
        wrong = [trait.name for trait in traits if not re.fullmatch(r"[a-z][a-z_]*", trait.name)]
        if not traits or wrong or len({trait.name for trait in traits}) < len(traits):
            raise InputError(f"framework {self.name}: traits have different names of lower-case letters and _")
        if not all(re.fullmatch("[a-z]", letter) for letter in letters) or len(set(letters)) < len(letters):
            raise InputError(f"framework {self.name}: give every trait another letter, from a to z")

    def _check_items(self) -> None:
        ids = [item.id.lower() for item in self.items]
        wrong = [item.id for item in self.items if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,29}", item.id)]
        if wrong or len(set(ids)) < len(ids):
            raise InputError(f"framework {self.name}: items have different ids of letters, digits and _, such as A1")
        lost = next((item for item in self.items if item.trait not in self.names), None)
        if lost is not None:
            raise InputError(
                f"framework {self.name}: the item {lost.id} is of {lost.trait}, which is none of its traits"
            )
        if len(self.anchors) < 2 or len({anchor.strip().lower() for anchor in self.anchors}) < len(self.anchors):
            raise InputError(f"framework {self.name}: give two anchors or more, each another one")
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", self.language):
            raise InputError(f"framework {self.name}: {self.language} is no language; give a code such as en or de")

    def __hash__(self) -> int:  # of few parts: replies are looked up by their prompt, and so by this
        return hash((self.name, self.names, self.language, len(self.items)))

    @property
    def scoring_key(self) -> dict[str, list[str]]:
        """Trait -> signed ids of its items, of those traits that have any; ``-A1`` is reverse-keyed."""
        key: dict[str, list[str]] = {}
        for item in self.items:
            key.setdefault(item.trait, []).append(f"-{item.id}" if item.reversed else item.id)
        return key

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the traits."""
        return tuple(trait.name for trait in self.traits)

    @property
    def letters(self) -> dict[str, str]:
        """Trait -> letter."""
        return {trait.name: trait.letter for trait in self.traits}

    @property
    def meanings(self) -> dict[str, str]:
        """Trait -> what raters are told of it."""
        return {trait.name: trait.meaning for trait in self.traits}

    def to_json(self) -> str:
        """Return the framework as JSON text, so that its scores can be read without the package that brought it."""
        told = asdict(self)
        if not self.domains:
            del told["domains"]  # as before there were any
        return json.dumps(told, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        traits, domains = (
            [Trait(**{**one, "low": tuple(one["low"]), "high": tuple(one["high"])}) for one in raw.get(name, ())]
            for name in ("traits", "domains")
        )
        items = [Item(**one) for one in raw.get("items", ())]
        return cls(**{**raw, "traits": traits, "items": items, "domains": domains})


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a people table: its name, what it is for and what its values mean.

    Parameters
    ----------
    name
        Column name in the table.
    role, kind
        See `Role` and `Kind`.
    unit
        Unit of a measurement, for example ``"cm"``.
    period
        Length of one turn of a cyclic column, for example 12 for months.
    inferred
        True when personax guessed role or kind; the report then says so.
    why
        One phrase: why this kind was inferred.
    identity, identity_why
        Its identity class, and the reason in a phrase; see `personax.data.identity.classify`.
    """

    name: str
    role: Role
    kind: Kind
    unit: str | None = None
    period: float | None = None
    inferred: bool = False
    why: str = ""
    identity: Identity = ""
    identity_why: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader of the results must know, in plain words.

    Parameters
    ----------
    text
        One sentence, complete in itself. It may be shown to anybody, so it carries no name of a person.
    count
        How many rows, cells or tests it is about.
    """

    text: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the values of a people table came from."""

    source: str
    location: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one rater said of one trait of one person; a row of annotations.parquet.

    ``score`` is None unless ``status`` is ``ok``; a refusal is never turned into a number.
    """

    person: str
    model: str
    trait: str
    score: float | None
    status: Status
    prompt: str = ""
    repeat: int = 0
    text: str = ""
    latency: float | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A variable of a graph; ``group`` colours it (a modality, ``trait``, ``biography`` ...)."""

    id: str
    label: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge between two variables.

    ``directed`` means source causes target; ``undirected`` leaves the direction open (or states dependence only);
    ``bidirected`` means a common cause. Where common causes may be hidden, an end may also be open, drawn as a circle:
    ``partially_directed`` (source o-> target) means that target does not cause source, ``nondirected`` (o-o) leaves
    both ends open. ``weight`` is in the graph's own unit, named by ``Graph.weight``. A ``doubtful`` edge is drawn grey:
    an end of it may be something else than its name says.
    """

    source: str
    target: str
    kind: EdgeKind = "directed"
    weight: float | None = None
    label: str = ""
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Graph(DrawableResult):
    """Nodes and edges, as graph.json holds them.

    Parameters
    ----------
    meaning
        One sentence for the reader: what an edge of this graph means.
    weight
        What the edges' weights are, for example ``"Cramer's V"``.

    Examples
    --------
    >>> graph = Graph([Node("a"), Node("b")], [Edge("a", "b")], meaning="a causes b")
    >>> Graph.from_json(graph.to_json()) == graph
    True
    >>> graph.to_frame().row(0)
    ('a', 'b', 'directed', None, '')
    """

    plot_kind: ClassVar[str] = "graph"

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    meaning: str = ""
    weight: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_frame(self) -> pl.DataFrame:
        """Return one row an edge: source, target, kind, weight, label; and doubtful where any edge is."""
        import polars as pl

        types = {"source": pl.String, "target": pl.String, "kind": pl.String, "weight": pl.Float64, "label": pl.String}
        if any(edge.doubtful for edge in self.edges):
            types["doubtful"] = pl.Boolean
        return pl.DataFrame([asdict(edge) for edge in self.edges], schema=types)

    def to_json(self) -> str:
        """Return the graph as JSON text, keys in a fixed order; ``doubtful`` stands where an edge is."""
        shown = asdict(self)
        shown["edges"] = [{k: v for k, v in edge.items() if k != "doubtful" or v} for edge in shown["edges"]]
        return json.dumps(shown, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        nodes = [Node(**node) for node in raw.pop("nodes")]
        edges = [Edge(**edge) for edge in raw.pop("edges")]
        return cls(nodes, edges, **raw)


def select(columns: Iterable[Column], role: Role) -> list[Column]:
    """Return the columns that have this role, in order.

    Examples
    --------
    >>> [column.name for column in select([Column("height", "feature", "continuous")], "feature")]
    ['height']
    """
    return [column for column in columns if column.role == role]
