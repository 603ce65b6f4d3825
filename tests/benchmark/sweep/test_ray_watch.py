"""A joined cluster that goes away is noticed at its port, wherever the driver is just then."""

import socket
import time
import weakref
from collections.abc import Callable

import pytest

from benchmark.command import entry_point
from benchmark.sweep.driver import ray_watch
from benchmark.sweep.driver.ray_watch import RayLost, accepts_connections, watch_ray
from search_spaces.errors import InvalidInput


def anywhere() -> None:
    time.sleep(60)


def in_a_weak_reference() -> None:
    """Where Python discards what is raised: it is raised again."""
    referred = {1}
    reference = weakref.ref(referred, lambda _: time.sleep(60))
    del referred
    assert reference() is None
    time.sleep(60)


@pytest.mark.parametrize("wait", [anywhere, in_a_weak_reference])
def test_a_cluster_that_goes_away_is_noticed(
    wait: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(ray_watch, "INTERVAL", 0.01)
    server, told = socket.create_server(("127.0.0.1", 0)), []
    host, port = server.getsockname()

    @entry_point
    def command() -> int:
        try:
            with watch_ray(lambda: accepts_connections(host, port), lambda: told.append(1)) as lost:
                assert not lost.wait(0.1)
                server.close()
                wait()
        except RayLost:
            assert lost.is_set()
            raise InvalidInput("Ray was lost") from None
        return 0

    assert command() == 2
    assert capsys.readouterr().err == "error: Ray was lost\n"
    assert told == [1]
