"""Schemathesis hooks: every second request names stored objects, or is signed as Stripe signs.

Generated ids lead to 404 alone, and unsigned deliveries to 400. `REAL_VALUES` is a JSON object:
value by parameter or member name; `WEBHOOK_SECRET` signs deliveries.
"""

import json
import os
from itertools import count
from typing import Any

import requests
import schemathesis

from tests.delivery import sign

_VALUES: dict[str, str] = json.loads(os.environ["REAL_VALUES"])
_requests = count()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Replace the ids of every second request, and sign it."""
    if next(_requests) % 2:
        for parameters in (case.path_parameters, case.query, case.body):
            _replace(parameters)
        if case.path == "/webhooks/stripe" and case.method == "POST":
            _sign(case)


def _replace(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _replace(item)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in _VALUES and isinstance(member, str):
                value[name] = _VALUES[name]
            else:
                _replace(member)


def _sign(case: Any) -> None:
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://gateway")).prepare()
    body = sent.body or b""
    body = body.encode() if isinstance(body, str) else body
    case.headers["Stripe-Signature"] = sign(body, os.environ["WEBHOOK_SECRET"])
