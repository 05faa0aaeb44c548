"""Which change of a subscription the seller's terms allow. Pure."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.billing.subscriptions.change_policy import decide_change
from gateway.billing.subscriptions.item_change import ChangeRequest
from gateway.billing.subscriptions.subscription import CustomerSubscription
from gateway.customers.buyer import Buyer, Price, SubscriptionRef
from gateway.errors import Conflict, InvalidRequest
from gateway.price_terms import TermsFile
from gateway.stripe_api import Snapshot

_BUYER = Buyer("user", "", False, "", "cus_1", 0, ())


def _price(name: str, usage_type: str = "licensed", **metadata: Any) -> Price:
    terms = {f"checkout_{key}": value for key, value in metadata.items()}
    return Price(name, f"key_{name}", "recurring", "usd", True, usage_type, "prod", terms)


def _subscription(price: str, quantity: int | None = 1) -> CustomerSubscription:
    item = {"id": "si_1", "price": {"id": price}, "quantity": quantity}
    body = {"id": "sub_1", "status": "active", "currency": "usd", "items": {"data": [item]}}
    return CustomerSubscription(_BUYER, Snapshot(body, 0, 1), "")


def _of_organization(price: str, quantity: int) -> CustomerSubscription:
    own = SubscriptionRef("sub_1", "cus_1", "", "org", members=5)
    made = _subscription(price, quantity)
    return replace(made, buyer=replace(_BUYER, subscription=own))


def _code(subscription: CustomerSubscription, request: ChangeRequest, *prices: Price) -> str:
    with pytest.raises(InvalidRequest) as caught:
        decide_change(subscription, request, prices, TermsFile())
    [(_, reason)] = caught.value.data.items()
    return str(reason["code"])


@pytest.mark.parametrize("quantity", [1, 11])
def test_quantities_keep_within_the_prices_bounds(quantity: int) -> None:
    """Both for another price and for more of the same."""
    old, new = _price("old", min_quantity=2, max_quantity=10), _price("new", min_quantity=2)
    new = _price("new", min_quantity=2, max_quantity=10)
    more = ChangeRequest(quantity=quantity)
    assert _code(_subscription("old", 5), more, old) == "quantity_not_sold"
    other = ChangeRequest(price="new", quantity=quantity)
    assert _code(_subscription("old", 5), other, old, new) == "quantity_not_sold"


def test_the_quantity_goes_along_to_another_price() -> None:
    """Members that the request leaves out stay unchanged."""
    change = decide_change(
        _subscription("old", 5),
        ChangeRequest(price="key_new"),
        [_price("old"), _price("new")],
        TermsFile(),
    )
    assert (change.price, change.quantity) == ("new", 5)
    assert change.params == {"id": "si_1", "price": "new", "quantity": 5}


def test_a_price_that_is_not_for_sale_is_refused() -> None:
    """Whether its plan says so, or takes other currencies only, or makes no sense."""
    subscription, request = _subscription("old"), ChangeRequest(price="new")
    for terms in ({"for_sale": "false"}, {"currencies": "eur"}, {"min_quantity": "many"}):
        code = _code(subscription, request, _price("old"), _price("new", **terms))
        assert code == "price_inactive"


def test_a_change_stays_in_its_group() -> None:
    """A change can't lead to a second subscription of a group that takes one."""
    subscription, request = _subscription("old"), ChangeRequest(price="new")
    new = _price("new", group="addons")
    assert _code(subscription, request, _price("old"), new) == "price_of_another_group"
    many = _price("new", group="addons", subscriptions="many")
    assert decide_change(subscription, request, [_price("old"), many], TermsFile()).price == "new"


