"""Stripe's form encoding: `items[0][price]=…`, `expand[]=…`, `metadata[key]=…`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from stripe_simulator.errors import invalid
from stripe_simulator.snapshots import JSON

PART = re.compile(r"\[([^\]]*)\]")

#: Hashes whose keys and values belong to the user: nothing in them is converted.
FREE = {"metadata", "payload"}

INTEGERS = frozenset(
    [
        "amount",
        "amount_off",
        "balance",
        "billing_cycle_anchor",
        "cancel_at",
        "created",
        "credit_amount",
        "days_until_due",
        "due_date",
        "duration_in_months",
        "effective_at",
        "end",
        "end_date",
        "exp_month",
        "exp_year",
        "expires_at",
        "divide_by",
        "flat_amount",
        "gt",
        "gte",
        "interval_count",
        "iterations",
        "limit",
        "lt",
        "lte",
        "max_redemptions",
        "maximum",
        "minimum",
        "minimum_amount",
        "out_of_band_amount",
        "preset",
        "proration_date",
        "quantity",
        "redeem_by",
        "refund_amount",
        "resumes_at",
        "start",
        "start_date",
        "timestamp",
        "trial_end",
        "trial_period_days",
        "unit_amount",
        "up_to",
    ]
)
BOOLEANS = frozenset(
    [
        "delivery_success",
        "active",
        "allow_promotion_codes",
        "auto_advance",
        "cancel_at_period_end",
        "clear_usage",
        "confirm",
        "connect",
        "deleted",
        "disabled",
        "enabled",
        "first_time_transaction",
        "forgive",
        "inclusive",
        "invoice_now",
        "livemode",
        "off_session",
        "paid_out_of_band",
        "prorate",
        "shippable",
        "submit",
        "transfer_lookup_key",
    ]
)
NUMBERS = {"percent_off", "percentage", "application_fee_percent"}


def parse(text: str) -> JSON:
    """Parse a query or form body into nested values with Stripe's types."""
    return {name: _typed(value, name) for name, value in nest(text).items()}


def nest(text: str) -> JSON:
    """Parse a query or form body into nested hashes and lists of strings."""
    tree: JSON = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        _put(tree, _parts(key), value)
    return {name: _lists(value, name) for name, value in tree.items()}


def _parts(key: str) -> list[str]:
    name, bracket, _ = key.partition("[")
    return [name, *PART.findall(key[len(name) :])] if bracket else [name]


def _put(tree: JSON, parts: list[str], value: str) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise invalid(f"Invalid hash: {parts[0]}", parts[0])
    tree[parts[-1] or str(len(tree))] = value


def _lists(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or name in FREE:
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key], name) for key in sorted(value, key=int)]
    return {key: _lists(inner, key) for key, inner in value.items()}


def _typed(value: Any, name: str) -> Any:
    if name in FREE:
        return value
    if isinstance(value, dict):
        return {key: _typed(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner, name) for inner in value]
    return _scalar(value, name)


def _scalar(text: str, name: str) -> Any:
    if text == "":
        return text
    if name in INTEGERS:
        return int(text) if text.lstrip("-").isdigit() else text
    if name in BOOLEANS and text in ("true", "false"):
        return text == "true"
    if name in NUMBERS:
        return _number(text, name)
    return text


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(f"Invalid decimal: {text}", name, "parameter_invalid") from None
