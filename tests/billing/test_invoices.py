"""Only the owner can read an invoice, with its page and PDF."""

import httpx
import pytest

from tests.billing.conftest import Subscribe
from tests.billing.subscriber import Subscriber
from tests.deadline import eventually
from tests.frontend import Frontend, Record


async def _read_own(subscriber: Subscriber) -> Record:
    [invoice] = await subscriber.frontend.list_records("invoices", token=subscriber.user.token)
    return invoice


async def test_an_invoice_row_leads_to_its_page_and_pdf(subscribe: Subscribe) -> None:
    """The owner's row has the addresses that Stripe gave, and they open."""
    subscriber = await subscribe()
    row = await _read_own(subscriber)
    [invoice] = await subscriber.list_invoices()
    assert row["hosted_invoice_url"] == invoice["hosted_invoice_url"] != ""
    assert row["invoice_pdf"] == invoice["invoice_pdf"] != ""


async def test_nobody_else_lists_or_views_it(subscribe: Subscribe, frontend: Frontend) -> None:
    """Another payer and a guest find nothing by any filter or order, and get a 404 for its id."""
    owner, other = await subscribe(), await subscribe()
    invoice = await _read_own(owner)
    probes = (
        f"id = '{invoice['id']}'",
        f"hosted_invoice_url ~ '{invoice['hosted_invoice_url'][:20]}'",
        f"user = '{owner.user.id}'",
        f"customer.user = '{owner.user.id}'",
        f"subscription.stripe_id = '{owner.id}'",
    )
    for token in (other.user.token, ""):
        for probe in probes:
            found = await frontend.list_records(
                "invoices", token=token, filter=probe, sort="-hosted_invoice_url"
            )
            assert invoice["id"] not in {row["id"] for row in found}
            assert {row["user"] for row in found} <= {other.user.id}
        path = f"/api/collections/invoices/records/{invoice['id']}"
        with pytest.raises(httpx.HTTPStatusError) as caught:
            await frontend.call("GET", path, token=token)
        assert caught.value.response.status_code == 404


async def test_no_other_collection_tells_of_it(subscribe: Subscribe, frontend: Frontend) -> None:
    """Filters of public collections don't reach invoices, by @collection or by relations."""
    owner, other = await subscribe(), await subscribe()
    invoice = await _read_own(owner)
    url = invoice["hosted_invoice_url"]
    via = "subscriptions_via_price"
    for collection, probe in (
        ("prices", f"@collection.invoices.hosted_invoice_url = '{url}'"),
        ("products", f"@collection.invoices:i.user ?= '{owner.user.id}'"),
        ("prices", f"{via}.invoices_via_subscription.hosted_invoice_url ?= '{url}'"),
        ("prices", f"{via}.user ?= '{owner.user.id}'"),
    ):
        answer = await frontend.http.get(
            f"/api/collections/{collection}/records",
            params={"filter": probe},
            headers={"Authorization": other.user.token},
        )
        assert answer.status_code in (200, 400, 403)
        assert answer.json().get("items", []) == [], probe


async def test_expanding_shows_ones_own_only(subscribe: Subscribe, frontend: Frontend) -> None:
    """From public rows and from one's own, relations lead to no row of another's."""
    owner, other = await subscribe(), await subscribe()
    invoice = await _read_own(owner)
    expand = "subscriptions_via_price.invoices_via_subscription,subscriptions_via_price.customer"
    for path in (
        "/api/collections/prices/records",
        "/api/collections/invoices/records",
        "/api/collections/customers/records",
    ):
        for paths in (expand, "invoices_via_customer", "customer.invoices_via_customer"):
            answer = await frontend.call(
                "GET", path, token=other.user.token, expand=paths, perPage=500
            )
            text = str(answer)
            assert invoice["id"] not in text
            assert owner.user.id not in text


async def test_only_the_owner_is_told_live(subscribe: Subscribe, frontend: Frontend) -> None:
    """A new invoice goes to its owner's feed, and to no other's, whatever they subscribe to."""
    owner, other = await subscribe(), await subscribe()
    first = await _read_own(owner)
    topics = ("invoices/*", f"invoices/{first['id']}")
    async with (
        frontend.subscribe(*topics, token=owner.user.token) as mine,
        frontend.subscribe(*topics, token=other.user.token) as theirs,
        frontend.subscribe(*topics) as guests,
    ):
        await owner.do("change", quantity=2)
        await mine.next(lambda change: change.record["billing_reason"] == "subscription_update")
        await other.do("change", quantity=3)
        await theirs.next(lambda change: change.record["user"] == other.user.id)

        async def all_own() -> bool:
            return {change.record["user"] for change in theirs.seen} == {other.user.id}

        assert await eventually(all_own)
        assert {change.record["user"] for change in mine.seen} == {owner.user.id}
        assert guests.seen == []
