"""The glue: one thin file a stage reads the study folder, calls the library, writes the study folder."""

from personax.stages.annotate import ANNOTATE
from personax.stages.base import Stage
from personax.stages.collect import COLLECT
from personax.stages.crl import CRL
from personax.stages.discover import DISCOVER
from personax.stages.embed import EMBED
from personax.stages.independence import INDEPENDENCE
from personax.stages.release import RELEASE
from personax.stages.report import REPORT

__all__ = ["STAGES"]

STAGES: tuple[Stage, ...] = (COLLECT, ANNOTATE, EMBED, RELEASE, INDEPENDENCE, CRL, DISCOVER, REPORT)
"""All stages, in the order in which they run."""
