"""Methods of Level II by name: ours (``default``), the paper's, baselines, a floor and a ceiling, under one contract.

``method("betavae")`` makes one; ``NAMES`` holds the names of all, also of those that other packages register, and
``METHODS`` their classes. A method is imported when it is first asked for, so that the two closed forms (`pca`, `cca`)
work without torch. How a method without shared latents of its own fills them is said in its docstring; all give them
first.

A map: ``default/`` (ours), ``paper/`` (the paper's objective), ``_linear`` (closed forms), ``_vae``, ``_contrastive``,
``_bounds`` (floor and ceiling); ``_base`` (what trained methods have in common), ``_networks`` (their encoders and
decoders), ``_layout`` (sizes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personax import registry
from personax.errors import InputError, require
from personax.strict import check_options

if TYPE_CHECKING:
    from personax.crl._estimator import Method

    METHODS: dict[str, type[Method]]
    NAMES: list[str]

__all__ = ["METHODS", "NAMES", "is_usable", "method", "usable"]


def usable() -> list[str]:
    """Return the names of the methods that need no truth and are no floor: those a study can ask for.

    Examples
    --------
    >>> usable()[-1], "supervised" in usable()
    ('default', False)
    """
    return [part.name for part in registry.parts("methods") if is_usable(part)]


def is_usable(part: registry.Part) -> bool:
    """Say whether a method needs no truth and is no floor."""
    return not part.facts.get("benchmark_only")


def method(name: str, **options: Any) -> Method:
    """Return a method by name.

    Parameters
    ----------
    name
        One of ``NAMES``.
    options
        Of the method, see its class; ours all take ``budget``, which closed forms do not spend.

    Raises
    ------
    InputError
        For a name that no method has, or an option that the method does not take.

    Examples
    --------
    >>> method("pca").name
    'pca'
    >>> method("betavea")
    Traceback (most recent call last):
        ...
    personax.errors.InputError: there is no method betavea; did you mean betavae?
    """
    kind = _class(name)
    check_options(f"the method {name}", kind, options)
    made: Method = kind(**options)
    return made


def _class(name: str) -> type[Any]:
    try:
        if registry.describe("methods", name).facts.get("needs_torch", True):
            require("torch", extra="crl")
        found: type[Any] = registry.get("methods", name)
    except registry.RegistryError as error:
        raise InputError(str(error)) from None
    return found


def __getattr__(name: str) -> object:
    if name == "NAMES":
        return registry.names("methods")
    if name == "METHODS":
        return {key: _class(key) for key in registry.names("methods")}
    text = f"module 'personax.crl.methods' has no attribute {name!r}"
    raise AttributeError(text)
