"""A Ray cluster of three nodes: the same bytes, whoever is killed; one sentence for what cannot be."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engine import units
from tests.engine.rooms import results
from tests.engine.test_orphans import ROOT, alive, children, until
from tests.processes import start

from personax.engine import RayEngine, ThreadEngine
from personax.errors import InputError

ray = pytest.importorskip("ray", reason="the extra ray is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")]

DRIVER = """
import sys
import numpy as np
from personax.engine import RayEngine
from tests.engine.units import slow
for place, (item, pid) in RayEngine(sys.argv[1]).map(slow, range(200), shared=sys.argv[2]):
    print(pid, flush=True)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Begin three nodes of one CPU; their workers find the tests by PYTHONPATH."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.delenv("RAY_ADDRESS", raising=False)
        node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
        made = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
        try:
            made.add_node(num_cpus=1, object_store_memory=80 * 2**20)
            made.add_node(num_cpus=1, object_store_memory=80 * 2**20)
            yield made
        finally:
            ray.shutdown()
            made.shutdown()
    assert until(lambda: not daemons(), 20)


def daemons() -> set[int]:
    """Return what Ray began for this process and still runs."""
    named = set()
    for pid in children(os.getpid()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if re.search(rb"raylet|gcs_server|ray::", command):
            named.add(pid)
    return named


def test_every_room_gives_the_same_bytes(cluster: Any) -> None:
    engine = RayEngine(cluster.address)
    assert engine.workers == 3
    assert results(engine) == results(ThreadEngine(1))


def killing(marks: Path, count: int) -> threading.Thread:
    """Kill workers while they work, as their marks tell who they are."""

    def kill() -> None:
        killed: set[int] = set()
        while len(killed) < count:
            pids = {int(mark.name.partition("-")[2]) for mark in marks.iterdir()} - killed
            for pid in list(pids)[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            time.sleep(0.4)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(cluster: Any, tmp_path: Path) -> None:
    thread = killing(tmp_path, 3)
    found = list(RayEngine(cluster.address).map(units.slow, range(30), shared=str(tmp_path)))
    thread.join()
    assert sorted(place for place, _ in found) == list(range(30))
    assert all(place == item for place, (item, _) in found)
    tried = [int(mark.name.partition("-")[0]) for mark in tmp_path.iterdir()]
    assert len(tried) > 30, "an item was begun again"


def test_a_node_that_is_killed_loses_nothing(cluster: Any) -> None:
    node = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    shared = {"x": np.random.default_rng(0).normal(size=(4000, 300))}
    engine = RayEngine(cluster.address, workers=4)
    children_ = np.random.default_rng(1).spawn(60)
    found = dict[int, bytes]()
    for place, result in engine.map(units.drawn, children_, shared=shared):
        assert place not in found
        found[place] = result
        if len(found) == 10:
            cluster.remove_node(node, allow_graceful=False)
    again = np.random.default_rng(1).spawn(60)
    assert found == dict(ThreadEngine(1).map(units.drawn, again, shared=shared))


def test_a_driver_that_is_killed_leaves_no_worker(cluster: Any, tmp_path: Path) -> None:
    script, marks = tmp_path / "driver.py", tmp_path / "marks"
    script.write_text(DRIVER)
    marks.mkdir()
    command = [sys.executable, str(script), cluster.address, str(marks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = {int(process.stdout.readline()) for _ in range(6)}
        process.kill()
    assert until(lambda: not alive(pids), 10)


def test_what_a_node_lacks_is_one_sentence(cluster: Any) -> None:
    with pytest.raises(InputError, match="the nodes of the cluster lack the module no_such_plugin_of_anybody"):
        list(RayEngine(cluster.address).map(units.lacking, [1], shared=None))


ASKED = """
import json
import time
from pathlib import Path
from tests.cli.program import personax
told = []
for address in sys.argv[2:]:
    began = time.monotonic()
    done = personax("discover", "t.csv", "--bootstraps", "4", "--engine", f"ray={address}")
    told.append([time.monotonic() - began, done.returncode, done.stderr])
Path(sys.argv[1]).write_text(json.dumps(told))
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{a:.3f},{b:.3f}" for a, b in rng.normal(size=(60, 2)))
    (tmp_path / "t.csv").write_text(f"a,b\n{rows}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_cluster_is_one_sentence(here: Path) -> None:
    """In a process of its own: this one has joined a cluster."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # something listens there that is no cluster
        says = {
            "127.0.0.1:1": "no Ray cluster answers at 127.0.0.1:1 (Connection refused)",
            f"127.0.0.1:{deaf.getsockname()[1]}": "does not answer as a Ray cluster within",
            "nonsense": "'nonsense' is no address of a Ray cluster; give HOST:PORT",
            "": "no Ray cluster is named: set RAY_ADDRESS",
        }
        process = start(ASKED, here / "told.json", *says)
        process.join(180)
    told = json.loads((here / "told.json").read_text())
    for wanted, (seconds, code, stderr) in zip(says.values(), told, strict=True):
        assert code == 1, stderr
        errors = [line for line in stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, stderr
        assert wanted in errors[0]
        assert seconds < 30, "CPU shared with other work; 15 s on an idle machine"


GUARDED = """
import sys
from ray.cluster_utils import Cluster
made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False,
                                                     "object_store_memory": 80 * 2**20})
print(made.address, flush=True)
sys.stdin.read()
made.shutdown()
"""

JOIN = """
import sys
import ray
if sys.argv[2:]:
    ray.__version__ = sys.argv[2]
from personax.engine import RayEngine
from personax.errors import InputError
try:
    RayEngine(sys.argv[1])
    print("joined")
except InputError as error:
    print("error:", error)
"""


def join(address: str, *words: str, **environ: str) -> str:
    """Return what a process says that joins a cluster."""
    command = [sys.executable, "-c", JOIN, address, *words]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    began = time.monotonic()
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=clean | environ, timeout=60)
    assert time.monotonic() - began < 40, "CPU shared with other work; 15 s on an idle machine"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.strip()


def test_another_version_of_ray_is_one_sentence(cluster: Any) -> None:
    says = join(cluster.address, "1.2.3")
    assert says.startswith(f"error: the Ray cluster at {cluster.address} has other versions (Ray: {ray.__version__}")
    assert "\n" not in says


def test_a_missing_or_wrong_token_is_one_sentence(tmp_path: Path) -> None:
    right, wrong = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": right, "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, "-c", GUARDED]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | secret
    ) as guarded:
        assert guarded.stdout is not None
        address = guarded.stdout.readline().strip()
        home = {"HOME": str(tmp_path)}  # nobody's own token
        no_token = join(address, **home)
        lost_token = join(address, **home, RAY_AUTH_MODE="token")
        bad_token = join(address, **home, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=wrong)
        good = join(address, **home, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=right)
        guarded.communicate("", timeout=60)
    for says in (no_token, lost_token, bad_token):
        assert says.startswith(f"error: the Ray cluster at {address} asks for a token; set RAY_AUTH_MODE=token"), says
        assert wrong not in says
    assert good == "joined"