def test_a_change_adds_no_second_subscription_of_a_group() -> None:
    """Beside another of its group, a price for one subscription is sold only in place of such."""
    many, one = _price("many", subscriptions="many"), _price("one")
    other, apart = _price("other", subscriptions="many"), _price("apart", group="apart")
    prices, request = [many, one, other, apart], ChangeRequest(price="one")
    for held in (("other",), ("apart", "other"), ("unknown",)):
        with pytest.raises(Conflict) as caught:
            decide_change(_subscription("many"), request, prices, TermsFile(), held)
        assert caught.value.data["subscription"]["code"] == "already_subscribed"
    for present, wanted, held in (
        ("many", "one", ()),
        ("many", "one", ("apart",)),
        ("many", "other", ("one",)),
        ("other", "many", ("other",)),
    ):
        asked = ChangeRequest(price=wanted)
        change = decide_change(_subscription(present), asked, prices, TermsFile(), held)
        assert change.price == wanted
    asked, prices = ChangeRequest(price="better"), [one, _price("better")]
    change = decide_change(_subscription("one"), asked, prices, TermsFile(), ("one",))
    assert change.price == "better"


def test_what_is_metered_has_no_quantity() -> None:
    """To and fro between metered and licensed prices, usage or a quantity says how much it is."""
    metered, licensed = _price("metered", "metered"), _price("licensed")
    there = ChangeRequest(price="metered")
    change = decide_change(_subscription("licensed", 3), there, [metered, licensed], TermsFile())
    assert change.params == {"id": "si_1", "price": "metered"}
    back = ChangeRequest(price="licensed")
    change = decide_change(_subscription("metered", None), back, [metered, licensed], TermsFile())
    assert change.params == {"id": "si_1", "price": "licensed", "quantity": 1}
    asked = ChangeRequest(price="metered", quantity=2)
    assert _code(_subscription("licensed"), asked, metered, licensed) == "quantity_metered"


def test_a_price_that_is_not_mirrored_may_stay() -> None:
    """More of what is there needs no catalogue."""
    change = decide_change(_subscription("gone"), ChangeRequest(quantity=2), [], TermsFile())
    assert change.params == {"id": "si_1", "quantity": 2}


def test_members_say_how_many_seats_there_are() -> None:
    """An organization can't pay for fewer than it has; a user's quantity is their own."""
    seat = Price("seat", "", "recurring", "usd", True, "licensed", "prod", {"seats": "members"})
    fewer = ChangeRequest(quantity=1)
    assert _code(_of_organization("seat", 5), fewer, seat) == "quantity_by_member"
    assert decide_change(_subscription("seat", 5), fewer, [seat], TermsFile()).quantity == 1
    moved = decide_change(
        _of_organization("old", 1), ChangeRequest(price="seat"), [_price("old"), seat], TermsFile()
    )
    assert moved.quantity == 5


def test_seats_are_counted_in_pocketbase() -> None:
    """Stripe's quantity of before is not billed again, of the changed item and of any other."""
    month, year, extra = [
        Price(name, "", "recurring", "usd", True, "licensed", "prod", {"seats": "members"})
        for name in ("month", "year", "extra")
    ]
    subscription = _of_organization("month", 9)
    other = {"id": "si_2", "price": {"id": "extra"}, "quantity": 9}
    subscription.body["items"]["data"].append(other)
    asked = ChangeRequest(price="year", item="si_1")
    change = decide_change(subscription, asked, [month, year, extra], TermsFile())
    assert change.all_params == [
        {"id": "si_1", "price": "year", "quantity": 5},
        {"id": "si_2", "quantity": 5},
    ]


def test_the_bounds_of_a_price_hold_for_members() -> None:
    """Fewer members than are sold pay the minimum; with more than are sold it is refused."""

    def seat(**terms: Any) -> Price:
        metadata = {f"checkout_{key}": value for key, value in terms.items()}
        about = metadata | {"seats": "members"}
        return Price("seat", "", "recurring", "usd", True, "licensed", "prod", about)

    subscription, asked = _of_organization("old", 1), ChangeRequest(price="seat")
    few = decide_change(subscription, asked, [_price("old"), seat(min_quantity=8)], TermsFile())
    assert few.quantity == 8
    small = seat(max_quantity=4)
    assert _code(subscription, asked, _price("old"), small) == "quantity_not_sold"
