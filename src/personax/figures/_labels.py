"""Names as a printed figure shows them: one line, not too long, traits as letters."""

from __future__ import annotations

import re

from personax.schema import LETTERS

__all__ = ["cut", "number", "split_trait"]

UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
"""Line breaks, and what an SVG cannot hold."""


def cut(name: str, letters: int) -> str:
    r"""Return a name on one line; a long one loses its middle, because names often differ at their ends.

    Examples
    --------
    >>> cut("height", 12), cut("pressure_at_birthplace_evening", 16), cut("two\nlines", 12)
    ('height', 'pressure_…vening', 'two lines')
    """
    line = UNPRINTABLE.sub(" ", name)
    if len(line) <= letters:
        return line
    tail = (letters - 1) * 2 // 5
    return f"{line[: letters - 1 - tail]}…{line[len(line) - tail :]}"


def split_trait(name: str) -> tuple[str, str] | None:
    """Return who scored a trait and the trait's capital letter, where a name is one of a trait column.

    Examples
    --------
    >>> split_trait("final_o"), split_trait("gpt_4_n"), split_trait("height"), split_trait("_o")
    (('final', 'O'), ('gpt_4', 'N'), None, None)
    """
    scorer, _, letter = name.rpartition("_")
    return (scorer, letter.upper()) if scorer and letter in LETTERS.values() else None


def number(value: float) -> str:
    """Return two decimals without the needless nought.

    Examples
    --------
    >>> number(0.214), number(-0.5), number(1.0), number(0.999), number(-0.001)
    ('.21', '-.50', '1.0', '1.0', '.00')
    """
    shown = f"{value:.2f}"
    if shown == "-0.00":
        return ".00"
    return f"{value:.1f}" if abs(float(shown)) >= 1 else shown.replace("0.", ".", 1)
