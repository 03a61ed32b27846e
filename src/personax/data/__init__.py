"""Tables of people, whoever made them: what columns are called, and whom their values tell.

A map, each line using the ones above it:

- ``vocabulary``: the words that column names are made of, in fourteen languages
- ``naming``: the only splitter of column names, and what a name says
- ``values``: what the values of one column look like
- ``following``: columns that follow another column, an id or the order of the rows
- ``identity``: the identity class of every column, with the reason
"""
