"""release: what may leave, in a folder of its own, transformed under a key that stays."""

from __future__ import annotations

from collections.abc import Sequence

from personax.errors import InputError, StudyError
from personax.plan import Plan
from personax.plan.release import Release
from personax.release import Alike, Gate, Key, KeyFolder, Noise, Settings, build, load_or_make_key
from personax.release.decide import Leave
from personax.release.packaging import PublisherFacts
from personax.stages.base import Context, Reader, Stage
from personax.stages.released import contents_of
from personax.store import StudyFolder

__all__ = ["RELEASE", "key_of", "keys_of", "settings_of"]

_FOLDER = "release"


def _reads(plan: Plan) -> Sequence[str]:
    return [plan.release.removed] if plan.release is not None and plan.release.removed is not None else []


def _run(context: Context) -> None:
    """Build what may leave: no names, texts or images; the table protected, embeddings under a key; attacked."""
    _refuse_strangers(context.folder)
    contents = contents_of(context)
    settings = settings_of(context)
    context.notices.extend(
        build(
            contents,
            context.out.root / _FOLDER,
            key=key_of(context),
            keys=keys_of(context.folder),
            settings=settings,
            study=context.folder.root,
            rng=context.rng,
            progress=context.progress,
        )
    )
    context.counts["people"] = contents.people.height - len(settings.removed & set(contents.people["id"]))


def keys_of(folder: StudyFolder) -> KeyFolder:
    """Return where the key of a study lies."""
    return KeyFolder(folder.path("keys"))


def key_of(reader: Reader) -> Key:
    """Return the key of a study; a new one where it has none."""
    folder = reader.folder
    return load_or_make_key(keys_of(folder).key, study=reader.plan.name, release=folder.path(_FOLDER))


def settings_of(reader: Reader) -> Settings:
    """Return what the plan asks of the release."""
    section = reader.plan.release
    assert section is not None
    said = section.publisher
    publisher = PublisherFacts(
        licence=said.licence, title=said.title, authors=tuple(said.authors), contact=said.contact,
        homepage=said.homepage, language=tuple(said.language), purpose=said.purpose, funding=said.funding,
        ethics=said.ethics, consent=said.consent,
    )  # fmt: skip
    return Settings(
        removed=_removed(reader, section),
        columns={name: Leave(one.leaves, one.risk) for name, one in section.columns.items()},
        withheld=section.withheld,
        rare_below=section.rare_below,
        birth_band=section.birth_band,
        indices=section.categories == "indices",
        alike=Alike(**section.anonymity.model_dump()) if section.anonymity else None,
        noise=_noise(section),
        allowed=section.allowed,
        transform=section.transform,
        attack=section.audit,
        gate=Gate(**section.gate.model_dump()),
        publisher=publisher,
        description=said.description,
        version=said.version,
        date=said.date,
        shard_bytes=section.shard_mb * 2**20,
    )


def _noise(section: Release) -> Noise | None:
    asked = section.noise
    if asked is None:
        return None
    return Noise(asked.epsilon, asked.delta, asked.numbers, asked.categories, asked.vectors)


def _removed(reader: Reader, section: Release) -> frozenset[str]:
    """Read the removal list: an id a line; empty lines and what follows a # say nothing."""
    if section.removed is None:
        return frozenset()
    path = reader.outside(section.removed)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"the removal list {path} is missing; write one id a line, or an empty file") from None
    except UnicodeDecodeError:
        raise InputError(f"the removal list {path} is no text in UTF-8; write one id a line") from None
    return frozenset(line.partition("#")[0].strip() for line in lines) - {""}


def _refuse_strangers(folder: StudyFolder) -> None:
    """Refuse to build where files lie that this study did not write: they would leave with the release."""
    old = folder.manifest(_FOLDER)
    own = set(old.outputs) if old else set()
    place = folder.path(_FOLDER)
    found = [path.relative_to(folder.root).as_posix() for path in sorted(place.rglob("*")) if not path.is_dir()]
    strangers = [name for name in found if name not in own]
    if strangers:
        more = f" and {len(strangers) - 1} more files" if len(strangers) > 1 else ""
        raise StudyError(f"{place} holds {strangers[0]}{more}, which this study did not write; move them out of it")


RELEASE = Stage(_FOLDER, revision=4, needs=("collect", "annotate", "embed"), run=_run, titled=True, reads=_reads)
