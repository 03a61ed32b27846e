"""Settings that name a registered part."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from personax import registry
from personax.registry import Part
from personax.strict import nearest

__all__ = ["part_name"]


def part_name(kind: str, *also: str, fits: Callable[[Part], bool] | None = None) -> AfterValidator:
    """Return the check of a setting: one of the registered names of a kind, or of ``also``.

    Parameters
    ----------
    kind
        One of `personax.registry.KINDS`.
    also
        Names beside the registered ones.
    fits
        Which parts can be named here; it sees what the parts declare.

    Examples
    --------
    >>> from typing import Annotated
    >>> from personax.strict import Strict
    >>> class Section(Strict):
    ...     test: Annotated[str, part_name("tests")]
    >>> Section(test="kcii")
    Traceback (most recent call last):
        ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for Section
    test
      'kcii' is not possible; did you mean kci? [type=unknown_part, ...]
    """

    def check(name: str) -> str:
        if name in also or (name in registry.names(kind) and (fits is None or fits(registry.describe(kind, name)))):
            return name
        fitting = [*also, *(part.name for part in registry.parts(kind) if fits is None or fits(part))]
        raise PydanticCustomError(
            "unknown_part", "{name} is not possible; {hint}", {"name": repr(name), "hint": nearest(name, fitting)}
        )

    return AfterValidator(check)
