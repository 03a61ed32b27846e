"""Attack all that a release holds, put the verdict in words, and stop at the publisher's gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from personax.release.audit import Attack, AuditReport, Gate, audit, audit_table
from personax.release.audit.report import LEAST
from personax.release.transforms import Chain
from personax.schema import Column

__all__ = ["Examined", "examine"]

PEOPLE = 500
"""Attacked in a build; `personax.release.audit.audit` takes more."""
MOST = 6
"""Columns that are inferred."""


@dataclass(frozen=True)
class Examined:
    """The attacks on a release.

    Parameters
    ----------
    measurements
        ``<modality>/<measurement>`` -> its audit.
    table
        Attacks on the people table.
    """

    measurements: Mapping[str, AuditReport]
    table: Sequence[Attack]

    @property
    def sentence(self) -> str:
        """The verdict that a card quotes: the worst measurement, then the table."""
        parts = []
        if self.measurements:
            worst = max(self.measurements, key=lambda name: self.measurements[name].worst.value or 0.0)
            parts.append(self.measurements[worst].sentence(worst))
        risks = [attack for attack in self.table if attack.beats]
        if risks:
            most = max(risks, key=lambda attack: attack.value or 0.0)
            parts.append(
                f"Of the table, {most.name} succeeds {most.value:.0%} of the time beyond what it does on people who "
                f"are not in it: it is pseudonymised, not anonymous."
            )
        return " ".join(parts) or "The release is too small to attack; treat it as pseudonymised, not anonymous."

    def to_dict(self, transform: str) -> dict[str, Any]:
        """Return what audit.json holds."""
        return {
            "verdict": self.sentence,
            "transform": transform,
            "measurements": {name: report.to_dict() for name, report in self.measurements.items()},
            "table": [attack.to_dict() for attack in self.table],
        }


def examine(
    embeddings: Mapping[str, tuple[pl.DataFrame, Chain, Chain]],
    people: pl.DataFrame,
    released: pl.DataFrame,
    columns: Sequence[Column],
    *,
    gate: Gate,
    rng: np.random.Generator,
) -> Examined:
    """Attack every measurement and the table.

    Parameters
    ----------
    embeddings
        Name -> (``id`` and original vectors, the transform of the release, one under another key).
    people, released, columns
        The people before and after, the same rows, and what the columns mean.
    gate
        Checked as soon as something is measured.

    Raises
    ------
    InputError
        An attack exceeds the gate.
    """
    nominal = [c.name for c in columns if c.kind == "nominal" and c.role == "feature" and c.name in released.columns][
        :MOST
    ]
    reports = {}
    for name, (frame, chain, other) in embeddings.items():
        vectors = frame.to_series(1).to_numpy()
        if len(vectors) < LEAST:
            continue
        made = chain.transform(vectors)
        values = frame.select("id").join(released.select("id", *nominal), on="id", how="left", maintain_order="left")
        reports[name] = audit(
            vectors,
            made,
            renewed=other.fit(vectors).transform(vectors),
            inverted=chain.invert(made),
            attributes={column: values[column].cast(pl.String).to_list() for column in nominal},
            people=PEOPLE,
            rng=rng,
        )
        gate.check(name, [*reports[name].attacks])
    shared = [name for name in released.columns if name in people.columns and name != "id"]
    table = list(audit_table(people.select(shared), released.select(shared), rng=rng)) if shared else []
    gate.check("the table", table)
    return Examined(reports, table)
