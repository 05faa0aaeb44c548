"""Ids that look like Stripe's and are the same for the same seed."""

import random

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#: A letter for each value of a random byte.
LETTERS = (ALPHABET * 5)[:256].encode()


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
        return self.random.randbytes(count).translate(LETTERS).decode()

    def plain(self, prefix: str, count: int = 14) -> str:
        """An id without a time, such as `cus_…`."""
        return f"{prefix}_{self.letters(count)}"

    def timed(self, prefix: str, now: int, generation: str = "1") -> str:
        """An id that sorts by second, such as `sub_1…`; within one second it does not sort."""
        return f"{prefix}_{generation}{base62(now, 5)}{self.account}{self.letters(8)}"
