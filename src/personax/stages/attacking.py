"""Attack the release of a study as it lies in its folder, with as many people as are asked for."""

from __future__ import annotations

from personax.errors import StudyError
from personax.progress import Progress
from personax.release import load_key
from personax.release.examine import Examined, examine
from personax.release.protect import protect
from personax.stages.base import Reader, stage_rng
from personax.stages.reducing import without_noise
from personax.stages.release import keys_of, settings_of
from personax.stages.released import contents_of

__all__ = ["attacked"]


def attacked(reader: Reader, *, people: int, progress: Progress) -> Examined:
    """Run all attacks on ``release/``.

    Parameters
    ----------
    people
        At most so many are attacked, at random.

    Raises
    ------
    StudyError
        The study has no release, or it is not of its present data.
    """
    place = reader.folder.path("release")
    if not (place / "transforms.json").is_file():
        raise StudyError(f"there is no release in {place}; personax release build makes it")
    settings, keys = settings_of(reader), keys_of(reader.folder)
    key = load_key(keys.key)
    contents = contents_of(reader).classified().without(settings.removed)
    progress.stage("release audit")
    known = without_noise(reader, contents, key)
    return examine(
        place, known, protect(contents, settings, key), key, transform=settings.transform, fitted=keys.fitted,
        gate=settings.gate, people=people, rng=stage_rng(reader.plan.seed, "release"), progress=progress,
    )  # fmt: skip
