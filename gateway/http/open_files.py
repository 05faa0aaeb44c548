"""The number of connections that the process may have open."""

import sys

#: Files for connections to PocketBase (four pools of 100) and Stripe, logs and libraries.
_RESERVED = 600
#: A connection without a request takes about 10 kB.
_MAX_CONNECTIONS = 10_000


def raise_open_files() -> None:
    """Raise the soft limit of open files, often 1024, to what the process may have."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _MAX_CONNECTIONS + _RESERVED
        limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def count_allowed_connections() -> int:
    """Return how many connections of clients leave files for everything else."""
    if sys.platform == "win32":
        return _MAX_CONNECTIONS
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return min(_MAX_CONNECTIONS, max(soft - _RESERVED, soft // 2))
