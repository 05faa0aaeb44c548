"""A bucket of S3's API that stores nothing; its uploads can be refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from gateway.dev.ports import LOOPBACK

_EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
_EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>"


class Bucket(ThreadingHTTPServer):
    """The server."""

    daemon_threads = True
    is_refusing = False
    refused = 0

    @property
    def url(self) -> str:
        """Return the address for Litestream."""
        endpoint = f"http://{LOOPBACK}:{self.server_port}"
        return f"s3://bucket/data.db?endpoint={endpoint}&forcePathStyle=true"


class _Handler(BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        """List nothing, and accept or refuse anything else."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = _EMPTY if self.command == "GET" else b""
        if self.server.is_refusing:
            body = _EXPIRED
            self.server.refused += 1
        self.send_response(403 if self.server.is_refusing else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        """Answer as for any other request."""
        self.do_GET()

    def do_POST(self) -> None:
        """Answer as for any other request."""
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def open_bucket() -> Iterator[Bucket]:
    """Serve a bucket."""
    with Bucket((LOOPBACK, 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
