"""Whatever a provider writes into its file, each request has one fate."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")


from personax.traits.llms._batch_api import BatchAPI
from personax.traits.llms._chat_completions import OpenAIProvider
from personax.traits.llms._provider import Model

GOOD = {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=6,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"custom_id": st.sampled_from(["a", "b", "c", "z"]) | JUNK},
        optional={
            "response": JUNK
            | st.fixed_dictionaries(
                {"status_code": st.sampled_from([200, 400, 429, 500]) | JUNK, "body": st.just(GOOD) | JUNK}
            )
            | st.fixed_dictionaries(
                {"status_code": st.just(200), "body": st.fixed_dictionaries({"choices": JUNK, "usage": JUNK})}
            ),
            "error": JUNK,
        },
    )
    | JUNK
)


@settings(max_examples=50)
@given(rows=ROWS, cut=st.integers(0, 40))
def test_whatever_a_file_holds_each_request_has_one_fate_and_the_first_row_decides(rows: list[Any], cut: int) -> None:
    api = BatchAPI(OpenAIProvider(Model(name="one", model="m", base_url="http://127.0.0.1:9/v1"), None))
    data = "\n".join(json.dumps(row) for row in rows).encode()
    read = api.read([data[: len(data) - cut]], {"a", "b", "c"}, 1.0)
    fates = [*read.completions, *read.retryable, *read.rejected]
    assert len(fates) == len(set(fates))
    assert set(fates) <= {"a", "b", "c"}
    whole = api.read([data], {"a", "b", "c"}, 1.0)
    ids = [row["custom_id"] for row in rows if isinstance(row, dict) and isinstance(row.get("custom_id"), str)]
    assert whole.seen == set(ids) & {"a", "b", "c"}
    assert whole.unmatched == sum(one not in {"a", "b", "c"} for one in ids)
    for key in whole.seen:
        first = next(row for row in rows if isinstance(row, dict) and row.get("custom_id") == key)
        alone = api.read([json.dumps(first).encode()], {key}, 1.0)
        assert (alone.completions, alone.retryable, alone.rejected) == tuple(
            {key: fate[key]} if key in fate else {} for fate in (whole.completions, whole.retryable, whole.rejected)
        )
