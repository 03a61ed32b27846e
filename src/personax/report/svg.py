"""Elements of inline SVG as escaped text: nothing here knows what is drawn."""

from __future__ import annotations

from markupsafe import Markup, escape

__all__ = ["Value", "element", "figure"]

Value = str | int | float | bool | None
"""What an attribute may be."""


def element(name: str, *children: str | Markup, **attributes: Value) -> Markup:
    """Return one element; every child that is not `Markup` and every attribute is escaped.

    Parameters
    ----------
    name
        Tag name; never taken from data.
    children
        Text, or elements made by this function.
    attributes
        ``class_`` stands for ``class`` and underscores for hyphens; None leaves an attribute out. A float under
        ``data_...`` is written exactly, any other float is geometry and is written to a hundredth of a pixel.

    Examples
    --------
    >>> element("text", "a < b", x=1.0, class_="label")
    Markup('<text x="1" class="label">a &lt; b</text>')
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(key, value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")


def figure(*children: Markup, height: float, label: str, width: str = "100%", **attributes: Value) -> Markup:
    """Return an ``<svg>`` that fills its box; positions across may be percentages, so letters never shrink."""
    return element("svg", *children, width=width, height=height, role="img", aria_label=label, **attributes)


def _text(key: str, value: Value) -> str:
    if isinstance(value, float) and not key.startswith("data_"):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
