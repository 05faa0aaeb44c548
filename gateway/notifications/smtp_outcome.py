"""Whether a mail that a mail server did not accept may be sent again.

One rule for both transports: after a 4xx reply another try may help, after a 5xx reply it will not,
and without a reply the server may have accepted the mail.
"""

import re

from gateway.notifications.mail import Outcome

#: How the errors of Go's net/smtp, which PocketBase uses, begin.
_NOT_CONNECTED = re.compile(r"dial ")
_REPLY = re.compile(r"(\d\d\d) ")


def classify_reply(code: int) -> Outcome:
    """Return the outcome of a mail after a reply such as 451 or 550."""
    return "later" if 400 <= code < 500 else "refused"


def classify_pocketbase_error(text: str) -> Outcome:
    """Return the outcome of a mail that PocketBase could not send.

    Args:
        text: the error, such as ``GoError: 550 No such user`` or ``dial tcp: connection refused``.
    """
    error = text.removeprefix("GoError: ")
    if _NOT_CONNECTED.match(error):
        return "later"
    reply = _REPLY.match(error)
    return classify_reply(int(reply[1])) if reply and reply[1][0] in "45" else "unknown"
