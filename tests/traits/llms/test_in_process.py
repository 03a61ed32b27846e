"""Models of this process: a tiny one of the real class, random weights made here; nothing is fetched."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

pytest.importorskip("transformers", reason="transformers is not installed: pip install personax[embed]")
pytest.importorskip("torch", reason="torch is not installed: pip install personax[embed]")

from personax.errors import InputError
from personax.schema import TRAITS
from personax.traits.llms import Model, Prompt, ReplyJournal, Survey, annotate, annotation_table, probe_models
from personax.traits.llms._in_process import Generated, InProcessProvider, TransformersProvider

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the package is first imported

GOOD = json.dumps({trait: {"description": "so", "score": 2} for trait in TRAITS})
PEOPLE = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She won {i} prizes."} for i in range(5)]
TEXTS = [[{"role": "user", "content": text}] for text in ("a", "She sings and plays.", "", "x" * 30)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model of the classes of Qwen2, by bytes."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

    folder = tmp_path_factory.mktemp("weights")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {sign: place for place, sign in enumerate([*letters, "<|endoftext|>"])}
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=[])
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, intermediate_size=37, max_position_embeddings=200,
                         initializer_range=0.3, eos_token_id=256, bos_token_id=None)  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def model_of(weights: Path, **settings: Any) -> Model:
    return Model(name="tiny", model="tiny", weights=str(weights), provider="transformers", max_tokens=12, **settings)


def answers(model: Model, requests: Sequence[Sequence[Mapping[str, Any]]]) -> list[Any]:
    async def ask() -> list[Any]:
        provider = TransformersProvider(model, None)
        try:
            return await asyncio.gather(*(provider.ask(one, "k") for one in requests), return_exceptions=True)
        finally:
            await provider.close()

    return asyncio.run(ask())


def test_requests_that_wait_together_are_answered_as_each_alone(weights: Path) -> None:
    together = answers(model_of(weights, logprobs=True), TEXTS)
    alone = [answers(model_of(weights), [one])[0] for one in TEXTS]
    assert [one.reply for one in together] == [one.reply for one in alone]
    assert len({one.reply.content for one in together}) > 1, "the answer depends on what is asked"
    assert [one.tokens_in for one in together] == [len(f"user: {one[0]['content']}\nassistant: ") for one in TEXTS]
    assert all(one.tokens_out <= 12 for one in together)
    assert {one.reply.finish for one in together} <= {"length", "stop"}


def test_a_text_that_the_model_cannot_read_whole_costs_one_row(weights: Path) -> None:
    long = [{"role": "user", "content": "y" * 300}]
    first, second = answers(model_of(weights), [long, TEXTS[0]])
    assert "more than the 200 that it reads" in str(first)
    assert second.reply.content is not None


def test_seeds_make_warm_answers_the_same(weights: Path) -> None:
    warm = model_of(weights, temperature=1.0, extra_body={"seed": 7})
    once, again = answers(warm, TEXTS[:1]), answers(warm, TEXTS[:1])
    assert once[0].reply == again[0].reply


class Scripted:
    """An engine whose batches are counted."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def generate(self, requests: Sequence[Any], model: Model, schema: Any) -> list[Generated | str]:
        self.batches.append(len(requests))
        time.sleep(0.1)  # others ask meanwhile
        if any("won everything" in str(one) for one in requests):
            raise RuntimeError("out of memory")
        return ["too long" if "won 2 " in str(one) else Generated(GOOD, "stop", 5, 7) for one in requests]


