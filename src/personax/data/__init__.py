"""What every room needs to know of data: text as it can be compared, what columns are called, whom their values tell.

A map, each line using the ones above it:

- ``text``: the one fold of the house, further spellings of a text, transliteration
- ``categories``: values that are sensitive whatever their column is called
- ``vocabulary``: the words that column names are made of, in twenty-seven languages
- ``naming``: the only splitter of column names, and what a name says
- ``values``: what the values of one column look like
- ``following``: columns that follow another column, an id or the order of the rows
- ``identity``: the identity class of every column, with the reason
- ``table``: people and what their columns mean, as one thing
- ``edges``: the one table of the kinds of edges: ends, signs, words, how others' formats write them
- ``pvalues``: the table that `personax.independence.screen` returns, as others read it
- ``arrays``: ids and arrays of vectors as files hold them
- ``labels``: names and numbers as figures and pages write them: traits, tests, shortened names, shares
"""

from personax.data.text import fold, spellings, tidy, transliterate, words

__all__ = ["fold", "spellings", "tidy", "transliterate", "words"]
