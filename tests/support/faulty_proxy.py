"""A proxy in front of an HTTP server on this machine that fails on purpose, and counts."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = ("500", "503 slow down", "reset", "cut", "silence")
SILENCE = 30.0
"""Seconds without an answer: longer than any client waits."""


class FaultyProxy(ThreadingHTTPServer):
    """Passes requests on to ``port``; of every ``every`` requests one meets the next of ``kinds``.

    ``injected`` counts faults by kind, ``puts`` the uploads that succeeded by path.
    """

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = port
        self.every = 0
        self.kinds: tuple[str, ...] = FAULTS
        self.seen = 0
        self.lock = threading.Lock()
        self.injected: Counter[str] = Counter()
        self.puts: Counter[str] = Counter()

    def fault(self) -> str:
        """What is to happen to this request."""
        with self.lock:
            self.seen += 1
            if not self.every or self.seen % self.every:
                return ""
            kind = self.kinds[self.seen // self.every % len(self.kinds)]
            self.injected[kind] += 1
            return kind

    def handle_error(self, request: object, address: object) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def forward(self) -> None:
        body = self.body()
        fault = self.server.fault()
        if fault == "silence":
            time.sleep(SILENCE)
        if fault in ("reset", "silence"):
            self.close_connection = True
            return
        if fault.startswith("5"):
            self.answer(int(fault[:3]), {}, b"<Error><Code>InternalError</Code></Error>")
            return
        link = http.client.HTTPConnection("127.0.0.1", self.server.target)
        unwanted = ("connection", "expect", "transfer-encoding", "content-length")
        headers = {n: value for n, value in self.headers.items() if n.lower() not in unwanted}
        headers["Content-Length"] = str(len(body))
        link.request(self.command, self.path, body, headers)
        reply = link.getresponse()
        data = reply.read()
        link.close()
        if self.command == "PUT" and reply.status == 200:
            with self.server.lock:
                self.server.puts[self.path.partition("?")[0]] += 1
        self.answer(reply.status, dict(reply.getheaders()), data, cut=fault == "cut")

    def body(self) -> bytes:
        """What the client sent, in one piece or in HTTP's chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

    def answer(self, status: int, headers: dict[str, str], data: bytes, cut: bool = False) -> None:
        """A whole answer, or the first half of one."""
        self.send_response_only(status)
        kept = ("connection", "transfer-encoding", "content-length")
        for name, value in headers.items():
            if name.lower() not in kept:
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = self.close_connection or cut


@contextmanager
def faulty_proxy(port: int) -> Iterator[FaultyProxy]:
    """In a thread of its own, for as long as the context is open."""
    with FaultyProxy(port) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()
