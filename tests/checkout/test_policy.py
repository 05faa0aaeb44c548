"""The checkout policy: the seller's terms and the buyer's history decide what is sold. Pure."""

from pathlib import Path
from typing import Any

import pytest

from gateway.checkout.lines import Item
from gateway.checkout.purchase_history import PurchaseHistory
from gateway.checkout.quote import AlreadySubscribed, Quote, build_quote
from gateway.customers.buyer import Price
from gateway.errors import InvalidRequest
from gateway.price_terms import PriceTerms, TermsFile, read_price_terms
from gateway.settings import SettingsError


def _price(name: str = "price_1", **members: Any) -> Price:
    values = {"lookup_key": "", "type": "recurring", "currency": "usd", "active": True}
    return Price(stripe_id=name, **(values | members))


def _decide(*prices: Price, history: PurchaseHistory | None = None, **members: Any) -> Quote:
    items = [Item(price.stripe_id, 1) for price in prices]
    return build_quote(items, prices, TermsFile(**members), history or PurchaseHistory())


def _refused(*prices: Price, quantity: int = 1, **members: Any) -> dict[str, Any]:
    items = [Item(price.stripe_id, quantity) for price in prices]
    with pytest.raises(InvalidRequest) as caught:
        build_quote(items, prices, TermsFile(**members), PurchaseHistory())
    return caught.value.data


def test_what_stands_nearer_to_the_price_wins() -> None:
    """Defaults yield to the product's metadata, that to the price's, and both to the file."""
    price = _price(
        lookup_key="pro",
        product="prod_1",
        product_metadata={"checkout_group": "product", "checkout_trial_days": "1"},
        metadata={"checkout_trial_days": "2", "checkout_max_quantity": "3"},
    )
    terms_file = TermsFile(
        defaults={"group": "default", "tax_ids": True},
        products={"prod_1": {"max_quantity": 4}},
        prices={"pro": {"max_quantity": 5, "min_quantity": 2}, "price_1": {"min_quantity": 3}},
    )
    expected = PriceTerms(
        group="product", trial_days=2, max_quantity=5, min_quantity=3, tax_ids=True
    )
    assert terms_file.find(price) == expected


def test_metadata_is_text() -> None:
    """Truth, numbers and lists are read from the texts that Stripe's metadata holds."""
    metadata = {
        "checkout_for_sale": "false",
        "checkout_countries": "DE, AT",
        "checkout_subscriptions": "many",
        "something": "else",
    }
    expected = PriceTerms(for_sale=False, countries=("DE", "AT"), subscriptions="many")
    assert TermsFile().find(_price(metadata=metadata)) == expected


@pytest.mark.parametrize(
    "metadata",
    [
        {"checkout_trial_days": "soon"},
        {"checkout_trial_days": "-1"},
        {"checkout_max_quantity": "0"},
        {"checkout_subscriptions": "some"},
        {"checkout_expires_minutes": "5"},
    ],
)
def test_metadata_that_makes_no_sense_is_not_for_sale(metadata: dict[str, str]) -> None:
    """Invalid terms prevent the sale."""
    assert _refused(_price(metadata=metadata))["items.0.price"]["code"] == "price_inactive"


def test_a_price_can_be_withheld() -> None:
    """By the defaults everything is withheld but what the file names."""
    hidden, shown = _price("price_1"), _price("price_2", type="one_time")
    members = {"defaults": {"for_sale": False}, "prices": {"price_2": {"for_sale": True}}}
    assert _decide(shown, **members).mode == "payment"
    assert _refused(shown, hidden, **members)["items.1.price"]["code"] == "price_inactive"


@pytest.mark.parametrize("quantity", [1, 6])
def test_a_quantity_has_bounds(quantity: int) -> None:
    """Less or more than the plan says is refused, with the bounds in the message."""
    members = {"prices": {"price_1": {"min_quantity": 2, "max_quantity": 5}}}
    reason = _refused(_price(), quantity=quantity, **members)["items.0.quantity"]
    assert reason["code"] == "quantity_not_sold"
    assert "from 2 to 5" in reason["message"]


def test_currencies_are_not_mixed() -> None:
    """Prices of two currencies in one purchase are refused; the second is named."""
    data = _refused(_price("price_1"), _price("price_2", currency="eur"))
    assert data["items.1.price"]["code"] == "currency_mixed"


def test_a_currency_can_be_left_out() -> None:
    """With GATEWAY_CURRENCIES, prices in other currencies are not for sale."""
    members = {"defaults": {"currencies": ["EUR"]}}
    assert _decide(_price(currency="eur"), **members).mode == "subscription"
    assert _refused(_price(), **members)["items.0.price"]["code"] == "price_inactive"


