"""Names and numbers as a reader wants them: traits, tests, p-values."""

from __future__ import annotations

import math

from personax.registry import RegistryError, describe
from personax.schema import LETTERS

__all__ = ["count", "describe_test", "display_test", "display_trait", "number", "p_value", "percent", "trait_of"]

_TRAITS = {letter: trait for trait, letter in LETTERS.items()}


def trait_of(name: str) -> str:
    """Return the trait that a column such as ``final_o`` holds, or the name itself.

    Examples
    --------
    >>> trait_of("final_o"), trait_of("Openness"), trait_of("height")
    ('openness', 'openness', 'height')
    """
    if name.lower() in LETTERS:
        return name.lower()
    head, _, letter = name.rpartition("_")
    return _TRAITS.get(letter, name) if head else name


def display_trait(name: str) -> str:
    """Return `trait_of` with a capital when it is a trait, any other name untouched."""
    trait = trait_of(name)
    return trait.capitalize() if trait in LETTERS else trait


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
