"""What Level II is compared with: other ways to learn latents, a floor and a ceiling, under one contract.

``method("betavae")`` makes one; ``METHODS`` holds them all. A method is imported when it is first asked for, so that
the two closed forms (`pca`, `cca`) work without torch. How a method without shared latents of its own fills them is
said in its docstring; all give them first.

A map: ``base`` (what trained methods have in common), ``nets`` (their encoders and decoders), ``gaussian`` and
``contrast`` (the losses several use), ``linear`` (what closed forms have in common), then one file a method.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from personax.errors import InputError, require
from personax.strict import nearest

if TYPE_CHECKING:
    from personax.crl.method import Method

    METHODS: dict[str, type[Method]]

__all__ = ["METHODS", "NAMES", "method"]

_HOME = {
    "random": "Random",
    "pca": "PCA",
    "cca": "CCA",
    "autoencoder": "Autoencoder",
    "betavae": "BetaVAE",
    "ivae": "IVAE",
    "causalvae": "CausalVAE",
    "mcl": "MCL",
    "multiview": "Multiview",
    "mmcrl": "MMCRL",
    "paper": "Paper",
    "default": "Staged",
    "supervised": "Supervised",
}
_ELSEWHERE = {"default": "personax.crl.staged.method"}
_CLOSED = {"pca", "cca"}

NAMES = list(_HOME)
"""All methods, from the floor to the ceiling; ``default`` is our own."""


def method(name: str, **options: Any) -> Method:  # noqa: ANN401 - each method has its own options
    """Return a method by name.

    Parameters
    ----------
    name
        One of ``NAMES``.
    options
        Of the method, see its class; all take ``budget``, which closed forms do not spend.

    Raises
    ------
    InputError
        For a name that no method has.

    Examples
    --------
    >>> method("pca").name
    'pca'
    >>> method("betavea")
    Traceback (most recent call last):
        ...
    personax.errors.InputError: there is no method betavea; did you mean betavae?
    """
    made: Method = _class(name)(**options)
    return made


def _class(name: str) -> type[Any]:
    if name not in _HOME:
        raise InputError(f"there is no method {name}; {nearest(name, NAMES)}")
    if name not in _CLOSED:
        require("torch", extra="crl")
    home = _ELSEWHERE.get(name, f"personax.crl.baselines.{name}")
    found: type[Any] = getattr(import_module(home), _HOME[name])
    return found


def __getattr__(name: str) -> object:
    if name == "METHODS":
        return {key: _class(key) for key in _HOME}
    text = f"module 'personax.crl.baselines' has no attribute {name!r}"
    raise AttributeError(text)
