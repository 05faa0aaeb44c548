"""A small HTTP service that notes its effects, and fails as a test asks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any


@dataclass
class FakeService:
    """The service's effects by idempotency key, and its faults."""

    url: str = ""
    #: Path and key of every effect, in order.
    effects: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0
    #: The reason with which it refuses; "" accepts.
    refusal: str = ""
    #: Calls that get 503 without an effect, and calls that have an effect but get no answer.
    failures: int = 0
    lost_answers: int = 0
    #: Cleared, calls hang before they have an effect.
    is_open: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def serve(self, path: str, key: str) -> tuple[int, dict[str, Any]] | None:
        """Return status and body; None for no answer."""
        with self._lock:
            self.calls += 1
            if self.failures:
                self.failures -= 1
                return 503, {}
        self.is_open.wait(60)
        with self._lock:
            if self.refusal:
                return 422, {"reason": self.refusal}
            if (path, key) not in self.effects:
                self.effects.append((path, key))
            number = self.effects.index((path, key))
            if self.lost_answers:
                self.lost_answers -= 1
                return None
        return 200, {"id": f"r{number}", "tracking": f"T{number}"}

    def count(self, path: str) -> int:
        """Return the number of effects at paths that end so."""
        return len([each for each, _ in self.effects if each.endswith(path)])


@contextmanager
def run_service() -> Iterator[FakeService]:
    """Serve on a free port while the block runs."""
    service = FakeService()
    service.is_open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Serve one call."""
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = service.serve(self.path, self.headers["Idempotency-Key"])
            if found is None:
                self.close_connection = True
                return
            status, body = found
            text = json.dumps(body).encode()
            with suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.is_open.set()
        server.shutdown()
        server.server_close()
