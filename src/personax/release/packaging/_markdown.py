"""Plain text into Markdown: everything that a template shows is escaped, unless it is Markdown already."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["Markdown", "clean", "code", "counted", "escape", "listing", "render"]

_SIMPLE = re.compile(r"[\w().%/+@=,:;-]+(?: [\w().%/+@=,:;-]+)*", re.ASCII)
_SPECIAL = re.compile(r"([\\`*\[\]|#~$!])")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""Between letters and digits an underscore means nothing in CommonMark."""
_START = re.compile(r"^(?:[-+](?=\s|$)|\d{1,9}(?=[.)](?:\s|$))|[-=]+$)")
"""What begins a list, underlines a heading or draws a line."""


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def clean(text: str) -> str:
    r"""Return a text on one line, without characters that steer a terminal or turn the direction of writing.

    Examples
    --------
    >>> clean("one\n two\x1b[31m\u202e three")
    'one two[31m three'
    """
    line = " ".join(text.split())
    kept = "".join(letter for letter in line if not unicodedata.category(letter).startswith("C"))
    return " ".join(kept.split())


def escape(text: str) -> Markdown:
    r"""Return Markdown that shows a text as it is, on one line, in a table too.

    Examples
    --------
    >>> print(escape("a|b <script> [x](y) text_a"))
    a\|b &lt;script&gt; \[x\](y) text_a
    """
    if isinstance(text, Markdown):
        return text
    line = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _UNDERSCORE.sub(r"\\_", _SPECIAL.sub(r"\\\1", line))
    return Markdown(_START.sub(lambda found: _guard(found[0]), line))


def _guard(start: str) -> str:
    return f"&#{ord(start[0])};{start[1:]}"


def code(text: str) -> Markdown:
    """Return a name between backticks where it is a plain one, and escaped where it is not."""
    line = clean(text)
    return Markdown(f"`{line}`") if _SIMPLE.fullmatch(line) else escape(line)


def listing(items: Sequence[str]) -> str:
    """Return ``a, b and c``.

    Examples
    --------
    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "person", "people"), counted(1200, "person", "people"), counted(2, "file")
    ('1 person', '1,200 people', '2 files')
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def render(template: str, **values: object) -> str:
    """Fill one of the packaged templates; a value that is missing or None is an error, never a word in the text."""
    environment = Environment(
        loader=PackageLoader("personax.release.packaging"),
        undefined=StrictUndefined,
        autoescape=False,  # HTML is not what comes out; `_shown` escapes for Markdown, and with it for HTML
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"code": code}
    text = environment.get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _shown(value: object) -> str:
    if value is None:
        raise ValueError("a template shows None")
    return escape(value if isinstance(value, str) else str(value))
