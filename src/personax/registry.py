"""Parts by name: tests, methods, transforms and so on, personax's own and those of other installed packages.

A part is declared where it is written, and nowhere else:

- inside personax, by ``@register("tests", "kci", title="KCI")`` at the top level of a module of the package that holds
  such parts. Its declaration is read from the source text, so listing parts imports none of them; the arguments
  must be literals.
- in another package, by the same decorator and an entry point of the group ``personax.tests``:
  ``toy = "toy_package:toy"``. It is imported when it is first asked for or described. A package that cannot be
  imported costs its own parts and nothing else.

Plan values, the help of the command line, display names, the pages of docs and saving derive from here.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from personax.errors import PersonaxError

__all__ = [
    "KINDS",
    "Part",
    "RegistryError",
    "describe",
    "faults",
    "forget",
    "get",
    "missing_part",
    "missing_parts",
    "name_of",
    "names",
    "part_name",
    "parts",
    "register",
]

KINDS: Mapping[str, tuple[str, str]] = {
    "tests": ("test", "independence"),
    "methods": ("method", "crl"),
    "transforms": ("transform", "release/transforms"),
    "attacks": ("attack", "release/audit"),
    "encoders": ("encoder", "embed"),
    "providers": ("provider", "traits/llms"),
    "sources": ("source", "sources"),
    "report_sections": ("report section", "report"),
    "plots": ("plot", "plots"),
    "trait_frameworks": ("trait framework", "traits"),
    "rating_models": ("rating model", "traits/rating_models"),
}
"""Kind -> what one of them is called, and the folder of personax that declares ours."""

T = TypeVar("T")


class RegistryError(PersonaxError):
    """A part is unknown, declared twice, or cannot be imported."""


@dataclass(frozen=True)
class Part:
    """What is known of a part without using it.

    Parameters
    ----------
    kind, name
        One of `KINDS`; the name in plans, on the command line and in saved files.
    title
        The name shown to people.
    help
        One line: what it does.
    package, module
        The distribution that brings it, to install it again, and the module that declares it.
    order
        Smaller ones are listed first.
    facts
        Further keyword arguments of `register`: what the kind's own users ask for.
    fault
        Why it cannot be imported; empty where it can, or was not tried.
    """

    kind: str
    name: str
    title: str
    help: str
    package: str
    module: str
    order: int = 100
    facts: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""


_loaded: dict[tuple[str, str], tuple[Part, Any]] = {}


def register(
    kind: str,
    name: str,
    *,
    title: str = "",
    help: str = "",
    order: int = 100,
    **facts: Any,
) -> Callable[[T], T]:
    """Return a decorator that makes a function, class or other object known under a name.

    Parameters
    ----------
    kind, name
        One of `KINDS`; lower-case letters, digits and ``-_.``.
    title, help
        For people; otherwise the name and the first line of the docstring.
    order
        Smaller ones are listed first.
    **facts
        Whatever the kind asks for; see the protocol of that kind.

    Raises
    ------
    RegistryError
        When the kind does not exist, the name cannot be one, or something else has it.

    Examples
    --------
    >>> @register("tests", "coin", title="Coin toss")
    ... def coin(x, y, z=None, *, rng=None):
    ...     "Rejects in half of all cases."
    >>> describe("tests", "coin").help, get("tests", "coin") is coin
    ('Rejects in half of all cases.', True)
    >>> forget("tests", "coin")
    """
    module = sys._getframe(1).f_globals.get("__name__", "__main__")

    def add(thing: T) -> T:
        _add(_part(kind, name, title, help or _summary(getattr(thing, "__doc__", "")), module, order, facts), thing)
        return thing

    noun = _noun(kind)
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", name):
        shown = repr(name) if isinstance(name, str) else f"an object of the type {type(name).__name__}"
        raise RegistryError(f"{shown} cannot name a {noun}; use lower-case letters, digits and - _ .")
    written: tuple[object, ...] = (title, help, order)  # a part's author may have passed anything
    if not all(map(isinstance, written, (str, str, int))):
        text = "is registered with a title or help that is no text, or an order that is no whole number"
        raise RegistryError(f"the {noun} {name} {text}; mend its @register")
    return add


def get(kind: str, name: str, *, package: str = "") -> Any:  # noqa: ANN401 - whatever was registered
    """Return a part, importing its module when it is first asked for.

    Parameters
    ----------
    kind, name
        As registered.
    package
        The distribution that brought it when a file naming it was saved; it stands in the error then.

    Raises
    ------
    RegistryError
        When no installed package has it, several have, or its module cannot be imported.

    Examples
    --------
    >>> get("methods", "toy", package="toy-methods")
    Traceback (most recent call last):
        ...
    personax.registry.RegistryError: the method toy came with the package toy-methods, which is not installed: pip
    install toy-methods
    """
    if (kind, name) not in _loaded:
        if name in _builtin(kind):
            import_module(_builtin(kind)[name].module)
        elif name in _plugins(kind):
            _load(kind, name)
        else:
            raise RegistryError(_unknown(kind, name, package))
    return _loaded[kind, name][1]


def names(kind: str) -> list[str]:
    """Return the names of a kind: ours in their order, then those of other packages. Imports none of them."""
    ours = [part.name for part in sorted(_builtin(kind).values(), key=lambda part: (part.order, part.name))]
    others = {name for have, name in _loaded if have == kind} | _plugins(kind).keys()
    return [*ours, *sorted(others - set(ours))]


def describe(kind: str, name: str) -> Part:
    """Return what is known of a part; parts of other packages are imported, and their fault is told in the result."""
    if (kind, name) not in _loaded and name not in _builtin(kind):
        if name not in _plugins(kind):
            raise RegistryError(_unknown(kind, name, ""))
        try:
            _load(kind, name)
        except RegistryError as error:
            point = _plugins(kind)[name][0]
            return Part(kind, name, name, "cannot be used", _distribution(point), point.module, fault=str(error))
    return _loaded[kind, name][0] if (kind, name) in _loaded else _builtin(kind)[name]


def parts(kind: str) -> list[Part]:
    """Return `describe` of every name of a kind."""
    return [describe(kind, name) for name in names(kind)]


def name_of(kind: str, thing: object) -> str:
    """Return the name under which a thing is registered, as a saved file holds it.

    Raises
    ------
    RegistryError
        When it is not: the sentence says how to register it.
    """
    for (have, name), (_, known) in _loaded.items():
        if have == kind and known is thing:
            return name
    shown = getattr(thing, "__qualname__", type(thing).__qualname__)
    raise RegistryError(f'{shown} is no registered {_noun(kind)}; put @register("{kind}", "a-name") above it')


def forget(kind: str, name: str) -> None:
    """Take back what was registered in this process; parts of installed packages come back when asked for."""
    _loaded.pop((kind, name), None)


def faults() -> list[str]:
    """Return a sentence for every part of another package that cannot be used; imports all of them."""
    told = [part.fault for kind in KINDS for part in parts(kind) if part.fault]
    return told + [
        f"the {_noun(kind)} {name} of the package {_distribution(point)} is not used: personax has one of that name"
        for kind in KINDS
        for name, points in _plugins(kind).items()
        if name in _builtin(kind)
        for point in points
    ]


def _noun(kind: str) -> str:
    if not isinstance(kind, str) or kind not in KINDS:
        raise RegistryError(f"there are no parts of the kind {kind}; choose from {', '.join(KINDS)}")
    return KINDS[kind][0]


def _summary(doc: object) -> str:
    return doc.strip().partition("\n")[0] if isinstance(doc, str) else ""


def _part(kind: str, name: str, title: str, text: str, module: str, order: int, facts: Mapping[str, Any]) -> Part:
    return Part(kind, name, title or name, text, _package(kind, name, module), module, order, facts)


def _package(kind: str, name: str, module: str) -> str:
    """Return the distribution that names the part, whoever imported its module; without one, the top-level module."""
    top = module.partition(".")[0]
    points = [] if top == "personax" else _plugins(kind).get(name, [])
    return next((_distribution(point) for point in points if point.module.partition(".")[0] == top), top)


def _add(part: Part, thing: object) -> None:
    """Keep a part, unless the name belongs to another one. A module that is run again replaces its own."""
    key = part.kind, part.name
    owner = _loaded[key][0] if key in _loaded else _builtin(part.kind).get(part.name)
    same = owner is None or (owner.module == part.module and _called(key, thing))
    if owner is not None and not same:
        raise RegistryError(
            f"{owner.module} and {part.module} both register the {_noun(part.kind)} {part.name}; rename one"
        )
    _loaded[key] = part, thing


def _called(key: tuple[str, str], thing: object) -> bool:
    """Say whether nothing of another name within its module holds the key."""
    known = _loaded[key][1] if key in _loaded else thing
    return getattr(known, "__qualname__", None) == getattr(thing, "__qualname__", None)


def _load(kind: str, name: str) -> None:
    """Import a part of another package, or say in one sentence which package is at fault."""
    point, *more = _plugins(kind)[name]
    package = _distribution(point)
    if more:
        others = ", ".join([package, *map(_distribution, more)])
        raise RegistryError(f"several packages bring a {_noun(kind)} {name}: {others}; uninstall all but one")
    try:
        thing = point.load()
        if (kind, name) not in _loaded and not isinstance(thing, ModuleType):
            _add(_part(kind, name, "", _summary(getattr(thing, "__doc__", "")), point.module, 100, {}), thing)
    except (Exception, SystemExit) as error:  # code of others may raise anything
        text = f"the {_noun(kind)} {name} of the package {package} cannot be imported"
        raise RegistryError(f"{text} ({type(error).__name__}: {error}); update or uninstall {package}") from error
    if (kind, name) not in _loaded:
        raise RegistryError(f"the package {package} names a {_noun(kind)} {name} and registers none; ask its authors")


def _unknown(kind: str, name: str, package: str) -> str:
    from personax.strict import nearest

    if package and package != "personax":
        return (
            f"the {_noun(kind)} {name} came with the package {package}, which is not installed: pip install {package}"
        )
    return f"there is no {_noun(kind)} {name}; {nearest(name, names(kind))}"


def _plugins(kind: str) -> Mapping[str, list[EntryPoint]]:
    """Return name -> entry points of other packages."""
    _noun(kind)
    return _entry_points(kind, tuple(sys.path))


@lru_cache(maxsize=64)
def _entry_points(kind: str, path: tuple[str, ...]) -> Mapping[str, list[EntryPoint]]:
    """Read the metadata of every installed package, once for a search path."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=f"personax.{kind}"):
        found.setdefault(point.name, []).append(point)
    return found


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module.partition(".")[0]


