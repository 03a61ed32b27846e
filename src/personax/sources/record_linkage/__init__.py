"""One person across sources: how alike, which evidence, who is linked, and what the joined record holds."""

from personax.sources.record_linkage._link import Links, link
from personax.sources.record_linkage._merge import United, merge, unite

__all__ = ["Links", "United", "link", "merge", "unite"]
