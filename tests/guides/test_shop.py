"""The example shop shows amounts as Stripe counts them, and no price as free that is not."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from gateway.dev.pocketbase import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="needs node")

_PAGE = ROOT / "examples" / "pb_public" / "index.html"


def _run(expression: str) -> str:
    """Evaluate an expression with the page's own functions of amounts."""
    page = _PAGE.read_text()
    functions = page[page.index("  const WHOLE =") : page.index("  const names = new Map()")]
    script = f"{functions}\nconsole.log({expression})"
    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip().replace("\xa0", " ")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1250, "usd", "$12.50"),
        (500, "jpy", "¥500"),
        (50000, "isk", "ISK 500"),
        (50000, "ugx", "UGX 500"),
        (500, "mga", "MGA 500"),
        (1500, "kwd", "KWD 1.500"),
        (0.5, "usd", "$0.005"),
        (50050, "ugx", "UGX 500.5"),
    ],
)
def test_amounts_are_counted_as_stripe_does(amount: float, currency: str, shown: str) -> None:
    """Digits are Stripe's, not the ones that a currency is written with."""
    assert _run(f"money({amount}, {json.dumps(currency)})") == shown


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ({"unit_amount": 0}, "$0.00 a month"),
        ({"amount_type": "fixed", "unit_amount": 1000}, "$10.00 a month"),
        ({"amount_type": "fixed", "unit_amount": 2, "usage_type": "metered"}, "$0.02 per unit"),
        (
            {
                "amount_type": "package",
                "unit_amount": 1000,
                "transform_quantity": {"divide_by": 100, "round": "up"},
            },
            "$10.00 per 100",
        ),
        ({"amount_type": "custom", "custom_unit_amount": {"minimum": 500}}, "you choose, from $5"),
        ({"amount_type": "custom", "custom_unit_amount": {"minimum": None}}, "you choose"),
        (
            {
                "amount_type": "tiered",
                "tiers": [{"unit_amount_decimal": "500", "flat_amount_decimal": "1000"}],
            },
            "$5.00 per unit + $10.00, other prices for more",
        ),
        ({"amount_type": "tiered", "tiers": None}, "by quantity a month"),
    ],
)
def test_no_price_looks_free_that_is_not(price: dict[str, Any], shown: str) -> None:
    """A price without one fixed amount says how it is charged."""
    row = {"currency": "usd", "interval": "month", "unit_amount": 0, "usage_type": "licensed"}
    assert _run(f"cost({json.dumps(row | price)})").startswith(shown)
