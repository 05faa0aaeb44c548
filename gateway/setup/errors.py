"""The error of the set-up."""

from gateway.start_error import StartError


class SetupError(StartError):
    """A step can't be done; the message is one sentence with the fix."""
