"""Knowledge that cannot be true is named before anything is computed."""

from __future__ import annotations

import pytest

from personax.discovery import Knowledge, fci, pc
from personax.errors import InputError

from .oracle import asking, table

BAD = [
    (Knowledge(tiers={"heigth": 0}), "knowledge.tiers: there is no column heigth; did you mean height?"),
    (Knowledge(forbidden=[("sex", "x")]), "knowledge.forbidden: there is no column x; choose from"),
    (Knowledge(required=[("y", "sex")]), "knowledge.required: there is no column y"),
    (Knowledge(required=[("sex", "sex")]), "sex stands on both sides"),
    (Knowledge(forbidden=[("sex", "height")], required=[("sex", "height")]), "required to cause height, and forbidden"),
    (Knowledge(tiers={"sex": 1, "height": 0}, required=[("sex", "height")]), "which is of an earlier tier"),
    (
        Knowledge(tiers={"sex": 1, "weight": 0}, required=[("sex", "height"), ("height", "weight")]),
        "sex is required to cause weight, which is of an earlier tier",
    ),
    (
        Knowledge(required=[("sex", "height"), ("height", "weight"), ("weight", "sex")]),
        "go in a circle through sex, height, weight",
    ),
]


@pytest.mark.parametrize(("knowledge", "says"), BAD)
def test_contradictions(knowledge: Knowledge, says: str) -> None:
    never = asking(lambda x, y, z: pytest.fail("a test was run"))
    for search in (pc, fci):
        with pytest.raises(InputError) as caught:
            search(table(["sex", "height", "weight"]), test=never, knowledge=knowledge)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_forbidden_way_through_others_is_a_contradiction_for_fci_only() -> None:
    way = Knowledge(forbidden=[("a", "c")], required=[("a", "b"), ("b", "c")])
    independent = asking(lambda x, y, z: True)
    assert len(pc(table("abc"), test=independent, knowledge=way).edges) == 2
    with pytest.raises(InputError, match="a is required to cause c through other columns, and forbidden"):
        fci(table("abc"), test=independent, knowledge=way)