@cache
def _builtin(kind: str) -> Mapping[str, Part]:
    """Return what personax declares of a kind, read from the text of its modules."""
    _noun(kind)
    root = Path(__file__).parent
    found: dict[str, Part] = {}
    for path in sorted((root / KINDS[kind][1]).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "register(" in text:
            module = ".".join(("personax", *path.relative_to(root).with_suffix("").parts))
            for part in _declared(ast.parse(text), kind, module.removesuffix(".__init__")):
                if part.name in found:
                    raise RegistryError(f"{found[part.name].module} and {module} both declare {kind} {part.name}")
                found[part.name] = part
    return found


def _declared(tree: ast.Module, kind: str, module: str) -> Iterator[Part]:
    """Yield the parts that calls of `register` at the top level of a module declare."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            calls, doc = list[ast.AST](node.decorator_list), _summary(ast.get_docstring(node))
        else:
            calls, doc = list(ast.walk(node)), ""
        for call in calls:
            if not isinstance(call, ast.Call) or ast.unparse(call.func).split(".")[-1] != "register":
                continue
            if [_literal(one) for one in call.args[:1]] == [kind]:
                said = {word.arg: _literal(word.value) for word in call.keywords if word.arg is not None}
                title, text, order = said.pop("title", ""), said.pop("help", ""), said.pop("order", 100)
                facts = {word: value for word, value in said.items() if value is not _NO_LITERAL}
                yield _part(kind, _literal(call.args[1]), title, text or doc, module, order, facts)


_NO_LITERAL = object()
"""A fact that is only known once the module is imported."""


def _literal(node: ast.expr) -> Any:  # noqa: ANN401 - what a literal says
    try:
        return ast.literal_eval(node)
    except (TypeError, ValueError):
        return _NO_LITERAL


_missing: ContextVar[set[tuple[str, str]] | None] = ContextVar("missing", default=None)


@contextmanager
def missing_parts() -> Iterator[set[tuple[str, str]]]:
    """Take unknown names in settings for parts of packages that are not installed, and give (kind, name) of each."""
    found: set[tuple[str, str]] = set()
    token = _missing.set(found)
    try:
        yield found
    finally:
        _missing.reset(token)


def missing_part(kind: str, name: str, package: str = "") -> str:
    """Return the sentence about a part that no installed package brings."""
    return _unknown(kind, name, package)


def part_name(kind: str, *also: str, fits: Callable[[Part], bool] | None = None) -> Any:  # noqa: ANN401 - a validator of pydantic
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
    >>> from pydantic import TypeAdapter
    >>> TypeAdapter(Annotated[str, part_name("tests")]).validate_python("kci")
    'kci'
    """
    from pydantic import AfterValidator  # late: who declares a part needs no settings
    from pydantic_core import PydanticCustomError

    from personax.strict import nearest

    def check(name: str) -> str:
        if name in also or (name in names(kind) and (fits is None or fits(describe(kind, name)))):
            return name
        if (missing := _missing.get()) is not None and name not in names(kind):
            missing.add((kind, name))
            return name
        fitting = [*also, *(part.name for part in parts(kind) if fits is None or fits(part))]
        hint = nearest(name, fitting)
        if name not in names(kind) and not hint.startswith("did"):
            hint += f", or install the package that brings the {_noun(kind)}"
        raise PydanticCustomError("unknown_part", "{name} is not possible; {hint}", {"name": repr(name), "hint": hint})

    return AfterValidator(check)
