"""One way to run for everybody: property tests draw the same examples every time and are never timed.

``make test`` draws 50 examples a property; ``HYPOTHESIS_PROFILE=thorough`` draws 1,000 others at every run.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import settings

from personax.errors import MissingExtraError

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

HAS_TORCH = find_spec("torch") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip a test that comes to an extra which is not installed: where torch is not, its tests are not meant to run."""
    try:
        return (yield)
    except MissingExtraError as error:
        if HAS_TORCH:
            raise
        pytest.skip(str(error))
