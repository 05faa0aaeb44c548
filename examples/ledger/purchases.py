"""Purchases of credits: prices with the metadata `credits`, such as `credits` = `100`."""

from contextlib import suppress

from stripe import LineItem
from stripe.params.checkout import SessionLineItemListParams

from gateway import AlreadyDone, Event, EventContext, Router, Stripe
from ledger.postings import SOLD, customer_account, post

router = Router()


@router.on("purchase.completed")
async def add_credits(event: Event, context: EventContext) -> None:
    """Post the credits of a paid Checkout Session; a repeated call changes nothing."""
    if not event.user:
        return
    credits = await count_credits(event.object["id"], context.stripe)
    if not credits:
        return
    amounts = {customer_account(event.user): credits, SOLD: -credits}
    # The session's id, because two events can report one payment.
    key = f"purchase:{event.object['id']}"
    with suppress(AlreadyDone):
        async with context.state["ledger"].connection() as connection:
            await post(connection, key, "purchase", amounts)


async def count_credits(session: str, stripe: Stripe) -> int:
    """Return the credits of a Checkout Session's items."""
    params: SessionLineItemListParams = {"limit": 100}
    items = await stripe.v1.checkout.sessions.line_items.list_async(session, params)
    return sum([_credits_of(item) async for item in items.auto_paging_iter()])


def _credits_of(item: LineItem) -> int:
    metadata = item.price.metadata.to_dict() if item.price else {}
    return int(metadata.get("credits", 0)) * (item.quantity or 0)
