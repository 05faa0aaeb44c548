"""Passes on the client's address of a relayed write; PocketBase sees only the gateway's.

The address goes to PocketBase in a header of the write and comes back in the call to the transform,
signed with a hook secret: a client that writes to PocketBase directly can't forge an address.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence

HEADER = "X-Gateway-Client"
#: Maximum time between the write and the call to its transform.
_TOLERANCE_SECONDS = 60


def sign_address(address: str, now: float, key: bytes) -> str:
    """Return the header's value for a client's address."""
    return f"{int(now)} {_digest(address, int(now), key)} {address}"


def read_address(value: str, now: float, keys: Sequence[bytes]) -> str:
    """Return the address if one of the keys signed it within the last minute, otherwise ""."""
    seconds, _, rest = value.partition(" ")
    given, _, address = rest.partition(" ")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        return ""
    if abs(now - int(seconds)) > _TOLERANCE_SECONDS:
        return ""
    digests = (_digest(address, int(seconds), key) for key in keys)
    matches = [hmac.compare_digest(digest.encode(), given.encode()) for digest in digests]
    return address if any(matches) else ""


def _digest(address: str, seconds: int, key: bytes) -> str:
    return b64encode(hmac.digest(key, f"client.{seconds}.{address}".encode(), "sha256")).decode()
