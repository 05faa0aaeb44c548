"""The choice of Stripe's idempotency key for a session. Pure."""

from typing import Literal

import pytest

from gateway.checkout.create_session import KeyTaken
from gateway.checkout.quote import Quote
from gateway.checkout.session_key import SessionKey, choose_session_key, renew_key
from gateway.customers.buyer import Buyer
from gateway.pocketbase.contracts.buyer import BuyerHistory, KeyUse, PendingCheckout

_NOW = 1_000_000
_HEADER = KeyUse(id="k1", request_hash="digest", since=_NOW - 60)


def _buyer(number: int = 0, since: int = 0, key: KeyUse | None = None) -> Buyer:
    history = BuyerHistory(
        pending=PendingCheckout(number=number, since=since),
        key=key,
        subscriptions=(),
        bought=(),
        held=(),
        trial_used=False,
    )
    return Buyer("user1", "", False, "", "cus_1", 0, (), history=history)


def _quote(
    mode: Literal["payment", "subscription"] = "subscription", *, is_exclusive: bool = True
) -> Quote:
    return Quote(mode=mode, expires_minutes=60, is_exclusive=is_exclusive)


def test_an_exclusive_purchase_is_keyed_by_its_number() -> None:
    """All requests of a pending checkout have one key, also with different headers."""
    expected = SessionKey("checkout-user1-3", _NOW - 60, 3)
    assert choose_session_key(_buyer(3, _NOW - 60), _quote(), _NOW) == expected
    assert choose_session_key(_buyer(3, _NOW - 60, _HEADER), _quote(), _NOW) == expected


def test_an_exclusive_payment_names_the_header() -> None:
    """Another Idempotency-Key means another page, so the parameters must differ."""
    key = choose_session_key(_buyer(3, _NOW, _HEADER), _quote("payment"), _NOW)
    assert (key.number, key.header_id) == (3, "k1")


@pytest.mark.parametrize(("age", "is_taken"), [(28 * 60, False), (30 * 60, True), (7200, True)])
def test_an_expiring_session_is_replaced(age: int, is_taken: bool) -> None:
    """A session that Stripe would close within half an hour is not returned again."""
    buyer = _buyer(3, _NOW - age)
    if is_taken:
        with pytest.raises(KeyTaken):
            choose_session_key(buyer, _quote(), _NOW)
    else:
        assert choose_session_key(buyer, _quote(), _NOW).number == 3


def test_other_purchases_are_keyed_by_the_header() -> None:
    """Without the header, each request creates a session of its own."""
    quote = _quote("payment", is_exclusive=False)
    with_header = choose_session_key(_buyer(3, _NOW, _HEADER), quote, _NOW)
    assert with_header == SessionKey("checkout-user1-k1", _NOW - 60)
    assert choose_session_key(_buyer(3, _NOW), quote, _NOW) == SessionKey("", _NOW)


def test_later_requests_of_a_key_share_its_renewal() -> None:
    """Within a quarter of an hour they have one key and one end, at least 31 minutes ahead."""
    key = SessionKey("click", 0)
    start = 1_800_000_000 - 1_800_000_000 % 900
    renewed = {renew_key(key, start + seconds) for seconds in (0, 1, 450, 899)}
    assert len(renewed) == 1
    assert {each.since for each in renewed} == {start}
    assert renew_key(key, start + 900) not in renewed
    assert renew_key(SessionKey("", 0), start).text == ""
