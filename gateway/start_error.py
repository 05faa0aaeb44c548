"""Errors that prevent the start; the message of each is one sentence."""


class StartError(Exception):
    """The gateway can't start; the message names what to change."""


class InvalidRegistration(StartError):
    """A declaration of the app is not valid; the message begins with its file and line."""
