"""Noisy contingency tables: counted, drawn once with noise by OpenDP, kept in the keystore, published."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from personax.errors import InputError
from personax.files import write_text
from personax.release._gaussian_mechanism import discrete_noise
from personax.release._release_input import ReleaseInput
from personax.release.keys._keystore import write_secret
from personax.release.packaging._checksums import write_checksums
from personax.release.pii._folder_scan import refuse_folder
from personax.release.statistics._bins import Bins
from personax.release.statistics._privacy_budget import Ledger, PrivacyBudget, PrivacySpending, now, rho_of
from personax.release.statistics._read import FILE, NoisyCounts, NoisyStatistics, read_statistics
from personax.schema import Column, Notice
from personax.strict import Alpha, Positive, Strict, nearest

__all__ = ["Pair", "StatisticsRequest", "count_tables", "draw_noise", "publish", "scale_of"]


Pair = tuple[str, str]
"""Feature and target."""

Counts = NDArray[np.int64]


def count_tables(frame: pl.DataFrame, bins: Mapping[str, Bins], pairs: Sequence[Pair]) -> list[Counts]:
    """Return the table of every pair, shape (bins of the feature, bins of the target).

    A person who lacks one of both values, or has one that was not stated, is in no cell.

    Examples
    --------
    >>> frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, None], "y": ["a", "b", "b", "a"]})
    >>> bins = {"x": Bins("x", edges=(2.0,)), "y": Bins("y", names=("a", "b"))}
    >>> count_tables(frame, bins, [("x", "y")])[0].tolist()
    [[1, 0], [0, 2]]
    """
    codes = {name: bins[name].codes(frame[name]) for name in dict.fromkeys(name for pair in pairs for name in pair)}
    made = []
    for feature, target in pairs:
        shape = len(bins[feature]), len(bins[target])
        rows = (codes[feature] >= 0) & (codes[target] >= 0)
        cells = codes[feature][rows] * shape[1] + codes[target][rows]
        made.append(np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64))
    return made


def scale_of(rho: float, tables: int) -> float:
    """Return the scale of the noise of every cell.

    Somebody who is added or taken out moves one cell of each table by one, and so the vector of all cells by
    ``D = sqrt(tables)``; rho = D^2 / (2 s^2) gives s.

    Examples
    --------
    >>> scale_of(0.5, 4)
    2.0
    """
    return math.sqrt(tables / (2 * rho))


def draw_noise(tables: Sequence[Counts], rho: float) -> tuple[list[Counts], float]:
    """Return the tables with discrete Gaussian noise, and its scale.

    See `personax.release._gaussian_mechanism.discrete_noise`.
    """
    scale = scale_of(rho, len(tables)) * (1 + 1e-12)
    whole = np.concatenate([table.ravel() for table in tables])
    made = discrete_noise(whole, scale, sensitivity=math.sqrt(len(tables)), rho=rho)
    parts = np.split(made, np.cumsum([table.size for table in tables])[:-1])
    return [part.reshape(table.shape) for part, table in zip(parts, tables, strict=True)], scale


UNIT = "whether one person is in the data at all (added or taken out)"
NOT_COVERED = (
    "bins and categories, which were stated without a look at the data, and names, roles and kinds of columns",
    "people whose rows were given away as well",
    "further releases of the same people, which add up",
)


class StatisticsRequest(Strict):
    """Settings of noisy statistics.

    Parameters
    ----------
    epsilon, delta
        Of all tables together.
    columns
        Column -> edges of bins, or categories, stated without a look at the data.
    tables
        Pairs of feature and target; every stated feature against every stated target, where none is named.
    """

    epsilon: Positive
    delta: Alpha = 1e-6
    columns: Annotated[Mapping[str, Sequence[float] | Sequence[str]], Field(min_length=2)]
    tables: Sequence[Annotated[Sequence[str], Field(min_length=2, max_length=2)]] = ()


def publish(
    data: ReleaseInput, out: Path, request: StatisticsRequest, *, keys: Path, known: Mapping[str, Column],
    budget: PrivacyBudget | None = None,
    allowed: Sequence[str] = (), study: Path | None = None,
) -> list[Notice]:  # fmt: skip
    """Write a folder of noisy statistics.

    Parameters
    ----------
    data
        Of the people who are left.
    out
        A new folder.
    request
        Columns, tables, and what they may spend.
    budget
        Of all releases of the study; that of the tables where none is stated.
    keys
        The folder of the study's key: the ledger and the drawn tables stay there.
    known
        Features and targets that may leave.
    allowed, study
        As for a release: values that look private and are not; the study's folder, whose path must not leave.

    Returns
    -------
    list of Notice
        The spending, and notes for the publisher.

    Raises
    ------
    InputError
        A column that does not leave, a table that means nothing, or a budget that is spent.

    Notes
    -----
    Noise is drawn once for the same people, values and settings, kept in ``keys/statistics`` and written again from
    there: building a release twice spends nothing. When people or values have changed it is drawn anew, and spends
    again.
    """
    whole = budget or PrivacyBudget(epsilon=request.epsilon, delta=request.delta)
    bins, pairs = _stated(request, known)
    frame = _frame(data, bins)
    rho = rho_of(request.epsilon, request.delta)
    drawn = hashlib.sha256(_content(frame, bins, pairs, request)).hexdigest()[:16]
    kept, ledger = keys / "statistics" / f"{drawn}.json", Ledger(keys)
    again = kept.is_file()
    if not again:
        what = f"noisy statistics of {len(pairs)} tables"
        ledger.spend(PrivacySpending(now(), what, drawn, rho=rho), whole)
        noisy, scale = draw_noise(count_tables(frame, bins, pairs), rho)
        made = NoisyStatistics(
            request.epsilon, request.delta, rho, scale, tuple(known[name] for name in bins),
            {name: one.labels for name, one in bins.items()},
            tuple(NoisyCounts(*pair, counts) for pair, counts in zip(pairs, noisy, strict=True)), UNIT, NOT_COVERED,
        )  # fmt: skip
        write_secret(kept, made.to_json().encode())
    text = kept.read_text(encoding="utf-8")
    found = read_statistics(json.loads(text))
    out.mkdir(parents=True)
    write_text(out / FILE, text)
    write_text(out / "README.md", _card(data.name, found))
    write_checksums(out)
    refuse_folder(out, data.private_values(), allowed=[*allowed, *_stated_texts(request)], study=study)
    return _notices(ledger, whole, found, again=again)


def _stated(request: StatisticsRequest, known: Mapping[str, Column]) -> tuple[dict[str, Bins], list[Pair]]:
    for name in request.columns:
        if name not in known:
            raise InputError(f"release.statistics names {name}, which does not leave; {nearest(name, list(known))}")
    bins = {name: Bins.parse(name, spec) for name, spec in request.columns.items()}
    features = [name for name in bins if known[name].role == "feature"]
    targets = [name for name in bins if known[name].role == "target"]
    pairs = list(dict.fromkeys((feature, target) for feature, target in request.tables))
    for feature, target in pairs:
        if feature not in features or target not in targets:
            raise InputError(
                f"release.statistics: the table {feature} by {target} needs a feature and a target with stated bins"
            )
    pairs = pairs or [(feature, target) for feature in features for target in targets]
    if not pairs:
        raise InputError("release.statistics states no feature, or no target; state bins of at least one of each")
    used = {name for pair in pairs for name in pair}
    return {name: one for name, one in bins.items() if name in used}, pairs


def _frame(data: ReleaseInput, bins: Mapping[str, Bins]) -> pl.DataFrame:
    frame = data.people
    if data.traits is not None:
        scored = [name for name in data.traits.columns if name != "id"]
        frame = frame.drop(name for name in scored if name in frame.columns)
        frame = frame.join(data.traits, on="id", how="left", maintain_order="left")
    return frame.select("id", *bins).sort("id")


def _content(frame: pl.DataFrame, bins: Mapping[str, Bins], pairs: Sequence[Pair], request: StatisticsRequest) -> bytes:
    """Return all that a draw depends on: who, which values, which tables, how much noise."""
    codes = b"".join(np.ascontiguousarray(one.codes(frame[name]), dtype="<i8").tobytes() for name, one in bins.items())
    listed = [[name, *one.labels] for name, one in bins.items()]
    content = json.dumps([frame["id"].to_list(), listed, list(pairs), request.epsilon, request.delta])
    return content.encode() + b"\0" + codes


def _stated_texts(request: StatisticsRequest) -> list[str]:
    """Return the categories that the study file states; they are not taken from the data."""
    return [one for spec in request.columns.values() for one in spec if isinstance(one, str)]


def _card(name: str, found: NoisyStatistics) -> str:
    columns = "\n".join(f"| {c.name} | {c.role} | {', '.join(found.labels[c.name])} |" for c in found.columns)
    limits = "\n".join(f"- {one}" for one in found.not_covered)
    return (
        f"# {name}: noisy statistics\n\n{found.sentence}\n\n"
        "No person is in this folder: only counts of how many people have which values together, with noise. Negative "
        "counts are no error. `personax independence FOLDER` tests every feature against every target and corrects "
        f"p-values for the noise.\n\n| column | role | bins |\n|---|---|---|\n{columns}\n\n"
        f"The guarantee says nothing of\n\n{limits}\n"
    )


def _notices(ledger: Ledger, budget: PrivacyBudget, found: NoisyStatistics, *, again: bool) -> list[Notice]:
    spent = ledger.total(budget.delta)
    how = "written again as they were drawn, which spends nothing" if again else "drawn"
    return [
        Notice(f"Noisy statistics were {how}. {found.sentence}", len(found.tables)),
        Notice(f"The privacy budget of the study: epsilon {spent:.3g} of {budget.epsilon:g} is spent, at delta = "
               f"{budget.delta:g}."),
        Notice("statistics/ protects only people whose rows do not leave: give it away in place of release/, not "
               "beside it."),
    ]  # fmt: skip
