"""What may leave the study folder, and how little it gives away."""

from personax.release.audit import audit
from personax.release.key import Key, load_or_make_key
from personax.release.orthogonal import invert, transform
from personax.release.package import Contents, build
from personax.release.scan import scan

__all__ = ["Contents", "Key", "audit", "build", "invert", "load_or_make_key", "scan", "transform"]
