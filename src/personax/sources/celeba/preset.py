"""Which of CelebA's attributes belong to a person, and which to a picture."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["STABLE", "TRANSIENT"]

STABLE = (
    *("Arched_Eyebrows", "Big_Nose", "Pointy_Nose", "Bushy_Eyebrows", "Big_Lips", "Oval_Face", "Chubby", "Double_Chin"),
    *("Receding_Hairline", "Narrow_Eyes", "High_Cheekbones"),
)
"""The eleven attributes of the face that PersonaX analyses."""

_WORN = "worn that day"
_GROOMED = "grooming: it changes within weeks"
_HAIR = "hair is dyed, cut and styled"
_MOMENT = "an expression of the moment"
_AGE = "it changes with age, and photographs of one identity span decades"
_PHOTO = "it says something of the photograph"

TRANSIENT: Mapping[str, str] = {
    "5_o_Clock_Shadow": _GROOMED,
    "Attractive": "a judgement of whoever labelled the picture",
    "Bags_Under_Eyes": "it changes from day to day, and with the light",
    "Bald": _AGE,
    "Bangs": _HAIR,
    "Black_Hair": _HAIR,
    "Blond_Hair": _HAIR,
    "Blurry": _PHOTO,
    "Brown_Hair": _HAIR,
    "Eyeglasses": _WORN,
    "Goatee": _GROOMED,
    "Gray_Hair": _AGE,
    "Heavy_Makeup": _WORN,
    "Male": "no attribute of the face; Wikidata states the gender",
    "Mouth_Slightly_Open": _MOMENT,
    "Mustache": _GROOMED,
    "No_Beard": _GROOMED,
    "Pale_Skin": _PHOTO,
    "Rosy_Cheeks": _WORN,
    "Sideburns": _GROOMED,
    "Smiling": _MOMENT,
    "Straight_Hair": _HAIR,
    "Wavy_Hair": _HAIR,
    "Wearing_Earrings": _WORN,
    "Wearing_Hat": _WORN,
    "Wearing_Lipstick": _WORN,
    "Wearing_Necklace": _WORN,
    "Wearing_Necktie": _WORN,
    "Young": _AGE,
}
"""The other twenty-nine -> why they are no property of a person."""
