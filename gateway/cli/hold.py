"""How ``gateway serve --hold`` ends in a container."""

import signal
import sys
from typing import NoReturn

import click

_ADVICE = (
    "The gateway waits: correct the setting and run `docker compose up -d`"
    " (`restart` would keep the old environment)."
)


def hold_process(sentence: str) -> NoReturn:
    """Print a sentence to standard error, wait for SIGTERM, and exit with code 1.

    Docker restarts a container that exits for ever, and its log fills with the same sentence. One
    that waits is shown as unhealthy, with the sentence as the log's end.
    """
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    click.echo(sentence, err=True)
    click.echo(_ADVICE, err=True)
    signal.sigwait(signals)
    sys.exit(1)
