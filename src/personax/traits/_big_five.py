"""The Big Five: openness, conscientiousness, extraversion, agreeableness, neuroticism."""

from __future__ import annotations

from personax import registry
from personax.registry import register
from personax.schema import Trait, TraitFramework

__all__ = ["BIG_FIVE", "trait_framework"]


def _trait(name: str, meaning: str, low: str, high: str) -> Trait:
    return Trait(name, name[0], meaning, tuple(low.split()), tuple(high.split()))


# Markers: Goldberg 1992, doi:10.1037/1040-3590.4.1.26; Saucier 1994, doi:10.1207/s15327752jpa6303_8.
BIG_FIVE = register("trait_frameworks", "big_five", title="Big Five", help="five traits, o c e a n", order=0)(
    TraitFramework(
        "big_five",
        (
            _trait(
                "openness",
                "curious, imaginative and open to the new, rather than conventional and routine-bound",
                "conventional uncreative unimaginative unintellectual unintelligent uninquisitive unsophisticated",
                "artistic bright complex creative deep imaginative innovative intellectual introspective philosophical",
            ),
            _trait(
                "conscientiousness",
                "organised, dependable and persistent, rather than careless and impulsive",
                "careless disorganized haphazard inconsistent inefficient negligent sloppy undependable unsystematic",
                "careful conscientious efficient neat organized practical prompt steady systematic thorough",
            ),
            _trait(
                "extraversion",
                "sociable, assertive and energetic, rather than reserved and quiet",
                "bashful inhibited introverted quiet reserved shy timid unadventurous untalkative withdrawn",
                "active assertive bold daring energetic extraverted talkative unrestrained verbal vigorous",
            ),
            _trait(
                "agreeableness",
                "kind, cooperative and trusting, rather than critical and quarrelsome",
                "cold demanding distrustful harsh rude selfish uncharitable uncooperative unkind unsympathetic",
                "agreeable considerate cooperative generous helpful kind pleasant sympathetic trustful warm",
            ),
            _trait(
                "neuroticism",
                "anxious, moody and easily upset, rather than calm and emotionally stable",
                "imperturbable relaxed undemanding unemotional unenvious unexcitable",
                "anxious emotional envious fearful fretful insecure jealous moody nervous temperamental touchy",
            ),
        ),
    )
)


def trait_framework(name: str) -> TraitFramework:
    """Return a registered framework.

    Raises
    ------
    RegistryError
        There is none of this name; the message says which package to install, or names the nearest one.

    Examples
    --------
    >>> trait_framework("big_five").letters["neuroticism"]
    'n'
    """
    framework: TraitFramework = registry.get("trait_frameworks", name)
    return framework
