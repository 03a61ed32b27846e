"""One way to run for everybody: property tests draw the same examples every time and are never timed."""

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
