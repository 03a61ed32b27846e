"""What is known before looking at the data: tiers, forbidden and required causes; and whether it can all be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from personax.errors import InputError
from personax.strict import nearest

__all__ = ["Knowledge"]


@dataclass(frozen=True)
class Knowledge:
    """What is known before looking at the data.

    Parameters
    ----------
    tiers
        Column -> tier; a column of a later tier never causes one of an earlier tier. Columns without a tier may cause
        any.
    forbidden
        (cause, effect) pairs that cannot be.
    required
        (cause, effect) pairs that are, whatever the data say.

    Examples
    --------
    >>> known = Knowledge(tiers={"sex": 0, "height": 1}, required=[("height", "sex")])
    >>> known.check(["sex", "height"])
    Traceback (most recent call last):
        ...
    personax.errors.InputError: knowledge: height is required to cause sex, which is of an earlier tier; ...
    """

    tiers: Mapping[str, int] | None = None
    forbidden: Sequence[tuple[str, str]] = ()
    required: Sequence[tuple[str, str]] = ()

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
            A column that is not there, a column that causes itself, or required causes that form a cycle, are
            forbidden, or run against the tiers.
        """
        for part, used in self._named():
            if used not in names:
                raise InputError(f"knowledge.{part}: there is no column {used}; {nearest(used, list(names))}")
        for part, pairs in (("forbidden", self.forbidden), ("required", self.required)):
            for cause, effect in pairs:
                if cause == effect:
                    raise InputError(f"knowledge.{part}: {cause} stands on both sides; name a cause and its effect")
        reached = _reached(self.required)
        self._no_cycle(reached)
        banned = set(self.forbidden)
        for cause, effects in reached.items():
            for effect in effects:
                direct = (cause, effect) in self.required
                if (cause, effect) in banned and (direct or through_others):
                    way = "" if direct else " through other columns"
                    text = f"knowledge: {cause} is required to cause {effect}{way}, and forbidden to; remove one"
                    raise InputError(text)
                if self.later(cause, effect):
                    text = f"knowledge: {cause} is required to cause {effect}, which is of an earlier tier; change one"
                    raise InputError(text)

    def later(self, cause: str, effect: str) -> bool:
        """Say whether the tiers forbid this cause."""
        tiers = self.tiers or {}
        return cause in tiers and effect in tiers and tiers[cause] > tiers[effect]

    def is_forbidden(self, cause: str, effect: str) -> bool:
        """Say whether this cause cannot be, be it by the tiers, by name, or because the contrary is required."""
        return self.later(cause, effect) or (cause, effect) in self.forbidden or (effect, cause) in self.required

    def _named(self) -> Iterable[tuple[str, str]]:
        yield from (("tiers", name) for name in self.tiers or {})
        yield from (("forbidden", name) for pair in self.forbidden for name in pair)
        yield from (("required", name) for pair in self.required for name in pair)

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
