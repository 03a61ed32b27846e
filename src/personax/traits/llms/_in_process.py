"""Models that run in this process: by transformers, on a processor or a GPU, or by vLLM where it is installed.

Requests that wait together are answered together. Weights are a folder on this machine, in safetensors; nothing is
fetched, and no code of theirs is run.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from personax.errors import InputError, require
from personax.registry import register
from personax.traits.llms._provider import Completion, InvalidRequestError, Model
from personax.traits.llms._reply_parsing import Reply
from personax.traits.llms._token_probabilities import expected_scores

__all__ = ["TransformersProvider", "VLLMProvider"]

TOP_LOGPROBS: Final = 5


@dataclass(frozen=True)
class Generated:
    """An answer of a model, what it took, and its tokens where they were asked for."""

    text: str
    finish: str
    tokens_in: int
    tokens_out: int
    tokens: list[dict[str, Any]] | None = None


class LanguageModel(Protocol):
    """A loaded model."""

    def generate(
        self, requests: Sequence[Sequence[Mapping[str, Any]]], model: Model, schema: Mapping[str, Any] | None
    ) -> list[Generated | str]:
        """Return an answer a request, or why there is none."""


class InProcessProvider:
    """Answers with a model of this process; requests that wait together are one batch.

    Parameters
    ----------
    model
        ``weights`` is its folder.
    schema
        The JSON schema of an answer; None for free text.

    Raises
    ------
    InputError
        When there is no such folder, or the weights cannot be loaded.
    MissingExtraError
        Without the package that runs it.
    """

    def __init__(self, model: Model, schema: Mapping[str, Any] | None) -> None:
        self.model, self._schema = model, schema
        self.engine = self.load(str(_folder(model)))
        self._waiting: list[tuple[Sequence[Mapping[str, Any]], asyncio.Future[Generated | str]]] = []
        self._answering: asyncio.Task[None] | None = None

    @staticmethod
    def load(weights: str) -> LanguageModel:
        """Return the model in a folder, loaded once a process."""
        raise NotImplementedError

    async def ask(self, messages: Sequence[Mapping[str, Any]], key: str) -> Completion:
        """Answer one request; a key is of no use where nothing is charged for.

        Raises
        ------
        InvalidRequestError
            When this request cannot be answered: it is longer than the model reads.
        """
        began = time.perf_counter()
        answered: asyncio.Future[Generated | str] = asyncio.get_running_loop().create_future()
        self._waiting.append((messages, answered))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer())
        found = await answered
        if isinstance(found, str):
            raise InvalidRequestError(found)
        upstream: dict[str, Any] = {"model": self.model.model, "provider": self.model.provider}
        expected = expected_scores(found.tokens) if found.tokens else {}
        upstream |= {"expected": expected} if expected else {}
        reply = Reply(found.text, None, found.finish)
        return Completion(reply, upstream, time.perf_counter() - began, found.tokens_in, found.tokens_out)

    async def _answer(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # those that are about to ask join this batch
            batch, self._waiting = self._waiting, []
            try:
                found = await asyncio.to_thread(
                    self.engine.generate, [messages for messages, _ in batch], self.model, self._schema
                )
            except Exception as error:  # noqa: BLE001 - of the model's own code; each request is told
                found = [f"the model failed ({type(error).__name__}: {str(error)[:200]})"] * len(batch)
            for (_, answered), one in zip(batch, found, strict=True):
                if not answered.done():
                    answered.set_result(one)

    async def close(self) -> None:
        """Wait for the batch under way; the model stays loaded for those that ask next."""
        if self._answering is not None:
            await asyncio.gather(self._answering, return_exceptions=True)


@register(
    "providers", "transformers", title="transformers", help="weights in a folder, in this process", order=5,
    in_process=True,
)  # fmt: skip
class TransformersProvider(InProcessProvider):
    """Answers with the weights in a folder, by transformers; see `InProcessProvider`."""

    @staticmethod
    @lru_cache(maxsize=2)
    def load(weights: str) -> LanguageModel:
        """Return the model in a folder, loaded once a process."""
        return _Transformers(weights)


@register(
    "providers", "vllm", title="vLLM", help="weights in a folder, in this process, by vLLM", order=6, in_process=True
)
class VLLMProvider(InProcessProvider):
    """Answers with the weights in a folder, by vLLM, which keeps to the schema; see `InProcessProvider`."""

    @staticmethod
    @lru_cache(maxsize=1)
    def load(weights: str) -> LanguageModel:
        """Return the model in a folder, loaded once a process."""
        return _VLLM(weights)


class _Transformers:
    """A causal language model of transformers; one batch at a time."""

    _lock: ClassVar = threading.Lock()

    def __init__(self, weights: str) -> None:
        self.torch, transformers = require("torch", extra="embed"), require("transformers", extra="embed")
        known = {"local_files_only": True, "trust_remote_code": False}
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(weights, padding_side="left", **known)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                weights, dtype="auto", use_safetensors=True, **known
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{weights} holds no language model that transformers can load ({reason})") from None
        self.device = "cuda" if self.torch.cuda.is_available() else "cpu"
        self.model = model.to(self.device).eval()
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.longest = int(getattr(model.config, "max_position_embeddings", None) or 2**20)

    def generate(
        self, requests: Sequence[Sequence[Mapping[str, Any]]], model: Model, schema: Mapping[str, Any] | None
    ) -> list[Generated | str]:
        """Return an answer a request, or why there is none; the schema is in the prompt's words alone."""
        with self._lock, self.torch.inference_mode():
            texts = [self._text(messages) for messages in requests]
            lengths = [len(self.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
            fits = [at for at, length in enumerate(lengths) if length + model.max_tokens <= self.longest]
            found: list[Generated | str] = [
                f"{length} tokens and {model.max_tokens} of an answer are more than the {self.longest} that it reads"
                for length in lengths
            ]
            if fits:
                for at, one in zip(fits, self._continued([texts[at] for at in fits], model), strict=True):
                    found[at] = one
            return found

    def _text(self, messages: Sequence[Mapping[str, Any]]) -> str:
        if self.tokenizer.chat_template:
            return str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        return "\n\n".join(str(one["content"]) for one in messages) + "\n\n"

    def _continued(self, texts: Sequence[str], model: Model) -> list[Generated]:
        given = self.tokenizer(list(texts), return_tensors="pt", padding=True, add_special_tokens=False)
        given = given.to(self.device)
        warm = bool(model.temperature)
        sampling = {"do_sample": True, "temperature": model.temperature} if warm else {"do_sample": False}
        seed = model.extra_body.get("seed")
        if warm and isinstance(seed, int):
            self.torch.manual_seed(seed)
        output = self.model.generate(
            input_ids=given["input_ids"], attention_mask=given["attention_mask"], max_new_tokens=model.max_tokens,
            pad_token_id=self.tokenizer.pad_token_id, return_dict_in_generate=True, output_logits=model.logprobs,
            **sampling,
        )  # fmt: skip
        start, ends = given["input_ids"].shape[1], self._ends()
        rows = output.sequences[:, start:].tolist()
        sent = given["attention_mask"].sum(dim=1).tolist()
        found = []
        for at, (row, tokens_in) in enumerate(zip(rows, sent, strict=True)):
            stop = next((place for place, token in enumerate(row) if token in ends), len(row))
            finish = "stop" if stop < len(row) else "length"
            logits = [step[at] for step in output.logits[:stop]] if model.logprobs else None
            tokens = None if logits is None else self._tokens(row[:stop], logits)
            text = self.tokenizer.decode(row[:stop], skip_special_tokens=True)
            found.append(Generated(text, finish, int(tokens_in), stop, tokens))
        return found

    def _ends(self) -> set[int]:
        given = self.model.generation_config.eos_token_id
        several = given if isinstance(given, list) else [given]
        return {token for token in [*several, self.tokenizer.eos_token_id] if token is not None}

    def _tokens(self, row: Sequence[int], logits: Sequence[Any]) -> list[dict[str, Any]]:
        """Return tokens with their most probable alternatives, as chat completions give them."""
        told = []
        for token, step in zip(row, logits, strict=True):
            top = self.torch.log_softmax(step.float(), dim=-1).topk(TOP_LOGPROBS)
            offered = [
                {"token": self.tokenizer.decode([other]), "logprob": chance}
                for chance, other in zip(top.values.tolist(), top.indices.tolist(), strict=True)
            ]
            told.append({"token": self.tokenizer.decode([token]), "top_logprobs": offered})
        return told


class _VLLM:
    """A model of vLLM."""

    _lock: ClassVar = threading.Lock()

    def __init__(self, weights: str) -> None:
        try:
            self.vllm: Any = import_module("vllm")
        except ImportError:
            raise InputError("this needs vLLM, which is not installed: pip install vllm") from None
        self.model = self.vllm.LLM(model=weights, trust_remote_code=False)

    def generate(
        self, requests: Sequence[Sequence[Mapping[str, Any]]], model: Model, schema: Mapping[str, Any] | None
    ) -> list[Generated | str]:
        """Return an answer a request; answers keep to the schema unless ``structured`` is ``none``."""
        wanted: dict[str, Any] = {"temperature": model.temperature or 0.0, "max_tokens": model.max_tokens}
        wanted |= {"logprobs": TOP_LOGPROBS} if model.logprobs else {}
        wanted |= {"seed": model.extra_body["seed"]} if isinstance(model.extra_body.get("seed"), int) else {}
        if schema is not None and model.structured != "none":
            params = import_module("vllm.sampling_params")
            wanted["structured_outputs"] = params.StructuredOutputsParams(json=dict(schema))
        with self._lock:
            several = self.model.chat(
                [list(messages) for messages in requests], self.vllm.SamplingParams(**wanted), use_tqdm=False
            )
        return [self._generated(one) for one in several]

    def _generated(self, request: Any) -> Generated:  # noqa: ANN401 - vLLM's RequestOutput
        said = request.outputs[0]
        tokens = [
            {
                "token": chosen[token].decoded_token,
                "top_logprobs": [{"token": one.decoded_token, "logprob": one.logprob} for one in chosen.values()],
            }
            for token, chosen in zip(said.token_ids, said.logprobs or [], strict=False)
        ]
        finish = str(said.finish_reason or "stop")
        return Generated(said.text, finish, len(request.prompt_token_ids), len(said.token_ids), tokens or None)


def _folder(model: Model) -> Path:
    folder = Path(model.weights or "")
    if not (folder / "config.json").is_file():
        raise InputError(f"{model.name}: {folder} is no folder of weights with a config.json; correct weights")
    return folder
