"""The response to bytes that are not a request: the app never sees them. Pure."""

from gateway.errors import problem
from gateway.http.security_headers import complete_headers
from gateway.json_codec import dump


def build_refusal(reason: str) -> bytes:
    """Return a complete 400 response that ends the connection.

    Args:
        reason: one sentence.
    """
    body = dump(problem(400, "Bad Request", reason))
    headers = complete_headers(
        [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
    )
    lines = [b"HTTP/1.1 400 Bad Request", *(b": ".join(header) for header in headers), b"", body]
    return b"\r\n".join(lines)
