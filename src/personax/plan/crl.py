"""Level II: how many latent causes are sought behind which embeddings, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from personax.crl.methods import usable
from personax.plan.amounts import Count
from personax.plan.causes import Beliefs
from personax.strict import Strict, nearest


def _registered(name: str) -> str:
    """Return the name of a method that needs no truth, of personax or of another package; see docs/crl.md."""
    known = usable()
    if name not in known:
        text = "there is no method {name}; {nearest}"
        raise PydanticCustomError("unknown_method", text, {"name": name, "nearest": nearest(name, known)})
    return name


CrlMethod = Annotated[str, AfterValidator(_registered)]


class Crl(Strict):
    """Level II: the latent causes behind the embeddings."""

    latents: dict[str, Count]
    shared: Annotated[int, Field(ge=0)] = 0
    method: CrlMethod = "default"
    seeds: Count = 3
    choose: Literal["objective", "agreement", "exclusivity"] = "objective"
    epochs: Count = 60
    threads: Count = 1
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    compiled: bool = False
    half: bool = False
    prior: Beliefs | None = None


class Modalities(Strict):
    """Which measurements belong to which modality; a file of its own beside embeddings."""

    measurements: dict[str, dict[str, str]]
    latents: dict[str, Count]
    shared: Annotated[int, Field(ge=0)] = 0
    prior: Beliefs | None = None
