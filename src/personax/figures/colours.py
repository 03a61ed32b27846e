"""Colours that people with any colour vision tell apart: those of Okabe and Ito (2008), yellow and grey left out."""

from __future__ import annotations

__all__ = ["BLUE", "SEVEN", "VERMILLION"]

BLUE = "#0072b2"
VERMILLION = "#d55e00"
SEVEN = (BLUE, VERMILLION, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
