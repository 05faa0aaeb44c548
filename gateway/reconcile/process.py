"""The process that carries out a run, as its row names it."""

import os
import socket
from secrets import token_hex

#: Tells this process from an earlier one with the same id, as in a container.
_TOKEN = token_hex(8)


def name_process() -> str:
    """Return host, process id and a token of this process."""
    return f"{socket.gethostname()} {os.getpid()} {_TOKEN}"


def has_ended(name: str) -> bool:
    """Whether a process certainly runs no more; False for one on another host."""
    host, pid, token = [*name.rsplit(" ", 2), "", ""][:3]
    if host != socket.gethostname() or not pid.isdigit() or token == _TOKEN:
        return False
    return int(pid) == os.getpid() or not _exists(int(pid))


def describe_process(name: str) -> str:
    """Return host and process id for a message."""
    return name.rpartition(" ")[0] or "an unknown process"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
