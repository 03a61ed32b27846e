"""What every room needs to know of data: text as it can be compared.

- ``text``: the one fold of the house, further spellings of a text, transliteration
"""

from personax.data.text import fold, spellings, tidy, transliterate, words

__all__ = ["fold", "spellings", "tidy", "transliterate", "words"]
