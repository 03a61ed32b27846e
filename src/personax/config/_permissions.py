"""What a plan needs beyond its own folder: hosts, environment variables, files, packages, and what is sent where.

The list derives from the marks on the settings (`personax.strict.Access`) that the stages read, so that a setting which
is obeyed is a setting which is listed. `tests/test_trust.py` walks all sections and fails for one that has no mark.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel

from personax import registry
from personax.config._annotate import AnnotateLLM
from personax.config._plan import Plan
from personax.http import is_loopback
from personax.sources import CollectSeveral, WebSource
from personax.strict import Access
from personax.traits.llms import Model

__all__ = ["KEY_NAME", "Permissions", "access_marks", "permissions"]

HUB: Final = "the hub of models and data sets (HF_ENDPOINT)"

_PROVIDERS: Final = (
    "ANTHROPIC AZURE_OPENAI CEREBRAS COHERE DASHSCOPE DEEPINFRA DEEPSEEK FIREWORKS GEMINI GROQ LITELLM MISTRAL "
    "MOONSHOT NOVITA NVIDIA OPENAI OPENROUTER PERPLEXITY SAMBANOVA TOGETHER VLLM XAI ZHIPU"
)
KEY_NAME: Final = re.compile(rf"PERSONAX_[A-Z0-9_]+|({'|'.join(_PROVIDERS.split())})_API_KEY")
"""Variables whose value a study may send where it says; any other has to be named by who trusts the study."""

_HUB_NAME: Final = re.compile(r"\w[\w.-]*/[\w.-]+")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHOWN: Final = 200
"""Characters of a value that a line repeats."""


@dataclass(frozen=True)
class Permissions:
    """What a study needs beyond its own folder; each entry is a line that a person can judge.

    Parameters
    ----------
    hosts
        That get requests; those of this machine itself are left out.
    variables
        Environment variables that are read, by name.
    files
        Files and folders outside the study's folder, absolute.
    packages
        Of others, whose code runs because the plan names a part of theirs.
    sends
        What goes to which host.
    """

    hosts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()

    @property
    def unusual_variables(self) -> tuple[str, ...]:
        """Names that are not those of keys for language models (`KEY_NAME`)."""
        return tuple(name for name in self.variables if not KEY_NAME.fullmatch(name))

    def lines(self) -> list[str]:
        """Return one line a permission; none for a study that keeps to itself.

        Examples
        --------
        >>> Permissions(hosts=("api.example.org",), variables=("AWS_SECRET_ACCESS_KEY",)).lines()
        ['host api.example.org', 'variable AWS_SECRET_ACCESS_KEY (not the name of a key for language models)']
        """
        unusual = set(self.unusual_variables)
        return [
            *(f"host {host}" for host in self.hosts),
            *(
                f"variable {name}" + (" (not the name of a key for language models)" if name in unusual else "")
                for name in self.variables
            ),
            *(f"file {path}" for path in self.files),
            *(f"package {name}" for name in self.packages),
            *(f"sends {text}" for text in self.sends),
        ]

    @property
    def digest(self) -> str:
        """SHA-256 of the lines: whoever trusted these has trusted no others."""
        return hashlib.sha256("\n".join(self.lines()).encode("utf-8", "surrogatepass")).hexdigest()


def access_marks(annotation: Any, metadata: Sequence[Any] = ()) -> list[Access]:  # noqa: ANN401 - a type
    """Return the marks of a field, wherever in its type they stand; those of blocks within it are theirs."""
    marks = [mark for mark in (*metadata, *getattr(annotation, "__metadata__", ())) if isinstance(mark, Access)]
    for inner in get_args(annotation):
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)) and not isinstance(inner, Access):
            marks += access_marks(inner)
    return list(dict.fromkeys(marks))


def _marked(block: BaseModel) -> Iterator[tuple[Access, str]]:
    """Yield every value of a block, and of the blocks in it, that carries a mark."""
    for name, field in type(block).model_fields.items():
        marks = access_marks(field.annotation, field.metadata)
        for value in _leaves(getattr(block, name)):
            if isinstance(value, BaseModel):
                yield from _marked(value)
            elif isinstance(value, str):
                yield from ((mark, value) for mark in marks if value not in mark.words)


def _leaves(value: object) -> Iterator[object]:
    """Yield the values of lists and mappings, at any depth."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def permissions(plan: Plan, base: Path, folder: Path) -> Permissions:
    """Return what a plan needs beyond its own folder.

    Parameters
    ----------
    plan
        The whole plan.
    base
        Folder of the study file, from which its paths start; what lies in it, but for hidden files, is the study's own.
    folder
        The study folder.
    """
    hosts, variables, files, sends = set[str](), set[str](), set[str](), set[str]()
    for mark, value in _marked(plan):
        match mark.kind:
            case "url":
                hosts.add(_host(value))
            case "host" if _wants_pictures(plan):
                hosts.add(_host(value) if "://" in value else value.lower())
            case "path":
                files.add(_outside(base / value, base, folder))
            case "variable":
                variables.add(value)
            case "template":
                variables.update(_VARIABLE.findall(value))
            case "hub":
                found = _hub(value, base, folder)
                (sends if found.startswith("the name") else files).add(found)
    hosts |= {host for source in _web_sources(plan) for host in source}
    sends |= set(_sends(plan))
    hosts |= {HUB} if any(text.startswith("the name") for text in sends) else set()
    return Permissions(
        tuple(sorted(_short(host) for host in hosts if not is_loopback(host))), tuple(sorted(variables)),
        tuple(sorted(files - {""})), tuple(_packages(plan)), tuple(sorted(sends)),
    )  # fmt: skip


