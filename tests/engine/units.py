"""Functions that tests hand to engines; processes and clusters find them by module and name."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from personax.errors import InputError


def drawn(shared: dict[str, Any], rng: np.random.Generator) -> bytes:
    """Return the bytes of a product of matrices that a draw makes: they tell one thread of BLAS from two."""
    rows = rng.integers(len(shared["x"]), size=len(shared["x"]))
    return np.asarray(shared["x"][rows].T @ shared["x"][rows]).tobytes()


def changed(x: np.ndarray[Any, Any], item: int) -> float:
    """Change what is shared, which nobody else may see."""
    x[0] += item
    return float(x[0])


def refuse(_: object, item: int) -> int:
    if item == 3:
        raise InputError("item 3 cannot be")
    return item


class Odd(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"odd {one} {other}")


def odd(_: object, item: int) -> int:
    raise Odd(item, item)


def unsendable(_: object, item: int) -> object:
    return lambda: item


def die(_: object, item: int) -> int:
    if item == 2:
        os._exit(9)
    return item


def slow(folder: str, item: int) -> tuple[int, int]:
    """Leave a mark of who works on what, and take a while."""
    (Path(folder) / f"{item}-{os.getpid()}").touch()
    time.sleep(0.3)
    return item, os.getpid()


def lacking(_: object, item: int) -> int:
    import no_such_plugin_of_anybody

    return int(no_such_plugin_of_anybody.f(item))
