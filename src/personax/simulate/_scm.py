"""A small structural causal model, and the one of the invented people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from personax.schema import Edge, Graph, Node

__all__ = ["MODEL", "SCM", "TRAIT_OF", "Variable"]


Array = NDArray[np.float64]

MECHANISMS: Mapping[str, Callable[[Array], Array]] = {
    "linear": lambda parent: parent,
    "saturating": lambda parent: 1.5 * np.tanh(parent),
    "bent": lambda parent: parent + 0.5 * np.maximum(parent, 0) - 0.2,
}
"""How a cause enters: all are monotone, so that an effect has one sign."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, in the sentence: sum of weight * mechanism(cause) + noise * N(0, 1).

    Parameters
    ----------
    name, group
        ``group`` is one of ``shared``, ``text``, ``image``, ``biography``, ``trait``.
    causes
        Cause -> weight; a cause stands earlier in the table.
    mechanism
        One of `MECHANISMS`, for all causes of this variable.
    noise
        Standard deviation of the exogenous noise.
    """

    name: str
    group: str
    causes: Mapping[str, float] = field(default_factory=dict)
    mechanism: Literal["linear", "saturating", "bent"] = "linear"
    noise: float = 1.0

    def equation(self) -> str:
        """Write the sentence, for the documentation.

        Examples
        --------
        >>> Variable("b", "text", {"a": 0.7, "g": -0.4}, "bent", noise=0.6).equation()
        'b = 0.7 bent(a) - 0.4 bent(g) + 0.6 noise'
        """
        enters = "{}" if self.mechanism == "linear" else f"{self.mechanism}({{}})"
        terms = [f"{weight:+g} {enters.format(cause)}" for cause, weight in self.causes.items()]
        sum_ = " ".join([*terms, f"{self.noise:+g} noise"]).removeprefix("+")
        return f"{self.name} = {sum_.replace(' +', ' + ').replace(' -', ' - ')}"


class SCM:
    """A structural causal model whose variables stand in causal order.

    Parameters
    ----------
    variables
        The table.

    Raises
    ------
    ValueError
        When a cause does not stand before its effect.

    Examples
    --------
    >>> model = SCM([Variable("a", "shared"), Variable("b", "text", {"a": 1.0}), Variable("c", "text")])
    >>> model.dependent("a", "b"), model.dependent("a", "c")
    (True, False)
    """

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = {variable.name: variable for variable in variables}
        seen: set[str] = set()
        for variable in variables:
            if not seen.issuperset(variable.causes):
                raise ValueError(f"{variable.name} has a cause that stands after it")
            seen.add(variable.name)

    def draw(self, n: int, *, rng: np.random.Generator) -> dict[str, Array]:
        """Draw exogenous noise for n people, shape (n,) a variable."""
        return {name: rng.standard_normal(n) for name in self.variables}

    def solve(self, noise: Mapping[str, Array], do: Mapping[str, Array | float] | None = None) -> dict[str, Array]:
        """Compute every variable from its noise; a variable in ``do`` is set instead, whatever its causes."""
        values: dict[str, Array] = {}
        for name, variable in self.variables.items():
            if do is not None and name in do:
                values[name] = np.broadcast_to(np.asarray(do[name], dtype=float), noise[name].shape)
                continue
            enters = MECHANISMS[variable.mechanism]
            caused = sum((weight * enters(values[cause]) for cause, weight in variable.causes.items()), np.zeros(1))
            values[name] = caused + variable.noise * noise[name]
        return values

    def standardise(self, values: Mapping[str, Array], *, n: int = 50_000, seed: int = 0) -> dict[str, Array]:
        """Return variables in standard deviations of the model from its mean: one person's do not depend on others'.

        Mean and deviation are those of ``n`` people drawn for this; their error is about 1/sqrt(n) of a deviation.
        """
        drawn = self.solve(self.draw(n, rng=np.random.default_rng(seed)))
        return {name: (value - drawn[name].mean()) / drawn[name].std() for name, value in values.items()}

    def effect(self, cause: str, target: str, *, n: int = 20_000, seed: int = 0) -> float:
        """Return the average total effect of one unit of a cause, in standard deviations of the target.

        The same people are solved twice, with the cause set half a unit above and half a unit below what it would be;
        the difference is exact for linear mechanisms and has a Monte Carlo error of about 1/sqrt(n) of its spread
        otherwise.
        """
        if cause == target or cause not in self.ancestors(target):
            return 0.0
        noise = self.draw(n, rng=np.random.default_rng(seed))
        natural = self.solve(noise)
        above = self.solve(noise, {cause: natural[cause] + 0.5})
        below = self.solve(noise, {cause: natural[cause] - 0.5})
        return float((above[target] - below[target]).mean() / natural[target].std())

    def ancestors(self, name: str) -> set[str]:
        """Return a variable and all its direct and indirect causes."""
        found = {name}
        for cause in self.variables[name].causes:
            found |= self.ancestors(cause)
        return found

    def dependent(self, first: str, second: str) -> bool:
        """Say whether two variables are d-connected with nothing given, which is to share an ancestor."""
        return not self.ancestors(first).isdisjoint(self.ancestors(second))

    def graph(self) -> Graph:
        """Return the causal graph; weights are the coefficients."""
        nodes = [Node(name, name.replace("_", " "), variable.group) for name, variable in self.variables.items()]
        edges = [
            Edge(cause, name, "directed", weight)
            for name, variable in self.variables.items()
            for cause, weight in variable.causes.items()
        ]
        return Graph(nodes, edges, "An arrow: source causes target in the model that drew these people.", "coefficient")


MODEL = SCM(
    [
        # biography that nothing else causes; month and day of birth cause nothing: true nulls
        Variable("region", "biography"),
        Variable("gender", "biography"),
        Variable("birth_year", "biography"),
        Variable("birth_month", "biography"),
        Variable("birth_day", "biography"),
        Variable("height", "biography", {"gender": 0.7}, noise=0.7),
        Variable("weight", "biography", {"height": 0.8}, noise=0.6),
        # shared by texts and faces
        Variable("culture", "shared", {"region": 0.8}, noise=0.6),
        Variable("mindset", "shared", {"birth_year": -0.5}, noise=0.8),
        # what texts are about
        Variable("confidence", "text", {"mindset": 0.8}, "saturating", noise=0.5),
        Variable("emotional_stability", "text", {"confidence": 0.7}, "bent", noise=0.6),
        Variable("warmth", "text", {"culture": 0.7}, "saturating", noise=0.6),
        # what faces show; the chain confidence -> facial expression crosses the modalities
        Variable("skin_tone", "image", {"region": 0.8}, noise=0.5),
        Variable("attractiveness", "image", {"birth_year": 0.4}, noise=0.9),
        Variable("facial_expression", "image", {"confidence": 0.9}, "saturating", noise=0.5),
        # what people do for a living
        Variable("occupation", "biography", {"mindset": 0.6, "confidence": 0.4}, noise=0.6),
        # the five traits
        Variable("openness_trait", "trait", {"culture": 0.5, "mindset": 0.4}, noise=0.7),
        Variable("conscientiousness_trait", "trait", {"mindset": 0.7, "occupation": 0.3}, noise=0.6),
        Variable("extraversion_trait", "trait", {"confidence": 0.6, "facial_expression": 0.4}, noise=0.5),
        Variable("agreeableness_trait", "trait", {"warmth": 0.7, "gender": -0.4}, noise=0.6),
        Variable("neuroticism_trait", "trait", {"emotional_stability": -0.8}, noise=0.5),
    ]
)
"""Nothing on a face but its expression causes a trait: that is a choice about these people, not a finding."""

TRAIT_OF = {name: name.removesuffix("_trait") for name in MODEL.variables if name.endswith("_trait")}
