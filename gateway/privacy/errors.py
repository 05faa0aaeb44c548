"""Errors of `gateway users`; the message of each is one sentence.

They never leave a command, so they are not problem types of the API.
"""

from gateway.start_error import StartError


class SeveralUsers(StartError):
    """Several users have this address: name one by id."""


class CannotDelete(StartError):
    """The user can't be deleted yet."""


class NotFinished(StartError):
    """The deletion is not complete: repeat the command."""


class CannotWrite(StartError):
    """The file of an export can't be written."""
