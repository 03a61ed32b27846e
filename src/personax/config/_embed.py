"""How texts and images become vectors."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SerializeAsAny, model_validator
from pydantic_core import PydanticCustomError

from personax.embed import Pooling, Precision
from personax.strict import Access, Count, Measurement, NamedApart, OutsidePath, SafeName, Strict, by_source


class EmbedSimulated(Strict):
    """The embeddings of the simulated people."""

    source: Literal["simulate"]


class EmbedFiles(Strict):
    """Embeddings made elsewhere: modality -> measurement -> file."""

    source: Literal["files"]
    files: NamedApart[SafeName, NamedApart[Measurement, OutsidePath]]


class EmbedOffline(Strict):
    """Small encoders that need no network: hashed n-grams for texts, colour and edges for images."""

    source: Literal["offline"]
    images: OutsidePath | None = None
    text_dim: Count = 384
    image_dim: Count = 512


class Encoding(Strict):
    """How a measurement is encoded; what is excluded changes no vector but for rounding."""

    model: Annotated[str, Access("hub", ("offline",))] = "offline"
    revision: str | None = None
    dim: Count | None = None
    precision: Precision = "auto"
    batch: Count = Field(default=32, exclude=True)
    device: str | None = Field(default=None, exclude=True)


class TextEncoding(Encoding):
    """A measurement of text: what is read, a biography or what a rater wrote of each trait, and by which model."""

    of: str = "biography"
    like: str | None = None
    pooling: Pooling | None = None
    instruction: str = ""
    tokens: Count | None = None


class ImageEncoding(Encoding):
    """A measurement of images: a folder with one ``<id>.png`` or ``<id>.jpg`` a person, and a model."""

    of: OutsidePath | None = None


class EmbedModels(Strict):
    """Texts and images by models: measurement -> how; `personax parts encoders` lists the named ones."""

    source: Literal["models"]
    text: NamedApart[Measurement, TextEncoding] = {}
    image: NamedApart[Measurement, ImageEncoding] = {}

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.text and not self.image:
            raise PydanticCustomError("nothing", "text and image are empty; name a measurement of one of them")
        return self


class EmbedRelease(Strict):
    """The vectors that a release holds."""

    source: Literal["release"]


_SOURCES: dict[str, type[Strict]] = {
    "simulate": EmbedSimulated,
    "files": EmbedFiles,
    "offline": EmbedOffline,
    "models": EmbedModels,
    "release": EmbedRelease,
}

Embed = Annotated[
    SerializeAsAny[EmbedSimulated | EmbedFiles | EmbedOffline | EmbedModels | EmbedRelease],
    by_source(lambda: _SOURCES),
]
