"""Ids that look like Stripe's and are the same for the same seed."""

import random

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#: Objects whose id has no time in it: prefix and number of random characters.
PLAIN = {"cus": 14, "prod": 14, "si": 14, "li": 14, "cs_test_a1": 56, "whsec": 32, "req": 14}


def base62(number: int, width: int) -> str:
    """Write a number in base 62, most significant digit first."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


class Ids:
    """The source of ids and of every other random choice of a world."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.account = self.letters(10)

    def letters(self, count: int) -> str:
        """Return random base-62 characters."""
        return "".join(self.random.choices(ALPHABET, k=count))

    def plain(self, prefix: str, count: int = 14) -> str:
        """An id without a time, such as `cus_…`."""
        return f"{prefix}_{self.letters(count)}"

    def timed(self, prefix: str, now: int, generation: str = "1") -> str:
        """An id that sorts by second, such as `sub_1…`; within one second it does not sort."""
        return f"{prefix}_{generation}{base62(now, 5)}{self.account}{self.letters(8)}"
