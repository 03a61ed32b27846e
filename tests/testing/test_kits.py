"""Every kit, given anything wrong, ends in one sentence: the part, what is wrong, what is expected."""

from __future__ import annotations

import re
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from unittest.mock import MagicMock

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install personax[figures]")

import matplotlib as mpl
import matplotlib.pyplot as plt
from markupsafe import Markup

from personax import registry, testing
from personax.crl import Estimator
from personax.registry import register
from personax.release.audit import KnownPairsAttack
from personax.release.transforms import TransformStep
from personax.schema import TraitFramework
from personax.sources import FileSource
from personax.strict import Strict
from personax.traits.llms import Model

ENDPOINT = Model(name="a", model="m", base_url="http://127.0.0.1:9/v1")

NAMED: dict[str, tuple[str, dict[str, Any]]] = {
    "check_test": ("tests", {"given": "without"}),
    "check_transform": ("transforms", {}),
    "check_attack": ("attacks", {"campaign": "originals"}),
    "check_rating_model": ("rating_models", {}),
    "check_trait_framework": ("trait_frameworks", {}),
    "check_encoder": ("encoders", {"modality": "text"}),
    "check_provider": ("providers", {}),
    "check_report_section": ("report_sections", {}),
    "check_plot": ("plots", {}),
}
"""Kit -> the kind of what it checks by name, and a registration of that kind that is right."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Wrong:
    """A class whose instances know nothing."""


class Evil:
    """Each question raises another error."""

    def __getattr__(self, name: str) -> Any:
        if name == "__isabstractmethod__":  # asked for by Python when the class of a part is made
            raise AttributeError(name)
        raise ZeroDivisionError(name)

    def __eq__(self, other: object) -> bool:
        raise KeyError("eq")

    def __bool__(self) -> bool:
        raise LookupError("bool")

    def __repr__(self) -> str:
        raise OSError("repr")

    __hash__ = None  # type: ignore[assignment]


def raising(error: BaseException) -> Callable[..., Any]:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise error

    return broken


def giving(value: object) -> Callable[..., Any]:
    return lambda *args, **kwargs: value


def no_arguments() -> None:
    """Take nothing."""


def chance(*args: Any, **kwargs: Any) -> float:
    return float(np.random.default_rng().random())


def endless(*args: Any, **kwargs: Any) -> Iterator[int]:
    yield from range(5)
    raise StopIteration


THINGS: dict[str, Any] = {
    "None": None, "5": 5, "nan": float("nan"), "text": "no such thing", "empty": "", "bytes": b"a", "list": [],
    "dict": {},
    "object": object(), "class": Wrong, "instance": Wrong(), "evil": Evil(), "mock": MagicMock(), "module": np,
    "array": np.zeros((3, 2)), "objects": np.array([None, "a"], dtype=object), "frame": pl.DataFrame({"a": [1]}),
    "no arguments": no_arguments, "chance": chance, "generator": endless, "builtin": len, "type": type,
    "lines": "two\nlines",
}  # fmt: skip

ERRORS: dict[str, BaseException] = {
    "KeyError": KeyError("a"), "AssertionError": AssertionError("mine"), "SystemExit": SystemExit(3),
    "StopIteration": StopIteration(), "Cancelled": CancelledError(), "Memory": MemoryError(),
    "Recursion": RecursionError(),
    "Unprintable": Unprintable(), "long": ValueError("line\n" * 500), "Index": IndexError(), "System": SystemError(),
}  # fmt: skip

PARTS = (
    THINGS
    | {f"gives {name}": giving(thing) for name, thing in THINGS.items()}
    | {f"raises {name}": raising(error) for name, error in ERRORS.items()}
)


def one_sentence(call: Callable[[], object]) -> str:
    """Return the sentence that a kit ends in, having looked at its form."""
    with pytest.raises(AssertionError) as caught:
        call()
    text = str(caught.value)
    assert type(caught.value).__name__ == "ConformanceError", repr(caught.value)
    assert re.fullmatch(r"[^\n]+: [^\n]+; [^\n]+", text), text
    assert len(text) <= 700
    return text


def run(kit: str, *args: Any) -> None:
    more = (ENDPOINT,) if kit == "check_provider" else ()
    getattr(testing, kit)(*args, *more)


def test_every_kit_is_here() -> None:
    assert {*NAMED, "check_method", "check_source"} == set(testing.__all__)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kit", testing.__all__)
@pytest.mark.parametrize("thing", THINGS)
def test_anything_in_place_of_a_part_ends_in_a_sentence(kit: str, thing: str) -> None:
    one_sentence(lambda: run(kit, THINGS[thing]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kit", NAMED)
@pytest.mark.parametrize("thing", PARTS)
def test_anything_registered_as_a_part_ends_in_a_sentence(kit: str, thing: str) -> None:
    kind, facts = NAMED[kit]
    if kind == "report_sections" and thing in ("gives None", "gives text", "gives empty", "gives lines"):
        return  # these are sections
    register(kind, "wrong", title="Wrong", help="a wrong part", **facts)(PARTS[thing])
    try:
        assert one_sentence(lambda: run(kit, "wrong")).startswith("wrong")
    finally:
        registry.forget(kind, "wrong")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("campaign", ["pairs", "table", "nowhere", None, 5])
@pytest.mark.parametrize("thing", PARTS)
def test_attacks_of_every_campaign(campaign: Any, thing: str) -> None:
    register("attacks", "wrong", campaign=campaign)(PARTS[thing])
    try:
        one_sentence(lambda: testing.check_attack("wrong"))
    finally:
        registry.forget("attacks", "wrong")


@pytest.mark.parametrize(
    ("kit", "facts", "says"),
    [
        ("check_test", {"given": "sometimes"}, "given='sometimes' is not known; choose from with, without, either"),
        ("check_test", {"given": "without", "invariant": 5}, "invariant=5 is no list"),
        ("check_test", {"symmetric": "yes"}, "symmetric='yes' is neither true nor false"),
        ("check_transform", {"preset": ("rotation", "rotatoin")}, "rotatoin: there is no transform rotatoin"),
        ("check_transform", {"preset": 5}, "preset=5 is no list of steps"),
        ("check_encoder", {"modality": 5}, "the registration says modality=5"),
        ("check_attack", {"campaign": "pears"}, "campaign='pears'; attacks are registered for originals"),
    ],
)
def test_faults_of_a_registration_are_named(kit: str, facts: dict[str, Any], says: str) -> None:
    kind, _ = NAMED[kit]
    register(kind, "wrong", **facts)(no_arguments)
    try:
        assert says in one_sentence(lambda: run(kit, "wrong"))
    finally:
        registry.forget(kind, "wrong")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("thing", PARTS)
def test_a_step_whose_methods_do_anything(thing: str) -> None:
    for method in ("transform", "inverse_transform", "fit_batches", "state", "load", "__init__"):
        body: dict[str, Any] = {"transform": lambda self, x: x, "inverse_transform": lambda self, x: x}
        kind = type("Wrong", (TransformStep,), body | {method: PARTS[thing]})
        register("transforms", "wrong", help="a wrong step")(kind)
        try:
            one_sentence(lambda: testing.check_transform("wrong", dims=(3,)))
        finally:
            registry.forget("transforms", "wrong")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("thing", PARTS)
def test_an_attack_with_pairs_whose_methods_do_anything(thing: str) -> None:
    for method in ("match", "curve", "control"):
        if (method, thing) == ("control", "gives None"):
            continue  # none is measured
        body: dict[str, Any] = {"match": lambda self, pairs, m, rng: (pairs.probes, pairs.gallery)}
        register("attacks", "wrong", campaign="pairs")(
            type("Wrong", (KnownPairsAttack,), body | {method: PARTS[thing]})
        )
        try:
            one_sentence(lambda: testing.check_attack("wrong"))
        finally:
            registry.forget("attacks", "wrong")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("thing", PARTS)
def test_a_method_whose_fit_is_anything(thing: str) -> None:
    @dataclass
    class WrongMethod(Estimator):
        name: ClassVar[str] = "wrong"

        def learn(self, problem: Any) -> Any:
            return PARTS[thing](problem) if callable(PARTS[thing]) else PARTS[thing]

    register("methods", "wrong")(WrongMethod)
    try:
        one_sentence(lambda: testing.check_method(WrongMethod()))
    finally:
        registry.forget("methods", "wrong")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("thing", PARTS)
def test_a_source_that_gives_anything(thing: str) -> None:
    class Web(Strict):
        name: ClassVar[str] = "wrong"
        hosts: ClassVar[Any] = ()
        collect: ClassVar[Any] = staticmethod(PARTS[thing]) if callable(PARTS[thing]) else PARTS[thing]

    class Yields(Strict):
        name: ClassVar[str] = "wrong"
        hosts: ClassVar[Any] = ("example.org",)

        async def collect(self, fetch: Any, limit: int | None = None) -> Any:
            yield PARTS[thing]() if thing.startswith("raises") else await fetch(PARTS[thing])

    class Reads(FileSource):
        source: Literal["wrong"] = "wrong"

        def read(self, root: Any) -> Any:
            return PARTS[thing](root) if callable(PARTS[thing]) else PARTS[thing]

    cases: list[tuple[type, Callable[[], Any]]] = [(Web, Web), (Yields, Yields), (Reads, lambda: Reads(path="a.csv"))]
    for kind, make in cases:
        register("sources", "wrong", help="a wrong source", reads="file" if kind is Reads else "web")(kind)
        try:
            one_sentence(lambda made=make: testing.check_source(made()))  # type: ignore[misc]
            one_sentence(lambda made=make: testing.check_source(made(), PARTS[thing]))  # type: ignore[misc]
        finally:
            registry.forget("sources", "wrong")


def section(html: str) -> Callable[[Any], Any]:
    return lambda study: Markup(html)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (giving(5), "it returns 5; return Markup, a text, or None"),
        (giving("<p>There are 5.</p>"), "its text holds tags, which the page shows as they are; return Markup"),
        (section("<div><p>a</p>"), "<div> is not closed"),
        (section("<p>a</div></p>"), "</div> closes nothing that is open"),
        (section("<script>alert(1)</script>"), "<script> stands in it, which the page forbids"),
        (section('<p onclick="x()">a</p>'), "the attribute onclick stands in it"),
        (section('<p style="color: red">a</p>'), "the attribute style stands in it"),
        (section('<img src="https://example.org/a.png">'), "a picture is loaded from elsewhere"),
        (lambda study: Markup(f"<p>{np.random.default_rng().random()}</p>"), "the same study gives another section"),
        (lambda study: (study.data.root / "more.txt").write_text("a") and None, "it writes into the study folder"),
        (lambda study: Markup(f"<p>{study.data.people.count}</p>"), "it raises AttributeError"),
    ],
)
def test_faults_of_a_section_are_named(part: Callable[[Any], Any], says: str) -> None:
    register("report_sections", "wrong", title="Wrong", help="a wrong section")(part)
    try:
        assert says in one_sentence(lambda: testing.check_report_section("wrong"))
    finally:
        registry.forget("report_sections", "wrong")


@pytest.mark.parametrize("name", registry.names("report_sections"))
def test_our_sections_pass(name: str) -> None:
    testing.check_report_section(name)


def test_the_report_says_that_a_section_which_is_a_number_cannot_be_shown() -> None:
    from personax.report import ReportData, render

    register("report_sections", "wrong", title="Wrong", help="a wrong section")(giving(5))
    try:
        page = render(ReportData("A study"))
    finally:
        registry.forget("report_sections", "wrong")
    assert "could not make this section (TypeError: it returns int, where Markup, text or None is needed)" in page


def plotted(**left: Any) -> Callable[..., Any]:
    from matplotlib.figure import Figure

    def plot(graph: Any) -> Any:
        figure = Figure()
        if not left.get("empty"):
            figure.subplots().plot([0, np.random.default_rng().random() if left.get("chance") else 1])
        if left.get("settings"):
            mpl.rcParams["font.size"] = 11 + mpl.rcParams["font.size"]
        if left.get("changes"):
            graph.nodes.clear()
        return plt.figure() if left.get("pyplot") else figure

    return plot


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("empty", "nothing is on the figure"),
        ("chance", "the same result gives another picture"),
        ("settings", "it changes matplotlib's settings"),
        ("changes", "it changes the result"),
        ("pyplot", "it leaves a figure of pyplot open"),
    ],
)
def test_faults_of_a_plot_are_named(fault: str, says: str) -> None:
    register("plots", "wrong", help="a wrong plot")(plotted(**{fault: True}))
    try:
        with mpl.rc_context():
            assert says in one_sentence(lambda: testing.check_plot("wrong"))
    finally:
        registry.forget("plots", "wrong")
        plt.close("all")


def test_a_plot_that_is_right_passes() -> None:
    register("plots", "right", help="a line")(plotted())
    try:
        testing.check_plot("right")
    finally:
        registry.forget("plots", "right")
    testing.check_plot("graph")


def test_a_framework_is_the_one_of_its_name() -> None:
    register("trait_frameworks", "wrong")(TraitFramework.__new__(TraitFramework))
    try:
        one_sentence(lambda: testing.check_trait_framework("wrong"))
    finally:
        registry.forget("trait_frameworks", "wrong")


def test_ctrl_c_is_not_swallowed() -> None:
    register("rating_models", "wrong")(raising(KeyboardInterrupt()))
    try:
        with pytest.raises(KeyboardInterrupt):
            testing.check_rating_model("wrong")
    finally:
        registry.forget("rating_models", "wrong")
