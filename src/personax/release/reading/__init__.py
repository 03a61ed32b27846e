"""Reading a release: our own layout, published ones, and others with a mapping; from a folder or a hub.

A map, each line using the ones above it:

- ``layouts``: what columns of known layouts are; ``placing``: what every column found is taken for
- ``released``: what a reader gets; vectors are read when asked for
- ``ours``: a folder that personax has built; ``foreign``: tables of another layout
- ``hub``: a snapshot from a hub; ``load``: the one door
- ``proposing``: a mapping to start from, and what cannot be read
"""

from personax.release.reading._known_layouts import SCORE
from personax.release.reading._load import load_release, open_release
from personax.release.reading._mapping_proposal import MappingProposal, propose_mapping
from personax.release.reading._released import Released

__all__ = ["SCORE", "MappingProposal", "Released", "load_release", "open_release", "propose_mapping"]
