"""Passes on the client's address of a relayed write: PocketBase would see the gateway's.

The address goes with the write to PocketBase and comes back in the call for its transform, under
an HMAC by a hook secret: a client that writes to PocketBase directly can't claim another address.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence

HEADER = "X-Gateway-Client"
#: Seconds between the write and the call for its transform, at the most.
_TOLERANCE = 60


def sign_address(address: str, now: float, key: bytes) -> str:
    """Return the header's value for a client's address."""
    return f"{int(now)} {_digest(address, int(now), key)} {address}"


def read_address(value: str, now: float, keys: Sequence[bytes]) -> str:
    """Return the address that one of the keys has signed lately; "" if none has."""
    moment, _, rest = value.partition(" ")
    given, _, address = rest.partition(" ")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        return ""
    if abs(now - int(moment)) > _TOLERANCE:
        return ""
    digests = (_digest(address, int(moment), key) for key in keys)
    matches = [hmac.compare_digest(digest.encode(), given.encode()) for digest in digests]
    return address if any(matches) else ""


def _digest(address: str, moment: int, key: bytes) -> str:
    return b64encode(hmac.digest(key, f"client.{moment}.{address}".encode(), "sha256")).decode()