def _host(url: str) -> str:
    """Return host and port of an address; of one that cannot be read, the address."""
    try:
        return urlsplit(url).netloc.lower() or url
    except ValueError:
        return url


def _short(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return printable if len(printable) <= _SHOWN else f"{printable[:_SHOWN]} ..."


def _outside(path: Path, base: Path, folder: Path) -> str:
    """Return the absolute path of what lies outside the study's folders; nothing for what lies inside.

    Links are followed: one within the folder that leads out of it is outside. A hidden file or folder beside the study
    file is outside too: a study file saved in somebody's home folder owns no ``.ssh``.
    """
    try:
        place = path.resolve()
    except (OSError, RuntimeError, ValueError):
        return _short(str(path))
    for root in (base.resolve(), folder.resolve()):
        if place.is_relative_to(root) and not any(part.startswith(".") for part in place.relative_to(root).parts):
            return ""
    return _short(str(place))


def _hub(value: str, base: Path, folder: Path) -> str:
    """Return what a model or data set needs: a folder of this machine, or a download."""
    if Path(value).is_dir():
        return _outside(Path(value), base, folder)
    if value in registry.names("encoders"):
        part = registry.describe("encoders", value)
        if part.package != "personax" or part.module.endswith("._offline"):
            return ""  # code of a package, which is told as such; or no files at all
    elif (base / value).exists() or not _HUB_NAME.fullmatch(value):
        return _outside(base / value, base, folder)
    return f"the name of {_short(value)} to {HUB}, which gives its files"


def _wants_pictures(plan: Plan) -> bool:
    return isinstance(plan.collect, CollectSeveral) and plan.collect.pictures is not None


def _web_sources(plan: Plan) -> Iterator[set[str]]:
    """Yield the hosts that each source of the web says it asks."""
    if isinstance(plan.collect, CollectSeveral):
        for _, source in plan.collect.named():
            yield set(getattr(source.settings, "hosts", ())) if isinstance(source, WebSource) else set()
            if getattr(source, "wikidata", False) and not getattr(source, "extract", None):
                wikidata = registry.get("sources", "wikidata")
                yield {*wikidata.live_hosts, *(wikidata.commons_hosts if _wants_pictures(plan) else ())}


def _sends(plan: Plan) -> Iterator[str]:
    """Yield what is sent where, a sentence each."""
    if isinstance(plan.annotate, AnnotateLLM):
        yield from _asked_of_models(plan.annotate)
    if isinstance(plan.collect, CollectSeveral):
        contact = _short(plan.collect.contact or "no contact")
        for name, source in plan.collect.named():
            if isinstance(source, WebSource):
                key = getattr(source.settings, "key", None)
                if not key and all(is_loopback(host) for host in getattr(source.settings, "hosts", ("",))):
                    continue  # a site of this machine
                keyed = f", the value of {key} as its key" if key else ""
                yield f"requests for people to the hosts of {source.name}: the contact {contact}{keyed}"
            elif getattr(source, "wikidata", False) and not getattr(source, "extract", None):
                yield f"the names of the people of {_short(name)} to Wikidata, with the contact {contact}"


def _asked_of_models(section: AnnotateLLM) -> Iterator[str]:
    judge = [section.judge] if isinstance(section.judge, Model) else []
    fields = [*section.prompt.fields, *(section.audit.fields if section.audit else ())]
    pictures = " and the picture" if section.prompt.picture else ""
    hidden = ", names hidden" if section.prompt.hide_name else ""
    for model in (one for one in [*section.models, *judge] if one.base_url):
        host = _host(model.base_url)
        if not is_loopback(host):
            what = f"the columns {', '.join(map(_short, fields))}{pictures} of each person{hidden}"
            keyed = f", the value of {model.key} as its key" if model.key else ""
            yield f"{what} to {_short(host)}{keyed}"
        elif model.key:
            yield f"the value of {model.key} as a key to {_short(host)}, which is this machine"


def _packages(plan: Plan) -> list[str]:
    """Return the packages of others whose parts a plan names; any word of it that is the name of a part counts."""
    words = set(_words(plan.model_dump(mode="json", exclude_defaults=False)))
    found = {
        f"{part.package} (its {registry.KINDS[kind][0]} {part.name})"
        for kind in registry.KINDS
        for part in (registry.describe(kind, name) for name in registry.names(kind) if name in words)
        if part.package != "personax"
    }
    return sorted(found)


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from (str(key), *_words(one))
    elif isinstance(value, Sequence):
        for one in value:
            yield from _words(one)
