"""The causal model of the invented people. This table is the only place where it is written down."""

from __future__ import annotations

from personax.simulate.scm import SCM, Variable

__all__ = ["MODEL", "TRAIT_OF"]

MODEL = SCM(
    [
        # biography that nothing else causes; month and day of birth cause nothing: true nulls
        Variable("region", "biography"),
        Variable("gender", "biography"),
        Variable("birth_year", "biography"),
        Variable("birth_month", "biography"),
        Variable("birth_day", "biography"),
        Variable("height", "biography", {"gender": 0.7}, noise=0.7),
        Variable("weight", "biography", {"height": 0.8}, noise=0.6),
        # shared by texts and faces
        Variable("culture", "shared", {"region": 0.8}, noise=0.6),
        Variable("mindset", "shared", {"birth_year": -0.5}, noise=0.8),
        # what texts are about
        Variable("confidence", "text", {"mindset": 0.8}, "saturating", noise=0.5),
        Variable("emotional_stability", "text", {"confidence": 0.7}, "bent", noise=0.6),
        Variable("warmth", "text", {"culture": 0.7}, "saturating", noise=0.6),
        # what faces show; the chain confidence -> facial expression crosses the modalities
        Variable("skin_tone", "image", {"region": 0.8}, noise=0.5),
        Variable("attractiveness", "image", {"birth_year": 0.4}, noise=0.9),
        Variable("facial_expression", "image", {"confidence": 0.9}, "saturating", noise=0.5),
        # what people do for a living
        Variable("occupation", "biography", {"mindset": 0.6, "confidence": 0.4}, noise=0.6),
        # the five traits
        Variable("openness_trait", "trait", {"culture": 0.5, "mindset": 0.4}, noise=0.7),
        Variable("conscientiousness_trait", "trait", {"mindset": 0.7, "occupation": 0.3}, noise=0.6),
        Variable("extraversion_trait", "trait", {"confidence": 0.6, "facial_expression": 0.4}, noise=0.5),
        Variable("agreeableness_trait", "trait", {"warmth": 0.7, "gender": -0.4}, noise=0.6),
        Variable("neuroticism_trait", "trait", {"emotional_stability": -0.8}, noise=0.5),
    ]
)
"""Nothing on a face but its expression causes a trait: that is a choice about these people, not a finding."""

TRAIT_OF = {name: name.removesuffix("_trait") for name in MODEL.variables if name.endswith("_trait")}
