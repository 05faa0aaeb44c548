"""Promotion codes of the seller's account."""

from secrets import token_hex
from typing import Any

from tests.stripe_account import StripeAccount


async def make_code(account: StripeAccount, **members: Any) -> tuple[str, str]:
    """Make a coupon of 20 % and a promotion code for it; return the coupon's id and the code."""
    coupon = await account.create("coupons", percent_off=20, duration="once")
    code = f"WELCOME{token_hex(4).upper()}"
    promotion = {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"]}
    await account.create("promotion_codes", code=code, **promotion, **members)
    return coupon["id"], code
