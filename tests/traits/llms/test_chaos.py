"""Every request is answered once in the journal and paid once, whatever a proxy does on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.chaos_proxy import FAULTS, chaos
from tests.traits.llms.llm_server import Server, serving

from personax.http import RetryPolicy
from personax.traits.llms import Model, Prompt, ReplyJournal, RunPolicy, Survey, annotate
from personax.traits.llms._annotations import annotation_table

PATIENT = RunPolicy(RetryPolicy(attempts=12, rate_limited_attempts=40, backoff=0.01), failures=200, pause=0.05)


def test_every_reply_is_kept_once_whatever_happens_on_the_way(tmp_path: Path) -> None:
    n = 60
    people = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She has won {i} prizes."} for i in range(n)]
    with serving(Server()) as server, chaos(server.url) as proxy, ReplyJournal(tmp_path / "j.sqlite") as journal:
        model = Model(name="one", model="one", base_url=proxy.url, concurrency=6, timeout=20.0, input_price=1.0,
                      output_price=1.0)  # fmt: skip
        asked = Survey(people, [model], Prompt())
        (outcome,) = annotate(asked, journal, policy=PATIENT)
        assert (outcome.completed, outcome.failed, outcome.stop_reason) == (n, 0, None)
        assert set(annotation_table(asked, journal)["status"]) <= {"ok", "insufficient"}
        assert len(list(journal.entries())) == n
        assert set(server.generated.values()) == {1}, "what broke is sent again under the key that it had"
        assert len(server.generated) == n
        assert set(proxy.met) == set(FAULTS)
        (again,) = annotate(asked, journal, policy=PATIENT)
        assert (again.cached, again.completed) == (n, 0)
