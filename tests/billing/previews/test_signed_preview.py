"""A change is charged from the date of a preview only if the gateway signed it for that change."""

import asyncio
import base64
import json
import time
from collections.abc import Callable

import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.billing.conftest import Subscribe
from tests.billing.subscriber import Subscriber
from tests.problem import read_problem
from tests.stripe_account import StripeAccount


async def _refuse(subscriber: Subscriber, status: int, code: str, **body: object) -> None:
    """Ask for a change that must be refused, and leave everything as it was."""
    before = await subscriber.read(), await subscriber.list_invoices()
    slug = "invalid-request" if status == 400 else "conflict"
    document = read_problem(await subscriber.ask("change", **body), status, slug)
    assert document["data"]["proration_date"]["code"] == code
    assert (await subscriber.read(), await subscriber.list_invoices()) == before


async def test_back_and_forth_leaves_no_credit(
    subscribe: Subscribe, account: StripeAccount
) -> None:
    """Up at once and down from an earlier date is refused, however the date was come by."""
    subscriber = await subscribe()
    early = await subscriber.do("preview", quantity=1_000)
    await account.control("clock/advance", seconds=600)
    await subscriber.do("change", quantity=100)
    for date in (int(time.time()), int(time.time()) - 890):
        answer = await subscriber.ask("change", quantity=1, proration_date=date)
        document = read_problem(answer, 400, "invalid-request")
        assert document["data"]["proration_date"]["code"] in ("preview_required", "preview_expired")
    await _refuse(subscriber, 400, "preview_mismatch", quantity=1, **_date_of(early))
    await _refuse(subscriber, 409, "preview_outdated", quantity=1_000, **_date_of(early))
    customer = await account.read(f"customers/{(await subscriber.read())['customer']}")
    assert customer["balance"] == 0


def _date_of(preview: dict[str, object]) -> dict[str, object]:
    return {"proration_date": preview["proration_date"]}


async def test_a_preview_counts_from_its_own_date(
    subscribe: Subscribe, account: StripeAccount
) -> None:
    """Minutes later the change costs what the preview said, not what it would cost by then."""
    product = await account.create("products", name="Large")
    yearly = {"recurring[interval]": "day", "currency": "usd", "unit_amount": 10_000_000}
    price = (await account.create("prices", product=product["id"], **yearly))["id"]
    await account.wait_delivered()
    subscriber = await subscribe(price)
    preview = await subscriber.do("preview", quantity=2)
    await account.control("clock/advance", seconds=300)
    later = await subscriber.do("preview", quantity=2)
    assert later["due_now"] < preview["due_now"]
    await subscriber.do("change", quantity=2, **_date_of(preview))
    assert (await subscriber.list_invoices())[0]["amount_paid"] == preview["due_now"]


async def test_of_two_previews_one_is_taken_and_once(subscribe: Subscribe) -> None:
    """The way back needs another preview, and repeating a request changes nothing."""
    subscriber = await subscribe()
    first, second = [await subscriber.do("preview", quantity=5) for _ in range(2)]
    answers = [subscriber.do("change", quantity=5, **_date_of(first)) for _ in range(5)]
    assert {answer["items"][0]["quantity"] for answer in await asyncio.gather(*answers)} == {5}
    assert len(await subscriber.list_invoices()) == 2
    await subscriber.do("change", quantity=5, **_date_of(second))
    assert len(await subscriber.list_invoices()) == 2
    await subscriber.do("change", quantity=1)
    for preview in (first, second):
        await _refuse(subscriber, 409, "preview_outdated", quantity=5, **_date_of(preview))


async def test_a_preview_belongs_to_one_idempotency_key(subscribe: Subscribe) -> None:
    """Of two requests at once under different keys, one uses the preview."""
    subscriber = await subscribe()
    preview = await subscriber.do("preview", quantity=5)
    asked = [
        subscriber.ask("change", quantity=5, key=key, **_date_of(preview)) for key in ("a", "b")
    ]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert statuses in ([200, 200], [200, 409])
    assert len(await subscriber.list_invoices()) == 2


async def test_a_change_elsewhere_ends_a_preview(subscribe: Subscribe) -> None:
    """Also one that was taken back meanwhile, so that Stripe shows the same as before."""
    subscriber = await subscribe()
    [item] = (await subscriber.read())["items"]["data"]
    path, quiet = f"subscription_items/{item['id']}", {"proration_behavior": "none"}
    for quantities in ((9,), (7, 9)):
        preview = await subscriber.do("preview", quantity=5)
        await subscriber.account.control("clock/advance", seconds=5)
        for quantity in quantities:
            await subscriber.account.create(path, quantity=quantity, **quiet)
        await subscriber.account.wait_delivered()
        await _refuse(subscriber, 409, "preview_outdated", quantity=5, **_date_of(preview))


async def test_a_preview_is_of_one_subscription_and_one_change(subscribe: Subscribe) -> None:
    """It holds for no other subscription, quantity, price or time."""
    subscriber, other = await subscribe(), await subscribe()
    preview = await subscriber.do("preview", quantity=5)
    for body in ({"quantity": 6}, {"price": "pro_yearly"}, {"quantity": 5, "when": "period_end"}):
        await _refuse(subscriber, 400, "preview_mismatch", **body, **_date_of(preview))
    await _refuse(other, 400, "preview_mismatch", quantity=5, **_date_of(preview))


