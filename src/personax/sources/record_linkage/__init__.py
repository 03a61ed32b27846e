"""Record linkage: one person across sources. ``_comparison`` scores two records, ``_link`` links, ``_merge`` merges."""

from personax.sources.record_linkage._link import Linkage, link
from personax.sources.record_linkage._merge import LinkedRecords, link_and_merge, merge

__all__ = ["Linkage", "LinkedRecords", "link", "link_and_merge", "merge"]
