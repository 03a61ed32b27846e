"""Parts by name: declared once, found without an import, others' faults told in a sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from personax import registry
from personax.registry import RegistryError


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards what a test registers."""
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None) -> Iterator[type[Installer]]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    Installer.root = tmp_path
    yield Installer
    for name in set(sys.modules) - before:
        if not name.startswith("personax"):
            del sys.modules[name]


class Installer:
    """Lays packages out as pip would: a module and the metadata that names its entry points."""

    root: Path

    @classmethod
    def package(cls, name: str, code: str, **points: str) -> None:
        module = name.replace("-", "_")
        (cls.root / f"{module}.py").write_text(code, encoding="utf-8")
        info = cls.root / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        lines = "".join(f"[personax.{kind}]\n{value}\n" for kind, value in points.items())
        (info / "entry_points.txt").write_text(lines, encoding="utf-8")
        registry._entry_points.cache_clear()


GOOD = """
from personax.registry import register

@register("tests", "toy", title="Toy", help="Knows nothing.", symmetric=True)
def toy(x, y, z=None, *, rng=None):
    return None
"""


def test_a_part_of_another_package_is_named_before_and_described_after_its_import(install: type[Installer]) -> None:
    install.package("toy-tests", GOOD, tests="toy = toy_tests:toy")
    assert "toy" in registry.names("tests")
    assert "toy_tests" not in sys.modules
    part = registry.describe("tests", "toy")
    assert (part.title, part.help, part.package, part.module) == ("Toy", "Knows nothing.", "toy-tests", "toy_tests")
    assert part.facts == {"symmetric": True}
    assert registry.get("tests", "toy") is sys.modules["toy_tests"].toy
    assert registry.name_of("tests", sys.modules["toy_tests"].toy) == "toy"


def test_the_entry_point_alone_is_enough(install: type[Installer]) -> None:
    install.package("bare", "def bare():\n    'Does one thing.\\n\\n    At length.'\n", attacks="bare = bare:bare")
    part = registry.describe("attacks", "bare")
    assert (part.title, part.help, part.package) == ("bare", "Does one thing.", "bare")


@pytest.mark.parametrize("code", ["import no_such_module", "1 / 0", "def f(:", "import sys; sys.exit(3)"])
def test_a_broken_package_costs_its_own_parts_only(install: type[Installer], code: str) -> None:
    install.package("broken-tests", code, tests="broken = broken_tests:broken")
    install.package("toy-tests", GOOD, tests="toy = toy_tests:toy")
    assert {"broken", "toy"} <= set(registry.names("tests"))
    assert registry.get("tests", "toy") is not None
    with pytest.raises(RegistryError, match=r"the test broken of the package broken-tests cannot be imported \(.*\); "):
        registry.get("tests", "broken")
    (fault,) = registry.faults()
    assert "broken-tests" in fault
    assert "\n" not in fault or "invalid syntax" in fault
    assert registry.describe("tests", "broken").fault == fault


def test_a_package_that_registers_another_name_than_it_promises(install: type[Installer]) -> None:
    install.package("odd", GOOD, tests="tie = odd")
    with pytest.raises(RegistryError, match="the package odd names a test tie and registers none"):
        registry.get("tests", "tie")


def test_two_packages_of_one_name_are_both_named(install: type[Installer]) -> None:
    install.package("one", GOOD, tests="toy = one:toy")
    install.package("two", GOOD, tests="toy = two:toy")
    with pytest.raises(RegistryError, match=r"several packages bring a test toy: (one, two|two, one); uninstall"):
        registry.get("tests", "toy")


@pytest.mark.usefixtures("fresh")
def test_names_belong_to_who_came_first() -> None:
    exec(GOOD, {"__name__": "first"})
    exec(GOOD, {"__name__": "first"})  # the same module again, as a notebook does
    with pytest.raises(RegistryError, match="first and second both register the test toy; rename one"):
        exec(GOOD, {"__name__": "second"})
    with pytest.raises(RegistryError, match="first and first both register the test toy"):
        exec(GOOD.replace("def toy", "def other"), {"__name__": "first"})


def test_what_is_unknown_is_told_with_the_cure() -> None:
    with pytest.raises(RegistryError, match="there are no parts of the kind test; choose from tests, methods"):
        registry.names("test")
    with pytest.raises(RegistryError, match="came with the package toy-methods, which is not installed: pip install"):
        registry.get("methods", "toy", package="toy-methods")
    with pytest.raises(RegistryError, match="cannot name a test; use lower-case"):
        registry.register("tests", "A test")
    with pytest.raises(RegistryError, match='dict is no registered method; put @register\\("methods"'):
        registry.name_of("methods", dict)


@pytest.mark.parametrize("kind", registry.KINDS)
def test_what_the_source_declares_is_what_the_import_registers(kind: str) -> None:
    if kind == "methods":
        pytest.importorskip("torch")
    for name, declared in registry._builtin(kind).items():
        registry.get(kind, name)
        part = registry.describe(kind, name)
        assert (part.title, part.help, part.package) == (declared.title, declared.help, "personax")
        assert declared.facts.items() <= part.facts.items()
        assert part.help, f"{kind} {name} has no help: give its docstring a first line"


def test_listing_imports_no_part() -> None:
    script = (
        "import sys; from personax import registry;"
        "[registry.parts(kind) for kind in registry.KINDS];"
        "print([n for n in ('numpy', 'torch', 'polars', 'pydantic') if n in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
