"""One person across sources: how alike, which evidence, who is linked, and what the joined record holds."""

from personax.sources.record_linkage._link import Linkage, link
from personax.sources.record_linkage._merge import LinkedRecords, link_and_merge, merge

__all__ = ["Linkage", "LinkedRecords", "link", "link_and_merge", "merge"]
