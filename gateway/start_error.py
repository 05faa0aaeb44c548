"""The errors that keep the gateway from starting; the message of each is one sentence."""


class StartError(Exception):
    """The gateway can't start; the message says what to change."""


class InvalidRegistration(StartError):
    """A declaration of the app can't work; the message begins with its file and line."""
