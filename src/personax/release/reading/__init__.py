"""Reading a release: our own layout, published ones, and others with a mapping; from a folder or a hub.

- ``_known_layouts``: the columns of known layouts; ``_column_mapping``: the role of every column of another table
- ``_released``: what a reader gets; vectors are read when asked for
- ``_foreign_tables``: tables of another layout, read and joined
- ``_load``: a folder, or a snapshot of a hub; ``_mapping_proposal``: a mapping to start from, and what cannot be read
"""

from personax.release._untrusted_folder import open_folder
from personax.release.reading._known_layouts import SCORE
from personax.release.reading._load import load_release, open_release
from personax.release.reading._mapping_proposal import MappingProposal, propose_mapping
from personax.release.reading._released import Released

__all__ = ["SCORE", "MappingProposal", "Released", "load_release", "open_folder", "open_release", "propose_mapping"]
