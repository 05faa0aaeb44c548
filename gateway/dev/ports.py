"""Loopback ports: which are free, and one to use."""

import random
import socket

from gateway.dev.errors import StackError

LOOPBACK = "127.0.0.1"
# Below the range that Linux and macOS give to outgoing connections: a port from there could be
# taken while its server restarts.
_RANGE = range(20_000, 32_000)
_given: set[int] = set()


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: connections of the last run that linger must not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def pick_free() -> int:
    """Return a free loopback port that this process has not been given before."""
    for port in random.SystemRandom().sample(_RANGE, 200):
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise StackError("No free loopback port was found.")
