"""The addresses and first steps that `gateway dev` prints."""

import os
import sys
from pathlib import Path

import httpx2

from gateway.dev.local_secrets import SUPERUSER_EMAIL, LocalSecrets
from gateway.dev.plan import DEFAULT_PORTS, StackPlan
from gateway.dev.stack import Stack

_PURCHASE = """\
Try a purchase: sign up, log in, buy.
  PB={pocketbase} GATEWAY={gateway}
  curl -s $PB/api/collections/{users}/records -F email=me@example.com \\
    -F password=correct-horse -F passwordConfirm=correct-horse
  TOKEN=$(curl -s $PB/api/collections/{users}/auth-with-password \\
    -F identity=me@example.com -F password=correct-horse | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  curl -s $GATEWAY/checkout -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
    -d '{{"items": [{{"price": "{price}"}}], "success_url": "'$PB'/", "cancel_url": "'$PB'/"}}'
Open the url of the answer in a browser and pay. A moment later it is a record:
  curl -s $PB/api/collections/{subscriptions}/records -H "Authorization: $TOKEN"
"""

_SCENARIOS = "Renew, refund, dispute, or let a payment fail with the buttons at {simulator}/\n"

_IMPORT = """\
PocketBase has no prices yet, so nothing can be bought. Create products and prices at Stripe if
there are none, then import the account from another terminal in this folder:
  {python} -m gateway reconcile
Later changes arrive by webhook; on a developer's machine, forwarded by
  stripe listen --forward-to {gateway}/webhooks/stripe
"""


def describe_stack(stack: Stack) -> str:
    """Return the addresses, and commands for a trial purchase."""
    pocketbase, gateway = stack.pocketbase.url, stack.gateway.url
    names = stack.plan.collection_names
    if stack.plan.is_simulated:
        stripe = f"Stripe simulator      {stack.simulator.url}/"
        price = "pro_monthly"
    else:
        stripe = f"Stripe                {stack.plan.stripe.api_base} (your keys)"
        price = "a price's id or lookup key"
    return "\n".join(
        [
            *_describe_page(stack),
            f"PocketBase dashboard  {pocketbase}/_/ (as {stack.plan.superuser.email})",
            f"Gateway               {gateway}/docs",
            stripe,
            f"Logs                  {stack.plan.folder / 'log'}",
            "",
            _PURCHASE.format(
                pocketbase=pocketbase,
                gateway=gateway,
                price=price,
                users=names.of("users"),
                subscriptions=names.of("subscriptions"),
            ),
            *_offer_scenarios(stack),
            *_offer_import(stack),
            *_warn_of_leftovers(stack.plan),
            "Ctrl-C ends everything.",
        ]
    )


def _describe_page(stack: Stack) -> list[str]:
    if stack.plan.public_dir is None:
        return []
    return [f"Your page             {_locate_page(stack)}"]


def _locate_page(stack: Stack) -> str:
    # The page calls the gateway on port 8000 by default.
    port = stack.plan.ports.gateway
    query = "" if port == DEFAULT_PORTS.gateway else f"?gateway_port={port}"
    return f"{stack.pocketbase.url}/{query}"


def _offer_scenarios(stack: Stack) -> list[str]:
    return [_SCENARIOS.format(simulator=stack.simulator.url)] if stack.plan.is_simulated else []


def _offer_import(stack: Stack) -> list[str]:
    """Return how to import the account if there are no prices; events bring only later changes."""
    if stack.plan.is_simulated or not _has_no_prices(stack):
        return []
    python = os.path.relpath(sys.executable)
    return [_IMPORT.format(python=python, gateway=stack.gateway.url)]


def _has_no_prices(stack: Stack) -> bool:
    prices = stack.plan.collection_names.of("prices")
    answer = httpx2.get(
        f"{stack.pocketbase.url}/api/collections/{prices}/records",
        params={"perPage": 1, "fields": "id"},
        trust_env=False,
    )
    return answer.is_success and not answer.json()["items"]


def _warn_of_leftovers(plan: StackPlan) -> list[str]:
    if plan.is_simulated or not plan.simulator_state.exists():
        return []
    return [
        f"{plan.folder / 'pb_data'} has rows of the simulator, which Stripe does not know: "
        f"to start from scratch, remove it and {plan.simulator_state}.\n"
    ]


def describe_secrets(local: LocalSecrets, file: Path) -> str:
    """Return the text that shows newly generated secrets."""
    return "\n".join(
        [
            f"Generated for this machine, shown only once, stored in {file}:",
            f"  Superuser           {SUPERUSER_EMAIL}",
            f"  its password        {local.superuser_password}",
            f"  Webhook secret      {local.simulator_webhook_secret} (of the simulator)",
        ]
    )
