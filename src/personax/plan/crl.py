"""Level II: how many latent causes are sought behind which embeddings, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from personax.plan.amounts import Count
from personax.plan.causes import Beliefs
from personax.strict import Strict

CrlMethod = Literal[
    "default", "paper", "mmcrl", "multiview", "mcl", "betavae", "ivae", "causalvae", "autoencoder", "pca", "cca"
]
"""Level II methods that need no truth; see docs/crl.md."""


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
