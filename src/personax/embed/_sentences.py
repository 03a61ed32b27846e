"""Texts by a model of the package sentence-transformers, of a hub or of a folder, as its makers use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax.embed._checkpoint import (
    Checkpoint,
    PretrainedEncoder,
    first_line,
    mark_missing_weights,
    model_files_hash,
    refuse_missing_weights,
    tensor_names,
)
from personax.embed._encoder import (
    Attention,
    EncoderOptions,
    Pooling,
    Precision,
    Recipe,
    Truncation,
    Vectors,
)
from personax.errors import InputError, require
from personax.registry import register

__all__ = ["SentenceEncoder", "SentencePreset"]

COUNTED: Final = 1024
"""Texts whose tokens are counted together."""


class SentenceEncoder(PretrainedEncoder):
    """Encodes texts; a long text is cut at the model's own limit.

    Parameters
    ----------
    model
        Its id on the hub, or a folder.
    revision
        A commit, tag or branch of the hub; without one the newest is taken, and which that was stands in the card.
    recipe
        How its makers use it. Without one, the model's own files must say it (``modules.json``), or ``pooling``.
    pooling
        Which tokens make the vector, in place of what recipe or files say.
    instruction
        Put before every text, in place of the makers' prompt. The paper's model wants none for documents.
    tokens
        Texts are cut there; None for the makers' limit.
    device, precision
        See `resolve_device`.
    licence
        Of the weights, where the preset knows it.
    name
        What the card calls the model.
    cache
        A file that remembers the hashes of large files.

    Raises
    ------
    InputError
        When the model cannot be had, brings its own code, lacks weights that its vectors need, or cannot be used as its
        makers do.
    MissingExtraError
        Without sentence-transformers.

    Notes
    -----
    No code of a model is run (``trust_remote_code`` stays off) and no pickled weights are read (safetensors only).
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        recipe: Recipe | None = None,
        pooling: Pooling | None = None,
        instruction: str = "",
        tokens: int | None = None,
        device: str | None = None,
        precision: Precision = "auto",
        licence: str = "",
        name: str = "",
        cache: Path | None = None,
    ) -> None:
        package = require("sentence_transformers", extra="embed")
        super().__init__(
            "text", model, revision=revision, device=device, precision=precision, licence=licence, name=name,
            cache=cache, float16=recipe is None or recipe.float16,
            custom_code=recipe is not None and recipe.custom_code,
        )  # fmt: skip
        found = self._checkpoint
        if recipe is None and pooling is None and not (found.folder / "modules.json").is_file():
            text = f"embed.text: {found.model} has no modules.json, so nothing says how its tokens become one vector"
            raise InputError(f"{text}; say like: NAME of a preset, or pooling: mean, cls or lasttoken")
        self._model = _loaded(package, found, self._device, self._kind)
        self._set(found, recipe, pooling, tokens)
        self._prompt = instruction or (recipe.prompt if recipe else self._own_prompt())
        self._normalise = recipe.normalise if recipe else True
        _complete(found, _inner(self._model), self._probe)
        self.card = self._described(
            int(self._probe().shape[1]),
            {
                "package": f"sentence-transformers {package.__version__}",
                "attention": recipe.attention if recipe else "as its configuration says",
                "end token": recipe.end if recipe else "as its tokenizer says",
                "pooling": _pooling_of(self._model),
                "prompt": self._prompt,
                "tokens": int(self._model.max_seq_length or 0),
                "normalise": self._normalise,
            },
        )

    def encode(self, items: Sequence[str]) -> Vectors:
        """Return one vector a text, shape (texts, dim)."""
        if not items:
            return np.zeros((0, self.card.dim), dtype=np.float32)
        return self._scaled(self._encoded(items), self._normalise)

    def truncation(self, texts: Sequence[str]) -> Truncation:
        """Return how many texts are longer than the model reads, and by how much."""
        limit = int(self._model.max_seq_length or 0)
        tokenizer = getattr(self._model[0], "tokenizer", None)
        if not limit or not texts or not hasattr(tokenizer, "convert_tokens_to_ids"):
            return Truncation()
        lengths = np.concatenate(
            [self._lengths(tokenizer, texts[at : at + COUNTED]) for at in range(0, len(texts), COUNTED)]
        )
        over = lengths[lengths > limit]
        unread = float((over - limit).sum() / lengths.sum())
        return Truncation(limit, len(over), int(over.max()) if len(over) else 0, unread)

    def _lengths(self, tokenizer: Any, texts: Sequence[str]) -> NDArray[np.int64]:  # noqa: ANN401 - of packages that are imported late
        tokens = tokenizer([self._prompt + text for text in map(_clean, texts)], truncation=False, verbose=False)
        return np.array([len(ids) for ids in tokens["input_ids"]], dtype=np.int64)

    def _encoded(self, items: Sequence[str]) -> Vectors:
        try:
            vectors = self._model.encode(
                [_clean(text) for text in items],
                batch_size=max(1, len(items)),
                # the whole answer to what is put before a text: a model's own default must not come on top
                prompt=self._prompt,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        except IndexError:
            name = self._checkpoint.model
            text = f"embed.text: the tokenizer of {name} makes tokens that the model has no weights for"
            raise InputError(f"{text}; take the tokenizer that belongs to it") from None
        except ValueError as error:
            raise InputError(
                f"embed.text: the model {self._checkpoint.model} encodes no texts ({first_line(error)}); take another"
            ) from None
        return np.asarray(vectors, dtype=np.float32)

    def _probe(self) -> Vectors:
        return self._encoded(["a b"])

    def _own_prompt(self) -> str:
        """Return what the model's files put before a text that nobody calls a query."""
        name = getattr(self._model, "default_prompt_name", None)
        return str((self._model.prompts or {}).get(name) or "") if name else ""

    def _set(self, found: Checkpoint, recipe: Recipe | None, pooling: Pooling | None, tokens: int | None) -> None:
        wanted = pooling or (recipe.pooling if recipe else None)
        if wanted is not None:
            _pool(found, self._model, wanted)
        if recipe is not None:
            if recipe.end:
                _end(found, self._model.tokenizer, recipe.end)
            _attend(found, _inner(self._model), recipe.attention)
        limit = tokens or (recipe.tokens if recipe else None)
        if limit is not None:
            self._model.max_seq_length = limit


def _clean(text: str) -> str:
    # half a surrogate pair breaks tokenisers, and some make no token at all of nothing
    return text.encode("utf-8", "replace").decode() or " "


def _loaded(package: Any, found: Checkpoint, where: str, kind: object) -> Any:  # noqa: ANN401 - of packages that are imported late
    try:
        model = package.SentenceTransformer(
            str(found.folder),
            device=where,
            trust_remote_code=False,
            model_kwargs={"dtype": kind, "use_safetensors": True},
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        if "out of memory" in str(error).lower():
            raise
        raise InputError(f"embed.text: the model {found.model} cannot be had ({first_line(error)})") from None
    return model.eval()


def _inner(model: Any) -> Any:  # noqa: ANN401 - the model of transformers inside
    return getattr(model[0], "model", None) or getattr(model[0], "auto_model", None)


def _pool(found: Checkpoint, model: Any, wanted: Pooling) -> None:  # noqa: ANN401 - of packages that are imported late
    for place_, module in enumerate(model):
        if type(module).__name__ == "Pooling":
            size = int(_inner(model).config.hidden_size)
            model[place_] = type(module)(size, pooling_mode=wanted)
            return
    raise InputError(f"embed.text: {found.model} makes no vectors of tokens, so pooling and like do not apply to it")


def _pooling_of(model: Any) -> str:  # noqa: ANN401 - of packages that are imported late
    modes = [getattr(module, "pooling_mode", "") for module in model if type(module).__name__ == "Pooling"]
    return ", ".join(mode if isinstance(mode, str) else " + ".join(mode) for mode in modes) or "its own"


def _end(found: Checkpoint, tokenizer: Any, token: str) -> None:  # noqa: ANN401 - of packages that are imported late
    """Let the tokenizer put a token after every text, also after one that it cuts."""
    identifier = tokenizer.convert_tokens_to_ids(token)
    if identifier is None or tokenizer.convert_ids_to_tokens(identifier) != token:
        raise InputError(f"embed.text: {found.model} has no token {token}, which its recipe puts after every text")
    if tokenizer("a")["input_ids"][-1:] != [identifier]:
        from tokenizers.processors import TemplateProcessing

        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=f"$A {token}", pair=f"$A {token} $B:1 {token}:1", special_tokens=[(token, identifier)]
        )
    # on the right, so that a shorter text's tokens stand where they stand without company
    tokenizer.padding_side = "right"
    if tokenizer("a")["input_ids"].count(identifier) != 1:
        raise InputError(f"embed.text: {found.model} cannot be made to end its texts by {token}; see its tokenizer")


def _attend(found: Checkpoint, inner: Any, attention: Attention) -> None:  # noqa: ANN401 - of packages that are imported late
    """Let a decoder's tokens see those after them where its makers do, and stop where that has no effect."""
    if attention == "bidirectional" and not _sees_ahead(inner):
        inner.config.is_causal = False
        for module in inner.modules():
            if hasattr(module, "is_causal"):
                module.is_causal = False
    if _sees_ahead(inner) != (attention == "bidirectional"):
        text = f"embed.text: the attention of {found.model} is not {attention}, as its makers' is"
        raise InputError(f"{text}; install transformers 5.2 or newer")


def _sees_ahead(inner: Any) -> bool:  # noqa: ANN401 - of packages that are imported late
    """Say whether the vector of the first of two tokens changes with the second, padded and not."""
    torch = require("torch", extra="embed")
    ids = torch.tensor([[1, 2, 0], [1, 3, 0]], device=inner.device)
    changed = []
    with torch.inference_mode():
        for width in (2, 3):
            mask = torch.tensor([1, 1, 0], device=inner.device)[:width].expand(2, -1)
            first = inner(input_ids=ids[:, :width], attention_mask=mask).last_hidden_state[:, 0]
            changed.append(bool((first[0] != first[1]).any()))
    return all(changed)


def _complete(found: Checkpoint, inner: Any, probe: Callable[[], Vectors]) -> None:  # noqa: ANN401 - of packages that are imported late
    """Stop where the checkpoint lacks weights that enter the vectors."""
    held = tensor_names(found.folder)
    absent = [
        name
        for name, tensor in (inner.state_dict(keep_vars=True) if inner is not None else {}).items()
        # the loader's own mark where it leaves one; the names in the file for those without
        if not getattr(tensor, "_is_hf_initialized", False) and not any(_same(name, other) for other in held)
    ]
    number = mark_missing_weights(inner, absent) if absent else 0
    if number and not np.isfinite(probe()).all():
        refuse_missing_weights("embed.text", found.model, number)


def _same(name: str, other: str) -> bool:
    return name == other or other.endswith(f".{name}") or name.endswith(f".{other}")


@dataclass(frozen=True)
class SentencePreset:
    """A model of a hub and how its makers use it; tested for each on a small model of its class.

    Parameters
    ----------
    model
        Its id on the hub.
    licence
        Of the weights, as its hub page says.
    recipe
        How its makers use it.
    """

    model: str
    licence: str
    recipe: Recipe

    def __call__(self, options: EncoderOptions) -> SentenceEncoder:
        """Load the model."""
        return SentenceEncoder(
            self.model, revision=options.revision, recipe=options.recipe or self.recipe, pooling=options.pooling,
            instruction=options.instruction, tokens=options.tokens, device=options.device,
            precision=options.precision, licence=self.licence, cache=options.cache,
        )  # fmt: skip

    def weights_hash(self, options: EncoderOptions) -> str | None:
        """Return the hash of the model's files on this machine; None where they are not here."""
        return model_files_hash(self.model, options.revision, options.cache)


_SEARCH: Final = "Given a web search query, retrieve relevant passages that answer the query"
_GTE_QWEN: Final = Recipe(
    "bidirectional",
    "lasttoken",
    end="<|endoftext|>",
    query=f"Instruct: {_SEARCH}\nQuery: ",
    tokens=8192,
    float16=False,
    custom_code=True,
)
_MEAN: Final = Recipe("bidirectional", "mean")
_E5: Final = Recipe("bidirectional", "mean", prompt="query: ", query="query: ", tokens=512)
"""Its makers put ``query:`` before texts whose vectors are features, and ``passage:`` only before what is searched."""
_BGE: Final = Recipe(
    "bidirectional", "cls", query="Represent this sentence for searching relevant passages: ", tokens=512
)

register("encoders", "gte-qwen2-7b", title="gte-Qwen2 7B", help="the paper's; 3,584 numbers; Apache-2.0",
         modality="text", order=20)(
    SentencePreset("Alibaba-NLP/gte-Qwen2-7B-instruct", "Apache-2.0", _GTE_QWEN)
)  # fmt: skip
register("encoders", "gte-qwen2-1.5b", title="gte-Qwen2 1.5B", help="1,536 numbers; Apache-2.0",
         modality="text", order=21)(
    SentencePreset("Alibaba-NLP/gte-Qwen2-1.5B-instruct", "Apache-2.0", _GTE_QWEN)
)  # fmt: skip
register("encoders", "minilm", title="MiniLM", help="384 numbers; Apache-2.0", modality="text", order=22)(
    SentencePreset("sentence-transformers/all-MiniLM-L6-v2", "Apache-2.0", _MEAN)
)
register("encoders", "mpnet", title="MPNet", help="768 numbers; Apache-2.0", modality="text", order=23)(
    SentencePreset("sentence-transformers/all-mpnet-base-v2", "Apache-2.0", _MEAN)
)
register("encoders", "e5", title="E5", help="768 numbers; MIT", modality="text", order=24)(
    SentencePreset("intfloat/e5-base-v2", "MIT", _E5)
)
register("encoders", "multilingual-e5", title="Multilingual E5", help="1,024 numbers; MIT", modality="text", order=25)(
    SentencePreset("intfloat/multilingual-e5-large", "MIT", _E5)
)
register("encoders", "bge", title="BGE", help="768 numbers; MIT", modality="text", order=26)(
    SentencePreset("BAAI/bge-base-en-v1.5", "MIT", _BGE)
)
register("encoders", "gte", title="GTE", help="768 numbers; MIT", modality="text", order=27)(
    SentencePreset("thenlper/gte-base", "MIT", _MEAN)
)
