"""Frameworks by name; the Big Five is the default.

Each is a file of ``frameworks``, which says where it is from and under which terms its items may be used; the others
lie in ``_more_frameworks``.
"""

from __future__ import annotations

from personax import registry
from personax.registry import register
from personax.schema import TraitFramework
from personax.traits._framework_files import packaged_framework

__all__ = ["BIG_FIVE", "trait_framework"]

BIG_FIVE = register("trait_frameworks", "big_five", title="Big Five", help="five traits, o c e a n", order=0)(
    packaged_framework("big_five")
)


def trait_framework(name: str) -> TraitFramework:
    """Return a registered framework.

    Raises
    ------
    RegistryError
        There is none of this name; the message says which package to install, or names the nearest one.

    Examples
    --------
    >>> trait_framework("big_five").letters["neuroticism"]
    'n'
    """
    framework: TraitFramework = registry.get("trait_frameworks", name)
    return framework
