"""Finds what no log line may contain."""

import re

#: By name: tokens of PocketBase, keys and secrets of Stripe, mail addresses.
_FORBIDDEN = {
    "token": re.compile(r"eyJ[\w-]{5,}\.[\w-]+"),
    "key": re.compile(r"\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_\w{4,}"),
    "address": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
}


def find_secrets(log: str) -> list[str]:
    """Return the lines with a token, a key or a mail address, each after its kind."""
    return [
        f"{kind}: {line}"
        for line in log.splitlines()
        for kind, pattern in _FORBIDDEN.items()
        if pattern.search(line)
    ]
