"""What is known before looking at the data: tiers, forbidden and required causes; and whether it can all be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, GetPydanticSchema

from personax.errors import InputError
from personax.strict import Strict, nearest

__all__ = ["Knowledge"]

Pair = Annotated[Sequence[str], Field(min_length=2, max_length=2)]
"""(cause, effect)."""


def _grouped(tiers: Any) -> Any:  # noqa: ANN401 - whatever was given
    """Return column -> tier as groups of columns; groups are left as they are."""
    if not isinstance(tiers, Mapping) or any(not isinstance(tier, int) for tier in tiers.values()):
        return tiers
    return [[name for name, its in tiers.items() if its == tier] for tier in sorted(set(tiers.values()))]


Groups: TypeAlias = Sequence[Sequence[str]]

Tiers = Annotated[
    Groups | Mapping[str, int] | None,
    GetPydanticSchema(lambda _, handler: handler(Groups | None)),
    BeforeValidator(_grouped),
]
"""Given as groups or as numbers, held as groups."""


class Knowledge(Strict):
    """What is known before looking at the data.

    Parameters
    ----------
    tiers
        Groups of columns: one of a later group never causes one of an earlier group. Columns without a tier may cause
        any. Column -> number of its tier says the same.
    forbidden
        (cause, effect) pairs that cannot be.
    required
        (cause, effect) pairs that are, whatever the data say.

    Examples
    --------
    >>> known = Knowledge(tiers=[["sex"], ["height"]], required=[("height", "sex")])
    >>> known.check(["sex", "height"])
    Traceback (most recent call last):
        ...
    personax.errors.InputError: knowledge: height is required to cause sex, which is of an earlier tier; ...
    """

    tiers: Tiers = None
    forbidden: Sequence[Pair] = ()
    required: Sequence[Pair] = ()

    def check(self, names: Sequence[str], *, through_others: bool = False) -> None:
        """Say what of this cannot be true of these columns.

        Parameters
        ----------
        names
            The columns of the search.
        through_others
            A forbidden cause is also forbidden to act through other columns, as in FCI.

        Raises
        ------
        InputError
            A column that is not there, stands in two tiers or causes itself, or required causes that form a cycle, are
            forbidden, or run against the tiers.
        """
        for part, used in self.named():
            if used not in names:
                raise InputError(f"knowledge.{part}: there is no column {used}; {nearest(used, list(names))}")
        self._no_column_in_two_tiers()
        forbidden, required = self._forbidden, self._required
        for part, pairs in (("forbidden", forbidden), ("required", required)):
            for cause, effect in pairs:
                if cause == effect:
                    raise InputError(f"knowledge.{part}: {cause} stands on both sides; name a cause and its effect")
        reached = _reached(required)
        self._no_cycle(reached)
        for cause, effects in reached.items():
            for effect in effects:
                direct = (cause, effect) in required
                if (cause, effect) in forbidden and (direct or through_others):
                    way = "" if direct else " through other columns"
                    text = f"knowledge: {cause} is required to cause {effect}{way}, and forbidden to; remove one"
                    raise InputError(text)
                if self.later(cause, effect):
                    text = f"knowledge: {cause} is required to cause {effect}, which is of an earlier tier; change one"
                    raise InputError(text)

    def later(self, cause: str, effect: str) -> bool:
        """Say whether the tiers forbid this cause."""
        tier = self._tier
        return cause in tier and effect in tier and tier[cause] > tier[effect]

    def is_forbidden(self, cause: str, effect: str) -> bool:
        """Say whether this cause cannot be, be it by the tiers, by name, or because the contrary is required."""
        return self.later(cause, effect) or (cause, effect) in self._forbidden or (effect, cause) in self._required

    @cached_property
    def _tier(self) -> dict[str, int]:
        return {name: tier for tier, group in enumerate(self.tiers or ()) for name in group}

    @cached_property
    def _forbidden(self) -> list[tuple[str, str]]:
        return [(cause, effect) for cause, effect in self.forbidden]

    @cached_property
    def _required(self) -> list[tuple[str, str]]:
        return [(cause, effect) for cause, effect in self.required]

    def named(self) -> Iterable[tuple[str, str]]:
        """Yield the setting and the name of every column that is named."""
        yield from (("tiers", name) for group in self.tiers or () for name in group)
        yield from (("forbidden", name) for pair in self.forbidden for name in pair)
        yield from (("required", name) for pair in self.required for name in pair)

    def _no_column_in_two_tiers(self) -> None:
        named = [name for group in self.tiers or () for name in group]
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise InputError(f"knowledge.tiers: {twice[0]} stands in two tiers; keep one")

    def _no_cycle(self, reached: Mapping[str, Sequence[str]]) -> None:
        around = [cause for cause, effects in reached.items() if cause in effects]
        if around:
            text = f"knowledge.required: the causes go in a circle through {', '.join(around)}; remove one of them"
            raise InputError(text)


def _reached(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return for every cause all that it causes, through others too, in the order in which they were named."""
    after: dict[str, list[str]] = {}
    for cause, effect in pairs:
        after.setdefault(cause, []).append(effect)
    reached = {}
    for cause in after:
        found: dict[str, None] = {}
        waiting = list(after[cause])
        while waiting:
            effect = waiting.pop(0)
            if effect not in found:
                found[effect] = None
                waiting.extend(after.get(effect, ()))
        reached[cause] = list(found)
    return reached
