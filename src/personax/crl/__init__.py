"""Level II: the latent causes behind several measurements of several modalities. Importing this imports no torch."""

from importlib import import_module
from typing import TYPE_CHECKING

from personax.errors import require

if TYPE_CHECKING:
    from personax.crl.graph import to_graph
    from personax.crl.io import load_model, save_model
    from personax.crl.metrics import held_out_r2, match, shd
    from personax.crl.training import CRLResult, FitConfig, fit

__all__ = ["CRLResult", "FitConfig", "fit", "held_out_r2", "load_model", "match", "save_model", "shd", "to_graph"]

_HOME = {
    "CRLResult": "training",
    "FitConfig": "training",
    "fit": "training",
    "held_out_r2": "metrics",
    "load_model": "io",
    "match": "metrics",
    "save_model": "io",
    "shd": "metrics",
    "to_graph": "graph",
}
_NEED_TORCH = {"training", "io"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        text = f"module 'personax.crl' has no attribute {name!r}"
        raise AttributeError(text)
    if _HOME[name] in _NEED_TORCH:
        require("torch", extra="crl")
    return getattr(import_module(f"personax.crl.{_HOME[name]}"), name)