async def test_a_preview_holds_for_minutes(subscribe: Subscribe, account: StripeAccount) -> None:
    """After that the change is refused, and a new preview is needed."""
    subscriber = await subscribe()
    preview = await subscriber.do("preview", quantity=5)
    await account.control("clock/advance", seconds=905)
    await _refuse(subscriber, 400, "preview_expired", quantity=5, **_date_of(preview))


async def test_a_preview_cannot_be_written_by_hand(subscribe: Subscribe) -> None:
    """Another date in a signed preview, another signature, or none, is refused."""
    subscriber = await subscribe()
    signed = str((await subscriber.do("preview", quantity=5))["proration_date"])
    content, _, signature = signed.partition(".")
    values = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    moved = [value - 60 if isinstance(value, int) else value for value in values]
    forged = base64.urlsafe_b64encode(json.dumps(moved).encode()).decode().rstrip("=")
    wrong = signature[::-1]
    for text in (
        f"{forged}.{signature}",
        f"{content}.{wrong}",
        content,
        ".",
        "x",
        "ü.é",
        signed[:-1],
    ):
        await _refuse(subscriber, 400, "preview_invalid", quantity=5, proration_date=text)
    for other in ([], {}, 1.5, True, "", "x" * 2001):
        answer = await subscriber.ask("change", quantity=5, proration_date=other)
        assert list(read_problem(answer, 400)["data"]) == ["proration_date"]


async def test_every_gateway_takes_a_preview(
    subscribe: Subscribe, stack: Stack, start_gateway: Callable[..., GatewayProcess]
) -> None:
    """Also while the secrets are rotated; one that knows none of them refuses it."""
    subscriber = await subscribe()
    old = stack.plan.stripe.webhook_secrets[0]
    rotated = subscriber.at(start_gateway(STRIPE_WEBHOOK_SECRETS=f"whsec_new,{old}").url)
    other = subscriber.at(start_gateway(STRIPE_WEBHOOK_SECRETS="whsec_new").url)
    preview = await subscriber.do("preview", quantity=5)
    await _refuse(other, 400, "preview_invalid", quantity=5, **_date_of(preview))
    await rotated.do("change", quantity=5, **_date_of(preview))
    await subscriber.do("change", quantity=1)
    await _refuse(subscriber, 409, "preview_outdated", quantity=5, **_date_of(preview))
    preview = await rotated.do("preview", quantity=4)
    await other.do("change", quantity=4, **_date_of(preview))


@pytest.mark.parametrize(("quantity", "goes"), [(1, "customer_balance"), (9, None)])
async def test_a_preview_says_where_a_credit_goes(
    quantity: int, goes: str | None, subscribe: Subscribe, account: StripeAccount
) -> None:
    """The credit reduces later invoices, by the amount of the preview."""
    subscriber = await subscribe()
    await subscriber.do("change", quantity=4)
    preview = await subscriber.do("preview", quantity=quantity)
    assert (preview["credit_to"], preview["credit"] > 0) == (goes, goes is not None)
    await subscriber.do("change", quantity=quantity, **_date_of(preview))
    customer = await account.read(f"customers/{(await subscriber.read())['customer']}")
    assert customer["balance"] == -preview["credit"]


async def test_one_credit_per_day_is_dated_back(
    subscribe: Subscribe, account: StripeAccount
) -> None:
    """Repeated upgrades, and downgrades by an old preview, are paid for their time."""
    subscriber = await subscribe(await _create_price(account))

    async def go_down(seconds: int) -> dict[str, object]:
        await subscriber.do("change", quantity=100)
        preview = await subscriber.do("preview", quantity=1)
        await account.control("clock/advance", seconds=seconds)
        return {"quantity": 1} | _date_of(preview) | {"credit": preview["credit"]}

    first = await go_down(840)
    credit = first.pop("credit")
    await subscriber.do("change", **first)
    assert await _read_credit(subscriber) == credit
    late = await go_down(840)
    late.pop("credit")
    await _refuse(subscriber, 409, "preview_outdated", **late)
    await subscriber.do("change", quantity=1)
    before = await _read_credit(subscriber)
    prompt = await go_down(30)
    before, credit = await _read_credit(subscriber), prompt.pop("credit")
    answers = await asyncio.gather(*[subscriber.do("change", **prompt) for _ in range(3)])
    assert {answer["items"][0]["quantity"] for answer in answers} == {1}
    assert await _read_credit(subscriber) < before + int(str(credit))


async def test_the_next_day_a_credit_is_dated_back_again(
    subscribe: Subscribe, account: StripeAccount
) -> None:
    """The bound is per subscription and day."""
    subscriber = await subscribe()
    for _ in range(2):
        await subscriber.do("change", quantity=100)
        preview = await subscriber.do("preview", quantity=1)
        await account.control("clock/advance", seconds=600)
        before = await _read_credit(subscriber)
        await subscriber.do("change", quantity=1, **_date_of(preview))
        assert await _read_credit(subscriber) == before + preview["credit"]
        await account.control("clock/advance", seconds=90_000)


async def _create_price(account: StripeAccount) -> str:
    product = await account.create("products", name="Large")
    daily = {"recurring[interval]": "day", "currency": "usd", "unit_amount": 100_000}
    price = await account.create("prices", product=product["id"], **daily)
    await account.wait_delivered()
    return str(price["id"])


async def _read_credit(subscriber: Subscriber) -> int:
    customer = await subscriber.account.read(f"customers/{(await subscriber.read())['customer']}")
    return -int(customer["balance"])