def test_a_study_is_asked_in_batches_and_journalled(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Scripted()
    monkeypatch.setattr(TransformersProvider, "load", staticmethod(lambda folder: engine))
    model = model_of(weights, input_price=0, output_price=0)
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        (found,) = probe_models([model], Prompt(), journal)
        assert (found.readable, found.takes, found.cost) == (True, {}, 0)
        engine.batches.clear()
        survey = Survey(PEOPLE, [model], Prompt())
        (summary,) = annotate(survey, journal)
        assert (summary.completed, summary.failed, summary.stop_reason) == (4, 1, None)
        assert max(engine.batches) > 1
        table = annotation_table(survey, journal)
    assert table.filter(table["status"] == "ok")["score"].to_list() == [2.0] * 20
    assert set(table.filter(table["status"] == "failed")["text"]) == {"too long"}


def test_an_engine_that_fails_tells_every_request(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TransformersProvider, "load", staticmethod(lambda folder: Scripted()))
    (found,) = answers(model_of(weights), [[{"role": "user", "content": "won everything"}]])
    assert "the model failed (RuntimeError: out of memory)" in str(found)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"provider": "transformers"}, "give weights, a folder"),
        ({"provider": "transformers", "weights": "/w", "base_url": "https://a.test"}, "in place of base_url"),
        ({"provider": "transformers", "weights": "w"}, "the whole path"),
        ({"weights": "/w"}, "asks an endpoint"),
        ({}, "give its base_url"),
    ],
)
def test_a_model_is_in_this_process_or_at_an_endpoint(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Model(name="a", model="a", **settings)


@pytest.mark.filterwarnings("ignore")
def test_a_folder_without_weights_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder of weights with a config\.json"):
        TransformersProvider(model_of(tmp_path), None)
    (tmp_path / "config.json").write_text('{"model_type": "nothing-known"}')
    with pytest.raises(InputError, match="no language model that transformers can load") as error:
        TransformersProvider(model_of(tmp_path), None)
    assert "\n" not in str(error.value)
    with pytest.raises(NotImplementedError):
        InProcessProvider.load("")


def test_vllm_is_asked_for_late(tmp_path: Path) -> None:
    from personax.traits.llms._in_process import VLLMProvider

    if find_spec("vllm") is not None:
        pytest.skip("vLLM is installed")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="pip install vllm"):
        VLLMProvider(model_of(tmp_path).replaced(provider="vllm"), None)


class Sampling:
    """The parameters of vLLM's SamplingParams that are used, by its names; others are refused as there."""

    def __init__(self, *, temperature: float = 1.0, max_tokens: int | None = 16, logprobs: int | None = None,
                 seed: int | None = None, structured_outputs: Any = None) -> None:  # fmt: skip
        self.max_tokens, self.logprobs, self.structured = max_tokens, logprobs, structured_outputs
        self.temperature, self.seed = temperature, seed


class Structured:
    def __init__(self, json: str | dict[str, Any] | None = None) -> None:
        self.json = json


class Engine:
    """vLLM's LLM as its reference has it: ``chat(messages, sampling_params, use_tqdm=True)`` -> one output a chat."""

    asked: ClassVar[list[Any]] = []

    def __init__(self, model: str, *, trust_remote_code: bool = False) -> None:
        assert not trust_remote_code

    def chat(
        self, messages: list[list[dict[str, Any]]], sampling_params: Any = None, use_tqdm: bool = True
    ) -> list[Any]:
        assert all(isinstance(one, list) for one in messages)
        self.asked.append(sampling_params)
        offered = enumerate((("{", -0.1), ("x", -2.5)), start=7)
        chance = {place: SimpleNamespace(logprob=value, decoded_token=token) for place, (token, value) in offered}
        told = [chance] * 99 if sampling_params.logprobs else None
        said = SimpleNamespace(text=GOOD, token_ids=[7] * 99, logprobs=told, finish_reason="stop")
        return [SimpleNamespace(prompt_token_ids=[1] * 700, outputs=[said]) for _ in messages]


def test_vllm_is_asked_as_its_reference_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from personax.traits.llms._in_process import VLLMProvider

    module, params = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    vars(module).update(LLM=Engine, SamplingParams=Sampling, sampling_params=params)
    vars(params).update(StructuredOutputsParams=Structured)
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", params)
    (tmp_path / "config.json").write_text("{}")
    model = model_of(tmp_path, logprobs=True, extra_body={"seed": 3}).replaced(provider="vllm")
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        asked = Survey(PEOPLE, [model], Prompt())
        (outcome,) = annotate(asked, journal)
        assert (outcome.completed, outcome.failed) == (5, 0)
        assert set(annotation_table(asked, journal)["status"]) == {"ok"}
        assert {(one.tokens_in, one.tokens_out) for one in journal.entries()} == {(700, 99)}
    sent = Engine.asked[0]
    assert (sent.temperature, sent.max_tokens, sent.seed, sent.structured.json) == (0.0, 12, 3, Prompt().schema())
    VLLMProvider.load.cache_clear()
