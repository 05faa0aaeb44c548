"""What `make run` tells a person once everything is up."""

from pathlib import Path

from stack.local_secrets import SUPERUSER_EMAIL, LocalSecrets
from stack.stack import Stack

_PURCHASE = """\
Try a purchase (a new user, the first price of the catalogue):
  PB={pocketbase} GW={gateway}
  json() {{ python3 -c "import json,sys; print(json.load(sys.stdin)$1)"; }}
  curl -s $PB/api/collections/users/records -F email=me@example.com \\
    -F password=correct-horse -F passwordConfirm=correct-horse
  TOKEN=$(curl -s $PB/api/collections/users/auth-with-password \\
    -F identity=me@example.com -F password=correct-horse | json '["token"]')
  PRICE=$(curl -s $PB/api/collections/prices/records | json '["items"][0]["stripe_id"]')
  curl -s $GW/checkout -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
    -d '{{"line_items": [{{"price": "'$PRICE'", "quantity": 1}}]}}'
  # Open the answer's url in a browser and pay; then:
  curl -s $PB/api/collections/payments/records -H "Authorization: $TOKEN"
"""


def describe_stack(stack: Stack) -> str:
    """Return the addresses and how to try a purchase."""
    pocketbase, gateway = stack.pocketbase.url, stack.gateway.url
    if stack.plan.is_simulated:
        stripe = f"Stripe simulator      {stack.simulator.url}/"
    else:
        stripe = f"Stripe                {stack.plan.stripe.api_base} (your keys)"
    return "\n".join(
        [
            f"PocketBase dashboard  {pocketbase}/_/ (as {stack.plan.superuser.email})",
            f"Gateway               {gateway}/docs",
            stripe,
            f"Logs                  {stack.plan.folder / 'log'}",
            "",
            _PURCHASE.format(pocketbase=pocketbase, gateway=gateway),
            "Ctrl-C ends everything.",
        ]
    )


def describe_secrets(local: LocalSecrets, file: Path) -> str:
    """Return the secrets that were generated just now."""
    return "\n".join(
        [
            f"Made for this machine, shown only now, kept in {file}:",
            f"  Superuser           {SUPERUSER_EMAIL}",
            f"  its password        {local.superuser_password}",
            f"  Webhook secret      {local.simulator_webhook_secret} (of the simulator)",
        ]
    )
