"""The HTTP server's configuration, for `gateway serve` and `gateway dev`."""

import gc
from typing import Any

import uvicorn

from gateway.http.open_files import raise_open_files
from gateway.http.protocol import BoundedHttpProtocol


def build_config(app: Any, **options: Any) -> uvicorn.Config:
    """Return uvicorn's configuration, and raise the limit of open files.

    Args:
        app: an ASGI application.
        options: further options of ``uvicorn.Config``, such as host and port.
    """
    raise_open_files()
    return uvicorn.Config(
        app,
        http=BoundedHttpProtocol,
        # By default uvicorn trusts the forwarded headers of every local process.
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        # Longer than PocketBase keeps connections (90 s): a connection that we close during a call
        # would fail a write, because a call that may have had an effect is not repeated.
        timeout_keep_alive=100,
        timeout_graceful_shutdown=20,
        **options,
    )


def spare_garbage_collector() -> None:
    """Exclude permanent objects from garbage collection, which took a sixth of deliveries' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
