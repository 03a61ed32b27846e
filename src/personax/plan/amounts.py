"""Numbers within bounds, as sections of a study name them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Share = Annotated[float, Field(ge=0, le=1)]
Alpha = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
