"""Names and numbers as figures and pages write them: traits, tests, shortened names, p-values, shares."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from personax.registry import RegistryError, describe
from personax.schema import LETTERS, TraitFramework

__all__ = [
    "count",
    "describe_test",
    "display_test",
    "display_trait",
    "labels_of",
    "number",
    "p_value",
    "percent",
    "shorten",
    "split_trait",
    "trait_of",
    "two_decimals",
]

_letters: ContextVar[Mapping[str, str]] = ContextVar("letters", default=LETTERS)


@contextmanager
def labels_of(framework: TraitFramework) -> Iterator[None]:
    """Label score columns by a framework's traits within the block; the Big Five's elsewhere.

    Examples
    --------
    >>> from personax.schema import Trait
    >>> with labels_of(TraitFramework("toy", [Trait("warmth", "w", "warm")])):
    ...     display_trait("final_w"), display_trait("final_o")
    ('Warmth', 'final_o')
    """
    token = _letters.set(framework.letters)
    try:
        yield
    finally:
        _letters.reset(token)


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
"""Line breaks, and what an SVG cannot hold."""


def split_trait(name: str) -> tuple[str, str] | None:
    """Return who scored a trait, and the trait, where a name is one of a trait column.

    Examples
    --------
    >>> split_trait("final_o"), split_trait("gpt_4_n"), split_trait("height"), split_trait("_o")
    (('final', 'openness'), ('gpt_4', 'neuroticism'), None, None)
    """
    scorer, _, letter = name.rpartition("_")
    trait = next((trait for trait, its in _letters.get().items() if its == letter), None)
    return (scorer, trait) if scorer and trait else None


def trait_of(name: str) -> str:
    """Return the trait that a column such as ``final_o`` holds, or the name itself.

    Examples
    --------
    >>> trait_of("final_o"), trait_of("Openness"), trait_of("height")
    ('openness', 'openness', 'height')
    """
    if name.lower() in _letters.get():
        return name.lower()
    scored = split_trait(name)
    return scored[1] if scored else name


def display_trait(name: str) -> str:
    """Return `trait_of` with a capital when it is a trait, any other name untouched."""
    trait = trait_of(name)
    return trait.replace("_", " ").capitalize() if trait in _letters.get() else trait


def describe_test(name: str) -> tuple[str, str]:
    """Return a test's usual name and a phrase that explains it; of a test that is not installed, its name in the files.

    Examples
    --------
    >>> describe_test("usp")
    ('USP', 'a permutation test on the table of counts: valid however sparse the table is')
    >>> describe_test("not-installed")
    ('not-installed', '')
    """
    try:
        part = describe("tests", name)
    except RegistryError:
        return name, ""
    return (name, "") if part.fault else (part.title, part.help)


def display_test(name: str) -> str:
    """Return the usual name of a test."""
    return describe_test(name)[0]


def shorten(name: str, letters: int) -> str:
    r"""Return a name on one line; a long one loses its middle, because names often differ at their ends.

    Examples
    --------
    >>> shorten("height", 12), shorten("pressure_at_birthplace_evening", 16), shorten("two\nlines", 12)
    ('height', 'pressure_…vening', 'two lines')
    """
    line = _UNPRINTABLE.sub(" ", name)
    if len(line) <= letters:
        return line
    tail = (letters - 1) * 2 // 5
    return f"{line[: letters - 1 - tail]}…{line[len(line) - tail :]}"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number in at most ``digits`` significant digits, without needless zeros.

    Examples
    --------
    >>> number(178.25), number(0.00012345), number(1968.0), number(1500000.0), number(None)
    ('178', '0.000123', '1968', '1,500,000', 'none')
    """
    if value is None or not math.isfinite(value):
        return "none" if value is None or math.isnan(value) else str(value)
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"
    return f"{value:.{digits}g}"


def two_decimals(value: float | None) -> str:
    """Return a correlation or an effect size for a narrow cell: two decimals, no zero before the point.

    Examples
    --------
    >>> [two_decimals(value) for value in (0.214, -0.5, 1.0, 0.999, -0.001, None)]
    ['.21', '-.50', '1.0', '1.0', '.00', '–']
    """
    if value is None or math.isnan(value):
        return "–"
    shown = f"{value:.2f}"
    if shown == "-0.00":
        return ".00"
    return f"{value:.1f}" if abs(float(shown)) >= 1 else shown.replace("0.", ".", 1)


def p_value(value: float | None) -> str:
    """Return a p-value as text; one too small for a double is said to be so, never 0.

    Examples
    --------
    >>> p_value(0.0), p_value(3.2e-9), p_value(0.0312)
    ('< 1e-300', '3.2e-09', '0.031')
    """
    if value is None or math.isnan(value):
        return "none"
    if value < 1e-300:
        return "< 1e-300"
    return f"{value:.2g}"


def count(value: int) -> str:
    """Return a count with thousands apart."""
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """Return a share in percent; a share that is small and not nothing never reads 0.

    Examples
    --------
    >>> percent(1, 3), percent(1, 5000), percent(0, 10), percent(1, 0)
    ('33%', '< 1%', '0%', 'none')
    """
    if whole == 0:
        return "none"
    share = 100 * part / whole
    if 0 < share < 1:
        return "< 1%"
    return "> 99%" if 99 < share < 100 else f"{share:.0f}%"
