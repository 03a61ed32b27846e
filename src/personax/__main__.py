"""``python -m personax`` is ``personax``."""

from personax.cli import main

main()
