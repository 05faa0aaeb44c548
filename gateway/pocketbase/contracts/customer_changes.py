"""The route about changes of Stripe customers (pb_hooks/lib/customers/stripe_changes.js)."""

from typing import Literal

from gateway.pocketbase.contracts.route import Contract, HookRoute


class CustomerChange(Contract):
    """A change to make at Stripe: the payload of an item, and its customer."""

    change: Literal["update", "move", "delete"]
    #: A user's id, or ``organizations/`` and an organization's.
    payer: str
    #: The customer's Stripe id.
    customer: str
    #: Of a ``delete``: the id of the record of its outcome.
    deletion: str = ""


class CurrentChange(Contract):
    """The current contact of the payer."""

    #: Why the change is not needed any more, "" if it is.
    outdated: str
    #: None for fields that stay unchanged at Stripe.
    email: str | None
    name: str | None
    #: Whether the customer is deleted whatever the policy, by `gateway users delete`.
    erased: bool


READ_CHANGE = HookRoute("POST", "/api/gateway/customers/change", CustomerChange, CurrentChange)
