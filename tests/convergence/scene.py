"""Small histories, told event by event, and what PocketBase then says."""

from collections.abc import Iterable
from secrets import token_hex
from typing import Any

from gateway.ids import record_id
from stripe_simulator.histories import call
from stripe_simulator.resources import checkout_completion
from tests.convergence.bench import Bench

Json = dict[str, Any]


class Scene:
    """A fresh Stripe account with something to buy, and ways to deliver some of its events."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.world = bench.account.begin()
        self.product = self.call("POST", "/v1/products", name="Pro")["id"]
        self.price = self._price({"interval": "month"})
        self.once = self._price(None)

    def _price(self, recurring: Json | None) -> str:
        params = {"product": self.product, "currency": "usd", "unit_amount": 1000}
        return str(
            self.call(
                "POST", "/v1/prices", **params, **({"recurring": recurring} if recurring else {})
            )["id"]
        )

    def call(self, method: str, path: str, **params: Any) -> Json:
        """Call Stripe's API in this process."""
        return call(self.world, method, path, params)

    def add_user(self, *, verified: bool = True) -> tuple[str, str]:
        """Add a PocketBase user; returns id and address."""
        email = f"{token_hex(6)}@example.com"
        return self.bench.mirror.add_user(email, verified=verified), email

    def add_customer(self, **params: Any) -> str:
        """Add a customer with a card that works."""
        customer = str(self.call("POST", "/v1/customers", **params)["id"])
        method = self.call("POST", "/v1/payment_methods/pm_card_visa/attach", customer=customer)[
            "id"
        ]
        settings = {"default_payment_method": method}
        self.call("POST", f"/v1/customers/{customer}", invoice_settings=settings)
        return customer

    def subscribe(self, customer: str, **params: Any) -> str:
        """Subscribe a customer by API, as the Dashboard does."""
        items = [{"price": self.price}]
        return str(
            self.call("POST", "/v1/subscriptions", customer=customer, items=items, **params)["id"]
        )

    def buy(self, *, link: bool = False, form: Json | None = None, **params: Any) -> str:
        """Buy at Checkout, or through a Payment Link; returns the session's id."""
        mode = params.pop("mode", "subscription")
        price = self.price if mode == "subscription" else self.once
        session = self.call(
            "POST",
            "/v1/checkout/sessions",
            mode=mode,
            success_url="https://shop.test/",
            line_items=[{"price": price, "quantity": 1}],
            **params,
        )
        if link:
            session["payment_link"] = "plink_1"
        checkout_completion.complete(
            self.world, session["id"], checkout_completion.Form(**(form or {}))
        )
        return str(session["id"])

    def events(self, *starts: str) -> list[Json]:
        """The events so far whose type begins with one of these, by default all."""
        return [e for e in self.world.events if not starts or e["type"].startswith(starts)]

    def deliver(self, events: Iterable[Json]) -> None:
        """Deliver one after the other."""
        for event in events:
            self.bench.loop.run(self.bench.deliverer.deliver([event]))

    def row(self, collection: str, stripe_id: str) -> Json:
        """The row of an object."""
        found = self.bench.mirror.read(collection, [stripe_id])
        assert stripe_id in found, f"{collection} has no {stripe_id}"
        return found[stripe_id]

    def rows(self, collection: str, customer: str) -> list[Json]:
        """The rows of a customer."""
        return self.bench.mirror.find(collection, "customer", record_id(customer))

    def verify(self, user: str) -> None:
        """Verify a user's address in PocketBase."""
        self.bench.patch_user(user, {"verified": True})
