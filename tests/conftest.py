"""One way to run for everybody: property tests draw the same examples every time and are never timed.

``make test`` draws 50 examples a property; ``HYPOTHESIS_PROFILE=thorough`` draws 1,000 others at every run.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from personax.errors import MissingExtraError

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so a shell starts what it puts in the background
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

HAS_TORCH = find_spec("torch") is not None


@pytest.fixture(scope="session", autouse=True)
def own_studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The studies of tests are the tests' own, in subprocesses too; `tests/test_trust.py` takes that back."""
    folders = [tmp_path_factory.getbasetemp(), Path(__file__).parents[1]]
    given = {
        "PERSONAX_TRUSTED_FOLDERS": os.pathsep.join(map(str, folders)),
        "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")),
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_disks() -> Iterator[None]:
    """Files are not forced to the disk, 200 times a small study: only a loss of power, no kill, could tell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def _skip_without_extra() -> Iterator[None]:
    """Skip a test that comes to an extra which is not installed: where torch is not, its tests are not meant to run."""
    try:
        return (yield)
    except MissingExtraError as error:
        if HAS_TORCH:
            raise
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """The fixtures of a test too."""
    return (yield from _skip_without_extra())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """The test itself."""
    return (yield from _skip_without_extra())
