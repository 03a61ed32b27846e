"""One person across sources: how alike, which evidence, who is linked, and what the joined record holds."""

from personax.sources.linking.link import Links, link
from personax.sources.linking.merge import merge
from personax.sources.linking.unite import United, unite

__all__ = ["Links", "United", "link", "merge", "unite"]
