"""The earlier name of `personax.plots`; it ends in version 0.4."""

from __future__ import annotations

import warnings

from personax import plots

__all__ = plots.__all__


def __getattr__(name: str) -> object:
    if name in plots.__all__:
        warnings.warn(
            f"personax.figures.{name} is personax.plots.{name} now; the earlier name ends in version 0.4",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(plots, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
