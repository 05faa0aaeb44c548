"""A server that answers PocketBase's hooks in the gateway's place."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gateway.transforms.hook_signature import ANSWER_PREFIX, sign

_ANSWER = b'{"items":[{"values":{}}]}'
_OTHER_KEY = b"a key that only the forger knows"


def _forge(
    kind: str, key: bytes, call: Mapping[str, str], body: bytes
) -> tuple[int, bytes, dict[str, str]]:
    """Return the status, body and headers of one kind of answer."""
    answer_id = ANSWER_PREFIX + call["webhook-id"]
    now = int(call["webhook-timestamp"])
    if kind == "reflected":
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        return 200, body, {name: call[name] for name in names}
    if kind == "another's":
        return 200, _ANSWER, sign(answer_id, now, _ANSWER, _OTHER_KEY)
    if kind == "of another call":
        return 200, _ANSWER, sign(ANSWER_PREFIX + "msg_other", now, _ANSWER, key)
    if kind == "stale":
        return 200, _ANSWER, sign(answer_id, now - 300, _ANSWER, key)
    if kind == "altered":
        return 200, _ANSWER + b" ", sign(answer_id, now, _ANSWER, key)
    if kind == "empty":
        return 204, b"", sign(answer_id, now, b"", _OTHER_KEY)
    return (500 if kind == "error" else 200), _ANSWER, {}


@contextmanager
def forge_answers(
    kind: str, key: bytes, calls: list[tuple[dict[str, str], bytes]] | None = None
) -> Iterator[str]:
    """Answer every call on the address that is given, until the context ends.

    Args:
        kind: see `_forge`; any other is not signed.
        key: the gateway's own, for answers that are wrong in another way.
        calls: receives headers and body of each call.
    """

    class Forger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            call = {name.lower(): value for name, value in self.headers.items()}
            if calls is not None:
                calls.append((call, body))
            status, answer, headers = _forge(kind, key, call, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if answer:
                self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Forger) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hooks/records"
        finally:
            server.shutdown()
            thread.join()
