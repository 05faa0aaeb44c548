"""Whether somebody asked this process to stop."""

import signal


class StopRequest:
    """A flag that SIGINT (Ctrl-C), SIGTERM and SIGHUP (a closed terminal) raise."""

    def __init__(self) -> None:
        self._is_made = False

    def is_made(self) -> bool:
        """Say whether a signal has come."""
        return self._is_made

    def listen(self) -> None:
        """Note these signals from now on, in place of their usual effect."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: object) -> None:
        # A plain flag: taking a lock here could wait for the very thread that was interrupted.
        self._is_made = True
