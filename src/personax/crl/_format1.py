"""Fits that version 0.1 wrote: its names of classes and fields, in those of today."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["converted"]

CLASSES: Final = {
    "Agreed": "SharedContent",
    "CRLResult": "PaperFit",
    "Content": "ModalityContent",
    "First": "FirstMeasurementFit",
    "Linear": "LinearFit",
    "StagedFit": "DefaultFit",
    "Standardiser": "Scaler",
    "Straightened": "OrthogonalLatent",
    "Trained": "TrainedFit",
}

_MEAN_STD: Final = {"centre": "mean", "spread": "std"}

FIELDS: Final = {
    "Agreed": _MEAN_STD,
    "Block": {"straightened": "orthogonal", "agreed": "content"},
    "CRLResult": _MEAN_STD | {"eager_because": "eager_reason"},
    "Content": {"agreed": "content"},
    "Critic": {"told": "caused"},
    "Linear": _MEAN_STD,
    "Projection": _MEAN_STD,
    "StagedFit": {"straightened": "orthogonal", "touching": "connected"},
    "Standardiser": _MEAN_STD,
    "Trained": _MEAN_STD | {"learner": "network"},
}
"""Of each class, the fields and attributes that have another name today."""

BUDGET: Final = (
    "epochs", "batch", "rate", "hidden", "held_out", "patience", "threads", "device", "compiled", "half",
)  # fmt: skip


def converted(tree: Any) -> Any:  # noqa: ANN401 - whatever a fit holds
    """Return a tree as today's `load_fit` reads it.

    Examples
    --------
    >>> converted({"made": "Standardiser", "fields": {"centre": 1, "spread": 2}})
    {'made': 'Scaler', 'fields': {'mean': 1, 'std': 2}}
    """
    if isinstance(tree, list):
        return [converted(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    if "made" in tree:
        old = tree["made"]
        own = _renamed(old, tree["fields"])
        if old == "CRLResult":
            own |= _of_config(own.pop("config")["fields"])
        return {"made": CLASSES.get(old, old), "fields": own}
    if "module" in tree:
        old = tree["module"]
        rest = {key: converted(value) for key, value in tree.items() if key not in ("module", "own")}
        return {"module": CLASSES.get(old, old), "own": _renamed(old, tree["own"])} | rest
    return {key: converted(value) for key, value in tree.items()}


def _renamed(kind: str, own: dict[str, Any]) -> dict[str, Any]:
    names = FIELDS.get(kind, {})
    return {names.get(key, key): converted(value) for key, value in own.items()}


def _of_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return budget and weights, which ``FitConfig`` held together."""
    budget = {key: config[key] for key in BUDGET if key in config}
    return {"budget": {"made": "Budget", "fields": budget}, "weights": config["weights"]}
