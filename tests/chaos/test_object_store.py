"""Results on object storage: a real S3-compatible server, and a proxy before it that fails."""

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import environment, rows_of, run_job, wait_until
from support.faulty_proxy import FAULTS, FaultyProxy, faulty_proxy
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit
from support.small_study import ONE_ROUND_UNITS, of_one_round
from support.tally import TALLY

from benchmark import compact, merge, status
from benchmark.report.__main__ import main as report
from benchmark.store.store import Store, StoreUnwritable

pytestmark = [pytest.mark.slow]

UNIT = planted_unit("mlp-2")
KEYS = {
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultyProxy]:
    """The proxy of a server with an empty bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (
        pytest.MonkeyPatch.context() as patch,
        subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as server,
        faulty_proxy(port) as proxy,
    ):
        for name, value in KEYS.items():
            patch.setenv(name, value)
        wait_until(lambda: answers(port))
        yield proxy
        server.kill()


def answers(port: int) -> bool:
    """Whether the server made its bucket."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("PUT", "/bucket")
        return link.getresponse().status == 200
    except OSError:
        return False
    finally:
        link.close()


def uri(proxy: FaultyProxy, name: str) -> str:
    place = f"127.0.0.1:{proxy.server_address[1]}"
    return f"s3://bucket/{name}?endpoint_override={place}&scheme=http&region=us-east-1"


@pytest.fixture
def store(proxy: FaultyProxy, request: pytest.FixtureRequest) -> Iterator[Store]:
    proxy.kinds = FAULTS
    yield Store.open(uri(proxy, re.sub(r"\W", "-", request.node.name)), create=True)
    proxy.every = 0


def test_a_unit_is_one_request(proxy: FaultyProxy, store: Store) -> None:
    before = proxy.seen
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    assert proxy.seen == before + 1
    assert store.verified([UNIT.id]) == {UNIT.id}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_request_that_fails_is_made_again(kind: str, proxy: FaultyProxy, store: Store) -> None:
    proxy.kinds = (kind,)
    proxy.injected.clear()
    proxy.every = 6 if kind == "silence" else 2  # Arrow waits for seconds
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    store.write_manifest(planted_manifest([UNIT]))
    assert store.read([UNIT.id]) is not None
    assert store.quarantined() == 0
    proxy.every = 0
    assert proxy.injected[kind] >= 1
    TALLY.fault(f"object store: {kind}", proxy.injected[kind])


def test_an_outage_is_waited_for(proxy: FaultyProxy, store: Store) -> None:
    """Longer than Arrow's own attempts: each of these fails and is made again by the store."""
    proxy.kinds, proxy.every = ("500",), 1
    begin = time.monotonic()
    threading.Timer(4.0, lambda: setattr(proxy, "every", 0)).start()
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    assert time.monotonic() - begin > 3.5
    assert store.done() == {UNIT.id}
    TALLY.fault("object store: outage")


def test_a_bucket_that_is_not_there_is_a_sentence_at_once(proxy: FaultyProxy, store: Store) -> None:
    nowhere = Store.open(uri(proxy, "x").replace("//bucket/", "//nosuch/"), create=True)
    begin = time.monotonic()
    with pytest.raises(StoreUnwritable, match=r"cannot write nosuch/x/study.json .*--out"):
        nowhere.write_manifest(planted_manifest([]))
    assert time.monotonic() - begin < 5


def test_damage_is_set_aside_there_too(store: Store) -> None:
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    data = store.files.read("units", f"{UNIT.id}.arrow")
    assert data is not None
    store.files.write(f"units/{UNIT.id}.arrow", data[:-1])
    assert store.verified([UNIT.id]) == set()
    assert (store.done(), store.quarantined()) == (set(), 1)
    TALLY.fault("truncated file")


@pytest.mark.ray
def test_a_whole_study_from_job_to_report_while_requests_fail(
    proxy: FaultyProxy,
    tmp_path: Path,
    undisturbed: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    here, there = uri(proxy, "study"), uri(proxy, "merged")
    proxy.kinds = ("500", "503 slow down", "reset")
    proxy.injected.clear()
    proxy.every = 5
    code, said, complained = run_job(here, ONE_ROUND="1", **KEYS)
    assert code == 0, said + complained
    uploads = {path: count for path, count in proxy.puts.items() if "/study/units/" in path}
    assert len(uploads) == ONE_ROUND_UNITS
    assert set(uploads.values()) == {1}
    TALLY.same(rows_of(here), of_one_round(undisturbed))
    assert merge.main([here, "--out", there]) == 0
    assert compact.main([there]) == 0
    assert f"{ONE_ROUND_UNITS} units are one file now" in capsys.readouterr().out
    TALLY.same(rows_of(there), of_one_round(undisturbed))
    assert status.main([there]) == 0
    assert "rungs / grid" in capsys.readouterr().out
    assert report([there, "--out", str(tmp_path / "report")]) == 0
    proxy.every = 0
    assert os.listdir(tmp_path / "report")  # noqa: PTH208 -- any file
    for kind, count in proxy.injected.items():
        assert count >= 5
        TALLY.fault(f"object store: {kind}", count)
