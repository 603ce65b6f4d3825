"""A Ray of our own: who listens, who is answered, what it takes from the user's environment."""

import http.client
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
import ray
from ray._private import worker as ray_worker
from ray._private.runtime_env import uv_runtime_env_hook

from benchmark.sweep.driver.cluster import Cluster, require_reachable
from benchmark.sweep.resources import Resources, count_cores
from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class Listener:
    """A TCP port of this process or of a descendant, that waits for connections."""

    process: str
    address: str
    port: int

    @property
    def local(self) -> bool:
        return ip_address(self.address).is_loopback


@dataclass(frozen=True)
class Started:
    """What was seen while a cluster was up."""

    listeners: list[Listener]
    answers: dict[Listener, int | None]
    token_mode: int
    folder_of_worker: str
    slots: int
    home: Path


def answer_to_stranger(listener: Listener) -> int | None:
    """The status of an HTTP request without a token; None where no HTTP is spoken."""
    host = "127.0.0.1" if listener.address in ("::", "0.0.0.0") else listener.address
    connection = http.client.HTTPConnection(host, listener.port, timeout=3)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        with Cluster(None, Resources()) as cluster:

            @ray.remote
            def where() -> str:
                return str(Path.cwd())

            folder = str(ray.get(where.remote()))
            mode = stat.S_IMODE((cluster.folder / "token").stat().st_mode)
            me = psutil.Process()
            listeners = []
            for process in (me, *me.children(recursive=True)):
                for found in process.net_connections("inet"):
                    if found.status == psutil.CONN_LISTEN:
                        name = " ".join(process.cmdline())
                        listeners.append(Listener(name, found.laddr.ip, found.laddr.port))
            answers = {each: answer_to_stranger(each) for each in listeners}
            yield Started(listeners, answers, mode, folder, cluster.slots, home)


@pytest.mark.ray
@pytest.mark.slow
def test_a_stranger_on_the_network_gets_no_answer(started: Started) -> None:
    """Ray listens on every interface; whoever asks without the token is refused."""
    assert len(started.listeners) >= 4
    for listener, status in started.answers.items():
        if not listener.local:
            assert status in (None, 401, 403), listener


@pytest.mark.ray
@pytest.mark.slow
def test_no_dashboard_listens_and_metrics_are_on_loopback_alone(started: Started) -> None:
    assert len(started.listeners) >= 4
    for listener in started.listeners:
        assert "dashboard.py" not in listener.process
        if "monitor.py" in listener.process:
            assert listener.local, listener


@pytest.mark.ray
@pytest.mark.slow
def test_the_token_is_ours_alone_and_nothing_is_written_at_home(started: Started) -> None:
    assert started.token_mode == 0o600
    assert list(started.home.iterdir()) == []


@pytest.mark.ray
@pytest.mark.slow
def test_relative_paths_mean_the_same_in_workers(started: Started) -> None:
    assert started.folder_of_worker == str(Path.cwd())


@pytest.mark.ray
@pytest.mark.slow
def test_as_many_shards_as_cores_that_we_may_use(started: Started) -> None:
    assert started.slots == count_cores()


@pytest.mark.ray
@pytest.mark.slow
def test_a_start_that_fails_is_a_sentence_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("the node timed out\nlong advice")

    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t") as place:
        monkeypatch.setattr(tempfile, "tempdir", place)
        monkeypatch.setattr(ray, "init", fail)
        before = dict(os.environ)
        with (
            pytest.raises(InvalidInput, match=r"Ray could not be started \(the node timed out\);"),
            Cluster(1, Resources()),
        ):
            pass
        assert list(Path(place).iterdir()) == []
        assert os.environ.get("TMPDIR") == before.get("TMPDIR")
        assert os.environ.get("RAY_AUTH_TOKEN_PATH") == before.get("RAY_AUTH_TOKEN_PATH")


def test_uv_run_sends_no_folder_to_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray asks its parents' command lines for ``uv run``, and packs the folder that it finds."""
    sent: list[object] = []

    def note(**_: object) -> None:
        sent.append(ray_worker._maybe_modify_runtime_env({}, False))

    monkeypatch.setattr(uv_runtime_env_hook, "_get_uv_run_cmdline", lambda: ["uv", "run", "x.py"])
    monkeypatch.setattr(ray, "init", note)
    note()
    for joined in (False, True):
        cluster = Cluster(1, Resources())
        cluster.folder = tmp_path
        cluster.connect("auto" if joined else "local", joined)
    assert sent[0] != {}
    assert sent[1:] == [{}, {}]


def test_cores_are_those_that_this_process_may_run_on() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert count_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert count_cores() == len(allowed)


def test_an_address_of_version_6_keeps_no_brackets() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        require_reachable(f"[::1]:{server.getsockname()[1]}")
    for address in ("[::1]:1", "localhost:99999999999", "nowhere", "http://127.0.0.1:1"):
        with pytest.raises(InvalidInput, match="nothing answers at RAY_ADDRESS="):
            require_reachable(address)
