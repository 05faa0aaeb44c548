"""The error of the local stack."""


class StackError(Exception):
    """A process can't start or has ended; the message is one sentence for the user."""
