"""An object store on this machine that gives every request the same answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class RefusingServer(ThreadingHTTPServer):
    """Answers with a status and the name of an error of S3; a HEAD has no body to name it in."""

    daemon_threads = True

    def __init__(self, status: int, name: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.name = status, name
        self.seen = 0

    def uri(self, folder: str = "bucket/out", keys: str = "") -> str:
        place = f"endpoint_override=127.0.0.1:{self.server_address[1]}"
        return f"s3://{keys}{folder}?{place}&scheme=http&region=us-east-1"

    def handle_error(self, request: object, address: object) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: RefusingServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self) -> None:
        self.server.seen += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = f"<Error><Code>{self.server.name}</Code><Message>refused</Message></Error>"
        body = b"" if self.command == "HEAD" else text.encode()
        self.send_response_only(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer


@contextmanager
def refusing_server(status: int, name: str) -> Iterator[RefusingServer]:
    """In a thread of its own, for as long as the context is open."""
    with RefusingServer(status, name) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
