"""What every room needs to know of data: text as it can be compared, edges of graphs.

- ``text``: the one fold of the house, further spellings of a text, transliteration
- ``table``: people and what their columns mean, as one thing
- ``edges``: the one table of the kinds of edges: ends, signs, words, how others' formats write them
"""

from personax.data.text import fold, spellings, tidy, transliterate, words

__all__ = ["fold", "spellings", "tidy", "transliterate", "words"]
