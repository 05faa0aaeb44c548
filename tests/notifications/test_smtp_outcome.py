"""Which failures of a mail server allow another try."""

import pytest

from gateway.notifications.smtp_outcome import classify_pocketbase_error, classify_reply


@pytest.mark.parametrize(
    ("code", "outcome"), [(421, "later"), (451, "later"), (535, "refused"), (550, "refused")]
)
def test_replies(code: int, outcome: str) -> None:
    """A 4xx reply allows another try, a 5xx reply does not."""
    assert classify_reply(code) == outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("GoError: dial tcp 127.0.0.1:25: connect: connection refused", "later"),
        ("dial tcp: lookup mail.test: no such host", "later"),
        ("GoError: 451 4.3.0 Come back later", "later"),
        ("GoError: 550 5.1.1 No such user", "refused"),
        ("GoError: EOF", "unknown"),
        ("GoError: read tcp 127.0.0.1:25: i/o timeout", "unknown"),
        ("GoError: 250 OK", "unknown"),
        ("GoError: tls: 550 is not a reply", "unknown"),
    ],
)
def test_errors_of_pocketbase(error: str, outcome: str) -> None:
    """PocketBase's error begins with the reply; without one the mail may have been sent."""
    assert classify_pocketbase_error(error) == outcome
