"""The measures of anonymity: by hand, against brute force, against pyCANON."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Hashable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError
from personax.release.disclosure import measure
from personax.schema import Column

DISEASE, SALARY = Column("disease", "target", "nominal"), Column("salary", "target", "ordinal")

# Li, Li and Venkatasubramanian 2007, tables 3 and 5: salaries 3k ... 11k in three classes of three
SALARIES = [3, 5, 9, 6, 11, 8, 4, 7, 10]
DISEASES = ["ulcer", "stomach cancer", "pneumonia", "gastritis", "flu", "bronchitis", "gastritis", "bronchitis",
            "stomach cancer"]  # fmt: skip
TABLE = pl.DataFrame({"zip": ["4767*"] * 3 + ["4790*"] * 3 + ["4760*"] * 3, "salary": SALARIES, "disease": DISEASES})


def test_the_example_of_the_paper() -> None:
    """Li et al. 2007, table 5 has 0.167 closeness with regard to salary."""
    found = measure(TABLE, ["zip"], [SALARY, DISEASE], k=4, step=None)
    assert (found.k, found.classes, found.people, found.below, found.share_below) == (3, 3, 9, 9, 1.0)
    assert found.risk_max == found.risk_mean == pytest.approx(1 / 3)
    assert found.sensitive[0].closeness == pytest.approx(1 / 6, abs=1e-12)
    assert found.sensitive[0].distinct == 3
    assert found.sensitive[0].entropy == pytest.approx(3)


def test_by_hand() -> None:
    frame = pl.DataFrame({"q": ["a", "a", "a", "b", None, None], "disease": ["x", "x", "y", "x", "y", None]})
    found = measure(frame, ["q"], [DISEASE], k=3)
    assert (found.k, found.classes, found.below) == (1, 3, 3), "null is a value of its own"
    assert found.risk_mean == pytest.approx(0.5)
    assert found.sensitive[0].distinct == 1
    assert found.sensitive[0].entropy == pytest.approx(1)
    # everybody: 3 x, 2 y, 1 missing; class of null: half y, half missing
    assert found.sensitive[0].closeness == pytest.approx((3 / 6 + (1 / 2 - 2 / 6) + (1 / 2 - 1 / 6)) / 2)
    assert measure(frame, [], [DISEASE]).k == 6
    assert measure(frame, [], [DISEASE]).sensitive[0].closeness == 0


def test_scores_with_decimals_count_as_levels_of_the_scale() -> None:
    frame = pl.DataFrame({"q": ["a"] * 3, "salary": [3.1, 3.2, 2.5]})
    assert measure(frame, ["q"], [SALARY]).sensitive[0].distinct == 1, "a half goes up"
    assert measure(frame, ["q"], [SALARY], step=None).sensitive[0].distinct == 3
    assert measure(frame, ["q"], [SALARY], step=0.5).sensitive[0].distinct == 2


def test_missing_numbers_have_no_rank() -> None:
    frame = pl.DataFrame({"q": ["a", "a", "b", "b"], "salary": [1.0, 2.0, None, float("nan")]})
    found = measure(frame, ["q"], [SALARY]).sensitive[0]
    assert (found.distinct, found.entropy, found.closeness) == (0, 0.0, 0.5), "a missing value is no diversity"
    nothing = frame.with_columns(salary=pl.lit(None, pl.Float64))
    assert measure(nothing, ["q"], [SALARY]).sensitive[0].closeness == 0


def test_what_cannot_be_measured() -> None:
    with pytest.raises(InputError, match="no column zap"):
        measure(TABLE, ["zap"])
    with pytest.raises(InputError, match="no rows"):
        measure(TABLE.clear(), ["zip"])
    assert measure(TABLE, ["zip"]).to_dict()["share_below"] == 1.0


def _transport(p: list[float], q: list[float]) -> float:
    """Return the earth mover's distance over ranks, by moving mass from the left."""
    carried = moved = 0.0
    for a, b in zip(p, q, strict=True):
        carried += a - b
        moved += abs(carried)
    return moved / (len(p) - 1) if len(p) > 1 else 0.0


@given(
    st.lists(
        st.tuples(st.none() | st.sampled_from("ab"), st.none() | st.integers(0, 2), st.none() | st.integers(1, 5)),
        min_size=1,
        max_size=25,
    ),
    st.integers(1, 5),
)
def test_against_brute_force(rows: list[tuple[str | None, int | None, int | None]], k: int) -> None:
    schema = {"a": pl.String, "b": pl.Int64, "salary": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(disease=pl.col("salary").cast(pl.String))
    classes: defaultdict[Hashable, list[int | None]] = defaultdict(list)
    for a, b, value in rows:
        classes[a, b].append(value)
    sizes = [len(held) for held in classes.values()]
    found = measure(frame, ["a", "b"], [SALARY, DISEASE], k=k)
    assert (found.k, found.classes) == (min(sizes), len(sizes))
    assert found.below == sum(size for size in sizes if size < k)
    assert found.risk_mean == pytest.approx(sum(1 / len(classes[a, b]) for a, b, _ in rows) / len(rows))
    everything = [value for _, _, value in rows]
    levels = sorted({value for value in everything if value is not None})

    def share(held: list[int | None], value: int | None) -> float:
        return held.count(value) / len(held)

    def entropy(held: list[int | None]) -> float:
        known = [value for value in held if value is not None]
        if not known:
            return 0.0
        return math.exp(-sum(n / len(known) * math.log(n / len(known)) for n in Counter(known).values()))

    def ordered(held: list[int | None]) -> float:
        known, every = [v for v in held if v is not None], [v for v in everything if v is not None]
        gap = abs(share(held, None) - share(everything, None))
        if not known:
            return gap
        return max(gap, _transport([known.count(v) / len(known) for v in levels],
                                   [every.count(v) / len(every) for v in levels]))  # fmt: skip

    for number, diversity in enumerate(found.sensitive):
        assert diversity.distinct == min(len(set(held) - {None}) for held in classes.values())
        assert diversity.entropy == pytest.approx(min(map(entropy, classes.values())))
        total = max(sum(abs(share(h, v) - share(everything, v)) for v in [*levels, None]) / 2 for h in classes.values())
        wanted = total if number else max(map(ordered, classes.values()))
        assert diversity.closeness == pytest.approx(wanted, abs=1e-12)


def test_pycanon_says_the_same() -> None:
    """tests/reference/anonymity.py; it rounds the entropy kind down."""
    told = json.loads((Path(__file__).parents[2] / "reference" / "anonymity.json").read_text())
    frame = pl.DataFrame(told["columns"])
    sensitive = [Column("score", "target", "ordinal"), Column("club", "target", "nominal")]
    found = measure(frame, ["gender", "decade"], sensitive)
    assert found.k == told["k"]
    for diversity in found.sensitive:
        theirs = told["sensitive"][diversity.column]
        assert diversity.distinct == theirs["distinct"]
        assert int(diversity.entropy) == theirs["entropy"]
        assert diversity.closeness == pytest.approx(theirs["closeness"], abs=1e-9)