def test_a_trial_is_given_once() -> None:
    """A buyer who has had a trial gets none, whatever the terms."""
    members = {"defaults": {"trial_days": 14}}
    assert _decide(_price(), **members).trial_days == 14
    assert _decide(_price(), history=PurchaseHistory(trial_used=True), **members).trial_days == 0


def test_a_short_trial_is_not_stretched_by_another_line() -> None:
    """A purchase has the shortest trial of its subscriptions, so one without has none."""
    members = {"prices": {"price_1": {"trial_days": 90}, "price_2": {"trial_days": 7}}}
    first, second, third = (_price(f"price_{number}") for number in (1, 2, 3))
    assert _decide(first, second, **members).trial_days == 7
    assert _decide(first, third, **members).trial_days == 0
    assert _decide(first, _price("price_4", type="one_time"), **members).trial_days == 90


def test_one_subscription_is_enough() -> None:
    """A second subscription of a group is refused while one runs, also for an unknown price."""
    for held in ((), (_price("price_held"),)):
        history = PurchaseHistory(subscriptions=(("price_held",),), prices=held)
        with pytest.raises(AlreadySubscribed):
            _decide(_price(), history=history)
        assert _decide(_price(type="one_time"), history=history).mode == "payment"


def test_groups_and_plans_may_allow_several() -> None:
    """Another group is another matter, and `many` allows as many as one likes."""
    held = _price("price_held", metadata={"checkout_group": "storage"})
    history = PurchaseHistory(subscriptions=(("price_held",),), prices=(held,))
    assert _decide(_price(), history=history).is_exclusive
    again = _price("price_more", product_metadata={"checkout_group": "storage"})
    with pytest.raises(AlreadySubscribed):
        _decide(again, history=history)
    members = {"prices": {"price_more": {"subscriptions": "many"}}}
    assert not _decide(again, history=history, **members).is_exclusive


def test_a_trial_makes_a_purchase_exclusive() -> None:
    """Several subscriptions may run, but only one purchase with a trial may be under way."""
    members = {"defaults": {"subscriptions": "many", "trial_days": 7}}
    assert _decide(_price(), **members).is_exclusive
    assert not _decide(_price(), history=PurchaseHistory(trial_used=True), **members).is_exclusive


def test_a_coupon_is_the_sellers_choice() -> None:
    """A coupon is given if all lines name it; codes are taken if all lines take them."""
    one, two = _price("price_1"), _price("price_2")
    both = {"defaults": {"coupon": "WELCOME", "promotion_codes": True}}
    assert (_decide(one, two, **both).coupon, _decide(one, two, **both).promotion_codes) == (
        "WELCOME",
        False,
    )
    half = {"prices": {"price_1": {"coupon": "WELCOME"}}}
    assert _decide(one, two, **half).coupon == ""
    codes = {"defaults": {"promotion_codes": True}}
    assert _decide(one, two, **codes).promotion_codes


def test_lines_share_their_countries() -> None:
    """Everything is delivered to one place: where all may be, or nowhere."""
    members = {
        "prices": {"price_1": {"countries": ["de", "at"]}, "price_2": {"countries": ["AT", "CH"]}}
    }
    one, two, other = _price("price_1"), _price("price_2"), _price("price_3")
    assert _decide(one, two, other, **members).countries == ("AT",)
    members["prices"]["price_2"] = {"countries": ["CH"]}
    assert _refused(one, two, **members)["items"]["code"] == "countries_apart"


def test_a_plan_file_is_read(tmp_path: Path) -> None:
    """The file is TOML."""
    file = tmp_path / "plans.toml"
    file.write_text('setup_currency = "eur"\n[prices.pro]\ntrial_days = 14\ncountries = ["DE"]\n')
    terms_file = read_price_terms(file)
    assert terms_file.setup_currency == "eur"
    assert terms_file.find(_price(lookup_key="pro")) == PriceTerms(trial_days=14, countries=("DE",))


@pytest.mark.parametrize(
    "text",
    ["[prices.pro]\ntrail_days = 1", "[prices.pro]\ntrial_days = -1", "x = 1", "[prices", None],
)
def test_a_wrong_plan_file_is_told_at_the_start(text: str | None, tmp_path: Path) -> None:
    """A file that can't be read, or has invalid terms, is reported with the setting."""
    file = tmp_path / "plans.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match="GATEWAY_PRICE_TERMS"):
        read_price_terms(file)
