"""An app without handlers of its own, and leases of work that a test can outlast."""

from gateway import Gateway
from gateway.work.runner import WorkRunner

#: Instead of a minute.
LEASE_SECONDS = 2


def shorten_leases() -> None:
    """Let this process claim work for two seconds."""
    WorkRunner.__init__.__kwdefaults__["lease_seconds"] = LEASE_SECONDS


shorten_leases()
app = Gateway()
