"""The usage guidelines as blocks of plain text: headings, paragraphs and list items."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import Literal

__all__ = ["UsageBlock", "guidelines", "parse"]


@dataclass(frozen=True, slots=True)
class UsageBlock:
    """A heading or paragraph (``text``), or a list (``items``)."""

    kind: Literal["heading", "paragraph", "list"]
    text: str = ""
    items: tuple[str, ...] = ()


def guidelines() -> str:
    """Return the usage guidelines that this package carries."""
    return resources.files("personax").joinpath("usage.md").read_text(encoding="utf-8")


def parse(text: str) -> list[UsageBlock]:
    r"""Split text into blocks at blank lines and list marks; nothing in it is taken as HTML.

    Examples
    --------
    >>> [block.kind for block in parse("# Use\n\nBe careful\nwith it.\n- no profiling\n- no harm")]
    ['heading', 'paragraph', 'list']
    """
    blocks: list[UsageBlock] = []
    open_block = False
    for line in text.splitlines():
        mark = re.match(r"(#+|[-*]|\d+\.)\s+(.*)", line)
        words = (mark[2] if mark else line).strip()
        if not words:
            open_block = False
        elif mark and mark[1].startswith("#"):
            blocks.append(UsageBlock("heading", words))
            open_block = False
        elif mark:
            blocks.append(_listed(blocks, words))
            open_block = True
        elif open_block:
            blocks.append(_continued(blocks.pop(), words))
        else:
            blocks.append(UsageBlock("paragraph", words))
            open_block = True
    return blocks


def _listed(blocks: list[UsageBlock], words: str) -> UsageBlock:
    """Return a list that ends with a new item, taking up the list just before it."""
    if blocks and blocks[-1].kind == "list":
        return UsageBlock("list", items=(*blocks.pop().items, words))
    return UsageBlock("list", items=(words,))


def _continued(block: UsageBlock, words: str) -> UsageBlock:
    """Return the block with one more line in its last sentence."""
    if block.kind == "list":
        return UsageBlock("list", items=(*block.items[:-1], f"{block.items[-1]} {words}"))
    return UsageBlock(block.kind, f"{block.text} {words}")
