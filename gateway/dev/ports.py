"""Loopback ports: which are free, and one to use."""

import random
import socket
from collections.abc import Iterator

from gateway.dev.errors import StackError

LOOPBACK = "127.0.0.1"
# Below the range that Linux and macOS give to outgoing connections: a port from there could be
# taken while its server restarts.
_RANGE = range(20_000, 32_000)
#: Ports that a process reserves at once.
_BLOCK_PORTS = 50


def is_free(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: connections of the last run that linger must not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def pick_free() -> int:
    """Return a free loopback port, never the same to two calls or to two running processes.

    Raises:
        StackError: all ports are in use or reserved.
    """
    for port in _ports:
        if is_free(port):
            return port
    raise StackError("No free loopback port was found.")


def _reserve_ports() -> Iterator[int]:
    """Yield the ports of one random block after another that no other process has reserved."""
    blocks = _RANGE[::_BLOCK_PORTS]
    for start in random.SystemRandom().sample(blocks, len(blocks)):
        if _reserve(start):
            yield from range(start, start + _BLOCK_PORTS)


def _reserve(start: int) -> bool:
    """Reserve a block by a UDP socket on its first number, which the system frees at our end."""
    lock = socket.socket(type=socket.SOCK_DGRAM)
    try:
        lock.bind((LOOPBACK, start))
    except OSError:
        lock.close()
        return False
    # The descriptor stays open; children do not inherit it.
    lock.detach()
    return True


_ports = _reserve_ports()
